package tree

import (
	"fmt"
	"math"
)

// maxFeatures bounds what a file may claim, as evaluation holds rows.
const maxFeatures = 1 << 24

// Check returns the first thing that is wrong with the ensemble's structure:
// a child that does not stand behind its parent or has two, an index out of
// range, a threshold that is NaN, a value that is not finite. Evaluation and
// the exact search rely on what it checks.
func (e *Ensemble) Check() error {
	switch {
	case e.Features < 0 || e.Features > maxFeatures:
		return fmt.Errorf("%d features are over the limit of %d", e.Features, maxFeatures)
	case e.Outputs < 1:
		return fmt.Errorf("%d outputs", e.Outputs)
	case len(e.Base) != e.Outputs:
		return fmt.Errorf("%d base values for %d outputs", len(e.Base), e.Outputs)
	case len(e.Names) != 0 && len(e.Names) != e.Features:
		return fmt.Errorf("%d names for %d features", len(e.Names), e.Features)
	case e.Classes < 0 || e.Classes == 1 || e.Classes > 2 && e.Classes != e.Outputs || e.Classes == 2 && e.Outputs > 2:
		return fmt.Errorf("%d classes with %d outputs", e.Classes, e.Outputs)
	case e.Link == Sigmoid && !finite(e.Slope):
		return fmt.Errorf("slope %v of the sigmoid", e.Slope)
	}
	for _, b := range e.Base {
		if !finite(b) {
			return fmt.Errorf("base value %v is not finite", b)
		}
	}
	for i := range e.Trees {
		if err := e.checkTree(&e.Trees[i]); err != nil {
			return fmt.Errorf("tree %d: %w", i, err)
		}
	}
	return nil
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

func (e *Ensemble) checkTree(t *Tree) error {
	width := 1
	switch {
	case t.Output == -1:
		width = e.Outputs
	case t.Output < 0 || t.Output >= e.Outputs:
		return fmt.Errorf("output %d of %d", t.Output, e.Outputs)
	}
	if !finite(t.Weight) {
		return fmt.Errorf("weight %v is not finite", t.Weight)
	}
	if len(t.Nodes) == 0 {
		return fmt.Errorf("no nodes")
	}
	for _, v := range t.Values {
		if !finite(v) {
			return fmt.Errorf("leaf value %v is not finite", v)
		}
	}
	owned := make([]bool, len(t.Nodes))
	for i, n := range t.Nodes {
		if n.Feature < 0 {
			if n.Left < 0 || int(n.Left) > len(t.Values)-width {
				return fmt.Errorf("leaf %d: value %d of %d", i, n.Left, len(t.Values))
			}
			continue
		}
		if int(n.Feature) >= e.Features {
			return fmt.Errorf("node %d: feature %d of %d", i, n.Feature, e.Features)
		}
		for _, c := range [2]int32{n.Left, n.Right} {
			if int(c) <= i || int(c) >= len(t.Nodes) {
				return fmt.Errorf("node %d: child %d of %d nodes does not stand behind it", i, c, len(t.Nodes))
			}
			if owned[c] {
				return fmt.Errorf("node %d: child %d has another parent", i, c)
			}
			owned[c] = true
		}
		switch {
		case n.Compare > In:
			return fmt.Errorf("node %d: unknown comparison %d", i, n.Compare)
		case n.Missing > MissingCompares:
			return fmt.Errorf("node %d: unknown kind of missing value %d", i, n.Missing)
		case n.Compare == In && (n.Set < 0 || int(n.Set) >= len(t.Sets)):
			return fmt.Errorf("node %d: category set %d of %d", i, n.Set, len(t.Sets))
		case math.IsNaN(n.Threshold):
			return fmt.Errorf("node %d: the threshold is not a number", i)
		}
	}
	return nil
}
