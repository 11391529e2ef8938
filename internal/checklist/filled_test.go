package checklist_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/catalogue"
	"github.com/assize/assize/internal/checklist"
)

const header = "id,record,owner,role,date,valid_until,digest\n"

func known(t testing.TB) []catalogue.Requirement {
	t.Helper()
	tb, err := catalogue.Open(catalogue.Options{})
	if err != nil {
		t.Fatal(err)
	}
	all, err := tb.Requirements()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestParseFilled(t *testing.T) {
	got, err := checklist.ParseFilled([]byte("\ufeff"+header+"AIA-9.1,records/plan.md,Ann,risk manager,2026-01-02,2027-01-02,\r\nAIA-9.2,,,,,,\n5.1.1-1, a/b.md ,Bo,,2026-01-02,,\n"), "f.csv", known(t))
	if err != nil {
		t.Fatal(err)
	}
	want := []checklist.Row{
		{Line: 2, ID: "AIA-9.1", Record: "records/plan.md", Owner: "Ann", Role: "risk manager", Date: "2026-01-02", ValidUntil: "2027-01-02"},
		{Line: 4, ID: "5.1.1-1", Record: "a/b.md", Owner: "Bo", Date: "2026-01-02"},
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("rows (-got +want):\n%s", diff)
	}
}

func TestParseFilledRefuses(t *testing.T) {
	all := known(t)
	for _, tt := range []struct{ name, csv, want string }{
		{"empty", "", "line 1: no header"},
		{"semicolons", "id;record;owner\n", `no column "id"`},
		{"no record column", "id,owner,role,date,valid_until,digest\n", `no column "record"`},
		{"doubled column", "id,id,record,owner,role,date,valid_until,digest\n", "stands twice"},
		{"unknown item", header + "AIA-99,,,,,,\n", `line 2: there is no item "AIA-99"`},
		{"item that is not core", header + "AIA-6.2,a,o,,2026-01-01,,\n", `there is no item "AIA-6.2"`},
		{"twice", header + "AIA-9.1,,,,,,\nAIA-9.1,,,,,,\n", "line 3: item AIA-9.1 stands in line 2 already"},
		{"group", header + "T3-01,a,o,,2026-01-01,,\n", "T3-01 is a group"},
		{"outside", header + "AIA-9.1,../a,o,,2026-01-01,,\n", "leaves the target's folder"},
		{"absolute", header + "AIA-9.1,/etc/passwd,o,,2026-01-01,,\n", "leaves the target's folder"},
		{"no owner", header + "AIA-9.1,a,,,2026-01-01,,\n", "has no owner"},
		{"no date", header + "AIA-9.1,a,o,,,,\n", "has no date"},
		{"no record", header + "AIA-9.1,,o,,2026-01-01,,\n", "but no record"},
		{"no such day", header + "AIA-9.1,a,o,,2026-02-30,,\n", `date "2026-02-30" is no date`},
		{"form of date", header + "AIA-9.1,a,o,,2026-01-01,1.2.2027,\n", `valid_until "1.2.2027" is no date`},
		{"ends before it begins", header + "AIA-9.1,a,o,,2026-01-02,2026-01-01,\n", "lies before"},
		{"digest", header + "AIA-9.1,a,o,,2026-01-02,,md5:00\n", "digest"},
		{"short row", header + "AIA-9.1,a\n", "line 2: wrong number of fields"},
		{"open quote", header + "AIA-9.1,\"a\n", "quote"},
		{"too long", header + strings.Repeat("x", 3<<20), "longer than"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := checklist.ParseFilled([]byte(tt.csv), "f.csv", all)
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "\nhint: ") || strings.Count(err.Error(), "\n") != 1 {
				t.Errorf("got %v, want one line with %q, and a hint", err, tt.want)
			}
		})
	}
}

func TestCheckFiles(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"in/a.md": "a", "../secret.md": "s"} {
		path := filepath.Join(dir, "target", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	target := filepath.Join(dir, "target")
	if err := os.Symlink("../secret.md", filepath.Join(target, "link.md")); err != nil {
		t.Skip(err)
	}
	for _, tt := range []struct {
		name string
		row  checklist.Row
		want string // "" accepts
	}{
		{"there", checklist.Row{Record: "in/a.md", Date: "2026-11-22"}, ""},
		{"pinned", checklist.Row{Record: "in/a.md", Date: "2026-11-22", Digest: artefact.DigestBytes([]byte("a"))}, ""},
		{"changed", checklist.Row{Record: "in/a.md", Date: "2026-11-22", Digest: artefact.DigestBytes([]byte("b"))}, "changed"},
		{"tomorrow", checklist.Row{Record: "in/a.md", Date: "2026-11-23"}, "future"},
		{"absent", checklist.Row{Record: "in/b.md", Date: "2026-11-22"}, "no such file"},
		{"folder", checklist.Row{Record: "in", Date: "2026-11-22"}, "no regular file"},
		{"link that leads out", checklist.Row{Record: "link.md", Date: "2026-11-22"}, `record "link.md"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.row.Line = 7
			err := checklist.CheckFiles(t.Context(), []checklist.Row{tt.row}, "f.csv", target, today)
			if (err == nil) != (tt.want == "") || err != nil && (!strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "line 7")) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func FuzzParseFilled(f *testing.F) {
	all := known(f)
	f.Add([]byte(header + "AIA-9.1,records/plan.md,Ann,,2026-01-02,2027-01-02,\n"))
	f.Add([]byte("\ufeffid,record\n"))
	f.Add([]byte(header + "AIA-9.1,..\\a,o,,2026-01-01,,sha256:00\n\"\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		rows, err := checklist.ParseFilled(b, "f.csv", all)
		if err != nil {
			return
		}
		for _, r := range rows {
			if !filepath.IsLocal(r.Record) || r.Owner == "" || r.Date.Time().IsZero() {
				t.Errorf("accepted %+v", r)
			}
		}
	})
}
