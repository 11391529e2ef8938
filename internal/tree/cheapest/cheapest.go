// Package cheapest finds the cheapest change of a row that can really happen
// and that brings a model's sums to an aim: best-first branch and bound over boxes of
// inputs, which the domain narrows through its relations and the model bounds.
// It takes tree ensembles and linear models, of which scorecards are both.
package cheapest

import (
	"fmt"
	"math"

	"github.com/assize/assize/internal/domain"
	"github.com/assize/assize/internal/tree"
	"github.com/assize/assize/internal/tree/exact"
)

// Model is what is searched: exactly one of the two.
type Model struct {
	Trees  *tree.Ensemble
	Linear *tree.Linear
}

// Engine answers questions about the changes that one domain allows. It does
// not change after New; several goroutines may use it at once.
type Engine struct {
	dom    *domain.Domain
	model  Model
	price  []float64
	groups [][]int32
	group  []int32 // per feature: its group, or -1
	whole  []bool
	scout  *exact.Engine // of large ensembles; nil otherwise
}

// New prepares a model for search under a domain. A change costs price[i] for
// each unit of feature i; in a one-hot group the price of the member that
// becomes 1 is paid, and nothing for the one that it replaces.
func New(m Model, d *domain.Domain, price []float64) (*Engine, error) {
	width := 0
	switch {
	case m.Trees != nil && m.Linear == nil:
		width = m.Trees.Features
		if err := m.Trees.Check(); err != nil {
			return nil, fmt.Errorf("prepare search: %w", err)
		}
	case m.Linear != nil && m.Trees == nil:
		width = m.Linear.Features
	default:
		return nil, fmt.Errorf("prepare search: give trees or a linear model")
	}
	if width != d.Len() || len(price) != width {
		return nil, fmt.Errorf("prepare search: the model reads %d features, the domain has %d and %d prices are given\nhint: list every input of the model, in its order, under domain.features", width, d.Len(), len(price))
	}
	g := &Engine{dom: d, model: m, price: price, group: make([]int32, width), whole: make([]bool, width)}
	byName := map[string]int32{}
	for i, f := range d.Features() {
		if p := price[i]; !(p >= 0) || math.IsInf(p, 0) {
			return nil, fmt.Errorf("prepare search: feature %q costs %v\nhint: costs are finite and not below 0", f.Name, p)
		}
		g.whole[i] = f.Type != domain.Real
		g.group[i] = -1
		if f.Group == "" {
			continue
		}
		at, ok := byName[f.Group]
		if !ok {
			at = int32(len(g.groups))
			byName[f.Group] = at
			g.groups = append(g.groups, nil)
		}
		g.group[i] = at
		g.groups[at] = append(g.groups[at], int32(i))
	}
	if m.Trees != nil {
		g.scout = g.newScout(m.Trees)
	}
	return g, nil
}

// Options say how a search goes.
type Options struct {
	// Noise is by how much the system's own sums can differ from exact ones beyond the
	// rounding of a sum in float32, which is allowed for.
	Noise float64
	// Work bounds the search: nodes of trees, or features, that are looked at. At least 1.
	Work int
	// Accept tells whether the system itself gives the gain for an input that is feasible and
	// meets the aim, or may within rounding; nil: all that meet it do.
	Accept func(x []float32) bool
	// Margin asks for the change by which the least of an aim's sums lies highest over
	// its limit (lowest under it), whatever it costs, in place of the cheapest that meets it.
	Margin bool
}

// Result is what a search says of one row. With Options.Margin, Upper and Lower
// bound the margin instead: what was found, and what none exceeds.
type Result struct {
	// X is the cheapest change that was found, nil where none was.
	X []float32
	// Upper is the cost of X, +Inf without one. Nothing cheaper than Lower gains, which is
	// proved; +Inf: nothing at all does.
	Lower, Upper float64
	// Exact says that the two meet, to one part in a thousand.
	Exact bool
	// Empty says that no change of the row is feasible at all, which is proved; not even none.
	Empty bool
	// Boxes were looked at, for Work.
	Boxes, Work int
}

// half-spaces of an aim, made ready for one row.
type goal interface {
	// look bounds the aim's sums over a box. near is the cheapest point of the box.
	look(b *box, near []float32) step
	// within is the same goal for the inputs of a box alone.
	within(lo, hi, orig []float32) goal
	// margin is the least of the sums over its limit: not below 0 where all are met.
	margin(x []float32) float64
	// rounding bounds how far a float32 runtime's sum can lie from the exact one.
	rounding(lo, hi []float32) float64
}

// step is what a goal says of a box.
type step struct {
	top     float64   // nothing in the box has a larger margin
	near    float64   // the margin of the nearest point
	extra   float64   // what meeting the aim costs at least beyond the nearest point
	point   []float32 // another point worth trying, or nil
	feature int32     // where to cut the box: feature < at on one side; -1: the margin is the same all over it
	at      float32
	work    int
}

func (g *Engine) goal(halves []exact.Half) (goal, error) {
	for _, h := range halves {
		if g.model.Trees != nil && len(h.Weights) != g.model.Trees.Outputs || g.model.Linear != nil && len(h.Weights) != g.model.Linear.Outputs {
			return nil, fmt.Errorf("read aim: %d weights, one per output is needed", len(h.Weights))
		}
	}
	if len(halves) == 0 {
		return nil, fmt.Errorf("read aim: an empty list of half-spaces")
	}
	if g.model.Trees != nil {
		return newForest(g.model.Trees, halves)
	}
	return newPlane(g, halves), nil
}

// Cost is the price of changing orig into x, as New has it.
func (g *Engine) Cost(x, orig []float32) float64 { return Cost(g.dom, g.price, x, orig) }

// Cost is what changing orig into x costs at prices for each unit of each
// feature; of a one-hot group the price of the member that becomes 1.
func Cost(d *domain.Domain, price []float64, x, orig []float32) float64 {
	sum := 0.0
	features := d.Features()
	for i, v := range x {
		switch {
		case v == orig[i]:
		case features[i].Group == "":
			sum += price[i] * math.Abs(float64(v)-float64(orig[i]))
		case v == 1:
			sum += price[i]
		}
	}
	return sum
}

// Rounding bounds how far a float32 runtime's sums can lie from exact ones over
// the ranges of the domain, for any list of an aim.
func (g *Engine) Rounding(aim exact.Aim) float64 {
	worst := 0.0
	for _, halves := range aim {
		if goal, err := g.goal(halves); err == nil {
			worst = max(worst, goal.rounding(g.ranges()))
		}
	}
	return worst
}

// Reaches tells whether some row within the ranges of the domain may meet a
// list of half-spaces, known up to a noise. False is proved.
func (g *Engine) Reaches(halves []exact.Half, noise float64) bool {
	goal, err := g.goal(halves)
	if err != nil {
		return false
	}
	lo, hi := g.ranges()
	own := goal.within(lo, hi, lo)
	slack := own.rounding(lo, hi) + noise
	return own.look(&box{lo: lo, hi: hi, slack: slack}, lo).top >= -slack
}

func (g *Engine) ranges() (lo, hi []float32) {
	for _, f := range g.dom.Features() {
		lo, hi = append(lo, float32(f.Min)), append(hi, float32(f.Max))
	}
	return lo, hi
}
