package worker_test

import (
	"math"
	"os"
	"testing"
	"time"

	binding "github.com/yalue/onnxruntime_go"

	"github.com/assize/assize/internal/dataset"
	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/onnx/ort"
	"github.com/assize/assize/internal/worker"
)

// BenchmarkStart is the time from starting a child to an open model: ms/start.
func BenchmarkStart(b *testing.B) {
	setup := digits(b)
	for b.Loop() {
		p, err := worker.Start(b.Context(), self, setup)
		if err != nil {
			b.Fatal(err)
		}
		p.Close()
	}
	b.ReportMetric(b.Elapsed().Seconds()*1000/float64(b.N), "ms/start")
}

// BenchmarkInference compares batches asked inside a confined worker, past
// Model and the sandbox, with the same batches on ONNX Runtime's binding alone. The two run in turn;
// "ratio" is worker to plain, of the fastest call of each.
func BenchmarkInference(b *testing.B) {
	setup := digits(b)
	const rows = 512
	index := make([]int, rows)
	for i := range index {
		index[i] = i
	}
	table, err := dataset.Select(b.Context(), *setup.Data, index)
	if err != nil {
		b.Fatal(err)
	}
	if err := ort.Load(setup.Library); err != nil {
		b.Fatal(err)
	}
	plain := bare(b, setup.Model.Path, table.X, rows)
	p := start(b, setup)
	probe, j := job("test/predict", measure.Params{"calls": 200.0})
	j.Index = index
	inside, outside := math.Inf(1), math.Inf(1)
	for b.Loop() {
		done, err := p.Run(b.Context(), probe, j, nil)
		if err != nil || done.Error != "" {
			b.Fatal(err, done)
		}
		inside = min(inside, done.Result.Metrics["seconds"].Value)
		for range 200 {
			start := time.Now()
			if err := plain(); err != nil {
				b.Fatal(err)
			}
			outside = min(outside, time.Since(start).Seconds())
		}
	}
	b.ReportMetric(inside/outside, "ratio")
	b.ReportMetric(rows/inside, "rows/s")
}

// bare runs the model by the binding's own fastest way: fixed tensors, nothing between.
func bare(b *testing.B, path string, x []float32, rows int64) func() error {
	b.Helper()
	file, err := os.ReadFile(path)
	if err != nil {
		b.Fatal(err)
	}
	in, err := binding.NewTensor(binding.NewShape(rows, 1, 8, 8), x)
	if err != nil {
		b.Fatal(err)
	}
	out, err := binding.NewEmptyTensor[float32](binding.NewShape(rows, 10))
	if err != nil {
		b.Fatal(err)
	}
	options, err := binding.NewSessionOptions()
	if err != nil {
		b.Fatal(err)
	}
	defer options.Destroy()
	if err := options.SetIntraOpNumThreads(1); err != nil {
		b.Fatal(err)
	}
	session, err := binding.NewAdvancedSessionWithONNXData(file, []string{"input"}, []string{"logits"},
		[]binding.Value{in}, []binding.Value{out}, options)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		session.Destroy()
		in.Destroy()
		out.Destroy()
	})
	return session.Run
}
