package tabular

import (
	"math"
	"slices"

	"github.com/assize/assize/internal/model"
	"github.com/assize/assize/internal/tree"
	"github.com/assize/assize/internal/tree/cheapest"
	"github.com/assize/assize/internal/tree/exact"
)

// reading says how the sums of a model's file become decisions of the system,
// its rule and the solutions that are on included.
type reading struct {
	m       *model.Model
	model   cheapest.Model
	outputs int
	// weights make the one sum that decides; nil: the largest of several does.
	weights []float64
	give    func(sum float64) []float32 // what the model gives out at that sum
}

// standing is how a subject's next decision follows from the sum.
type standing struct {
	*reading
	from   model.Decision
	levels []float64 // the sums, ascending, at which the decision changes
}

// read finds out how the rule reads the model's sums. It is nil where the
// decision is not that of one rising sum or of the largest, with the reason.
func read(m *model.Model, of cheapest.Model, columns int) (*reading, reason) {
	if m.Random() {
		return nil, atRandom
	}
	r := &reading{m: m, model: of}
	link, slope := tree.Identity, 1.0
	if of.Trees != nil {
		r.outputs, link, slope = of.Trees.Outputs, of.Trees.Link, of.Trees.Slope
	} else {
		r.outputs, link = of.Linear.Outputs, of.Linear.Link
	}
	rule, kind, two := m.Rule(), m.Kind(), m.Classes() == 2
	pair := two && columns == 2 && kind == model.Probabilities
	whole := r.outputs == columns && columns == m.Classes()
	turned := rule.Kind == model.Cutoff && columns == 2 && rule.Positive == 0 // what the cut-off reads falls
	switch {
	case kind == model.Label && r.outputs == 1 && two && rule.Kind == model.Argmax:
		limit := 0.0
		if link == tree.Share {
			limit = 0.5
		}
		r.weights = []float64{1}
		r.give = func(t float64) []float32 {
			if t > limit {
				return []float32{1}
			}
			return []float32{0}
		}
	case r.outputs == 1 && columns == 1 && kind != model.Label:
		r.weights = []float64{1}
		r.give = func(t float64) []float32 { return []float32{linked(link, slope, t)} }
	case r.outputs == 1 && pair:
		r.weights = []float64{1}
		r.give = func(t float64) []float32 { v := linked(link, slope, t); return []float32{1 - v, v} }
	case r.outputs == 2 && pair && link == tree.Softmax:
		r.weights = []float64{-1, 1}
		r.give = func(t float64) []float32 { v := linked(tree.Sigmoid, 1, t); return []float32{1 - v, v} }
	case r.outputs == 2 && pair && (link == tree.Identity || link == tree.Share):
		r.weights = []float64{0, 1}
		r.give = func(t float64) []float32 { return []float32{float32(1 - t), float32(t)} }
	case r.outputs == 2 && two && whole && kind == model.Logits && link == tree.Identity && !m.Rounds():
		r.weights = []float64{-1, 1}
		r.give = func(t float64) []float32 { return []float32{0, float32(t)} }
	case whole && rule.Kind == model.Argmax && kind != model.Label && !m.Rounds():
		return r, 0
	case whole && rule.Kind == model.Cutoff && kind == model.Probabilities && (link == tree.Identity || link == tree.Share):
		r.weights = make([]float64, columns)
		r.weights[rule.Positive] = 1
		turned = false
		r.give = func(t float64) []float32 {
			row := make([]float32, columns)
			row[rule.Positive] = float32(t)
			return row
		}
	default:
		return nil, linkUnread
	}
	if turned {
		up := r.give
		r.give = func(t float64) []float32 { return up(-t) }
		for i := range r.weights {
			r.weights[i] *= -1
		}
	}
	return r, 0
}

// linked is what a model gives out for one sum.
func linked(link tree.Link, slope, t float64) float32 {
	return float32(link.Apply(slope, t))
}

// after is the reading for a subject on whom a decision was made.
func (r *reading) after(from model.Decision) *standing {
	s := &standing{reading: r, from: from}
	if r.weights == nil {
		return s
	}
	rule, by := r.m.Rule(), r.m.Hysteresis()
	var turns []func(t float64) bool
	if rule.Kind == model.Cutoff {
		cuts := []float64{rule.Cutoff}
		if rule.Band != nil {
			cuts = append(cuts, rule.Band[0], rule.Band[1])
		}
		for _, c := range cuts {
			for _, shift := range []float64{0, by, -by} {
				turns = append(turns, func(t float64) bool { return float32(r.m.PositiveScore(r.give(t))+shift) >= float32(c) })
			}
		}
	} else {
		low, high := s.decision(-math.MaxFloat32), s.decision(math.MaxFloat32)
		turns = append(turns, func(t float64) bool { return s.decision(t) != low }, func(t float64) bool { return s.decision(t) == high })
	}
	for _, turn := range turns {
		if t, ok := first(turn); ok {
			s.levels = append(s.levels, t)
		}
	}
	slices.Sort(s.levels)
	s.levels = slices.Compact(s.levels)
	return s
}

func (s *standing) decision(t float64) model.Decision { return s.m.Outcome(s.from, s.give(t)) }

// first is the least number within the range of float32 at which a statement holds that goes on to hold
// above it. False: it holds everywhere or nowhere.
func first(holds func(float64) bool) (float64, bool) {
	lo, hi := order(-math.MaxFloat32), order(math.MaxFloat32)
	if holds(-math.MaxFloat32) || !holds(math.MaxFloat32) {
		return 0, false
	}
	for gap := uint64(hi - lo); gap > 1; gap = uint64(hi - lo) { // the difference itself may not fit
		mid := lo + int64(gap/2)
		if holds(number(mid)) {
			hi = mid
		} else {
			lo = mid
		}
	}
	return number(hi), true
}

// order numbers the floats in ascending order; number is its inverse.
func order(v float64) int64 {
	b := int64(math.Float64bits(v))
	if b < 0 {
		return math.MinInt64 - b
	}
	return b
}

func number(i int64) float64 {
	if i < 0 {
		i = math.MinInt64 - i
	}
	return math.Float64frombits(uint64(i))
}

// noise is by how much, in the sum, a runtime's link can err at a level: four
// units in the last place of what it gives out.
func (r *reading) noise(t float64) float64 {
	h := 1e-4 * (1 + math.Abs(t))
	a, b := r.give(t-h), r.give(t+h)
	last := len(a) - 1
	slope := math.Abs(float64(b[last])-float64(a[last])) / (2 * h)
	if slope == 0 || r.m.Kind() == model.Label {
		return 0
	}
	return min(1, 0x1p-22*max(math.Abs(float64(a[last])), math.Abs(float64(b[last])), 0x1p-20)/slope)
}

// aim is where the sums must lie for a decision that is wanted, and the noise
// that the link adds there. Nil: there is none.
func (r *standing) aim(wanted func(model.Decision) bool) (aim exact.Aim, noise float64) {
	if r.weights == nil {
		for to := range r.outputs {
			if wanted(model.Decision(to)) {
				aim = append(aim, exact.Target(r.outputs, to)[0])
			}
		}
		return aim, 0x1p-22
	}
	negative := make([]float64, len(r.weights))
	for i, w := range r.weights {
		negative[i] = -w
	}
	for i := 0; i <= len(r.levels); i++ {
		if !wanted(r.region(i)) {
			continue
		}
		start := i
		for i < len(r.levels) && wanted(r.region(i+1)) {
			i++
		}
		var halves []exact.Half
		if start > 0 {
			halves = append(halves, exact.Half{Weights: r.weights, Above: r.levels[start-1], OrEqual: true})
			noise = max(noise, r.noise(r.levels[start-1]))
		}
		if i < len(r.levels) {
			halves = append(halves, exact.Half{Weights: negative, Above: -r.levels[i]})
			noise = max(noise, r.noise(r.levels[i]))
		}
		if halves == nil {
			halves = append(halves, exact.Half{Weights: r.weights, Above: -math.MaxFloat32})
		}
		aim = append(aim, halves)
	}
	return aim, noise
}

// region is the decision between the levels before and behind number i.
func (r *standing) region(i int) model.Decision {
	switch {
	case len(r.levels) == 0:
		return r.decision(0)
	case i == 0:
		return r.decision(-math.MaxFloat32)
	}
	return r.decision(r.levels[i-1])
}

// agrees tells whether the sums decide a row as the system did, or lie so near
// to a change of the decision that rounding may decide.
func (r *standing) agrees(x []float32, d model.Decision, noise float64) bool {
	out := make([]float64, r.outputs)
	wide := make([]float64, len(x))
	for i, v := range x {
		wide[i] = float64(v)
	}
	if r.model.Trees != nil {
		r.model.Trees.Margins(wide, out)
	} else {
		r.model.Linear.Margins(wide, out)
	}
	if r.weights == nil {
		best := slices.Index(out, slices.Max(out))
		return best == int(d) || d >= 0 && int(d) < len(out) && out[best]-out[d] <= noise
	}
	sum := 0.0
	for o, w := range r.weights {
		sum += w * out[o]
	}
	here := 0
	for i, level := range r.levels {
		if math.Abs(sum-level) <= noise+r.noise(level) {
			return true
		}
		if sum >= level {
			here = i + 1
		}
	}
	return r.region(here) == d
}
