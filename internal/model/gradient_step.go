package model

import (
	"context"
	"fmt"

	"github.com/assize/assize/internal/onnx"
	"github.com/assize/assize/internal/onnx/grad"
	"github.com/assize/assize/internal/onnx/ort"
)

// Step is a step upwards along the sign of the gradient and a move back between the bounds of
// the row. The graph takes it.
type Step struct {
	Length   float32   // in every feature, of every row, not below 0; without Momentum
	Lo, Hi   []float32 // N × Width
	Next     []float32 // N × Width: filled with where the steps lead; not x
	Momentum *Momentum // nil: none
}

// Momentum makes each row go on from where a step of a length of its own leads and where it came from
// (Croce and Hein 2020, algorithm 1): it moves by Share of the way to z, which is the row after the
// step and between the bounds, and by 1-Share of the way that it came, and back between the bounds.
type Momentum struct {
	Before  []float32 // N × Width: where the rows came from
	Lengths []float32 // N, not below 0
	Shares  []float32 // N, from 0 to 1
}

// Advance is Evaluate and, in the same run of the graph, a step of every row. Without momentum
// into.Gradient holds the moves before the bounds: Length with the sign of the gradient, 0 where it is 0 and no
// number where it is none. Next is no number there either. Into.Sound is filled.
func (g *Gradient) Advance(ctx context.Context, loss Loss, x []float32, aims []Aim, step *Step, into *Slopes) error {
	lists := [][]float32{step.Lo, step.Hi, step.Next}
	if m := step.Momentum; m != nil {
		lists = append(lists, m.Before)
		if len(m.Lengths) != len(aims) || len(m.Shares) != len(aims) {
			return fmt.Errorf("differentiate model: %d lengths and %d shares for %d rows", len(m.Lengths), len(m.Shares), len(aims))
		}
	}
	for _, list := range lists {
		if len(list) != len(x) {
			return fmt.Errorf("differentiate model: bounds or room for a step of %d values, not %d", len(list), len(x))
		}
	}
	return g.evaluate(ctx, loss, x, aims, step, into)
}

// The names of what a step adds to a graph.
const (
	loName     = "whitebox:lo"
	hiName     = "whitebox:hi"
	moveName   = "whitebox:move"
	nextName   = "whitebox:next"
	soundName  = "whitebox:sound"
	beforeName = "whitebox:before"
	lengthName = "whitebox:length"
	shareName  = "whitebox:share"
)

// slices returns what the step reads and fills of some rows, in the order of ports.
func (s *Step) slices(from, to, width int) (in, out [][]float32) {
	rows := func(list []float32) []float32 { return list[from*width : to*width] }
	in = [][]float32{rows(s.Lo), rows(s.Hi)}
	if m := s.Momentum; m != nil {
		in = append(in, rows(m.Before), m.Lengths[from:to], m.Shares[from:to])
	}
	return in, [][]float32{rows(s.Next)}
}

// ports are the inputs and outputs that add has given to the graph, but for the gradient
// or the moves in its place.
func (s *Step) ports(width int64) (in, out []ort.Port) {
	line, one := []int64{width}, []int64{1}
	in = []ort.Port{{Name: loName, Row: line}, {Name: hiName, Row: line}}
	if s.Momentum != nil {
		in = append(in, ort.Port{Name: beforeName, Row: line}, ort.Port{Name: lengthName, Row: one}, ort.Port{Name: shareName, Row: one})
	}
	return in, []ort.Port{{Name: soundName, Row: one}, {Name: nextName, Row: line}}
}

// add adds the nodes of a step, on rows laid out in a line: where the last dimension is 1 the
// runtime multiplies by one number a hundred times as slowly. The sign of a slope is what is left of a
// very large multiple of it between two ends: the runtime clips six times as fast as it takes signs.
func (s *Step) add(g *grad.Graph, input, gradient string, width int64) {
	dims := []onnx.Dim{{}, {Fixed: true, Value: width}}
	if d := g.Dims(input); len(d) > 0 {
		dims[0] = d[0]
	}
	column := []onnx.Dim{dims[0], {Fixed: true, Value: 1}}
	op := func(name string, in ...string) string { return g.Op(name, in) }
	line := func(v string) string {
		if len(g.Dims(input)) == 2 {
			return v
		}
		return op("Reshape", v, g.Integers(-1, width))
	}
	inside := func(v string) string { return op("Min", op("Max", v, loName), hiName) }
	for _, name := range []string{loName, hiName} {
		g.Input(name, onnx.Float, dims...)
	}
	x, length := line(input), float64(s.Length)
	if s.Momentum != nil {
		length = 1
	}
	steep := op("Mul", line(gradient), g.Number(1e38, input))
	move := g.Op("Clip", []string{steep, g.Number(-length, input), g.Number(length, input)})
	if s.Momentum == nil {
		move = g.Alias(moveName, move)
		g.Output(moveName, onnx.Float, dims...)
		g.Alias(nextName, inside(op("Add", x, move)))
	} else {
		g.Input(beforeName, onnx.Float, dims...)
		g.Input(lengthName, onnx.Float, column...)
		g.Input(shareName, onnx.Float, column...)
		z := inside(op("Add", x, op("Mul", move, lengthName)))
		to := op("Add", x, op("Mul", op("Sub", z, x), shareName))
		way := op("Mul", op("Sub", x, beforeName), op("Sub", g.Number(1, input), shareName))
		g.Alias(nextName, inside(op("Add", to, way)))
		g.Output(grad.Gradient, onnx.Float, g.Dims(input)...)
	}
	g.Output(nextName, onnx.Float, dims...)
	g.Alias(soundName, g.Reduce("ReduceSum", move, []int64{-1}, true))
	g.Output(soundName, onnx.Float, column...)
}
