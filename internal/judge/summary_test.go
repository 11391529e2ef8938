package judge_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/judge"
	"github.com/assize/assize/internal/plan"
	"github.com/assize/assize/internal/result"
)

func decided(goal, by string, v dossier.Verdict) dossier.Decision {
	d := dossier.Decision{Goal: goal, SetBy: by, Decision: v, Because: by + " says " + string(v)}
	if v != dossier.NotAssessed && v != dossier.NotApplicable {
		d.Measured = &result.Metric{}
	}
	return d
}

func TestGoalsTakeTheWorstAndNeverMixInOurDefaults(t *testing.T) {
	const pass, fail, open, not, off = dossier.Pass, dossier.Fail, dossier.Inconclusive, dossier.NotAssessed, dossier.NotApplicable
	type by = map[string][]dossier.Verdict
	for _, tt := range []struct {
		name  string
		given by
		want  dossier.Verdict
		setBy string
	}{
		{"nothing", by{}, not, ""},
		{"ours alone", by{"default": {pass}}, pass, "default"},
		{"the worst of ours", by{"default": {pass, fail, open}}, fail, "default"},
		{"theirs over ours", by{"provider": {pass}, "default": {fail}}, pass, "provider"},
		{"theirs, not assessed, over ours", by{"provider": {not}, "default": {pass}}, not, "provider"},
		{"fail over open", by{"provider": {open, fail}}, fail, "provider"},
		{"open over not assessed", by{"provider": {not, open}}, open, "provider"},
		{"not assessed over pass", by{"provider": {pass, not}}, not, "provider"},
		{"pass over not applicable", by{"provider": {off, pass}}, pass, "provider"},
		{"not applicable alone", by{"provider": {off}}, off, "provider"},
		{"law and provider together", by{"law": {fail}, "provider": {pass}}, fail, "law"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := &plan.Plan{Goals: []plan.Goal{{ID: "other"}, {ID: "evasion", Title: "T", Claimed: true}}}
			var decisions []dossier.Decision
			for _, who := range []string{"law", "provider", "default"} {
				for _, v := range tt.given[who] {
					decisions = append(decisions, decided("evasion", who, v))
				}
			}
			got := judge.Goals(p, decisions)
			because := tt.setBy + " says " + string(tt.want)
			if tt.setBy == "" {
				because = "nothing was measured for it"
			}
			want := []dossier.Goal{{ID: "evasion", Title: "T", Claimed: true, Decision: tt.want, Because: because, SetBy: tt.setBy}}
			if diff := cmp.Diff(got, want); diff != "" {
				t.Errorf("goals (-got +want):\n%s", diff)
			}
		})
	}
}

func TestGoalsThatNobodyClaimsShowOnlyWithADecision(t *testing.T) {
	p := &plan.Plan{
		Goals:   []plan.Goal{{ID: "a"}, {ID: "b"}, {ID: "c", Claimed: true}},
		LeftOut: []plan.LeftOut{{Goal: "c", State: "not-available", Reason: "no probe"}},
	}
	got := judge.Goals(p, []dossier.Decision{decided("b", "default", dossier.Fail)})
	want := []dossier.Goal{
		{ID: "b", Decision: dossier.Fail, Because: "default says fail", SetBy: "default"},
		{ID: "c", Claimed: true, Decision: dossier.NotAssessed, Because: "no probe"},
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("goals (-got +want):\n%s", diff)
	}
}

func TestSummariseCountsApart(t *testing.T) {
	p := &plan.Plan{
		Claims: []string{"a", "b"}, Goals: []plan.Goal{{ID: "a", Claimed: true}, {ID: "b", Claimed: true}, {ID: "c"}}, Guessed: true,
		LeftOut: []plan.LeftOut{{Probe: "x"}, {Goal: "b"}},
	}
	decisions := []dossier.Decision{
		decided("a", "provider", dossier.Pass), decided("a", "default", dossier.Fail),
		decided("b", "provider", dossier.Inconclusive), decided("c", "default", dossier.Fail),
	}
	decisions[0].Caveats, decisions[2].Caveats = []string{"one", "two"}, []string{"two"}
	got := judge.Summarise(p, decisions, judge.Goals(p, decisions))
	want := dossier.Summary{
		Counts: map[string]map[dossier.Verdict]int{
			"provider": {dossier.Pass: 1, dossier.Inconclusive: 1},
			"default":  {dossier.Fail: 2},
		},
		Claimed: 2, Passed: 1, Exit: 3,
		Caveats: []string{"one", "two", "the domain was guessed from the data; nobody confirmed which inputs can occur", "left out, with the reason beside each: 2 of the probes and claimed goals"},
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("summary (-got +want):\n%s", diff)
	}
}

func TestExitStatus(t *testing.T) {
	const pass, fail, open, not, off = dossier.Pass, dossier.Fail, dossier.Inconclusive, dossier.NotAssessed, dossier.NotApplicable
	type verdicts = []dossier.Verdict
	for _, tt := range []struct {
		name   string
		claims verdicts // one goal each
		broken string   // why the model does not open
		want   int
		allow  verdicts
		then   int
	}{
		{"all pass", verdicts{pass, pass}, "", 0, nil, 0},
		{"one fails", verdicts{pass, fail}, "", 3, verdicts{open, not}, 3},
		{"one is open", verdicts{pass, open}, "", 3, verdicts{open}, 0},
		{"one is open, another let through", verdicts{pass, open}, "", 3, verdicts{not}, 3},
		{"one is not assessed", verdicts{pass, not}, "", 3, verdicts{open, not}, 0},
		{"one does not apply", verdicts{pass, off}, "", 0, nil, 0},
		{"one does not apply, one fails", verdicts{off, fail}, "", 3, nil, 3},
		{"none applies", verdicts{off, off}, "", 1, verdicts{open, not}, 1},
		{"nothing was assessed", verdicts{not, not}, "", 1, verdicts{open, not}, 1},
		{"nothing is claimed", nil, "", 1, verdicts{open, not}, 1},
		{"the model does not open", verdicts{pass}, "truncated", 1, verdicts{open, not}, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := &plan.Plan{ModelError: tt.broken}
			var decisions []dossier.Decision
			for i, v := range tt.claims {
				id := string(rune('a' + i))
				p.Goals = append(p.Goals, plan.Goal{ID: id, Claimed: true})
				decisions = append(decisions, decided(id, "provider", v))
			}
			d := &dossier.Dossier{Goals: judge.Goals(p, decisions)}
			d.Summary = judge.Summarise(p, decisions, d.Goals)
			if d.Summary.Exit != tt.want {
				t.Errorf("exit status %d, want %d", d.Summary.Exit, tt.want)
			}
			if got := judge.Allowed(d, tt.allow); got != tt.then {
				t.Errorf("with %q let through: exit status %d, want %d", tt.allow, got, tt.then)
			}
			hint := strings.Contains(strings.Join(d.Summary.Caveats, " "), "claims no goal")
			if hint != (len(tt.claims) == 0) {
				t.Errorf("caveats are %q", d.Summary.Caveats)
			}
		})
	}
	// What is measured of a goal that nobody claims does not make a failure of "nothing was assessed" a pass.
	p := &plan.Plan{Goals: []plan.Goal{{ID: "a", Claimed: true}, {ID: "b"}}}
	decisions := []dossier.Decision{decided("a", "provider", not), decided("b", "default", pass)}
	if got := judge.Summarise(p, decisions, judge.Goals(p, decisions)).Exit; got != 3 {
		t.Errorf("exit status %d, want 3", got)
	}
}
