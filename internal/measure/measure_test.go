package measure_test

import (
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assize/assize/internal/measure"
)

func TestSampleIsNestedAndInOrder(t *testing.T) {
	seed := measure.Seed{7}
	large := measure.Sample(seed, 100, 60)
	small := measure.Sample(seed, 100, 20)
	if len(large) != 60 || len(small) != 20 || !slices.IsSorted(large) || !slices.IsSorted(small) {
		t.Fatalf("got %v and %v", large, small)
	}
	if len(slices.Compact(slices.Clone(large))) != 60 || large[0] < 0 || large[59] > 99 {
		t.Errorf("got %v, want 60 different rows of 100", large)
	}
	for _, row := range small {
		if !slices.Contains(large, row) {
			t.Errorf("row %d is in the smaller sample alone", row)
		}
	}
	all := measure.Sample(seed, 5, 9)
	if diff := cmp.Diff(all, []int{0, 1, 2, 3, 4}); diff != "" {
		t.Errorf("more than there are (-got +want):\n%s", diff)
	}
	if got := measure.Sample(seed, 0, 9); len(got) != 0 {
		t.Errorf("of nothing: got %v", got)
	}
	if slices.Equal(small, measure.Sample(measure.Seed{8}, 100, 20)) {
		t.Error("another seed draws the same rows")
	}
}

// TestSampleIsFair draws many samples of 3 of 10 rows. Each row is in 30 % of
// them; five standard errors of 4000 draws are 3.6 %.
func TestSampleIsFair(t *testing.T) {
	counts := make([]int, 10)
	const draws = 4000
	for i := range draws {
		for _, row := range measure.Sample(measure.Seed{byte(i), byte(i >> 8)}, 10, 3) {
			counts[row]++
		}
	}
	for row, n := range counts {
		if share := float64(n) / draws; math.Abs(share-0.3) > 0.036 {
			t.Errorf("row %d is in %.3f of the samples, want 0.3", row, share)
		}
	}
}

func TestSeedByRow(t *testing.T) {
	seed := measure.Seed{1, 2, 3}
	first := map[uint64]int{}
	for row := -1; row < 1000; row++ {
		v := seed.Row(row).Uint64()
		if v != seed.Row(row).Uint64() {
			t.Fatalf("row %d draws another number the second time", row)
		}
		if other, ok := first[v]; ok {
			t.Errorf("rows %d and %d draw the same number", other, row)
		}
		first[v] = row
	}
	if seed.Whole().Uint64() != seed.Row(-1).Uint64() {
		t.Error("the whole does not draw as row -1")
	}
	if (measure.Seed{1, 2, 4}).Row(0).Uint64() == seed.Row(0).Uint64() {
		t.Error("another seed draws the same number")
	}
}

func TestParams(t *testing.T) {
	p := measure.Params{"n": 3.7, "s": "linf", "i": 3}
	if p.Float("n") != 3.7 || p.Int("n") != 3 || p.Text("s") != "linf" {
		t.Errorf("got %v, %v, %q", p.Float("n"), p.Int("n"), p.Text("s"))
	}
	// Text and what JSON cannot hold are no numbers, and nothing is no text.
	if p.Float("s") != 0 || p.Float("i") != 0 || p.Float("none") != 0 || p.Text("n") != "" || p.Text("none") != "" {
		t.Error("a parameter of another type was read")
	}
	d := measure.Param{Quick: 1.0, Standard: 2.0, Thorough: 3.0}
	for depth, want := range map[string]any{"quick": 1.0, "standard": 2.0, "thorough": 3.0, "": 2.0} {
		if got := d.Default(depth); got != want {
			t.Errorf("%q: got %v, want %v", depth, got, want)
		}
	}
}

func TestDoneWithoutAListener(t *testing.T) {
	(&measure.Case{}).Done(0.5)
	got := -1.0
	(&measure.Case{Progress: func(s float64) { got = s }}).Done(0.5)
	if got != 0.5 {
		t.Errorf("got %v, want 0.5", got)
	}
}
