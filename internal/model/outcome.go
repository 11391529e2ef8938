package model

import "slices"

// Outcome is the decision on one row of the model's own scores, once the
// solutions behind the model that are on have had them. The scores stay as they are.
func (m *Model) Outcome(scores []float32) Decision {
	a := m.give(scores)
	return m.Decision(a, 0)
}

// PositiveScore is the number that a cut-off is compared with for one row of
// the model's own scores, once the solutions behind the model that are on have had them.
func (m *Model) PositiveScore(scores []float32) float64 { return m.positive(m.give(scores).Row(0)) }

func (m *Model) give(scores []float32) *Answers {
	a := &Answers{N: 1, K: len(scores), Scores: slices.Clone(scores), Refused: make([]bool, 1)}
	m.limit(a.Scores)
	return a
}

// limit applies the solutions behind the model.
func (m *Model) limit(out []float32) {
	for _, s := range m.chain {
		if s.Type == OutputRounding {
			roundTo(out, s.Digits)
		}
	}
}

// Rounds tells whether a solution rounds what is given out.
func (m *Model) Rounds() bool {
	return slices.ContainsFunc(m.chain, func(s Solution) bool { return s.Type == OutputRounding })
}
