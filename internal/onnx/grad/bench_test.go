package grad_test

import (
	"context"
	"testing"
	"time"

	"github.com/assize/assize/internal/onnx"
	"github.com/assize/assize/internal/onnx/grad"
	"github.com/assize/assize/internal/onnx/ort"
	"github.com/assize/assize/internal/onnx/ort/orttest"
)

// BenchmarkStep times, in turns and on one thread, the model alone and the
// extended model (forward and gradient in one run) on batches of 64 rows.
// The metric is the cost in forward passes of the plain model.
func BenchmarkStep(b *testing.B) {
	orttest.Load(b)
	const n = 64
	for _, r := range readGolden(b).Networks {
		b.Run(r.Name, func(b *testing.B) {
			m := network(b, r.Name)
			extended, err := grad.Extend(m, grad.Options{})
			if err != nil {
				b.Fatal(err)
			}
			start := func(m *onnx.Model, outputs ...string) *ort.Session {
				s, err := ort.NewSession(m.Bytes(), ort.Options{Outputs: outputs})
				if err != nil {
					b.Fatal(err)
				}
				b.Cleanup(func() { s.Close() })
				return s
			}
			plain, whole := start(m), start(extended, grad.Gradient)
			x := batch(r.Shape, floats32(r.X), n)
			ct := batch(r.Out, floats32(r.Cotangent), n)
			time1 := func(s *ort.Session, in ...*ort.Tensor) time.Duration {
				at := time.Now()
				if _, err := s.Run(context.Background(), in); err != nil {
					b.Fatal(err)
				}
				return time.Since(at)
			}
			var forward, step time.Duration
			b.ReportAllocs()
			for b.Loop() {
				forward += time1(plain, x)
				step += time1(whole, x, ct)
			}
			b.ReportMetric(float64(n*b.N)/step.Seconds(), "rows/s")
			b.ReportMetric(step.Seconds()/forward.Seconds(), "forwards")
		})
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
