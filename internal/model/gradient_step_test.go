package model_test

import (
	"slices"
	"testing"

	"github.com/assize/assize/internal/model"
	"github.com/assize/assize/internal/onnx"
	"github.com/assize/assize/internal/onnx/ort/orttest"
)

// TestAdvance compares the steps of the graph with those along the signs of the gradients that Evaluate gives.
func TestAdvance(t *testing.T) {
	orttest.Load(t)
	spec := &model.Spec{Path: dense(t, 4, onnx.Dim{}, onnx.Double), Output: model.Output{Kind: model.Logits}, Rule: model.Rule{Kind: model.Argmax},
		Input: model.Input{Mean: []float64{0.1, 0.2, 0.3}, Std: []float64{0.5, 2, 1}}}
	m, _, err := model.Open(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	g, err := m.Gradient(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, rows := range []int{1, 2, 9} {
		for _, length := range []float32{0.1, 0.02, 0} {
			for _, loss := range []model.Loss{model.CrossEntropy, model.Margin, model.TargetedDLR} {
				x, aims := make([]float32, 3*rows), make([]model.Aim, rows)
				for i := range aims {
					aims[i] = model.Aim{From: model.Decision(i % 4), Target: -1}
				}
				s := model.Step{Length: length, Next: make([]float32, len(x))}
				for i := range x {
					x[i] = float32(i*37%19)/19 - 0.5
					s.Lo, s.Hi = append(s.Lo, x[i]-float32(i%3)*0.05), append(s.Hi, x[i]+float32(i%2)*0.05)
				}
				var plain, stepped model.Slopes
				if err := g.Evaluate(t.Context(), loss, x, aims, &plain); err != nil {
					t.Fatal(err)
				}
				if err := g.Advance(t.Context(), loss, x, aims, &s, &stepped); err != nil {
					t.Fatal(err)
				}
				want := slices.Clone(x)
				for i, slope := range plain.Gradient {
					switch {
					case slope > 0:
						want[i] += length
					case slope < 0:
						want[i] -= length
					}
					want[i] = min(max(want[i], s.Lo[i]), s.Hi[i])
				}
				if !slices.Equal(s.Next, want) {
					t.Errorf("%d rows, length %v, loss %d: got %v, want %v", rows, length, loss, s.Next, want)
				}
				if !slices.Equal(stepped.Loss, plain.Loss) || !slices.Equal(stepped.Won, plain.Won) || !slices.Equal(stepped.Scores, plain.Scores) {
					t.Errorf("%d rows, length %v, loss %d: a step changes the answers", rows, length, loss)
				}
			}
		}
	}
	short := model.Step{Lo: make([]float32, 3), Hi: make([]float32, 3), Next: make([]float32, 2)}
	if err := g.Advance(t.Context(), model.Margin, make([]float32, 3), make([]model.Aim, 1), &short, &model.Slopes{}); err == nil {
		t.Error("too little room for a step: no error")
	}
}
