package evasion

import (
	"math"
	"slices"
)

// square is the random search of Andriushchenko et al. 2020 on one row.
type square struct {
	search
	*panes
	first   float64 // share of the places in the first windows
	horizon float64 // the budget by which windows shrink
	low     []float32
	high    []float32 // the ends of the box that the ball in linf and the ranges leave
	current []float32 // the change that came nearest to a gain
	nearest float64   // its margin
	change  []float32 // in displacements
	places  []int32
	second  []int32
	items   [][]int32 // what changes as one in a domain of whole numbers and groups
}

func newSquare(p *panes, s search, first, horizon float64) *square {
	s.graded = true
	q := &square{search: s, panes: p, first: first, horizon: horizon, nearest: math.Inf(1), current: slices.Clone(s.orig)}
	q.change = make([]float32, len(s.orig))
	q.low, q.high = make([]float32, len(s.orig)), make([]float32, len(s.orig))
	for i, o := range s.orig {
		reach := s.free[i] * s.scale[i] * float32(s.epsilon)
		q.low[i] = edge(o, max(s.lo[i], o-reach), reach)
		q.high[i] = edge(o, min(s.hi[i], o+reach), reach)
	}
	if len(s.jumps)+len(s.groups) > 0 {
		in := map[int32]bool{}
		for _, g := range s.groups {
			q.items = append(q.items, g)
			for _, i := range g {
				in[i] = true
			}
		}
		for i, f := range s.free {
			if f == 1 && !in[int32(i)] {
				q.items = append(q.items, []int32{int32(i)})
			}
		}
	}
	return q
}

// edge moves a value that rounding put out of reach back towards the row.
func edge(orig, v, reach float32) float32 {
	for math.Abs(float64(v)-float64(orig)) > float64(reach) {
		v = math.Nextafter32(v, orig)
	}
	return v
}

// run asks until a change within the threat model gains or the budget is used up. Of a system that is random
// on purpose one gain may be luck: there it goes on, to where the margin says that most answers gain.
func (q *square) run() {
	const givenUp = 512 // draws in a row that bring no question
	fill := q.begin
	for dry := 0; (q.succeeded == 0 || q.desk.m.Random()) && dry < givenUp; {
		before := q.asked
		if !q.ask(1, func(x []float32) bool { return fill(x) && (q.items != nil || q.allowed(x)) }, q.hear) {
			break
		}
		if dry++; q.asked > before {
			dry, fill = 0, q.next
		}
	}
	if q.desk.m.Random() {
		q.surest = q.current
		return
	}
	q.nearer()
}

// hear keeps what is no worse: answers that were rounded, and trees, are flat over wide stretches.
func (q *square) hear(x []float32, _ bool) {
	if q.margin <= q.nearest {
		q.nearest = q.margin
		copy(q.current, x)
	}
}

// allowed moves x onto the domain and says whether it is then a change within the threat model, and another than the last.
func (q *square) allowed(x []float32) bool {
	return q.project(x, q.orig) && q.within(q.space.distance(x, q.orig)) && differ(x, q.current)
}

// begin fills x with the first change: stripes down a picture in linf, a grid
// of patterns in l2 and l1, every feature of other rows.
func (q *square) begin(x []float32) bool {
	copy(x, q.orig)
	im := &q.image
	switch {
	case q.items != nil:
		return q.redraw(x, len(q.items))
	case q.norm == "linf":
		for c := range im.Channels {
			for column := range im.Width {
				ends := q.low
				if q.rng.Uint64()&1 == 0 {
					ends = q.high
				}
				for y := range im.Height {
					i := q.at(y, column, c)
					x[i] = ends[i]
				}
			}
		}
		return true
	}
	clear(q.change)
	h, w := min(im.Height, max(1, im.Height/5)), max(1, im.Width/5)
	for c := range im.Channels {
		for top := 0; top+h <= im.Height; top += h {
			for left := 0; left+w <= im.Width; left += w {
				sign := q.sign()
				for k, v := range q.pattern(q.rng, h, w) {
					i := q.at(top+k/w, left+k%w, c)
					q.change[i] = sign * v * q.free[i]
				}
			}
		}
	}
	return q.spend(x)
}

// next fills x with the current change, another in a window.
func (q *square) next(x []float32) bool {
	copy(x, q.current)
	share := shareAt(q.first, q.asked, q.horizon)
	switch {
	case q.items != nil:
		return q.redraw(x, max(1, int(math.Round(share*float64(len(q.items))))))
	case q.norm != "linf":
		q.move(share)
		return q.spend(x)
	}
	h, w := q.side(share, 1)
	if q.flat != nil && q.rng.Uint64()&1 == 0 {
		q.places = q.some(q.rng, q.places, w)
		for _, i := range q.places {
			x[i] = q.low[i]
			if q.rng.Uint64()&1 == 0 {
				x[i] = q.high[i]
			}
		}
		return true
	}
	top, left := q.window(q.rng, h, w)
	for c := range q.image.Channels {
		ends := q.low
		if q.rng.Uint64()&1 == 0 {
			ends = q.high
		}
		q.places = q.values(q.places, top, left, h, w, c)
		for _, i := range q.places {
			x[i] = ends[i]
		}
	}
	return true
}

// move takes the change out of one window and puts it, with what the ball
// leaves unused, into another on top of a pattern. Algorithm 3 of the paper.
func (q *square) move(share float64) {
	total := 0.0
	for i, v := range q.current {
		q.change[i] = (v - q.orig[i]) * q.inverse[i]
		total += q.mass(q.change[i])
	}
	channels := q.image.Channels
	unused := max(0, q.whole()-total) / float64(channels)
	least := 3 // lines and columns: a pattern's middle and one ring
	if q.flat != nil {
		least = 1
	}
	h, w := q.side(share, least)
	top, left := q.window(q.rng, h, w)
	top2, left2 := q.window(q.rng, h, w)
	apart := q.flat != nil && q.rng.Uint64()&1 == 0
	kept := float32(0) // of the second window; without a picture's many places part of it may stay, for finer steps
	if apart {
		kept = q.rng.Float32()
	}
	for c := range channels {
		if apart {
			q.places, q.second = q.some(q.rng, q.places, w), q.some(q.rng, q.second, w)
		} else {
			q.places = q.values(q.places, top, left, h, w, c)
			q.second = q.values(q.second, top2, left2, h, w, c)
		}
		own, both := 0.0, unused
		for _, i := range q.places {
			own += q.mass(q.change[i])
		}
		both += own
		size := max(q.length(own), math.SmallestNonzeroFloat32)
		sign, put := q.sign(), 0.0
		shape := q.pattern(q.rng, h, w)
		room := make([]float32, len(q.places))
		for k, i := range q.places {
			room[k] = (sign*shape[k] + q.change[i]/size) * q.free[i]
			put += q.mass(room[k])
			q.change[i] = 0
		}
		for _, i := range q.second { // what lies in both windows is 0 by now
			before := q.mass(q.change[i])
			q.change[i] *= kept
			both += before - q.mass(q.change[i])
		}
		k := float32(0)
		if put > 0 {
			k = q.length(both) / q.length(put)
		}
		for j, i := range q.places {
			q.change[i] = k * room[j]
		}
	}
}

// whole is the mass of the ball's radius.
func (q *square) whole() float64 { return q.mass(float32(q.epsilon)) }

// spend fills x with the change at the edge of the ball, cut off at the ranges.
func (q *square) spend(x []float32) bool {
	size := q.measure(q.change)
	if size == 0 {
		return false
	}
	k := float32(q.epsilon*(1-1e-6)) / size
	for i, o := range q.orig {
		x[i] = min(max(o+k*q.change[i]*q.scale[i], q.lo[i]), q.hi[i])
	}
	return true
}

func (q *square) sign() float32 {
	if q.rng.Uint64()&1 == 0 {
		return -1
	}
	return 1
}

// redraw changes n of the features and groups of a domain that has whole numbers, to values within reach. Relations
// and the ball can leave few ways to go, so that single draws are tried smaller.
func (q *square) redraw(x []float32, n int) bool {
	before := slices.Clone(x)
	for range 8 {
		copy(x, before)
		reach := 1.0
		if q.norm != "linf" {
			reach = q.rng.Float64()
		}
		for k := range n {
			j := k + q.rng.IntN(len(q.items)-k)
			q.items[k], q.items[j] = q.items[j], q.items[k]
			q.set(x, q.items[k], reach)
		}
		if q.allowed(x) {
			return true
		}
		n = max(1, n/2)
	}
	return false
}

// set draws another value for a feature, half of the time at an end of its reach, or another member for a group.
func (q *square) set(x []float32, item []int32, reach float64) {
	if len(item) > 1 {
		for _, i := range item {
			x[i] = 0
		}
		x[item[q.rng.IntN(len(item))]] = 1
		return
	}
	i := item[0]
	low, high, o := q.low[i], q.high[i], q.orig[i]
	switch q.rng.Uint64() % 6 {
	case 0:
		x[i] = o
	case 1:
		x[i] = low
	case 2:
		x[i] = high
	default:
		x[i] = low + q.rng.Float32()*(high-low)
	}
	x[i] = o + float32(reach)*(x[i]-o)
}
