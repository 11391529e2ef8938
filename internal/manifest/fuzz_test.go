package manifest_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/assize/assize/internal/manifest"
)

// FuzzParse holds that Parse never panics, that what is wrong is always an
// Error of plain lines, and that a manifest written as JSON is one again.
func FuzzParse(f *testing.F) {
	f.Add([]byte(base))
	f.Add([]byte(withCSV))
	for _, c := range badFiles {
		if len(c.src) < 1000 {
			f.Add([]byte(c.src))
		}
	}
	for _, c := range badEdits {
		s := base
		for i := 0; i < len(c.pairs); i += 2 {
			s = strings.Replace(s, c.pairs[i], c.pairs[i+1], 1)
		}
		f.Add([]byte(s))
	}
	for _, name := range []string{"credit", "digits"} {
		if src, err := os.ReadFile(filepath.Join("..", "..", "examples", name, manifest.FileName)); err == nil {
			f.Add(src)
		}
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		m, err := manifest.Parse(src, "assize.yaml")
		if err != nil {
			var e *manifest.Error
			if !errors.As(err, &e) || len(e.Problems) == 0 {
				t.Fatalf("error %v, want *manifest.Error", err)
			}
			for _, p := range e.Problems {
				if p.Text == "" || strings.ContainsAny(p.Text+p.Hint, "\n\r\x00\x1b") {
					t.Errorf("not one plain line: %q, %q", p.Text, p.Hint)
				}
			}
			return
		}
		b, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if len(b) < 1<<20 {
			again, err := manifest.Parse(b, "assize.json")
			if err != nil {
				t.Fatalf("%v\nin %s", err, b)
			}
			if c, err := json.Marshal(again); err != nil || string(b) != string(c) {
				t.Errorf("JSON changed from %s to %s (%v)", b, c, err)
			}
		}
		if m.Domain != nil && m.Domain.Features.Path == "" && len(src) < 10_000 {
			total := 0
			for _, feature := range m.Domain.Features.List {
				total += max(1, feature.Count)
			}
			if total > 1000 {
				return
			}
			var e *manifest.Error
			if _, err := m.BuildDomain(); err != nil && !errors.As(err, &e) {
				t.Errorf("error %v, want *manifest.Error", err)
			}
		}
	})
}

// FuzzFeatures holds that a CSV file of features becomes a domain or an Error
// of plain lines, whatever it holds.
func FuzzFeatures(f *testing.F) {
	f.Add([]byte(features))
	f.Add([]byte("\ufeffname,type,min,max\r\n\"a, b\",real,-1e3,+.5\r\n"))
	f.Add([]byte("name,type,min,max,group\na,binary,0,1,g\nb,binary,,,g\n"))
	f.Add([]byte("name;type;min;max\n"))
	f.Add([]byte("name,type,min,max\n\"a\nb,real,0,1\n"))
	f.Add([]byte("max,min,type,name\n1,0,real,\"\x1b\"\n1,0,real,\n"))
	m, err := manifest.Parse([]byte(withCSV), "assize.yaml")
	if err != nil {
		f.Fatal(err)
	}
	m.Dir = f.TempDir()
	f.Fuzz(func(t *testing.T, src []byte) {
		if err := os.WriteFile(filepath.Join(m.Dir, "features.csv"), src, 0o600); err != nil {
			t.Fatal(err)
		}
		d, err := m.BuildDomain()
		var e *manifest.Error
		switch {
		case err == nil && d.Len() == 0:
			t.Error("a domain without features")
		case err != nil && !errors.As(err, &e):
			t.Errorf("error %v, want *manifest.Error", err)
		case err != nil && strings.ContainsAny(e.Problems[0].Text+e.Problems[0].Hint, "\n\r\x00\x1b"):
			t.Errorf("not one plain line: %+v", e.Problems)
		}
	})
}
