package hdf5_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assize/assize/internal/scan"
	"github.com/assize/assize/internal/scan/hdf5"
	"github.com/assize/assize/internal/scan/scantest"
)

// file collects what a file holds.
type file struct {
	datasets []string
	texts    map[string][]string // object and attribute: its strings
}

func (*file) Name() string { return "hdf5" }

func (*file) Sniff(_ []byte, in *scan.Input) scan.Confidence {
	if hdf5.Base(in) == 0 {
		return scan.Sure
	}
	return scan.No
}

func (f *file) Scan(ctx context.Context, in *scan.Input, out *scan.Sink) error {
	f.texts = map[string][]string{}
	return hdf5.Read(ctx, in, out, hdf5.Visitor{
		Dataset: func(path string) { f.datasets = append(f.datasets, path) },
		Text: func(path, name string, value []byte, _ int64) error {
			f.texts[path+" "+name] = append(f.texts[path+" "+name], string(value))
			return nil
		},
	})
}

func read(t *testing.T, name string) *file {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("../keras/testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	f := &file{}
	if got := scantest.File(scantest.Scan(t, &scan.Scanner{Formats: []scan.Format{f}}, b)); got.Outcome != scan.Clean || got.Coverage.Unread > 0 {
		t.Errorf("%s: %+v", name, got)
	}
	slices.Sort(f.datasets)
	return f
}

// TestRead finds the objects and strings that bench/scanner/hdf5_cases.py wrote.
func TestRead(t *testing.T) {
	groups := read(t, "ok-groups.h5")
	var names []string
	for i := range 50 {
		names = append(names, fmt.Sprintf("name %d", i))
	}
	want := map[string][]string{"/ text": {"os.system and eval are words"}, "/ fixed": {"one", "three"}, "/ list": names}
	if diff := cmp.Diff(groups.texts, want); diff != "" {
		t.Errorf("strings of attributes (-got +want):\n%s", diff)
	}
	if diff := cmp.Diff(groups.datasets, []string{"/a/g001/x"}); diff != "" {
		t.Errorf("datasets (-got +want):\n%s", diff)
	}

	latest := read(t, "ok-latest.h5") // attributes in a heap
	want = map[string][]string{}
	for i := range 60 {
		want[fmt.Sprintf("/ attribute %03d", i)] = []string{strings.Repeat("v", i%50)}
	}
	for key, v := range want { // a text of no letters points nowhere
		if v[0] == "" {
			delete(want, key)
		}
	}
	for key, v := range latest.texts {
		if v[0] == "" {
			delete(latest.texts, key)
		}
	}
	if diff := cmp.Diff(latest.texts, want); diff != "" {
		t.Errorf("strings of attributes in a heap (-got +want):\n%s", diff)
	}
	if diff := cmp.Diff(latest.datasets, []string{"/chunk", "/one", "/x"}); diff != "" {
		t.Errorf("datasets (-got +want):\n%s", diff)
	}

	if diff := cmp.Diff(read(t, "ok-order.h5").datasets, []string{"/layer_0000/x"}); diff != "" {
		t.Errorf("datasets of groups in a heap (-got +want):\n%s", diff)
	}
	if got := read(t, "ok-chunks.h5"); len(got.datasets) != 5 || !slices.Equal(got.texts["/words "], []string{"a", "bc", "def"}) {
		t.Errorf("datasets %q, texts %q", got.datasets, got.texts)
	}
}
