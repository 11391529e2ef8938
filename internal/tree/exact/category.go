package exact

import (
	"fmt"
	"math"
	"slices"

	"github.com/assize/assize/internal/tree"
)

// category is a variable with a finite list of values: a one-hot group, whose
// options are its features, or a feature that a split compares by equality or
// with a set, whose options are its whole numbers.
type category struct {
	features []int   // of a group; else the one feature
	group    bool    // of features
	first    float64 // the value of option 0, where it is not a group
	options  int
	word     int // where its options begin in a mask
}

func (c *category) words() int { return (c.options + 63) / 64 }

// value is what feature f of the variable is under an option.
func (c *category) value(option int, f int) float32 {
	if !c.group {
		return float32(c.first + float64(option))
	}
	if c.features[option] == f {
		return 1
	}
	return 0
}

// optionLimit bounds the values of a feature that is split by equality.
const optionLimit = 4096

func (g *Engine) prepareCategories(e *tree.Ensemble) error {
	g.catOf = make([]int32, len(g.feats))
	for i := range g.catOf {
		g.catOf[i] = -1
	}
	for n, group := range g.space.Groups {
		if len(group) == 0 {
			return fmt.Errorf("prepare space: group %d is empty", n)
		}
		for _, f := range group {
			if f < 0 || f >= len(g.feats) || g.catOf[f] >= 0 {
				return fmt.Errorf("prepare space: group %d: feature %d is not there, or in two groups", n, f)
			}
			g.catOf[f] = int32(len(g.cats))
		}
		g.addCategory(category{features: group, group: true, options: len(group)})
	}
	for i := range e.Trees {
		for k := range e.Trees[i].Nodes {
			n := &e.Trees[i].Nodes[k]
			if n.Feature < 0 || int(n.Feature) >= len(g.feats) || n.Compare != tree.Equal && n.Compare != tree.In || g.catOf[n.Feature] >= 0 {
				continue
			}
			f := g.feats[n.Feature]
			if !f.whole || f.hi-f.lo >= optionLimit {
				return fmt.Errorf("prepare ensemble: feature %d is split by equality, and its values are not a list of at most %d whole numbers\nhint: declare its type and range in the domain", n.Feature, optionLimit)
			}
			g.catOf[n.Feature] = int32(len(g.cats))
			g.addCategory(category{features: []int{int(n.Feature)}, first: float64(f.lo), options: int(f.hi-f.lo) + 1})
		}
	}
	return nil
}

func (g *Engine) addCategory(c category) {
	c.word = g.catLen
	g.catLen += c.words()
	g.cats = append(g.cats, c)
}

// full is a mask of every option of every variable.
func (g *Engine) full() []uint64 {
	m := make([]uint64, g.catLen)
	for i := range g.cats {
		c := &g.cats[i]
		for o := range c.options {
			m[c.word+o/64] |= 1 << (o % 64)
		}
	}
	return m
}

// lefts is the options that go left at a node.
func (c *category) lefts(n *tree.Node, t *tree.Tree, single bool) []uint64 {
	m := make([]uint64, c.words())
	for o := range c.options {
		if goesLeft(n, t, c.value(o, int(n.Feature)), single) {
			m[o/64] |= 1 << (o % 64)
		}
	}
	return m
}

// narrow keeps the options of a variable that go one way at a node; dead: none is left.
func (g *Engine) narrow(p pending, cat int, lefts []uint64, left bool) (mask []uint64, dead bool) {
	mask = slices.Clone(p.mask)
	if mask == nil {
		mask = g.full()
	}
	dead = true
	for w, l := range lefts {
		if !left {
			l = ^l
		}
		mask[g.cats[cat].word+w] &= l
		dead = dead && mask[g.cats[cat].word+w] == 0
	}
	return mask, dead || p.dead
}

// goesLeft applies a split rule to a value that is not NaN.
func goesLeft(n *tree.Node, t *tree.Tree, x float32, single bool) bool {
	if n.Missing == tree.MissingZeroAndNaN && math.Abs(float64(x)) <= 1e-35 {
		return n.MissingLeft
	}
	limit := n.Threshold
	if single {
		limit = float64(float32(limit))
	}
	switch v := float64(x); n.Compare {
	case tree.Less:
		return v < limit
	case tree.LessOrEqual:
		return v <= limit
	case tree.Equal:
		return v == limit
	default:
		if n.Set < 0 || int(n.Set) >= len(t.Sets) || v < 0 || v >= float64(64*len(t.Sets[n.Set])) {
			return false
		}
		k := int(v)
		return t.Sets[n.Set][k/64]>>(k%64)&1 == 1
	}
}
