package faults_test

import (
	"math"
	"strings"
	"testing"

	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/measure/measuretest"
	"github.com/assize/assize/internal/model"
	"github.com/assize/assize/internal/probes/faults"
	"github.com/assize/assize/internal/result"
)

// priced is a system whose number is used as it is: a hundredth of the income.
func priced(t testing.TB, tolerance float64) measuretest.Target {
	t.Helper()
	g, s := target(t, func(x []float32) float32 { return x[0] / 100 }, nil, 40)
	g.Model = func() *model.Model {
		m, err := model.New(s, &model.Spec{
			Output: model.Output{Kind: model.Score}, Domain: &model.Domain{Features: loans()},
			Rule:      model.Rule{Kind: model.NoRule, Outcomes: []string{"given"}},
			Solutions: []model.Solution{{Name: "range-check", Type: model.InputValidation, Switchable: true}},
		}, len(loans()), 1)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	g.Facts.Rule, g.Facts.Classes = model.NoRule, 0
	g.Params = measure.Params{"tolerance": tolerance}
	return g
}

// TestNumbers counts a fault of a number when it moves the number by more than the tolerance.
func TestNumbers(t *testing.T) {
	measuretest.Accept(t, faults.Probes()[0], priced(t, 0.05))
	r := measured(t, priced(t, 0.05))
	if r.State != result.Measured || !r.Valid() {
		t.Fatalf("got %s: %s, %+v", r.State, r.Reason, r.Validity)
	}
	shares := map[string]float64{}
	for _, p := range r.Pictures {
		if !strings.HasPrefix(p.Title, "Numbers") && p.ID != "worst-pairs" {
			t.Errorf("title %q", p.Title)
		}
		for i, label := range p.Labels {
			shares[p.ID+" "+label] = p.Series[0].Y[i]
		}
	}
	// Incomes from 1234 in steps of 20 to 2014: to two digits they move by up to 50, of which 5 are borne.
	want := 0.0
	for i := range 40 {
		if v := float64(1234 + 20*i); math.Abs(math.Round(v/100)*100-v) > 5 {
			want += 1.0 / 40
		}
	}
	for name, want := range map[string]float64{"by-field months": 0, "by-field purpose": 0, "worst-pairs income: ten times too large": 1, "worst-pairs income: rounded to two digits": want} {
		if got, ok := shares[name]; !ok || math.Abs(got-want) > 1e-9 {
			t.Errorf("%s: got %v (%v), want %v", name, got, ok, want)
		}
	}
	if r := measured(t, priced(t, 1e9)); r.Metrics["silent_changes"].Value != 0 || r.Metrics["unusable"].Value == 0 {
		t.Errorf("with a tolerance of a thousand million: %+v", r.Metrics)
	}
	if r := measured(t, priced(t, 0)); r.State != result.NotApplicable || !strings.Contains(r.Reason, "worst_change") {
		t.Errorf("without a tolerance: %s: %s", r.State, r.Reason)
	}
}
