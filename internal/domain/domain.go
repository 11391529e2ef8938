package domain

import (
	"fmt"
	"slices"
)

// Domain is the set of inputs that can really occur, for rows of float32
// values in the order of its features. It does not change after New and may
// be used by several goroutines at once.
//
// Tolerances, because rows are float32 and bounds are float64:
//   - A value is in range when it lies between the float32 nearest to Min and
//     the float32 nearest to Max, both included.
//   - Integer, ordinal, category and binary values must be whole numbers
//     exactly; an immutable value must equal its original exactly; the members
//     of a group must be exactly one 1 and otherwise 0.
//   - A relation may miss by the error that rounding its real features to
//     float32 (and its arithmetic to float64) can cause at that point, to first
//     order. Whole-number features are taken to be exact.
//   - A strict comparison and != must hold by a margin: 1 when only whole
//     numbers are added, subtracted and multiplied in it, otherwise one
//     millionth of the width of the values that its two sides' difference can
//     take within the ranges.
//   - A comparison that divides by zero (or by what float32 rounding cannot
//     tell from zero) or overflows does not hold, and neither does its negation.
type Domain struct {
	features  []Feature
	relations []relation
	scale     []float64
	lo, hi    []float32 // ranges as float32
	ints      []int32   // features whose values are whole numbers
	bound     []int32   // features that are not freely mutable
	whole     []bool    // per feature: in ints
	group     []int32   // per feature: index into groups, or -1
	groups    []group
	defined   []definition
	plain     bool
}

// group is a one-hot group and its members in feature order.
type group struct {
	name    string
	members []int32
}

// New checks features and relations against each other and compiles the
// relations. An error names the feature or the column of the relation and says
// how to put it right.
func New(features []Feature, relations []string) (*Domain, error) {
	if err := validate(features); err != nil {
		return nil, err
	}
	n := len(features)
	d := &Domain{
		features: slices.Clone(features),
		scale:    make([]float64, n),
		lo:       make([]float32, n),
		hi:       make([]float32, n),
		whole:    make([]bool, n),
		group:    make([]int32, n),
	}
	index := map[string]int32{}
	plain := len(relations) == 0
	for i, f := range features {
		d.lo[i], d.hi[i] = float32(f.Min), float32(f.Max)
		d.scale[i] = f.Max - f.Min
		if d.scale[i] == 0 {
			d.scale[i] = 1
		}
		if f.Type != Real {
			d.whole[i] = true
			d.ints = append(d.ints, int32(i))
		}
		if f.Mutable != Yes {
			d.bound = append(d.bound, int32(i))
		}
		plain = plain && f.Type == Real && f.Mutable == Yes
		d.group[i] = -1
		if f.Group == "" {
			continue
		}
		g, ok := index[f.Group]
		if !ok {
			g = int32(len(d.groups))
			index[f.Group] = g
			d.groups = append(d.groups, group{name: f.Group})
		}
		d.group[i] = g
		d.groups[g].members = append(d.groups[g].members, int32(i))
	}
	d.plain = plain
	names := make(map[string]int32, n)
	for i, f := range features {
		names[f.Name] = int32(i)
	}
	for i, text := range relations {
		e, err := parse(text, features, names)
		if err != nil {
			return nil, fmt.Errorf("parse relation %d %q: %w", i+1, clip(text), err)
		}
		d.relations = append(d.relations, d.compile(text, e))
	}
	for i := range d.relations {
		d.define(&d.relations[i])
	}
	return d, nil
}

// Len is the number of features, which is the length of every row.
func (d *Domain) Len() int { return len(d.features) }

// Features lists the features in the order of a row's values. The slice is
// the domain's own: read it only.
func (d *Domain) Features() []Feature { return d.features }

// Relations lists the relations as they were written.
func (d *Domain) Relations() []string {
	texts := make([]string, len(d.relations))
	for i := range d.relations {
		texts[i] = d.relations[i].text
	}
	return texts
}

// Scale is, per feature, the width of its range in its own unit, and 1 where
// the range is a single value. Changes and violations are compared in shares of it. The slice is
// the domain's own: read it only.
func (d *Domain) Scale() []float64 { return d.scale }

// Plain says that the domain is only a box: real features, all freely
// mutable, without groups and relations. Callers may then clamp to Min and Max.
func (d *Domain) Plain() bool { return d.plain }

// mustFit stops a caller that mixes up rows of different systems.
func (d *Domain) mustFit(x, orig []float32) {
	if len(x) != len(d.features) || orig != nil && len(orig) != len(d.features) {
		panic(fmt.Sprintf("domain: rows of %d and %d values for %d features", len(x), len(orig), len(d.features)))
	}
}
