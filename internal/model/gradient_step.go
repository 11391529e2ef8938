package model

import (
	"context"

	"github.com/assize/assize/internal/onnx"
	"github.com/assize/assize/internal/onnx/grad"
)

// Step is a step upwards along the sign of the gradient, of one length in every
// feature, and a move back between the bounds of the row. The graph takes it.
type Step struct {
	Length float32   // not below 0
	Lo, Hi []float32 // N × Width
	Next   []float32 // N × Width: filled with where the steps lead; not x
}

// Advance is Evaluate and, in the same run of the graph, a step of every row.
// Into.Gradient holds the moves before the bounds: Length with the sign of the gradient,
// 0 where it is 0 and no number where it is none, as is Next there.
func (g *Gradient) Advance(ctx context.Context, loss Loss, x []float32, aims []Aim, step *Step, into *Slopes) error {
	return g.evaluate(ctx, loss, x, aims, step, into)
}

// The names of what a step adds to a graph.
const (
	loName   = "whitebox:lo"
	hiName   = "whitebox:hi"
	moveName = "whitebox:move"
	nextName = "whitebox:next"
)

// stepping adds the nodes of a step, on rows laid out in a line: where the last dimension is 1 the
// runtime multiplies by one number a hundred times as slowly. The sign of a slope is what is left of a
// very large multiple of it between two ends: the runtime clips six times as fast as it takes signs.
func stepping(length float32, width int64) func(g *grad.Graph, input, gradient string) error {
	return func(g *grad.Graph, input, gradient string) error {
		dims := []onnx.Dim{{}, {Fixed: true, Value: width}}
		line := func(v string) string { return g.Op("Reshape", []string{v, g.Integers(-1, width)}) }
		g.Input(loName, onnx.Float, dims...)
		g.Input(hiName, onnx.Float, dims...)
		steep := g.Op("Mul", []string{line(gradient), g.Number(1e38, input)})
		g.Alias(moveName, g.Op("Clip", []string{steep, g.Number(-float64(length), input), g.Number(float64(length), input)}))
		to := g.Op("Max", []string{g.Op("Add", []string{line(input), moveName}), loName})
		g.Alias(nextName, g.Op("Min", []string{to, hiName}))
		g.Output(moveName, onnx.Float, dims...)
		g.Output(nextName, onnx.Float, dims...)
		return nil
	}
}
