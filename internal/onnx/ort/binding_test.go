package ort_test

import (
	"context"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assize/assize/internal/onnx"
	"github.com/assize/assize/internal/onnx/ort"
	"github.com/assize/assize/internal/onnx/ort/orttest"
)

// scaled is y = x·w (w has one number a row), s = x + 1, for rows of 3.
func scaled(t *testing.T) *ort.Session {
	t.Helper()
	value := func(name string, n int64) *onnx.ValueInfo {
		return &onnx.ValueInfo{Name: name, Type: &onnx.Type{Kind: onnx.KindTensor, ElemType: onnx.Float, HasShape: true,
			Shape: []onnx.Dim{{Param: "N"}, {Fixed: true, Value: n}}}}
	}
	m := &onnx.Model{IRVersion: 8, Opsets: []onnx.Opset{{Version: 17}}, Graph: &onnx.Graph{
		Name: "g", Inputs: []*onnx.ValueInfo{value("x", 3), value("w", 1)}, Outputs: []*onnx.ValueInfo{value("y", 3), value("s", 3)},
		Initializers: []*onnx.Tensor{onnx.NewFloats("one", nil, []float32{1})},
		Nodes: []*onnx.Node{
			{OpType: "Mul", Inputs: []string{"x", "w"}, Outputs: []string{"y"}},
			{OpType: "Add", Inputs: []string{"x", "one"}, Outputs: []string{"s"}},
		},
	}}
	return session(t, m.Bytes(), ort.Options{})
}

func TestBinding(t *testing.T) {
	orttest.Load(t)
	w, x := ort.Port{Name: "w", Row: []int64{1}}, ort.Port{Name: "x", Row: []int64{3}}
	y, s := ort.Port{Name: "y", Row: []int64{3}}, ort.Port{Name: "s", Row: []int64{3}}
	b, err := ort.Bind(scaled(t), []ort.Port{w, x}, []ort.Port{y, s})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	in := [][]float32{{2, 3}, {1, 2, 3, 4, 5, 6}}
	out := [][]float32{make([]float32, 6), make([]float32, 6)}
	check := func(n int, want [][]float32) {
		t.Helper()
		if err := b.Run(context.Background(), n, in, out); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(out, want); diff != "" {
			t.Errorf("(-got +want):\n%s", diff)
		}
	}
	check(2, [][]float32{{2, 4, 6, 12, 15, 18}, {2, 3, 4, 5, 6, 7}})
	in[0][1] = 0 // the same slices hold other numbers
	check(2, [][]float32{{2, 4, 6, 0, 0, 0}, {2, 3, 4, 5, 6, 7}})
	in = [][]float32{{-1}, in[1][3:]}
	out = [][]float32{out[1][:3], out[0][3:]}
	check(1, [][]float32{{-4, -5, -6}, {5, 6, 7}})

	if err := b.Run(context.Background(), 2, in, out); err == nil {
		t.Error("slices of one row were run as two")
	}
	if err := b.Run(context.Background(), 1, in[:1], out); err == nil {
		t.Error("one input was run as two")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := b.Run(ctx, 1, in, out); err == nil {
		t.Error("a cancelled run gave no error")
	}
}

func TestBindRefuses(t *testing.T) {
	orttest.Load(t)
	session := scaled(t)
	w, x := ort.Port{Name: "w", Row: []int64{1}}, ort.Port{Name: "x", Row: []int64{3}}
	y, s := ort.Port{Name: "y", Row: []int64{3}}, ort.Port{Name: "s", Row: []int64{3}}
	for name, ports := range map[string][2][]ort.Port{
		"an input is missing":  {{x}, {y, s}},
		"an input is unknown":  {{x, {Name: "v", Row: []int64{1}}}, {y, s}},
		"outputs out of order": {{w, x}, {s, y}},
		"an empty row":         {{w, {Name: "x", Row: []int64{0}}}, {y, s}},
	} {
		if _, err := ort.Bind(session, slices.Clone(ports[0]), ports[1]); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
}
