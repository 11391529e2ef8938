package tree_test

import (
	"context"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/assize/assize/internal/onnx"
	"github.com/assize/assize/internal/onnx/ort"
	"github.com/assize/assize/internal/onnx/ort/orttest"
)

// BenchmarkProgram times a program and, in turns with it, ONNX Runtime on one
// thread, on the same rows of the credit example; the ratio is ours over
// ONNX Runtime's time a row.
func BenchmarkProgram(b *testing.B) {
	orttest.Load(b)
	const path = "examples/credit/model.onnx"
	e := read(b, path, "onnx-ml")
	p := e.Compile()
	s, err := ort.NewSession(load(b, path), ort.Options{Outputs: []string{"probabilities"}})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	var x []float32
	for _, row := range table(b, "examples/credit/test.csv", ',', true) {
		for _, v := range row[:e.Features] {
			x = append(x, float32(v))
		}
	}
	for _, c := range []struct {
		n       int
		missing bool
	}{{1, false}, {16, false}, {64, false}, {256, false}, {4096, false}, {1, true}, {4096, true}} {
		n := c.n
		b.Run(fmt.Sprintf("rows=%d/missing=%v", n, c.missing), func(b *testing.B) {
			rows := make([]float32, n*e.Features)
			for i := range rows {
				rows[i] = x[i%len(x)]
				if c.missing && i%7 == 3 {
					rows[i] = float32(math.NaN())
				}
			}
			in := []*ort.Tensor{{Type: onnx.Float, Shape: []int64{int64(n), int64(e.Features)}, Data: rows}}
			out := make([]float64, n)
			var ours, theirs time.Duration
			b.ReportAllocs()
			for b.Loop() {
				start := time.Now()
				p.Margins32(rows, out)
				middle := time.Now()
				if _, err := s.Run(context.Background(), in); err != nil {
					b.Fatal(err)
				}
				ours, theirs = ours+middle.Sub(start), theirs+time.Since(middle)
			}
			b.ReportMetric(float64(ours.Nanoseconds())/float64(n*b.N), "ns/row")
			b.ReportMetric(float64(theirs.Nanoseconds())/float64(n*b.N), "ort-ns/row")
			b.ReportMetric(ours.Seconds()/theirs.Seconds(), "ratio")
		})
	}
}
