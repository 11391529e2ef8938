package domain_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/assize/assize/internal/domain"
)

// At random points of random domains the gradient agrees with central
// differences, except at kinks, where the differences to both sides disagree.
func TestGradientAgainstDifferences(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	checked, kinks, broken := 0, 0, 0
	for range 3000 {
		d := randomDomain(t, r, 2+r.IntN(3), true, r.IntN(4))
		orig, x := randomRow(d, r, false), randomRow(d, r, true)
		for i := range x { // so that steps of 2^-12 are exact
			x[i] = float32(math.Round(float64(x[i])*4096)/4096) + 0x1p-13
		}
		grad := make([]float64, d.Len())
		at := d.Gradient(x, orig, grad)
		if want := d.Violation(x, orig); at != want {
			t.Fatalf("gradient's value: got %v, want %v", at, want)
		}
		if math.IsInf(at, 0) || at > 100 {
			continue
		}
		for i := range x {
			const h = 0x1p-14
			y := slices.Clone(x)
			y[i] += h
			up := (d.Violation(y, orig) - at) / h
			y[i] -= 2 * h
			down := (at - d.Violation(y, orig)) / h
			checked++
			if math.Abs(up-down) > 0.01*(1+math.Abs(up)) || math.IsNaN(up-down) {
				kinks++
				continue
			}
			if got, want := grad[i], (up+down)/2; math.Abs(got-want) > 0.01*(1+math.Abs(want)) {
				broken++
				t.Logf("relations %q at %v from %v: derivative %d got %v, want %v", d.Relations(), x, orig, i, got, want)
			}
		}
	}
	if broken > 0 || kinks > checked/20 {
		t.Errorf("of %d derivatives %d are wrong; %d lie at kinks", checked, broken, kinks)
	}
}

// By hand: x*y <= 1 over 0..2 and 0..4 at (2, 3) misses by 5; its scale is
// 3*2 + 2*4 = 14, whose derivative is (4, 2).
func TestGradientOfProduct(t *testing.T) {
	d, err := domain.New([]domain.Feature{
		{Name: "x", Type: domain.Real, Max: 2, Mutable: domain.Yes},
		{Name: "y", Type: domain.Real, Max: 4, Mutable: domain.Yes},
	}, []string{"x.x * x.y <= 1"})
	if err != nil {
		t.Fatal(err)
	}
	grad := make([]float64, 2)
	if got, want := d.Gradient([]float32{2, 3}, nil, grad), 5.0/14; math.Abs(got-want) > 1e-12 {
		t.Errorf("violation: got %v, want %v", got, want)
	}
	for i, want := range []float64{3.0/14 - 5.0*4/196, 2.0/14 - 5.0*2/196} {
		if math.Abs(grad[i]-want) > 1e-12 {
			t.Errorf("derivative %d: got %v, want %v", i, grad[i], want)
		}
	}
}

// The sum of the shares that Check lists is the violation, which is zero
// exactly on feasible rows, and one small step against the gradient lowers it.
func TestViolationIsSumOfShares(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for k := range 2000 {
		d := randomDomain(t, r, 2+r.IntN(3), true, r.IntN(4))
		orig, x := randomRow(d, r, false), randomRow(d, r, k%2 == 0)
		sum := 0.0
		for _, v := range d.Check(x, orig) {
			sum += v.Share
			if v.String() == "" || !(v.Share > 0) {
				t.Errorf("empty violation %+v", v)
			}
		}
		got := d.Violation(x, orig)
		if math.Abs(got-sum) > 1e-9*sum || (got == 0) != d.Feasible(x, orig) {
			t.Errorf("relations %q at %v: violation %v, sum %v, feasible %v", d.Relations(), x, got, sum, d.Feasible(x, orig))
		}
	}
}
