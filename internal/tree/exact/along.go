package exact

import (
	"math"
	"slices"
)

// number finds the values at which the ensemble's splits cut each feature, and
// numbers the nodes by them.
func (g *Engine) number() {
	g.cuts = make([][]float32, len(g.feats))
	each := func(do func(n *node)) {
		for t := range g.trees {
			for i := range g.trees[t].nodes {
				if n := &g.trees[t].nodes[i]; !n.cat {
					do(n)
				}
			}
		}
	}
	each(func(n *node) { g.cuts[n.feature] = append(g.cuts[n.feature], n.t) })
	for f := range g.cuts {
		slices.Sort(g.cuts[f])
		g.cuts[f] = slices.Clip(slices.Compact(g.cuts[f]))
	}
	each(func(n *node) {
		at, _ := slices.BinarySearch(g.cuts[n.feature], n.t)
		n.cut = int32(at)
	})
}

// step of a feature: the number of cuts at or below a value.
func (g *Engine) stepOf(f int, v float32) int {
	at, found := slices.BinarySearch(g.cuts[f], v)
	if found {
		at++
	}
	return at
}

// search finds the place of a variable, within a width and with all else as in x,
// that is better than the others; false: there is none but where x is.
func (c *climber) search(x []float32, p place, limit float64, better func(a, b place) bool) (place, bool) {
	var best place
	some := false
	offer := func(to place) {
		if !some || better(to, best) {
			best, some = to, true
		}
	}
	if p.feature < 0 {
		c.options(x, p.cat, limit, offer)
		return best, some
	}
	f, g, r := p.feature, c.s.g, c.q.r
	lo, hi := c.ball(f, limit)
	first, last := g.stepOf(f, lo), g.stepOf(f, hi)
	if first == last {
		return best, false
	}
	c.along(x, f, first, last)
	rest := c.without(x, f)
	for k := first; k <= last; k++ {
		from, to := lo, hi
		if k > 0 {
			from = max(from, g.feats[f].from(g.cuts[f][k-1]))
		}
		if k < len(g.cuts[f]) {
			v, _ := g.feats[f].below(g.cuts[f][k])
			to = min(to, v)
		}
		if from > to {
			continue
		}
		v := min(max(r.at[f], from), to)
		offer(place{feature: f, cat: -1, value: v, score: c.least(k - first), far: c.q.norm.join(rest, g.far(r, f, v))})
	}
	return best, some
}

// without is the joined distance of x but for one feature.
func (c *climber) without(x []float32, f int) float64 {
	sum := 0.0
	for i := range x {
		if i != f {
			sum = c.q.norm.join(sum, c.s.g.far(c.q.r, i, x[i]))
		}
	}
	return sum
}

// offers tells whether a category variable can take an option that changes no feature by more than a limit.
func (c *climber) offers(cat, option int, limit float64) bool {
	v := &c.s.g.cats[cat]
	if math.IsInf(c.q.r.option[64*v.word+option], 1) {
		return false
	}
	for _, f := range v.features {
		if c.s.g.far(c.q.r, f, v.value(option, f)) > limit {
			return false
		}
	}
	return true
}

// options offers every option of a category variable within a limit.
func (c *climber) options(x []float32, cat int, limit float64, offer func(place)) {
	v := &c.s.g.cats[cat]
	was := c.picks[cat]
	for o := range v.options {
		if !c.offers(cat, o, limit) || c.spent() {
			continue
		}
		c.choose(x, cat, o)
		offer(place{feature: -1, cat: cat, option: o, score: c.score(x), far: c.far(x)})
	}
	c.choose(x, cat, was)
}

// least is by how much the half-space that is deepest below its limit is over
// it at a step of the last pass. Half-spaces that equality does not meet, and
// slack, lie as far above it as sums in float64 tell apart.
func (c *climber) least(step int) float64 {
	least := math.Inf(1)
	for j := range c.q.v.goal {
		h := &c.q.v.goal[j]
		m := c.sums[j][step] - h.Above - c.q.slack
		if c.q.slack > 0 || !h.OrEqual {
			m -= 0x1p-48 * (1 + math.Abs(h.Above))
		}
		least = min(least, m)
	}
	return least
}

// score is least at x.
func (c *climber) score(x []float32) float64 {
	c.along(x, -1, 0, 0)
	return c.least(0)
}

// along adds up the sums of the goal at the steps of feature f from first to last, with all else
// as in x; f of -1: at x alone.
func (c *climber) along(x []float32, f, first, last int) {
	c.s.passes--
	w := walker{c: c, x: x, f: int32(f), first: first}
	for j := range c.sums {
		c.sums[j] = slices.Grow(c.sums[j][:0], last-first+2)[:last-first+2]
		clear(c.sums[j])
		c.sums[j][0] = c.q.v.const0[j]
	}
	for i := range c.q.v.trees {
		w.t = &c.s.g.trees[c.q.v.trees[i].tree]
		w.down(w.t.root, first, last)
	}
	for j := range c.sums {
		for k := 1; k <= last-first; k++ {
			c.sums[j][k] += c.sums[j][k-1]
		}
	}
}

type walker struct {
	c     *climber
	t     *compiled
	x     []float32
	f     int32
	first int
}

// down adds the leaves below a node that the steps from low to high reach.
func (w *walker) down(at int32, low, high int) {
	g := w.c.s.g
	for at >= 0 {
		n := &w.t.nodes[at]
		left := false
		switch {
		case n.cat:
			o := w.c.picks[g.catOf[n.feature]]
			left = n.lefts[o/64]>>(o%64)&1 == 1
		case n.feature == w.f:
			if cut := int(n.cut); low <= cut && cut < high {
				w.down(n.left, low, cut)
				at, low = n.right, cut+1
				continue
			}
			left = high <= int(n.cut)
		default:
			v := w.x[n.feature]
			left = v < n.t || v != v && n.missing
		}
		at = n.right
		if left {
			at = n.left
		}
	}
	b := w.c.q.v.bitOf[^at]
	if b < 0 {
		return
	}
	for j := range w.c.sums {
		v := w.c.q.v.value[j][b]
		w.c.sums[j][low-w.first] += v
		w.c.sums[j][high-w.first+1] -= v
	}
}
