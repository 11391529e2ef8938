package evasion_test

import (
	"strings"
	"testing"

	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/model"
	"github.com/assize/assize/internal/probes/evasion"
	"github.com/assize/assize/internal/result"
)

// TestMasked tells solutions that lead an attack astray from those that do not: noise and rounding mislead who does not know of
// them; a refusal near the boundary stops who does not know as much as who does, and a check against the domain, in which every attack stays, stops nobody.
func TestMasked(t *testing.T) {
	const width, rows = 10, 60
	path, weights := planeModel(t, width, 1)
	solutions := []model.Solution{
		{Name: "range", Type: model.InputValidation, Switchable: true}, {Name: "band", Type: model.RejectBand, Margin: 0.02, Switchable: true},
		{Name: "noise", Type: model.InputNoise, Sigma: 0.1, Draws: 1, Switchable: true}, {Name: "digits", Type: model.OutputRounding, Digits: 3, Switchable: true},
		{Name: "limit", Type: model.QueryLimit, Queries: 1, Switchable: true},
		{Name: "fixed", Type: model.RejectBand, Margin: 0.02},
	}
	for _, tt := range []struct {
		on   []string
		want string // "": no row of the table
	}{
		{[]string{"range"}, "is not shown to hide gradients"},
		{[]string{"band"}, "is not shown to hide gradients"},
		{[]string{"noise"}, "hides gradients and stops little"},
		{[]string{"digits"}, "hides gradients and stops little"},
		{[]string{"limit"}, ""},
		{[]string{"fixed"}, ""},
		{nil, ""},
	} {
		o := openONNX(t, &model.Spec{
			Path: path, Output: model.Output{Kind: model.PositiveProbability}, Rule: cutHalf,
			Domain: &model.Domain{Features: reals(width), Confirmed: true}, Solutions: solutions,
		}, planeRows(weights, rows, 0))
		var err error
		if o.model, err = o.model.With(tt.on); err != nil {
			t.Fatal(err)
		}
		over := measure.Params{"epsilon": 0.05, "steps": 20.0, "tested": 1.0}
		before := map[string]*result.Result{"evasion/noise": o.run(t, "evasion/noise", over, nil)}
		r := o.run(t, "evasion/autoattack", over, before)
		got := ""
		for _, table := range r.Tables {
			if table.ID == result.Masking {
				for _, row := range table.Rows {
					got = row[len(row)-1]
					t.Log(row)
				}
			}
		}
		if got != tt.want {
			t.Errorf("%v: got %q, want %q", tt.on, got, tt.want)
		}
		m, is := r.Metrics["masked_share"]
		if hides := strings.HasPrefix(got, result.Hides); is != (tt.want != "") || hides != (m.Lower > 0.01) {
			t.Errorf("%v: masked share %+v", tt.on, m)
		}
		if !is {
			continue
		}
		// What is hidden is broken, and not by who does not know.
		hidden := 0
		for i, v := range r.Rows.Column("unaware." + tt.on[0]) {
			if broken := r.Rows.Column("broken")[i] == 1; broken && v == 0 {
				hidden++
			} else if broken != (v >= 0) {
				t.Errorf("%v, row %d: broken %v, unaware %v", tt.on, i, broken, v)
			}
		}
		if *m.K != hidden {
			t.Errorf("%v: %d rows hidden, counted %d", tt.on, *m.K, hidden)
		}
	}
}

// TestVerdict weighs what a solution hides against what it stops.
func TestVerdict(t *testing.T) {
	for _, tt := range []struct {
		hidden, lower, stops float64
		want                 string
	}{
		{0.13, 0.1, 0.01, "hides gradients and stops little"},
		{0.13, 0.1, 0.2, "hides gradients, but stops more than it hides"},
		{0.03, 0.005, 0, "is not shown to hide gradients"},
	} {
		if got := evasion.Verdict(result.Metric{Value: tt.hidden, Lower: tt.lower}, tt.stops); got != tt.want {
			t.Errorf("hides %v from %v, stops %v: got %q, want %q", tt.hidden, tt.lower, tt.stops, got, tt.want)
		}
	}
}
