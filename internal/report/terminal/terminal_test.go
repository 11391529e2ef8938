package terminal_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mattn/go-runewidth"

	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/plan"
	"github.com/assize/assize/internal/report/terminal"
	"github.com/assize/assize/internal/result"
)

var update = flag.Bool("update", false, "write the golden files")

// example is the dossier that the HTML report is tested on too; its test writes the file.
func example(t *testing.T) *dossier.Dossier {
	t.Helper()
	b, err := os.ReadFile("../html/testdata/dossier.json")
	if err != nil {
		t.Fatal(err)
	}
	d, err := dossier.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func verdicts(t *testing.T, o terminal.Options) string {
	t.Helper()
	var b bytes.Buffer
	if err := terminal.Write(&b, example(t), o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func planned(t *testing.T, o terminal.Options) string {
	t.Helper()
	var b bytes.Buffer
	err := terminal.WritePlan(&b, &example(t).Plan.Plan, func(i *plan.Item) float64 { return float64(i.Queries) * 1e-4 }, o)
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestGolden(t *testing.T) {
	for name, got := range map[string]string{
		"verdicts-80.txt":     verdicts(t, terminal.Options{}),
		"verdicts-100.txt":    verdicts(t, terminal.Options{Width: 100}),
		"verdicts-colour.txt": verdicts(t, terminal.Options{Width: 100, Colour: true}),
		"plan.txt":            planned(t, terminal.Options{Width: 80}),
	} {
		path := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(got, string(want)); diff != "" {
			t.Errorf("%s differs (run with -update if that is meant), got -, want +:\n%s", name, diff)
		}
	}
}

// However narrow, no line is longer than the width, and nothing of the target reaches the terminal raw.
func TestFitsAndStaysClean(t *testing.T) {
	wide := runewidth.Condition{}
	for _, width := range []int{60, 72, 80, 100, 132} {
		for _, text := range []string{verdicts(t, terminal.Options{Width: width}), planned(t, terminal.Options{Width: width})} {
			for line := range strings.SplitSeq(text, "\n") {
				if got := wide.StringWidth(line); got > width {
					t.Errorf("at width %d a line takes %d columns: %q", width, got, line)
				}
			}
			if i := strings.IndexAny(text, "\x1b\x07\u202e\u2066\r\t"); i >= 0 {
				t.Errorf("the text holds %q", text[i:i+1])
			}
		}
	}
}

// Colour adds codes and changes nothing else; of the target's own codes none is left.
func TestColourOnlyAdds(t *testing.T) {
	coloured := verdicts(t, terminal.Options{Width: 90, Colour: true})
	plainer := coloured
	for _, code := range []string{"0", "1", "2", "1;31", "1;32", "1;33"} {
		plainer = strings.ReplaceAll(plainer, "\x1b["+code+"m", "")
	}
	if got, want := plainer, verdicts(t, terminal.Options{Width: 90}); got != want {
		t.Errorf("without its codes the coloured text differs:\n%s", cmp.Diff(got, want))
	}
	if coloured == plainer {
		t.Error("colour was asked for and none is there")
	}
}

func TestThePlanTellsWhatDoesNotApply(t *testing.T) {
	p := example(t).Plan.Plan
	p.Criteria[0].NotApplicable = "it applies where model.classes == 3, which is not so\x1b of this target"
	var b bytes.Buffer
	if err := terminal.WritePlan(&b, &p, func(*plan.Item) float64 { return 0 }, terminal.Options{Width: 200}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"1 criteria will decide", "Criteria that do not apply, and why\n  - " + p.Criteria[0].ID + ": it applies where model.classes == 3"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("it does not tell %q:\n%s", want, b.String())
		}
	}
	if strings.Contains(b.String(), "\x1b") {
		t.Error("an escape of the condition reaches the terminal")
	}
}

// Tables of probes are shown for the system as it is deployed: bounded in rows and width, and clean.
func TestTables(t *testing.T) {
	d := example(t)
	deployed := map[string]bool{}
	for _, i := range d.Plan.Items {
		deployed[i.ID] = i.Deployed
	}
	hostile := "two months more \x1b[31m\u202e of duration\nand a second line"
	table := func(title string, n int) result.Table {
		t := result.Table{ID: "t", Title: title, Head: []string{"Feature", "Changed in", "By, median (least to most)"}, More: 3}
		for i := range n {
			t.Rows = append(t.Rows, []string{fmt.Sprintf("feature %d", i), "12 of 200", hostile + strings.Repeat(" word", 30*i)})
		}
		return t
	}
	on, off := 0, 0
	for i := range d.Observations {
		o := &d.Observations[i]
		switch {
		case o.State != result.Measured:
		case deployed[o.Item] && on == 0:
			o.Tables = []result.Table{table("what carries the change", 9), table("short", 1), {Title: "no rows", Head: []string{"a"}}}
			private := table("single rows", 2)
			private.Data = true
			o.Tables = append(o.Tables, private)
			on++
		case !deployed[o.Item] && off == 0:
			o.Tables = []result.Table{table("made to compare", 1)}
			off++
		case on > 0 && deployed[o.Item]:
			for range 30 {
				o.Tables = append(o.Tables, table("many", 1))
			}
		}
	}
	if on == 0 || off == 0 {
		t.Fatalf("the example has %d deployed and %d other runs", on, off)
	}
	for _, width := range []int{60, 80, 200} {
		var b bytes.Buffer
		if err := terminal.Write(&b, d, terminal.Options{Width: width}); err != nil {
			t.Fatal(err)
		}
		text := b.String()
		for _, want := range []string{"What carries the change. By ", "  Feature    Changed in  By, median", "  feature 5  12 of 200   two months more \\u001b[31m", "6 more in the report.", "Short. By ", "3 more in the report.", " more tables are in the report."} {
			if !strings.Contains(text, want) {
				t.Errorf("at width %d it does not say %q:\n%s", width, want, text)
			}
		}
		for _, not := range []string{"feature 6", "no rows", "ingle rows", "ade to compare", "\x1b", "\u202e"} {
			if strings.Contains(text, not) {
				t.Errorf("at width %d it says %q", width, not)
			}
		}
		for line := range strings.SplitSeq(text, "\n") {
			if got := runewidth.StringWidth(line); got > width {
				t.Errorf("at width %d a line takes %d columns: %q", width, got, line)
			}
		}
	}
}
