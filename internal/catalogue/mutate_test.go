package catalogue_test

import (
	"bytes"
	"encoding/csv"
	"io/fs"
	"path"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/goccy/go-yaml"

	"github.com/assize/assize/internal/catalogue"
)

// table is a file as text cells, whatever its format.
type table struct {
	header []string
	rows   []map[string]any
}

func readTable(t *testing.T, name string) table {
	t.Helper()
	b, err := fs.ReadFile(catalogue.Base(), name)
	if err != nil {
		t.Fatal(err)
	}
	var tab table
	if path.Ext(name) == ".yaml" {
		if err := yaml.Unmarshal(b, &tab.rows); err != nil {
			t.Fatal(err)
		}
		return tab
	}
	records, err := csv.NewReader(bytes.NewReader(b)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	tab.header = records[0]
	for _, r := range records[1:] {
		row := map[string]any{}
		for i, cell := range r {
			row[tab.header[i]] = cell
		}
		tab.rows = append(tab.rows, row)
	}
	return tab
}

func (tab table) write(t *testing.T) []byte {
	t.Helper()
	if tab.header == nil {
		b, err := yaml.Marshal(tab.rows)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	records := [][]string{tab.header}
	for _, row := range tab.rows {
		var r []string
		for _, h := range tab.header {
			r = append(r, row[h].(string))
		}
		records = append(records, r)
	}
	if err := w.WriteAll(records); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// with is the base's tables, one of them replaced.
func with(t *testing.T, name string, b []byte) *catalogue.Tables {
	t.Helper()
	m := fstest.MapFS{}
	for _, f := range catalogue.Files() {
		own, err := fs.ReadFile(catalogue.Base(), f)
		if err != nil {
			t.Fatal(err)
		}
		m[f] = &fstest.MapFile{Data: own}
	}
	m[name] = &fstest.MapFile{Data: b}
	return catalogue.OpenFS(m, nil)
}

// falls says whether lint faults the tables, or they cannot be read at all.
func falls(tables *catalogue.Tables) bool {
	faults, err := tables.Lint(nil)
	return err != nil || len(faults) > 0
}

// TestEveryTableIsWatched mutates each table and asks that something falls:
// lint, or the tallies.
func TestEveryTableIsWatched(t *testing.T) {
	for _, name := range catalogue.Files() {
		t.Run(name, func(t *testing.T) {
			if falls(with(t, name, readTable(t, name).write(t))) {
				t.Fatal("the table does not survive being written as it is")
			}
			tab := readTable(t, name)
			tab.rows = append(tab.rows[:len(tab.rows)/2], tab.rows[len(tab.rows)/2+1:]...)
			if !falls(with(t, name, tab.write(t))) {
				t.Error("a row less: nothing falls")
			}
			tab = readTable(t, name)
			tab.rows = append(tab.rows, tab.rows[0])
			if !falls(with(t, name, tab.write(t))) {
				t.Error("a row twice: nothing falls")
			}
			for _, c := range catalogue.LintColumns() {
				if c.File == name {
					mutateColumn(t, c)
				}
			}
		})
	}
}

func mutateColumn(t *testing.T, c catalogue.LintColumn) {
	t.Helper()
	before := tallies(t, open(t), c.File)
	for what, value := range map[string]string{"a reference to nothing": "no-such-thing", "a value out of the enumeration": "no-such-value", "a date that is none": "2026-02-30", "nothing": "", "another value": ""} {
		tab := readTable(t, c.File)
		i := 0
		for i < len(tab.rows)-1 && empty(tab.rows[i][c.Name]) {
			i++
		}
		old := tab.rows[i][c.Name]
		switch {
		case what == "a reference to nothing" && c.Ref == "", what == "a value out of the enumeration" && c.Enum == nil,
			what == "a date that is none" && !c.Date, what == "nothing" && !c.Need, what == "another value" && c.Enum == nil:
			continue
		case what == "another value":
			for _, value = range c.Enum {
				if value != "" && value != old {
					break
				}
			}
		}
		tab.rows[i][c.Name] = value
		if _, list := old.([]any); list {
			tab.rows[i][c.Name] = []string{value}
		}
		tables := with(t, c.File, tab.write(t))
		if !falls(tables) && tallies(t, tables, c.File) == before {
			t.Errorf("%s: row %d: %q for %q: nothing falls", c.Name, i+1, value, old)
		}
	}
}

func empty(v any) bool {
	switch v := v.(type) {
	case string:
		return v == ""
	case []any:
		return len(v) == 0
	}
	return v == nil
}

// TestSwappedMarks moves a mark of the report by one column: the annexes differ.
func TestSwappedMarks(t *testing.T) {
	_, want, err := open(t).Annex(catalogue.AnnexA4)
	if err != nil {
		t.Fatal(err)
	}
	b, err := fs.ReadFile(catalogue.Base(), "coverage.csv")
	if err != nil {
		t.Fatal(err)
	}
	swapped := strings.Replace(string(b), "A4-04,,,requirement,risk,x,unknown,unknown,enisa-2023", "A4-04,,,requirement,data,x,unknown,unknown,enisa-2023", 1)
	_, got, err := with(t, "coverage.csv", []byte(swapped)).Annex(catalogue.AnnexA4)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Join(got[3], ",") == strings.Join(want[3], ",") {
		t.Error("the annex is as before")
	}
}

func TestCriteriaThatNothingFeeds(t *testing.T) {
	var feeds []string
	for _, k := range must(catalogue.Load())(t).Criteria {
		feeds = append(feeds, k.Probe+" "+k.Metric)
	}
	if got := must(open(t).Lint(feeds))(t); len(got) != 0 {
		t.Errorf("got %q although all are fed", got)
	}
	got := must(open(t).Lint(feeds[1:]))(t)
	if len(got) != 1 || !strings.Contains(got[0], `criterion "declared/agreement": no probe or record gives agreement`) {
		t.Errorf("got %q, want one criterion without a feed", got)
	}
}
