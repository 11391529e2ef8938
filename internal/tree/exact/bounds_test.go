package exact_test

import (
	"context"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/assize/assize/internal/tree"
	"github.com/assize/assize/internal/tree/exact"
)

// TestPublishedFigures compares with the figures that treeVerification gives
// for its example: average bound 0.39518, verified error 0.13 at 0.3.
func TestPublishedFigures(t *testing.T) {
	dir := data(t)
	r := recordings()[0]
	e := dump(t, filepath.Join(dir, r.model), r.features)
	x := rows(t, filepath.Join(dir, r.rows), r.features)
	g, err := exact.New(e, exact.Unbounded(r.features))
	if err != nil {
		t.Fatal(err)
	}
	merged, wrong, n := 0.0, 0.0, 0.0
	for _, a := range answers(t, filepath.Join(dir, r.answers)) {
		lower, err := g.Cliques(t.Context(), x[a.row], flip(a.margin), 2, 0)
		if err != nil {
			t.Fatal(err)
		}
		if lower > a.linf+1e-6 {
			t.Errorf("row %d: bound %v above the distance %v", a.row, lower, a.linf)
		}
		full, err := g.Cliques(t.Context(), x[a.row], flip(a.margin), len(e.Trees), 0)
		if err != nil || math.Abs(full-a.linf) > 1e-6 {
			t.Errorf("row %d: all trees merged give %v (%v), want the distance %v", a.row, full, err, a.linf)
		}
		merged += lower
		n++
		if full < 0.3 || a.pred != a.label {
			wrong++
		}
	}
	if merged/n < 0.39518-5e-6 || wrong/n != 0.13 {
		t.Errorf("average bound %.5f, verified error %.2f, want at least 0.39518, 0.13", merged/n, wrong/n)
	}
	t.Logf("average bound of pairs of trees %.5f", merged/n)
}

// TestBudget stops searches early: what they say must hold all the same.
func TestBudget(t *testing.T) {
	dir := data(t)
	r := recordings()[2]
	e := dump(t, filepath.Join(dir, r.model), r.features)
	x := rows(t, filepath.Join(dir, r.rows), r.features)
	g, err := exact.New(e, exact.Unbounded(r.features))
	if err != nil {
		t.Fatal(err)
	}
	for _, boxes := range []int{1, 20, 100, 400} {
		ended, ratio, n := 0, 0.0, 0.0
		for _, a := range answers(t, filepath.Join(dir, r.answers))[:100] {
			got, err := g.Search(t.Context(), x[a.row], flip(a.margin), exact.Options{Boxes: boxes})
			if err != nil {
				t.Fatal(err)
			}
			if got.Lower > a.linf+1e-6 || got.Upper < a.linf-1e-6 || got.Exact && got.Upper-got.Lower > 1e-6 {
				t.Errorf("%d boxes, row %d: %+v does not hold %v", boxes, a.row, got, a.linf)
			}
			if got.Witness != nil && (margin(e, got.Witness) > 0) == (a.margin > 0) {
				t.Errorf("%d boxes, row %d: the witness keeps the class", boxes, a.row)
			}
			if got.Exact {
				ended++
			}
			if a.linf > 0 && got.Witness != nil {
				ratio += got.Lower / got.Upper
				n++
			}
		}
		t.Logf("%d boxes: %d of 100 exact, %v attacked, mean bound over attack %.3f", boxes, ended, n, ratio/n)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	got, err := g.Search(ctx, x[0], flip(-1), exact.Options{})
	if err != nil || got.Exact || got.Lower > 0.0358900726+1e-6 {
		t.Errorf("cancelled: %+v, %v", got, err)
	}
}

// TestSlack leaves sums open that a runtime's rounding could decide either way.
func TestSlack(t *testing.T) {
	stump := func(limit, low, high float64) tree.Tree {
		return tree.Tree{Weight: 1, Values: []float64{low, high}, Nodes: []tree.Node{
			{Feature: 0, Left: 1, Right: 2, Threshold: limit}, {Feature: -1, Left: 0}, {Feature: -1, Left: 1}}}
	}
	e := &tree.Ensemble{Features: 1, Outputs: 1, Base: []float64{-1}, Trees: []tree.Tree{stump(1, 0, 1), stump(2, 0, 1)}}
	g, err := exact.New(e, exact.Unbounded(1))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		slack, lower, upper float64
		aim                 exact.Aim
	}{
		{0, 1, 1, exact.Over(0, true)},
		{0, 2, 2, exact.Over(0, false)},
		{1e-6, 1, 2, exact.Over(0, true)},
		{1e-6, 1, 2, exact.Over(0, false)},
		{1e-6, 2, 2, exact.Over(0.5, false)},
		{1e-6, 2, math.Inf(1), exact.Over(1, true)},
		{1e-6, math.Inf(1), math.Inf(1), exact.Over(2, true)},
	} {
		got, err := g.Search(t.Context(), []float32{0}, c.aim, exact.Options{Slack: c.slack})
		if err != nil || got.Lower != c.lower || got.Upper != c.upper || got.Exact != (c.lower == c.upper) {
			t.Errorf("slack %v of %v: %+v (%v), want %v to %v", c.slack, c.aim, got, err, c.lower, c.upper)
		}
	}
	if got := g.Rounding(exact.Over(0, true)[0][0]); got <= 0 || got > 1e-5 {
		t.Errorf("rounding %v", got)
	}
}

// TestAccept adds a relation between two features, which only witnesses obey.
func TestAccept(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 18))
	tight, n := 0, 0
	for k := range 600 {
		s := draw(r)
		s.e.Average = false
		if len(s.x) < 2 || s.x[0] != s.x[0] || s.x[1] != s.x[1] {
			continue
		}
		g, err := exact.New(s.e, s.space)
		if err != nil {
			t.Fatal(err)
		}
		related := func(x []float32) bool { return x[0] <= x[1]+0.5 }
		aim, reached, kind := s.aims(r)
		s.also = related
		want := s.brute(exact.Linf, reached)
		got, err := g.Search(t.Context(), s.x, aim, exact.Options{Accept: func(x []float32) ([]float32, bool) { return x, related(x) }})
		if err != nil {
			t.Fatal(err)
		}
		// Between the values that matter to the trees a relation may allow nearer ones: want is
		// an upper bound here.
		if got.Lower > want+1e-6 || got.Lower > got.Upper {
			t.Errorf("scene %d %s: %+v does not hold %v", k, kind, got, want)
		}
		if w := got.Witness; w != nil && (!s.possible(w) || !related(w) || !reached(outputs(s.e, w))) {
			t.Errorf("scene %d %s: witness %v cannot occur or misses the aim", k, kind, w)
		}
		if !math.IsInf(want, 1) {
			n++
			if got.Upper < want+1e-6 {
				tight++
			}
		}
	}
	if tight*10 < n*9 {
		t.Errorf("the related input was found as near %d times of %d", tight, n)
	}
	t.Logf("a related input found as near in %d of %d times", tight, n)
}

// forest is a random boosted ensemble of full trees.
func forest(r *rand.Rand, trees, depth, features int) *tree.Ensemble {
	e := &tree.Ensemble{Features: features, Outputs: 1, Single: true}
	for range trees {
		t := tree.Tree{Weight: 1}
		inner := 1<<depth - 1
		for i := range inner {
			t.Nodes = append(t.Nodes, tree.Node{Feature: int32(r.IntN(features)), Left: int32(2*i + 1), Right: int32(2*i + 2), Threshold: r.Float64()})
		}
		for i := range inner + 1 {
			t.Nodes = append(t.Nodes, tree.Node{Feature: -1, Left: int32(i)})
			t.Values = append(t.Values, r.NormFloat64())
		}
		e.Trees = append(e.Trees, t)
	}
	return e
}

// TestLarge gives an ensemble that cannot be searched in full a second.
func TestLarge(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 18))
	for _, c := range []struct{ trees, depth, features int }{{1000, 6, 20}, {10000, 4, 30}} {
		if testing.Short() && c.trees > 1000 {
			continue
		}
		e := forest(r, c.trees, c.depth, c.features)
		g, err := exact.New(e, exact.Unbounded(c.features))
		if err != nil {
			t.Fatal(err)
		}
		for _, norm := range []exact.Norm{exact.Linf, exact.L1, exact.L2} {
			x := make([]float32, c.features)
			for f := range x {
				x[f] = r.Float32()
			}
			m := margin(e, x)
			start := time.Now()
			got, err := g.Search(t.Context(), x, flip(m), exact.Options{Norm: norm, Time: 300 * time.Millisecond})
			if err != nil {
				t.Fatal(err)
			}
			if got.Witness == nil {
				t.Errorf("%d trees: nothing found: %+v, %v", c.trees, got, time.Since(start))
				continue
			}
			if got.Lower > got.Upper || (margin(e, got.Witness) > 0) == (m > 0) {
				t.Errorf("%d trees: %v to %v, margins %v and %v", c.trees, got.Lower, got.Upper, m, margin(e, got.Witness))
			}
			t.Logf("%d trees, norm %d: %.5f to %.5f, exact %v, %d boxes, %v", c.trees, norm, got.Lower, got.Upper, got.Exact, got.Boxes, time.Since(start).Round(time.Millisecond))
		}
	}
}

// TestRefusals names what cannot be answered.
func TestRefusals(t *testing.T) {
	good := func() *tree.Ensemble {
		return &tree.Ensemble{Features: 1, Outputs: 1, Trees: []tree.Tree{{Weight: 1, Values: []float64{0, 1}, Nodes: []tree.Node{
			{Feature: 0, Left: 1, Right: 2, Threshold: 1}, {Feature: -1, Left: 0}, {Feature: -1, Left: 1}}}}}
	}
	for _, c := range []struct {
		name, want string
		spoil      func(*tree.Ensemble, *exact.Space)
	}{
		{"cycle", "not a tree", func(e *tree.Ensemble, _ *exact.Space) { e.Trees[0].Nodes[0].Left = 0 }},
		{"shared child", "not a tree", func(e *tree.Ensemble, _ *exact.Space) { e.Trees[0].Nodes[0].Left = 2 }},
		{"child outside", "not a tree", func(e *tree.Ensemble, _ *exact.Space) { e.Trees[0].Nodes[0].Right = 9 }},
		{"no nodes", "no nodes", func(e *tree.Ensemble, _ *exact.Space) { e.Trees[0].Nodes = nil }},
		{"feature outside", "out of range", func(e *tree.Ensemble, _ *exact.Space) { e.Trees[0].Nodes[0].Feature = 7 }},
		{"value outside", "out of range", func(e *tree.Ensemble, _ *exact.Space) { e.Trees[0].Nodes[2].Left = 2 }},
		{"output outside", "out of range", func(e *tree.Ensemble, _ *exact.Space) { e.Trees[0].Output = 3 }},
		{"threshold", "not a number", func(e *tree.Ensemble, _ *exact.Space) { e.Trees[0].Nodes[0].Threshold = math.NaN() }},
		{"leaf", "not finite", func(e *tree.Ensemble, _ *exact.Space) { e.Trees[0].Values[1] = math.Inf(1) }},
		{"zero is missing", "zero_as_missing", func(e *tree.Ensemble, _ *exact.Space) { e.Trees[0].Nodes[0].Missing = tree.MissingZeroAndNaN }},
		{"equality over reals", "split by equality", func(e *tree.Ensemble, _ *exact.Space) { e.Trees[0].Nodes[0].Compare = tree.Equal }},
		{"width", "1 features and the space 2", func(_ *tree.Ensemble, s *exact.Space) { *s = exact.Unbounded(2) }},
		{"empty range", "can occur", func(_ *tree.Ensemble, s *exact.Space) { s.Features[0].Min, s.Features[0].Max = 2, 1 }},
		{"weight", "weight", func(_ *tree.Ensemble, s *exact.Space) { s.Features[0].Weight = 0 }},
		{"two groups", "two groups", func(_ *tree.Ensemble, s *exact.Space) { s.Groups = [][]int{{0}, {0}} }},
	} {
		e, s := good(), exact.Unbounded(1)
		c.spoil(e, &s)
		if _, err := exact.New(e, s); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
	g, err := exact.New(good(), exact.Unbounded(1))
	if err != nil {
		t.Fatal(err)
	}
	inf := float32(math.Inf(1))
	for _, x := range [][]float32{nil, {1, 2}, {inf}} {
		if _, err := g.Search(t.Context(), x, exact.Over(0, false), exact.Options{}); err == nil {
			t.Errorf("row %v was taken", x)
		}
	}
	for _, a := range []exact.Aim{nil, {nil}, {{{Weights: []float64{1, 2}}}}, {{{Weights: []float64{0}}}}, exact.Over(math.NaN(), true)} {
		if _, err := g.Search(t.Context(), []float32{0}, a, exact.Options{}); err == nil {
			t.Errorf("aim %v was taken", a)
		}
	}
	got, err := g.Search(t.Context(), []float32{0}, exact.Over(0.5, false), exact.Options{})
	if err != nil || got.Lower != 1 || !slices.Equal(got.Witness, []float32{1}) {
		t.Errorf("the good one: %+v, %v", got, err)
	}
}

// TestConcurrent shares an engine between goroutines, which fill its cache.
func TestConcurrent(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 18))
	for {
		s := draw(r)
		if s.e.Outputs != 3 {
			continue
		}
		g, err := exact.New(s.e, s.space)
		if err != nil {
			t.Fatal(err)
		}
		var got [12]exact.Result
		var wg sync.WaitGroup
		for i := range got {
			wg.Go(func() {
				res, err := g.Search(t.Context(), s.x, exact.Target(3, i%3), exact.Options{})
				if err != nil {
					t.Error(err)
				}
				got[i] = res
			})
		}
		wg.Wait()
		for i := range got {
			if got[i].Lower != got[i%3].Lower || got[i].Upper != got[i%3].Upper {
				t.Errorf("class %d: %+v and %+v", i%3, got[i], got[i%3])
			}
		}
		return
	}
}
