package judge_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assize/assize/internal/catalogue"
	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/evidence"
	"github.com/assize/assize/internal/judge"
	"github.com/assize/assize/internal/plan"
	"github.com/assize/assize/internal/result"
	"github.com/assize/assize/internal/stat"
)

// share is k of n with its exact interval.
func share(t *testing.T, k, n int) result.Metric {
	t.Helper()
	in, err := stat.ClopperPearson(k, n, 0.95)
	if err != nil {
		t.Fatal(err)
	}
	return result.Metric{
		Value: float64(k) / float64(n), Lower: in.Lower, Upper: in.Upper, N: n, K: &k,
		Unit: "share", Method: "clopper-pearson", Confidence: 0.95,
	}
}

func criterion(compare string, level float64) catalogue.Criterion {
	return catalogue.Criterion{
		ID: "declared/x", Goal: "evasion", Kind: catalogue.Declared, Probe: "evasion/x", Metric: "robust_accuracy",
		Compare: compare, Threshold: &level, SetBy: "provider", Why: "w", Cites: []string{"c"},
	}
}

// assessment is a plan of one criterion, its probe and the parity check, with
// observations in which the parity check found no difference.
func assessment(k catalogue.Criterion, m result.Metric) (*plan.Plan, []evidence.Observation) {
	p := &plan.Plan{
		Claims: []string{k.Goal}, Goals: []plan.Goal{{ID: k.Goal, Title: "Goal", Claimed: true}}, Criteria: []catalogue.Criterion{k},
		Items: []plan.Item{
			{ID: "i-1", Probe: "performance/parity", Deployed: true},
			{ID: "i-2", Probe: k.Probe, Deployed: true},
		},
	}
	return p, []evidence.Observation{
		observation("1", "performance/parity", map[string]result.Metric{"disagreements": result.Exactly(0, 50, "rows")}),
		observation("2", k.Probe, map[string]result.Metric{k.Metric: m}),
	}
}

func observation(number, probe string, metrics map[string]result.Metric) evidence.Observation {
	return evidence.Observation{
		ID: "o-" + number, Item: "i-" + number, Probe: probe,
		Result: result.Result{State: result.Measured, Metrics: metrics},
	}
}

func only(t *testing.T, decisions []dossier.Decision) dossier.Decision {
	t.Helper()
	if len(decisions) != 1 {
		t.Fatalf("got %d decisions, want 1: %+v", len(decisions), decisions)
	}
	return decisions[0]
}

func TestDecideComparesTheIntervalWithTheLevel(t *testing.T) {
	half := share(t, 50, 100) // 0.3983 to 0.6017
	counted := func(v float64) result.Metric { return result.Exactly(v, 12, "count") }
	for _, tt := range []struct {
		name    string
		compare string
		level   float64
		metric  result.Metric
		want    dossier.Verdict
		because string
	}{
		{"at least, supported", "at_least", 0.39, half, dossier.Pass, "the lower bound of robust accuracy, 39.83\u202f%, supports at least 39\u202f%"},
		{"at least, at the very bound", "at_least", half.Lower, half, dossier.Pass, "supports"},
		{"at least, value above, bound below", "at_least", 0.45, half, dossier.Inconclusive, "the interval of robust accuracy, 39.83\u202f% to 60.17\u202f%, straddles the level: at least 45\u202f% is neither supported nor missed"},
		{"at least, value below, bound above", "at_least", 0.55, half, dossier.Inconclusive, "straddles the level: at least 55\u202f%"},
		{"at least, missed", "at_least", 0.61, half, dossier.Fail, "the whole interval of robust accuracy, 39.83\u202f% to 60.17\u202f%, misses at least 61\u202f%"},
		{"at most, supported", "at_most", 0.61, half, dossier.Pass, "the upper bound of robust accuracy, 60.17\u202f%, supports at most 61\u202f%"},
		{"at most, at the very bound", "at_most", half.Upper, half, dossier.Pass, "supports"},
		{"at most, open", "at_most", 0.55, half, dossier.Inconclusive, "straddles the level: at most 55\u202f%"},
		{"at most, missed", "at_most", 0.39, half, dossier.Fail, "misses at most 39\u202f%"},
		{"counted, none", "at_most", 0, counted(0), dossier.Pass, "robust accuracy: 0 counted, at most 0 allowed"},
		{"counted, one", "at_most", 0, counted(1), dossier.Fail, "robust accuracy: 1 counted, at most 0 allowed"},
		{"counted, enough", "at_least", 3, counted(3), dossier.Pass, "3 counted, at least 3 asked"},
		{"counted, too few", "at_least", 3, counted(2), dossier.Fail, "2 counted, at least 3 asked"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, obs := assessment(criterion(tt.compare, tt.level), tt.metric)
			got := only(t, judge.Decide(p, obs))
			if got.Decision != tt.want || !strings.Contains(got.Because, tt.because) {
				t.Errorf("got %s because %q, want %s because %q", got.Decision, got.Because, tt.want, tt.because)
			}
			if (got.Missing != "") != (tt.want == dossier.Inconclusive) {
				t.Errorf("missing is %q", got.Missing)
			}
			want := dossier.Decision{
				Goal: "evasion", Criterion: "declared/x", SetBy: "provider", Decision: got.Decision, Because: got.Because, Missing: got.Missing,
				Metric: "robust_accuracy", Compare: tt.compare, Level: &tt.level, Measured: &tt.metric, From: []string{"o-2"}, Cites: []string{"c"},
			}
			if diff := cmp.Diff(got, want); diff != "" {
				t.Errorf("decision (-got +want):\n%s", diff)
			}
		})
	}
}

func TestDecideWhatWasNotMeasured(t *testing.T) {
	set := func(state result.State) func(*plan.Plan, []evidence.Observation) {
		return func(_ *plan.Plan, o []evidence.Observation) { o[1].State, o[1].Reason = state, "so it is" }
	}
	for _, tt := range []struct {
		name    string
		change  func(*plan.Plan, []evidence.Observation)
		want    dossier.Verdict
		because string
	}{
		{"failed", set(result.Failed), dossier.NotAssessed, "failed: so it is"},
		{"not available", set(result.NotAvailable), dossier.NotAssessed, "not-available: so it is"},
		{"not permitted", set(result.NotPermitted), dossier.NotAssessed, "not-permitted: so it is"},
		{"not applicable", set(result.NotApplicable), dossier.NotApplicable, "evasion/x: so it is"},
		{"a state that nobody knows", set("splendid"), dossier.NotAssessed, "splendid"},
		{"no level", func(p *plan.Plan, _ []evidence.Observation) { p.Criteria[0].Threshold = nil }, dossier.NotAssessed, "no level"},
		{"a comparison that is none", func(p *plan.Plan, _ []evidence.Observation) { p.Criteria[0].Compare = "is" }, dossier.NotAssessed, `compares by "is"`},
		{"metric absent", func(_ *plan.Plan, o []evidence.Observation) { o[1].Metrics = nil }, dossier.NotAssessed, "evasion/x did not give robust_accuracy"},
		{"only measured with solutions off", func(p *plan.Plan, _ []evidence.Observation) { p.Items[1].Deployed = false }, dossier.NotAssessed, "evasion/x was not run"},
		{"observation lost", func(_ *plan.Plan, o []evidence.Observation) { o[1].Item = "i-9" }, dossier.NotAssessed, "evasion/x was not run"},
		{"left out", func(p *plan.Plan, _ []evidence.Observation) {
			p.Items = p.Items[:1]
			p.LeftOut = []plan.LeftOut{{Probe: "evasion/y", Reason: "no"}, {Probe: "evasion/x", State: "not-available", Reason: "there are no labels"}}
		}, dossier.NotAssessed, "there are no labels"},
		{"left out as not applicable", func(p *plan.Plan, _ []evidence.Observation) {
			p.Items = p.Items[:1]
			p.LeftOut = []plan.LeftOut{{Probe: "evasion/x", State: "not-applicable", Reason: "there are no classes"}}
		}, dossier.NotApplicable, "there are no classes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, obs := assessment(criterion("at_least", 0.1), share(t, 90, 100))
			tt.change(p, obs)
			got := only(t, judge.Decide(p, obs))
			if got.Decision != tt.want || !strings.Contains(got.Because, tt.because) || got.Measured != nil {
				t.Errorf("got %s because %q, measured %v; want %s because %q", got.Decision, got.Because, got.Measured, tt.want, tt.because)
			}
		})
	}
}

// TestDecideByWhatCannotDecide checks that a number which would pass is not let
// through when the measurement behind it is not sound.
func TestDecideByWhatCannotDecide(t *testing.T) {
	for _, tt := range []struct {
		name    string
		change  func(*plan.Plan, *evidence.Observation, *result.Metric)
		because string
	}{
		{"failed check", func(_ *plan.Plan, o *evidence.Observation, _ *result.Metric) {
			o.Check("enough-rows", true, "")
			o.Check("gradients", false, "they vanish")
			o.Check("differ", false, "")
		}, "failed a check of its own: gradients: they vanish; differ"},
		{"guessed domain", func(p *plan.Plan, _ *evidence.Observation, _ *result.Metric) {
			p.Guessed, p.Criteria[0].ConfirmedDomain = true, true
		}, "nobody confirmed it"},
		{"no rows", func(_ *plan.Plan, _ *evidence.Observation, m *result.Metric) { m.N = 0 }, "measured on nothing"},
		{"no confidence", func(_ *plan.Plan, _ *evidence.Observation, m *result.Metric) { m.Confidence = 0 }, "confidence 0"},
		{"too little confidence", func(_ *plan.Plan, _ *evidence.Observation, m *result.Metric) { m.Confidence = 0.5 }, "confidence 0.5"},
		{"certainty", func(_ *plan.Plan, _ *evidence.Observation, m *result.Metric) { m.Confidence = 1 }, "confidence 1"},
		{"interval beside the value", func(_ *plan.Plan, _ *evidence.Observation, m *result.Metric) { m.Lower, m.Upper = 0.95, 0.97 }, "does not lie between"},
		{"interval turned round", func(_ *plan.Plan, _ *evidence.Observation, m *result.Metric) { m.Lower, m.Upper = m.Upper, m.Lower }, "does not lie between"},
		{"counted with an interval", func(_ *plan.Plan, _ *evidence.Observation, m *result.Metric) { m.Method = result.Exhaustive }, "no interval"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := share(t, 90, 100)
			p, obs := assessment(criterion("at_least", 0.1), m)
			if got := only(t, judge.Decide(p, obs)).Decision; got != dossier.Pass {
				t.Fatalf("sound it is %s, want pass", got)
			}
			tt.change(p, &obs[1], &m)
			obs[1].Metrics["robust_accuracy"] = m
			got := only(t, judge.Decide(p, obs))
			if got.Decision != dossier.Inconclusive || !strings.Contains(got.Because, tt.because) || got.Missing == "" {
				t.Errorf("got %s because %q, missing %q; want inconclusive because %q", got.Decision, got.Because, got.Missing, tt.because)
			}
		})
	}
	// A guessed domain matters to those criteria alone that ask for a confirmed one.
	p, obs := assessment(criterion("at_least", 0.1), share(t, 90, 100))
	p.Guessed = true
	if got := only(t, judge.Decide(p, obs)).Decision; got != dossier.Pass {
		t.Errorf("a criterion that does not ask for a confirmed domain gives %s, want pass", got)
	}
}

func TestDecideAClaimThatNoCriterionSpeaksOf(t *testing.T) {
	p, obs := assessment(criterion("at_least", 0.1), share(t, 90, 100))
	p.Claims = []string{"evasion", "extraction", "membership"}
	p.LeftOut = []plan.LeftOut{{Goal: "membership", State: "not-available", Reason: "no probe of this version measures it"}}
	got := judge.Decide(p, obs)[1:]
	want := []dossier.Decision{
		{Goal: "extraction", Criterion: "none", SetBy: "default", Decision: dossier.NotAssessed, Because: "no criterion speaks of it", From: []string{}, Cites: []string{}},
		{Goal: "membership", Criterion: "none", SetBy: "default", Decision: dossier.NotAssessed, Because: "no probe of this version measures it", From: []string{}, Cites: []string{}},
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("decisions (-got +want):\n%s", diff)
	}
}

func TestEveryDecisionCarriesTheParityCaveat(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(p *plan.Plan, parity *evidence.Observation)
		want   string
	}{
		{"agrees", func(*plan.Plan, *evidence.Observation) {}, ""},
		{"not planned", func(p *plan.Plan, _ *evidence.Observation) { p.Items = p.Items[1:] }, "no parity check with recorded outputs"},
		{"not measured", func(_ *plan.Plan, o *evidence.Observation) { o.State = result.Failed }, "no parity check with recorded outputs"},
		{"not valid", func(_ *plan.Plan, o *evidence.Observation) { o.Check("rows", false, "3 rows") }, "the parity check is not valid: rows: 3 rows"},
		{"disagrees", func(_ *plan.Plan, o *evidence.Observation) {
			o.Metrics["disagreements"] = result.Exactly(2, 50, "rows")
		}, "decides 2 of 50 recorded rows otherwise"},
		{"says nothing of it", func(_ *plan.Plan, o *evidence.Observation) { delete(o.Metrics, "disagreements") }, "compared no row"},
		{"no rows", func(_ *plan.Plan, o *evidence.Observation) {
			o.Metrics["disagreements"] = result.Exactly(0, 0, "rows")
		}, "compared no row"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, obs := assessment(criterion("at_least", 0.1), share(t, 90, 100))
			agreement := criterion("at_least", 0.9)
			agreement.Goal = "parity"
			p.Criteria = append(p.Criteria, agreement)
			tt.change(p, &obs[0])
			got := judge.Decide(p, obs)
			switch {
			case tt.want == "" && got[0].Caveats != nil:
				t.Errorf("got caveats %q, want none", got[0].Caveats)
			case tt.want != "" && (len(got[0].Caveats) != 1 || !strings.Contains(got[0].Caveats[0], tt.want)):
				t.Errorf("got caveats %q, want %q", got[0].Caveats, tt.want)
			}
			if got[1].Caveats != nil {
				t.Errorf("the decision on parity itself carries %q", got[1].Caveats)
			}
		})
	}
}
