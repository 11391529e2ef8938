package exact

import (
	"fmt"
	"math"
)

// row is a row's view of the space: where each feature can go and what it costs.
type row struct {
	x       []float32
	at      []float32 // x brought into the range that it can move in
	lo, hi  []float32 // that range
	missing []bool    // NaN, which stays; nil where there is none
	start   float64   // the least distance of any feasible row
	option  []float64 // per category variable and option, at 64*word+option: its distance; +Inf: cannot be
	can     []uint64  // of category variables: the options that can be
}

// place says where a row can go. ok is false where no row is feasible for it.
func (g *Engine) place(x []float32, norm Norm) (r *row, ok bool, err error) {
	if len(x) != len(g.feats) {
		return nil, false, fmt.Errorf("read row: %d values for %d features", len(x), len(g.feats))
	}
	r = &row{x: x, at: make([]float32, len(x)), lo: make([]float32, len(x)), hi: make([]float32, len(x))}
	ok = true
	for i, v := range x {
		f := &g.feats[i]
		if math.IsInf(float64(v), 0) {
			return nil, false, fmt.Errorf("read row: value %d is infinite", i)
		}
		if v != v {
			if g.catOf[i] >= 0 {
				return nil, false, fmt.Errorf("read row: value %d is missing and belongs to a category", i)
			}
			if r.missing == nil {
				r.missing = make([]bool, len(x))
			}
			r.missing[i], r.at[i], r.lo[i], r.hi[i] = true, v, f.lo, f.hi
			continue
		}
		lo, hi := f.lo, f.hi
		switch f.move {
		case Fixed:
			lo, hi = max(lo, v), min(hi, v)
		case Up:
			lo = max(lo, v)
		case Down:
			hi = min(hi, v)
		}
		if f.whole {
			lo, hi = float32(math.Ceil(float64(lo))), float32(math.Floor(float64(hi)))
		}
		ok = ok && lo <= hi
		r.lo[i], r.hi[i] = lo, hi
		a := min(max(v, lo), hi)
		if f.whole && ok {
			a = float32(math.RoundToEven(float64(a)))
		}
		r.at[i] = a
		if g.catOf[i] < 0 {
			r.start = norm.join(r.start, g.far(r, i, a))
		}
	}
	return r, ok && g.options(r, norm), nil
}

// far is the weighted distance of feature f from the row's value to v.
func (g *Engine) far(r *row, f int, v float32) float64 {
	if r.missing != nil && r.missing[f] {
		return 0
	}
	return math.Abs(float64(v)-float64(r.x[f])) * g.feats[f].weight
}

// join adds a feature's weighted change to a distance; for L2 distances are
// kept squared on the way.
func (n Norm) join(sum, change float64) float64 {
	switch n {
	case L1:
		return sum + change
	case L2:
		return sum + change*change
	}
	return max(sum, change)
}

// done turns a joined distance into one to report.
func (n Norm) done(sum float64) float64 {
	if n == L2 {
		return math.Sqrt(sum)
	}
	return sum
}

// options costs the options of the category variables; false: one has none.
func (g *Engine) options(r *row, norm Norm) bool {
	r.option = make([]float64, 64*g.catLen)
	r.can = make([]uint64, g.catLen)
	for i := range r.option {
		r.option[i] = math.Inf(1)
	}
	for i := range g.cats {
		c := &g.cats[i]
		least := math.Inf(1)
		for o := range c.options {
			d := 0.0
			for _, f := range c.features {
				v := c.value(o, f)
				if v < r.lo[f] || v > r.hi[f] {
					d = math.Inf(1)
					break
				}
				d = norm.join(d, g.far(r, f, v))
			}
			r.option[64*c.word+o] = d
			if !math.IsInf(d, 1) {
				r.can[c.word+o/64] |= 1 << (o % 64)
			}
			least = min(least, d)
		}
		if math.IsInf(least, 1) {
			return false
		}
		if norm == Linf {
			r.start = max(r.start, least)
		} else {
			r.start += least
		}
	}
	return true
}

// distances writes the least joined distance of each leaf of the view's trees
// from the row, by bit; +Inf where the row cannot reach it.
func (q *query) distances() {
	for i := range q.dist {
		q.dist[i] = math.Inf(1)
	}
	var stack []step
	for i := range q.v.trees {
		t := &q.g.trees[q.v.trees[i].tree]
		stack = append(stack[:0], step{t.root, q.r.start})
		for len(stack) > 0 {
			at := stack[len(stack)-1]
			stack = q.follow(t, &at, stack[:len(stack)-1])
			b := q.v.bitOf[^at.node]
			switch {
			case b < 0:
			case q.boxed():
				q.dist[b] = q.reach([]int32{^at.node})
			default:
				q.dist[b] = at.far
			}
		}
	}
}

// step is a node and the Linf distance to it.
type step struct {
	node int32
	far  float64
}

// follow goes down to the leaf that the row itself reaches from a node, and
// leaves the ways not taken on the stack.
func (q *query) follow(t *compiled, at *step, stack []step) []step {
	r := q.r
	for at.node >= 0 {
		n := &t.nodes[at.node]
		f := n.feature
		switch {
		case n.cat:
			stack = append(stack, step{n.right, at.far})
			at.node = n.left
		case r.missing != nil && r.missing[f]:
			at.node = n.right
			if n.missing {
				at.node = n.left
			}
		case r.at[f] < n.t:
			if n.from <= r.hi[f] {
				stack = append(stack, step{n.right, max(at.far, (float64(n.from)-float64(r.x[f]))*q.g.feats[f].weight)})
			}
			at.node = n.left
		default:
			if n.below >= r.lo[f] {
				stack = append(stack, step{n.left, max(at.far, (float64(r.x[f])-float64(n.limit))*q.g.feats[f].weight)})
			}
			at.node = n.right
		}
	}
	return stack
}
