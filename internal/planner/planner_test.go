package planner_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/catalogue"
	"github.com/assize/assize/internal/manifest"
	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/model"
	"github.com/assize/assize/internal/plan"
	"github.com/assize/assize/internal/planner"
	"github.com/assize/assize/internal/result"
)

func loadCatalogue(t *testing.T) *catalogue.Catalogue {
	t.Helper()
	c, err := catalogue.Load()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// target has everything that a probe can need.
func target() planner.Target {
	return planner.Target{
		Manifest: &manifest.Manifest{Target: manifest.Target{Name: "credit", Version: "1.4"}, Digest: "sha256:m", Claims: []string{"evasion"}},
		Artefacts: []artefact.Artefact{
			{Name: "model", Kind: artefact.Model}, {Name: "model#weights", Kind: artefact.Model}, {Name: "test", Kind: artefact.Dataset},
			{Name: "served", Kind: artefact.RecordedOutputs},
		},
		Facts: measure.Facts{TestRows: 100, Width: 3, Classes: 2, OutputKind: string(model.Probabilities), Rule: model.Cutoff},
		Depth: "standard", Tool: "assize test", ModelName: "model", TestName: "test", RecordedName: "served", Labelled: true, HasDomain: true,
	}
}

// probe works row by row on what the needs say.
func probe(id string, needs measure.Needs, change ...func(*measure.Probe)) measure.Probe {
	p := measure.Probe{
		ID: id, Version: 3, Goals: []string{"evasion"}, Threats: []string{"evasion"}, Needs: needs,
		Params:  []measure.Param{{Name: "rows", Quick: 10.0, Standard: 60.0, Thorough: 600.0}},
		Rows:    func(s measure.Scope) int { return s.Params.Int("rows") },
		Queries: func(s measure.Scope) int { return 2 * s.Params.Int("rows") },
	}
	for _, c := range change {
		c(&p)
	}
	return p
}

func makePlan(t *testing.T, tg planner.Target, probes ...measure.Probe) *plan.Plan {
	t.Helper()
	p, err := planner.Make(tg, loadCatalogue(t), probes)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestMakeSaysWhatItPlansFor(t *testing.T) {
	tg := target()
	tg.Guessed, tg.ModelError = true, "why not"
	c := loadCatalogue(t)
	got := makePlan(t, tg)
	want := &plan.Plan{
		Format: 1, Tool: "assize test", Target: "credit", Version: "1.4", Depth: "standard", Manifest: "sha256:m", Catalogue: c.Digest,
		Artefacts: tg.Artefacts, Claims: []string{"evasion"}, TestRows: 100, Guessed: true, ModelError: "why not",
		Goals: got.Goals, Criteria: got.Criteria, Items: []plan.Item{},
		LeftOut: []plan.LeftOut{{Goal: "evasion", State: "not-available", Reason: "what would measure it cannot run: evasion/worst, evasion/tabular"}},
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("plan (-got +want):\n%s", diff)
	}
	var claimed []string
	for _, g := range got.Goals {
		if g.Claimed {
			claimed = append(claimed, g.ID)
		}
	}
	if len(got.Goals) != len(c.Goals) || !slices.Equal(claimed, []string{"evasion"}) {
		t.Errorf("%d goals, claimed %q", len(got.Goals), claimed)
	}
}

func TestMakeRefuses(t *testing.T) {
	level := 0.5
	for _, tt := range []struct {
		name   string
		change func(*planner.Target)
		want   string
		hint   string
	}{
		{"claim", func(tg *planner.Target) { tg.Manifest.Claims = []string{"evasoin"} }, `plan "credit": claims: unknown goal "evasoin"`, "goals are parity, accuracy"},
		{"goal of a solution", func(tg *planner.Target) {
			tg.Manifest.Solutions = []manifest.Solution{{Name: "s", Type: "signing", Goals: []string{"x"}}}
		}, `solution "s": unknown goal "x"`, "goals are"},
		{"type of a solution", func(tg *planner.Target) {
			tg.Manifest.Solutions = []manifest.Solution{{Name: "s", Type: "singing"}}
		}, `solution "s": unknown type "singing"`, "types are input-validation, output-rounding"},
		{"switch", func(tg *planner.Target) {
			tg.Manifest.Solutions = []manifest.Solution{{Name: "s", Type: "signing", Switchable: true}}
		}, `type signing cannot be switched`, "remove switchable"},
		{"level that nobody reads", func(tg *planner.Target) {
			tg.Manifest.Declared = map[string]manifest.Level{"zeal": {AtLeast: &level}, "elan": {AtLeast: &level}}
		}, "declared.elan: no criterion reads this level", "levels that can be declared are accuracy, agreement, attack_success, auc, balanced_accuracy"},
		{"bound on the wrong side", func(tg *planner.Target) {
			tg.Manifest.Declared = map[string]manifest.Level{"accuracy": {AtMost: &level}}
		}, "declared.accuracy: it is judged by at_least alone", "write accuracy: {at_least: "},
		{"both bounds", func(tg *planner.Target) {
			tg.Manifest.Declared = map[string]manifest.Level{"attack_success": {AtLeast: &level, AtMost: &level}}
		}, "declared.attack_success: it is judged by at_most alone", "write attack_success: {at_most: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tg := target()
			tt.change(&tg)
			_, err := planner.Make(tg, loadCatalogue(t), nil)
			if err == nil {
				t.Fatal("got no error")
			}
			line, hint, _ := strings.Cut(err.Error(), "\nhint: ")
			if !strings.Contains(line, tt.want) || !strings.HasPrefix(hint, tt.hint) {
				t.Errorf("got %q\nhint %q\nwant %q, %q", line, hint, tt.want, tt.hint)
			}
		})
	}
}

func TestCriteriaTakeTheirLevels(t *testing.T) {
	low, high := 0.6, 0.3
	for depth, want := range map[string]float64{"quick": 0.2, "standard": 0.1, "thorough": 0.05} {
		tg := target()
		tg.Depth = depth
		tg.Manifest.Declared = map[string]manifest.Level{"robust_accuracy": {AtLeast: &low}, "attack_success": {AtMost: &high}}
		got := map[string]float64{}
		for _, k := range makePlan(t, tg).Criteria {
			if k.Threshold == nil || k.Level != nil {
				t.Errorf("%s: criterion %s has threshold %v and levels %v", depth, k.ID, k.Threshold, k.Level)
				continue
			}
			got[k.ID] = *k.Threshold
		}
		wanted := map[string]float64{"declared/robust-accuracy": low, "declared/attack-success": high, "budget/evasion-success": want, "absolute/no-crash": 0}
		for id, w := range wanted {
			if g, ok := got[id]; !ok || g != w {
				t.Errorf("%s: %s has level %v, %v, want %v", depth, id, g, ok, w)
			}
		}
		if _, ok := got["declared/accuracy"]; ok {
			t.Errorf("%s: a criterion for a level that nobody declared is in the plan", depth)
		}
	}
	// The catalogue itself stays as it is.
	c := loadCatalogue(t)
	for range 2 {
		if _, err := planner.Make(target(), c, nil); err != nil {
			t.Fatal(err)
		}
	}
	for _, k := range c.Criteria {
		if k.Threshold != nil || k.Kind != catalogue.Declared && k.Level == nil {
			t.Errorf("planning changed criterion %s of the catalogue", k.ID)
		}
	}
}

func TestUnmetNeeds(t *testing.T) {
	all := measure.Needs{Model: true, Data: true, Labels: true, Recorded: true, Domain: true, Rule: true}
	for _, tt := range []struct {
		name          string
		needs         measure.Needs
		change        func(*planner.Target)
		state, reason string
	}{
		{"all met", all, func(*planner.Target) {}, "", ""},
		{"no model", all, func(tg *planner.Target) { tg.ModelName = "" }, "not-available", "the manifest names no model"},
		{"no model to read", measure.Needs{Files: true}, func(tg *planner.Target) { tg.ModelName = "" }, "not-available", "the manifest names no model"},
		{"broken model", all, func(tg *planner.Target) { tg.ModelError = "truncated\nhint: x" }, "not-available", "the model does not open: truncated"},
		{"broken model, read as a file", measure.Needs{Files: true}, func(tg *planner.Target) { tg.ModelError = "truncated" }, "", ""},
		{"no data", all, func(tg *planner.Target) { tg.TestName = "" }, "not-available", "the manifest names no data set beside the training data"},
		{"empty data", all, func(tg *planner.Target) { tg.NoData = "test.csv has no rows\nhint: x" }, "not-available", "test.csv has no rows"},
		{"no data needed", measure.Needs{Model: true}, func(tg *planner.Target) { tg.TestName = "" }, "", ""},
		{"labels alone", measure.Needs{Model: true, Scores: true}, func(tg *planner.Target) { tg.Facts.OutputKind = "label" }, "not-applicable", "the model gives labels alone, and it follows scores"},
		{"no labels", all, func(tg *planner.Target) { tg.Labelled = false }, "not-available", "the test data has no labels"},
		{"nothing recorded", all, func(tg *planner.Target) { tg.RecordedName = "" }, "not-available", "the manifest names no recorded outputs of the deployed system"},
		{"no log", measure.Needs{Records: true}, func(tg *planner.Target) { tg.Manifest.Records = []manifest.Record{{Name: "minutes"}} }, "not-available", "the manifest declares no operating log among its records"},
		{"a log and no model", measure.Needs{Records: true}, func(tg *planner.Target) {
			tg.ModelName, tg.Manifest.Records = "", []manifest.Record{{Name: "operations", Log: &manifest.Log{}}}
		}, "", ""},
		{"no domain", all, func(tg *planner.Target) { tg.HasDomain = false }, "not-available", "there is no domain, and it cannot be guessed without data"},
		{"trees", measure.Needs{Model: true, Trees: true}, func(tg *planner.Target) { tg.HasTrees = true }, "", ""},
		{"a gain", measure.Needs{Gain: true}, func(tg *planner.Target) { tg.Facts.Favourable = []string{"accept"} }, "", ""},
		{"nothing to gain", measure.Needs{Gain: true}, func(tg *planner.Target) { tg.Facts.Favourable = nil }, "not-applicable", "the manifest names no favourable outcome under decision.favourable, so nobody has one to gain"},
		{"no trees", measure.Needs{Model: true, Trees: true}, func(*planner.Target) {}, "not-applicable", "the model holds no tree ensemble"},
		{"no gradient", measure.Needs{Model: true, Gradients: true}, func(tg *planner.Target) { tg.NoGradient = "no rule for Det\nhint: x" }, "not-applicable", "white-box attacks need a gradient: no rule for Det"},
		{"gradient", measure.Needs{Model: true, Gradients: true}, func(*planner.Target) {}, "", ""},
		{"trees of a broken model", measure.Needs{Model: true, Trees: true}, func(tg *planner.Target) { tg.ModelError = "truncated" }, "not-available", "the model does not open: truncated"},
		{"score without a rule", all, func(tg *planner.Target) {
			tg.Facts.OutputKind, tg.Facts.Rule = string(model.Score), model.Argmax
		}, "not-applicable", "the model gives a score on a scale of its own and no rule turns it into classes"},
		{"value of a system that decides", measure.Needs{Model: true, Value: true}, func(*planner.Target) {}, "not-applicable", "the system decides by a rule and gives no number that is used as it is"},
		{"value", measure.Needs{Model: true, Value: true}, func(tg *planner.Target) {
			tg.Facts.OutputKind, tg.Facts.Rule = string(model.Score), model.NoRule
		}, "", ""},
		{"table of images", measure.Needs{Layout: "columns"}, func(tg *planner.Target) { tg.Facts.Layout = "nhwc" }, "not-applicable", "it is about the fields of a table, and the rows are images"},
		{"image of columns", measure.Needs{Layout: "image"}, func(tg *planner.Target) { tg.Facts.Layout = "columns" }, "not-applicable", "it is about images, and the rows are those of a table"},
		{"image", measure.Needs{Layout: "image"}, func(tg *planner.Target) { tg.Facts.Layout = "nhwc" }, "", ""},
		{"score with a cut-off", all, func(tg *planner.Target) { tg.Facts.OutputKind = string(model.Score) }, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tg := target()
			tg.Manifest.Claims = nil
			tt.change(&tg)
			p := makePlan(t, tg, probe("evasion/x", tt.needs))
			if tt.reason == "" {
				if len(p.LeftOut) != 0 || len(p.Items) != 1 {
					t.Errorf("items %+v, left out %+v; want one item", p.Items, p.LeftOut)
				}
				return
			}
			want := []plan.LeftOut{{Probe: "evasion/x", State: tt.state, Reason: tt.reason}}
			if diff := cmp.Diff(p.LeftOut, want); diff != "" || len(p.Items) != 0 {
				t.Errorf("left out (-got +want), beside items %+v:\n%s", p.Items, diff)
			}
		})
	}
}

func TestItems(t *testing.T) {
	tg := target()
	got := makePlan(t, tg, probe("evasion/x", measure.Needs{Model: true, Data: true, Recorded: true}),
		probe("evasion/files", measure.Needs{Files: true}, func(p *measure.Probe) { p.Rows, p.Queries = nil, nil }),
		probe("evasion/many", measure.Needs{Data: true}, func(p *measure.Probe) { p.Params[0].Standard = 500.0 }),
		probe("evasion/cases", measure.Needs{Model: true}, func(p *measure.Probe) { p.Params[0].Standard, p.Cases = 500.0, true })).Items
	params := map[string]any{"rows": 60.0}
	many := map[string]any{"rows": 500.0}
	goals, none := []string{"evasion"}, []string{}
	want := []plan.Item{
		{ID: "i-1", Probe: "evasion/x", Version: 3, Goals: goals, Parameters: params, Solutions: none, Deployed: true, Rows: 60, Queries: 120, Inputs: []string{"model", "test", "served"}},
		{ID: "i-2", Probe: "evasion/files", Version: 3, Goals: goals, Parameters: params, Solutions: none, Deployed: true, Inputs: []string{"model", "model#weights"}},
		// No more rows than there are, unless they are cases of the probe's own.
		{ID: "i-3", Probe: "evasion/many", Version: 3, Goals: goals, Parameters: many, Solutions: none, Deployed: true, Rows: 100, Queries: 1000, Inputs: []string{"test"}},
		{ID: "i-4", Probe: "evasion/cases", Version: 3, Goals: goals, Parameters: many, Solutions: none, Deployed: true, Rows: 500, Queries: 1000, Inputs: []string{"model"}},
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("items (-got +want):\n%s", diff)
	}
}

// TestSolutionsOnAndOff checks which solutions are on in which run.
func TestSolutionsOnAndOff(t *testing.T) {
	switchable := func(name, typ string, on bool) manifest.Solution {
		return manifest.Solution{Name: name, Type: typ, Goals: []string{"evasion"}, Switchable: on}
	}
	three := []manifest.Solution{
		switchable("a", "input-validation", true), switchable("review", "human-review", false),
		switchable("fixed", "output-rounding", false), switchable("b", "output-rounding", true),
	}
	for _, tt := range []struct {
		name      string
		solutions []manifest.Solution
		depth     string
		probe     func(*measure.Probe)
		want      [][]string
	}{
		{"none", nil, "thorough", func(p *measure.Probe) { p.Switch = true }, [][]string{{}}},
		{"a probe that does not switch", three, "thorough", func(*measure.Probe) {}, [][]string{{"a", "fixed", "b"}}},
		{"standard", three, "standard", func(p *measure.Probe) { p.Switch = true }, [][]string{{"a", "fixed", "b"}, {"fixed"}}},
		{"thorough", three, "thorough", func(p *measure.Probe) { p.Switch = true }, [][]string{{"a", "fixed", "b"}, {"fixed"}, {"a", "fixed"}, {"fixed", "b"}}},
		{"thorough with one", three[:3], "thorough", func(p *measure.Probe) { p.Switch = true }, [][]string{{"a", "fixed"}, {"fixed"}}},
		{"nothing to switch", three[1:3], "thorough", func(p *measure.Probe) { p.Switch = true }, [][]string{{"fixed"}}},
		{"a probe that asks no model", three, "thorough", func(p *measure.Probe) { p.Switch, p.Needs = true, measure.Needs{Data: true} }, [][]string{{}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tg := target()
			tg.Depth, tg.Manifest.Solutions = tt.depth, tt.solutions
			var got [][]string
			for i, it := range makePlan(t, tg, probe("evasion/x", measure.Needs{Model: true, Data: true}, func(p *measure.Probe) { p.Paired = "stands" }, tt.probe)).Items {
				got = append(got, it.Solutions)
				if it.Deployed != (i == 0) || it.Paired != "stands" {
					t.Errorf("run %d: deployed %v, paired by %q", i, it.Deployed, it.Paired)
				}
			}
			if diff := cmp.Diff(got, tt.want); diff != "" {
				t.Errorf("solutions on (-got +want):\n%s", diff)
			}
		})
	}
}

// TestRequirements links each run to that run of the required probe which had
// the same solutions on.
func TestRequirements(t *testing.T) {
	needs := measure.Needs{Model: true, Data: true}
	requires := func(ids ...string) func(*measure.Probe) {
		return func(p *measure.Probe) { p.Requires = ids }
	}
	switches := func(p *measure.Probe) { p.Switch = true }
	tg := target()
	tg.Manifest.Solutions = []manifest.Solution{{Name: "a", Type: "input-validation", Goals: []string{"evasion"}, Switchable: true}}
	got := map[string][]string{}
	var order []string
	for _, it := range makePlan(t, tg,
		probe("evasion/last", needs, requires("evasion/middle", "evasion/once"), switches),
		probe("evasion/middle", needs, requires("evasion/first"), switches),
		probe("evasion/once", needs),
		probe("evasion/first", needs, switches),
	).Items {
		order = append(order, it.ID+" "+it.Probe+" "+strings.Join(it.Solutions, ","))
		got[it.ID] = it.After
	}
	wantOrder := []string{
		"i-1 evasion/once a", "i-2 evasion/first a", "i-3 evasion/first ", "i-4 evasion/middle a", "i-5 evasion/middle ", "i-6 evasion/last a", "i-7 evasion/last ",
	}
	if diff := cmp.Diff(order, wantOrder); diff != "" {
		t.Errorf("order (-got +want):\n%s", diff)
	}
	want := map[string][]string{"i-1": nil, "i-2": nil, "i-3": nil, "i-4": {"i-2"}, "i-5": {"i-3"}, "i-6": {"i-4", "i-1"}, "i-7": {"i-5", "i-1"}}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("after (-got +want):\n%s", diff)
	}

	// A probe that joins others comes behind them and reads the runs with just the same solutions on.
	feeds := func(p *measure.Probe) { p.Feeds = "evasion/worst" }
	joins := func(p *measure.Probe) {
		p.Rows, p.Queries, p.Switch = nil, nil, true
		p.Join = func(*measure.Joint) (*result.Result, error) { return nil, nil }
	}
	runs := func(p *measure.Probe) {
		p.Run = func(context.Context, *measure.Case) (*result.Result, error) { return nil, nil }
	}
	family := []measure.Probe{
		probe("evasion/worst", needs, joins), probe("evasion/a", needs, feeds, switches, runs),
		probe("evasion/b", needs, feeds, runs), probe("evasion/trees", measure.Needs{Trees: true}, feeds, runs),
	}
	after := map[string][]string{}
	for _, it := range makePlan(t, tg, family...).Items {
		after[it.ID+" "+it.Probe] = it.After
	}
	if diff := cmp.Diff(after, map[string][]string{
		"i-1 evasion/a": nil, "i-2 evasion/a": nil, "i-3 evasion/b": nil, "i-4 evasion/worst": {"i-1", "i-3"}, "i-5 evasion/worst": {"i-2"},
	}); diff != "" {
		t.Errorf("what is joined (-got +want):\n%s", diff)
	}
	left := makePlan(t, tg, family[0], family[3]).LeftOut
	if want := (plan.LeftOut{Probe: "evasion/worst", State: "not-applicable", Reason: "nothing that it joins can run; evasion/trees: the model holds no tree ensemble"}); len(left) < 2 || left[1] != want {
		t.Errorf("got left out %+v, want %+v", left, want)
	}

	tg.Labelled = false
	p := makePlan(t, tg, probe("evasion/first", measure.Needs{Labels: true}), probe("evasion/last", needs, requires("evasion/first")))
	if len(p.Items) != 0 || len(p.LeftOut) < 2 || p.LeftOut[1].Reason != "it reads the result of evasion/first, which is not measured" {
		t.Errorf("items %+v, left out %+v", p.Items, p.LeftOut)
	}

	for name, probes := range map[string][]measure.Probe{
		"circle":  {probe("evasion/a", needs, requires("evasion/b")), probe("evasion/b", needs, requires("evasion/a"))},
		"missing": {probe("evasion/a", needs, requires("evasion/b"))},
		"itself":  {probe("evasion/a", needs, requires("evasion/a"))},
	} {
		if _, err := planner.Make(tg, loadCatalogue(t), probes); err == nil || !strings.Contains(err.Error(), "in a circle, or one that is not there") {
			t.Errorf("%s: got error %v", name, err)
		}
	}
}

func TestParameters(t *testing.T) {
	p := probe("evasion/x", measure.Needs{Model: true}, func(p *measure.Probe) {
		for _, name := range []string{"norm", "unit", "access"} {
			p.Params = append(p.Params, measure.Param{Name: name, Quick: "q", Standard: "s", Thorough: "t", Manifest: "threat_model.evasion." + name})
		}
		for _, name := range []string{"epsilon", "queries_per_row"} {
			p.Params = append(p.Params, measure.Param{Name: name, Quick: 1.0, Standard: 2.0, Thorough: 3.0, Manifest: "threat_model.evasion." + name})
		}
	})
	for _, tt := range []struct {
		depth   string
		evasion *manifest.Evasion
		want    map[string]any
	}{
		{"quick", nil, map[string]any{"rows": 10.0, "norm": "q", "unit": "q", "access": "q", "epsilon": 1.0, "queries_per_row": 1.0}},
		{"standard", nil, map[string]any{"rows": 60.0, "norm": "s", "unit": "s", "access": "s", "epsilon": 2.0, "queries_per_row": 2.0}},
		{"thorough", &manifest.Evasion{Norm: "l2", Epsilon: 0.5}, map[string]any{"rows": 600.0, "norm": "l2", "unit": "t", "access": "t", "epsilon": 0.5, "queries_per_row": 3.0}},
		{"quick", &manifest.Evasion{Norm: "linf", Epsilon: 0.1, Unit: "raw", Access: "black-box", QueriesPerRow: 700}, map[string]any{"rows": 10.0, "norm": "linf", "unit": "raw", "access": "black-box", "epsilon": 0.1, "queries_per_row": 700.0}},
	} {
		tg := target()
		tg.Depth, tg.Manifest.ThreatModel.Evasion = tt.depth, tt.evasion
		if diff := cmp.Diff(makePlan(t, tg, p).Items[0].Parameters, tt.want); diff != "" {
			t.Errorf("%s %+v (-got +want):\n%s", tt.depth, tt.evasion, diff)
		}
	}
	p.Params[0].Manifest = "threat_model.evasion.zeal"
	if _, err := planner.Make(target(), loadCatalogue(t), []measure.Probe{p}); err == nil || !strings.Contains(err.Error(), `probe evasion/x reads "threat_model.evasion.zeal" of the manifest, which does not exist`) {
		t.Errorf("got error %v", err)
	}
}

func TestClaimsThatCannotBeAnswered(t *testing.T) {
	tg := target()
	tg.Manifest.Claims = []string{"evasion", "accuracy", "extraction"}
	p := makePlan(t, tg, probe("evasion/worst", measure.Needs{Model: true}))
	want := []plan.LeftOut{
		{Goal: "accuracy", State: "not-available", Reason: "the manifest declares no level for it, and we set none"},
		{Goal: "extraction", State: "not-available", Reason: "no probe of this version measures it"},
	}
	if diff := cmp.Diff(p.LeftOut, want); diff != "" {
		t.Errorf("left out (-got +want):\n%s", diff)
	}
}
