package assize_test

import (
	"context"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/catalogue"
	"github.com/assize/assize/internal/manifest"
	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/model"
	"github.com/assize/assize/internal/planner"
	"github.com/assize/assize/internal/probes/suite"
)

func loadCatalogue(t *testing.T) *catalogue.Catalogue {
	t.Helper()
	c, err := catalogue.Load()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestCriteriaReadWhatProbesGive: a criterion whose probe or metric does not
// exist would end in not-assessed for ever, and nobody would know why.
func TestCriteriaReadWhatProbesGive(t *testing.T) {
	probes := suite.All()
	for _, k := range loadCatalogue(t).Criteria {
		p, ok := suite.Find(probes, k.Probe)
		if !ok {
			t.Errorf("criterion %s reads probe %s, which does not exist", k.ID, k.Probe)
			continue
		}
		if !slices.Contains(p.Metrics, k.Metric) {
			t.Errorf("criterion %s reads %s of %s, whose Metrics are %q", k.ID, k.Metric, k.Probe, p.Metrics)
		}
		if !slices.Contains(p.Goals, k.Goal) {
			t.Errorf("criterion %s is about goal %s, its probe %s about %q", k.ID, k.Goal, k.Probe, p.Goals)
		}
		if p.Needs.Domain && k.Kind == catalogue.Budget && !k.ConfirmedDomain {
			t.Errorf("criterion %s reads an attack within the domain and would pass on a guessed one", k.ID)
		}
	}
}

// TestConditionsCompile: the catalogue may not know CEL, so its conditions are compiled here.
func TestConditionsCompile(t *testing.T) {
	conditions := 0
	for _, k := range loadCatalogue(t).Criteria {
		if k.Applies == "" {
			continue
		}
		conditions++
		if err := planner.CheckCondition(k.Applies); err != nil {
			t.Errorf("criterion %s: applies: %v", k.ID, err)
		}
	}
	if conditions == 0 {
		t.Error("no criterion has a condition")
	}
}

func TestProbesSpeakToTheCatalogue(t *testing.T) {
	c := loadCatalogue(t)
	seen := map[string]bool{}
	for _, p := range suite.All() {
		if seen[p.ID] {
			t.Errorf("probe %s stands in the suite twice", p.ID)
		}
		seen[p.ID] = true
		for _, id := range p.Goals {
			if _, ok := c.Goal(id); !ok {
				t.Errorf("probe %s: goal %q is not in the catalogue", p.ID, id)
			}
		}
		for _, id := range p.Threats {
			if !slices.ContainsFunc(c.Threats, func(t catalogue.Threat) bool { return t.ID == id }) {
				t.Errorf("probe %s: threat %q is not in the catalogue", p.ID, id)
			}
		}
		for _, id := range p.Requires {
			if !seen[id] {
				t.Errorf("probe %s requires %s, which does not stand before it", p.ID, id)
			}
		}
		if p.Switch && !p.Needs.Model {
			t.Errorf("probe %s is run with solutions on and off, and asks no model", p.ID)
		}
	}
	for _, s := range c.Solutions {
		if s.Switchable != model.CanSwitch(s.ID) {
			t.Errorf("solution type %s: the catalogue says switchable %v, the model %v", s.ID, s.Switchable, model.CanSwitch(s.ID))
		}
	}
}

// TestEveryProbeCanBePlanned plans the whole suite at every depth on a target that decides and on
// one that is served and gives a number, both of which have everything else. It finds parameters that read fields which no manifest has.
func TestEveryProbeCanBePlanned(t *testing.T) {
	probes := suite.All()
	for _, depth := range []string{"quick", "standard", "thorough"} {
		planned := map[string]bool{}
		for _, facts := range []measure.Facts{
			{TestRows: 1000, Width: 20, Classes: 2, OutputKind: string(model.Probabilities), Rule: model.Cutoff, Favourable: []string{"accept"}},
			{TestRows: 1000, Width: 20, Classes: 1, OutputKind: string(model.Score), Rule: model.NoRule},
		} {
			p, err := planner.Make(planner.Target{
				Manifest: &manifest.Manifest{Records: []manifest.Record{{Name: "log", Log: &manifest.Log{}}}}, Depth: depth, ModelName: "model", TestName: "test", RecordedName: "served", Labelled: true, HasDomain: true, HasTrees: true, SetNames: []string{"test"},
				Artefacts: []artefact.Artefact{{Name: "model", Kind: artefact.Model}}, Facts: facts, Served: facts.Rule == model.NoRule,
			}, loadCatalogue(t), probes)
			if err != nil {
				t.Fatal(err)
			}
			for _, it := range p.Items {
				planned[it.Probe] = true
				if probe, _ := suite.Find(probes, it.Probe); probe.Rows != nil && it.Rows < 1 || !probe.Joins() && probe.Needs.Model && it.Queries < 1 {
					t.Errorf("%s: %s counts %d rows and %d queries", depth, it.Probe, it.Rows, it.Queries)
				}
			}
		}
		for _, probe := range probes {
			if !planned[probe.ID] {
				t.Errorf("%s: %s is planned on neither target", depth, probe.ID)
			}
		}
	}
}

// TestVerifierLinksNoRuntime asks the go command what assize-verify is made of.
func TestVerifierLinksNoRuntime(t *testing.T) {
	out, err := exec.CommandContext(context.Background(), "go", "list", "-deps", "./cmd/assize-verify").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	deps := strings.Fields(string(out))
	if !slices.Contains(deps, module+"/internal/verify") {
		t.Fatalf("it does not even link verify: %q", deps)
	}
	for _, d := range deps {
		own := strings.TrimPrefix(d, module+"/internal/")
		for _, bad := range []string{"github.com/yalue/onnxruntime_go", "os/exec", "net", module + "/internal/onnx/ort", module + "/internal/model", module + "/internal/worker", module + "/internal/engine"} {
			if d == bad {
				t.Errorf("assize-verify links %s", d)
			}
		}
		if own != d && (own == "measure" || strings.HasPrefix(own, "probes/")) {
			t.Errorf("assize-verify links %s", d)
		}
	}
}
