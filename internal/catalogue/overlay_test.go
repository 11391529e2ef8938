package catalogue_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/assize/assize/internal/catalogue"
)

// folder writes files into a new folder.
func folder(t *testing.T, of map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range of {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// sector is a sector's standard on top of a horizontal one, read in full.
var sector = map[string]string{
	"standards.csv": "id,designation,title,sdo,type,level,reach,builds_on,source,confidence\n" +
		"bank-sec-1,BANK-SEC 1,Tests of scoring models,Bank association,TS,system,sector,etsi-en-304-223,the association,stored\n",
	"history.csv": "standard,kind,date,stage,reference,as_stated,source,confidence\n" +
		"bank-sec-1,snapshot,2026-11-22,published,BANK-SEC 1:2026,published,the association,stored\n",
	"coverage.csv": "standard,by,subject,mark,kind,basis,judge,date,source,confidence\n" +
		"bank-sec-1,requirement,cybersecurity,x,method,full text,assize-text,2026-11-22,read,stored\n",
}

func TestSectorStandardsBuildOnHorizontalOnes(t *testing.T) {
	tables, err := catalogue.Open(catalogue.Options{Dir: folder(t, sector)})
	if err != nil {
		t.Fatal(err)
	}
	if faults := must(tables.Lint(nil))(t); len(faults) > 0 {
		t.Error(faults)
	}
	if s := must(tables.Standard("bank sec 1"))(t); len(s.BuildsOn) != 1 || s.BuildsOn[0] != "etsi-en-304-223" {
		t.Errorf("got %+v", s)
	}
	lacks := func(tables *catalogue.Tables) bool {
		for _, l := range must(tables.Lacks(catalogue.Query{}))(t) {
			if l.Subject.ID == "cybersecurity" {
				return true
			}
		}
		return false
	}
	if !lacks(open(t)) || lacks(tables) {
		t.Error("a method that was read in full does not close the gap")
	}
	if must(open(t).Digest())(t) == must(tables.Digest())(t) {
		t.Error("the digest does not cover the folder")
	}
}

func TestFoldersThatClash(t *testing.T) {
	for _, tt := range []struct {
		name string
		of   map[string]string
		want []string
	}{
		{"same id", map[string]string{"standards.csv": "id,designation\nx,X\niso-9001,X\n"}, []string{"standards.csv:3", `"iso-9001" stands already at standards.csv:`}},
		{"same id in YAML", map[string]string{"goals.yaml": "- id: new\n- id: evasion\n"}, []string{"goals.yaml:2", `"evasion" stands already at goals.yaml:10`}},
		{"unknown column", map[string]string{"standards.csv": "id,editor\n"}, []string{"standards.csv:1", "editor", "hint: the columns are id, designation"}},
		{"unknown field", map[string]string{"goals.yaml": "- id: new\n  owner: me\n"}, []string{"goals.yaml", "owner"}},
		{"short row", map[string]string{"standards.csv": "id,designation\nx\n"}, []string{"standards.csv", "line 2"}},
		{"no list", map[string]string{"goals.yaml": "id: new\n"}, []string{"goals.yaml", "want a list"}},
		{"unknown file", map[string]string{"norms.csv": "id\n"}, []string{"norms.csv", "no table's file"}},
		{"nothing", map[string]string{"readme.txt": "id\n"}, []string{"holds no table"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tables, err := catalogue.Open(catalogue.Options{Dir: folder(t, tt.of)})
			if err == nil {
				_, err = tables.Lint(nil)
			}
			if err == nil {
				t.Fatal("nothing refused")
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got %q, want it to hold %q", err, want)
				}
			}
		})
	}
	if _, err := catalogue.Open(catalogue.Options{Dir: filepath.Join(t.TempDir(), "absent")}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func TestAFolderWithADanglingReferenceIsFaulted(t *testing.T) {
	dir := folder(t, map[string]string{"coverage.csv": "standard,by,subject,mark,kind,basis,judge,date,source,confidence\nnone,requirement,accuracy,x,method,title,assize-title,2026-11-22,me,stored\n"})
	tables, err := catalogue.Open(catalogue.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	got := must(tables.Lint(nil))(t)
	want := filepath.Join(dir, "coverage.csv") + `:2: standard: "none" is not in standards.csv`
	if len(got) != 1 || got[0] != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestHostileYAMLIsRefusedAtOnce holds what the parser would need minutes for.
func TestHostileYAMLIsRefusedAtOnce(t *testing.T) {
	for name, tt := range map[string]struct{ text, want string }{
		"deep brackets":    {strings.Repeat("[", 40_000), "levels deep"},
		"deep dashes":      {strings.Repeat("- ", 40_000), "levels deep"},
		"deep indentation": {"a:\n b:\n  c:\n   d:\n    e:\n     f:\n      g:\n       h:\n        i: 1\n", "levels deep"},
		"many brackets":    {strings.Repeat("[", 60_000), "50000 values"},
		"many fields":      {strings.Repeat("- id: x\n", 6_000), "5000 fields"},
		"aliases":          {"- &a {id: x}\n- *a\n", "anchors, aliases"},
		"tags":             {"- !!binary x\n", "tags"},
		"no text":          {"- id: \xff\n", "UTF-8"},
		"large":            {"- id: " + strings.Repeat("a", 300_000), "262144 bytes"},
	} {
		if err := catalogue.ReadTable("goals.yaml", []byte(tt.text)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want it to hold %q", name, err, tt.want)
		}
	}
}

// FuzzTable reads whatever stands in a table: one clear error or rows.
func FuzzTable(f *testing.F) {
	for name, text := range sector {
		f.Add(name, []byte(text))
	}
	f.Add("goals.yaml", []byte("- id: new\n  title: t\n  text: t\n  threats: [evasion]\n"))
	f.Add("schemes.yaml", []byte("- {id: x, history: [{date: 2020}]}\n"))
	f.Add("tables.yaml", []byte("- {name: x, rows: 1}\n"))
	f.Add("criteria.yaml", []byte("- {id: x, level: {quick: 0.1}}\n"))
	f.Fuzz(func(t *testing.T, name string, b []byte) {
		if err := catalogue.ReadTable(name, b); err != nil {
			first, rest, _ := strings.Cut(err.Error(), "\n")
			if first == "" || rest != "" && !strings.HasPrefix(rest, "hint: ") {
				t.Errorf("got %q", err)
			}
		}
	})
}
