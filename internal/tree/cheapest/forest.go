package cheapest

import (
	"fmt"
	"math"

	"github.com/assize/assize/internal/tree"
	"github.com/assize/assize/internal/tree/exact"
)

// forest is a goal over the sums of a tree ensemble.
type forest struct {
	above []float64   // per half-space
	base  []float64   // per half-space: base values and trees of one leaf
	size  []float64   // per half-space: what the sums are made of, for their rounding
	trees int         // of the ensemble
	roots []int32     // of the trees that still have several leaves
	nodes []node      // children before or behind their parents
	value [][]float64 // per half-space and leaf
	cuts  []place     // where nodes split
	gain  []float64   // per cut: how much it matters to the box at hand
}

// node is an inner node, or a leaf where feature is -1 and left its number.
type node struct {
	feature     int32
	left, right int32
	at          float32 // values below it go left
	cut         int32   // number of the place
	odd         *odd    // a split that is not only that
}

// odd is a split by equality, by a set of values, or one for which zero is missing.
type odd struct {
	node tree.Node
	sets [][]uint64
	zero bool // but for zero it is plain
}

// place is a value of a feature at which inputs part.
type place struct {
	feature int32
	at      float32
	odd     *odd
}

func newForest(e *tree.Ensemble, halves []exact.Half) (*forest, error) {
	f := &forest{trees: len(e.Trees)}
	counts := make([]float64, e.Outputs)
	for i := range e.Trees {
		for o := range counts {
			if k := e.Trees[i].Output; k == -1 || k == o {
				counts[o]++
			}
		}
	}
	for o := range counts {
		if !e.Average || counts[o] == 0 {
			counts[o] = 1
		}
	}
	for _, h := range halves {
		sum, size := 0.0, math.Abs(h.Above)
		for o, w := range h.Weights {
			sum += w * e.Base[o]
			size += math.Abs(w * e.Base[o])
		}
		f.above, f.base, f.size = append(f.above, h.Above), append(f.base, sum), append(f.size, size)
	}
	f.value = make([][]float64, len(halves))
	nodes := 0
	for i := range e.Trees {
		nodes += len(e.Trees[i].Nodes)
	}
	f.nodes = make([]node, 0, nodes)
	for i := range e.Trees {
		if err := f.plant(e, &e.Trees[i], halves, counts); err != nil {
			return nil, fmt.Errorf("prepare search: tree %d: %w", i, err)
		}
	}
	return f, nil
}

// plant adds a tree, node for node.
func (f *forest) plant(e *tree.Ensemble, t *tree.Tree, halves []exact.Half, counts []float64) error {
	first := int32(len(f.nodes))
	f.roots = append(f.roots, first)
	top := make([]float64, len(halves))
	for i := range t.Nodes {
		n := t.Nodes[i]
		if n.Feature < 0 {
			f.nodes = append(f.nodes, node{feature: -1, left: int32(len(f.value[0]))})
			for j, h := range halves {
				v := 0.0
				if t.Output >= 0 {
					v = h.Weights[t.Output] * t.Values[n.Left] * t.Weight / counts[t.Output]
				} else {
					for o, w := range h.Weights {
						v += w * t.Values[int(n.Left)+o] * t.Weight / counts[o]
					}
				}
				f.value[j] = append(f.value[j], v)
				top[j] = max(top[j], math.Abs(v))
			}
			continue
		}
		if e.Single {
			n.Threshold = float64(float32(n.Threshold))
		}
		to := node{feature: n.Feature, left: first + n.Left, right: first + n.Right, at: float32(n.Threshold)}
		plain := n.Compare == tree.Less || n.Compare == tree.LessOrEqual
		if plain {
			var err error
			if to.at, err = exact.Cut(&n, e.Single); err != nil {
				return fmt.Errorf("node %d: %w", i, err)
			}
		}
		if !plain || n.Missing == tree.MissingZeroAndNaN {
			to.odd = &odd{node: n, sets: t.Sets, zero: plain}
		}
		f.nodes = append(f.nodes, to)
	}
	for j := range top {
		f.size[j] += top[j]
	}
	return nil
}

// sides tells which ways the inputs of a box can go at a node.
func (n *node) sides(lo, hi float32) (left, right bool) {
	o := n.odd
	switch {
	case o == nil, o.zero && (lo > 1e-35 || hi < -1e-35):
		return lo < n.at, hi >= n.at
	case lo == hi:
		left = o.node.GoesLeft(float64(lo), o.sets)
		return left, !left
	case o.node.Compare == tree.Equal && (n.at < lo || n.at > hi):
		return false, true
	}
	return true, true
}

// part is where a box between lo and hi is best cut at a place within it.
func (p *place) part(lo, hi float32) float32 {
	switch {
	case p.odd == nil, p.odd.node.Compare == tree.Equal:
		return p.at
	case p.odd.zero && (p.at <= lo || p.at > hi):
		return 0
	case p.odd.zero:
		return p.at
	}
	return lo/2 + hi/2
}

// within implements goal: it keeps the nodes that a box reaches.
func (f *forest) within(lo, hi, _ []float32) goal {
	own := &forest{above: f.above, base: append([]float64(nil), f.base...), size: f.size, trees: f.trees, value: f.value}
	numbers := map[place]int32{}
	var keep func(i int32) int32
	keep = func(i int32) int32 {
		n := f.nodes[i]
		for n.feature >= 0 {
			left, right := n.sides(lo[n.feature], hi[n.feature])
			if left && right {
				break
			}
			if i = n.right; left {
				i = n.left
			}
			n = f.nodes[i]
		}
		at := int32(len(own.nodes))
		own.nodes = append(own.nodes, n)
		if n.feature < 0 {
			return at
		}
		p := place{n.feature, n.at, n.odd}
		number, ok := numbers[p]
		if !ok {
			number = int32(len(own.cuts))
			numbers[p] = number
			own.cuts = append(own.cuts, p)
		}
		n.cut = number
		n.left, n.right = keep(n.left), keep(n.right)
		own.nodes[at] = n
		return at
	}
	for _, root := range f.roots {
		at := keep(root)
		if n := own.nodes[at]; n.feature < 0 {
			for j := range own.base {
				own.base[j] += own.value[j][n.left]
			}
			own.nodes = own.nodes[:at]
			continue
		}
		own.roots = append(own.roots, at)
	}
	own.gain = make([]float64, len(own.cuts))
	return own
}

// margin implements goal.
func (f *forest) margin(x []float32) float64 {
	_, least := f.worst(x)
	return least
}

// worst is the half-space that x is deepest below, and by how much it is over it.
func (f *forest) worst(x []float32) (half int, least float64) {
	sums := append([]float64(nil), f.base...)
	for _, i := range f.roots {
		n := &f.nodes[i]
		for n.feature >= 0 {
			v := x[n.feature]
			left := v < n.at
			if n.odd != nil {
				left = n.odd.node.GoesLeft(float64(v), n.odd.sets)
			}
			if left {
				n = &f.nodes[n.left]
			} else {
				n = &f.nodes[n.right]
			}
		}
		for j := range sums {
			sums[j] += f.value[j][n.left]
		}
	}
	least = math.Inf(1)
	for j, sum := range sums {
		if m := sum - f.above[j]; m < least {
			half, least = j, m
		}
	}
	return half, least
}

// look implements goal: of each tree the best leaf that the box reaches.
func (f *forest) look(b *box, near []float32) step {
	s := step{top: math.Inf(1), feature: -1}
	var worst int
	worst, s.near = f.worst(near)
	clear(f.gain)
	v := visitor{forest: f, lo: b.lo, hi: b.hi}
	for j := range f.base {
		v.value, v.weight = f.value[j], 1e-6
		if j == worst {
			v.weight = 1
		}
		sum := f.base[j]
		for _, root := range f.roots {
			sum += v.top(root)
		}
		s.top = min(s.top, sum-f.above[j])
	}
	s.work = v.work
	best := 0.0
	for k, g := range f.gain {
		if p := &f.cuts[k]; g > best {
			best = g
			s.feature, s.at = p.feature, p.part(b.lo[p.feature], b.hi[p.feature])
		}
	}
	return s
}

// visitor bounds one half-space over a box.
type visitor struct {
	*forest
	lo, hi []float32
	value  []float64
	weight float64
	work   int
}

// top is the largest value of a leaf that the box reaches below a node. What
// the two sides of an open node differ by is what its cut matters.
func (v *visitor) top(i int32) float64 {
	n := &v.nodes[i]
	for {
		v.work++
		if n.feature < 0 {
			return v.value[n.left]
		}
		left, right := n.sides(v.lo[n.feature], v.hi[n.feature])
		if left && right {
			break
		}
		if left {
			n = &v.nodes[n.left]
		} else {
			n = &v.nodes[n.right]
		}
	}
	a, b := v.top(n.left), v.top(n.right)
	v.gain[n.cut] += v.weight * math.Abs(a-b)
	return max(a, b)
}

// rounding implements goal: one rounding error of the largest partial sum per
// addition (Higham 2002, section 4.2).
func (f *forest) rounding(_, _ []float32) float64 {
	worst := 0.0
	for _, s := range f.size {
		worst = max(worst, float64(f.trees+2)*0x1p-24*s)
	}
	return worst
}
