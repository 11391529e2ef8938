package performance_test

import (
	"testing"

	"github.com/assize/assize/internal/dataset"
	"github.com/assize/assize/internal/model"
)

// TestParityOfNumbers compares numbers that no rule turns into decisions.
func TestParityOfNumbers(t *testing.T) {
	const n = 40
	given, recorded := make([]float64, n), make([]float64, n)
	for i := range given {
		given[i] = 1000 * float64(i-3)
		recorded[i] = given[i] * (1 + 5e-5) // as another runtime sums
	}
	of := func(recorded []float64) (agreement, largest float64, valid bool) {
		s := &system{kind: model.Score, rule: model.Rule{Kind: model.NoRule}, scores: rows32(given, 1)}
		target := s.target(t)
		target.Facts.Rule = model.NoRule
		target.Recorded = &dataset.Recorded{Rows: n, K: 1, Scores: recorded, Meaning: dataset.Score}
		r := measured(t, probe(t, "performance/parity"), target)
		return r.Metrics["agreement"].Value, r.Metrics["largest_difference"].Value, r.Valid()
	}
	if agreement, largest, valid := of(recorded); agreement != 1 || largest < 1 || largest > 2 || !valid {
		t.Errorf("agreement %v, largest difference %v, valid %v", agreement, largest, valid)
	}
	recorded[30] *= 1.001
	if agreement, largest, valid := of(recorded); agreement != 39.0/40 || largest < 27 || largest > 30 || !valid {
		t.Errorf("one row off by a thousandth: agreement %v, largest difference %v, valid %v", agreement, largest, valid)
	}
	for i := range recorded {
		recorded[i] = 7
	}
	if agreement, _, valid := of(recorded); agreement != 0 || valid {
		t.Errorf("a constant recording: agreement %v, valid %v", agreement, valid)
	}
}
