package grad_test

import (
	"context"
	"encoding/binary"
	"math"
	"strings"
	"testing"

	"github.com/assize/assize/internal/onnx"
	"github.com/assize/assize/internal/onnx/grad"
	"github.com/assize/assize/internal/onnx/ort"
	"github.com/assize/assize/internal/onnx/ort/orttest"
)

// TestDouble runs the cases as models of double precision, as far as ONNX
// Runtime has the operators for it, and compares with PyTorch to more digits
// than float32 has.
func TestDouble(t *testing.T) {
	orttest.Load(t)
	g := readGolden(t)
	ran, worst := 0, 0.0
	for _, r := range append(g.Cases, g.Networks[:3]...) {
		if strings.HasPrefix(r.Name, "scikit-learn") || strings.HasPrefix(r.Name, "exported") {
			continue // constants inside nodes; recorded to fewer digits
		}
		var m *onnx.Model
		if r.Model != nil {
			m = decode(t, r.Model)
		} else {
			m = network(t, r.Name)
		}
		extended, err := grad.Extend(widen(t, m), grad.Options{})
		if err != nil {
			t.Fatal(r.Name, err)
		}
		s, err := ort.NewSession(extended.Bytes(), ort.Options{Outputs: names(grad.Gradient)})
		if err != nil {
			continue // no kernel in double precision
		}
		out, err := s.Run(context.Background(), []*ort.Tensor{
			{Type: onnx.Double, Shape: r.Shape, Data: wide(floats32(r.X))},
			{Type: onnx.Double, Shape: r.Out, Data: wide(floats32(r.Cotangent))},
		})
		s.Close()
		if err != nil {
			t.Errorf("%s: %v", r.Name, err)
			continue
		}
		ran++
		d := deviation(t, out[0].Data.([]float64), floats64(r.Gradient))
		worst = max(worst, d)
		if d > 1e-11 {
			t.Errorf("%s: got a gradient off by %.3g, want at most 1e-11", r.Name, d)
		}
	}
	t.Logf("%d of %d cases in double precision, largest deviation %.2g", ran, len(g.Cases)+3, worst)
	if ran < 120 {
		t.Errorf("only %d cases ran", ran)
	}
}

func wide(v []float32) []float64 {
	out := make([]float64, len(v))
	for i := range v {
		out[i] = float64(v[i])
	}
	return out
}

// widen turns a float32 model into one of double precision.
func widen(t *testing.T, m *onnx.Model) *onnx.Model {
	t.Helper()
	for _, list := range [][]*onnx.ValueInfo{m.Graph.Inputs, m.Graph.Outputs, m.Graph.ValueInfos} {
		for _, v := range list {
			if v.Type.ElemType == onnx.Float {
				v.Type.ElemType = onnx.Double
			}
		}
	}
	for i, c := range m.Graph.Initializers {
		if c.Type != onnx.Float {
			continue
		}
		values, err := c.Float64s()
		if err != nil {
			t.Fatal(err)
		}
		raw := make([]byte, 0, 8*len(values))
		for _, v := range values {
			raw = binary.LittleEndian.AppendUint64(raw, math.Float64bits(v))
		}
		m.Graph.Initializers[i] = &onnx.Tensor{Name: c.Name, Type: onnx.Double, Dims: c.Dims, HasRaw: true, Raw: raw}
	}
	for _, n := range m.Graph.Nodes {
		if a := n.Attribute("to"); n.OpType == "Cast" && a != nil && a.Int == int64(onnx.Float) {
			a.Int = int64(onnx.Double)
		}
	}
	return m
}
