package catalogue_test

import (
	"encoding/csv"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assize/assize/internal/catalogue"
)

var update = flag.Bool("update", false, "write testdata anew")

func open(t testing.TB) *catalogue.Tables {
	t.Helper()
	tables, err := catalogue.Open(catalogue.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return tables
}

// must returns v of a call that has to succeed.
func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// shared is a file of the source tables, which are kept outside.
func shared(t *testing.T, name string) [][]string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for filepath.Dir(dir) != dir {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		dir = filepath.Dir(dir)
	}
	f, err := os.Open(filepath.Join(dir, "..", "shared", "data", "standards", name))
	if err != nil {
		t.Skipf("the source tables are not here: %v", err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestTheTablesAreWithoutFault(t *testing.T) {
	faults, err := open(t).Lint(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range faults {
		t.Error(f)
	}
}

// TestCounts holds the tables against the counts that their sources state.
func TestCounts(t *testing.T) {
	tables := open(t)
	got := map[string]int{}
	for _, e := range must(tables.Entries())(t) {
		got[e.Inventory+" "+e.ID[:1]]++
	}
	for _, r := range must(tables.Requirements())(t) {
		got[r.Framework]++
		if r.Norm != "" {
			got[r.Norm]++
		}
		if r.Relevance == "core" {
			got["core"]++
		}
	}
	for _, n := range must(tables.Names())(t) {
		got[n.Scheme]++
	}
	for _, c := range must(tables.Controls())(t) {
		got["control "+c.Scheme]++
	}
	for _, l := range must(tables.Links())(t) {
		switch {
		case l.FromScheme == "enisa-2023":
			got["links requirements"]++
		case l.FromScheme == "enisa-table1":
			got["links threats"]++
		case l.Relation == "none":
			got["links none"]++
		default:
			got["links owasp"]++
		}
	}
	for _, g := range must(tables.Gaps())(t) {
		got["gap "+g.ID[:3]]++
	}
	for _, h := range must(tables.History())(t) {
		if h.Kind == catalogue.InSnapshot && h.Date == "2026-11-22" && strings.ContainsAny(h.Entry[:min(1, len(h.Entry))], "AO") {
			got["status "+h.Confidence]++
		}
	}
	got["rules"], got["dates"], got["uses"] = len(must(tables.Rules())(t)), len(must(tables.Dates())(t)), len(must(tables.Uses())(t))
	got["changes"], got["ratings"], got["points"] = len(must(tables.Changes())(t)), len(must(tables.Ratings())(t)), len(must(tables.Points())(t))
	got["weaknesses"], got["answers"], got["recommendations"] = len(must(tables.Weaknesses())(t)), len(must(tables.Answers())(t)), len(must(tables.Recommendations())(t))
	want := map[string]int{
		"a1 A": 27, "a2 A": 33, "a3 A": 14, "a4 A": 21, "list O": 68, "list N": 38,
		"ai-act": 186, "core": 105, "en-304-223": 72, "shall": 49, "should": 23, "enisa-2023": 8, "cra": 22,
		"enisa-table1": 5, "enisa-smla": 13, "nist-ai-100-2": 30, "owasp-ai-exchange": 33, "mitre-atlas": 170,
		"control enisa-smla": 37, "control owasp-ai-exchange": 55,
		"links requirements": 286, "links threats": 151, "links owasp": 130, "links none": 4,
		"gap G-4": 32, "gap G-5": 8, "recommendations": 8, "points": 23,
		"status stored": 92, "status own-knowledge": 58, "status not-found": 13,
		"rules": 22, "dates": 19, "uses": 25, "changes": 19, "ratings": 80, "weaknesses": 72, "answers": 80,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestMarks counts the report's marks by column, as its annexes print them.
func TestMarks(t *testing.T) {
	for inventory, want := range map[string][]int{
		catalogue.AnnexA3: {5, 6, 3, 4, 4, 4, 6, 6, 6, 6},
		catalogue.AnnexA4: {11, 14, 8, 2, 1, 1, 3, 1, 4, 5},
	} {
		_, rows, err := open(t).Annex(inventory)
		if err != nil {
			t.Fatal(err)
		}
		got, asked := make([]int, 10), 0
		for _, row := range rows {
			for i, mark := range row[5:] {
				switch mark {
				case "x":
					got[i]++
				case "?":
					asked++
				}
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", inventory, diff)
		}
		if want := map[string]int{"a3": 1, "a4": 0}[inventory]; asked != want {
			t.Errorf("%s: got %d question marks, want %d", inventory, asked, want)
		}
	}
}

func TestTheAnnexesComeOutAsPrinted(t *testing.T) {
	for inventory, name := range map[string]string{catalogue.AnnexA3: "enisa-a3-jtc21.csv", catalogue.AnnexA4: "enisa-a4-etsi.csv"} {
		header, rows, err := open(t).Annex(inventory)
		if err != nil {
			t.Fatal(err)
		}
		got := append([][]string{header}, rows...)
		want := shared(t, name)
		for i := range want {
			want[i] = want[i][:15]
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", inventory, diff)
		}
	}
}

// TestTallies counts every value of every closed column, so that no mark
// changes unseen. After an edit that is meant: go test -update.
func TestTallies(t *testing.T) {
	const name = "testdata/tallies.txt"
	got := tallies(t, open(t), "")
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s\nhint: where the edit is meant, go test ./internal/catalogue -run Tallies -update", diff)
	}
}

// tallies counts the values of closed columns; of one file, or of all.
func tallies(t testing.TB, tables *catalogue.Tables, file string) string {
	t.Helper()
	var out strings.Builder
	for _, c := range catalogue.LintColumns() {
		if c.Enum == nil && c.Ref == "" || file != "" && c.File != file {
			continue
		}
		_, values, err := catalogue.Values(tables, c)
		if err != nil {
			t.Fatal(err)
		}
		counts := map[string]int{}
		for _, row := range values {
			for _, v := range row {
				counts[v]++
			}
		}
		fmt.Fprintf(&out, "%s %s:", c.File, c.Name)
		if c.Enum == nil {
			fmt.Fprintf(&out, " %d different\n", len(counts))
			continue
		}
		for _, v := range slices.Sorted(maps.Keys(counts)) {
			fmt.Fprintf(&out, " %q %d", v, counts[v])
		}
		out.WriteByte('\n')
	}
	return out.String()
}

// BenchmarkEverything reads all tables and lints them: more than any command does.
func BenchmarkEverything(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		must(open(b).Lint(nil))(b)
	}
}

// BenchmarkCoverage is what a command on coverage does from cold.
func BenchmarkCoverage(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		must(open(b).Coverage(catalogue.Query{}))(b)
	}
}

// BenchmarkLoad reads and digests what an assessment needs.
func BenchmarkLoad(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		must(catalogue.Load())(b)
	}
}
