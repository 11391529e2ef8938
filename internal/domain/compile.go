package domain

import (
	"math"
	"slices"
)

const (
	half32      = 0x1p-24 // largest relative error of rounding to float32
	half64      = 0x1p-53 // and to float64
	strictShare = 1e-6    // margin of a strict comparison, as a share of its width
)

// relation is a compiled relation.
type relation struct {
	text    string
	formula formula
	orig    bool    // it reads the original row
	vars    []int32 // features of x that it reads
}

// formula is a comparison, or all or any of its kids. Negations were pushed
// down into the comparisons.
type formula struct {
	leaf *leaf
	any  bool
	kids []formula
}

// compare says what must hold for the difference of a leaf's two sides.
type compare uint8

const (
	atMost  compare = iota // difference <= 0
	below                  // difference < 0, by the margin
	equal                  // difference == 0
	differs                // difference != 0, by the margin
)

// leaf is a comparison: a tape of arithmetic whose last node is the
// difference of its two sides.
type leaf struct {
	compare compare
	margin  float64
	tape    []node
	vars    []int32 // distinct features of x, in the order of their slots
	linear  bool
}

// node is one operation over earlier nodes of its tape.
type node struct {
	op      op
	a, b    int32   // operands; for opX, b is the slot in vars
	feature int32   // for opX and opOrig
	num     float64 // for opNumber
	error   float64 // relative rounding error of a number or feature
}

// compile turns a parsed relation into its formula.
func (d *Domain) compile(text string, e *expr) relation {
	r := relation{text: text}
	r.formula = d.formula(e, false)
	r.formula.leaves(func(l *leaf) {
		for _, v := range l.vars {
			if !slices.Contains(r.vars, v) {
				r.vars = append(r.vars, v)
			}
		}
		for _, n := range l.tape {
			r.orig = r.orig || n.op == opOrig
		}
	})
	slices.Sort(r.vars)
	return r
}

func (f *formula) leaves(visit func(*leaf)) {
	if f.leaf != nil {
		visit(f.leaf)
	}
	for i := range f.kids {
		f.kids[i].leaves(visit)
	}
}

// formula compiles a statement or its negation.
func (d *Domain) formula(e *expr, negate bool) formula {
	switch e.op {
	case opNot:
		return d.formula(e.kids[0], !negate)
	case opAnd, opOr:
		return combine(e.op == opOr != negate, d.formula(e.kids[0], negate), d.formula(e.kids[1], negate))
	case opImplies:
		return combine(!negate, d.formula(e.kids[0], !negate), d.formula(e.kids[1], negate))
	}
	o, a, b := e.op, e.kids[0], e.kids[1]
	if negate {
		o = map[op]op{opLE: opGT, opGE: opLT, opLT: opGE, opGT: opLE, opEQ: opNE, opNE: opEQ}[o]
	}
	if o == opGE || o == opGT {
		o, a, b = o-1, b, a // >= follows <= and > follows <
	}
	return formula{leaf: d.leaf(map[op]compare{opLE: atMost, opLT: below, opEQ: equal, opNE: differs}[o], a, b)}
}

// combine joins two formulas, merging those of the same kind.
func combine(any bool, parts ...formula) formula {
	f := formula{any: any}
	for _, p := range parts {
		if p.leaf == nil && p.any == any {
			f.kids = append(f.kids, p.kids...)
		} else {
			f.kids = append(f.kids, p)
		}
	}
	return f
}

func (d *Domain) leaf(c compare, left, right *expr) *leaf {
	l := &leaf{compare: c, linear: true}
	slots := map[int32]int32{}
	a := d.emit(l, slots, left)
	b := d.emit(l, slots, right)
	l.push(node{op: opSub, a: a, b: b})
	if c == below || c == differs {
		l.margin = 1
		if !d.integral(left) || !d.integral(right) {
			l.margin = strictShare
			if w := l.width(d); w > 0 && !math.IsInf(w, 0) {
				l.margin = strictShare * w
			}
		}
	}
	return l
}

func (l *leaf) push(n node) int32 {
	l.tape = append(l.tape, n)
	return int32(len(l.tape) - 1)
}

// emit appends the operations of an arithmetic expression and returns the
// place of its value.
func (d *Domain) emit(l *leaf, slots map[int32]int32, e *expr) int32 {
	n := node{op: e.op, feature: e.feature, num: e.num}
	switch e.op {
	case opNumber:
		if e.num != math.Trunc(e.num) {
			n.error = half64
		}
		return l.push(n)
	case opX, opOrig:
		n.error = d.rounding(e.feature)
		if e.op == opX {
			slot, ok := slots[e.feature]
			if !ok {
				slot = int32(len(l.vars))
				slots[e.feature] = slot
				l.vars = append(l.vars, e.feature)
			}
			n.b = slot
		}
		return l.push(n)
	}
	n.a = d.emit(l, slots, e.kids[0])
	for i, k := range e.kids[1:] {
		if i > 0 { // min and max of several: pair by pair
			n.a = l.push(n)
		}
		n.b = d.emit(l, slots, k)
	}
	if e.op == opMul || e.op == opDiv {
		l.linear = l.linear && e.constant()
	}
	return l.push(n)
}

// rounding is the relative error with which a row holds the feature.
func (d *Domain) rounding(feature int32) float64 {
	f := d.features[feature]
	if d.whole[feature] && max(math.Abs(f.Min), math.Abs(f.Max)) <= 1<<24 {
		return 0
	}
	return half32
}

// constant says of a product or quotient that its slope in x is constant.
func (e *expr) constant() bool {
	if e.op == opDiv {
		return !e.kids[1].readsX()
	}
	return !e.kids[0].readsX() || !e.kids[1].readsX()
}

func (e *expr) readsX() bool {
	return e.op == opX || slices.ContainsFunc(e.kids, (*expr).readsX)
}

// integral says that e is a whole number whenever whole-number features are.
func (d *Domain) integral(e *expr) bool {
	switch e.op {
	case opNumber:
		return e.num == math.Trunc(e.num)
	case opX, opOrig:
		return d.whole[e.feature]
	case opDiv:
		return false
	}
	return !slices.ContainsFunc(e.kids, func(k *expr) bool { return !d.integral(k) })
}
