package cheapest_test

import (
	"math/rand/v2"
	"testing"

	"github.com/assize/assize/internal/domain"
	"github.com/assize/assize/internal/tree/cheapest"
	"github.com/assize/assize/internal/tree/exact"
)

// Over real features no sampled change undercuts what is proved, what is found
// is feasible and gains, and three rows in four are answered exactly.
func TestRealFeatures(t *testing.T) {
	texts := []string{"x.a + x.b <= 7.5", "abs(x.a - orig.a) + abs(x.c - orig.c) <= 2.5", "x.a > 3 implies x.b <= 1.25", "x.a * x.b >= 0.5 * orig.c", "x.c <= 1.1 * orig.c"}
	exactly, of := 0, 0
	for seed := range uint64(120) {
		r := rand.New(rand.NewPCG(seed, 11))
		var fs []domain.Feature
		for _, name := range []string{"a", "b", "c"} {
			fs = append(fs, domain.Feature{Name: name, Type: domain.Real, Max: 5, Mutable: domain.Yes})
		}
		var relations []string
		for range r.IntN(3) {
			relations = append(relations, texts[r.IntN(len(texts))])
		}
		d, err := domain.New(fs, relations)
		if err != nil {
			t.Fatal(err)
		}
		m := cheapest.Model{Trees: grown(r, 3, 6, 1)}
		if seed%2 == 0 {
			m = cheapest.Model{Linear: sloped(r, 3, 1)}
		}
		g, err := cheapest.New(m, d, []float64{1, 0.5, 2})
		if err != nil {
			t.Fatal(err)
		}
		orig := []float32{5 * r.Float32(), 5 * r.Float32(), 5 * r.Float32()}
		aim := exact.Over(1+2*r.NormFloat64(), false)
		got, err := g.Search(t.Context(), orig, aim, cheapest.Options{Work: 1 << 18})
		if err != nil {
			t.Fatal(err)
		}
		if of++; got.Exact {
			exactly++
		}
		if got.X != nil && (!d.Feasible(got.X, orig) || least(m, aim, got.X) < 0) {
			t.Errorf("seed %d: %v is no change that gains", seed, got.X)
		}
		for range 2000 {
			x := []float32{5 * r.Float32(), 5 * r.Float32(), 5 * r.Float32()}
			if near := r.Float32(); r.IntN(2) == 0 {
				for i := range x {
					x[i] = orig[i] + near*(x[i]-orig[i])
				}
			}
			if d.Feasible(x, orig) && least(m, aim, x) > 1e-6 && g.Cost(x, orig) < got.Lower*(1-1e-6) {
				t.Fatalf("seed %d, %q: %v costs %v, and nothing under %v is said to gain", seed, relations, x, g.Cost(x, orig), got.Lower)
			}
		}
	}
	if 4*exactly < 3*of {
		t.Errorf("%d of %d rows are answered exactly", exactly, of)
	}
}
