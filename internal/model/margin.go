package model

import (
	"math"
	"slices"
)

// Graded tells whether answers say more than which outcome it is, so that an
// attack can follow them.
func (m *Model) Graded() bool { return m.spec.Output.Kind != Label && !m.DecisionOnly() }

// Margin says how far the answer in row i is from one with which an attacker
// gains who starts from a decision; see Gains. It is 0 or less where the answer
// gains, and infinite where the system refused or its answer is unusable. Probabilities are compared by their logarithms, so that it
// keeps its slope where they saturate. Only its order means anything.
func (m *Model) Margin(a *Answers, i int, from Decision) float64 {
	to := m.Decision(a, i)
	switch {
	case to < 0:
		return math.Inf(1)
	case !m.Graded():
		if m.Gains(from, to) {
			return -1
		}
		return 1
	}
	row := a.Row(i)
	switch r := &m.spec.Rule; {
	case r.Kind == Cutoff:
		return m.cutMargin(row, from)
	case r.Kind == PerClass:
		return m.perClassMargin(row, from)
	case len(row) == 1:
		v, limit := m.odds(row), 0.0
		least := math.Inf(1)
		for c, d := range map[int]float64{r.Positive: limit - v, 1 - r.Positive: v - limit} {
			if m.Gains(from, Decision(c)) {
				least = min(least, d)
			}
		}
		return least
	}
	best, second := -1, -1
	for c, v := range row {
		switch {
		case best < 0 || v > row[best]:
			best, second = c, best
		case second < 0 || v > row[second]:
			second = c
		}
	}
	least := math.Inf(1)
	for c := range row {
		if !m.Gains(from, Decision(c)) {
			continue
		}
		rival := best
		if c == best {
			rival = second
		}
		if rival >= 0 {
			least = min(least, m.level(row[rival])-m.level(row[c]))
		}
	}
	return least
}

// level is a class's score on a scale on which differences do not saturate.
func (m *Model) level(v float32) float64 {
	if m.spec.Output.Kind == Logits {
		return float64(v)
	}
	return logarithm(float64(v))
}

func logarithm(p float64) float64 { return math.Log(max(p, 1e-38)) }

// logit keeps 0 and 1, which rounded probabilities can be, finite.
func logit(p float64) float64 { return logarithm(p) - logarithm(1-p) }

// odds is the score that a cut-off is about, as a logit where it is a probability.
func (m *Model) odds(row []float32) float64 {
	switch {
	case m.spec.Output.Kind == Score || len(row) == 1 && m.spec.Output.Kind == Logits:
		return float64(row[0])
	case m.spec.Output.Kind == Logits:
		own, top := float64(row[m.spec.Rule.Positive]), math.Inf(-1)
		for c, v := range row {
			if c != m.spec.Rule.Positive {
				top = max(top, float64(v))
			}
		}
		sum := 0.0
		for c, v := range row {
			if c != m.spec.Rule.Positive {
				sum += math.Exp(float64(v) - top)
			}
		}
		return own - top - math.Log(sum)
	}
	return logit(m.positive(row))
}

// cutMargin is the distance of the score to the nearest stretch of the scale that gains.
func (m *Model) cutMargin(row []float32, from Decision) float64 {
	r := &m.spec.Rule
	score := m.odds(row)
	var room [3]float64
	ends := append(room[:0], r.Cutoff)
	if r.Band != nil {
		ends = append(ends, r.Band[0], r.Band[1])
		slices.Sort(ends)
	}
	least := math.Inf(1)
	for k := -1; k < len(ends); k++ {
		low, high, inside := math.Inf(-1), math.Inf(1), math.Inf(-1)
		if k >= 0 {
			low, inside = m.threshold(ends[k]), ends[k]
		}
		if k+1 < len(ends) {
			high = m.threshold(ends[k+1])
		}
		if low < high && m.Gains(from, r.cut(inside)) {
			least = min(least, max(low-score, score-high))
		}
	}
	return least
}

// threshold puts a cut-off on the scale of odds.
func (m *Model) threshold(at float64) float64 {
	if m.spec.Output.Kind == Score {
		return at
	}
	return logit(at)
}

// perClassMargin is the least that some outcome that gains lacks of its threshold and of the
// classes that reach theirs; a person decides where none does.
func (m *Model) perClassMargin(row []float32, from Decision) float64 {
	probs := make([]float64, m.classes)
	m.probabilities(row, probs)
	cuts := m.spec.Rule.Cutoffs
	least, over := math.Inf(1), math.Inf(-1)
	for c, p := range probs {
		own := logarithm(p) - logarithm(cuts[c])
		over = max(over, own)
		if !m.Gains(from, Decision(c)) {
			continue
		}
		lack := -own
		for j, q := range probs {
			if j != c && q >= cuts[j] {
				lack = max(lack, logarithm(q)-logarithm(p))
			}
		}
		least = min(least, lack)
	}
	if m.Gains(from, Decision(m.classes)) {
		least = min(least, over)
	}
	return least
}
