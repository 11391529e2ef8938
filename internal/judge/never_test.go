package judge_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/assize/assize/internal/catalogue"
	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/judge"
	"github.com/assize/assize/internal/plan"
	"github.com/assize/assize/internal/result"
)

// TestNoCombinationPassesWithoutSoundEvidence throws plans and observations
// together at random, broken ones among them, and checks what must hold of every pass.
func TestNoCombinationPassesWithoutSoundEvidence(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	one := func(n int) bool { return rng.IntN(n) == 0 }
	odd := func(v float64) float64 {
		if one(8) {
			return []float64{math.NaN(), math.Inf(1), math.Inf(-1), 0, -v}[rng.IntN(5)]
		}
		return v
	}
	states := []result.State{result.NotApplicable, result.NotAvailable, result.NotPermitted, result.Failed, "", "other"}
	passes := 0
	for range 20000 {
		m := result.Metric{
			Value: odd(rng.Float64()), Lower: odd(rng.Float64() / 2), Upper: odd(1 - rng.Float64()/2), N: rng.IntN(50) - 2,
			Method: []string{"clopper-pearson", result.Exhaustive, ""}[rng.IntN(3)], Confidence: odd([]float64{0.95, 0.99, 0.5}[rng.IntN(3)]),
		}
		if one(3) {
			m = result.Exactly(float64(rng.IntN(2)), rng.IntN(4), "count")
		}
		if one(2) {
			k := rng.IntN(60) - 5
			m.K = &k
		}
		k := criterion([]string{catalogue.AtLeast, catalogue.AtMost, "is"}[rng.IntN(3)], odd(rng.Float64()))
		k.ConfirmedDomain = one(2)
		if one(10) {
			k.Threshold = nil
		}
		p, obs := assessment(k, m)
		p.Guessed = one(2)
		o := &obs[1]
		if one(4) {
			o.State = states[rng.IntN(len(states))]
		}
		if one(4) {
			o.Check("a", true, "")
			o.Check("b", one(2), "")
		}
		switch rng.IntN(12) {
		case 0:
			o.Metrics = nil
		case 1:
			o.Item = "i-3"
		case 2:
			p.Items[1].Deployed = false
		case 3:
			p.Items = p.Items[:1]
			p.LeftOut = []plan.LeftOut{{Probe: k.Probe, State: string(states[rng.IntN(len(states))]), Reason: "r"}}
		case 4:
			obs = nil
		}
		d := only(t, judge.Decide(p, obs))
		goals := judge.Goals(p, []dossier.Decision{d})
		summary := judge.Summarise(p, []dossier.Decision{d}, goals)
		pass := d.Decision == dossier.Pass
		if pass != (summary.Passed == 1) || pass != (summary.Exit == 0) || pass != (goals[0].Decision == dossier.Pass) {
			t.Fatalf("decision %s, goal %s, %d passed, exit %d", d.Decision, goals[0].Decision, summary.Passed, summary.Exit)
		}
		if d.Because == "" {
			t.Fatalf("no reason for %+v", d)
		}
		if !pass {
			continue
		}
		passes++
		level := *k.Threshold
		supported := k.Compare == catalogue.AtLeast && m.Lower >= level && m.Value >= level-1e-12 || k.Compare == catalogue.AtMost && m.Upper <= level && m.Value <= level+1e-12
		sound := m.N > 0 && (m.Method == result.Exhaustive || m.Confidence >= 0.95 && m.Confidence < 1)
		if o.State != result.Measured || !o.Valid() || p.Guessed && k.ConfirmedDomain || !supported || !sound || d.Measured == nil || len(d.From) != 1 {
			t.Fatalf("passed: %+v\nfrom %+v", d, o)
		}
	}
	if passes < 100 {
		t.Errorf("only %d passes: the draws show little", passes)
	}
}
