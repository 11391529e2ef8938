//go:build cgo

package ort_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	binding "github.com/yalue/onnxruntime_go"

	"github.com/assize/assize/internal/onnx/ort"
	"github.com/assize/assize/internal/onnx/ort/orttest"
)

// raw runs batches of n rows as the binding's own fixed session does, with
// the options that NewSession sets.
func raw(tb testing.TB, model []byte, in, out string, x []float32, shape, outShape binding.Shape) *binding.AdvancedSession {
	tb.Helper()
	must := func(err error) {
		if err != nil {
			tb.Fatal(err)
		}
	}
	input, err := binding.NewTensor(shape, x)
	must(err)
	output, err := binding.NewEmptyTensor[float32](outShape)
	must(err)
	o, err := binding.NewSessionOptions()
	must(err)
	defer o.Destroy()
	must(o.SetIntraOpNumThreads(1))
	must(o.SetInterOpNumThreads(1))
	must(o.SetGraphOptimizationLevel(binding.GraphOptimizationLevelEnableAll))
	s, err := binding.NewAdvancedSessionWithONNXData(model, []string{in}, []string{out}, []binding.Value{input}, []binding.Value{output}, o)
	must(err)
	tb.Cleanup(func() { s.Destroy(); input.Destroy(); output.Destroy() })
	return s
}

// BenchmarkRunner times a Runner and, in turns with it, the binding's fixed
// session with ONNX Runtime's defaults on the same rows; the ratio is
// Runner over raw.
func BenchmarkRunner(b *testing.B) {
	orttest.Load(b)
	x, _ := mnist(b)
	for _, model := range []struct {
		name, in, out string
		shape         []int64
	}{
		{"mnistfc/mnist-net_256x2.onnx.gz", "0", "12", []int64{784, 1}},
		{"mnist-nets/Convnet_maxpool.onnx", "input", "output", []int64{1, 28, 28}},
		{"mnist-nets/mnist_cnn_a_adv.onnx.gz", "x", "logits", []int64{1, 28, 28}},
	} {
		bytes := freed(b, model.name)
		r, err := ort.NewRunner(session(b, bytes, ort.Options{}))
		if err != nil {
			b.Fatal(err)
		}
		defer r.Close()
		for _, n := range []int{1, 16, 64, 256} {
			b.Run(fmt.Sprintf("%s/batch=%d", model.name, n), func(b *testing.B) {
				rows, out := x[:n*784], make([]float32, n*10)
				peer := raw(b, bytes, model.in, model.out, rows,
					append(binding.Shape{int64(n)}, model.shape...), binding.NewShape(int64(n), 10))
				var ours, theirs time.Duration
				ctx, cancel := context.WithCancel(context.Background())
				defer cancel()
				b.ReportAllocs()
				for b.Loop() {
					start := time.Now()
					if err := r.Run(ctx, rows, n, out); err != nil {
						b.Fatal(err)
					}
					middle := time.Now()
					if err := peer.Run(); err != nil {
						b.Fatal(err)
					}
					ours, theirs = ours+middle.Sub(start), theirs+time.Since(middle)
				}
				b.ReportMetric(float64(n*b.N)/ours.Seconds(), "rows/s")
				b.ReportMetric(ours.Seconds()/theirs.Seconds(), "ratio")
			})
		}
	}
}
