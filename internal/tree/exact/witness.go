package exact

import (
	"math"
	"slices"
)

// area is the input region of a choice: per feature a range, per category
// variable the options, and the joined distance from the row to it.
type area struct {
	lo, hi, limit []float32
	mask          []uint64
	far           float64
}

// whole is the region of everything that the row can become.
func (q *query) whole(a *area) {
	a.lo = append(a.lo[:0], q.r.lo...)
	a.hi = append(a.hi[:0], q.r.hi...)
	a.limit = append(a.limit[:0], q.r.hi...)
	a.mask = a.mask[:0]
	if q.g.catLen > 0 {
		a.mask = append(a.mask, q.r.can...)
	}
	a.far = q.r.start
}

func (a *area) set(b *area) {
	a.lo = append(a.lo[:0], b.lo...)
	a.hi = append(a.hi[:0], b.hi...)
	a.limit = append(a.limit[:0], b.limit...)
	a.mask = append(a.mask[:0], b.mask...)
	a.far = b.far
}

// add narrows a region by a leaf; false: nothing is left.
func (q *query) add(a *area, l *leaf) bool {
	for i := range l.spans {
		s := &l.spans[i]
		f := s.feature
		if q.r.missing != nil && q.r.missing[f] {
			continue
		}
		if s.lo <= a.lo[f] && s.hi >= a.hi[f] {
			continue
		}
		before := q.part(a, f)
		a.lo[f] = max(a.lo[f], s.lo)
		if s.hi < a.hi[f] {
			a.hi[f], a.limit[f] = s.hi, s.limit
		}
		if a.lo[f] > a.hi[f] {
			return false
		}
		a.far = q.replace(a.far, before, q.part(a, f))
	}
	if l.mask == nil {
		return true
	}
	for i := range q.g.cats {
		_, before := q.g.pick(q.r, i, a.mask)
		c := &q.g.cats[i]
		for w := c.word; w < c.word+c.words(); w++ {
			a.mask[w] &= l.mask[w]
		}
		o, after := q.g.pick(q.r, i, a.mask)
		if o < 0 {
			return false
		}
		if q.norm == Linf {
			a.far = max(a.far, after)
		} else {
			a.far += after - before
		}
	}
	return true
}

// part is a feature's weighted distance from the row to a region.
func (q *query) part(a *area, f int32) float64 {
	x := q.r.x[f]
	w := q.g.feats[f].weight
	switch {
	case x < a.lo[f]:
		return (float64(a.lo[f]) - float64(x)) * w
	case x > a.hi[f]:
		return (float64(x) - float64(a.limit[f])) * w
	}
	return 0
}

// replace puts one feature's part in place of another that is not larger.
func (q *query) replace(sum, before, after float64) float64 {
	switch q.norm {
	case L1:
		return sum + (after - before)
	case L2:
		return sum + (after*after - before*before)
	}
	return max(sum, after)
}

// region is what a choice leaves; false: nothing.
func (q *query) region(choice []int32, a *area) bool {
	q.whole(a)
	for _, l := range choice {
		if !q.add(a, &q.g.leaves[l]) {
			return false
		}
	}
	return true
}

// reach is the joined distance of a choice; +Inf: its leaves share no input.
func (q *query) reach(choice []int32) float64 {
	if !q.region(choice, &q.scratch) {
		return math.Inf(1)
	}
	return q.scratch.far
}

// shrink keeps the region of the leaves that were chosen down to a depth; false:
// nothing is left of it within the limit.
func (q *query) shrink(depth int, bit int32) bool {
	for len(q.area) < depth+2 {
		q.area = append(q.area, area{})
	}
	if depth == 0 {
		q.whole(&q.area[0])
		for _, b := range q.settled {
			if b >= 0 && !q.add(&q.area[0], &q.g.leaves[q.v.leafAt[b]]) {
				return false
			}
		}
	}
	a := &q.area[depth+1]
	a.set(&q.area[depth])
	return q.add(a, &q.g.leaves[q.v.leafAt[bit]]) && a.far <= q.limit
}

// pick is the nearest option of a variable in a mask.
func (g *Engine) pick(r *row, cat int, mask []uint64) (option int, d float64) {
	c := &g.cats[cat]
	option, d = -1, math.Inf(1)
	for o := range c.options {
		if mask[c.word+o/64]>>(o%64)&1 == 1 && r.option[64*c.word+o] < d {
			option, d = o, r.option[64*c.word+o]
		}
	}
	return option, d
}

// witness is the input of a region that is nearest to the row.
func (q *query) witness(a *area) []float32 {
	x := slices.Clone(q.r.at)
	for f := range x {
		if (q.r.missing == nil || !q.r.missing[f]) && q.g.catOf[f] < 0 {
			x[f] = min(max(x[f], a.lo[f]), a.hi[f])
		}
	}
	for i := range q.g.cats {
		c := &q.g.cats[i]
		o, _ := q.g.pick(q.r, i, a.mask)
		for _, f := range c.features {
			x[f] = c.value(o, f)
		}
	}
	return x
}

// take keeps the input of a choice when it surely meets the goal, can occur and
// is the nearest so far. False: it does not, or cannot.
func (s *search) take(q *query, choice []int32, index int) bool {
	if !q.meets(choice, s.o.Slack) || !q.region(choice, &q.scratch) {
		return false
	}
	x := q.witness(&q.scratch)
	if s.o.Accept != nil {
		y, ok := s.o.Accept(slices.Clone(x))
		if !ok || len(y) != len(x) {
			return false
		}
		if !slices.Equal(x, y) && !s.g.meets(y, q.v.goal, s.o.Slack) {
			return false
		}
		x = y
	}
	if d := s.distance(x); d < s.res.Upper {
		s.res.Upper, s.res.Witness, s.res.Goal = d, x, index
	}
	return true
}
