package model_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/assize/assize/internal/domain"
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
				sound := func(i int) bool { return stepped.Sound[i] != 0 && stepped.Sound[i]-stepped.Sound[i] == 0 }
				for i := range rows {
					if row := plain.Gradient[3*i : 3*i+3]; sound(i) && slices.Equal(row, []float32{0, 0, 0}) {
						t.Errorf("%d rows, length %v, loss %d: row %d has no slope and is sound", rows, length, loss, i)
					}
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
	momentum(t, g, 3, 4)

	noisy := *spec
	noisy.Domain = &model.Domain{Confirmed: true}
	for _, name := range []string{"a", "b", "c"} {
		noisy.Domain.Features = append(noisy.Domain.Features, domain.Feature{Name: name, Type: domain.Real, Min: -2, Max: 2, Mutable: domain.Yes})
	}
	noisy.Solutions = []model.Solution{{Name: "noise", Type: model.InputNoise, Sigma: 0.05, Draws: 3}}
	if m, _, err = model.Open(t.Context(), &noisy); err != nil {
		t.Fatal(err)
	}
	if m, err = m.With([]string{"noise"}); err != nil {
		t.Fatal(err)
	}
	averaged, err := m.Gradient(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	momentum(t, averaged, 3, 4)
	short := model.Step{Lo: make([]float32, 3), Hi: make([]float32, 3), Next: make([]float32, 2)}
	if err := g.Advance(t.Context(), model.Margin, make([]float32, 3), make([]model.Aim, 1), &short, &model.Slopes{}); err == nil {
		t.Error("too little room for a step: no error")
	}
}

// momentum compares steps with momentum, of rows of that width, with those along the gradients that Evaluate gives.
func momentum(t *testing.T, g *model.Gradient, width, outcomes int) {
	t.Helper()
	const rows = 5
	x, aims := make([]float32, width*rows), make([]model.Aim, rows)
	m := model.Momentum{Lengths: []float32{0, 0.01, 0.2, 0.2, 1}, Shares: []float32{1, 0.75, 1, 0.75, 0}}
	s := model.Step{Next: make([]float32, len(x)), Momentum: &m}
	for i := range x {
		x[i] = float32(i*37%19)/19 - 0.5
		s.Lo, s.Hi = append(s.Lo, x[i]-float32(i%3)*0.05), append(s.Hi, x[i]+float32(i%2)*0.05)
		m.Before = append(m.Before, x[i]+float32(i%5)*0.02)
		aims[i/width] = model.Aim{From: model.Decision(i / width % outcomes), Target: -1}
	}
	var plain, stepped model.Slopes
	if err := errors.Join(g.Evaluate(t.Context(), model.Margin, x, aims, &plain), g.Advance(t.Context(), model.Margin, x, aims, &s, &stepped)); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(stepped.Gradient, plain.Gradient) || !slices.Equal(stepped.Loss, plain.Loss) {
		t.Errorf("momentum changes the gradient or the loss: got %v, want %v", stepped.Gradient, plain.Gradient)
	}
	want := make([]float32, len(x))
	for i, v := range x {
		length, share := m.Lengths[i/width], m.Shares[i/width]
		z := v
		switch {
		case plain.Gradient[i] > 0:
			z += length
		case plain.Gradient[i] < 0:
			z -= length
		}
		z = min(max(z, s.Lo[i]), s.Hi[i])
		z = v + float32(share*(z-v)) + float32((1-share)*(v-m.Before[i]))
		want[i] = min(max(z, s.Lo[i]), s.Hi[i])
	}
	if !slices.Equal(s.Next, want) {
		t.Errorf("momentum: got %v, want %v", s.Next, want)
	}
	m.Shares = m.Shares[:2]
	if err := g.Advance(t.Context(), model.Margin, x, aims, &s, &stepped); err == nil {
		t.Error("too few shares: no error")
	}
}
