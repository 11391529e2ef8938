// Package exact answers how far a row is from another decision of a tree
// ensemble: what is proved and what was found, under the domain. A choice of
// one leaf per tree is a box of inputs on which the ensemble is constant;
// branch and bound over such choices finds the nearest box that meets an aim.
package exact

import (
	"errors"
	"fmt"
	"math"

	"github.com/assize/assize/internal/tree"
)

// Space says which inputs count and how distance is measured.
type Space struct {
	Features []Feature
	// Groups are one-hot groups: of the features of each exactly one is 1 and the others 0.
	Groups [][]int
}

// Feature is one input of the ensemble.
type Feature struct {
	// Min and Max are the ends of the range, both included; ±Inf where there is none.
	// They are taken at the nearest float32.
	Min, Max float64
	// Integer says that only whole numbers occur.
	Integer bool
	Move    Move
	// Weight is the distance that a change of one unit costs: 1 for raw units,
	// 1/(Max-Min) for shares of the range. It is above 0.
	Weight float64
}

// Move says in which direction a feature can change from the row's own value.
type Move uint8

// The moves.
const (
	Free  Move = iota
	Fixed      // not at all
	Up         // upwards only
	Down       // downwards only
)

// Unbounded is the space of all float32 rows of a width, in raw units.
func Unbounded(width int) Space {
	s := Space{Features: make([]Feature, width)}
	for i := range s.Features {
		s.Features[i] = Feature{Min: math.Inf(-1), Max: math.Inf(1), Weight: 1}
	}
	return s
}

// Norm is how the changes of the features make up a distance.
type Norm uint8

// The norms.
const (
	Linf Norm = iota // the largest weighted change
	L1               // the sum of the weighted changes
	L2               // the root of the sum of their squares
)

// Engine answers questions about one ensemble in one space. It does not change
// after New but for a cache; several goroutines may use it at once.
type Engine struct {
	space   Space
	outputs int
	base    []float64
	feats   []feature
	cats    []category
	catLen  int     // words of a leaf's category mask
	catOf   []int32 // per feature: its category variable, or -1
	trees   []compiled
	leaves  []leaf
	spread  []float64 // per output: the sum over trees of the largest absolute leaf value
	single  bool
	cuts    [][]float32 // per feature: where splits cut it, ascending
	views   viewCache
}

// feature is a Feature with its range on the float32 values that can occur.
type feature struct {
	lo, hi float32 // least and greatest value
	whole  bool
	move   Move
	weight float64
}

// New prepares an ensemble for search. It refuses what it could not answer
// exactly: a tree that is not one, a split on equality or a set of values over
// a feature whose values are not a finite list, and zero that counts as missing
// where that splits a range in three.
func New(e *tree.Ensemble, space Space) (*Engine, error) {
	if e.Features != len(space.Features) {
		return nil, fmt.Errorf("prepare ensemble: it has %d features and the space %d\nhint: describe every feature that the model reads, in its order", e.Features, len(space.Features))
	}
	if e.Outputs < 1 || len(e.Base) > e.Outputs {
		return nil, fmt.Errorf("prepare ensemble: %d outputs and %d base values", e.Outputs, len(e.Base))
	}
	g := &Engine{space: space, outputs: e.Outputs, base: make([]float64, e.Outputs), single: e.Single}
	copy(g.base, e.Base)
	if err := g.prepareSpace(); err != nil {
		return nil, err
	}
	if err := g.prepareCategories(e); err != nil {
		return nil, err
	}
	counts := make([]float64, e.Outputs)
	for i := range e.Trees {
		for o := range counts {
			if k := e.Trees[i].Output; k == -1 || k == o {
				counts[o]++
			}
		}
	}
	for o := range counts {
		if !e.Average || counts[o] == 0 {
			counts[o] = 1
		}
	}
	g.spread = make([]float64, e.Outputs)
	for i := range e.Trees {
		if err := g.compile(e, &e.Trees[i], counts); err != nil {
			return nil, fmt.Errorf("prepare ensemble: tree %d: %w", i, err)
		}
	}
	g.number()
	return g, nil
}

func (g *Engine) prepareSpace() error {
	g.feats = make([]feature, len(g.space.Features))
	for i, f := range g.space.Features {
		if !(f.Weight > 0) || math.IsInf(f.Weight, 0) || f.Min != f.Min || f.Max != f.Max {
			return fmt.Errorf("prepare space: feature %d: weight %v, range %v to %v\nhint: weights are above 0 and finite; an open end is an infinity", i, f.Weight, f.Min, f.Max)
		}
		lo, hi := float32(f.Min), float32(f.Max)
		lo, hi = max(lo, -math.MaxFloat32), min(hi, math.MaxFloat32)
		if f.Integer {
			lo, hi = float32(math.Ceil(float64(lo))), float32(math.Floor(float64(hi)))
		}
		if lo > hi {
			return fmt.Errorf("prepare space: feature %d: nothing between %v and %v can occur", i, f.Min, f.Max)
		}
		g.feats[i] = feature{lo: lo, hi: hi, whole: f.Integer, move: f.Move, weight: f.Weight}
	}
	return nil
}

// from is the least value at or above t that the feature can take, leaving its range aside.
func (f *feature) from(t float32) float32 {
	if f.whole {
		return float32(math.Ceil(float64(t)))
	}
	return t
}

// below is the greatest value under t that the feature can take, leaving its
// range aside, and the infimum of the distance to it, which float32 only approaches.
func (f *feature) below(t float32) (value, limit float32) {
	if f.whole {
		v := float32(math.Ceil(float64(t)))
		// Beyond 2^24 neighbouring float32 values are more than 1 apart.
		v = min(v-1, math.Nextafter32(t, float32(math.Inf(-1))))
		v = float32(math.Floor(float64(v)))
		return v, v
	}
	return math.Nextafter32(t, float32(math.Inf(-1))), t
}

var errRange = errors.New("index out of range")

// Cut turns a split by Less or LessOrEqual into "goes left when x < t" over float32 values.
func Cut(n *tree.Node, single bool) (float32, error) {
	if n.Threshold != n.Threshold {
		return 0, errors.New("a threshold is not a number")
	}
	t := float32(n.Threshold)
	up := float32(math.Inf(1))
	switch {
	case n.Compare == tree.Less:
		if !single && float64(t) < n.Threshold {
			t = math.Nextafter32(t, up)
		}
	case n.Compare == tree.LessOrEqual:
		if !single && float64(t) > n.Threshold {
			t = math.Nextafter32(t, -up)
		}
		t = math.Nextafter32(t, up)
	default:
		return 0, fmt.Errorf("split rule %d is not known", n.Compare)
	}
	return t, nil
}
