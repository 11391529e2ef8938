package dataset_test

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assize/assize/internal/dataset"
	"github.com/assize/assize/internal/domain"
)

// TestWriteNPZ reads back what was written, to the last bit.
func TestWriteNPZ(t *testing.T) {
	x := []float32{0, -1.5, math.MaxFloat32, math.SmallestNonzeroFloat32, 0.1, 7, 8, 9}
	var b bytes.Buffer
	err := dataset.WriteNPZ(&b, []dataset.Array{
		{Name: "x", Shape: []int{2, 1, 2, 2}, Values: x},
		{Name: "y", Shape: []int{2}, Values: []int64{1, 0}},
		{Name: "d", Shape: []int{2}, Values: []float64{0.1, math.Pi}},
		{Name: "who", Shape: []int{2}, Values: []string{"é", "square"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "a.npz")
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := dataset.ReadAll(t.Context(), dataset.Spec{Path: path, Input: "x", Label: "y"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(got, &dataset.Table{Width: 4, Shape: []int{1, 2, 2}, X: x, Y: []int{1, 0}, YValue: []float64{1, 0}, Index: []int{0, 1}}); diff != "" {
		t.Errorf("read back (-got +want):\n%s", diff)
	}
	got, err = dataset.ReadAll(t.Context(), dataset.Spec{Path: path, Input: "x", Label: "d"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(got.YValue, []float64{0.1, math.Pi}); diff != "" {
		t.Errorf("doubles (-got +want):\n%s", diff)
	}
	// What numpy.save writes of np.array(["é", "square"]) ends in these bytes, UTF-32 with zeros behind.
	if _, err := dataset.ReadAll(t.Context(), dataset.Spec{Path: path, Input: "who"}); err == nil {
		t.Error("an array of text was read as numbers")
	}
	for _, a := range []dataset.Array{{Name: "x", Shape: []int{3}, Values: x}, {Name: "x", Shape: []int{1}, Values: []bool{true}}} {
		if err := dataset.WriteNPZ(&b, []dataset.Array{a}); err == nil {
			t.Errorf("%v was written", a)
		}
	}
}

// TestWriteCSV reads back what was written, to the last bit.
func TestWriteCSV(t *testing.T) {
	x := []float32{0.1, 1e-30, 16777216, -3}
	var b bytes.Buffer
	if err := dataset.WriteCSV(&b, []string{"a, or b", "c"}, "paid", x, []string{"yes", "no"}); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "a.csv")
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	spec := dataset.Spec{Path: path, Label: "paid", Classes: []string{"no", "yes"}, Features: []domain.Feature{{Name: "a, or b", Type: domain.Real}, {Name: "c", Type: domain.Real}}}
	got, err := dataset.ReadAll(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]any{got.X, got.Y}, []any{x, []int{1, 0}}); diff != "" {
		t.Errorf("read back (-got +want):\n%s", diff)
	}
}
