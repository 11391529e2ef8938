package cheapest_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/assize/assize/internal/domain"
	"github.com/assize/assize/internal/tree"
	"github.com/assize/assize/internal/tree/cheapest"
	"github.com/assize/assize/internal/tree/exact"
)

// relations are drawn from, over four whole numbers a to d and a group g, h, k.
var relations = []string{
	"x.a + x.b <= 6", "abs(x.a - orig.a) + abs(x.c - orig.c) <= 3", "x.a > 2 implies x.b == 0 or x.c >= 2",
	"x.a * x.b >= orig.c", "x.d <= orig.d + 1", "x.g == 1 implies x.a <= 2", "x.h == 1 implies x.d > orig.a",
	"max(x.a, x.b) != 3", "x.b * 2 < x.c + 5", "not (x.c == 1)", "x.k == 1 or x.a >= x.d - 2", "x.d / (x.a + 1) <= 2.5",
	"min(x.a, x.c) + x.b >= 1", "x.a == orig.a implies x.g == orig.g",
}

// small makes a domain of a few thousand rows.
func small(t testing.TB, r *rand.Rand) *domain.Domain {
	t.Helper()
	moves := []domain.Mutability{domain.Yes, domain.Yes, domain.Yes, domain.Up, domain.Down, domain.No}
	var fs []domain.Feature
	for _, name := range []string{"a", "b", "c", "d"} {
		fs = append(fs, domain.Feature{Name: name, Type: domain.Integer, Max: float64(3 + r.IntN(3)), Mutable: moves[r.IntN(len(moves))]})
	}
	for _, name := range []string{"g", "h", "k"} {
		fs = append(fs, domain.Feature{Name: name, Type: domain.Binary, Max: 1, Mutable: domain.Yes, Group: "group"})
	}
	var chosen []string
	for range r.IntN(5) {
		chosen = append(chosen, relations[r.IntN(len(relations))])
	}
	d, err := domain.New(fs, chosen)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// each visits every row of a small domain, feasible or not.
func each(d *domain.Domain, visit func(x []float32)) {
	x := make([]float32, d.Len())
	var set func(i int)
	set = func(i int) {
		if i == 4 {
			for one := 4; one < 7; one++ {
				x[4], x[5], x[6] = 0, 0, 0
				x[one] = 1
				visit(x)
			}
			return
		}
		for v := 0.0; v <= d.Features()[i].Max; v++ {
			x[i] = float32(v)
			set(i + 1)
		}
	}
	set(0)
}

// grown is a random ensemble over width features of values up to 5.
func grown(r *rand.Rand, width, trees, outputs int) *tree.Ensemble {
	e := &tree.Ensemble{Features: width, Outputs: outputs, Base: make([]float64, outputs), Single: r.IntN(2) == 0}
	for i := range trees {
		t := tree.Tree{Output: i % outputs, Weight: 1}
		if r.IntN(8) == 0 {
			t.Weight = 0.5
		}
		var grow func(depth int) int32
		grow = func(depth int) int32 {
			at := int32(len(t.Nodes))
			if depth == 0 || r.IntN(6) == 0 {
				t.Nodes = append(t.Nodes, tree.Node{Feature: -1, Left: int32(len(t.Values))})
				t.Values = append(t.Values, math.Round(100*r.NormFloat64())/128)
				return at
			}
			n := tree.Node{Feature: int32(r.IntN(width)), Threshold: float64(r.IntN(11)) / 2, Compare: tree.Compare(r.IntN(2)), Missing: tree.MissingNaN}
			switch r.IntN(12) {
			case 0:
				n.Compare, n.Threshold = tree.Equal, math.Floor(n.Threshold)
			case 1:
				n.Compare, n.Set = tree.In, int32(len(t.Sets))
				t.Sets = append(t.Sets, []uint64{r.Uint64N(64)})
			case 2:
				n.Missing, n.MissingLeft = tree.MissingZeroAndNaN, r.IntN(2) == 0
			}
			t.Nodes = append(t.Nodes, n)
			t.Nodes[at].Left = grow(depth - 1)
			t.Nodes[at].Right = grow(depth - 1)
			return at
		}
		grow(3)
		e.Trees = append(e.Trees, t)
	}
	return e
}

func sloped(r *rand.Rand, width, outputs int) *tree.Linear {
	l := &tree.Linear{Features: width, Outputs: outputs}
	for range outputs {
		w := make([]float64, width)
		for i := range w {
			if r.IntN(4) > 0 {
				w[i] = math.Round(100*r.NormFloat64()) / 64
			}
		}
		l.Weights, l.Bias = append(l.Weights, w), append(l.Bias, math.Round(64*r.NormFloat64())/64)
	}
	return l
}

// sums are the margins of either model.
func sums(m cheapest.Model, x []float32) []float64 {
	wide := make([]float64, len(x))
	for i, v := range x {
		wide[i] = float64(v)
	}
	if m.Trees != nil {
		out := make([]float64, m.Trees.Outputs)
		m.Trees.Margins(wide, out)
		return out
	}
	out := make([]float64, m.Linear.Outputs)
	m.Linear.Margins(wide, out)
	return out
}

// least is the margin of the best list of an aim.
func least(m cheapest.Model, aim exact.Aim, x []float32) float64 {
	out, best := sums(m, x), math.Inf(-1)
	for _, halves := range aim {
		worst := math.Inf(1)
		for _, h := range halves {
			sum := -h.Above
			for o, w := range h.Weights {
				sum += w * out[o]
			}
			worst = min(worst, sum)
		}
		best = max(best, worst)
	}
	return best
}

// The cheapest change, that there is none, and the largest margin are those
// that trying every row finds, for random models, domains with relations, rows and prices.
func TestAgainstEveryRow(t *testing.T) {
	flipped, stuck, barren := 0, 0, 0
	for seed := range uint64(600) {
		r := rand.New(rand.NewPCG(seed, 7))
		d := small(t, r)
		outputs := 1 + r.IntN(3)
		m := cheapest.Model{Trees: grown(r, d.Len(), 1+r.IntN(12), outputs)}
		if seed%2 == 0 {
			m = cheapest.Model{Linear: sloped(r, d.Len(), outputs)}
		}
		price := make([]float64, d.Len())
		for i := range price {
			price[i] = float64(r.IntN(4)) * 0.75
		}
		aim := exact.Over(1.5+2*r.NormFloat64(), false)
		if outputs > 1 {
			aim = exact.Aim{exact.Target(outputs, 0)[0]}
			if outputs == 3 {
				aim = append(aim, exact.Target(outputs, 1)[0])
			}
		}
		g, err := cheapest.New(m, d, price)
		if err != nil {
			t.Fatal(err)
		}
		orig := make([]float32, d.Len())
		for i := range 4 {
			orig[i] = float32(r.IntN(int(d.Features()[i].Max) + 1))
		}
		orig[4+r.IntN(3)] = 1
		cost, margin, some := math.Inf(1), math.Inf(-1), false
		each(d, func(x []float32) {
			if !d.Feasible(x, orig) {
				return
			}
			some = true
			v := least(m, aim, x)
			margin = max(margin, v)
			if v >= 0 {
				cost = min(cost, g.Cost(x, orig))
			}
		})
		where := fmt.Sprintf("seed %d, relations %q", seed, d.Relations())
		got, err := g.Search(t.Context(), orig, aim, cheapest.Options{Work: 1 << 24})
		if err != nil {
			t.Fatal(where, err)
		}
		if got.Upper != cost && math.Abs(got.Upper-cost) > 1e-5*cost || !got.Exact && !math.IsInf(cost, 1) || got.Lower > cost {
			t.Errorf("%s: cost %v to %v, exact %v, want %v", where, got.Lower, got.Upper, got.Exact, cost)
		}
		if got.Empty && some {
			t.Errorf("%s: said to be empty", where)
		}
		if got.X != nil && (!d.Feasible(got.X, orig) || least(m, aim, got.X) < 0 || g.Cost(got.X, orig) != got.Upper) {
			t.Errorf("%s: %v is no change that gains at %v", where, got.X, got.Upper)
		}
		top, err := g.Search(t.Context(), orig, aim, cheapest.Options{Work: 1 << 24, Margin: true})
		if err != nil {
			t.Fatal(where, err)
		}
		if some && (math.Abs(top.Lower-margin) > 1e-5*math.Abs(margin) || top.Upper < margin-1e-12) {
			t.Errorf("%s: margin %v to %v, want %v", where, top.Lower, top.Upper, margin)
		}
		switch {
		case got.X != nil:
			flipped++
		case some:
			stuck++
		default:
			barren++
		}
	}
	if flipped < 100 || stuck < 80 || barren < 5 {
		t.Errorf("%d rows can gain, %d cannot, %d have no feasible change: the cases are too much alike", flipped, stuck, barren)
	}
}
