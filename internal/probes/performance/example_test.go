package performance_test

import (
	"context"
	"path/filepath"
	"slices"
	"testing"

	"github.com/assize/assize/internal/dataset"
	"github.com/assize/assize/internal/manifest"
	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/measure/measuretest"
	"github.com/assize/assize/internal/model"
	"github.com/assize/assize/internal/onnx/ort/orttest"
)

// example is one of the example systems, with its range check on.
func example(t *testing.T, name string) measuretest.Target {
	t.Helper()
	ctx := context.Background()
	orttest.Load(t)
	m, err := manifest.Load(ctx, filepath.Join(root(t), "examples", name))
	if err != nil {
		t.Fatal(err)
	}
	dom, err := m.BuildDomain()
	if err != nil {
		t.Fatal(err)
	}
	test, _ := m.Artefact("test")
	served, _ := m.Artefact("served")
	classes := m.Interface.Output.Classes
	spec := &model.Spec{
		Path: filepath.Join(m.Dir, "model.onnx"), Input: model.Input{Layout: string(m.Interface.Input.Layout)},
		Output:    model.Output{Tensor: m.Interface.Output.Tensor, Kind: model.Kind(m.Interface.Output.Kind), Classes: classes},
		Rule:      model.Rule{Kind: string(m.Decision.Rule), Positive: max(1, slices.Index(classes, m.Decision.Positive)), Outcomes: classes},
		Domain:    &model.Domain{Features: dom.Features(), Relations: dom.Relations()},
		Solutions: []model.Solution{{Name: "range-check", Type: model.InputValidation, Switchable: true}, {Name: "two-digits", Type: model.OutputRounding, Digits: 2, Switchable: true}},
	}
	data, err := dataset.ReadAll(ctx, dataset.Spec{Path: filepath.Join(m.Dir, test.Path), Input: test.Input, Label: test.Label, Classes: classes, Features: dom.Features()})
	if err != nil {
		t.Fatal(err)
	}
	spec.Input.Shape = data.Shape
	if spec.Rule.Kind == model.Cutoff {
		spec.Rule.Cutoff, spec.Rule.Outcomes = *m.Decision.Cutoff, []string{"below", "band", "above"}
		spec.Rule.Band = &[2]float64{m.Decision.ReferBand[0], m.Decision.ReferBand[1]}
	}
	opened, _, err := model.Open(ctx, spec)
	if err != nil {
		t.Fatal(err)
	}
	deployed, err := opened.With([]string{"range-check", "two-digits"})
	if err != nil {
		t.Fatal(err)
	}
	recorded, err := dataset.Outputs(ctx, dataset.OutputSpec{Path: filepath.Join(m.Dir, served.Path), Classes: classes})
	if err != nil {
		t.Fatal(err)
	}
	return measuretest.Target{
		Model: func() *model.Model { return deployed }, Data: data, Recorded: recorded,
		Facts: measure.Facts{TestRows: data.Len(), Width: data.Width, Classes: len(classes), ClassNames: classes, Rule: spec.Rule.Kind, Positive: spec.Rule.Positive, OutputKind: string(spec.Output.Kind)},
	}
}

// TestExamples runs both probes on real models and on what the training libraries recorded of them.
func TestExamples(t *testing.T) {
	for name, balanced := range map[string][2]float64{"credit": {0.65, 0.8}, "digits": {0.96, 1}} {
		t.Run(name, func(t *testing.T) {
			target := example(t, name)
			res := measured(t, probe(t, "performance/parity"), target)
			if got := res.Metrics["disagreements"]; got.Value != 0 || got.Method != "exhaustive" || !res.Valid() {
				t.Errorf("parity: %+v, checks %+v", res.Metrics, res.Validity)
			}
			if d := res.Metrics["largest_difference"].Value; d > 1e-3 {
				t.Errorf("largest difference from what was recorded = %v", d)
			}
			res = measured(t, probe(t, "performance/classification"), target)
			if got := res.Metrics["balanced_accuracy"].Value; got < balanced[0] || got > balanced[1] || !res.Valid() {
				t.Errorf("balanced accuracy %v, checks %+v", got, res.Validity)
			}
			for k, m := range res.Metrics {
				t.Logf("%s = %.4f [%.4f, %.4f] n %d %s", k, m.Value, m.Lower, m.Upper, m.N, m.Method)
			}
			t.Logf("%q", res.Notes)
			measuretest.Accept(t, probe(t, "performance/parity"), target)
			measuretest.Accept(t, probe(t, "performance/classification"), target)
		})
	}
}
