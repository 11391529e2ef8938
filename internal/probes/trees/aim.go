package trees

import (
	"math"
	"slices"

	"github.com/assize/assize/internal/model"
	"github.com/assize/assize/internal/tree"
	"github.com/assize/assize/internal/tree/exact"
)

// reading says how the sums of an ensemble become what the decision rule reads.
type reading struct {
	m       *model.Model
	e       *tree.Ensemble
	program *tree.Program
	weights []float64                 // the sum that the positive score rises with; nil: classes compete
	margin  func(p float64) float64   // of that sum at a score
	noise   func(cut float64) float64 // by how much, in that sum, the runtime's link can err at a score
}

func logit(p float64) float64 {
	switch {
	case p <= 0:
		return math.Inf(-1)
	case p >= 1:
		return math.Inf(1)
	}
	return math.Log(p) - math.Log1p(-p)
}

// linkNoise is what four units in the last place of a float32 near one are worth
// in margin: more than ONNX Runtime's sigmoid and softmax err.
func linkNoise(p float64) float64 {
	if p <= 0 || p >= 1 {
		return 0
	}
	return 0x1p-22 / (p * (1 - p))
}

func same(p float64) float64   { return p }
func absolute(float64) float64 { return 0x1p-22 }

// read finds out how the rule reads the ensemble; why is not zero where it cannot be said exactly.
func read(m *model.Model, e *tree.Ensemble) (r *reading, why reason) {
	r = &reading{m: m, e: e, program: e.Compile(), margin: logit, noise: linkNoise}
	rule, kind, k := m.Rule(), m.Kind(), m.Classes()
	positive := make([]float64, e.Outputs)
	switch {
	case rule.Kind == model.PerClass:
		return nil, ruleUnread
	case kind == model.Score && rule.Kind == model.Cutoff && e.Outputs == 1 && e.Link == tree.Identity:
		positive[0], r.margin = 1, same
		r.noise = func(cut float64) float64 { return math.Abs(cut) * 0x1p-22 }
	case kind == model.Score, kind == model.Label && rule.Kind != model.Argmax:
		return nil, linkUnread
	case e.Outputs == 1 && k == 2 && (e.Link == tree.Sigmoid || e.Link == tree.Identity && kind == model.Logits):
		positive[0] = -1
		if rule.Positive == 1 || kind == model.PositiveProbability || kind == model.Logits {
			positive[0] = 1
		}
	case e.Outputs == 1 && k == 2 && e.Link == tree.Identity && kind != model.Label:
		positive[0], r.margin, r.noise = 1, same, absolute
		if rule.Positive == 0 && kind == model.Probabilities {
			return nil, linkUnread
		}
	case e.Outputs == k && rule.Kind == model.Argmax && e.Link != tree.Exp:
		r.margin, r.noise = same, absolute
		return r, 0
	case e.Outputs == 2 && k == 2 && (e.Link == tree.Softmax || e.Link == tree.Identity && kind == model.Logits):
		positive[rule.Positive], positive[1-rule.Positive] = 1, -1
	case e.Outputs == k && e.Link == tree.Identity && kind == model.Probabilities:
		positive[rule.Positive], r.margin, r.noise = 1, same, absolute
	default:
		return nil, linkUnread
	}
	r.weights = positive
	return r, 0
}

// outcome is the rule's answer to a positive score, as model.Model gives it:
// compared at float32.
func (r *reading) outcome(score float64) model.Decision {
	rule, s := r.m.Rule(), float32(score)
	switch {
	case rule.Kind == model.Argmax && s >= 0.5:
		return model.Decision(rule.Positive)
	case rule.Kind == model.Argmax:
		return model.Decision(1 - rule.Positive)
	case rule.Band != nil && s >= float32(rule.Band[0]) && s < float32(rule.Band[1]):
		return model.InBand
	case s >= float32(rule.Cutoff):
		return model.Above
	}
	return model.Below
}

// cuts are the scores at which the outcome can change, ascending, as the
// float32 values that the system compares with.
func (r *reading) cuts() []float64 {
	rule := r.m.Rule()
	cuts := []float64{0.5}
	if rule.Kind == model.Cutoff {
		cuts = []float64{float64(float32(rule.Cutoff))}
		if rule.Band != nil {
			cuts = append(cuts, float64(float32(rule.Band[0])), float64(float32(rule.Band[1])))
		}
	}
	slices.Sort(cuts)
	return slices.Compact(cuts)
}

// aim is what an attacker wants who stands at a decision, and the slack with
// which a proof holds for the runtime. Nil: nothing gains. Scores must clear each
// cut by a margin, for systems that round what they give out.
func (r *reading) aim(g *exact.Engine, from model.Decision, clear float64) (exact.Aim, float64) {
	var aim exact.Aim
	slack := 0.0
	put := func(halves []exact.Half, noise float64) {
		for _, h := range halves {
			slack = max(slack, g.Rounding(h)+noise)
		}
		aim = append(aim, halves)
	}
	if r.weights == nil {
		for to := range r.m.Classes() {
			if model.Decision(to) != from && r.m.Gains(from, model.Decision(to)) {
				put(exact.Target(r.m.Classes(), to)[0], r.noise(0))
			}
		}
		return aim, slack
	}
	negative := make([]float64, len(r.weights))
	for i, w := range r.weights {
		negative[i] = -w
	}
	cuts := r.cuts()
	for i := 0; i <= len(cuts); i++ {
		low, high := math.Inf(-1), math.Inf(1)
		if i > 0 {
			low = cuts[i-1]
		}
		if !r.m.Gains(from, r.outcome(low)) {
			continue
		}
		for i < len(cuts) && r.m.Gains(from, r.outcome(cuts[i])) {
			i++
		}
		if i < len(cuts) {
			high = cuts[i]
		}
		var halves []exact.Half
		noise := 0.0
		low, high = low+clear, high-clear
		if t := r.margin(low); !math.IsInf(t, -1) {
			halves = append(halves, exact.Half{Weights: r.weights, Above: t, OrEqual: true})
			noise = max(noise, r.noise(low))
		}
		if t := r.margin(high); !math.IsInf(t, 1) {
			halves = append(halves, exact.Half{Weights: negative, Above: -t})
			noise = max(noise, r.noise(high))
		}
		if low >= high {
			continue
		}
		if halves == nil { // every score gains
			halves = append(halves, exact.Half{Weights: r.weights, Above: -math.MaxFloat64})
		}
		put(halves, noise)
	}
	return aim, slack
}

// agrees tells whether the ensemble decides a row as the model did, or lies so
// near to a change of outcome that rounding may decide.
func (r *reading) agrees(g *exact.Engine, x []float32, d model.Decision) bool {
	out := make([]float64, r.e.Outputs)
	r.program.Margins32(x, out)
	if r.weights == nil {
		best := 0
		for k := range out {
			if out[k] > out[best] {
				best = k
			}
		}
		unit := exact.Target(len(out), best)[0][0]
		return model.Decision(best) == d || d >= 0 && int(d) < len(out) && out[best]-out[d] <= g.Rounding(unit)+r.noise(0)
	}
	sum := 0.0
	for o, w := range r.weights {
		sum += w * out[o]
	}
	here := r.outcome(math.Inf(-1))
	for _, c := range r.cuts() {
		t := r.margin(c)
		if math.Abs(sum-t) <= g.Rounding(exact.Half{Weights: r.weights, Above: t})+r.noise(c) {
			return true
		}
		if sum > t {
			here = r.outcome(c)
		}
	}
	return here == d
}
