package exact

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"
)

// Options bound a search and say what counts.
type Options struct {
	Norm Norm
	// Slack is how far the runtime's sums may lie from the exact ones; see
	// Engine.Rounding. What is proved then holds for every such runtime, and what
	// is found as well. 0: sums in float64 decide.
	Slack float64
	// Boxes bounds the boxes that are tried, Time the time; 0 is no bound. What is
	// proved and what is found stays right when they run out.
	Boxes int
	Time  time.Duration
	// Accept, where there is one, says whether an input that was found can really
	// occur (relations between features), or puts another in its place that can.
	// Proofs do not use it, so they hold with it, and the search goes on until
	// it finds an input that is accepted; the result may then not be exact.
	Accept func(x []float32) ([]float32, bool)
}

// Result is what is known of a row. Distances are in the space's weighted units.
type Result struct {
	// Lower is proved: no feasible input strictly nearer meets the aim. It is the
	// infimum where Exact; +Inf says that no feasible input at all meets the aim.
	Lower float64
	// Upper is the distance of Witness; +Inf where none was found.
	Upper   float64
	Witness []float32
	// Exact says that the search ended: Lower is the infimum of the distances, and
	// Witness, where there is one, is within float32 resolution of it.
	Exact bool
	// Goal is the index of the aim's list that Witness meets, or -1.
	Goal  int
	Boxes int
	Time  time.Duration
}

// Search finds the least distance from x at which a feasible input meets the
// aim. It stops early, with bounds that hold, when ctx ends or the budget does.
func (g *Engine) Search(ctx context.Context, x []float32, aim Aim, o Options) (Result, error) {
	start := time.Now()
	res := Result{Lower: math.Inf(1), Upper: math.Inf(1), Exact: true, Goal: -1}
	if err := g.checkAim(aim); err != nil {
		return res, err
	}
	if o.Slack < 0 || o.Slack != o.Slack {
		return res, fmt.Errorf("search: slack %v\nhint: it is 0 or above", o.Slack)
	}
	r, ok, err := g.place(x, o.Norm)
	if err != nil {
		return res, err
	}
	if !ok {
		res.Time = time.Since(start)
		return res, nil
	}
	s := &search{g: g, r: r, o: o, res: &res, start: start, ctx: ctx, boxes: o.Boxes}
	if s.boxes <= 0 {
		s.boxes = math.MaxInt
	}
	for i, goal := range aim {
		s.goal(i, goal)
	}
	if res.Lower > res.Upper { // the infimum of one goal lies above the input found for another
		res.Lower = res.Upper
	}
	res.Time = time.Since(start)
	return res, nil
}

type search struct {
	g     *Engine
	r     *row
	o     Options
	res   *Result
	start time.Time
	ctx   context.Context
	boxes int // left
	best  float64
}

func (s *search) over() bool {
	return s.ctx.Err() != nil || s.o.Time > 0 && time.Since(s.start) > s.o.Time
}

// goal searches for one list of half-spaces, nearer than what is known.
func (s *search) goal(index int, goal []Half) {
	v := s.g.view(goal)
	if s.r.missing != nil {
		v = s.g.newView(goal, nil, s.r.missing)
	}
	q := &query{g: s.g, v: v, r: s.r, slack: s.o.Slack, loose: s.o.Slack, stop: s.over, dist: make([]float64, len(v.leafAt))}
	for _, h := range goal {
		for o, w := range h.Weights {
			q.loose = max(q.loose, s.o.Slack+math.Abs(w)*(s.g.spread[o]+math.Abs(s.g.base[o]))*float64(len(v.trees)+2)*0x1p-52)
		}
	}
	s.g.distances(v, s.r, q.dist)
	lower, exact := s.linf(q, index)
	s.res.Lower = min(s.res.Lower, lower)
	s.res.Exact = s.res.Exact && exact
}

// linf finds the infimum by bisection over the distances of leaves: the
// distance of a choice of leaves that share an input is the largest of theirs.
func (s *search) linf(q *query, index int) (lower float64, exact bool) {
	proved := math.Inf(-1) // no input within it
	reach := math.Inf(1)   // of the nearest choice that may meet the goal
	var choice []int32
	limit := s.bound(q)
	for {
		next := q.after(proved)
		if next >= reach || math.IsInf(next, 1) {
			break
		}
		if limit < next {
			limit = next
		}
		if s.boxes <= 0 || s.over() {
			return next, false
		}
		q.budget, q.boxes = s.boxes, 0
		got := q.within(limit)
		s.boxes -= q.boxes
		s.res.Boxes += q.boxes
		switch got {
		case found:
			reach = q.reach(q.choice)
			choice = append(choice[:0], q.choice...)
			s.take(q, choice, index)
		case none:
			proved = limit
		default:
			return next, false
		}
		limit = s.middle(q, proved, reach)
	}
	if math.IsInf(reach, 1) {
		return reach, true
	}
	return reach, true
}

// middle is the next distance to ask about.
func (s *search) middle(q *query, proved, reach float64) float64 {
	if math.IsInf(reach, 1) {
		return q.after(2 * proved)
	}
	return (max(proved, s.r.start) + reach) / 2
}

// bound is the least distance at which the sum of each tree's best leaf leaves the goal open.
func (s *search) bound(q *query) float64 {
	d := slices.Clone(q.dist)
	d = slices.DeleteFunc(d, func(v float64) bool { return math.IsInf(v, 1) })
	slices.Sort(d)
	d = slices.Compact(d)
	lo, hi := 0, len(d)
	for lo < hi {
		m := (lo + hi) / 2
		if q.open(d[m]) {
			hi = m
		} else {
			lo = m + 1
		}
	}
	if lo == len(d) {
		return math.MaxFloat64
	}
	return d[lo]
}

// open tells whether the best leaf of each tree within a distance leaves the goal open.
func (q *query) open(limit float64) bool {
	sum := q.v.const0[0]
	for i := range q.v.trees {
		t := &q.v.trees[i]
		best := -1
		for b := t.word * 64; b < (t.word+t.words)*64 && b < len(q.dist); b++ {
			if t.mask>>(b%64)&1 == 1 && q.dist[b] <= limit {
				best = b
				break
			}
		}
		if best < 0 {
			return false
		}
		sum += q.v.value[0][best]
	}
	return q.v.goal[0].mayHold(sum, q.loose)
}

// after is the least distance of a leaf or an option above d; +Inf: there is none.
func (q *query) after(d float64) float64 {
	next := math.Inf(1)
	for _, v := range q.dist {
		if v > d {
			next = min(next, v)
		}
	}
	for _, v := range q.r.option {
		if v > d {
			next = min(next, v)
		}
	}
	return next
}

// reach is the distance of a choice.
func (q *query) reach(choice []int32) float64 {
	far := q.r.start
	for _, b := range choice {
		far = max(far, q.dist[b])
	}
	mask := q.joint(choice)
	for i := range q.g.cats {
		_, d := q.g.pick(q.r, i, mask)
		far = max(far, d)
	}
	return far
}

// joint is the options that all leaves of a choice leave.
func (q *query) joint(choice []int32) []uint64 {
	if len(q.g.cats) == 0 {
		return nil
	}
	mask := q.g.full()
	for _, b := range choice {
		if m := q.g.leaves[q.v.leafAt[b]].mask; m != nil {
			for w := range mask {
				mask[w] &= m[w]
			}
		}
	}
	return mask
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

// witness is the input of a choice's box that is nearest to the row.
func (q *query) witness(choice []int32) []float32 {
	x := slices.Clone(q.r.at)
	for _, b := range choice {
		for _, s := range q.g.leaves[q.v.leafAt[b]].spans {
			if q.r.missing == nil || !q.r.missing[s.feature] {
				x[s.feature] = min(max(x[s.feature], s.lo), s.hi)
			}
		}
	}
	mask := q.joint(choice)
	for i := range q.g.cats {
		c := &q.g.cats[i]
		o, _ := q.g.pick(q.r, i, mask)
		for _, f := range c.features {
			x[f] = c.value(o, f)
		}
	}
	return x
}

// take keeps the input of a choice when it is the nearest so far.
func (s *search) take(q *query, choice []int32, index int) {
	x := q.witness(choice)
	if d := s.distance(x); d < s.res.Upper {
		s.res.Upper, s.res.Witness, s.res.Goal = d, x, index
	}
}

// distance is that of x from the row.
func (s *search) distance(x []float32) float64 {
	sum := 0.0
	for f := range x {
		sum = s.o.Norm.join(sum, s.g.far(s.r, f, x[f]))
	}
	return s.o.Norm.done(sum)
}
