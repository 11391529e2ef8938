package model

import (
	"context"
	"fmt"

	"github.com/assize/assize/internal/onnx"
	"github.com/assize/assize/internal/onnx/ort"
)

// general runs models whose input or output is not float32, or whose batch is
// fixed above one, with a copy either way.
type general struct {
	s              *ort.Session
	row            []int64
	fixed          int
	width, columns int
	double         bool
}

func newGeneral(ctx context.Context, s *ort.Session, row []int64, fixed int) (*general, error) {
	in := s.Inputs()[0]
	if in.Type == nil || in.Type.ElemType != onnx.Float && in.Type.ElemType != onnx.Double {
		return nil, fmt.Errorf("open model: input %q is not a float or double tensor\nhint: export the model with numeric features", in.Name)
	}
	g := &general{s: s, row: row, fixed: fixed, double: in.Type.ElemType == onnx.Double}
	if len(row) == 0 {
		if len(in.Type.Shape) < 2 {
			return nil, fmt.Errorf("open model: input %q has no batch and row dimensions", in.Name)
		}
		for _, d := range in.Type.Shape[1:] {
			if !d.Fixed || d.Value < 1 {
				return nil, fmt.Errorf("open model: input %q leaves the shape of a row open\nhint: declare every input under domain.features", in.Name)
			}
			g.row = append(g.row, d.Value)
		}
	}
	g.width = 1
	for _, d := range g.row {
		g.width *= int(d)
	}
	n := max(1, fixed)
	out, err := g.ask(ctx, make([]float32, n*g.width), n)
	if err != nil {
		return nil, err
	}
	if len(out)%n != 0 || len(out) == 0 {
		return nil, fmt.Errorf("open model: %d values come out for %d rows", len(out), n)
	}
	g.columns = len(out) / n
	return g, nil
}

// Run implements Predictor.
func (g *general) Run(ctx context.Context, x []float32, n int, out []float32) error {
	step := n
	if g.fixed > 0 {
		step = g.fixed
	}
	for from := 0; from < n; from += step {
		to := min(n, from+step)
		part := x[from*g.width : to*g.width]
		if to-from < step { // the last batch is filled up with zeros
			part = append(append([]float32(nil), part...), make([]float32, (step-(to-from))*g.width)...)
		}
		got, err := g.ask(ctx, part, step)
		if err != nil {
			return err
		}
		if len(got) < (to-from)*g.columns {
			return fmt.Errorf("run model: %d values come out for %d rows of %d", len(got), step, g.columns)
		}
		copy(out[from*g.columns:to*g.columns], got)
	}
	return nil
}

func (g *general) ask(ctx context.Context, x []float32, n int) ([]float32, error) {
	t := &ort.Tensor{Type: onnx.Float, Shape: append([]int64{int64(n)}, g.row...), Data: x}
	if g.double {
		wide := make([]float64, len(x))
		for i, v := range x {
			wide[i] = float64(v)
		}
		t.Type, t.Data = onnx.Double, wide
	}
	outs, err := g.s.Run(ctx, []*ort.Tensor{t})
	if err != nil {
		return nil, err
	}
	return floats(outs[0])
}

// floats is a numeric tensor as float32.
func floats(t *ort.Tensor) ([]float32, error) {
	switch d := t.Data.(type) {
	case []float32:
		return d, nil
	case []float64:
		return convert(d), nil
	case []int64:
		return convert(d), nil
	case []int32:
		return convert(d), nil
	case []int8:
		return convert(d), nil
	case []uint8:
		return convert(d), nil
	case []bool:
		out := make([]float32, len(d))
		for i, v := range d {
			if v {
				out[i] = 1
			}
		}
		return out, nil
	}
	return nil, fmt.Errorf("run model: the output is of type %s\nhint: set interface.output.tensor to a numeric output", t.Type)
}

func convert[T float64 | int64 | int32 | int8 | uint8](in []T) []float32 {
	out := make([]float32, len(in))
	for i, v := range in {
		out[i] = float32(v)
	}
	return out
}
