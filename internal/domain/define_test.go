package domain_test

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assize/assize/internal/domain"
)

// What relations define follows from the rest, and slopes are those of the whole:
// central differences of a function through Derive.
func TestDerive(t *testing.T) {
	var features []domain.Feature
	for _, name := range []string{"amount", "months", "rate", "total", "twice", "fixed", "both"} {
		f := domain.Feature{Name: name, Type: domain.Real, Min: -1e6, Max: 1e6, Mutable: domain.Yes}
		if name == "fixed" {
			f.Mutable = domain.No
		}
		features = append(features, f)
	}
	d, err := domain.New(features, []string{
		"x.rate == x.amount / x.months", "x.rate * x.months + 3 == x.total", "2 * x.total == x.twice + 0", "x.twice == 2 * x.total",
		"x.fixed == x.amount", "x.both == x.both * x.amount", "x.amount == 1 or x.months == 2", "x.total == 4 * x.amount",
	})
	if err != nil {
		t.Fatal(err)
	}
	x, orig := []float32{600, 12, 0, 0, 0, 5, 6}, make([]float32, 7)
	d.Derive(x, orig)
	if want := []float32{600, 12, 50, 603, 1206, 5, 6}; !cmp.Equal(x, want) {
		t.Errorf("got %v, want %v", x, want)
	}
	value := func(x []float32) float64 {
		y := append([]float32(nil), x...)
		d.Derive(y, orig)
		return float64(y[0]) + 3*float64(y[2])*float64(y[1]) - 2*float64(y[4]) + float64(y[3])/2
	}
	slopes := []float64{1, 3 * 50, 3 * 12, 0.5, -2, 0, 0}
	d.Chain(x, orig, slopes)
	for i, got := range slopes {
		up, down := append([]float32(nil), x...), append([]float32(nil), x...)
		up[i], down[i] = up[i]+0.5, down[i]-0.5
		if want := value(up) - value(down); math.Abs(got-want) > 0.01*(1+math.Abs(want)) {
			t.Errorf("%s: got %v, want %v", features[i].Name, got, want)
		}
	}
	x[1] = 0 // no rate can be told
	d.Derive(x, orig)
	if math.IsNaN(float64(x[2])) || math.IsInf(float64(x[2]), 0) {
		t.Errorf("got %v", x)
	}
}
