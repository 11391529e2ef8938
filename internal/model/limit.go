package model

import (
	"math"
	"slices"
)

// limit applies the solutions behind the model to rows of scores, in their
// order. A row that one of them turns away is marked, and its scores are cleared.
func (m *Model) limit(out []float32, refused []bool) {
	for _, s := range m.chain {
		switch s.Type {
		case OutputRounding:
			roundTo(out, s.Digits)
		case RejectBand:
			for i := range refused {
				if row := out[i*m.columns : (i+1)*m.columns]; !refused[i] && m.gap(row) < s.Margin {
					refused[i] = true
					clear(row)
				}
			}
		case DecisionOnly:
			for i := range refused {
				if !refused[i] {
					m.hide(out[i*m.columns : (i+1)*m.columns])
				}
			}
		}
	}
}

// QueryLimit is how many questions one client may ask about one case, 0 where no
// solution limits that. Whoever attacks keeps to it: a Model does not know who asks.
func (m *Model) QueryLimit() int {
	least := 0
	for _, s := range m.chain {
		if s.Type == QueryLimit && (least == 0 || s.Queries < least) {
			least = s.Queries
		}
	}
	return least
}

// DecisionOnly tells whether a solution hides the scores.
func (m *Model) DecisionOnly() bool {
	return slices.ContainsFunc(m.chain, func(s Solution) bool { return s.Type == DecisionOnly })
}

// gap is how clear an answer is: the distance of the score to the nearest
// threshold of a cutoff rule, else of the two greatest probabilities to each other. It is infinite of an
// answer that is no number, which is for the rule to refuse.
func (m *Model) gap(row []float32) float64 {
	if slices.ContainsFunc(row, func(v float32) bool { return v != v }) {
		return math.Inf(1)
	}
	r := &m.spec.Rule
	if r.Kind == Cutoff {
		score := m.positive(row)
		least := math.Abs(score - r.Cutoff)
		if r.Band != nil {
			least = min(least, math.Abs(score-r.Band[0]), math.Abs(score-r.Band[1]))
		}
		return least
	}
	probs := make([]float64, m.classes)
	m.probabilities(row, probs)
	slices.Sort(probs)
	return probs[len(probs)-1] - probs[len(probs)-2]
}

// hide puts scores in the place of a row's that say which decision it is and no more.
func (m *Model) hide(row []float32) {
	d := m.Decision(&Answers{N: 1, K: len(row), Scores: row, Refused: []bool{false}}, 0)
	switch r := &m.spec.Rule; {
	case d < 0 || m.spec.Output.Kind == Label:
	case r.Kind == Cutoff:
		m.setPositive(row, m.typical(d))
	case len(row) == 1:
		row[0] = 0
		if int(d) == r.Positive {
			row[0] = 1
		} else if m.spec.Output.Kind == Logits {
			row[0] = -1
		}
	default:
		clear(row)
		if int(d) < len(row) {
			row[d] = 1
		}
	}
}

// typical is the middle of the stretch of scores with an outcome of a cutoff rule.
func (m *Model) typical(d Decision) float64 {
	r := &m.spec.Rule
	low, high := 0.0, 1.0
	ends := []float64{r.Cutoff}
	if r.Band != nil {
		ends = append(ends, r.Band[0], r.Band[1])
	}
	slices.Sort(ends)
	if m.spec.Output.Kind == Score {
		low, high = ends[0]-2, ends[len(ends)-1]+2
	}
	ends = append(append([]float64{low}, ends...), high)
	for i := range ends[1:] {
		if middle := (ends[i] + ends[i+1]) / 2; r.cut(middle) == d {
			return middle
		}
	}
	return r.Cutoff
}

// setPositive writes scores into row of which positive makes p again.
func (m *Model) setPositive(row []float32, p float64) {
	switch kind := m.spec.Output.Kind; {
	case kind == Score || len(row) == 1 && kind != Logits:
		row[0] = float32(p)
	case len(row) == 1:
		row[0] = float32(logit(p))
	case kind == Logits:
		clear(row)
		row[m.spec.Rule.Positive] = float32(logit(p) + math.Log(float64(len(row)-1)))
	default:
		for c := range row {
			row[c] = float32((1 - p) / float64(len(row)-1))
		}
		row[m.spec.Rule.Positive] = float32(p)
	}
}
