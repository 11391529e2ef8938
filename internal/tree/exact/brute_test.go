package exact_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/assize/assize/internal/tree"
	"github.com/assize/assize/internal/tree/exact"
)

// outputs evaluates an ensemble as its types say, apart from the package under test.
func outputs(e *tree.Ensemble, x []float32) []float64 {
	out := make([]float64, e.Outputs)
	counts := make([]float64, e.Outputs)
	for i := range e.Trees {
		t := &e.Trees[i]
		n := &t.Nodes[0]
		for n.Feature >= 0 {
			next := n.Right
			if left(e, t, n, float64(x[n.Feature])) {
				next = n.Left
			}
			n = &t.Nodes[next]
		}
		for o := range out {
			switch {
			case t.Output == o:
				out[o] += t.Weight * t.Values[n.Left]
			case t.Output == -1:
				out[o] += t.Weight * t.Values[int(n.Left)+o]
			default:
				continue
			}
			counts[o]++
		}
	}
	for o := range out {
		if e.Average && counts[o] > 0 {
			out[o] /= counts[o]
		}
		out[o] += e.Base[o]
	}
	return out
}

func left(e *tree.Ensemble, t *tree.Tree, n *tree.Node, v float64) bool {
	if v != v {
		switch n.Missing {
		case tree.MissingNone:
			v = 0
		case tree.MissingCompares:
			return false
		default:
			return n.MissingLeft
		}
	}
	limit := n.Threshold
	if e.Single {
		limit = float64(float32(limit))
	}
	switch n.Compare {
	case tree.Less:
		return v < limit
	case tree.LessOrEqual:
		return v <= limit
	case tree.Equal:
		return v == limit
	}
	return v >= 0 && v < 64 && t.Sets[n.Set][0]>>int(v)&1 == 1
}

// scene is a small ensemble in a small space.
type scene struct {
	e     *tree.Ensemble
	space exact.Space
	x     []float32
	also  func(x []float32) bool // another condition on rows; nil: none
}

// draw makes up a scene: real features, a whole number, a category that is split
// by sets or equality, and a one-hot group of three.
func draw(r *rand.Rand) scene {
	reals, whole, cat, group := 1+r.IntN(3), r.IntN(2), r.IntN(2), 3*r.IntN(2)
	n := reals + whole + cat + group
	s := scene{space: exact.Unbounded(n), x: make([]float32, n)}
	for i := range n {
		f := &s.space.Features[i]
		f.Weight = []float64{1, 1, 0.5, 3}[r.IntN(4)]
		f.Move = []exact.Move{exact.Free, exact.Free, exact.Free, exact.Free, exact.Free, exact.Fixed, exact.Up, exact.Down}[r.IntN(8)]
		switch {
		case i < reals:
			s.x[i] = float32(r.IntN(9)) / 8
			if r.IntN(2) == 0 {
				f.Min, f.Max = -0.25, 1.1
			}
			if r.IntN(16) == 0 && f.Move == exact.Free {
				s.x[i] = float32(math.NaN())
			}
		case i < reals+whole:
			f.Integer, f.Min, f.Max = true, -2, 3
			s.x[i] = float32(r.IntN(6) - 2)
		case i < reals+whole+cat:
			f.Integer, f.Min, f.Max = true, 0, 4
			s.x[i] = float32(r.IntN(5))
		default:
			f.Integer, f.Min, f.Max = true, 0, 1
		}
	}
	if group > 0 {
		at := n - group
		s.space.Groups = [][]int{{at, at + 1, at + 2}}
		s.x[at+r.IntN(3)] = 1
	}
	e := &tree.Ensemble{Features: n, Outputs: []int{1, 1, 3}[r.IntN(3)], Single: r.IntN(2) == 0, Average: r.IntN(3) == 0}
	e.Base = make([]float64, e.Outputs)
	for o := range e.Base {
		e.Base[o] = float64(r.IntN(3)-1) / 4
	}
	for k := range 3 + r.IntN(6) {
		t := tree.Tree{Weight: []float64{1, 0.5}[r.IntN(2)], Output: k % e.Outputs}
		if e.Outputs > 1 && r.IntN(2) == 0 {
			t.Output = -1
		}
		width := 1
		if t.Output < 0 {
			width = e.Outputs
		}
		var grow func(depth int) int32
		grow = func(depth int) int32 {
			at := int32(len(t.Nodes))
			t.Nodes = append(t.Nodes, tree.Node{Feature: -1})
			if depth == 0 || r.IntN(6) == 0 {
				t.Nodes[at].Left = int32(len(t.Values))
				for range width {
					t.Values = append(t.Values, float64(r.IntN(17)-8)/8)
				}
				return at
			}
			f := r.IntN(n)
			nd := tree.Node{Feature: int32(f), Compare: tree.Compare(r.IntN(2)), Missing: []tree.Missing{tree.MissingNone, tree.MissingNaN, tree.MissingCompares}[r.IntN(3)], MissingLeft: r.IntN(2) == 0}
			switch {
			case f < reals:
				nd.Threshold = []float64{0.1, 0.25, 0.3, 0.5, 0.625, 0.7, 0.9}[r.IntN(7)]
			case f < reals+whole:
				nd.Threshold = float64(r.IntN(9)-4) / 2
			case f < reals+whole+cat:
				nd.Compare, nd.Threshold = tree.Equal, float64(r.IntN(5))
				if r.IntN(2) == 0 {
					nd.Compare, nd.Set = tree.In, int32(len(t.Sets))
					t.Sets = append(t.Sets, []uint64{uint64(r.IntN(31))})
				}
			default:
				nd.Threshold = 0.5
			}
			nd.Left = grow(depth - 1)
			nd.Right = grow(depth - 1)
			t.Nodes[at] = nd
			return at
		}
		grow(1 + r.IntN(3))
		e.Trees = append(e.Trees, t)
	}
	s.e = e
	return s
}

// values are the ones that matter of a feature: beside every threshold and at the ends.
func (s *scene) values(f int) []float32 {
	x, sp := s.x[f], s.space.Features[f]
	if x != x {
		return []float32{x}
	}
	inf := float32(math.Inf(1))
	var all []float32
	if sp.Integer {
		for v := sp.Min; v <= sp.Max; v++ {
			all = append(all, float32(v))
		}
	} else {
		all = append(all, x)
		if sp.Max < 100 {
			all = append(all, float32(sp.Min), float32(sp.Max))
		}
		for i := range s.e.Trees {
			for _, n := range s.e.Trees[i].Nodes {
				if int(n.Feature) == f {
					t := float32(n.Threshold)
					all = append(all, t, math.Nextafter32(t, inf), math.Nextafter32(t, -inf))
				}
			}
		}
	}
	slices.Sort(all)
	all = slices.Compact(all)
	return slices.DeleteFunc(all, func(v float32) bool {
		return sp.Move == exact.Fixed && v != x || sp.Move == exact.Up && v < x || sp.Move == exact.Down && v > x ||
			float64(v) < float64(float32(sp.Min)) || v > float32(sp.Max)
	})
}

// brute is the least distance over every combination of values that matter.
func (s *scene) brute(norm exact.Norm, aim func(out []float64) bool) float64 {
	best := math.Inf(1)
	x := make([]float32, len(s.x))
	lists := make([][]float32, len(x))
	for f := range lists {
		lists[f] = s.values(f)
	}
	var try func(f int, far float64)
	try = func(f int, far float64) {
		if far >= best {
			return
		}
		if f == len(x) {
			if s.feasible(x) && (s.also == nil || s.also(x)) && aim(outputs(s.e, x)) {
				best = far
			}
			return
		}
		for _, v := range lists[f] {
			x[f] = v
			try(f+1, joined(norm, far, s.change(f, v)))
		}
	}
	try(0, 0)
	if norm == exact.L2 {
		return math.Sqrt(best)
	}
	return best
}

func (s *scene) change(f int, v float32) float64 {
	if v != v {
		return 0
	}
	return math.Abs(float64(v)-float64(s.x[f])) * s.space.Features[f].Weight
}

func joined(norm exact.Norm, far, d float64) float64 {
	switch norm {
	case exact.L1:
		return far + d
	case exact.L2:
		return far + d*d
	}
	return max(far, d)
}

func (s *scene) feasible(x []float32) bool {
	for _, g := range s.space.Groups {
		sum := float32(0)
		for _, f := range g {
			sum += x[f]
		}
		if sum != 1 {
			return false
		}
	}
	return true
}

// aims draws an aim and the same as a function.
func (s *scene) aims(r *rand.Rand) (exact.Aim, func([]float64) bool, string) {
	now := outputs(s.e, s.x)
	if s.e.Outputs == 1 {
		switch r.IntN(4) {
		case 0:
			return exact.Over(now[0]+0.25, false), func(o []float64) bool { return o[0] > now[0]+0.25 }, "over"
		case 1:
			return exact.Under(now[0]-0.25, true), func(o []float64) bool { return o[0] <= now[0]-0.25 }, "under"
		case 2:
			return exact.Outside(now[0]-0.75, now[0]+0.625), func(o []float64) bool { return o[0] < now[0]-0.75 || o[0] > now[0]+0.625 }, "outside"
		}
		band := exact.Aim{{{Weights: []float64{1}, Above: now[0] + 0.25, OrEqual: true}, {Weights: []float64{-1}, Above: -now[0] - 1}}}
		return band, func(o []float64) bool { return o[0] >= now[0]+0.25 && o[0] < now[0]+1 }, "band"
	}
	class := func(o []float64) int {
		best := 0
		for k := range o {
			if o[k] > o[best] {
				best = k
			}
		}
		return best
	}
	from := class(now)
	if r.IntN(2) == 0 {
		return exact.Another(3, from), func(o []float64) bool { return class(o) != from }, "another"
	}
	to := (from + 1 + r.IntN(2)) % 3
	return exact.Target(3, to), func(o []float64) bool { return class(o) == to }, "target"
}

// TestBruteForce compares with enumeration on small random ensembles and domains.
func TestBruteForce(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 18))
	kinds, never := map[string]int{}, 0
	for k := range 3000 {
		s := draw(r)
		if s.e.Average && s.e.Outputs > 1 {
			s.e.Average = false // thirds do not add up to the same last bit in another order
		}
		if s.e.Average {
			for len(s.e.Trees)&(len(s.e.Trees)-1) != 0 {
				s.e.Trees = s.e.Trees[1:]
			}
		}
		g, err := exact.New(s.e, s.space)
		if err != nil {
			t.Fatalf("scene %d: %v", k, err)
		}
		aim, reached, kind := s.aims(r)
		norm := exact.Norm(r.IntN(3))
		want := s.brute(norm, reached)
		got, err := g.Search(t.Context(), s.x, aim, exact.Options{Norm: norm})
		if err != nil {
			t.Fatalf("scene %d: %v", k, err)
		}
		kinds[fmt.Sprint(kind, norm)]++
		if math.IsInf(want, 1) {
			never++
			if !math.IsInf(got.Lower, 1) || !got.Exact {
				t.Errorf("scene %d %s norm %d: %+v, want none", k, kind, norm, got)
			}
			continue
		}
		if !got.Exact || math.Abs(got.Lower-want) > 1e-6 || math.Abs(got.Upper-want) > 1e-6 || got.Lower > got.Upper {
			t.Errorf("scene %d %s norm %d x %v: %+v, want %v", k, kind, norm, s.x, got, want)
			continue
		}
		if !s.possible(got.Witness) || !reached(outputs(s.e, got.Witness)) {
			t.Errorf("scene %d %s: witness %v of %v is not feasible or misses the aim", k, kind, got.Witness, s.x)
		}
	}
	t.Logf("%v, %d can never", kinds, never)
}

// possible checks a witness against every condition of the space.
func (s *scene) possible(x []float32) bool {
	for f, v := range x {
		sp := s.space.Features[f]
		switch {
		case s.x[f] != s.x[f]:
			if v == v {
				return false
			}
		case v < float32(sp.Min) || v > float32(sp.Max) || sp.Integer && v != float32(math.Round(float64(v))),
			sp.Move == exact.Fixed && v != s.x[f], sp.Move == exact.Up && v < s.x[f], sp.Move == exact.Down && v > s.x[f]:
			return false
		}
	}
	return s.feasible(x)
}
