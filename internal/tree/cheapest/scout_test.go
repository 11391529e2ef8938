package cheapest_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/assize/assize/internal/tree"
	"github.com/assize/assize/internal/tree/cheapest"
	"github.com/assize/assize/internal/tree/exact"
)

// swollen is an ensemble with hundreds of thousands of nodes more, which split
// but add up to the same everywhere.
func swollen(r *rand.Rand, e *tree.Ensemble) *tree.Ensemble {
	s := *e
	s.Trees = append([]tree.Tree(nil), e.Trees...)
	for k := range 800 {
		t := tree.Tree{Weight: 1, Values: []float64{0.5 - float64(k%2)}}
		for i := range 127 {
			t.Nodes = append(t.Nodes, tree.Node{Feature: int32(r.IntN(e.Features)), Left: int32(2*i + 1), Right: int32(2*i + 2), Threshold: float64(r.IntN(11)) / 2})
		}
		for range 128 {
			t.Nodes = append(t.Nodes, tree.Node{Feature: -1})
		}
		s.Trees = append(s.Trees, t)
	}
	return &s
}

// Where the budget allows to look at a handful of boxes of a large ensemble,
// what is said of the cheapest change holds, and some change is found nearly
// always where there is one.
func TestLargeAgainstEveryRow(t *testing.T) {
	can, found, bounded := 0, 0, 0
	for seed := range uint64(4) {
		r := rand.New(rand.NewPCG(seed, 22))
		d := small(t, r)
		m := cheapest.Model{Trees: grown(r, d.Len(), 1+r.IntN(12), 1)}
		price := make([]float64, d.Len())
		for i := range price {
			price[i] = float64(1+r.IntN(3)) * 0.75
		}
		orig := make([]float32, d.Len())
		for i := range 4 {
			orig[i] = float32(r.IntN(int(d.Features()[i].Max) + 1))
		}
		orig[4+r.IntN(3)] = 1
		aim := exact.Over(sums(m, orig)[0]+r.Float64(), false)
		large := cheapest.Model{Trees: swollen(r, m.Trees)}
		g, err := cheapest.New(large, d, price)
		if err != nil {
			t.Fatal(err)
		}
		cost := math.Inf(1)
		each(d, func(x []float32) {
			if d.Feasible(x, orig) && least(m, aim, x) >= 0 {
				cost = min(cost, g.Cost(x, orig))
			}
		})
		got, err := g.Search(t.Context(), orig, aim, cheapest.Options{Work: 1 << 20})
		if err != nil {
			t.Fatal(err)
		}
		if got.Lower > cost || got.Upper < cost*(1-1e-6) || got.Exact && math.Abs(got.Upper-cost) > 1e-3*cost {
			t.Errorf("seed %d: cost %v to %v, exact %v, want %v", seed, got.Lower, got.Upper, got.Exact, cost)
		}
		if got.X != nil && (!d.Feasible(got.X, orig) || least(m, aim, got.X) < 0) {
			t.Errorf("seed %d: %v is no change that gains", seed, got.X)
		}
		if math.IsInf(cost, 1) || cost == 0 {
			continue
		}
		can++
		if got.X != nil {
			found++
		}
		if got.Lower > 0 {
			bounded++
		}
	}
	if can < 2 || found*10 < can*8 {
		t.Errorf("%d of %d rows that can gain were found to", found, can)
	}
	t.Logf("%d of %d rows that can gain were found to; a price above 0 was proved for %d", found, can, bounded)
}
