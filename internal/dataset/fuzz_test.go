package dataset_test

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/assize/assize/internal/dataset"
	"github.com/google/go-cmp/cmp"
)

// agree reads a data set in every way and checks that the ways agree.
func agree(t *testing.T, spec dataset.Spec) {
	ctx := context.Background()
	spec.Limits = dataset.Limits{MemoryBytes: 1 << 20, RecordBytes: 1 << 12}
	info, inspectErr := dataset.Inspect(ctx, spec)
	all, err := dataset.ReadAll(ctx, spec)
	if inspectErr != nil || err != nil {
		return
	}
	if all.Len() != info.Rows || all.Width != info.Width || len(all.X) != info.Rows*info.Width {
		t.Fatalf("ReadAll has %d rows of %d in %d values, Inspect %d of %d", all.Len(), all.Width, len(all.X), info.Rows, info.Width)
	}
	for i, v := range all.X {
		c := info.Columns[i%all.Width]
		if math.IsNaN(float64(v)) || v < float32(c.Min) || v > float32(c.Max) {
			t.Fatalf("value %d is %v, outside [%v, %v]", i, v, c.Min, c.Max)
		}
	}
	last := all.Len() - 1
	some, err := dataset.Select(ctx, spec, []int{last, 0})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(some.Row(0), all.Row(last)); diff != "" {
		t.Fatalf("last row, Select and ReadAll:\n%s", diff)
	}
	if diff := cmp.Diff(some.Row(1), all.Row(0)); diff != "" {
		t.Fatalf("first row, Select and ReadAll:\n%s", diff)
	}
}

func fuzzFile(f *testing.F, name string, seeds []string, spec dataset.Spec) {
	for _, path := range seeds {
		raw, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	path := filepath.Join(f.TempDir(), name)
	f.Fuzz(func(t *testing.T, raw []byte) {
		if err := os.WriteFile(path, raw, 0o600); err != nil {
			t.Fatal(err)
		}
		spec := spec
		spec.Path = path
		agree(t, spec)
		// An error is as good as an answer here; a panic is not.
		dataset.Outputs(context.Background(), dataset.OutputSpec{Path: path, Limits: dataset.Limits{MemoryBytes: 1 << 20}})
	})
}

func FuzzCSV(f *testing.F) {
	f.Add([]byte(loans))
	f.Add([]byte("a,b\n1,2\n3,4\n"))
	f.Add([]byte("a\n\"1\n\"\n 2\n"))
	f.Add([]byte("probability,label\n.5,1\n"))
	fuzzFile(f, "x.csv", nil, dataset.Spec{})
}

func FuzzNPY(f *testing.F) {
	seeds := []string{"testdata/version1.npy", "testdata/version3.npy", "testdata/fortran.npy", "testdata/vector.npy", "testdata/objects.npy"}
	fuzzFile(f, "x.npy", seeds, dataset.Spec{})
}

func FuzzNPZ(f *testing.F) {
	seeds := []string{"testdata/stored.npz", "testdata/deflated.npz", "testdata/bomb.npz", "testdata/twice.npz", "testdata/outputs.npz"}
	fuzzFile(f, "x.npz", seeds, dataset.Spec{Input: "x"})
}
