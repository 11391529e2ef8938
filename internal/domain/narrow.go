package domain

import (
	"math"
	"slices"
)

// Narrower narrows boxes of rows to those that can be changes of one original.
// It is for one goroutine at a time.
type Narrower struct {
	b    *box
	orig []float32
}

// Narrower prepares the changes of orig, whose values are finite. It may lie
// outside the domain itself; its changes may not.
func (d *Domain) Narrower(orig []float32) *Narrower {
	d.mustFit(orig, nil)
	return &Narrower{b: d.newBox(), orig: orig}
}

// Narrow moves lo and hi, the least and greatest value of each feature, inwards
// as far as ranges, kinds, mutability, groups and relations show that no feasible change of
// the original lies beyond; no feasible one between them is lost. False: none is left, which
// is proved. True says nothing. Each relation is taken by itself, by interval
// arithmetic, until no range moves; see Empty.
func (n *Narrower) Narrow(lo, hi []float32) bool {
	b := n.b
	b.trail = b.trail[:0]
	for i := range b.x {
		o := float64(n.orig[i])
		b.orig[i] = interval{o, o}
		at := interval{float64(max(lo[i], b.d.lo[i])), float64(min(hi[i], b.d.hi[i]))}
		if b.d.whole[i] {
			at = interval{math.Ceil(at.lo), math.Floor(at.hi)}
		}
		switch b.d.features[i].Mutable {
		case No:
			at = at.meet(b.orig[i])
		case Up:
			at.lo = max(at.lo, o)
		case Down:
			at.hi = min(at.hi, o)
		}
		if at.empty() {
			return false
		}
		b.x[i] = at
	}
	for range maxSweeps {
		b.trail = b.trail[:0]
		for i := range b.d.relations {
			if !b.formula(&b.d.relations[i].formula) {
				return false
			}
		}
		for i := range b.d.groups {
			if !b.group(&b.d.groups[i]) {
				return false
			}
		}
		if len(b.trail) == 0 {
			break
		}
	}
	for i, at := range b.x {
		lo[i], hi[i] = float32(at.lo), float32(at.hi)
		if float64(lo[i]) < at.lo {
			lo[i] = math.Nextafter32(lo[i], float32(math.Inf(1)))
		}
		if float64(hi[i]) > at.hi {
			hi[i] = math.Nextafter32(hi[i], float32(math.Inf(-1)))
		}
		if lo[i] > hi[i] {
			return false
		}
	}
	return true
}

// Broken appends to into the features that the relations read which x breaks as
// a change of orig, each once, in no order.
func (d *Domain) Broken(x, orig []float32, into []int32) []int32 {
	d.mustFit(x, orig)
	for i := range d.relations {
		r := &d.relations[i]
		if r.formula.holds(x, orig) {
			continue
		}
		for _, v := range r.vars {
			if !slices.Contains(into, v) {
				into = append(into, v)
			}
		}
	}
	return into
}
