package ort_test

import (
	"context"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assize/assize/internal/onnx"
	"github.com/assize/assize/internal/onnx/ort"
	"github.com/assize/assize/internal/onnx/ort/orttest"
)

// TestMalformedInputs hands ONNX Runtime what a hostile caller would: it must
// answer with one line and stay usable.
func TestMalformedInputs(t *testing.T) {
	orttest.Load(t)
	s := session(t, read(t, "privacy/credit_mlp.onnx"), ort.Options{}) // n×17 float
	good := []*ort.Tensor{{Type: onnx.Float, Shape: []int64{2, 17}, Data: make([]float32, 34)}}
	want, err := s.Run(context.Background(), good)
	if err != nil {
		t.Fatal(err)
	}
	nan := make([]float32, 17)
	for i := range nan {
		nan[i] = float32(math.NaN())
	}
	for _, test := range []struct {
		name string
		in   []*ort.Tensor
		want string // part of the error; empty: no error
	}{
		{"no inputs", nil, "got 0 inputs, want 1"},
		{"nil tensor", []*ort.Tensor{nil}, "no tensor given"},
		{"wrong width", []*ort.Tensor{{Type: onnx.Float, Shape: []int64{1, 16}, Data: make([]float32, 16)}}, "Got: 16 Expected: 17"},
		{"wrong rank", []*ort.Tensor{{Type: onnx.Float, Shape: []int64{17}, Data: make([]float32, 17)}}, "Invalid rank for input"},
		{"one number", []*ort.Tensor{{Type: onnx.Float, Data: make([]float32, 1)}}, "Invalid rank for input"},
		{"double", []*ort.Tensor{{Type: onnx.Double, Shape: []int64{1, 17}, Data: make([]float64, 17)}}, "Unexpected input data type"},
		{"strings", []*ort.Tensor{{Type: onnx.String, Shape: []int64{1, 17}, Data: make([]string, 17)}}, "Unexpected input data type"},
		{"bytes", []*ort.Tensor{{Type: onnx.Uint8, Shape: []int64{1, 17}, Data: make([]byte, 17)}}, "Unexpected input data type"},
		{"float16", []*ort.Tensor{{Type: onnx.Float16, Shape: []int64{1, 17}, Data: make([]byte, 34)}}, "Unexpected input data type"},
		{"bool", []*ort.Tensor{{Type: onnx.Bool, Shape: []int64{1, 17}, Data: make([]bool, 17)}}, "Unexpected input data type"},
		{"negative dimension", []*ort.Tensor{{Type: onnx.Float, Shape: []int64{-1, 17}, Data: []float32{}}}, "negative dimension"},
		{"overflowing shape", []*ort.Tensor{{Type: onnx.Float, Shape: []int64{1 << 62, 17}, Data: []float32{}}}, "overflow"},
		{"too few numbers", []*ort.Tensor{{Type: onnx.Float, Shape: []int64{2, 17}, Data: make([]float32, 17)}}, "takes 34 elements, the tensor holds 17"},
		{"type and data differ", []*ort.Tensor{{Type: onnx.Float, Shape: []int64{1, 17}, Data: make([]int64, 17)}}, "says float and holds int64"},
		{"unknown data", []*ort.Tensor{{Type: onnx.Float, Shape: []int64{1}, Data: 3}}, "data of type int"},
		{"empty batch", []*ort.Tensor{{Type: onnx.Float, Shape: []int64{0, 17}, Data: []float32{}}}, ""},
		{"not a number", []*ort.Tensor{{Type: onnx.Float, Shape: []int64{1, 17}, Data: nan}}, ""},
	} {
		out, err := s.Run(context.Background(), test.in)
		switch {
		case test.want == "" && err != nil:
			t.Errorf("%s: %v", test.name, err)
		case test.want == "" && len(out) != 1:
			t.Errorf("%s: got %d outputs, want 1", test.name, len(out))
		case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n")):
			t.Errorf("%s: got error %v, want one line with %q", test.name, err, test.want)
		}
	}
	got, err := s.Run(context.Background(), good)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("the session answers differently after bad input (-got +want):\n%s", diff)
	}
}

func TestNewSessionRefuses(t *testing.T) {
	orttest.Load(t)
	good := read(t, "privacy/credit_mlp.onnx")
	m, err := onnx.Read(good, onnx.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	m.Graph.Nodes[0].OpType = "NoSuchOperator"
	for _, test := range []struct {
		name, want string
		model      []byte
		opts       ort.Options
	}{
		{"empty", "empty", nil, ort.Options{}},
		{"truncated", "claims", good[:len(good)/2], ort.Options{}},
		{"unknown operator", "NoSuchOperator", m.Bytes(), ort.Options{}},
		{"unknown output", `its outputs are "logits"`, good, ort.Options{Outputs: []string{"probabilities"}}},
	} {
		s, err := ort.NewSession(test.model, test.opts)
		if err == nil {
			s.Close()
		}
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want an error with %q", test.name, err, test.want)
		}
	}
}

// TestRunnerEqualsSession runs many batch sizes, over and under what is kept,
// and compares them with single rows through Session.Run.
func TestRunnerEqualsSession(t *testing.T) {
	orttest.Load(t)
	s := session(t, read(t, "privacy/credit_mlp.onnx"), ort.Options{})
	r, err := ort.NewRunner(s)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	const d, rows = 17, 400
	x := make([]float32, rows*d)
	for i := range x {
		x[i] = float32(math.Sin(float64(i)))
	}
	var want []float32
	for i := range rows {
		out, err := s.Run(context.Background(), []*ort.Tensor{{Type: onnx.Float, Shape: []int64{1, d}, Data: x[i*d : (i+1)*d]}})
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, out[0].Data.([]float32)...)
	}
	for _, n := range []int{1, 2, 3, 1, 5, 7, 8, 9, 10, 11, 12, 400, 13, 1, 399, 2} {
		got := make([]float32, 2*n)
		if err := r.Run(context.Background(), x[:n*d], n, got); err != nil {
			t.Fatalf("%d rows: %v", n, err)
		}
		for i := range got {
			if math.Abs(float64(got[i]-want[i])) > 1e-5*(1+math.Abs(float64(want[i]))) {
				t.Fatalf("%d rows: got %v at %d, want %v", n, got[i], i, want[i])
			}
		}
	}
	for _, bad := range []error{
		r.Run(context.Background(), x[:d-1], 1, make([]float32, 2)),
		r.Run(context.Background(), x[:d], 1, make([]float32, 1)),
		r.Run(context.Background(), x[:d], 1),
		r.Run(context.Background(), nil, 0, nil),
	} {
		if bad == nil {
			t.Error("a batch whose slices do not fit was run")
		}
	}
}

// TestCancelStopsRun stops a model whose cost its input sets: sponge_loop
// iterates as often as the mean of |x| asks.
func TestCancelStopsRun(t *testing.T) {
	orttest.Load(t)
	s := session(t, read(t, "availability/sponge_loop.onnx"), ort.Options{})
	x := make([]float32, 16)
	for i := range x {
		x[i] = 1e9
	}
	in := []*ort.Tensor{{Type: onnx.Float, Shape: []int64{1, 16}, Data: x}}
	start := time.Now()
	if _, err := s.Run(context.Background(), in); err != nil {
		t.Fatal(err)
	}
	whole := time.Since(start)
	ctx, cancel := context.WithTimeout(context.Background(), whole/10)
	defer cancel()
	if _, err := s.Run(ctx, in); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want %v after a tenth of %v", err, context.DeadlineExceeded, whole)
	}
	ended, end := context.WithCancel(context.Background())
	end()
	if _, err := s.Run(ended, in); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
	if _, err := s.Run(context.Background(), in); err != nil {
		t.Errorf("after a stopped run: %v", err)
	}
}

// TestExternalData runs a model whose weights lie in a file beside it.
func TestExternalData(t *testing.T) {
	orttest.Load(t)
	dir := t.TempDir()
	weights := binary.LittleEndian.AppendUint32(nil, math.Float32bits(2.5))
	if err := os.WriteFile(filepath.Join(dir, "w.bin"), weights, 0o600); err != nil {
		t.Fatal(err)
	}
	value := func(name string) *onnx.ValueInfo {
		return &onnx.ValueInfo{Name: name, Type: &onnx.Type{Kind: onnx.KindTensor, ElemType: onnx.Float, HasShape: true,
			Shape: []onnx.Dim{{Param: "N"}, {Fixed: true, Value: 1}}}}
	}
	m := &onnx.Model{IRVersion: 8, Opsets: []onnx.Opset{{Version: 13}}, Graph: &onnx.Graph{
		Name:   "g",
		Nodes:  []*onnx.Node{{OpType: "Mul", Inputs: []string{"x", "w"}, Outputs: []string{"y"}}},
		Inputs: []*onnx.ValueInfo{value("x")}, Outputs: []*onnx.ValueInfo{value("y")},
		Initializers: []*onnx.Tensor{{Name: "w", Type: onnx.Float, Dims: []int64{1}, Location: 1,
			External: []onnx.Entry{{Key: "location", Value: "w.bin"}, {Key: "length", Value: "4"}}}},
	}}
	r, err := ort.NewRunner(session(t, m.Bytes(), ort.Options{Folder: dir}))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	got := make([]float32, 2)
	if err := r.Run(context.Background(), []float32{2, -4}, 2, got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(got, []float32{5, -10}); diff != "" {
		t.Errorf("-got +want:\n%s", diff)
	}
	m.Graph.Initializers[0].External[0].Value = "../w.bin"
	if s, err := ort.NewSession(m.Bytes(), ort.Options{Folder: dir}); err == nil {
		s.Close()
		t.Error("a model that reads outside its folder was loaded")
	} else {
		t.Log(err)
	}
}
