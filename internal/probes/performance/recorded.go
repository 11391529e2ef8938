package performance

import (
	"errors"
	"fmt"
	"math"

	"github.com/assize/assize/internal/dataset"
	"github.com/assize/assize/internal/model"
)

// reader turns recorded outputs into what the model itself would have given
// out, so that one decision rule reads both.
type reader struct {
	m       *model.Model
	r       *dataset.Recorded
	meaning dataset.Meaning
	columns int  // of the model's answers
	same    bool // recorded in the model's own units
	answers model.Answers
	probs   []float64
	mine    []float64
}

// newReader says how recorded outputs are read for a model with that many
// output columns. Scores whose meaning the file leaves open are taken to be what
// the model gives, but for rows that all are probabilities beside a model of logits.
func newReader(m *model.Model, r *dataset.Recorded, columns int) (*reader, error) {
	k := &reader{m: m, r: r, meaning: r.Meaning, columns: columns, probs: make([]float64, m.Classes()), mine: make([]float64, m.Classes())}
	if r.Scores == nil {
		if r.Labels == nil {
			return nil, errors.New("read recorded outputs: they hold neither scores nor labels")
		}
		return k, nil
	}
	kind := m.Kind()
	if k.meaning == dataset.Unsaid || k.meaning == dataset.Score {
		switch {
		case kind == model.Logits && addUp(r):
			k.meaning = dataset.Probabilities
		case r.K == columns && kind != model.Label:
			k.same = true
		case kind == model.Logits && r.K == m.Classes():
			k.meaning = dataset.Logits
		case r.K == m.Classes():
			k.meaning = dataset.Probabilities
		case r.K == 1 && kind != model.Score && kind != model.Label:
			k.meaning = dataset.Positive
		default:
			return nil, fmt.Errorf("read recorded outputs: %d scores a row cannot be compared with the %d of a model of kind %s\nhint: record what the model itself gives out", r.K, columns, kind)
		}
	} else if kind == model.Score {
		return nil, fmt.Errorf("read recorded outputs: %s cannot be compared with a score on a scale of its own\nhint: record the score in a column or array named score", k.meaning)
	}
	switch {
	case k.meaning == dataset.Positive && m.Classes() != 2:
		return nil, fmt.Errorf("read recorded outputs: one probability a row does not tell %d classes apart\nhint: record one score per class", m.Classes())
	case r.K != 1 && r.K != m.Classes() && !k.same:
		return nil, fmt.Errorf("read recorded outputs: %d scores a row for %d classes", r.K, m.Classes())
	}
	k.same = k.same || k.meaning == dataset.Logits && kind == model.Logits && r.K == columns ||
		k.meaning == dataset.Probabilities && kind == model.Probabilities && r.K == columns ||
		k.meaning == dataset.Positive && kind == model.PositiveProbability
	k.answers = model.Answers{N: 1, K: columns, Scores: make([]float32, columns), Refused: make([]bool, 1)}
	return k, nil
}

// addUp tells whether every row is one of class probabilities.
func addUp(r *dataset.Recorded) bool {
	for i := range r.Rows {
		sum := 0.0
		for _, p := range r.Scores[i*r.K : (i+1)*r.K] {
			if sum += p; !(p >= 0 && p <= 1) {
				return false
			}
		}
		if math.Abs(sum-1) > 0.001 {
			return false
		}
	}
	return r.K > 1
}

func (k *reader) row(i int) []float64 { return k.r.Scores[i*k.r.K : (i+1)*k.r.K] }

// class is the class that was recorded for row i where only labels are there,
// or the model gives no scores to compare with.
func (k *reader) class(i int) int {
	if k.r.Scores == nil {
		return k.r.Labels[i]
	}
	k.probabilities(i)
	best := 0
	for c, p := range k.probs {
		if p > k.probs[best] {
			best = c
		}
	}
	return best
}

// labelsOnly tells whether nothing but classes can be compared.
func (k *reader) labelsOnly() bool { return k.r.Scores == nil || k.m.Kind() == model.Label }

// decision is what the rule makes of the recorded scores of row i.
func (k *reader) decision(i int) model.Decision {
	for _, v := range k.row(i) {
		if math.IsNaN(v) {
			return model.Unusable
		}
	}
	out := k.answers.Scores
	if k.same {
		for j, v := range k.row(i) {
			out[j] = float32(v)
		}
		return k.m.Decision(&k.answers, 0)
	}
	k.probabilities(i)
	positive := k.m.Rule().Positive
	switch {
	case k.m.Kind() == model.Logits && k.columns == 1:
		out[0] = float32(logit(k.probs[positive]))
	case k.m.Kind() == model.Logits: // the softmax of logarithms gives the probabilities back
		for c, p := range k.probs {
			out[c] = float32(math.Log(max(p, 1e-37)))
		}
	case k.columns == 1:
		out[0] = float32(k.probs[positive])
	default:
		for c, p := range k.probs {
			out[c] = float32(p)
		}
	}
	return k.m.Decision(&k.answers, 0)
}

func logit(p float64) float64 {
	p = min(max(p, 1e-37), 1-1e-16)
	return math.Log(p) - math.Log1p(-p)
}

// probabilities fills probs with what was recorded of row i.
func (k *reader) probabilities(i int) {
	row := k.row(i)
	positive := k.m.Rule().Positive
	switch {
	case len(row) == 1:
		p := row[0]
		if k.meaning == dataset.Logits || k.same && k.m.Kind() == model.Logits {
			p = 1 / (1 + math.Exp(-p))
		}
		k.probs[positive], k.probs[1-positive] = p, 1-p
	case k.meaning == dataset.Logits:
		top, sum := math.Inf(-1), 0.0
		for _, v := range row {
			top = max(top, v)
		}
		for c, v := range row {
			k.probs[c] = math.Exp(v - top)
			sum += k.probs[c]
		}
		for c := range k.probs {
			k.probs[c] /= sum
		}
	default:
		copy(k.probs, row)
	}
}

// difference is the largest distance between the answer and what was
// recorded, in the model's units where both are in them, else between
// probabilities. False says that there is none, as with an answer that is not a number.
func (k *reader) difference(a *model.Answers, at, i int) (float64, bool) {
	theirs, ours := k.row(i), k.mine
	if k.same {
		ours = ours[:0]
		for _, v := range a.Row(at) {
			ours = append(ours, float64(v))
		}
	} else {
		if !k.m.Probabilities(a, at, ours) {
			return 0, false
		}
		k.probabilities(i)
		theirs = k.probs
	}
	worst := 0.0
	for c, v := range ours {
		d := math.Abs(v - theirs[c])
		if v == theirs[c] { // equal infinities
			d = 0
		}
		if math.IsNaN(d) || math.IsInf(d, 0) {
			return 0, false
		}
		worst = max(worst, d)
	}
	return worst, true
}

// top is one number that stands for the recorded answer of row i: it tells a
// recording that varies from one that does not.
func (k *reader) top(i int) float64 {
	if k.r.Scores == nil {
		return float64(k.r.Labels[i])
	}
	row := k.row(i)
	best := row[len(row)-1]
	for _, v := range row {
		best = max(best, v)
	}
	if math.IsNaN(best) || math.IsInf(best, 0) {
		return 0
	}
	return best
}
