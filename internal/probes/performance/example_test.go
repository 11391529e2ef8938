package performance_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/assize/assize/internal/dataset"
	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/measure/measuretest"
	"github.com/assize/assize/internal/model"
	"github.com/assize/assize/internal/onnx/ort"
)

// TestDigits runs both probes on a real network and what PyTorch recorded of it.
func TestDigits(t *testing.T) {
	ctx := context.Background()
	source, err := ort.DefaultSource(nil)
	if err != nil {
		t.Skip("needs ONNX Runtime: ", err)
	}
	source.Offline = true
	library, err := ort.Locate(ctx, source)
	if err != nil {
		t.Skip("needs ONNX Runtime: ", err)
	}
	if _, err := model.LoadRuntime(library); err != nil {
		t.Skip("needs ONNX Runtime: ", err)
	}
	folder := filepath.Join(root(t), "examples", "digits")
	classes := []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}
	spec := &model.Spec{
		Path: filepath.Join(folder, "model.onnx"), Input: model.Input{Layout: "nchw", Shape: []int{1, 8, 8}},
		Output: model.Output{Tensor: "logits", Kind: model.Logits, Classes: classes},
		Rule:   model.Rule{Kind: model.Argmax, Positive: 9, Outcomes: classes},
	}
	m, _, err := model.Open(ctx, spec)
	if err != nil {
		t.Fatal(err)
	}
	data, err := dataset.ReadAll(ctx, dataset.Spec{Path: filepath.Join(folder, "test.npz"), Input: "x", Label: "y", Classes: classes})
	if err != nil {
		t.Fatal(err)
	}
	recorded, err := dataset.Outputs(ctx, dataset.OutputSpec{Path: filepath.Join(folder, "served.npz"), Classes: classes})
	if err != nil {
		t.Fatal(err)
	}
	target := measuretest.Target{
		Model: func() *model.Model { return m }, Data: data, Recorded: recorded,
		Facts: measure.Facts{TestRows: data.Len(), Width: 64, Classes: 10, ClassNames: classes, Rule: model.Argmax, Positive: 9, OutputKind: "logits"},
	}
	res := measured(t, probe(t, "performance/parity"), target)
	if got := res.Metrics["disagreements"]; got.Value != 0 || got.Method != "exhaustive" || !res.Valid() {
		t.Errorf("parity: %+v, checks %+v", res.Metrics, res.Validity)
	}
	if d := res.Metrics["largest_difference"].Value; d > 1e-3 {
		t.Errorf("largest difference from PyTorch = %v", d)
	}
	res = measured(t, probe(t, "performance/classification"), target)
	if got := res.Metrics["balanced_accuracy"]; got.Lower < 0.95 || !res.Valid() {
		t.Errorf("classification: %+v, checks %+v", res.Metrics, res.Validity)
	}
	measuretest.Accept(t, probe(t, "performance/parity"), target)
	measuretest.Accept(t, probe(t, "performance/classification"), target)
}
