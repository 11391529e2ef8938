package model

import (
	"context"
	"errors"
	"math"
	"slices"

	"github.com/assize/assize/internal/onnx"
	"github.com/assize/assize/internal/onnx/ort"
)

// RawAnswer is what becomes of one tensor that may be of any form.
type RawAnswer struct {
	RefusedBy string // the solution that turned it away, or "model" where the runtime refused it
	Reason    string
	Outputs   []*ort.Tensor
	// Of a served model alone: why no answer came, and why the tensor was not sent.
	Lost     string
	TimedOut bool
	Unsent   string
	Busy     bool    // it was refused because the service is asked too much
	Fault    bool    // it was refused as a fault of the service's own
	Seconds  float64 // that an answer took
}

// InputShape is the shape of one row of the model's input, without the batch.
func (m *Model) InputShape() []int64 {
	s, ok := m.raw.(*ort.Session)
	if !ok {
		return rowShape(m.spec.Input.Shape, m.width)
	}
	var shape []int64
	if t := s.Inputs()[0].Type; t != nil {
		for i, d := range t.Shape {
			switch {
			case i == 0:
			case d.Fixed:
				shape = append(shape, d.Value)
			default:
				return rowShape(m.spec.Input.Shape, m.width)
			}
		}
	}
	if len(shape) == 0 {
		return rowShape(m.spec.Input.Shape, m.width)
	}
	return shape
}

// InputType is the type of the numbers that the model itself takes.
func (m *Model) InputType() onnx.DataType {
	if s, ok := m.raw.(*ort.Session); ok {
		if t := s.Inputs()[0].Type; t != nil {
			return t.ElemType
		}
	}
	if m.asks != nil && m.asks.double {
		return onnx.Double
	}
	return onnx.Float
}

func rowShape(declared []int, width int) []int64 {
	if len(declared) == 0 {
		return []int64{int64(width)}
	}
	var shape []int64
	for _, d := range declared {
		shape = append(shape, int64(d))
	}
	return shape
}

// ErrNoRaw means that the model takes well-formed rows only.
var ErrNoRaw = errors.New("ask model: it takes no tensors of other forms")

// Raw sends a tensor of any type and shape past the solutions that are on and
// into the model. What the runtime refuses is a refusal, not an error; an error
// means that the question could not be put.
func (m *Model) Raw(ctx context.Context, t *ort.Tensor) (*RawAnswer, error) {
	if m.raw == nil && m.asks == nil {
		return nil, ErrNoRaw
	}
	*m.queries++
	for _, s := range m.chain {
		if s.Type == InputValidation {
			if reason := m.wrongForm(t); reason != "" {
				return &RawAnswer{RefusedBy: s.Name, Reason: reason}, nil
			}
		}
	}
	if x, ok := t.Data.([]float32); ok && m.scale != nil && len(x)%m.width == 0 {
		scaled := *t
		scaled.Data = slices.Clone(m.rescale(x))
		t = &scaled
	}
	if m.asks != nil {
		return m.asks.raw(ctx, t, "")
	}
	outs, err := m.raw.Run(ctx, []*ort.Tensor{t})
	if err != nil {
		if ctx.Err() != nil {
			return nil, err
		}
		return &RawAnswer{RefusedBy: "model", Reason: err.Error()}, nil
	}
	return &RawAnswer{Outputs: outs}, nil
}

// wrongForm is what input validation says of a tensor that is not rows of the domain.
func (m *Model) wrongForm(t *ort.Tensor) string {
	x, ok := t.Data.([]float32)
	if wide, is := t.Data.([]float64); is && m.InputType() == onnx.Double {
		x, ok = convert(wide), true
	}
	if !ok {
		return "the values are not of the model's type"
	}
	if len(t.Shape) < 1 || !slices.Equal(t.Shape[1:], m.InputShape()) {
		return "the shape is not that of rows"
	}
	if len(x) == 0 {
		return "there are no rows"
	}
	for i := 0; i+m.width <= len(x); i += m.width {
		if !m.dom.Feasible(x[i:i+m.width], nil) {
			return "a row is outside the domain"
		}
	}
	return ""
}

// Finite tells whether every number of the outputs is finite.
func (a *RawAnswer) Finite() bool {
	for _, t := range a.Outputs {
		switch d := t.Data.(type) {
		case []float32:
			for _, v := range d {
				if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
					return false
				}
			}
		case []float64:
			for _, v := range d {
				if math.IsNaN(v) || math.IsInf(v, 0) {
					return false
				}
			}
		}
	}
	return true
}

// FloatTensor makes a float32 tensor.
func FloatTensor(shape []int64, data []float32) *ort.Tensor {
	return &ort.Tensor{Type: onnx.Float, Shape: shape, Data: data}
}
