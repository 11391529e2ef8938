package attack_test

import (
	"math"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/assize/assize/internal/attack"
	"github.com/assize/assize/internal/dataset"
	"github.com/assize/assize/internal/model"
)

// BenchmarkStep times, in turns and on one thread, plain forward passes and
// steps of an attack, each in batches of the size that it takes by itself: forward, gradient,
// projection and the decision of every point. The metric is the cost of a step
// in forward passes, of processor time, of each the best of all turns: what
// else runs on a machine only ever adds. The ball is so small that no row is won.
func BenchmarkStep(b *testing.B) {
	const steps = 50
	for _, net := range []struct {
		name     string
		channels int
	}{
		{"mnistfc/mnist-net_256x2.onnx.gz", 1}, {"mnistfc/mnist-net_256x6.onnx.gz", 1}, {"mnist-nets/mnist_cnn_a_adv.onnx.gz", 1},
		{"mnist-nets/mnist_6_100_nat.onnx.gz", 1}, {"mnist-nets/mnist_madry_small_adv.onnx.gz", 1},
		{"mnist-nets/Convnet_maxpool.onnx", 1}, {"mnist-nets/Convnet_avgpool.onnx", 1}, {"cifar-nets/cifar_cnn_a_adv.onnx.gz", 3}, {"digits", 0},
	} {
		var n *network
		switch net.channels {
		case 0:
			x, y := digits(b, 597)
			n = openFile(b, filepath.Join("..", "..", "examples", "digits", "model.onnx"), x, y)
		case 1:
			x, y := images(b, 200)
			n = open(b, net.name, x, y)
		default:
			x, y := planes(b, "cifar-nets", 3)
			n = open(b, net.name, x, y)
		}
		batch := n.grad.Batch()
		rows := n.rows[:min(batch, len(n.rows))]
		width := len(rows[0].X)
		var x []float32
		for _, r := range n.rows {
			x = append(x, r.X...)
		}
		for name, plan := range map[string]attack.Plan{
			"PGD":     {Method: attack.PGD{Steps: steps}},
			"APGD":    {Method: attack.APGD{Steps: steps}, Loss: model.Margin},
			"APGD-T":  {Method: attack.APGD{Steps: steps}, Loss: model.TargetedDLR},
			"FAB":     {Method: attack.FAB{Steps: steps}, Loss: model.Margin},
			"APGD-L2": {Method: attack.APGD{Steps: steps}},
			"APGD-L1": {Method: attack.APGD{Steps: steps}},
		} {
			norm := attack.Linf
			switch name {
			case "APGD-L2":
				norm = attack.L2
			case "APGD-L1":
				norm = attack.L1
			}
			b.Run(filepath.Base(net.name)+"/"+name, func(b *testing.B) {
				out := make([]model.Decision, len(n.rows))
				forward, step := math.Inf(1), math.Inf(1) // of one row, in seconds
				for b.Loop() {
					at := spent()
					for range steps {
						if err := n.model.Decide(b.Context(), x, len(out), out); err != nil {
							b.Fatal(err)
						}
					}
					forward = min(forward, (spent()-at).Seconds()/float64(steps*len(out)))
					at = spent()
					found, err := attack.Run(b.Context(), n.grad, box(width, norm, 1e-6), plan, rows, batch, nil)
					if err != nil {
						b.Fatal(err)
					}
					took, points := spent()-at, 0
					for _, f := range found {
						points += f.Steps
					}
					step = min(step, took.Seconds()/float64(points))
				}
				b.ReportMetric(step/forward, "forwards")
				b.ReportMetric(1/step, "steps/s")
			})
		}
	}
}

// spent is the processor time of the process so far: on a machine that is
// shared it repeats better than the clock.
func spent() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// digits reads rows of the example's test set.
func digits(tb testing.TB, n int) (x []float32, y []int) {
	tb.Helper()
	index := make([]int, n)
	for i := range index {
		index[i] = i
	}
	t, err := dataset.Select(tb.Context(), dataset.Spec{Path: filepath.Join("..", "..", "examples", "digits", "test.npz"), Input: "x", Label: "y"}, index)
	if err != nil {
		tb.Fatal(err)
	}
	return t.X, t.Y
}
