package grad_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assize/assize/internal/onnx"
	"github.com/assize/assize/internal/onnx/grad"
	"github.com/assize/assize/internal/onnx/ort"
	"github.com/assize/assize/internal/onnx/ort/orttest"
)

// TestFirstOfEqual compares the gradient of pools over few different values, so that most
// windows have several maxima, with the first maximum in the order of rows and columns. One row of the batch holds
// what is no number; it takes nothing from the others.
func TestFirstOfEqual(t *testing.T) {
	orttest.Load(t)
	r := rand.New(rand.NewPCG(1, 2))
	const n = 4
	for _, kernel := range [][2]int64{{2, 2}, {1, 3}, {3, 2}, {4, 4}, {7, 1}} {
		for _, channels := range []int64{3, 16} {
			h, w := kernel[0]*3, kernel[1]*5
			row := []onnx.Dim{{}, {Fixed: true, Value: channels}, {Fixed: true, Value: h}, {Fixed: true, Value: w}}
			m := graph(17, row, []onnx.Dim{{}, row[1], {Fixed: true, Value: 3}, {Fixed: true, Value: 5}},
				node("MaxPool", names("x"), names("y"), grad.Ints("kernel_shape", kernel[:]...), grad.Ints("strides", kernel[:]...)))
			extended, err := grad.Extend(m, grad.Options{})
			if err != nil {
				t.Fatal(err)
			}
			plane := h * w
			x, ct := make([]float32, n*channels*plane), make([]float32, n*channels*15)
			want := make([]float32, len(x))
			for i := range x {
				x[i] = float32(r.IntN(3)) - 0.25
			}
			for i := range ct {
				ct[i] = 1 + r.Float32()
				c, wy, wx := int64(i)/15, int64(i)%15/5, int64(i)%5
				best := c*plane + wy*kernel[0]*w + wx*kernel[1]
				for at := range kernel[0] * kernel[1] {
					if k := c*plane + (wy*kernel[0]+at/kernel[1])*w + wx*kernel[1] + at%kernel[1]; x[k] > x[best] {
						best = k
					}
				}
				want[best] = ct[i]
			}
			for i, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), math.NaN()} {
				for k := range plane / 4 {
					x[int64(i)*plane/4+k] = float32(v)
				}
			}
			got := run(t, extended, names(grad.Gradient), &ort.Tensor{Type: onnx.Float, Shape: []int64{n, channels, h, w}, Data: x},
				&ort.Tensor{Type: onnx.Float, Shape: []int64{n, channels, 3, 5}, Data: ct})[0].Data.([]float32)
			rest := channels * plane
			if !slices.Equal(got[rest:], want[rest:]) {
				t.Errorf("kernel %v, %d channels (-got +want):\n%s", kernel, channels, cmp.Diff(got[rest:], want[rest:]))
			}
		}
	}
}

// TestTrim wants of convolutions whose ends no pool reads the same output and gradient as of those that compute
// them, because the model gives them out.
func TestTrim(t *testing.T) {
	orttest.Load(t)
	r := rand.New(rand.NewPCG(3, 4))
	numbers := func(n int64) []float32 {
		out := make([]float32, n)
		for i := range out {
			out[i] = float32(r.NormFloat64())
		}
		return out
	}
	const n, channels = 3, 16
	for _, op := range []string{"MaxPool", "AveragePool"} {
		for _, c := range []struct {
			size, kernel, stride, pad, pool int64
			auto                            string
		}{
			{size: 11, kernel: 2, stride: 1, pool: 4},
			{size: 11, kernel: 3, stride: 1, pad: 1, pool: 4},
			{size: 12, kernel: 3, stride: 1, pad: 1, pool: 5},
			{size: 17, kernel: 3, stride: 2, pad: 1, pool: 2},
			{size: 12, kernel: 4, stride: 2, pool: 2},
			{size: 11, kernel: 5, stride: 1, auto: "SAME_UPPER", pool: 3},
			{size: 13, kernel: 3, stride: 2, auto: "SAME_LOWER", pool: 3},
		} {
			t.Run(fmt.Sprint(op, c), func(t *testing.T) {
				attributes := []*onnx.Attribute{grad.Ints("strides", c.stride, c.stride), grad.Ints("pads", c.pad, c.pad, c.pad, c.pad)}
				if c.auto != "" {
					attributes[1] = &onnx.Attribute{Name: "auto_pad", Type: onnx.AttrString, String: []byte(c.auto)}
				}
				m := graph(17, []onnx.Dim{{}, {Fixed: true, Value: 1}, {Fixed: true, Value: c.size}, {Fixed: true, Value: c.size}}, make([]onnx.Dim, 4),
					node("Conv", names("x", "w"), names("c"), attributes...), node("Relu", names("c"), names("r")),
					node(op, names("r"), names("y"), grad.Ints("kernel_shape", c.pool, c.pool), grad.Ints("strides", c.pool, c.pool)))
				m.Graph.Initializers = []*onnx.Tensor{onnx.NewFloats("w", []int64{channels, 1, c.kernel, c.kernel}, numbers(channels*c.kernel*c.kernel))}
				whole := *m.Graph
				whole.Outputs = append(slices.Clone(whole.Outputs), &onnx.ValueInfo{Name: "r", Type: m.Graph.Outputs[0].Type})
				x := &ort.Tensor{Type: onnx.Float, Shape: []int64{n, 1, c.size, c.size}, Data: numbers(n * c.size * c.size)}
				plain := run(t, m, names("y"), x)[0]
				ct := &ort.Tensor{Type: onnx.Float, Shape: plain.Shape, Data: numbers(int64(len(plain.Data.([]float32))))}
				var results [2][]*ort.Tensor
				for i, g := range []*onnx.Graph{m.Graph, &whole} {
					copied := *m
					copied.Graph = g
					extended, err := grad.Extend(&copied, grad.Options{Output: "y"})
					if err != nil {
						t.Fatal(err)
					}
					results[i] = run(t, extended, names("y", grad.Gradient), x, ct)
				}
				for k, name := range []string{"output", "gradient"} {
					got, want := results[0][k].Data.([]float32), results[1][k].Data.([]float32)
					wide := make([]float64, len(want))
					for i, v := range want {
						wide[i] = float64(v)
					}
					if d := deviation(t, got, wide); d > 2e-6 {
						t.Errorf("the %s is off by %.2g", name, d)
					}
				}
			})
		}
	}
}
