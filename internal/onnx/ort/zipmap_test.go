package ort_test

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assize/assize/internal/onnx"
	"github.com/assize/assize/internal/onnx/ort"
	"github.com/assize/assize/internal/onnx/ort/orttest"
)

// TestZipMap runs a scikit-learn classifier without its ZipMap and compares
// labels and probabilities with scikit-learn's own (testdata/zipmap.py).
func TestZipMap(t *testing.T) {
	orttest.Load(t)
	var want struct {
		X, Probabilities []float32
		Labels           []int64
	}
	recorded, err := os.ReadFile("../testdata/zipmap.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(recorded, &want); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile("../testdata/zipmap.onnx")
	if err != nil {
		t.Fatal(err)
	}
	if s, err := ort.NewSession(b, ort.Options{}); err == nil {
		s.Close()
		t.Error("a session with a sequence of maps was started")
	} else if !strings.Contains(err.Error(), `output "output_probability" is a sequence, not a tensor`+"\nhint: ") {
		t.Errorf("got %v, want a refusal of the sequence with a hint", err)
	}
	m, err := onnx.Read(b, onnx.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	m, _ = onnx.DropZipMap(m)
	rows := int64(len(want.Labels))
	out, err := session(t, m.Bytes(), ort.Options{}).Run(context.Background(),
		[]*ort.Tensor{{Type: onnx.Float, Shape: []int64{rows, 4}, Data: want.X}})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(out[0].Data, want.Labels); diff != "" {
		t.Errorf("labels (-got +want):\n%s", diff)
	}
	near := cmp.Comparer(func(a, b float32) bool { return math.Abs(float64(a-b)) < 1e-5 })
	if diff := cmp.Diff(out[1].Data, want.Probabilities, near); diff != "" {
		t.Errorf("probabilities (-got +want):\n%s", diff)
	}
	// The probabilities alone suit a runner; their batch is open.
	r, err := ort.NewRunner(session(t, m.Bytes(), ort.Options{Outputs: []string{"output_probability"}}))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	got := make([]float32, rows*3)
	if err := r.Run(context.Background(), want.X, int(rows), got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(got, want.Probabilities, near); diff != "" {
		t.Errorf("runner (-got +want):\n%s", diff)
	}
}
