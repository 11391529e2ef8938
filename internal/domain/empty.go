package domain

import (
	"fmt"
	"math"
)

const maxSweeps = 16

// box holds, per feature, what is still possible for x and for the original.
// It keeps a trail so that a trial can be undone.
type box struct {
	d     *Domain
	x     []interval
	orig  []interval
	trail []change
	val   []interval // of the tape at hand
	errs  []float64
}

type change struct {
	orig    bool
	feature int32
	was     interval
}

// Empty says whether it is proved that no row is feasible for any original
// within the ranges, and which relation or group shows it. It narrows the
// ranges through the relations by interval arithmetic, forward and backward (HC4; Benhamou,
// Goualard, Granvilliers and Puget 1999). False means only that it found no proof.
func (d *Domain) Empty() (reason string, empty bool) {
	for i := range d.relations {
		b := d.newBox()
		if !b.formula(&d.relations[i].formula) {
			return fmt.Sprintf("relation %q can never hold within the ranges", d.relations[i].text), true
		}
	}
	b := d.newBox()
	for range maxSweeps {
		b.trail = b.trail[:0]
		for i := range d.relations {
			if !b.formula(&d.relations[i].formula) {
				return fmt.Sprintf("relation %q can never hold together with the ranges, groups and other relations", d.relations[i].text), true
			}
		}
		for i := range d.groups {
			if !b.group(&d.groups[i]) {
				return fmt.Sprintf("group %q: the relations leave it no single member that can be 1", d.groups[i].name), true
			}
		}
		if len(b.trail) == 0 {
			break
		}
	}
	return "", false
}

func (d *Domain) newBox() *box {
	b := &box{d: d, x: make([]interval, len(d.lo)), orig: make([]interval, len(d.lo))}
	for i := range b.x {
		b.x[i] = interval{float64(d.lo[i]), float64(d.hi[i])}
		b.orig[i] = b.x[i]
	}
	return b
}

// narrow meets the values of a feature with to, carries that over to the
// other row as mutability demands, and says whether any are left.
func (b *box) narrow(orig bool, i int32, to interval) bool {
	at := &b.x[i]
	if orig {
		at = &b.orig[i]
	}
	if b.d.whole[i] && !orig {
		to = interval{math.Ceil(to.lo - 1e-6), math.Floor(to.hi + 1e-6)}
	}
	now := at.meet(to)
	if now == *at {
		return true
	}
	b.trail = append(b.trail, change{orig, i, *at})
	*at = now
	if now.empty() {
		return false
	}
	inf := math.Inf(1)
	m := b.d.features[i].Mutable
	switch {
	case m == No:
		return b.narrow(!orig, i, now)
	case m == Up && orig, m == Down && !orig: // the other row is not below
		return b.narrow(!orig, i, interval{now.lo, inf})
	case m == Up, m == Down:
		return b.narrow(!orig, i, interval{-inf, now.hi})
	}
	return true
}

func (b *box) undo(mark int) {
	for len(b.trail) > mark {
		c := b.trail[len(b.trail)-1]
		b.trail = b.trail[:len(b.trail)-1]
		if c.orig {
			b.orig[c.feature] = c.was
		} else {
			b.x[c.feature] = c.was
		}
	}
}

// formula narrows the box to where f can hold; false means nowhere.
func (b *box) formula(f *formula) bool {
	if f.leaf != nil {
		return b.leaf(f.leaf)
	}
	possible, only := 0, 0
	for i := range f.kids {
		mark := len(b.trail)
		ok := b.formula(&f.kids[i])
		if !f.any {
			if !ok {
				return false
			}
			continue
		}
		b.undo(mark)
		if ok {
			possible, only = possible+1, i
		}
	}
	if f.any && possible == 1 {
		return b.formula(&f.kids[only])
	}
	return !f.any || possible > 0
}

// leaf narrows the box to where a comparison can hold.
func (b *box) leaf(l *leaf) bool {
	if len(l.tape) > len(b.val) {
		b.val, b.errs = make([]interval, len(l.tape)), make([]float64, len(l.tape))
	}
	val := b.val[:len(l.tape)]
	for i, n := range l.tape {
		switch n.op {
		case opNumber:
			val[i] = interval{n.num, n.num}
		case opX:
			val[i] = b.x[n.feature]
		case opOrig:
			val[i] = b.orig[n.feature]
		default:
			val[i] = applyInterval(n.op, val[n.a], val[n.b])
		}
		if val[i].empty() {
			return false
		}
	}
	last := len(val) - 1
	e := l.slack(val, b.errs)
	want := interval{math.Inf(-1), e}
	switch l.compare {
	case below:
		want.hi = e - l.margin
	case equal:
		want.lo = -e
	case differs:
		return val[last].lo <= e-l.margin || val[last].hi >= l.margin-e
	}
	val[last] = val[last].meet(want)
	for i := last; i >= 0; i-- {
		if val[i].empty() {
			return false
		}
		n := l.tape[i]
		switch n.op {
		case opNumber:
		case opX, opOrig:
			if !b.narrow(n.op == opOrig, n.feature, val[i]) {
				return false
			}
		default:
			backward(n, val, val[i])
		}
	}
	return true
}

// backward narrows the operands of a node to what its value v allows, where
// v was itself rounded.
func backward(n node, val []interval, v interval) {
	v = outward(v.lo-2*half64*math.Abs(v.lo), v.hi+2*half64*math.Abs(v.hi))
	a, b := val[n.a], val[n.b]
	inf := math.Inf(1)
	switch n.op {
	case opNeg:
		a = a.meet(v.neg())
	case opAbs:
		switch limit := (interval{-v.hi, v.hi}); {
		case a.lo >= 0:
			a = a.meet(v)
		case a.hi <= 0:
			a = a.meet(v.neg())
		default:
			a = a.meet(limit)
		}
	case opAdd:
		a, b = a.meet(v.sub(b)), b.meet(v.sub(a))
	case opSub:
		a, b = a.meet(v.add(b)), b.meet(a.sub(v))
	case opMul:
		if b.lo > 0 || b.hi < 0 {
			a = a.meet(v.div(b))
		}
		if a.lo > 0 || a.hi < 0 {
			b = b.meet(v.div(a))
		}
	case opDiv:
		a = a.meet(v.mul(b))
	case opMin:
		a, b = a.meet(interval{v.lo, inf}), b.meet(interval{v.lo, inf})
	case opMax:
		a, b = a.meet(interval{-inf, v.hi}), b.meet(interval{-inf, v.hi})
	}
	val[n.a] = a
	if n.op != opNeg && n.op != opAbs {
		val[n.b] = b
	}
}

// group narrows the box to where exactly one member is 1.
func (b *box) group(g *group) bool {
	can, must, last := 0, 0, int32(0)
	for _, i := range g.members {
		if b.x[i].hi >= 1 {
			can, last = can+1, i
		}
		if b.x[i].lo >= 1 {
			must++
		}
	}
	if can == 0 || must > 1 {
		return false
	}
	if must == 0 && can > 1 {
		return true
	}
	for _, i := range g.members {
		to := interval{0, 0}
		if must == 1 && b.x[i].lo >= 1 || must == 0 && i == last {
			to = interval{1, 1}
		}
		if !b.narrow(false, i, to) {
			return false
		}
	}
	return true
}
