package domain

import (
	"fmt"
	"math"
)

// Kind says what a violation violates.
type Kind string

// The kinds of violation.
const (
	OutOfRange     Kind = "range"
	WrongType      Kind = "type"       // not a whole number
	WrongGroup     Kind = "group"      // a one-hot group does not add up to 1
	WrongChange    Kind = "mutability" // changed where or in a direction in which it cannot be
	BrokenRelation Kind = "relation"
	NotANumber     Kind = "not-a-number" // NaN or infinite
)

// Violation is one way in which a row lies outside the domain.
type Violation struct {
	Kind     Kind    `json:"kind"`
	Feature  string  `json:"feature,omitempty"`  // for WrongGroup the group's name
	Relation string  `json:"relation,omitempty"` // its text
	Amount   float64 `json:"amount"`             // by how much, in the unit of the feature or relation
	Share    float64 `json:"share"`              // by how much, as a share of the range: see Domain.Violation
	Unit     string  `json:"unit,omitempty"`
}

// String is one readable line.
func (v Violation) String() string {
	amount := fmt.Sprintf("%.4g", v.Amount)
	if v.Unit != "" {
		amount += " " + v.Unit
	}
	amount = fmt.Sprintf("by %s (%.3g of the range)", amount, v.Share)
	switch v.Kind {
	case OutOfRange:
		return fmt.Sprintf("%s is out of range %s", v.Feature, amount)
	case WrongType:
		return fmt.Sprintf("%s is off a whole number %s", v.Feature, amount)
	case WrongGroup:
		return fmt.Sprintf("group %s misses a sum of one by %.4g", v.Feature, v.Amount)
	case WrongChange:
		return fmt.Sprintf("%s was changed against its mutability %s", v.Feature, amount)
	case NotANumber:
		return v.Feature + " is not a finite number"
	}
	if math.IsInf(v.Amount, 0) {
		return fmt.Sprintf("relation %q cannot be computed here", v.Relation)
	}
	return fmt.Sprintf("relation %q fails %s", v.Relation, amount)
}

// Feasible says whether x can occur as a change of orig: ranges, types,
// mutability, groups and relations, with the tolerances that Domain
// documents. With a nil orig it speaks of x alone: mutability and relations that read orig are
// skipped. It does not allocate. Like all methods that take rows it panics
// when a row has not one value per feature.
func (d *Domain) Feasible(x, orig []float32) bool {
	d.mustFit(x, orig)
	lo, hi := d.lo[:len(x)], d.hi[:len(x)]
	for i, v := range x {
		if !(v >= lo[i] && v <= hi[i]) {
			return false
		}
	}
	if d.plain {
		return true
	}
	for _, i := range d.ints {
		if v := float64(x[i]); v != math.Trunc(v) {
			return false
		}
	}
	for g := range d.groups {
		sum := float32(0)
		for _, i := range d.groups[g].members {
			sum += x[i]
		}
		if sum != 1 {
			return false
		}
	}
	if orig != nil {
		for _, i := range d.bound {
			o, v := orig[i], x[i]
			switch d.features[i].Mutable {
			case No:
				if v != o {
					return false
				}
			case Up:
				if !(v >= o) {
					return false
				}
			case Down:
				if !(v <= o) {
					return false
				}
			}
		}
	}
	return d.related(x, orig)
}

// related says whether all relations hold that can be told.
func (d *Domain) related(x, orig []float32) bool {
	for i := range d.relations {
		if r := &d.relations[i]; (orig != nil || !r.orig) && !r.formula.holds(x, orig) {
			return false
		}
	}
	return true
}

// Check lists every violation of x: first by feature, then groups, then
// relations. It is empty exactly when Feasible. Where a value is not finite,
// its Amount and Share are infinite, and groups and relations are not judged.
func (d *Domain) Check(x, orig []float32) []Violation {
	var found []Violation
	d.visit(x, orig, nil, func(v Violation, i int, r *relation) {
		switch {
		case r != nil:
			v.Relation = r.text
		case v.Kind == WrongGroup:
			v.Feature = d.groups[i].name
		default:
			v.Feature, v.Unit = d.features[i].Name, d.features[i].Unit
		}
		found = append(found, v)
	})
	return found
}

// Violation is how far x is from the domain: 0 exactly when Feasible, +Inf
// when a value is not finite or a relation cannot be computed, and
// otherwise the sum of the shares that Check lists. The share of a feature is the amount over the
// width of its range; of a group, how far its sum is from 1; of a comparison, the
// amount over the sum of |d/dx_i|*Scale_i at x, which is the change when every
// feature moves by its whole range (1 where no feature of x moves it, at most
// a million). "and" adds shares, "or" takes the least, and "A implies B" is "not A or B".
func (d *Domain) Violation(x, orig []float32) float64 {
	return d.visit(x, orig, nil, nil)
}

// Gradient returns Violation and sets grad to its derivative by each value
// of x, per unit of x; at a kink it is the derivative on one side. It is zero where the violation
// does not depend on x or is infinite. grad has one value per feature.
func (d *Domain) Gradient(x, orig []float32, grad []float64) float64 {
	if len(grad) != len(d.features) {
		panic(fmt.Sprintf("domain: gradient of %d values for %d features", len(grad), len(d.features)))
	}
	clear(grad)
	total := d.visit(x, orig, grad, nil)
	if math.IsInf(total, 0) {
		clear(grad)
	}
	return total
}

// visit sums the shares of all violations, adds their derivatives to grad and
// reports each, where grad and report are not nil.
func (d *Domain) visit(x, orig []float32, grad []float64, report func(v Violation, i int, r *relation)) float64 {
	d.mustFit(x, orig)
	total, finite := 0.0, true
	add := func(kind Kind, i int, excess float64) { // excess has the sign of x's error
		share := math.Abs(excess) / d.scale[i]
		if math.IsNaN(share) {
			share = math.Inf(1)
		}
		total += share
		if grad != nil {
			grad[i] += sign(excess) / d.scale[i]
		}
		if report != nil {
			report(Violation{Kind: kind, Amount: share * d.scale[i], Share: share}, i, nil)
		}
	}
	for i, v32 := range x {
		v := float64(v32)
		if math.IsNaN(v) || math.IsInf(v, 0) {
			add(NotANumber, i, math.Inf(1))
			finite = false
			continue
		}
		if v32 < d.lo[i] {
			add(OutOfRange, i, v-d.features[i].Min)
		} else if v32 > d.hi[i] {
			add(OutOfRange, i, v-d.features[i].Max)
		}
		if whole := math.Round(v); d.whole[i] && v != whole {
			add(WrongType, i, v-whole)
		}
		if orig == nil {
			continue
		}
		o := float64(orig[i])
		if m := d.features[i].Mutable; m == No && v != o || m == Up && !(v >= o) || m == Down && !(v <= o) {
			add(WrongChange, i, v-o)
		}
	}
	if !finite {
		return total
	}
	for g := range d.groups {
		sum := -1.0
		for _, i := range d.groups[g].members {
			sum += float64(x[i])
		}
		if sum == 0 {
			continue
		}
		total += math.Abs(sum)
		if grad != nil {
			for _, i := range d.groups[g].members {
				grad[i] += sign(sum)
			}
		}
		if report != nil {
			report(Violation{Kind: WrongGroup, Amount: math.Abs(sum), Share: math.Abs(sum)}, g, nil)
		}
	}
	var s scratch
	for i := range d.relations {
		r := &d.relations[i]
		if orig == nil && r.orig {
			continue
		}
		share, amount := r.formula.share(d, x, orig, &s, grad)
		total += share
		if share > 0 && report != nil {
			report(Violation{Kind: BrokenRelation, Amount: amount, Share: share}, 0, r)
		}
	}
	return total
}
