package grad_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/assize/assize/internal/onnx"
	"github.com/assize/assize/internal/onnx/grad"
	"github.com/assize/assize/internal/onnx/ort"
	"github.com/assize/assize/internal/onnx/ort/orttest"
)

// golden is what testdata/make_golden.py recorded; it names the versions.
type golden struct {
	Versions map[string]string
	Cases    []recorded
	Networks []recorded
}

// recorded is one model with an input, a cotangent, and what PyTorch computed
// in double precision. Numbers are base64 of little-endian floats: X and
// Cotangent of 32 bits, Y and Gradient of 64.
type recorded struct {
	Name         string
	Model        []byte
	Shape, Out   []int64
	X, Cotangent []byte
	Y, Gradient  []byte
	Difference   float64
}

func readGolden(tb testing.TB) golden {
	tb.Helper()
	b, err := os.ReadFile("testdata/golden.json.gz")
	if err != nil {
		tb.Fatal(err)
	}
	var g golden
	if err := json.Unmarshal(unzip(tb, b), &g); err != nil {
		tb.Fatal(err)
	}
	if len(g.Cases) < 200 || len(g.Networks) < 10 {
		tb.Fatalf("got %d cases and %d networks: the file is not whole", len(g.Cases), len(g.Networks))
	}
	return g
}

func unzip(tb testing.TB, b []byte) []byte {
	tb.Helper()
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		tb.Fatal(err)
	}
	out, err := io.ReadAll(z)
	if err != nil {
		tb.Fatal(err)
	}
	return out
}

func floats32(b []byte) []float32 {
	out := make([]float32, len(b)/4)
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return out
}

func floats64(b []byte) []float64 {
	out := make([]float64, len(b)/8)
	for i := range out {
		out[i] = math.Float64frombits(binary.LittleEndian.Uint64(b[8*i:]))
	}
	return out
}

// root returns the folder of go.mod.
func root(tb testing.TB) string {
	tb.Helper()
	dir, err := os.Getwd()
	if err != nil {
		tb.Fatal(err)
	}
	for dir != filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		dir = filepath.Dir(dir)
	}
	tb.Fatal("no go.mod above the test")
	return ""
}

// network reads a model of the examples or of the shared data, its batch
// freed, or skips.
func network(tb testing.TB, name string) *onnx.Model {
	tb.Helper()
	path := filepath.Join(root(tb), filepath.FromSlash(name))
	if !strings.HasPrefix(name, "examples/") {
		path = filepath.Join(root(tb), "..", "shared", "data", filepath.FromSlash(name))
	}
	b, err := os.ReadFile(path)
	if err != nil {
		tb.Skip("the shared test data are absent: ", err)
	}
	if strings.HasSuffix(name, ".gz") {
		b = unzip(tb, b)
	}
	m := decode(tb, b)
	m, _, err = onnx.FreeBatch(m)
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

func decode(tb testing.TB, b []byte) *onnx.Model {
	tb.Helper()
	m, err := onnx.Read(b, onnx.DefaultLimits())
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

// run starts a session on the model and runs it once.
func run(tb testing.TB, m *onnx.Model, outputs []string, inputs ...*ort.Tensor) []*ort.Tensor {
	tb.Helper()
	s, err := ort.NewSession(m.Bytes(), ort.Options{Outputs: outputs})
	if err != nil {
		tb.Fatal(err)
	}
	defer s.Close()
	out, err := s.Run(context.Background(), inputs)
	if err != nil {
		tb.Fatal(err)
	}
	return out
}

// deviation is the largest difference, relative to the largest wanted value.
func deviation[T float32 | float64](tb testing.TB, got []T, want []float64) float64 {
	tb.Helper()
	if len(got) != len(want) {
		tb.Fatalf("got %d numbers, want %d", len(got), len(want))
	}
	worst, scale := 0.0, 1e-30
	for i, w := range want {
		if math.IsNaN(float64(got[i])) {
			tb.Fatalf("number %d is NaN, want %g", i, w)
		}
		worst, scale = max(worst, math.Abs(float64(got[i])-w)), max(scale, math.Abs(w))
	}
	return worst / scale
}

// compare differentiates the model and compares output and gradient with
// what was recorded.
func compare(t *testing.T, m *onnx.Model, r recorded, tolerance float64) float64 {
	t.Helper()
	extended, err := grad.Extend(m, grad.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return check(t, extended, r, tolerance)
}

// check runs an extended model on what was recorded.
func check(t *testing.T, extended *onnx.Model, r recorded, tolerance float64) float64 {
	t.Helper()
	output := ""
	for _, v := range extended.Outputs() {
		if v.Type.ElemType == onnx.Float {
			output = v.Name
			break
		}
	}
	out := run(t, extended, []string{output, grad.Gradient},
		&ort.Tensor{Type: onnx.Float, Shape: r.Shape, Data: floats32(r.X)},
		&ort.Tensor{Type: onnx.Float, Shape: r.Out, Data: floats32(r.Cotangent)})
	if d := deviation(t, out[0].Data.([]float32), floats64(r.Y)); d > tolerance {
		t.Errorf("got an output off by %.3g, want at most %g", d, tolerance)
	}
	d := deviation(t, out[1].Data.([]float32), floats64(r.Gradient))
	if d > tolerance {
		t.Errorf("got a gradient off by %.3g, want at most %g\ngot  %.5v\nwant %.5v", d, tolerance, out[1].Data.([]float32)[:min(24, len(out[1].Data.([]float32)))], floats64(r.Gradient)[:min(24, len(floats64(r.Gradient)))])
	}
	return d
}

// TestRules compares every rule with PyTorch's gradient. The file also
// records, where Difference is not negative, that central differences of the
// ONNX model in double precision agree with PyTorch within 1e-5.
func TestRules(t *testing.T) {
	orttest.Load(t)
	worst, differences := 0.0, 0
	g := readGolden(t)
	for _, r := range g.Cases {
		t.Run(r.Name, func(t *testing.T) {
			worst = max(worst, compare(t, decode(t, r.Model), r, 5e-6))
		})
		if r.Difference >= 0 {
			differences++
		}
	}
	t.Logf("%d cases, %d of them with central differences; largest deviation %.2g", len(g.Cases), differences, worst)
}

// TestNetworks compares the gradients of whole networks with PyTorch's.
func TestNetworks(t *testing.T) {
	orttest.Load(t)
	for _, r := range readGolden(t).Networks {
		t.Run(r.Name, func(t *testing.T) {
			d := compare(t, network(t, r.Name), r, 2e-5)
			t.Logf("deviation %.2g", d)
		})
	}
}

// TestOpenShapes takes the cases with every dimension unknown, and with the
// rank unknown too: a rule then works with shapes at run time, or says why it
// cannot.
func TestOpenShapes(t *testing.T) {
	orttest.Load(t)
	for _, ranked := range []bool{true, false} {
		worked := 0
		for _, r := range readGolden(t).Cases {
			m := decode(t, r.Model)
			for _, v := range append(m.Graph.Inputs, m.Graph.Outputs...) {
				v.Type.HasShape = ranked
				if ranked {
					v.Type.Shape = make([]onnx.Dim, len(v.Type.Shape))
				} else {
					v.Type.Shape = nil
				}
			}
			extended, err := grad.Extend(m, grad.Options{})
			if err != nil {
				var unsupported *grad.UnsupportedError
				if !errors.As(err, &unsupported) || unsupported.Nodes[0].Reason == "" {
					t.Errorf("%s: got the error %v, want a reason", r.Name, err)
				}
				continue
			}
			worked++
			if len(r.Out) == 0 && !ranked {
				continue // a Session reads one number only where its shape is declared
			}
			t.Run(r.Name, func(t *testing.T) { check(t, extended, r, 5e-6) })
		}
		t.Logf("ranked %v: %d cases work", ranked, worked)
		if worked < 120 {
			t.Errorf("ranked %v: only %d cases work", ranked, worked)
		}
	}
}
