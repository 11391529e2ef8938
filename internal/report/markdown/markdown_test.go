package markdown_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/report/markdown"
)

var update = flag.Bool("update", false, "write the golden file")

// render writes the report of the dossier that the HTML report is tested on too.
func render(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("../html/testdata/dossier.json")
	if err != nil {
		t.Fatal(err)
	}
	d, err := dossier.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := markdown.Write(&out, d); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestGolden(t *testing.T) {
	got, path := render(t), filepath.Join("testdata", "report.md")
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
		t.Errorf("the report differs (run with -update if that is meant), got -, want +:\n%s", diff)
	}
}

// Every row of a table has as many cells as its head, whatever the target wrote into it.
func TestTablesAreWhole(t *testing.T) {
	escaped := regexp.MustCompile(`\\.`)
	cells, tables := 0, 0
	for i, line := range strings.Split(render(t), "\n") {
		if !strings.HasPrefix(line, "|") {
			cells = 0
			continue
		}
		n := strings.Count(escaped.ReplaceAllString(line, ""), "|")
		if cells == 0 {
			cells = n
			tables++
		}
		if n != cells {
			t.Errorf("line %d has %d bars, its table has %d: %s", i+1, n, cells, line)
		}
	}
	if tables < 10 {
		t.Errorf("got %d tables, want at least 10", tables)
	}
}

// Nothing of the target is markup, and nothing is linked by itself.
func TestHostileText(t *testing.T) {
	text := render(t)
	for _, pattern := range []string{
		`[^\\]://`, `(?i)www\.`, `[a-z]@`, `(^|[^\\])<`, `(^|[^\\])\[a`, `(^|[^\\])!\[`, "\x1b", "\u202e", "\u2066", "\x07", "\r",
	} {
		if at := regexp.MustCompile(pattern).FindString(text); at != "" {
			t.Errorf("the report holds %q, which matches %s", at, pattern)
		}
	}
}
