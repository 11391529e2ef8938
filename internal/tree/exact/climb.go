package exact

import (
	"cmp"
	"math"
	"slices"
)

// climb looks for an input that meets the goal by exact searches along one
// feature at a time: with all else held, the sums are step functions of a
// feature, which one pass over the trees gives whole. Where a norm adds up it
// first takes the steps that bring most for their distance. Then it rises within
// boxes around the row that halve. Either way it takes back what is not needed. It begins
// where best leads, if there is one, and returns the leaves of what it found, or nil.
func (s *search) climb(q *query, best []int32) []int32 {
	c := &climber{s: s, q: q, sums: make([][]float64, len(q.v.goal)), picks: make([]int, len(s.g.cats)), best: best}
	if best != nil && q.region(best, &q.scratch) {
		c.from = q.witness(&q.scratch)
	}
	if q.norm != Linf {
		c.steep = true
		if x, ok := c.rise(nil, math.Inf(1)); ok {
			c.keep(x, math.Inf(1))
		}
		c.steep = false
	}
	limit, low := c.widest(), 0.0
	if c.from != nil {
		limit = min(limit, c.width(c.from))
	}
	for try := 0; !c.spent() && (try == 0 || limit-low > limit/128); try++ {
		at := limit
		if try > 0 || c.from != nil {
			at = low + (limit-low)/2
		}
		x, ok := c.rise(c.from, at)
		if !ok && c.from != nil {
			x, ok = c.rise(nil, at)
		}
		switch {
		case ok:
			limit = min(at, c.width(x))
			c.keep(x, at)
		case try == 0 && c.from == nil:
			return nil
		default:
			low = at
		}
	}
	return c.best
}

// keep takes back what x need not change and remembers it if it is the nearest.
func (c *climber) keep(x []float32, limit float64) {
	c.retreat(x, limit)
	choice := make([]int32, len(c.q.v.trees))
	if c.q.leavesOf(x, choice) && c.q.meets(choice, c.q.slack) && (c.best == nil || c.q.reach(choice) < c.q.reach(c.best)) {
		c.best, c.from = choice, x
	}
}

// width is the largest weighted change of a feature in x.
func (c *climber) width(x []float32) float64 {
	most := 0.0
	for f := range x {
		most = max(most, c.s.g.far(c.q.r, f, x[f]))
	}
	return most
}

// widest is a width that every cut lies within.
func (c *climber) widest() float64 {
	r, most := c.q.r, c.width(c.q.r.at)
	for f, cuts := range c.s.g.cuts {
		if len(cuts) > 0 && !(r.missing != nil && r.missing[f]) {
			below, _ := c.s.g.feats[f].below(cuts[0])
			for _, v := range []float32{below, c.s.g.feats[f].from(cuts[len(cuts)-1])} {
				most = max(most, c.s.g.far(r, f, min(max(v, r.lo[f]), r.hi[f])))
			}
		}
	}
	for i := range c.s.g.cats {
		for _, f := range c.s.g.cats[i].features {
			most = max(most, c.s.g.far(r, f, r.lo[f]), c.s.g.far(r, f, r.hi[f]))
		}
	}
	return most
}

// climber is one climb's working space.
type climber struct {
	s     *search
	q     *query
	sums  [][]float64 // per half-space and step
	picks []int       // per category variable: the option that x has
	steep bool        // steps that bring most for their distance, one at a time
	best  []int32     // the nearest leaves that were found
	from  []float32   // and an input that reaches them
}

func (c *climber) spent() bool { return c.s.passes <= 0 || c.s.past(0.4) }

// place is a change of one feature, or of one category variable.
type place struct {
	feature int // of a category variable: -1
	cat     int
	option  int
	value   float32
	score   float64 // the least of the sums over its limit
	far     float64 // joined distance
}

// start is the row, or x brought into the box of a width around it.
func (c *climber) start(x []float32, limit float64) []float32 {
	r := c.q.r
	y := slices.Clone(r.at)
	if x != nil {
		for f, v := range x {
			if c.s.g.catOf[f] < 0 && !(r.missing != nil && r.missing[f]) {
				lo, hi := c.ball(f, limit)
				y[f] = min(max(v, lo), hi)
			}
		}
	}
	for i := range c.s.g.cats {
		o, _ := c.s.g.pick(r, i, r.can)
		if x != nil {
			if p := c.s.g.cats[i].option(x); p >= 0 && c.offers(i, p, limit) {
				o = p
			}
		}
		c.choose(y, i, o)
	}
	return y
}

func (c *climber) choose(x []float32, cat, option int) {
	v := &c.s.g.cats[cat]
	c.picks[cat] = option
	for _, f := range v.features {
		x[f] = v.value(option, f)
	}
}

// ball is the range of feature f whose change is within a limit.
func (c *climber) ball(f int, limit float64) (lo, hi float32) {
	r, by := c.q.r, limit/c.s.g.feats[f].weight
	lo, hi = r.lo[f], r.hi[f]
	x := float64(r.x[f])
	if v := float32(x - by); v > lo {
		if lo = v; float64(v) < x-by {
			lo = math.Nextafter32(v, float32(math.Inf(1)))
		}
	}
	if v := float32(x + by); v < hi {
		if hi = v; float64(v) > x+by {
			hi = math.Nextafter32(v, float32(math.Inf(-1)))
		}
	}
	if c.s.g.feats[f].whole {
		lo, hi = float32(math.Ceil(float64(lo))), float32(math.Floor(float64(hi)))
	}
	return min(lo, r.at[f]), max(hi, r.at[f])
}

// far is the joined distance of x.
func (c *climber) far(x []float32) float64 {
	sum := 0.0
	for f := range x {
		sum = c.q.norm.join(sum, c.s.g.far(c.q.r, f, x[f]))
	}
	return sum
}

// rounds is how often all features are gone through without a gain in one of them.
const rounds = 6

// rise goes uphill within a width until the goal is met; false: it got stuck.
func (c *climber) rise(from []float32, limit float64) ([]float32, bool) {
	x := c.start(from, limit)
	now := c.score(x)
	for range rounds {
		var steepest place
		gain, moved := 0.0, false
		for _, p := range c.variables() {
			if now >= 0 && c.met(x) {
				return x, true
			}
			if c.spent() {
				return nil, false
			}
			better := func(a, b place) bool {
				return a.score > b.score || a.score == b.score && a.far < b.far
			}
			if c.steep { // what brings most for its distance, up to the goal
				here := c.far(x)
				rate := func(p place) float64 {
					return (min(p.score, 0) - now) / max(p.far-here, 1e-12)
				}
				better = func(a, b place) bool { return rate(a) > rate(b) }
			}
			to, ok := c.search(x, p, limit, better)
			if !ok || to.score <= now {
				continue
			}
			if !c.steep {
				c.move(x, to)
				now, moved = to.score, true
				continue
			}
			if g := (min(to.score, 0) - now) / max(to.far-c.far(x), 1e-12); g > gain {
				gain, steepest, moved = g, to, true
			}
		}
		if !moved {
			break
		}
		if c.steep {
			c.move(x, steepest)
			now = steepest.score
		}
	}
	return x, now >= 0 && c.met(x)
}

// retreat takes each change back as far as the goal stays met.
func (c *climber) retreat(x []float32, limit float64) {
	r := c.q.r
	for range 2 {
		back := false
		variables := c.variables()
		slices.SortStableFunc(variables, func(a, b place) int { return cmp.Compare(c.change(x, b), c.change(x, a)) })
		for _, p := range variables {
			if c.change(x, p) == 0 || c.spent() {
				continue
			}
			was, far := slices.Clone(x), c.far(x)
			to, ok := c.search(x, p, limit, func(a, b place) bool {
				return a.score >= 0 && (b.score < 0 || a.far < b.far || a.far == b.far && a.feature >= 0 && math.Abs(float64(a.value-r.at[a.feature])) < math.Abs(float64(b.value-r.at[b.feature])))
			})
			if !ok || to.score < 0 {
				continue
			}
			c.move(x, to)
			if c.met(x) && c.far(x) <= far {
				back = back || !slices.Equal(was, x)
				continue
			}
			copy(x, was)
			c.start(x, math.Inf(1)) // the options that x has
		}
		if !back {
			return
		}
	}
}

// change is the distance that a variable alone adds.
func (c *climber) change(x []float32, p place) float64 {
	if p.feature >= 0 {
		return c.s.g.far(c.q.r, p.feature, x[p.feature])
	}
	v := &c.s.g.cats[p.cat]
	return c.q.r.option[64*v.word+c.picks[p.cat]]
}

// variables are what can change.
func (c *climber) variables() []place {
	var out []place
	for f := range c.q.r.x {
		if c.s.g.catOf[f] < 0 && c.q.r.lo[f] < c.q.r.hi[f] && !(c.q.r.missing != nil && c.q.r.missing[f]) && len(c.s.g.cuts[f]) > 0 {
			out = append(out, place{feature: f, cat: -1})
		}
	}
	for i := range c.s.g.cats {
		out = append(out, place{feature: -1, cat: i})
	}
	return out
}

func (c *climber) move(x []float32, to place) {
	if to.feature >= 0 {
		x[to.feature] = to.value
		return
	}
	c.choose(x, to.cat, to.option)
}

// met tells whether x surely meets the goal.
func (c *climber) met(x []float32) bool {
	c.s.passes--
	return c.s.g.meets(x, c.q.v.goal, c.q.slack)
}
