package onnx_test

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assize/assize/internal/onnx"
)

// info declares a float tensor; a negative dimension is symbolic.
func info(name string, dims ...int64) *onnx.ValueInfo {
	t := &onnx.Type{Kind: onnx.KindTensor, ElemType: onnx.Float, HasShape: true}
	for _, d := range dims {
		if d < 0 {
			t.Shape = append(t.Shape, onnx.Dim{Param: "N"})
		} else {
			t.Shape = append(t.Shape, onnx.Dim{Fixed: true, Value: d})
		}
	}
	return &onnx.ValueInfo{Name: name, Type: t}
}

// reshaper is x -> Relu -> Reshape(target) -> y, with a Reshape of a
// constant beside it that must stay as it is.
func reshaper(in, out []int64, target ...int64) *onnx.Model {
	return &onnx.Model{IRVersion: 8, Opsets: []onnx.Opset{{Version: 13}}, Graph: &onnx.Graph{
		Nodes: []*onnx.Node{
			{OpType: "Relu", Inputs: []string{"x"}, Outputs: []string{"a"}},
			{OpType: "Reshape", Name: "bias", Inputs: []string{"b", "bshape"}, Outputs: []string{"c"}},
			{OpType: "Reshape", Name: "flat", Inputs: []string{"a", "shape"}, Outputs: []string{"y"}},
		},
		Inputs: []*onnx.ValueInfo{info("x", in...)}, Outputs: []*onnx.ValueInfo{info("y", out...)},
		ValueInfos: []*onnx.ValueInfo{info("a", in...)},
		Initializers: []*onnx.Tensor{
			onnx.NewInts("shape", []int64{int64(len(target))}, target),
			onnx.NewInts("bshape", []int64{4}, []int64{1, 2, 1, 1}),
			onnx.NewFloats("b", []int64{2}, []float32{1, 2}),
		},
	}}
}

func TestFreeBatch(t *testing.T) {
	for _, test := range []struct {
		name    string
		model   *onnx.Model
		changed bool
		target  []int64 // of the Reshape afterwards
		err     string
	}{
		{"already free", reshaper([]int64{-1, 6}, []int64{-1, 6}, 0, 6), false, nil, ""},
		{"full target", reshaper([]int64{1, 2, 3}, []int64{1, 6}, 1, 6), true, []int64{-1, 6}, ""},
		{"inferred elsewhere", reshaper([]int64{1, 2, 3}, []int64{1, 6}, 1, -1), true, []int64{0, -1}, ""},
		{"inferred batch", reshaper([]int64{4, 2, 3}, []int64{4, 6}, -1, 6), true, []int64{-1, 6}, ""},
		{"copied batch", reshaper([]int64{4, 2, 3}, []int64{4, 6}, 0, 6), true, []int64{0, 6}, ""},
		{"batch of four", reshaper([]int64{4, 2, 3}, []int64{4, 6}, 4, 6), true, []int64{-1, 6}, ""},
		{"rows joined", reshaper([]int64{4, 2, 3}, []int64{4, 6}, 24), false, nil, `node "flat": Reshape to [24] leaves no place for the batch 4`},
		{"no batch in the output", reshaper([]int64{1, 2, 3}, []int64{6}, 6), false, nil, `output "y" has first dimension 6 instead of the batch 1`},
		{"one number out", reshaper([]int64{1, 2, 3}, nil, 1, 6), false, nil, "one number for the whole batch"},
		{"one dimension in", reshaper([]int64{6}, []int64{6}, 6), false, nil, ""},
	} {
		before := test.model.Bytes()
		got, changed, err := onnx.FreeBatch(test.model)
		if (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) {
			t.Errorf("%s: got error %v, want %q", test.name, err, test.err)
			continue
		}
		if changed != test.changed {
			t.Errorf("%s: got changed %v, want %v", test.name, changed, test.changed)
		}
		if diff := cmp.Diff(test.model.Bytes(), before); diff != "" {
			t.Errorf("%s: the model given was changed", test.name)
		}
		if !changed {
			continue
		}
		if d := got.Graph.Inputs[0].Type.Shape[0]; d.Fixed || d.Param != "N" {
			t.Errorf("%s: input still has %+v", test.name, d)
		}
		if d := got.Graph.Outputs[0].Type.Shape[0]; d.Fixed || d.Param != "N" {
			t.Errorf("%s: output still has %+v", test.name, d)
		}
		if d := got.Graph.ValueInfos[0].Type.Shape[0]; d.Fixed {
			t.Errorf("%s: value info still has %+v", test.name, d)
		}
		targets := map[string][]int64{}
		for _, n := range got.Graph.Nodes {
			for _, init := range got.Graph.Initializers {
				if n.OpType == "Reshape" && init.Name == n.Inputs[1] {
					targets[n.Name], _ = init.Int64s()
				}
			}
		}
		want := map[string][]int64{"bias": {1, 2, 1, 1}, "flat": test.target}
		if diff := cmp.Diff(targets, want); diff != "" {
			t.Errorf("%s (-got +want):\n%s", test.name, diff)
		}
		if len(got.Graph.Initializers) != 3 {
			t.Errorf("%s: got %d initializers, want 3: the old target is not dropped", test.name, len(got.Graph.Initializers))
		}
	}
}

func TestDropZipMap(t *testing.T) {
	b, err := os.ReadFile("testdata/zipmap.onnx")
	if err != nil {
		t.Fatal(err)
	}
	m, err := onnx.Read(b, onnx.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	if got := m.Outputs()[1].Type; got.Kind != onnx.KindSequence || got.Elem.Kind != onnx.KindMap || got.Elem.KeyType != onnx.Int64 {
		t.Fatalf("got %+v, want a sequence of maps", got)
	}
	got, changed := onnx.DropZipMap(m)
	if !changed {
		t.Fatal("nothing changed")
	}
	want := &onnx.Type{Kind: onnx.KindTensor, ElemType: onnx.Float, HasShape: true, Shape: []onnx.Dim{{}, {Fixed: true, Value: 3}}}
	if diff := cmp.Diff(got.Outputs()[1].Type, want); diff != "" {
		t.Errorf("-got +want:\n%s", diff)
	}
	for _, o := range got.Operators() {
		if o.OpType == "ZipMap" {
			t.Error("ZipMap is still there")
		}
	}
	if _, changed := onnx.DropZipMap(got); changed {
		t.Error("a model without ZipMap was changed")
	}
}

func TestExternalData(t *testing.T) {
	outside := func(name string, kv ...string) *onnx.Tensor {
		x := &onnx.Tensor{Name: name, Type: onnx.Float, Location: 1}
		for i := 0; i < len(kv); i += 2 {
			x.External = append(x.External, onnx.Entry{Key: kv[i], Value: kv[i+1]})
		}
		return x
	}
	lying := outside("lying", "location", "f")
	lying.Location = 0
	inner := &onnx.Graph{Initializers: []*onnx.Tensor{outside("inner", "location", "../../etc/passwd")}}
	m := &onnx.Model{Graph: &onnx.Graph{
		Initializers: []*onnx.Tensor{
			onnx.NewFloats("here", []int64{1}, []float32{1}),
			outside("whole", "location", "w.bin"),
			outside("part", "location", "w.bin", "offset", "4096", "length", "8"),
			outside("nowhere"),
			outside("minus", "location", "w.bin", "offset", "-1"),
			outside("twice", "location", "a", "location", "b"),
			lying,
		},
		SparseInitializers: []*onnx.SparseTensor{{Values: outside("sparse", "location", "s")}},
		Nodes: []*onnx.Node{
			{OpType: "If", Attributes: []*onnx.Attribute{{Name: "then_branch", Type: onnx.AttrGraph, Graph: inner}}},
			{OpType: "Constant", Attributes: []*onnx.Attribute{{Name: "value", Type: onnx.AttrTensor, Tensor: outside("constant", "location", "c")}}},
		}},
		Functions: []*onnx.Function{{Nodes: []*onnx.Node{
			{OpType: "Constant", Attributes: []*onnx.Attribute{{Name: "value", Type: onnx.AttrTensor, Tensor: outside("function", "location", "f")}}}}}},
	}
	again, err := onnx.Read(m.Bytes(), onnx.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	want := []onnx.ExternalRef{
		{Tensor: "whole", Location: "w.bin", Length: -1},
		{Tensor: "part", Location: "w.bin", Offset: 4096, Length: 8},
		{Tensor: "nowhere", Length: -1, Problem: "no location"},
		{Tensor: "minus", Location: "w.bin", Length: -1, Problem: `offset "-1" is not a size`},
		{Tensor: "twice", Location: "b", Length: -1, Problem: "location is given twice"},
		{Tensor: "lying", Location: "f", Length: -1, Problem: "it names a file but says that its data are inside the model"},
		{Tensor: "sparse", Location: "s", Length: -1},
		{Tensor: "inner", Location: "../../etc/passwd", Length: -1},
		{Tensor: "constant", Location: "c", Length: -1},
		{Tensor: "function", Location: "f", Length: -1},
	}
	if diff := cmp.Diff(again.ExternalData(), want); diff != "" {
		t.Errorf("-got +want:\n%s", diff)
	}
}
