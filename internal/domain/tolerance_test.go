package domain_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/assize/assize/internal/domain"
)

// The float32 nearest to a bound is inside and its neighbour outside.
func TestBoundsInFloat32(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 14))
	for range 1000 {
		lo := r.NormFloat64() * math.Exp(5*r.NormFloat64())
		hi := lo + math.Abs(lo)*r.Float64() + 0.01
		d, err := domain.New([]domain.Feature{{Name: "a", Type: domain.Real, Min: lo, Max: hi, Mutable: domain.Yes}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		inf := float32(math.Inf(1))
		for _, c := range []struct {
			v    float32
			want bool
		}{
			{float32(lo), true}, {float32(hi), true},
			{math.Nextafter32(float32(lo), -inf), false}, {math.Nextafter32(float32(hi), inf), false},
		} {
			x := []float32{c.v}
			if got := d.Feasible(x, nil); got != c.want || got != (d.Violation(x, nil) == 0) {
				t.Fatalf("%v in %v..%v: got %v, violation %v", c.v, lo, hi, got, d.Violation(x, nil))
			}
		}
	}
}

// An equation between reals holds for the float32 values nearest to values
// that meet it, and fails a few steps away.
func TestRelationsInFloat32(t *testing.T) {
	d, err := domain.New([]domain.Feature{
		{Name: "net", Type: domain.Real, Max: 1e6, Mutable: domain.Yes},
		{Name: "gross", Type: domain.Real, Max: 2e6, Mutable: domain.Yes},
		{Name: "n", Type: domain.Integer, Max: 1000, Mutable: domain.Yes},
		{Name: "m", Type: domain.Integer, Max: 1000, Mutable: domain.Yes},
	}, []string{"x.gross == 1.19 * x.net", "x.n * 0.07 <= x.m or x.m > x.n"})
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(15, 16))
	for range 10000 {
		net := r.Float64() * 1e6
		gross := float32(1.19 * net)
		if x := []float32{float32(net), gross, 100, 7}; !d.Feasible(x, nil) {
			t.Fatalf("%v is not feasible: %v", x, d.Check(x, nil))
		}
		if x := []float32{float32(net), gross * (1 + 0x1p-20), 100, 7}; d.Feasible(x, nil) {
			t.Fatalf("%v is feasible", x)
		}
	}
	if x := []float32{100, 119, 101, 7}; d.Feasible(x, nil) {
		t.Errorf("%v is feasible", x)
	}
}

// A strict comparison of whole numbers asks for a whole step, one of reals
// for a millionth of its width; a quotient by zero holds in no direction.
func TestStrictAndUndefined(t *testing.T) {
	fs := []domain.Feature{
		{Name: "n", Type: domain.Integer, Max: 10, Mutable: domain.Yes},
		{Name: "u", Type: domain.Real, Max: 10, Mutable: domain.Yes},
	}
	for _, c := range []struct {
		relation string
		n, u     float32
		amount   float64
	}{
		{"x.n > 3", 4, 0, 0},
		{"x.n > 3", 3, 0, 1},
		{"x.n != 3", 3, 0, 1},
		{"not x.n >= 3", 2, 0, 0},
		{"x.u > 3", 0, 3, 1e-5},
		{"x.u > 3", 0, 3.0001, 0},
		{"x.u != 3", 0, 3, 1e-5},
		{"x.u / x.n <= 1", 0, 1, math.Inf(1)},
		{"not x.u / x.n <= 1", 0, 1, math.Inf(1)},
		{"min(x.u / x.n, 0) <= 1", 0, 1, math.Inf(1)},
		{"x.n == 0 or x.u / x.n <= 1", 0, 1, 0},
		{"x.n > 0 implies x.u / x.n <= 1", 0, 1, 0},
		{"x.n > 0 implies x.u / x.n <= 1", 2, 4, 1},
	} {
		d, err := domain.New(fs, []string{c.relation})
		if err != nil {
			t.Fatal(err)
		}
		got := 0.0
		for _, v := range d.Check([]float32{c.n, c.u}, nil) {
			got += v.Amount
			if !strings.Contains(v.String(), c.relation) {
				t.Errorf("%s does not name the relation", v)
			}
		}
		if math.IsInf(c.amount, 1) != math.IsInf(got, 1) || math.Abs(got-c.amount) > 1e-9 {
			t.Errorf("%s at %v, %v: got %v, want %v", c.relation, c.n, c.u, got, c.amount)
		}
	}
}

// Without an original only what concerns x alone counts.
func TestWithoutOriginal(t *testing.T) {
	d := loan(t, credit...)
	x := []float32{5000, 2000, 2200, 0, 0, 1, 0, 0}
	if got := d.Check(x, nil); len(got) != 0 {
		t.Errorf("got %v, want nothing", got)
	}
	orig := []float32{1000, 2001, 500, 1, 1, 0, 1, 0}
	got := d.Check(x, orig)
	if len(got) != 3 { // limit changed, months down, amount beyond 15 %
		t.Errorf("got %v, want 3 violations", got)
	}
	if n := testing.AllocsPerRun(100, func() { d.Feasible(x, orig); d.Feasible(x, nil) }); n != 0 {
		t.Errorf("Feasible allocates %v times", n)
	}
	grad := make([]float64, d.Len())
	if n := testing.AllocsPerRun(100, func() { d.Gradient(x, orig, grad); d.Violation(x, orig) }); n != 0 {
		t.Errorf("Gradient allocates %v times", n)
	}
}
