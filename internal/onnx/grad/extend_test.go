package grad_test

import (
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assize/assize/internal/onnx"
	"github.com/assize/assize/internal/onnx/grad"
	"github.com/assize/assize/internal/onnx/ort"
	"github.com/assize/assize/internal/onnx/ort/orttest"
)

// graph makes a model of operator set version with input x and output y.
func graph(version int64, in, out []onnx.Dim, nodes ...*onnx.Node) *onnx.Model {
	info := func(name string, dims []onnx.Dim) *onnx.ValueInfo {
		return &onnx.ValueInfo{Name: name, Type: &onnx.Type{Kind: onnx.KindTensor, ElemType: onnx.Float, HasShape: true, Shape: dims}}
	}
	return &onnx.Model{IRVersion: 8, Opsets: []onnx.Opset{{Version: version}, {Domain: "ai.onnx.ml", Version: 1}},
		Graph: &onnx.Graph{Name: "g", Nodes: nodes, Inputs: []*onnx.ValueInfo{info("x", in)}, Outputs: []*onnx.ValueInfo{info("y", out)}}}
}

func node(op string, inputs, outputs []string, attributes ...*onnx.Attribute) *onnx.Node {
	return &onnx.Node{OpType: op, Name: "the " + op, Inputs: inputs, Outputs: outputs, Attributes: attributes}
}

func rows(n int64) []onnx.Dim { return []onnx.Dim{{Param: "N"}, {Fixed: true, Value: n}} }

func names(list ...string) []string { return list }

func TestUnsupported(t *testing.T) {
	m := graph(17, rows(4), rows(4),
		node("Det", names("x"), names("a")),
		node("Relu", names("a"), names("b")),
		node("Exotic", names("b"), names("c")),
		node("Det", names("x"), names("off the path")),
		node("Sum", names("b", "c"), names("y")))
	_, err := grad.Extend(m, grad.Options{})
	var got *grad.UnsupportedError
	if !errors.As(err, &got) {
		t.Fatalf("got the error %v, want an UnsupportedError", err)
	}
	want := []grad.UnsupportedNode{{Name: "the Det", OpType: "Det"}, {Name: "the Exotic", OpType: "Exotic"}}
	if diff := cmp.Diff(got.Nodes, want); diff != "" {
		t.Errorf("nodes (-got +want):\n%s", diff)
	}
	text := "differentiate model: no rule for Det (node \"the Det\"); Exotic (node \"the Exotic\")\n" +
		"hint: attacks that only query the model still run"
	if diff := cmp.Diff(err.Error(), text); diff != "" {
		t.Errorf("text (-got +want):\n%s", diff)
	}

	trees := network(t, "examples/credit/model.onnx")
	if _, err := grad.Extend(trees, grad.Options{}); !errors.As(err, &got) || got.Nodes[0].OpType != "ai.onnx.ml.TreeEnsembleClassifier" {
		t.Errorf("got the error %v for trees, want an UnsupportedError that names them", err)
	}
}

func TestNoGradient(t *testing.T) {
	m := graph(17, rows(4), rows(4), node("Round", names("x"), names("y")))
	_, err := grad.Extend(m, grad.Options{})
	var got *grad.NoGradientError
	if !errors.As(err, &got) {
		t.Fatalf("got the error %v, want a NoGradientError", err)
	}
	if diff := cmp.Diff(*got, grad.NoGradientError{Input: "x", Output: "y"}); diff != "" {
		t.Errorf("(-got +want):\n%s", diff)
	}
}

func TestRefuses(t *testing.T) {
	relu := node("Relu", names("x"), names("y"))
	for _, test := range []struct {
		name, want string
		m          *onnx.Model
		opts       grad.Options
	}{
		{"old", "differentiate model: the model uses operator set 6\nhint: export it with opset 7 or newer", graph(6, rows(4), rows(4), relu), grad.Options{}},
		{"output", "differentiate model: the model has no floating-point output \"z\"", graph(17, rows(4), rows(4), relu), grad.Options{Output: "z"}},
		{"input", "differentiate model: the model has no floating-point input \"z\"", graph(17, rows(4), rows(4), relu), grad.Options{Input: "z"}},
		{"row", "differentiate model: rows of shape [5] do not fit input \"x\", whose dimension 1 is 4", graph(17, rows(4), rows(4), relu), grad.Options{Row: []int64{5}}},
		{"twice", "differentiate model: the model has been extended before\nhint: extend the original model",
			graph(17, rows(4), rows(4), node("Relu", names("x"), names(grad.Gradient)), relu), grad.Options{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := grad.Extend(test.m, test.opts)
			if err == nil {
				t.Fatal("got no error")
			}
			if diff := cmp.Diff(err.Error(), test.want); diff != "" {
				t.Errorf("(-got +want):\n%s", diff)
			}
		})
	}
}

// TestLossAndStep takes one step of the fast gradient sign method inside the
// graph and compares it with the gradient of the plain extension.
func TestLossAndStep(t *testing.T) {
	orttest.Load(t)
	var r recorded
	for _, n := range readGolden(t).Networks {
		if n.Name == "mnistfc/mnist-net_256x2.onnx.gz" {
			r = n
		}
	}
	m := network(t, r.Name)
	const eps = 0.05
	extended, err := grad.Extend(m, grad.Options{
		Loss: func(g *grad.Graph, output string) (string, error) {
			return g.Op("Mul", []string{output, g.Number(2, output)}), nil // of the sum of squares
		},
		Step: func(g *grad.Graph, input, gradient string) error {
			move := g.Op("Mul", []string{g.Op("Sign", []string{gradient}), g.Number(eps, input)})
			sum := g.Op("Add", []string{input, move})
			g.Output(g.Op("Clip", []string{sum, g.Number(0, input), g.Number(1, input)}), onnx.Float)
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	x := &ort.Tensor{Type: onnx.Float, Shape: r.Shape, Data: floats32(r.X)}
	out := run(t, extended, nil, x)
	if len(out) != 2 {
		t.Fatalf("got %d outputs, want the model's and the step", len(out))
	}
	twice := slices.Clone(out[0].Data.([]float32))
	for i := range twice {
		twice[i] *= 2
	}
	plain, err := grad.Extend(m, grad.Options{})
	if err != nil {
		t.Fatal(err)
	}
	gradient := run(t, plain, names(grad.Gradient), x, &ort.Tensor{Type: onnx.Float, Shape: r.Out, Data: twice})[0].Data.([]float32)
	got := out[1].Data.([]float32)
	moved := 0
	for i, v := range floats32(r.X) {
		want := v
		switch {
		case gradient[i] > 0:
			want = min(1, v+eps)
		case gradient[i] < 0:
			want = max(0, v-eps)
		}
		if math.Abs(float64(got[i]-want)) > 1e-6 {
			t.Fatalf("pixel %d: got %g, want %g", i, got[i], want)
		}
		if want != v {
			moved++
		}
	}
	if moved < len(got)/4 {
		t.Errorf("only %d of %d pixels moved", moved, len(got))
	}
}

// TestBatch compares the gradient of a batch with that of its rows.
func TestBatch(t *testing.T) {
	orttest.Load(t)
	for _, r := range readGolden(t).Networks {
		m := network(t, r.Name)
		extended, err := grad.Extend(m, grad.Options{})
		if err != nil {
			t.Fatal(err)
		}
		x, ct := batch(r.Shape, floats32(r.X), 5), batch(r.Out, floats32(r.Cotangent), 5)
		whole := run(t, extended, names(grad.Gradient), x, ct)[0].Data.([]float32)
		size, width := len(whole)/5, len(ct.Data.([]float32))/5
		for i := range 5 {
			one := run(t, extended, names(grad.Gradient),
				&ort.Tensor{Type: onnx.Float, Shape: append([]int64{1}, r.Shape[1:]...), Data: x.Data.([]float32)[i*size : (i+1)*size]},
				&ort.Tensor{Type: onnx.Float, Shape: append([]int64{1}, r.Out[1:]...), Data: ct.Data.([]float32)[i*width : (i+1)*width]})
			want := make([]float64, size)
			for k, v := range one[0].Data.([]float32) {
				want[k] = float64(v)
			}
			if d := deviation(t, whole[i*size:(i+1)*size], want); d > 2e-6 {
				t.Errorf("%s: row %d is off by %.2g", r.Name, i, d)
			}
		}
	}
}

// batch repeats the rows until there are n.
func batch(shape []int64, rows []float32, n int) *ort.Tensor {
	size := len(rows) / int(shape[0])
	data := make([]float32, 0, n*size)
	for len(data) < n*size {
		data = append(data, rows[:min(len(rows), n*size-len(data))]...)
	}
	return &ort.Tensor{Type: onnx.Float, Shape: append([]int64{int64(n)}, shape[1:]...), Data: data}
}

// TestRow completes a model that leaves the size of its images open.
func TestRow(t *testing.T) {
	orttest.Load(t)
	anything := make([]onnx.Dim, 4)
	m := graph(17, anything, anything, node("MaxPool", names("x"), names("y"),
		grad.Ints("kernel_shape", 2, 2), grad.Ints("strides", 2, 2)))
	var unsupported *grad.UnsupportedError
	if _, err := grad.Extend(m, grad.Options{}); !errors.As(err, &unsupported) || unsupported.Nodes[0].Reason == "" {
		t.Errorf("got the error %v without the shape of a row, want a reason", err)
	}
	extended, err := grad.Extend(m, grad.Options{Row: []int64{1, 2, 4}})
	if err != nil {
		t.Fatal(err)
	}
	got := run(t, extended, names(grad.Gradient),
		&ort.Tensor{Type: onnx.Float, Shape: []int64{1, 1, 2, 4}, Data: []float32{1, 2, 5, 5, 4, 3, 5, 0}},
		&ort.Tensor{Type: onnx.Float, Shape: []int64{1, 1, 1, 2}, Data: []float32{7, 9}})[0].Data
	if diff := cmp.Diff(got, []float32{0, 0, 9, 0, 7, 0, 0, 0}); diff != "" {
		t.Errorf("(-got +want):\n%s", diff)
	}
}

// TestClipAtLimits states where the rule differs from PyTorch, whose
// derivative at a limit is 0: an image with black pixels could not be
// attacked.
func TestClipAtLimits(t *testing.T) {
	orttest.Load(t)
	m := graph(17, rows(4), rows(4), node("Clip", names("x", "lo", "hi"), names("y")))
	m.Graph.Initializers = []*onnx.Tensor{onnx.NewFloats("lo", nil, []float32{0}), onnx.NewFloats("hi", nil, []float32{1})}
	extended, err := grad.Extend(m, grad.Options{})
	if err != nil {
		t.Fatal(err)
	}
	got := run(t, extended, names(grad.Gradient), &ort.Tensor{Type: onnx.Float, Shape: []int64{1, 4}, Data: []float32{0, 1, 0.5, 2}},
		&ort.Tensor{Type: onnx.Float, Shape: []int64{1, 4}, Data: []float32{2, 3, 4, 5}})[0].Data
	if diff := cmp.Diff(got, []float32{2, 3, 4, 0}); diff != "" {
		t.Errorf("(-got +want):\n%s", diff)
	}
}

func FuzzExtend(f *testing.F) {
	g := readGolden(f)
	for i := 0; i < len(g.Cases); i += 7 {
		f.Add(g.Cases[i].Model)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := onnx.Read(b, onnx.DefaultLimits())
		if err != nil {
			return
		}
		grad.Logits(m, "")
		extended, err := grad.Extend(m, grad.Options{})
		if err != nil {
			return
		}
		if _, err := onnx.Read(extended.Bytes(), onnx.DefaultLimits()); err != nil {
			t.Errorf("the extended model cannot be read: %v", err)
		}
	})
}
