package model

import "slices"

// Outcome is the decision on one row of the model's own scores, once the
// solutions behind the model that are on have had them, for a subject on whom the
// previous decision was made. The scores stay as they are.
func (m *Model) Outcome(previous Decision, scores []float32) Decision {
	return m.Again(previous, m.give(scores), 0)
}

// Again is the decision on row i of a table of answers when the same subject
// applies once more: with hysteresis on, the previous decision stands as long as it would be
// made at a score that is within the margin of this one. Refused stands for none.
func (m *Model) Again(previous Decision, a *Answers, i int) Decision {
	d, by := m.Decision(a, i), m.Hysteresis()
	if by == 0 || previous < 0 || d < 0 || d == previous {
		return d
	}
	s := m.positive(a.Row(i))
	if r := &m.spec.Rule; r.cut(s-by) == previous || r.cut(s+by) == previous {
		return previous
	}
	return d
}

// Hysteresis is the margin by which a score must pass a cut-off before another
// decision is made on the same subject; 0 where no such solution is on.
func (m *Model) Hysteresis() float64 {
	by := 0.0
	for _, s := range m.chain {
		if s.Type == Hysteresis {
			by = max(by, s.Margin)
		}
	}
	return by
}

// bind takes the refer band out of the rule where it is a solution that is off.
func (m *Model) bind() {
	is := func(s Solution) bool { return s.Type == ReferBand }
	if m.band == nil {
		m.band = m.spec.Rule.Band
	}
	if m.band == nil || !slices.ContainsFunc(m.spec.Solutions, is) {
		return
	}
	spec := *m.spec
	spec.Rule.Band = nil
	if slices.ContainsFunc(m.chain, is) {
		spec.Rule.Band = m.band
	}
	m.spec = &spec
}

// PositiveScore is the number that a cut-off is compared with for one row of
// the model's own scores, once the solutions behind the model that are on have had them.
func (m *Model) PositiveScore(scores []float32) float64 { return m.positive(m.give(scores).Row(0)) }

func (m *Model) give(scores []float32) *Answers {
	a := &Answers{N: 1, K: len(scores), Scores: slices.Clone(scores), Refused: make([]bool, 1)}
	m.limit(a.Scores, a.Refused)
	return a
}

// Rounds tells whether a solution rounds what is given out.
func (m *Model) Rounds() bool {
	return slices.ContainsFunc(m.chain, func(s Solution) bool { return s.Type == OutputRounding })
}
