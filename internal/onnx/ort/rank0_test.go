package ort_test

import (
	"testing"

	"github.com/assize/assize/internal/onnx"
	"github.com/assize/assize/internal/onnx/ort"
	"github.com/assize/assize/internal/onnx/ort/orttest"
)

// TestOneNumberWithoutADeclaredShape: an output of rank 0 whose shape the model
// does not declare is an error, not a crash.
func TestOneNumberWithoutADeclaredShape(t *testing.T) {
	orttest.Load(t)
	float := &onnx.Type{Kind: onnx.KindTensor, ElemType: onnx.Float}
	m := &onnx.Model{
		IRVersion: 8, Opsets: []onnx.Opset{{Version: 17}},
		Graph: &onnx.Graph{
			Name: "g",
			Nodes: []*onnx.Node{{OpType: "ReduceSum", Inputs: []string{"x"}, Outputs: []string{"y"},
				Attributes: []*onnx.Attribute{{Name: "keepdims", Type: onnx.AttrInt, Int: 0}}}},
			Inputs:  []*onnx.ValueInfo{{Name: "x", Type: float}},
			Outputs: []*onnx.ValueInfo{{Name: "y", Type: float}},
		},
	}
	s, err := ort.NewSession(m.Bytes(), ort.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Run(t.Context(), []*ort.Tensor{{Type: onnx.Float, Shape: []int64{2}, Data: []float32{1, 2}}}); err == nil {
		t.Error("it was run")
	}
}
