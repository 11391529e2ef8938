package cli_test

import (
	"strconv"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/assize/assize/internal/onnx"
)

// scorer FILE BIAS WEIGHT… writes an ONNX graph of one weighted sum and the probability behind it.
func scorer(ts *testscript.TestScript, _ bool, args []string) {
	var numbers []float32
	for _, a := range args[1:] {
		v, err := strconv.ParseFloat(a, 32)
		ts.Check(err)
		numbers = append(numbers, float32(v))
	}
	bias, weights := numbers[:1], numbers[1:]
	value := func(name string, width int64) *onnx.ValueInfo {
		shape := []onnx.Dim{{Param: "N"}, {Fixed: true, Value: width}}
		return &onnx.ValueInfo{Name: name, Type: &onnx.Type{Kind: onnx.KindTensor, ElemType: onnx.Float, HasShape: true, Shape: shape}}
	}
	width := int64(len(weights))
	m := &onnx.Model{IRVersion: 8, Opsets: []onnx.Opset{{Version: 13}}, Graph: &onnx.Graph{
		Name: "scorer", Inputs: []*onnx.ValueInfo{value("x", width)}, Outputs: []*onnx.ValueInfo{value("y", 1)},
		Initializers: []*onnx.Tensor{onnx.NewFloats("w", []int64{width, 1}, weights), onnx.NewFloats("b", []int64{1}, bias)},
		Nodes: []*onnx.Node{
			{OpType: "Gemm", Name: "z", Inputs: []string{"x", "w", "b"}, Outputs: []string{"z"}},
			{OpType: "Sigmoid", Name: "y", Inputs: []string{"z"}, Outputs: []string{"y"}},
		},
	}}
	write(ts, ts.MkAbs(args[0]), m.Bytes())
}
