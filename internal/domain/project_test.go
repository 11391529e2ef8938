package domain_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/assize/assize/internal/domain"
)

// Without relations the projection is the nearest feasible row: no grid row
// is nearer, and where all features are whole numbers one is as near.
func TestProjectIsNearestWithoutRelations(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for k := range 2000 {
		reals := k%2 == 0
		d := randomDomain(t, r, 1+r.IntN(3), reals, 0)
		var orig []float32
		if r.IntN(4) > 0 {
			orig = randomRow(d, r, false)
		}
		x := randomRow(d, r, true)
		y := slices.Clone(x)
		if !d.Project(y, orig) || !d.Feasible(y, orig) {
			t.Fatalf("features %v: %v from %v gives %v: %v", d.Features(), x, orig, y, d.Check(y, orig))
		}
		got, want := distance(d, x, y), nearestOnGrid(d, x, orig)
		if got > want+1e-6 || !reals && math.Abs(got-want) > 1e-6 {
			t.Fatalf("features %v: %v from %v gives %v at %v, want %v", d.Features(), x, orig, y, got, want)
		}
		z := slices.Clone(y)
		if !d.Project(z, orig) || !slices.Equal(z, y) {
			t.Fatalf("projecting twice: got %v, want %v", z, y)
		}
	}
}

// With relations the projection must find a feasible row nearly always when
// the grid holds one, always when orig is one, and seldom far from the nearest.
func TestProjectMeetsRelations(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	var possible, found, near int
	for k := range 4000 {
		d := randomDomain(t, r, 2+r.IntN(2), k%2 == 0, 1+r.IntN(3))
		orig := randomRow(d, r, false)
		x := randomRow(d, r, true)
		y := slices.Clone(x)
		ok := d.Project(y, orig)
		if ok != d.Feasible(y, orig) {
			t.Fatalf("relations %q: %v gives %v, reported feasible %v: %v", d.Relations(), x, y, ok, d.Check(y, orig))
		}
		if !ok && d.Feasible(orig, orig) {
			t.Fatalf("relations %q: %v from feasible %v gives infeasible %v", d.Relations(), x, orig, y)
		}
		again := slices.Clone(y)
		if d.Project(again, orig); ok && !slices.Equal(again, y) {
			t.Fatalf("projecting twice: got %v, want %v", again, y)
		}
		best := nearestOnGrid(d, x, orig)
		if reason, empty := d.Empty(); empty && (ok || !math.IsInf(best, 1)) {
			t.Fatalf("relations %q: %s, but feasible rows exist", d.Relations(), reason)
		}
		if math.IsInf(best, 1) {
			continue
		}
		possible++
		if ok {
			found++
			if distance(d, x, y) <= 1.25*best+1e-6 {
				near++
			}
		} else {
			t.Logf("features %v relations %q: %v from %v ends at %v", d.Features(), d.Relations(), x, orig, y)
		}
	}
	t.Logf("of %d domains with a feasible grid row: found one in %d, within 1.25 times the nearest in %d", possible, found, near)
	if found < possible*97/100 || near < possible*80/100 {
		t.Errorf("of %d: found %d, near %d", possible, found, near)
	}
}

func TestProjectBoundaries(t *testing.T) {
	nan := float32(math.NaN())
	inf := float32(math.Inf(1))
	plain, err := domain.New([]domain.Feature{
		{Name: "a", Type: domain.Real, Min: 0.1, Max: 0.7, Mutable: domain.Yes},
		{Name: "b", Type: domain.Real, Min: 0.1, Max: 0.7, Mutable: domain.Yes},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !plain.Plain() {
		t.Error("a box is not plain")
	}
	for _, d := range []*domain.Domain{plain, loan(t, credit...)} {
		x := make([]float32, d.Len())
		x[0], x[1] = nan, inf
		if d.Project(x, nil) {
			t.Error("NaN was projected to a feasible row")
		}
		if !math.IsInf(d.Violation(x, nil), 1) {
			t.Error("NaN has a finite violation")
		}
	}
	x := []float32{inf, -inf}
	if got, want := plain.Project(x, nil), []float32{float32(0.7), float32(0.1)}; !got || !slices.Equal(x, want) {
		t.Errorf("infinities: got %v %v, want %v", got, x, want)
	}

	zero := float32(math.Copysign(0, -1))
	for _, d := range []*domain.Domain{loan(t, credit...), loan(t)} {
		x := []float32{250, 2000, zero, zero, zero, zero, 1, zero}
		want := slices.Clone(x)
		if !d.Project(x, nil) {
			t.Errorf("negative zeros are refused: %v", d.Check(x, nil))
		}
		for i := range x {
			if math.Float32bits(x[i]) != math.Float32bits(want[i]) {
				t.Errorf("value %d of a feasible row: got %v, want %v", i, x[i], want[i])
			}
		}
		// An immutable value outside its range leaves nothing feasible.
		orig := []float32{250, 10001, 0, 0, 0, 0, 1, 0}
		x = slices.Clone(orig)
		x[0], x[1] = 251.6, 9000
		if d.Project(x, orig) || x[1] != 10001 {
			t.Errorf("got %v, want the original limit and false", x)
		}
	}
}

// By hand: the nearest point of a half-plane, in shares of the ranges. From
// (8, 0) to a <= b over 0..10 and 0..20: along (-10², 20²), scaled to gain 8.
func TestProjectOntoHalfPlane(t *testing.T) {
	d, err := domain.New([]domain.Feature{
		{Name: "a", Type: domain.Real, Max: 10, Mutable: domain.Yes},
		{Name: "b", Type: domain.Real, Max: 20, Mutable: domain.Yes},
	}, []string{"x.a <= x.b"})
	if err != nil {
		t.Fatal(err)
	}
	x := []float32{8, 0}
	if !d.Project(x, nil) || math.Abs(float64(x[0])-6.4) > 1e-5 || math.Abs(float64(x[1])-6.4) > 1e-5 {
		t.Errorf("got %v, want (6.4, 6.4)", x)
	}
}
