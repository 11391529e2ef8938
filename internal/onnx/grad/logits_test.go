package grad_test

import (
	"testing"

	"github.com/assize/assize/internal/onnx"
	"github.com/assize/assize/internal/onnx/grad"
	"github.com/assize/assize/internal/onnx/ort"
	"github.com/assize/assize/internal/onnx/ort/orttest"
)

func TestLogits(t *testing.T) {
	double := func(in, out string) *onnx.Node { return node("Add", names(in, in), names(out)) }
	floats := func(name string, v ...float32) *onnx.Attribute {
		return &onnx.Attribute{Name: name, Type: onnx.AttrFloats, Floats: v}
	}
	texts := func(name, v string) *onnx.Attribute {
		return &onnx.Attribute{Name: name, Type: onnx.AttrString, String: []byte(v)}
	}
	ml := func(n *onnx.Node) *onnx.Node { n.Domain = "ai.onnx.ml"; return n }
	classifier := func(post string) *onnx.Node {
		return ml(node("LinearClassifier", names("x"), names("label", "scores"), floats("coefficients", 1, 2, 3, 4, 5, 6),
			floats("intercepts", 1, 2, 3), grad.Ints("classlabels_ints", 0, 1, 2), texts("post_transform", post)))
	}
	for _, test := range []struct {
		name string
		m    *onnx.Model
		want string // empty: none
	}{
		{"Softmax", graph(17, rows(2), rows(2), double("x", "z"), node("Softmax", names("z"), names("y"))), "z"},
		{"LogSoftmax, Identity", graph(17, rows(2), rows(2), double("x", "z"), node("LogSoftmax", names("z"), names("s")),
			node("Identity", names("s"), names("y"))), "z"},
		{"Sigmoid, Reshape", graph(17, rows(2), rows(2), double("x", "z"), node("Sigmoid", names("z"), names("s")),
			node("Flatten", names("s"), names("y"))), "z"},
		{"Softmax of opset 11", graph(11, rows(2), rows(2), double("x", "z"), node("Softmax", names("z"), names("y"))), "z"},
		{"none", graph(17, rows(2), rows(2), node("Softmax", names("x"), names("z")), double("z", "y")), ""},
		{"scikit-learn, multinomial", graph(17, rows(2), rows(3), classifier("SOFTMAX"), node("Identity", names("scores"), names("y"))), "assize:logits:scores"},
		{"scikit-learn, one against rest", graph(17, rows(2), rows(3), classifier("LOGISTIC"),
			ml(node("Normalizer", names("scores"), names("y"), texts("norm", "L1")))), "assize:logits:scores"},
		{"scikit-learn, scores", graph(17, rows(2), rows(3), classifier("NONE"), node("Identity", names("scores"), names("y"))), ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			name, found := grad.Logits(test.m, "")
			if name != test.want || found != (test.want != "") {
				t.Fatalf("got %q, %v, want %q", name, found, test.want)
			}
			if !found {
				return
			}
			orttest.Load(t)
			extended, err := grad.Extend(test.m, grad.Options{Output: name})
			if err != nil {
				t.Fatal(err)
			}
			width := int(extended.Outputs()[0].Type.Shape[1].Value)
			x := &ort.Tensor{Type: onnx.Float, Shape: []int64{1, 2}, Data: []float32{0.25, -1}}
			ct := &ort.Tensor{Type: onnx.Float, Shape: []int64{1, int64(width)}, Data: make([]float32, width)}
			ct.Data.([]float32)[0] = 1
			got := run(t, extended, names(grad.Gradient), x, ct)[0].Data.([]float32)
			want := []float32{2, 0} // of 2·x
			if width == 3 {
				want = []float32{1, 2} // the first row of the coefficients
			}
			if got[0] != want[0] || got[1] != want[1] {
				t.Errorf("got the gradient %v of the logits, want %v", got, want)
			}
		})
	}
}
