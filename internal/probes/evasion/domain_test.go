package evasion_test

import (
	"math/rand/v2"
	"slices"

	"github.com/assize/assize/internal/domain"
	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/model"
)

func median(values []float64) float64 {
	s := slices.Sorted(slices.Values(values))
	return s[len(s)/2]
}

// loans is a system with every kind of feature, a relation, a favourable outcome, a refer band and input validation.
func loans(rows int) *system {
	s := &system{
		features: []domain.Feature{
			{Name: "amount", Type: domain.Real, Min: 0, Max: 10000, Mutable: domain.Yes},
			{Name: "months", Type: domain.Integer, Min: 1, Max: 60, Mutable: domain.Yes},
			{Name: "age", Type: domain.Integer, Min: 18, Max: 90, Mutable: domain.No},
			{Name: "savings", Type: domain.Ordinal, Min: 0, Max: 4, Mutable: domain.Up},
			{Name: "car", Type: domain.Binary, Min: 0, Max: 1, Mutable: domain.Yes, Group: "purpose"},
			{Name: "home", Type: domain.Binary, Min: 0, Max: 1, Mutable: domain.Yes, Group: "purpose"},
			{Name: "other", Type: domain.Binary, Min: 0, Max: 1, Mutable: domain.Yes, Group: "purpose"},
		},
		relations: []string{"x.amount <= 400 * x.months", "abs(x.amount - orig.amount) <= 0.5 * orig.amount"},
		rule: model.Rule{Kind: model.Cutoff, Positive: 1, Cutoff: 0.5, Band: &[2]float64{0.4, 0.5},
			Outcomes: []string{"accept", "refer", "refuse"}, Favourable: []string{"accept"}},
		solutions: []model.Solution{{Name: "range-check", Type: model.InputValidation, Switchable: true}},
		on:        []string{"range-check"},
		params:    measure.Params{"norm": "linf", "epsilon": 0.3, "queries": 300.0, "trials": 40.0},
	}
	s.of = func(x []float32) float32 {
		risk := 0.35 + x[0]/20000 + x[1]/200 - x[3]/12 + 0.1*x[4] - 0.15*x[5] - (x[2]-50)/400
		return min(1, max(0, risk))
	}
	rng := rand.New(rand.NewPCG(3, 4))
	for len(s.rows) < rows {
		months := 1 + rng.IntN(60)
		row := []float32{float32(rng.IntN(min(10000, 400*months))), float32(months), float32(18 + rng.IntN(70)), float32(rng.IntN(5)), 0, 0, 0}
		row[4+rng.IntN(3)] = 1
		s.rows = append(s.rows, row)
		s.labels = append(s.labels, rng.IntN(2))
	}
	return s
}
