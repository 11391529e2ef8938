package domain

import "math"

// Project moves x, in place, to the nearest row that is feasible as a change
// of orig (see Feasible for a nil orig), and reports whether x now is feasible. A feasible x is
// returned unchanged bit for bit.
//
// Distances are Euclidean over shares of each feature's range. For ranges, mutability,
// whole numbers and one-hot groups the nearest row is exact (of equally near members of a
// group the original one wins, then the first). Relations are then met by a bounded, deterministic
// repair that ends near, not always at, the nearest row: it can miss
// a feasible row where only whole numbers move, but never when orig itself is feasible. A
// NaN stays and makes the result false; an infinite value goes to the end of its range.
func (d *Domain) Project(x, orig []float32) bool {
	d.mustFit(x, orig)
	if d.plain {
		return clamp(x, d.lo, d.hi)
	}
	if d.Feasible(x, orig) {
		return true
	}
	for _, v := range x {
		if v != v {
			return false
		}
	}
	d.Settle(x, orig)
	if d.related(x, orig) || d.repair(x, orig) {
		return d.Feasible(x, orig)
	}
	return false
}

// Settle moves x, in place, to the nearest row that ranges, mutability, whole numbers and
// one-hot groups allow for a change of orig (see Feasible for a nil orig): the part of Project that is
// exact. Relations are not looked at. Values are finite.
func (d *Domain) Settle(x, orig []float32) {
	d.mustFit(x, orig)
	for g := range d.groups {
		d.choose(&d.groups[g], x, orig)
	}
	for i, v := range x {
		lo, hi := d.Span(i, orig)
		if d.whole[i] {
			v = float32(math.Round(float64(v)))
		}
		x[i] = max(lo, min(hi, v))
	}
}

// clamp moves every value between its bounds; false means that x has a NaN.
// It moves bits so that the compiler selects instead of branching: values at
// the end of their range plus noise would be mispredicted half the time.
func clamp(x, lo, hi []float32) bool {
	lo, hi = lo[:len(x)], hi[:len(x)]
	ok := true
	for i, v := range x {
		l, h := lo[i], hi[i]
		bits, low, high := math.Float32bits(v), math.Float32bits(l), math.Float32bits(h)
		if v < l {
			bits = low
		}
		if v > h {
			bits = high
		}
		x[i] = math.Float32frombits(bits)
		if v != v {
			ok = false
		}
	}
	return ok
}

// Span is the range within which feature i of a change of orig can lie (see Feasible for
// a nil orig). Where range and mutability contradict each other, mutability wins.
func (d *Domain) Span(i int, orig []float32) (lo, hi float32) {
	lo, hi = d.lo[i], d.hi[i]
	if orig == nil || d.features[i].Mutable == Yes {
		return lo, hi
	}
	o := orig[i]
	switch d.features[i].Mutable {
	case No:
		return o, o
	case Up:
		lo = max(lo, o)
	case Down:
		hi = min(hi, o)
	}
	if d.whole[i] {
		lo, hi = float32(math.Ceil(float64(lo))), float32(math.Floor(float64(hi)))
	}
	if lo > hi {
		return o, o
	}
	return lo, hi
}

// choose makes the one member 1 that is nearest to it, the others 0.
func (d *Domain) choose(g *group, x, orig []float32) {
	best := int32(-1)
	for _, i := range g.members {
		switch {
		case d.hi[i] == 0:
		case d.lo[i] == 1:
			d.set(g, i, x)
			return
		case best < 0, x[i] > x[best], x[i] == x[best] && orig != nil && orig[i] == 1:
			best = i
		}
	}
	d.set(g, best, x)
}

// set makes member i the one of its group that is 1.
func (d *Domain) set(g *group, i int32, x []float32) {
	for _, j := range g.members {
		x[j] = 0
	}
	x[i] = 1
}
