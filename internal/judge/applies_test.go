package judge_test

import (
	"math"
	"strings"
	"testing"

	"github.com/assize/assize/internal/catalogue"
	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/judge"
	"github.com/assize/assize/internal/plan"
	"github.com/assize/assize/internal/result"
	"github.com/assize/assize/internal/stat"
)

func TestWhatDoesNotApplyIsNotDecided(t *testing.T) {
	k := criterion("at_least", 0.1)
	k.NotApplicable = "it applies elsewhere"
	d := only(t, judge.Decide(assessment(k, share(t, 90, 100))))
	if d.Decision != dossier.NotApplicable || d.Because != k.NotApplicable || d.Measured != nil || len(d.From) != 0 {
		t.Errorf("got %+v", d)
	}
}

// TestConfidenceIsTheCriterions decides the same 75 of 100, whose exact interval
// is 0.6534 to 0.8312 at 0.95 and 0.6231 to 0.8523 at 0.99 (solved from the sums of
// the binomial, 100 bisections in Python), against a level
// between the two lower ends.
func TestConfidenceIsTheCriterions(t *testing.T) {
	bootstrapped := share(t, 75, 100)
	bootstrapped.Method, bootstrapped.K = "bootstrap", nil
	forged := share(t, 75, 100)
	other := 99
	forged.K = &other
	for _, tt := range []struct {
		name       string
		confidence float64
		metric     result.Metric
		want       dossier.Verdict
		because    string
		lower      float64
	}{
		{"none stated", 0, share(t, 75, 100), dossier.Pass, "supports", 0.6534},
		{"less than measured", 0.9, share(t, 75, 100), dossier.Pass, "supports", 0.6534},
		{"more, from the counts", 0.99, share(t, 75, 100), dossier.Inconclusive, "straddles", 0.6231},
		{"more, without counts", 0.99, bootstrapped, dossier.Inconclusive, "confidence 0.95, and 0.99 is needed", 0.6534},
		{"more, other counts", 0.99, forged, dossier.Inconclusive, "confidence 0.95, and 0.99 is needed", 0.6534},
		{"counted", 0.99, result.Exactly(1, 100, "share"), dossier.Pass, "counted", 1},
		{"certainty", 1, share(t, 75, 100), dossier.NotAssessed, "confidence 1", 0},
		{"no number", math.NaN(), share(t, 75, 100), dossier.NotAssessed, "confidence NaN", 0},
		{"a coin", 0.1, share(t, 75, 100), dossier.NotAssessed, "confidence 0.1", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k := criterion("at_least", 0.64)
			k.Confidence = tt.confidence
			d := only(t, judge.Decide(assessment(k, tt.metric)))
			if d.Decision != tt.want || !strings.Contains(d.Because, tt.because) {
				t.Errorf("got %s because %q, want %s because %q", d.Decision, d.Because, tt.want, tt.because)
			}
			if d.Measured != nil && math.Abs(d.Measured.Lower-tt.lower) > 5e-5 {
				t.Errorf("got lower bound %v, want %v", d.Measured.Lower, tt.lower)
			}
		})
	}
	if in, err := stat.ClopperPearson(75, 100, 0.99); err != nil || math.Abs(in.Lower-0.6231) > 5e-5 {
		t.Errorf("the table of this test is wrong: %v, %v", in, err)
	}
}

// TestWhatDoesNotApplyHidesNothing: a provider's criterion that does not apply
// leaves the goal to ours.
func TestWhatDoesNotApplyHidesNothing(t *testing.T) {
	decision := func(by string, v dossier.Verdict) dossier.Decision {
		return dossier.Decision{Goal: "evasion", SetBy: by, Decision: v}
	}
	p := &plan.Plan{Goals: []plan.Goal{{ID: "evasion", Claimed: true}}}
	for _, tt := range []struct {
		name      string
		decisions []dossier.Decision
		want      dossier.Verdict
		by        string
	}{
		{"theirs does not apply, ours fails", []dossier.Decision{decision("provider", dossier.NotApplicable), decision(catalogue.SetByDefault, dossier.Fail)}, dossier.Fail, catalogue.SetByDefault},
		{"one of theirs applies", []dossier.Decision{decision("provider", dossier.NotApplicable), decision("assessor", dossier.Pass), decision(catalogue.SetByDefault, dossier.Fail)}, dossier.Pass, "assessor"},
		{"none applies", []dossier.Decision{decision("provider", dossier.NotApplicable), decision(catalogue.SetByDefault, dossier.NotApplicable)}, dossier.NotApplicable, "provider"},
		{"theirs alone", []dossier.Decision{decision("law", dossier.NotApplicable)}, dossier.NotApplicable, "law"},
	} {
		goals := judge.Goals(p, tt.decisions)
		if len(goals) != 1 || goals[0].Decision != tt.want || goals[0].SetBy != tt.by {
			t.Errorf("%s: got %+v, want %s by %s", tt.name, goals, tt.want, tt.by)
		}
	}
}
