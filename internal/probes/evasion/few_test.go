package evasion_test

import (
	"testing"

	"github.com/assize/assize/internal/domain"
	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/model"
	"github.com/assize/assize/internal/result"
)

// few is a system whose rows can be changed in a handful of ways alone: one integer, a few steps either way.
func few(rows int) *system {
	s := &system{
		features: []domain.Feature{
			{Name: "age", Type: domain.Integer, Min: 18, Max: 70, Mutable: domain.No},
			{Name: "months", Type: domain.Integer, Min: 4, Max: 60, Mutable: domain.Yes},
			{Name: "housing", Type: domain.Integer, Min: 0, Max: 2, Mutable: domain.No},
		},
		relations: []string{"abs(x.months - orig.months) <= 6"},
		rule:      model.Rule{Kind: model.Cutoff, Positive: 1, Cutoff: 0.5, Outcomes: []string{"refuse", "refer", "accept"}, Favourable: []string{"accept"}},
		params:    measure.Params{"norm": "linf", "epsilon": 0.05, "unit": "range", "queries": 500.0},
	}
	s.of = func(x []float32) float32 { return min(1, max(0, x[0]/140+(30-x[1])/100)) }
	for i := range rows {
		s.rows = append(s.rows, []float32{float32(18 + i%50), float32(4 + (7*i)%57), float32(i % 3)})
		s.labels = append(s.labels, i%2)
	}
	return s
}

// TestFewChanges: an attack that has asked for all there is ends, whatever its budget.
func TestFewChanges(t *testing.T) {
	s := few(40)
	noise := s.run(t, "evasion/noise", nil)
	for _, id := range []string{"evasion/hopskipjump", "evasion/square", "evasion/boundary"} {
		t.Run(id, func(t *testing.T) {
			r := s.run(t, id, map[string]*result.Result{"evasion/noise": noise})
			if r.State != result.Measured {
				t.Errorf("%s: %s", r.State, r.Reason)
			}
		})
	}
}
