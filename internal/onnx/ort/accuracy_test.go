package ort_test

import (
	"context"
	"testing"

	"github.com/assize/assize/internal/onnx/ort"
	"github.com/assize/assize/internal/onnx/ort/orttest"
)

// TestPublishedAccuracy runs networks on the whole MNIST test set. The
// numbers of correct images are those that the READMEs of the shared data
// state; the dense networks' are also published with VNN-COMP 2021. For
// mnist_madry_small_adv it is what onnxruntime 1.32.0 for Python counts
// (InferenceSession on the CPU, x/255, argmax over all 10,000 images).
func TestPublishedAccuracy(t *testing.T) {
	orttest.Load(t)
	x, y := mnist(t)
	for _, test := range []struct {
		name    string
		correct int
	}{
		{"mnistfc/mnist-net_256x2.onnx.gz", 9808},
		{"mnistfc/mnist-net_256x4.onnx.gz", 9764},
		{"mnistfc/mnist-net_256x6.onnx.gz", 9689},
		{"mnist-nets/Convnet_avgpool.onnx", 9795},
		{"mnist-nets/Convnet_maxpool.onnx", 9792},
		{"mnist-nets/mnist_cnn_a_adv.onnx.gz", 9633},
		{"mnist-nets/mnist_madry_small_adv.onnx.gz", 9794},
		{"mnist-nets/mnist_6_100_nat.onnx.gz", 9629},
	} {
		t.Run(test.name, func(t *testing.T) {
			r, err := ort.NewRunner(session(t, freed(t, test.name), ort.Options{}))
			if err != nil {
				t.Fatal(err)
			}
			const d, classes, batch = 784, 10, 250
			if r.InputLen() != d || r.OutputLen(0) != classes {
				t.Fatalf("got rows of %d and %d, want %d and %d", r.InputLen(), r.OutputLen(0), d, classes)
			}
			out, got := make([]float32, batch*classes), 0
			for i := 0; i < len(y); i += batch {
				if err := r.Run(context.Background(), x[i*d:(i+batch)*d], batch, out); err != nil {
					t.Fatal(err)
				}
				for k := range batch {
					if argmax(out[k*classes:(k+1)*classes]) == int(y[i+k]) {
						got++
					}
				}
			}
			if got != test.correct {
				t.Errorf("got %d correct of %d, want %d", got, len(y), test.correct)
			}
		})
	}
}

func argmax(v []float32) int {
	best := 0
	for i := range v {
		if v[i] > v[best] {
			best = i
		}
	}
	return best
}
