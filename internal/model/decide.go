package model

import (
	"context"
	"math"
)

// Decide asks the system for n rows of x and writes what it decides into out.
func (m *Model) Decide(ctx context.Context, x []float32, n int, out []Decision) error {
	if err := m.Predict(ctx, x, n, &m.answers); err != nil {
		return err
	}
	for i := range n {
		out[i] = m.Decision(&m.answers, i)
	}
	return nil
}

// Decision applies the rule to row i of a table of answers. The rule reads
// what the system gives out, so rounding the output can move a decision.
func (m *Model) Decision(a *Answers, i int) Decision {
	if a.Refused[i] {
		return Refused
	}
	row := a.Row(i)
	for _, v := range row {
		if v != v || math.IsInf(float64(v), 0) && m.spec.Output.Kind != Logits {
			return Unusable
		}
	}
	switch r := &m.spec.Rule; r.Kind {
	case NoRule:
		return 0
	case Cutoff:
		return r.cut(m.positive(row))
	case PerClass:
		return m.perClass(row)
	default:
		return m.class(row)
	}
}

func (r *Rule) cut(score float64) Decision {
	// Scores are float32: a cut-off is compared at that precision, so that 0.22 given out as 0.22 is at the cut-off.
	s := float32(score)
	switch {
	case r.Band != nil && s >= float32(r.Band[0]) && s < float32(r.Band[1]):
		return InBand
	case s >= float32(r.Cutoff):
		return Above
	}
	return Below
}

func (m *Model) perClass(row []float32) Decision {
	probs := make([]float64, m.classes)
	m.probabilities(row, probs)
	best := Decision(m.classes) // nobody reaches the threshold: a person decides
	for c, p := range probs {
		if p >= m.spec.Rule.Cutoffs[c] && (int(best) == m.classes || p > probs[best]) {
			best = Decision(c)
		}
	}
	return best
}

// class is the class with the greatest score; the lowest index of equals.
func (m *Model) class(row []float32) Decision {
	switch {
	case m.spec.Output.Kind == Label:
		if c := int(row[0]); float32(c) == row[0] && c >= 0 && c < m.classes {
			return Decision(c)
		}
		return Unusable
	case len(row) == 1:
		limit := float32(0.5)
		if m.spec.Output.Kind == Logits {
			limit = 0
		}
		if row[0] >= limit {
			return Decision(m.spec.Rule.Positive)
		}
		return Decision(1 - m.spec.Rule.Positive)
	}
	best := 0
	for c, v := range row {
		if v > row[best] {
			best = c
		}
	}
	return Decision(best)
}

// positive is the score of the class that the cut-off is about, as a probability where the output has one.
func (m *Model) positive(row []float32) float64 {
	switch {
	case m.spec.Output.Kind == Score:
		return float64(row[0])
	case len(row) == 1 && m.spec.Output.Kind == Logits:
		return sigmoid(float64(row[0]))
	case len(row) == 1:
		return float64(row[0])
	case m.spec.Output.Kind == Probabilities:
		return float64(row[m.spec.Rule.Positive])
	}
	probs := make([]float64, m.classes)
	m.probabilities(row, probs)
	return probs[m.spec.Rule.Positive]
}

// Probabilities writes the class probabilities behind row i into out (one per
// class) and says whether the output kind has any: labels and free scores do not.
func (m *Model) Probabilities(a *Answers, i int, out []float64) bool {
	if k := m.spec.Output.Kind; k == Label || k == Score || a.Refused[i] {
		return false
	}
	m.probabilities(a.Row(i), out)
	return true
}

func (m *Model) probabilities(row []float32, out []float64) {
	if len(row) == 1 {
		p := float64(row[0])
		if m.spec.Output.Kind == Logits {
			p = sigmoid(p)
		}
		out[m.spec.Rule.Positive], out[1-m.spec.Rule.Positive] = p, 1-p
		return
	}
	if m.spec.Output.Kind != Logits {
		for c, v := range row {
			out[c] = float64(v)
		}
		return
	}
	top := math.Inf(-1)
	for _, v := range row {
		top = max(top, float64(v))
	}
	sum := 0.0
	for c, v := range row {
		out[c] = math.Exp(float64(v) - top)
		sum += out[c]
	}
	for c := range out {
		out[c] /= sum
	}
}

func sigmoid(v float64) float64 {
	if v >= 0 {
		return 1 / (1 + math.Exp(-v))
	}
	e := math.Exp(v)
	return e / (1 + e)
}

// ClassOf is the class that a decision commits the system to, or -1. In a refer
// band it is the side of the cut-off on which the score lies.
func (m *Model) ClassOf(d Decision, a *Answers, i int) int {
	switch r := &m.spec.Rule; {
	case d < 0 || r.Kind == NoRule:
		return -1
	case r.Kind == Cutoff:
		if d == Above || d == InBand && float32(m.positive(a.Row(i))) >= float32(r.Cutoff) {
			return r.Positive
		}
		return m.other()
	case int(d) < m.classes:
		return int(d)
	}
	return -1
}

// other is the class that stands for "not positive".
func (m *Model) other() int {
	if m.spec.Rule.Positive == 0 {
		return 1
	}
	return 0
}

// Attackable tells whether an attacker has something to gain from a row: a
// decision that is not favourable yet, or, where no outcome is named favourable,
// one that is right (class equals label).
func (m *Model) Attackable(d Decision, class, label int) bool {
	if d < 0 {
		return false
	}
	if len(m.spec.Rule.Favourable) > 0 {
		return !m.spec.Rule.Favours(d, m.classes)
	}
	return class == label
}

// Gains tells whether moving the decision from one outcome to another is what
// an attacker wants: a favourable outcome, or any other where none is named.
// An input that is refused and an answer that cannot be used gain nothing.
func (m *Model) Gains(from, to Decision) bool {
	if to < 0 {
		return false
	}
	if len(m.spec.Rule.Favourable) > 0 {
		return m.spec.Rule.Favours(to, m.classes) && !m.spec.Rule.Favours(from, m.classes)
	}
	return to != from
}
