package domain

import (
	"math"
	"slices"
)

// definition is a relation that sets one feature from others: it alone on one
// side of an equality, which does not read it on the other.
type definition struct {
	feature int32
	leaf    *leaf
	sign    float64 // of the feature in the difference of the two sides
}

// define takes note of the relation if it defines a feature that is not defined
// yet and that no definition before reads.
func (d *Domain) define(r *relation) {
	l := r.formula.leaf
	if l == nil || l.compare != equal {
		return
	}
	last := l.tape[len(l.tape)-1]
	for k, at := range []int32{last.a, last.b} {
		n := l.tape[at]
		if n.op != opX {
			continue
		}
		f, times := n.feature, 0
		for _, o := range l.tape {
			if o.op == opX && o.feature == f {
				times++
			}
		}
		taken := slices.ContainsFunc(d.defined, func(o definition) bool { return o.feature == f || slices.Contains(o.leaf.vars, f) })
		if times == 1 && !taken && d.group[f] < 0 && d.features[f].Mutable == Yes {
			d.defined = append(d.defined, definition{f, l, 1 - 2*float64(k)})
			return
		}
	}
}

// Derive sets, in x, the features that relations define as equal to something
// else, where that is a number. Whole numbers and ranges are for Settle or Project to meet.
func (d *Domain) Derive(x, orig []float32) {
	d.mustFit(x, orig)
	for _, f := range d.defined {
		diff, _ := f.leaf.value(int32(len(f.leaf.tape)-1), x, orig)
		if to := float32(float64(x[f.feature]) - f.sign*diff); !math.IsNaN(diff) && !math.IsInf(float64(to), 0) {
			x[f.feature] = to
		}
	}
}

// Chain turns the slopes of a function of x into those of the function of the
// features that are free when Derive sets the others: what a defined feature adds goes to
// those that define it, and its own slope becomes 0.
func (d *Domain) Chain(x, orig []float32, slopes []float64) {
	var s scratch
	for _, f := range slices.Backward(d.defined) {
		own := slopes[f.feature]
		slopes[f.feature] = 0
		if own == 0 {
			continue
		}
		for k, by := range f.leaf.slope(x, orig, &s) {
			if v := f.leaf.vars[k]; v != f.feature && !math.IsNaN(by) && !math.IsInf(by, 0) {
				slopes[v] -= own * f.sign * by
			}
		}
	}
}
