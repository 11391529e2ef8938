package planner_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/catalogue"
	"github.com/assize/assize/internal/manifest"
	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/plan"
	"github.com/assize/assize/internal/planner"
)

// conditional is the target and a catalogue whose one criterion on evasion has
// the condition.
func conditional(t *testing.T, condition string) (planner.Target, *catalogue.Catalogue) {
	t.Helper()
	tg, c := target(), loadCatalogue(t)
	tg.Manifest.Target.Classification = &manifest.Classification{AnnexIII: "5(b)"}
	tg.Manifest.Target.Environment = &manifest.Environment{Hardware: "server", ThirdParty: []string{"XGBoost 3.0"}}
	tg.Manifest.Target.LifeCycle = &manifest.LifeCycle{Learning: "static"}
	tg.Artefacts[0] = artefact.Artefact{Name: "model", Kind: artefact.Model, SizeBytes: 5000}
	k, ok := c.Criterion("budget/evasion-success")
	if !ok {
		t.Fatal("no such criterion")
	}
	k.Applies = condition
	c.Criteria = []catalogue.Criterion{k}
	return tg, c
}

func TestConditionsReadTheTarget(t *testing.T) {
	for condition, want := range map[string]string{
		"":                    "",
		"true":                "",
		"depth == 'standard'": "",
		"depth == 'thorough'": `depth is "standard"`,
		"target.name == 'credit' && target.version == '1.4'":                                   "",
		"target.classification.annex_iii.startsWith('5')":                                      "",
		"has(target.classification.annex_i)":                                                   `target.classification.annex_i is ""`,
		"has(target.classification) && !has(target.provider)":                                  "",
		"target.classification.third_party":                                                    "target.classification.third_party is false",
		"target.life_cycle.learning == 'continuous'":                                           `target.life_cycle.learning is "static"`,
		"target.environment.third_party.exists(c, c.matches('^XGBoost [0-9.]+$'))":             "",
		"target.roles['owner'] == 'x' || true":                                                 "",
		"artefacts.exists(a, a.kind == 'model' && a.size_bytes > 4096)":                        "",
		"artefacts.exists(a, a.kind == 'model' && a.size_bytes > 5000)":                        "applies where",
		"artefacts.filter(a, a.kind == 'dataset').size() == 1 && artefacts[0].name == 'model'": "",
		"model.output_kind == 'probabilities' && model.rule == 'cutoff' && model.classes == 2": "",
		"model.width > 3":       "model.width is 3",
		"data.test_rows >= 100": "",
		"data.labelled":         "",
		"!data.recorded":        "data.recorded is true",
		"model.classes > 2 ||\n  data.test_rows > 100": "it applies where model.classes > 2 || data.test_rows > 100, which is not so of this target: model.classes is 2, data.test_rows is 100",
	} {
		tg, c := conditional(t, condition)
		p, err := planner.Make(tg, c, nil)
		if err != nil {
			t.Errorf("%s: %v", condition, err)
			continue
		}
		got := p.Criteria[0].NotApplicable
		if (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("%s: got %q, want %q", condition, got, want)
		}
		if p.Criteria[0].Confidence != catalogue.DefaultConfidence || p.Criteria[0].Applies != condition {
			t.Errorf("%s: got %+v", condition, p.Criteria[0])
		}
	}
}

// TestWhatIsUnknownStillApplies: that a model does not open exempts it from nothing.
func TestWhatIsUnknownStillApplies(t *testing.T) {
	for name, change := range map[string]func(*planner.Target){
		"broken":       func(tg *planner.Target) { tg.ModelError = "cut off"; tg.Facts.Classes = 0 },
		"none":         func(tg *planner.Target) { tg.ModelName = "" },
		"never opened": func(tg *planner.Target) { tg.Facts = measure.Facts{} },
	} {
		tg, c := conditional(t, "model.classes == 3")
		change(&tg)
		p, err := planner.Make(tg, c, nil)
		if err != nil || p.Criteria[0].NotApplicable != "" {
			t.Errorf("%s: got %v, %v", name, p, err)
		}
		tg, c = conditional(t, "model.classes == 3 && depth == 'quick'")
		change(&tg)
		if p, err = planner.Make(tg, c, nil); err != nil || p.Criteria[0].NotApplicable == "" {
			t.Errorf("%s: what is known is enough, got %v, %v", name, p, err)
		}
	}
}

func TestConditionsThatAreRefused(t *testing.T) {
	deep := strings.Repeat("[", 100) + strings.Repeat("]", 100) + " == []"
	list := "[" + strings.Repeat("1,", 99) + "1]"
	for condition, want := range map[string]string{
		"target.life_cycle.learnig == 'static'":   "1:18: undefined field 'learnig'",
		"targt.name == 'x'":                       "1:1: undeclared reference to 'targt'",
		"depth ==":                                "1:9: Syntax error",
		"true &&\n  modle.width > 1":              "2:3: undeclared reference to 'modle'",
		"model.classes == '2'":                    "1:15: found no matching overload",
		"model.classes":                           "1:1: it gives int, not true or false",
		"target":                                  "it gives assize.Target",
		"assize.Target{name: 'x'} == target":      "unknown type 'assize.Target'",
		"artefacts.all(a, a.owner == 'x')":        "undefined field 'owner'",
		"depth.matches('(')":                      "invalid matches argument",
		"artefacts[9].kind == 'model'":            "index out of bounds",
		"target.roles['owner'] == 'x'":            "no such key: owner",
		deep:                                      "recursion",
		strings.Repeat("true && ", 1000) + "true": "code point",
		list + ".all(a, " + list + ".all(b, " + list + ".exists(c, c > 1)))": "1:",
		list + ".all(a, " + list + ".all(b, " + list + " == " + list + "))":  "cost limit exceeded",
	} {
		tg, c := conditional(t, condition)
		_, err := planner.Make(tg, c, nil)
		if err == nil {
			t.Errorf("%.80s: got no error", condition)
			continue
		}
		line, hint, _ := strings.Cut(err.Error(), "\nhint: ")
		if !strings.Contains(line, want) || !strings.HasPrefix(line, `plan: criteria.yaml:`) || !strings.Contains(line, `criterion "budget/evasion-success": applies: `) || strings.Contains(line, "\n") {
			t.Errorf("%.80s: got %q, want %q", condition, line, want)
		}
		if !strings.Contains(hint, "model.output_kind, model.rule") || !strings.Contains(hint, "target.life_cycle.learning") {
			t.Errorf("%.80s: got hint %q", condition, hint)
		}
	}
}

func TestAGoalOfWhichNothingApplies(t *testing.T) {
	tg, c := conditional(t, "model.classes == 3")
	p, err := planner.Make(tg, c, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []plan.LeftOut{{Goal: "evasion", State: "not-applicable", Reason: "none of its criteria applies: it applies where model.classes == 3, which is not so of this target: model.classes is 2"}}
	if diff := cmp.Diff(p.LeftOut, want); diff != "" {
		t.Errorf("left out (-got +want):\n%s", diff)
	}
}

// TestLevelsThatAreDeclaredForNothing: a level that is declared and does not
// apply stays in the plan, with the reason.
func TestLevelsThatAreDeclaredForNothing(t *testing.T) {
	low := 0.8
	tg := target()
	tg.Facts.OutputKind = "label"
	tg.Manifest.Declared = map[string]manifest.Level{"auc": {AtLeast: &low}}
	for _, k := range makePlan(t, tg).Criteria {
		if k.ID == "declared/auc" {
			if !strings.Contains(k.NotApplicable, `model.output_kind is "label"`) || *k.Threshold != low {
				t.Errorf("got %+v", k)
			}
			return
		}
	}
	t.Error("it is missing")
}

func FuzzCheckCondition(f *testing.F) {
	for _, k := range []string{"model.classes == 2", "artefacts.exists(a, a.kind == 'model')", "has(target.classification.annex_i)", "((((", "'\xff'", "{1:{1:[]}}.size() > 0"} {
		f.Add(k)
	}
	f.Fuzz(func(t *testing.T, condition string) {
		if err := planner.CheckCondition(condition); err != nil && (err.Error() == "" || strings.Contains(err.Error(), "\n")) {
			t.Errorf("got %q", err)
		}
	})
}

func BenchmarkCondition(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if err := planner.CheckCondition("model.classes == 2"); err != nil {
			b.Fatal(err)
		}
	}
}
