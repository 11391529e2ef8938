package evasion_test

import (
	"path/filepath"
	"testing"

	"github.com/assize/assize/internal/dataset"
	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/model"
	"github.com/assize/assize/internal/result"
)

// TestAutoAttackPlanted attacks digits in a ball in which most rows stand: with its steps the
// attack finds what is planted in copies; with one step, which in L1 moves few pixels, it misses some, and the check fails.
func TestAutoAttackPlanted(t *testing.T) {
	var index []int
	for i := range 100 {
		index = append(index, i)
	}
	table, err := dataset.Select(t.Context(), dataset.Spec{Path: filepath.Join("..", "..", "..", "examples", "digits", "test.npz"), Input: "x", Label: "y"}, index)
	if err != nil {
		t.Fatal(err)
	}
	table.Index = index
	o := openONNX(t, &model.Spec{
		Path: filepath.Join("..", "..", "..", "examples", "digits", "model.onnx"), Output: model.Output{Kind: model.Logits},
		Rule: model.Rule{Kind: model.Argmax}, Domain: &model.Domain{Features: reals(64)},
	}, table)
	for _, of := range []struct {
		steps float64
		ok    bool
	}{{50, true}, {1, false}} {
		over := measure.Params{"norm": "l1", "epsilon": 0.5, "steps": of.steps, "targets": 2.0, "tested": 0.0}
		noise := o.run(t, "evasion/noise", over, nil)
		r := o.run(t, "evasion/autoattack", over, map[string]*result.Result{"evasion/noise": noise})
		tried, found := planted(r)
		t.Logf("%v steps: found %d of %d", of.steps, found, tried)
		if tried < 8 {
			t.Errorf("%v steps: tried %d rows, want 8", of.steps, tried)
		}
		check(t, r, "planted-examples-found", of.ok)
	}
}
