package cheapest

import (
	"container/heap"
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/assize/assize/internal/domain"
	"github.com/assize/assize/internal/tree/exact"
)

const (
	near = 1e-6 // two costs that are closer, as a share, count as one
	// memoryLimit bounds the values of all boxes that wait.
	memoryLimit = 1 << 26
)

// box is a set of inputs that is still open.
type box struct {
	lo, hi []float32
	key    float64 // nothing in it is better than this
	made   int     // the order in which boxes were made
	goal   goal
	slack  float64 // how far the system's margin can lie from the goal's
	step   step
}

// queue is a heap of boxes, the most promising first.
type queue []*box

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	return q[i].key < q[j].key || q[i].key == q[j].key && q[i].made > q[j].made
}
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(b any)   { *q = append(*q, b.(*box)) }
func (q *queue) Pop() any {
	last := len(*q) - 1
	b := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	return b
}

// search is one row's search.
type search struct {
	g      *Engine
	o      Options
	orig   []float32
	narrow *domain.Narrower
	queue  queue
	best   float64 // key of the best that was found
	floor  float64 // nothing cheaper gains, as the search over leaves proves
	res    Result
	spot   []float32
	broken []int32
}

// Search looks for the cheapest feasible change of orig, whose values are finite,
// that meets any list of half-spaces of an aim. It depends on nothing but its
// arguments; an error means a wrong aim or a context that ended.
func (g *Engine) Search(ctx context.Context, orig []float32, aim exact.Aim, o Options) (Result, error) {
	if len(orig) != g.dom.Len() || o.Work < 1 {
		return Result{}, fmt.Errorf("search row: %d values for %d features, work %d", len(orig), g.dom.Len(), o.Work)
	}
	for i, v := range orig {
		if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
			return Result{}, fmt.Errorf("search row: feature %q is %v\nhint: rows with missing values have no neighbours to search", g.dom.Features()[i].Name, v)
		}
	}
	s := &search{g: g, o: o, orig: orig, narrow: g.dom.Narrower(orig), best: math.Inf(1)}
	s.spot = make([]float32, len(orig))
	lo, hi := make([]float32, len(orig)), make([]float32, len(orig))
	for i := range lo {
		lo[i], hi[i] = -math.MaxFloat32, math.MaxFloat32
	}
	if !s.narrow.Narrow(lo, hi) {
		s.res.Empty = true
		return s.finish(math.Inf(1)), nil
	}
	if done, err := s.ahead(ctx, aim); err != nil || done {
		return s.finish(math.Inf(1)), err
	}
	for _, halves := range aim {
		whole, err := g.goal(halves)
		if err != nil {
			return Result{}, err
		}
		own := whole.within(lo, hi, orig)
		s.add(&box{lo: slices.Clone(lo), hi: slices.Clone(hi), key: math.Inf(-1), goal: own, slack: own.rounding(lo, hi) + o.Noise})
	}
	for len(s.queue) > 0 {
		b := s.queue[0]
		if s.settled(b.key) {
			break
		}
		if s.res.Work >= o.Work || len(s.queue)*len(orig)*2 > memoryLimit {
			return s.finish(b.key), nil
		}
		if s.res.Boxes&0xff == 0 {
			if err := ctx.Err(); err != nil {
				return Result{}, err
			}
		}
		heap.Pop(&s.queue)
		s.split(b)
	}
	s.retreat()
	return s.finish(s.best), ctx.Err()
}

// retreat takes changes that cost nothing out of what was found where it gains without them.
func (s *search) retreat() {
	if s.res.X == nil || s.o.Margin || s.o.Accept == nil {
		return
	}
	for i, o := range s.orig {
		now := s.res.X[i]
		if now == o || s.g.group[i] >= 0 || s.g.price[i] > 0 {
			continue
		}
		s.res.X[i] = o
		if !s.g.dom.Feasible(s.res.X, s.orig) || !s.o.Accept(s.res.X) {
			s.res.X[i] = now
		}
	}
}

// settled says that nothing better than what was found can have this key.
func (s *search) settled(key float64) bool {
	return !math.IsInf(s.best, 1) && key >= s.best-near*math.Abs(s.best)
}

// finish closes a search whose open boxes have no key below a bound.
func (s *search) finish(bound float64) Result {
	r := &s.res
	r.Upper, r.Lower = s.best, min(max(bound, s.floor), s.best)
	r.Exact = r.Lower == r.Upper || !math.IsInf(r.Upper, 1) && r.Upper-r.Lower <= 1e-3*math.Abs(r.Upper)
	if s.o.Margin {
		r.Lower, r.Upper = -r.Upper, -r.Lower
	}
	return *r
}

// add looks at a box, tries its points, and keeps it where better ones may lie in it.
func (s *search) add(b *box) {
	s.res.Boxes++
	spot := s.nearest(b)
	b.step = b.goal.look(b, spot)
	st := &b.step
	s.res.Work += st.work + len(spot)
	key := -st.top
	if !s.o.Margin {
		if st.top < -b.slack {
			return
		}
		key = s.g.Cost(spot, s.orig) + st.extra
	}
	b.key = max(b.key, key)
	if s.settled(b.key) {
		return
	}
	open := s.try(spot, st.near, b)
	if st.point != nil {
		if m := b.goal.margin(st.point); s.o.Margin || m >= -b.slack {
			open = s.try(st.point, m, b) && open
		}
	}
	st.point = nil
	if !open || st.feature < 0 || s.settled(b.key) {
		return
	}
	b.made = s.res.Boxes
	heap.Push(&s.queue, b)
}

// try asks for a point whether it is a change that gains, keeps it if it is the
// best, and settles where its box is cut. False: nothing is left in the box.
func (s *search) try(x []float32, margin float64, b *box) bool {
	st := &b.step
	if margin < -b.slack && !s.o.Margin {
		return true // cut where the goal says
	}
	if !s.g.dom.Feasible(x, s.orig) {
		return s.byRelation(x, b)
	}
	key := -margin
	if !s.o.Margin {
		key = s.g.Cost(x, s.orig)
	}
	if key < s.best && (s.o.Accept == nil && (s.o.Margin || margin >= 0) || s.o.Accept != nil && s.o.Accept(x)) {
		s.best, s.res.X = key, slices.Clone(x)
		return key > b.key
	}
	return st.feature >= 0 // where the margin is the same all over, the system's answer is too
}

// byRelation cuts a box in the middle of the widest feature of the relations
// that x breaks. False: all of them are fixed, so they break everywhere.
func (s *search) byRelation(x []float32, b *box) bool {
	s.broken = s.g.dom.Broken(x, s.orig, s.broken[:0])
	slices.Sort(s.broken)
	best, wide := int32(-1), 0.0
	for _, i := range s.broken {
		if w := (float64(b.hi[i]) - float64(b.lo[i])) / s.g.dom.Scale()[i]; w > wide {
			best, wide = i, w
		}
	}
	if best < 0 {
		return false
	}
	if !s.o.Margin || b.step.feature < 0 {
		b.step.feature, b.step.at = best, s.middle(best, b.lo[best], b.hi[best])
	}
	return true
}

// middle is a value above lo that a feature can take, about half way to hi.
func (s *search) middle(i int32, lo, hi float32) float32 {
	m := float32(float64(lo)/2 + float64(hi)/2)
	if s.g.whole[i] {
		m = float32(math.Floor(float64(m)))
	}
	if m <= lo {
		m = math.Nextafter32(lo, hi)
		if s.g.whole[i] {
			m = max(m, lo+1)
		}
	}
	return min(m, hi)
}

// split cuts a box in two.
func (s *search) split(b *box) {
	f, at := b.step.feature, b.step.at
	at = min(max(at, math.Nextafter32(b.lo[f], b.hi[f])), b.hi[f])
	if s.g.whole[f] {
		at = float32(math.Ceil(float64(at)))
	}
	below := math.Nextafter32(at, float32(math.Inf(-1)))
	if s.g.whole[f] {
		below = float32(math.Floor(float64(below)))
	}
	for _, up := range []bool{false, true} {
		child := &box{lo: slices.Clone(b.lo), hi: slices.Clone(b.hi), key: b.key, goal: b.goal, slack: b.slack}
		if up {
			child.lo[f] = max(child.lo[f], at)
		} else {
			child.hi[f] = min(child.hi[f], below)
		}
		if child.lo[f] <= child.hi[f] && s.narrow.Narrow(child.lo, child.hi) {
			s.add(child)
		}
	}
}

// nearest is the cheapest point of a box, relations aside. It is the search's own.
func (s *search) nearest(b *box) []float32 {
	for i, o := range s.orig {
		s.spot[i] = max(b.lo[i], min(b.hi[i], o))
	}
	for _, members := range s.g.groups {
		one := int32(-1)
		for _, i := range members {
			switch {
			case b.hi[i] < 1:
			case b.lo[i] >= 1, one < 0, s.dearer(one, i):
				one = i
			}
			if b.lo[i] >= 1 {
				break
			}
		}
		for _, i := range members {
			s.spot[i] = 0
		}
		if one >= 0 {
			s.spot[one] = 1
		}
	}
	return s.spot
}

// dearer says that taking up member a of a group costs more than b, or as much and b is there already.
func (s *search) dearer(a, b int32) bool {
	pa, pb := s.g.taking(a, s.orig), s.g.taking(b, s.orig)
	return pa > pb || pa == pb && s.orig[b] == 1
}

// taking is the price of a group's member becoming 1.
func (g *Engine) taking(i int32, orig []float32) float64 {
	if orig[i] == 1 {
		return 0
	}
	return g.price[i]
}
