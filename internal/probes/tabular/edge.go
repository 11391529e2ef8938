package tabular

import (
	"cmp"
	"math"
	"slices"

	"github.com/assize/assize/internal/domain"
	"github.com/assize/assize/internal/tree/cheapest"
)

// edge moves one feature or group at a time: towards the gain by what brings most for its
// price, and where there is gain back towards the row by what saves most.
type edge struct {
	noise  float64 // of the choice, in logarithms
	reach  float64 // the longest move towards the gain, as a share of the range
	level  float64 // the least loss that gains, as far as is known
	last   float64 // loss at the last step
	hoped  float64 // what the step since was to add to it; 0: it was none towards the gain
	gained bool
	home   *home // nil: it wanders on, whether it gains or not
}

// home is the cheapest point that gains of a walk that goes on from there alone.
type home struct {
	x          []float32
	cost, loss float64
	slope      []float64
	reach      float64 // the longest exchange, as a share of the range
}

const (
	firstReach = 0.25
	leastReach = 1.0 / 4096
	// tried bounds the moves of a step that are tried until one leads elsewhere.
	tried = 6
	// slack is asked for beyond a level, as a share of the loss over the whole ranges.
	slack = 1e-4
)

// shift moves feature j to a value. By the slopes it brings gain, for a price.
type shift struct {
	j           int
	to          float32
	gain, price float64
	score       float64
	with        *shift // moved at once
}

// along moves a walk on, towards the gain or, where it is there, back.
func (c *climb) along(w *walk, loss float64, won bool) {
	e := w.edge
	if e.hoped > 0 {
		switch got := loss - e.last; {
		case got < 0.25*e.hoped:
			e.reach = max(leastReach, e.reach/2)
		case got > 0.75*e.hoped:
			e.reach = min(1, 2*e.reach)
		}
	}
	switch {
	case won:
		e.level, e.gained = min(e.level, loss), true
	case w.feasible && loss > e.level:
		e.level = loss
	}
	e.last, e.hoped = loss, 0
	slope := c.slope
	if e.home != nil && e.gained {
		slope, loss = c.atHome(w, loss, won)
		won = true
	}
	var all []shift
	if won {
		all = c.back(slope, w.x, loss-e.level+slack*c.penalty)
		if e.home != nil {
			all = c.exchanges(slope, all, w.x, loss-e.level, e.home.reach)
		}
	} else {
		all = c.forth(slope, w.x, 1.05*(e.level-loss)+slack*c.penalty, e.reach)
	}
	noise := e.noise
	if e.gained {
		noise = max(0.3, noise)
	}
	for i := range all {
		all[i].score *= math.Exp(noise * c.r.NormFloat64())
	}
	slices.SortStableFunc(all, func(a, b shift) int { return cmp.Compare(b.score, a.score) })
	was := slices.Clone(w.x)
	for _, m := range all[:min(len(all), tried)] {
		copy(w.x, was)
		c.put(w.x, m.j, m.to)
		if m.with != nil {
			c.put(w.x, m.with.j, m.with.to)
		}
		if c.settle(w); !slices.Equal(w.x, was) {
			if !won {
				e.hoped = m.gain
			}
			return
		}
	}
	c.scatter(w.x)
	c.settle(w)
}

// atHome takes a point that is cheaper for the walk's home, or goes back there.
func (c *climb) atHome(w *walk, loss float64, won bool) (slope []float64, at float64) {
	h := w.edge.home
	if cost := cheapest.Cost(c.dom, c.price, w.x, c.orig); won && (h.x == nil || cost < h.cost) {
		h.x, h.cost, h.loss, h.slope = slices.Clone(w.x), cost, loss, slices.Clone(c.slope)
		h.reach = min(1, 2*h.reach)
	} else {
		h.reach = max(leastReach, h.reach/2)
		copy(w.x, h.x)
	}
	return h.slope, h.loss
}

// forth lists moves that bring the loss up, at best by need.
func (c *climb) forth(slope []float64, x []float32, need, reach float64) (all []shift) {
	dearest := 0.0
	for _, j := range c.free {
		lo, hi := c.dom.Span(j, c.orig)
		m := shift{j: j, to: 1}
		if c.group[j] >= 0 {
			if x[j] == 1 || hi < 1 {
				continue
			}
			now := c.member(x, j)
			m.gain, m.price = slope[j]-slope[now], c.taken(j)-c.taken(now)
		} else {
			end := hi
			if slope[j] < 0 {
				end = lo
			}
			room := math.Abs(float64(end) - float64(x[j]))
			by := min(room, need/math.Abs(slope[j]), reach*c.dom.Scale()[j])
			if c.whole(j) {
				by = min(room, max(1, math.Ceil(by)))
			}
			if !(by > 0) {
				continue
			}
			m = c.move(slope, x, j, sign(slope[j])*by)
		}
		if m.gain > 0 {
			all = append(all, m)
			dearest = max(dearest, m.price)
		}
	}
	for i := range all {
		all[i].score = min(need, all[i].gain) / max(all[i].price, 1e-3*dearest, math.SmallestNonzeroFloat64)
	}
	return all
}

// back lists moves towards the row, scored by what they save: in full where the loss has room for them.
func (c *climb) back(slope []float64, x []float32, room float64) (all []shift) {
	add := func(m shift) {
		if m.price < 0 {
			m.score = -m.price * min(1, room/max(-m.gain, math.SmallestNonzeroFloat64))
			all = append(all, m)
		}
	}
	for _, j := range c.free {
		if x[j] == c.orig[j] {
			continue
		}
		if c.group[j] >= 0 {
			if now := c.member(x, j); c.orig[j] == 1 {
				add(shift{j: j, to: 1, gain: slope[j] - slope[now], price: -c.taken(now)})
			}
			continue
		}
		far := float64(c.orig[j]) - float64(x[j])
		some := firstReach * math.Abs(far)
		if c.whole(j) {
			some = 1
		}
		for _, by := range []float64{math.Abs(far), some, room / max(-sign(far)*slope[j], math.SmallestNonzeroFloat64)} {
			if c.whole(j) {
				by = math.Floor(by)
			}
			add(c.move(slope, x, j, sign(far)*min(math.Abs(far), by)))
		}
	}
	return all
}

// exchanges adds moves back, no longer than the reach, whose loss another feature makes up
// for at less than they save.
func (c *climb) exchanges(slope []float64, all []shift, x []float32, room, reach float64) []shift {
	for _, a := range slices.Clone(all) {
		if c.group[a.j] < 0 {
			by, longest := float64(a.to)-float64(x[a.j]), reach*c.dom.Scale()[a.j]
			if c.whole(a.j) {
				longest = max(1, math.Floor(longest))
			}
			a = c.move(slope, x, a.j, sign(by)*min(math.Abs(by), longest))
		}
		need := 1.05*-a.gain - room
		if need <= 0 {
			continue
		}
		var best shift
		for _, b := range c.forth(slope, x, need, reach) {
			other := b.j != a.j && (c.group[a.j] < 0 || c.group[a.j] != c.group[b.j])
			if saved := -a.price - b.price; other && b.gain >= need && saved > best.score {
				best = shift{j: a.j, to: a.to, with: &b, score: saved}
			}
		}
		if best.with != nil {
			all = append(all, best)
		}
	}
	return all
}

// move is the move of a feature that stands alone.
func (c *climb) move(slope []float64, x []float32, j int, by float64) shift {
	to := float32(float64(x[j]) + by)
	return shift{j: j, to: to, gain: slope[j] * by, price: c.apart(j, to) - c.apart(j, x[j])}
}

func (c *climb) whole(j int) bool { return c.dom.Features()[j].Type != domain.Real }

// taken is the price of taking up member j of its group, apart that of feature j, which has none, at a value.
func (c *climb) taken(j int) float64 {
	if c.orig[j] == 1 {
		return 0
	}
	return c.price[j]
}

func (c *climb) apart(j int, v float32) float64 {
	return c.price[j] * math.Abs(float64(v)-float64(c.orig[j]))
}
