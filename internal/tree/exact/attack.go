package exact

import (
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"
)

// greedy looks for a choice that meets the goal without backtracking: tree by
// tree the best leaf that shares an input with those before it, within a
// distance that grows until the sum is enough. nil: it found none.
func (s *search) greedy(q *query) []int32 {
	limits := slices.DeleteFunc(slices.Clone(q.dist), func(v float64) bool { return math.IsInf(v, 1) })
	slices.Sort(limits)
	limits = slices.Compact(limits)
	var best []int32
	lo, hi := 0, len(limits)
	if hi == 0 {
		return nil
	}
	at := hi - 1
	for lo < hi && (best == nil && at == len(limits)-1 || !s.past(0.4)) {
		if got := q.dive(limits[at]); got != nil {
			best, hi = got, at
		} else {
			lo = at + 1
		}
		at = (lo + hi) / 2
	}
	return best
}

// samples is how many inputs scatter tries.
const samples = 256

// scatter looks for a choice that meets the goal at inputs that differ from the
// row in few, some or all features, each at the end of a range that some leaf
// has. It returns the nearest; nil: none met the goal.
func (s *search) scatter(q *query) []int32 {
	var best []int32
	reach := math.Inf(1)
	r := rand.New(rand.NewPCG(uint64(len(q.v.trees)), samples))
	choice := make([]int32, len(q.v.trees))
	for k := range samples {
		if s.ctx.Err() != nil || k > 8 && s.past(0.25) || s.passes <= 0 {
			break
		}
		s.passes--
		x := s.point(q, r, []float64{0.1, 0.25, 0.5, 1}[k%4])
		if !q.leavesOf(x, choice) || !q.meets(choice, q.slack) {
			continue
		}
		if d := q.reach(choice); d < reach {
			best, reach = slices.Clone(choice), d
		}
	}
	return best
}

// point is an input that differs from the row in about a share of the features.
func (s *search) point(q *query, r *rand.Rand, share float64) []float32 {
	x := slices.Clone(q.r.at)
	for range len(x) * 4 {
		l := &s.g.leaves[r.IntN(len(s.g.leaves))]
		if len(l.spans) == 0 || r.Float64() >= share/2 {
			continue
		}
		p := l.spans[r.IntN(len(l.spans))]
		if q.r.missing != nil && q.r.missing[p.feature] || s.g.catOf[p.feature] >= 0 || p.lo > p.hi {
			continue
		}
		v := p.lo
		if r.IntN(2) == 0 {
			v = p.hi
		}
		if v == math.MaxFloat32 || v == -math.MaxFloat32 {
			continue // a range without an end
		}
		x[p.feature] = min(max(v, q.r.lo[p.feature]), q.r.hi[p.feature])
	}
	for i := range s.g.cats {
		c := &s.g.cats[i]
		o, _ := s.g.pick(q.r, i, q.r.can)
		if r.Float64() < share {
			if p := r.IntN(c.options); !math.IsInf(q.r.option[64*c.word+p], 1) {
				o = p
			}
		}
		for _, f := range c.features {
			x[f] = c.value(o, f)
		}
	}
	return x
}

// leavesOf is the choice that an input makes.
func (q *query) leavesOf(x []float32, choice []int32) bool {
	for i := range choice {
		l := q.g.leafOf(&q.g.trees[q.v.trees[i].tree], x)
		if l < 0 {
			return false
		}
		choice[i] = l
	}
	return true
}

// dive is one greedy descent.
func (q *query) dive(limit float64) []int32 {
	v := q.v
	order := make([]int32, len(v.trees))
	keys := make([]float64, len(v.trees))
	for i := range order {
		order[i] = int32(i)
		keys[i] = v.spread(v.alive, int32(i))
	}
	sortByKey(order, keys)
	choice := make([]int32, len(v.trees))
	var now, try area
	q.whole(&now)
	for _, i := range order {
		t := &v.trees[i]
		taken := false
		for w := t.word; w < t.word+t.words && !taken; w++ {
			for m := v.alive[w] & t.mask; m != 0 && !taken; m &= m - 1 {
				b := w*64 + bits.TrailingZeros64(m)
				if q.dist[b] > limit {
					continue
				}
				try.set(&now)
				if q.add(&try, &q.g.leaves[v.leafAt[b]]) && try.far <= limit {
					choice[i], taken = v.leafAt[b], true
					now, try = try, now
				}
			}
		}
		if !taken {
			return nil
		}
	}
	if !q.meets(choice, q.slack) {
		return nil
	}
	return choice
}

// descend walks from a choice to nearer ones that differ in one tree, until none
// is nearer: the leaf-tuple neighbourhood of Zhang, Zhang and Hsieh 2020. Only
// trees that hold the region away from the row are tried.
func (s *search) descend(q *query, choice []int32) []int32 {
	if choice == nil || !q.meets(choice, q.slack) {
		return nil
	}
	now := slices.Clone(choice)
	sums := make([]float64, len(q.v.goal))
	var all, others, try area
	for s.passes > 0 && !s.past(0.7) && q.region(now, &all) {
		for j := range sums {
			sums[j] = q.v.const0[j]
			for _, l := range now {
				sums[j] += q.g.leaves[l].value(q.v.goal[j].Weights)
			}
		}
		best, at, far := int32(-1), -1, all.far
		for i, held := range now {
			if !q.binds(&all, &q.g.leaves[held]) {
				continue
			}
			s.passes--
			q.whole(&others)
			for k, l := range now {
				if k != i {
					q.add(&others, &q.g.leaves[l])
				}
			}
			if others.far >= far {
				continue
			}
			t := &q.g.trees[q.v.trees[i].tree]
			for l := t.first; l < t.end; l++ {
				b := q.v.bitOf[l]
				if b < 0 || l == held || q.dist[b] >= far || !q.swapped(sums, held, l) {
					continue
				}
				try.set(&others)
				if q.add(&try, &q.g.leaves[l]) && try.far < far {
					best, at, far = l, i, try.far
				}
			}
		}
		if at < 0 {
			break
		}
		now[at] = best
	}
	return now
}

// binds tells whether a leaf is one that holds a region away from the row.
func (q *query) binds(a *area, l *leaf) bool {
	if l.mask != nil {
		return true
	}
	for i := range l.spans {
		s := &l.spans[i]
		p := q.part(a, s.feature)
		if p == 0 || q.norm == Linf && p < a.far {
			continue
		}
		x := q.r.x[s.feature]
		if x < s.lo && s.lo == a.lo[s.feature] || x > s.hi && s.hi == a.hi[s.feature] {
			return true
		}
	}
	return false
}

// swapped tells whether the goal surely holds with one leaf in place of another.
func (q *query) swapped(sums []float64, from, to int32) bool {
	for j := range q.v.goal {
		h := &q.v.goal[j]
		sum := sums[j] - q.g.leaves[from].value(h.Weights) + q.g.leaves[to].value(h.Weights)
		if !h.holds(sum, max(q.slack, q.loose)) {
			return false
		}
	}
	return true
}
