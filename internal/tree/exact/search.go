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
	if i := g.already(r, aim, o); i >= 0 {
		return Result{Witness: slices.Clone(x), Exact: true, Goal: i, Time: time.Since(start)}, nil
	}
	s := &search{g: g, r: r, o: o, res: &res, start: start, ctx: ctx, boxes: o.Boxes}
	if s.boxes <= 0 {
		s.boxes = math.MaxInt
	}
	s.passes = g.passes(o.Boxes)
	for i, goal := range aim {
		s.goal(i, goal)
	}
	if res.Lower > res.Upper { // the infimum of one goal lies above the input found for another
		res.Lower = res.Upper
	}
	res.Time = time.Since(start)
	return res, nil
}

// already is the goal that the row itself meets, or -1.
func (g *Engine) already(r *row, aim Aim, o Options) int {
	if r.start > 0 {
		return -1
	}
	for i, goal := range aim {
		if !g.meets(r.x, goal, o.Slack) {
			continue
		}
		if o.Accept == nil {
			return i
		}
		if y, ok := o.Accept(slices.Clone(r.x)); ok && slices.Equal(y, r.x) {
			return i
		}
	}
	return -1
}

type search struct {
	g     *Engine
	r     *row
	o     Options
	res   *Result
	start time.Time
	ctx   context.Context
	boxes int // left
	// passes are what the attack has left: evaluations of all trees at an input, or along one feature.
	passes int
	best   float64
}

func (s *search) over() bool { return s.past(1) }

// past tells whether a share of the time is gone.
func (s *search) past(share float64) bool {
	return s.ctx.Err() != nil || s.o.Time > 0 && time.Since(s.start).Seconds() > share*s.o.Time.Seconds()
}

// ask prepares a row's search for one list of half-spaces.
func (g *Engine) ask(r *row, goal []Half, o Options) *query {
	v := g.view(goal)
	if r.missing != nil {
		v = g.newView(goal, g.all(), nil, r.missing)
	}
	q := &query{g: g, v: v, r: r, norm: o.Norm, slack: o.Slack, loose: o.Slack, dist: make([]float64, len(v.leafAt))}
	for _, h := range goal {
		noise := 0.0
		for o, w := range h.Weights {
			noise += math.Abs(w) * (g.spread[o] + math.Abs(g.base[o]))
		}
		q.loose = max(q.loose, o.Slack+noise*float64(len(v.trees)+2)*0x1p-52)
	}
	q.distances()
	return q
}

// goal searches for one list of half-spaces.
func (s *search) goal(index int, goal []Half) {
	q := s.g.ask(s.r, goal, s.o)
	var choice []int32
	if q.v.rows == nil || q.norm != Linf {
		choice = s.attack(q, index)
	}
	least := s.bound(q)
	lower, exact, choice := s.bisect(q, least, s.below(least), choice)
	s.res.Lower = min(s.res.Lower, s.o.Norm.done(lower))
	if choice != nil && s.take(q, choice, index) || math.IsInf(lower, 1) {
		s.res.Exact = s.res.Exact && exact
		return
	}
	// The nearest box may meet the goal only within rounding, or its input cannot
	// occur, or none was found: look for one that surely meets it and can.
	s.res.Exact = false
	if choice == nil && q.v.rows != nil && q.norm == Linf && s.attack(q, index) != nil {
		return
	}
	if s.o.Accept != nil {
		s.roam(q, index)
		if s.o.Boxes > 0 { // what it does not find soon it seldom finds
			s.boxes = min(s.boxes, s.o.Boxes/8)
		}
	}
	q.accept = func(choice []int32) bool { return s.take(q, choice, index) }
	s.bisect(q, lower, s.below(lower), nil)
}

// passes is how often an attack may evaluate the ensemble within a budget of
// boxes: 100 boxes of one tree take about as long as one tree of a pass.
func (g *Engine) passes(boxes int) int {
	if boxes <= 0 {
		return math.MaxInt
	}
	return min(64+100*boxes/max(1, len(g.trees)), 1<<17)
}

// attack is the search without proof: a start by chance, by greed where leaves
// can be compared in pairs, the climb along single features, and a walk down from the best.
func (s *search) attack(q *query, index int) []int32 {
	start := s.scatter(q)
	if q.v.rows != nil && (start == nil || !s.past(0.25)) {
		if c := s.greedy(q); c != nil && (start == nil || q.reach(c) < q.reach(start)) {
			start = c
		}
	}
	if c := s.climb(q, start); c != nil {
		start = c
	}
	if q.v.rows == nil && start != nil && s.take(q, start, index) {
		return start // the walk would look at every tree for every leaf
	}
	if c := s.descend(q, start); c != nil && s.take(q, c, index) {
		return c
	}
	return nil
}

// below is just under a distance, as what is proved when nothing nearer was found.
func (s *search) below(d float64) float64 { return math.Nextafter(d, math.Inf(-1)) }

// near is how close two joined distances come before they count as one, where a
// norm adds up; Linf takes its distances from a finite list.
const near = 1e-9

// bisect asks about distances until what is proved and what is found meet.
// It starts at limit, knows that nothing is within proved and has choice, if there
// is one. lower is the least distance that is left; best is the nearest choice.
func (s *search) bisect(q *query, limit, proved float64, choice []int32) (lower float64, exact bool, best []int32) {
	reach, ceiling := math.Inf(1), math.Inf(1)
	if choice != nil {
		reach = q.reach(choice)
	}
	for {
		next := q.after(proved)
		switch {
		case math.IsInf(next, 1), next >= reach:
			return reach, true, choice
		case s.boxes <= 0 || s.over() || next >= ceiling || ceiling-proved < ceiling/256:
			return s.merge(q, proved, min(reach, ceiling)), false, choice
		}
		limit = max(limit, next)
		switch s.within(q, limit) {
		case found:
			choice = slices.Clone(q.choice)
			reach = q.reach(choice)
		case none:
			proved = limit
		default:
			ceiling = limit
		}
		limit = s.middle(q, proved, min(reach, ceiling))
	}
}

// within spends at most half of what is left of the budget on one question.
func (s *search) within(q *query, limit float64) verdict {
	q.budget, q.boxes = s.boxes, 0
	if s.o.Boxes > 0 {
		q.budget = s.boxes/2 + 1
	}
	until := time.Time{}
	if s.o.Time > 0 {
		left := s.o.Time - time.Since(s.start)
		until = time.Now().Add(left / 2)
	}
	q.stop = func() bool { return s.ctx.Err() != nil || !until.IsZero() && time.Now().After(until) }
	got := q.within(limit)
	s.boxes -= q.boxes + len(q.v.leafAt)/512 // a question of many leaves takes as long as boxes
	s.res.Boxes += q.boxes
	return got
}

// middle is the next distance to ask about.
func (s *search) middle(q *query, proved, reach float64) float64 {
	if math.IsInf(reach, 1) {
		if q.norm != Linf || proved <= 0 {
			return math.MaxFloat64
		}
		return min(2*proved, math.MaxFloat64)
	}
	low := max(proved, s.r.start)
	if s.o.Norm != Linf && reach-low < reach/64 {
		return reach * (1 - near)
	}
	return low + (reach-low)/2
}

// bound is a distance under which the sum of each tree's best leaf rules the goal
// out, and near the greatest such; it is MaxFloat64 where it is ruled out throughout.
func (s *search) bound(q *query) float64 {
	low, high := s.below(s.r.start), 0.0
	for _, d := range q.dist {
		if !math.IsInf(d, 1) {
			high = max(high, d)
		}
	}
	if !q.open(high) {
		return math.MaxFloat64
	}
	for range 12 {
		m := low + (high-low)/2
		if q.open(m) {
			high = m
		} else {
			low = m
		}
	}
	return max(s.r.start, s.above(q, low))
}

// above is the least distance of a leaf above d.
func (s *search) above(q *query, d float64) float64 {
	next := math.MaxFloat64
	for _, v := range q.dist {
		if v > d {
			next = min(next, v)
		}
	}
	return next
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

// after is the least distance above d that a choice can have; +Inf: there is
// none. With Linf it is that of a leaf; where a norm adds up it can be any.
func (q *query) after(d float64) float64 {
	next := math.Inf(1)
	if q.norm != Linf && d < math.MaxFloat64 {
		return max(math.Nextafter(d*(1+near), next), q.r.start)
	}
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
