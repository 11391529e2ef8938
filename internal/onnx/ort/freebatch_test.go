package ort_test

import (
	"context"
	"math"
	"testing"

	"github.com/assize/assize/internal/onnx/ort"
	"github.com/assize/assize/internal/onnx/ort/orttest"
)

// TestFreedBatch runs models that were exported for one row on a batch and
// compares with the model as exported, row by row.
func TestFreedBatch(t *testing.T) {
	orttest.Load(t)
	for _, name := range []string{
		"acasxu/ACASXU_run2a_1_1_batch_2000.onnx", "rl-control/cartpole.onnx", "mnistfc/mnist-net_256x6.onnx.gz",
		"mnist-nets/Convnet_avgpool.onnx",
	} {
		one, err := ort.NewRunner(session(t, read(t, name), ort.Options{}))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		defer one.Close()
		many, err := ort.NewRunner(session(t, freed(t, name), ort.Options{}))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		defer many.Close()
		const n = 33
		d, k := one.InputLen(), one.OutputLen(0)
		x, got, want := make([]float32, n*d), make([]float32, n*k), make([]float32, k)
		for i := range x {
			x[i] = float32(math.Sin(float64(i) * float64(i)))
		}
		if err := many.Run(context.Background(), x, n, got); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for i := range n {
			if err := one.Run(context.Background(), x[i*d:(i+1)*d], 1, want); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			for j, w := range want {
				if g := got[i*k+j]; math.Abs(float64(g-w)) > 1e-4*(1+math.Abs(float64(w))) {
					t.Errorf("%s: row %d output %d: got %v, want %v", name, i, j, g, w)
				}
			}
		}
	}
}
