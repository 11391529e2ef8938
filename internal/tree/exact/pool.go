package exact

import (
	"cmp"
	"math"
	"slices"
)

const (
	// poolCliques bounds the choices that one pool of trees keeps, poolTries the pairs
	// that one question compares.
	poolCliques = 96
	poolTries   = 1 << 21
)

// clique is a choice of one leaf of each tree of a pool that share an input: a
// maximal clique of the graph of leaves that meet (Chen et al. 2019, section 3.2).
type clique struct {
	spans []span // those that bind within the ball
	mask  []uint64
	value float64
}

// pooled is apart for ensembles whose leaves are too many to compare in pairs.
// Trees that split alike within the ball stand together in pools, which grow as
// long as their cliques are few; the best clique of each pool adds to the bound.
func (q *query) pooled(limit float64) bool {
	p := &pooler{q: q, limit: limit, left: poolTries}
	j, ok := p.hardest()
	if !ok {
		return true
	}
	sum := p.settled[j]
	for len(p.open) > 0 {
		n, best := p.pool(q.v.value[j])
		sum += best
		p.open = p.open[n:]
	}
	return !q.v.goal[j].mayHold(sum, q.loose)
}

// pooler is one question's state.
type pooler struct {
	q       *query
	limit   float64
	left    int
	settled []float64  // per half-space: base values, and trees of which one leaf is near
	open    []openTree // the others, those that split alike together
	lo, hi  []float32  // the ball
}

type openTree struct {
	tree   *vtree
	cutter int32   // the feature of its first split within the ball
	at     float32 // and where
}

// hardest sorts the trees and is the half-space that the best leaf of each tree
// comes least over; false: a tree has no leaf near.
func (p *pooler) hardest() (half int, ok bool) {
	q := p.q
	p.ball()
	p.settled = slices.Clone(q.v.const0)
	top := make([]float64, len(q.v.goal))
	best := make([]float64, len(q.v.goal))
	for i := range q.v.trees {
		t := &q.v.trees[i]
		n := 0
		for j := range best {
			best[j] = math.Inf(-1)
		}
		p.each(t, func(b int) {
			n++
			for j := range best {
				best[j] = max(best[j], q.v.value[j][b])
			}
		})
		if n == 0 {
			return 0, false
		}
		to := top
		if n == 1 {
			to = p.settled
		} else {
			o := openTree{tree: t}
			o.cutter, o.at = p.cut(&q.g.trees[t.tree])
			p.open = append(p.open, o)
		}
		for j := range to {
			to[j] += best[j]
		}
	}
	slices.SortStableFunc(p.open, func(a, b openTree) int {
		return cmp.Or(cmp.Compare(a.cutter, b.cutter), cmp.Compare(a.at, b.at))
	})
	for j := range top {
		over := func(j int) float64 { return p.settled[j] + top[j] - q.v.goal[j].Above }
		if over(j) < over(half) {
			half = j
		}
	}
	return half, true
}

// ball finds where each feature can go within the limit.
func (p *pooler) ball() {
	r := p.q.r
	p.lo, p.hi = slices.Clone(r.lo), slices.Clone(r.hi)
	for f := range p.lo {
		by := p.limit / p.q.g.feats[f].weight
		x := float64(r.x[f])
		p.lo[f] = max(p.lo[f], math.Nextafter32(float32(x-by), float32(math.Inf(-1))))
		p.hi[f] = min(p.hi[f], math.Nextafter32(float32(x+by), float32(math.Inf(1))))
	}
}

// each calls do with the bits of the leaves of a tree that are near, the best
// for the first half-space first.
func (p *pooler) each(t *vtree, do func(bit int)) {
	for b := t.word * 64; b < (t.word+t.words)*64 && b < len(p.q.dist); b++ {
		if t.mask>>(b%64)&1 == 1 && p.q.dist[b] <= p.limit {
			do(b)
		}
	}
}

// cut is the first split of a tree that parts the ball.
func (p *pooler) cut(t *compiled) (feature int32, at float32) {
	for i := t.root; i >= 0; {
		n := &t.nodes[i]
		missing := p.q.r.missing != nil && p.q.r.missing[n.feature]
		switch {
		case n.cat, !missing && p.lo[n.feature] < n.t && p.hi[n.feature] >= n.t:
			return n.feature, n.t
		case missing && n.missing, !missing && p.hi[n.feature] < n.t:
			i = n.left
		default:
			i = n.right
		}
	}
	return -1, 0
}

// pool merges trees from the front while their cliques are few, and returns how
// many and the value of the best clique.
func (p *pooler) pool(value []float64) (trees int, best float64) {
	now := []clique{{}}
	for trees < len(p.open) && p.left > 0 {
		next := p.merge(now, &p.open[trees], value)
		if next == nil {
			break
		}
		now = next
		trees++
	}
	if trees == 0 { // one that is too large, or out of tries: its best leaf alone
		best = math.Inf(-1)
		p.each(p.open[0].tree, func(b int) { best = max(best, value[b]) })
		return 1, best
	}
	best = math.Inf(-1)
	for i := range now {
		best = max(best, now[i].value)
	}
	return trees, best
}

// merge is every clique with every leaf of a tree that is near and meets it;
// nil: they are too many.
func (p *pooler) merge(now []clique, o *openTree, value []float64) []clique {
	var near []int
	p.each(o.tree, func(b int) { near = append(near, b) })
	next := make([]clique, 0, min(poolCliques, 2*len(now)))
	for i := range now {
		for _, b := range near {
			c, ok := p.join(&now[i], &p.q.g.leaves[p.q.v.leafAt[b]])
			if p.left--; !ok {
				continue
			}
			if len(next) >= poolCliques && len(now) > 1 || p.left <= 0 {
				return nil
			}
			c.value = now[i].value + value[b]
			next = append(next, c)
		}
	}
	return next
}

// join narrows a clique by a leaf; false: they share no input of the ball.
func (p *pooler) join(c *clique, l *leaf) (clique, bool) {
	q := p.q
	out := clique{spans: c.spans, mask: c.mask}
	own := false
	for i := range l.spans {
		s := l.spans[i]
		f := s.feature
		if q.r.missing != nil && q.r.missing[f] || s.lo <= p.lo[f] && s.hi >= p.hi[f] {
			continue
		}
		k := slices.IndexFunc(out.spans, func(o span) bool { return o.feature == f })
		if k >= 0 && s.lo <= out.spans[k].lo && s.hi >= out.spans[k].hi {
			continue
		}
		if !own {
			out.spans, own = append(make([]span, 0, len(out.spans)+len(l.spans)), out.spans...), true
		}
		if k < 0 {
			out.spans = append(out.spans, s)
			continue
		}
		o := &out.spans[k]
		o.lo = max(o.lo, s.lo)
		if s.hi < o.hi {
			o.hi, o.limit = s.hi, s.limit
		}
		if o.lo > o.hi {
			return out, false
		}
	}
	if l.mask != nil {
		if out.mask = slices.Clone(l.mask); c.mask != nil {
			for w := range out.mask {
				out.mask[w] &= c.mask[w]
			}
			if !q.g.meet(l.mask, c.mask) {
				return out, false
			}
		}
	}
	return out, q.norm == Linf || p.within(out.spans)
}

// within tells whether the distance to spans is within the limit where a norm adds up.
func (p *pooler) within(spans []span) bool {
	sum := 0.0
	for i := range spans {
		s := &spans[i]
		x, w := p.q.r.x[s.feature], p.q.g.feats[s.feature].weight
		switch {
		case x < s.lo:
			sum = p.q.norm.join(sum, (float64(s.lo)-float64(x))*w)
		case x > s.hi:
			sum = p.q.norm.join(sum, (float64(x)-float64(s.limit))*w)
		}
	}
	return sum <= p.limit*(1+near)
}
