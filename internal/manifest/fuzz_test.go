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
