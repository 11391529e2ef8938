package listing_test

import (
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mattn/go-runewidth"

	"github.com/assize/assize/internal/report/listing"
)

func sample() *listing.List {
	return &listing.List{
		Name:    "things",
		Columns: []listing.Column{{Key: "id"}, {Key: "long_text", Wide: true}, {Key: "secret", Hidden: true}},
		Rows: [][]string{
			{"a", strings.Repeat("many words ", 20), "x"},
			{"b|c", "<script>\x1b[31m[link](http://x)", "y, \"z\""},
		},
		Notes: []string{"a note"}, Sources: []string{"a source"},
	}
}

func write(t *testing.T, format string, width int) string {
	t.Helper()
	var b strings.Builder
	if err := sample().Write(&b, format, width); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestTablesFitTheTerminal(t *testing.T) {
	for _, width := range []int{60, 80, 132} {
		for _, line := range strings.Split(write(t, "table", width), "\n") {
			if runewidth.StringWidth(line) > width {
				t.Errorf("%d columns: %q is wider", width, line)
			}
		}
	}
	got := write(t, "table", 80)
	if strings.ContainsAny(got, "\x1b") || strings.Contains(got, "secret") || !strings.Contains(got, "a note") {
		t.Errorf("got %q", got)
	}
}

func TestCSVComesBack(t *testing.T) {
	got, err := csv.NewReader(strings.NewReader(write(t, "csv", 0))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	want := append([][]string{{"id", "long_text", "secret"}}, sample().Rows...)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestJSONComesBack(t *testing.T) {
	var got struct {
		List           string
		Rows           []map[string]string
		Notes, Sources []string
	}
	if err := json.Unmarshal([]byte(write(t, "json", 0)), &got); err != nil {
		t.Fatal(err)
	}
	if got.List != "things" || len(got.Rows) != 2 || got.Rows[1]["secret"] != `y, "z"` || got.Notes[0] != "a note" {
		t.Errorf("got %+v", got)
	}
}

func TestMarkdownIsInert(t *testing.T) {
	got := write(t, "markdown", 0)
	if strings.Contains(got, "<script>") || strings.Contains(got, "[link]") && !strings.Contains(got, `\[link]`) || !strings.Contains(got, `b\|c`) {
		t.Errorf("got %q", got)
	}
}

func TestUnknownFormatsAreRefused(t *testing.T) {
	if err := sample().Write(&strings.Builder{}, "pdf", 0); err == nil || !strings.Contains(err.Error(), "hint: table, csv, json, markdown") {
		t.Errorf("got %v", err)
	}
}

// TestTablesCutNoWord keeps whole a word that is wider than a column's fair share.
func TestTablesCutNoWord(t *testing.T) {
	l := &listing.List{
		Name:    "words",
		Columns: []listing.Column{{Key: "text", Wide: true}, {Key: "harms", Wide: true}},
		Rows:    [][]string{{strings.Repeat("many words ", 30), "integrity; confidentiality; availability"}},
	}
	var b strings.Builder
	if err := l.Write(&b, "table", 60); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), "confidentiality;") {
		t.Errorf("a word was cut:\n%s", b.String())
	}
	for line := range strings.Lines(b.String()) {
		if n := runewidth.StringWidth(strings.TrimRight(line, "\n")); n > 60 {
			t.Errorf("%d columns: %q", n, line)
		}
	}
}
