package exact_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/assize/assize/internal/tree"
	"github.com/assize/assize/internal/tree/exact"
)

// padded is an ensemble with so many trees more that no two leaves are compared
// ahead of a question. They split, but what they add up to is the same everywhere.
func padded(r *rand.Rand, e *tree.Ensemble) *tree.Ensemble {
	p := *e
	p.Trees = append([]tree.Tree(nil), e.Trees...)
	for k := range 6000 {
		v := 0.5 - float64(k%2)
		p.Trees = append(p.Trees, tree.Tree{Weight: 1, Values: []float64{v}, Nodes: []tree.Node{
			{Feature: int32(r.IntN(e.Features)), Left: 1, Right: 2, Threshold: 4*r.Float64() - 2}, {Feature: -1}, {Feature: -1}}})
	}
	return &p
}

// TestManyTreesAgainstBruteForce searches ensembles of thousands of trees, of
// which few matter, with and without a budget: what is said must hold.
func TestManyTreesAgainstBruteForce(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 22))
	ended, found, near, n := 0, 0, 0, 0
	for k := range 45 {
		s := draw(r)
		for s.e.Average {
			s = draw(r)
		}
		g, err := exact.New(padded(r, s.e), s.space)
		if err != nil {
			t.Fatalf("scene %d: %v", k, err)
		}
		aim, reached, kind := s.aims(r)
		norm, boxes := exact.Norm(r.IntN(3)), []int{300, 3000, 30_000}[k%3]
		want := s.brute(norm, reached)
		got, err := g.Search(t.Context(), s.x, aim, exact.Options{Norm: norm, Boxes: boxes})
		if err != nil {
			t.Fatalf("scene %d: %v", k, err)
		}
		if got.Lower > want+1e-6 || got.Upper < want-1e-6 || got.Lower > got.Upper || got.Exact && math.Abs(got.Lower-want) > 1e-6 {
			t.Errorf("scene %d %s norm %d, %d boxes: %+v does not hold %v", k, kind, norm, boxes, got, want)
		}
		if w := got.Witness; w != nil && (!s.possible(w) || !reached(outputs(s.e, w))) {
			t.Errorf("scene %d %s: witness %v of %v is not feasible or misses the aim", k, kind, w, s.x)
		}
		if got.Exact {
			ended++
		}
		if !math.IsInf(want, 1) {
			n++
			if got.Witness != nil {
				found++
			}
			if got.Upper < want*1.05+1e-6 {
				near++
			}
		}
	}
	if found*10 < n*9 || near*10 < n*7 {
		t.Errorf("of %d aims that can be reached %d were, %d within a twentieth of the distance", n, found, near)
	}
	t.Logf("%d of 45 searches ended; of %d aims that can be reached %d were, %d within a twentieth of the distance", ended, n, found, near)
}
