package stat_test

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assize/assize/internal/stat"
)

func TestQuantilesAgainstSciPy(t *testing.T) {
	q := readReference(t).Quantiles
	for _, c := range q.Cases {
		near(t, "quantile", stat.Quantile(q.Values, c.P), c.Quantile, 1e-14)
		got, err := stat.QuantileInterval(q.Values, c.P, c.Confidence)
		if err != nil {
			t.Fatal(err)
		}
		want := stat.Interval{Lower: math.Inf(-1), Upper: math.Inf(1)}
		if c.Interval[0] != nil {
			want.Lower = *c.Interval[0]
		}
		if c.Interval[1] != nil {
			want.Upper = *c.Interval[1]
		}
		if got != want {
			t.Errorf("p %v at %v: got %v, want %v", c.P, c.Confidence, got, want)
		}
	}
}

// TestMedianRanks holds the usual table of order statistics for the median.
func TestMedianRanks(t *testing.T) {
	for _, want := range [][3]int{{5, 0, 6}, {6, 1, 6}, {8, 1, 8}, {9, 2, 8}, {10, 2, 9}, {15, 4, 12}, {20, 6, 15}, {25, 8, 18}, {50, 18, 33}, {100, 40, 61}} {
		lower, upper, err := stat.OrderRanks(want[0], 0.5, 0.95)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([3]int{want[0], lower, upper}, want); diff != "" {
			t.Errorf("n, lower, upper: got - want +\n%s", diff)
		}
	}
}

func TestQuantileEdges(t *testing.T) {
	near(t, "even", stat.Median([]float64{4, 1, 3, 2}), 2.5, 0)
	near(t, "odd", stat.Median([]float64{9, 1, 3}), 3, 0)
	near(t, "least", stat.Quantile([]float64{9, 1, 3}, 0), 1, 0)
	near(t, "largest", stat.Quantile([]float64{9, 1, 3}, 1), 9, 0)
	near(t, "infinities", stat.Quantile([]float64{1, math.Inf(1), math.Inf(1)}, 0.75), math.Inf(1), 0)
	for _, got := range []float64{stat.Median(nil), stat.Quantile([]float64{1}, 1.5), stat.Quantile([]float64{1}, math.NaN())} {
		if !math.IsNaN(got) {
			t.Errorf("got %v, want NaN", got)
		}
	}
	if _, err := stat.QuantileInterval([]float64{1, math.NaN()}, 0.5, 0.9); err == nil {
		t.Error("NaN: want an error")
	}
	if _, err := stat.QuantileInterval(nil, 0.5, 0.9); err == nil {
		t.Error("no values: want an error")
	}
	if _, err := stat.QuantileInterval([]float64{1}, 1, 0.9); err == nil {
		t.Error("p 1: want an error")
	}
}
