package exact

import (
	"math"
	"math/bits"
	"slices"
)

// verdict is the answer to "is there an input within this distance that meets the goal".
type verdict uint8

const (
	none    verdict = iota // proved: there is none
	found                  // choice holds one
	unknown                // the budget ran out
)

// query is the state of one row's search in one view.
type query struct {
	g     *Engine
	v     *view
	r     *row
	norm  Norm
	slack float64
	loose float64   // slack, and what float64 sums in another order can differ by
	dist  []float64 // per bit
	// budget counts down; boxes counts up.
	budget, boxes int
	stop          func() bool
	limit         float64 // the distance of the running question
	masks         []uint64
	free          []int32 // trees with several leaves left at the root, in branching order
	settled       []int32 // per tree of the view: the bit that is left, or -1
	base          []float64
	choice        []int32 // leaves of the solution, one per tree of the view
	area          []area  // per depth, where leaves that share inputs in pairs are not enough
	scratch       area
	accept        func(choice []int32) bool // of one that meets the goal; nil: all
}

// within asks whether some choice of leaves within a distance meets the goal.
func (q *query) within(limit float64) verdict {
	q.limit = limit
	v := q.v
	root := q.mask(0)
	for w, word := range v.alive {
		var keep uint64
		for m := word; m != 0; m &= m - 1 {
			b := bits.TrailingZeros64(m)
			if q.dist[w*64+b] <= limit {
				keep |= 1 << b
			}
		}
		root[w] = keep
	}
	if v.rows == nil && q.open(limit) && q.undecided(root) <= matrixLimit {
		s := q.smaller(root)
		got := s.within(limit)
		q.boxes = s.boxes
		if got == found {
			q.choice = q.complete(root, s)
		}
		return got
	}
	return q.solve(root)
}

// undecided counts the leaves in a set of trees that have several there.
func (q *query) undecided(set []uint64) int {
	n := 0
	for i := range q.v.trees {
		t := &q.v.trees[i]
		if _, only := t.first(set); only {
			continue
		}
		for w := t.word; w < t.word+t.words; w++ {
			n += bits.OnesCount64(set[w] & t.mask)
		}
	}
	return n
}

// mask is the working set of a depth of the search.
func (q *query) mask(depth int) []uint64 {
	for len(q.masks) < (depth+1)*q.v.words {
		q.masks = append(q.masks, make([]uint64, 16*q.v.words)...)
	}
	return q.masks[depth*q.v.words : (depth+1)*q.v.words]
}

// first is the best leaf of a tree that is left in a set, or -1, and whether it is the only one.
func (t *vtree) first(set []uint64) (bit int, only bool) {
	if t.words == 1 {
		m := set[t.word] & t.mask
		if m == 0 {
			return -1, false
		}
		return t.word*64 + bits.TrailingZeros64(m), m&(m-1) == 0
	}
	bit, only = -1, true
	for w := t.word; w < t.word+t.words; w++ {
		m := set[w]
		if m == 0 {
			continue
		}
		if bit >= 0 {
			return bit, false
		}
		bit = w*64 + bits.TrailingZeros64(m)
		if m&(m-1) != 0 {
			return bit, false
		}
	}
	return bit, only
}

// solve settles trees of one leaf, drops leaves that cannot take part, and branches.
func (q *query) solve(root []uint64) verdict {
	v := q.v
	if cap(q.settled) < len(v.trees) {
		q.settled = make([]int32, len(v.trees))
	}
	if q.base == nil {
		q.base = make([]float64, len(v.goal))
	}
	q.settled = q.settled[:len(v.trees)]
	if !q.settle(root) {
		return none
	}
	if !q.plausible(root) {
		return none
	}
	if v.rows == nil {
		return unknown
	}
	q.order(root)
	return q.branch(0, root)
}

// settle fixes the trees of which one leaf is left, and drops the leaves that
// share no input with it, until nothing changes. False: a tree has none left.
func (q *query) settle(root []uint64) bool {
	v := q.v
	copy(q.base, v.const0)
	q.free = q.free[:0]
	for i := range v.trees {
		q.settled[i] = -1
		q.free = append(q.free, int32(i))
	}
	for again := true; again; {
		again = false
		kept := q.free[:0]
		for _, i := range q.free {
			b, only := v.trees[i].first(root)
			if b < 0 {
				return false
			}
			if !only {
				kept = append(kept, i)
				continue
			}
			q.settled[i] = int32(b)
			for j := range q.base {
				q.base[j] += v.value[j][b]
			}
			if v.rows != nil {
				row := v.row(int32(b))
				for w := range root {
					root[w] &= row[w]
				}
				again = true
			}
		}
		q.free = kept
	}
	for i := range v.trees { // a later tree may have emptied an earlier one
		if b, _ := v.trees[i].first(root); b < 0 {
			return false
		}
	}
	return true
}

// plausible tells whether the best leaf of each tree leaves the goal open.
func (q *query) plausible(set []uint64) bool {
	sum := q.base[0]
	for _, t := range q.free {
		b, _ := q.v.trees[t].first(set)
		if b < 0 {
			return false
		}
		sum += q.v.value[0][b]
	}
	return q.v.goal[0].mayHold(sum, q.loose) && q.others(set)
}

// others bounds the half-spaces behind the first.
func (q *query) others(set []uint64) bool {
	for j := 1; j < len(q.v.goal); j++ {
		value, sum := q.v.value[j], q.base[j]
		for _, i := range q.free {
			t := &q.v.trees[i]
			best := math.Inf(-1)
			for w := t.word; w < t.word+t.words; w++ {
				for m := set[w] & t.mask; m != 0; m &= m - 1 {
					best = max(best, value[w*64+bits.TrailingZeros64(m)])
				}
			}
			sum += best
		}
		if !q.v.goal[j].mayHold(sum, q.loose) {
			return false
		}
	}
	return true
}

// order sorts the free trees by how much their leaves differ.
func (q *query) order(root []uint64) {
	keys := make([]float64, len(q.v.trees))
	for _, i := range q.free {
		keys[i] = q.v.spread(root, i)
	}
	sortByKey(q.free, keys)
}

// spread is how much the leaves of a tree that are left in a set differ.
func (v *view) spread(set []uint64, i int32) float64 {
	t := &v.trees[i]
	best, _ := t.first(set)
	for w := t.word + t.words - 1; w >= t.word; w-- {
		if m := set[w] & t.mask; m != 0 {
			return v.value[0][best] - v.value[0][w*64+63-bits.LeadingZeros64(m)]
		}
	}
	return 0
}

// boxed says that leaves that share an input in pairs may share none together,
// or that distances add up, so that regions are kept on the way.
func (q *query) boxed() bool { return q.norm != Linf || len(q.g.cats) > 0 }

// smaller is the same query over the leaves of a set, of the trees that have
// several there. A tree with one alone takes every input within the limit to it.
func (q *query) smaller(set []uint64) *query {
	sums := make([]float64, len(q.v.goal))
	var trees []int32
	for i := range q.v.trees {
		t := &q.v.trees[i]
		b, only := t.first(set)
		if !only {
			trees = append(trees, t.tree)
			continue
		}
		for j := range sums {
			sums[j] += q.v.value[j][b]
		}
	}
	v := q.g.newView(q.v.goal, trees, func(l int32) bool {
		b := q.v.bitOf[l]
		return b >= 0 && set[b/64]>>(b%64)&1 == 1
	}, q.r.missing)
	for j := range sums {
		v.const0[j] += sums[j]
	}
	s := &query{g: q.g, v: v, r: q.r, norm: q.norm, slack: q.slack, loose: q.loose, budget: q.budget, stop: q.stop, dist: make([]float64, len(v.leafAt))}
	if q.accept != nil {
		set = slices.Clone(set)
		s.accept = func([]int32) bool { return q.accept(q.complete(set, s)) }
	}
	for b, l := range v.leafAt {
		s.dist[b] = math.Inf(1)
		if l >= 0 {
			s.dist[b] = q.dist[q.v.bitOf[l]]
		}
	}
	return s
}

// complete is a smaller query's choice with the leaves of the trees that have one alone in a set.
func (q *query) complete(set []uint64, s *query) []int32 {
	out, k := make([]int32, len(q.v.trees)), 0
	for i := range q.v.trees {
		t := &q.v.trees[i]
		if b, only := t.first(set); only {
			out[i] = q.v.leafAt[b]
			continue
		}
		out[i] = s.choice[k]
		k++
	}
	return out
}

// branch tries the leaves of the tree at a depth, best first.
func (q *query) branch(depth int, set []uint64) verdict {
	v := q.v
	if depth == len(q.free) {
		return q.finish(set)
	}
	t := &v.trees[q.free[depth]]
	value := v.value[0]
	next := q.mask(depth + 1)
	set = q.mask(depth) // the working sets may have moved
	rest := q.free[depth+1:]
	for w := t.word; w < t.word+t.words; w++ {
		for m := set[w] & t.mask; m != 0; m &= m - 1 {
			b := int32(w*64 + bits.TrailingZeros64(m))
			q.boxes++
			q.budget -= 1 + len(q.free)/256 // boxes of many trees take longer
			if q.budget <= 0 || q.boxes&0xff == 0 && q.stop() {
				return unknown
			}
			row := v.row(b)
			for i := range next {
				next[i] = set[i] & row[i]
			}
			sum := q.base[0]
			for _, i := range q.free[:depth] {
				fb, _ := v.trees[i].first(next)
				sum += value[fb]
			}
			sum += value[b]
			dead := false
			for _, i := range rest {
				fb, _ := v.trees[i].first(next)
				if fb < 0 {
					dead = true
					break
				}
				sum += value[fb]
			}
			if dead || !v.goal[0].mayHold(sum, q.loose) {
				continue
			}
			if len(v.goal) > 1 && !q.others(next) {
				continue
			}
			if q.boxed() && !q.shrink(depth, b) {
				continue
			}
			if got := q.branch(depth+1, next); got != none {
				return got
			}
			next = q.mask(depth + 1)
			set = q.mask(depth)
		}
	}
	return none
}

// finish checks a complete choice.
func (q *query) finish(set []uint64) verdict {
	v := q.v
	choice := q.choice[:0]
	for i := range v.trees {
		b := q.settled[i]
		if b < 0 {
			fb, _ := v.trees[i].first(set)
			b = int32(fb)
		}
		choice = append(choice, v.leafAt[b])
	}
	q.choice = choice
	if !q.meets(choice, -q.slack) || !(q.reach(choice) <= q.limit) || q.accept != nil && !q.accept(choice) {
		return none
	}
	return found
}

// meets adds a choice up in the order of the trees and compares by a margin: a
// negative one lets through what may meet the goal.
func (q *query) meets(choice []int32, margin float64) bool {
	for j := range q.v.goal {
		h := &q.v.goal[j]
		sum := q.v.const0[j]
		for _, l := range choice {
			sum += q.g.leaves[l].value(h.Weights)
		}
		if margin >= 0 && !h.holds(sum, margin) || margin < 0 && !h.mayHold(sum, -margin) {
			return false
		}
	}
	return true
}
