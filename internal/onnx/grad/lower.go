package grad

import (
	"fmt"
	"math"

	"github.com/assize/assize/internal/onnx"
)

// lower replaces an operator of ai.onnx.ml that computes numbers by the
// operators of ai.onnx that compute the same, up to rounding; these have
// rules. Other nodes come back as they are.
func (g *Graph) lower(n *onnx.Node) ([]*onnx.Node, error) {
	if n.Domain != "ai.onnx.ml" || len(n.Inputs) == 0 || len(n.Outputs) == 0 {
		return []*onnx.Node{n}, nil
	}
	l := &lowering{g: g, n: n, first: len(g.nodes)}
	var err error
	switch n.OpType {
	case "Scaler":
		l.scaler()
	case "Normalizer":
		l.normaliser()
	case "Imputer":
		l.imputer()
	case "ArrayFeatureExtractor":
		l.extractor()
	case "LinearRegressor":
		err = l.regressor()
	case "LinearClassifier":
		err = l.classifier()
	default:
		return []*onnx.Node{n}, nil
	}
	made := g.nodes[l.first:]
	g.nodes = g.nodes[:l.first]
	if err != nil {
		return nil, fmt.Errorf("node %q: %s: %w", n.Name, n.OpType, err)
	}
	if len(made) == 0 {
		return []*onnx.Node{n}, nil
	}
	return append([]*onnx.Node{}, made...), nil
}

// lowering is one node that is replaced.
type lowering struct {
	g     *Graph
	n     *onnx.Node
	first int
}

// input is the node's input as a float: these operators also take integers.
func (l *lowering) input() string {
	if l.g.Type(l.n.Inputs[0]) == onnx.Float {
		return l.n.Inputs[0]
	}
	name := l.g.Op("Cast", []string{l.n.Inputs[0]}, Int("to", int64(onnx.Float)))
	l.g.types[name] = onnx.Float
	return name
}

// end gives the last node made the output's name.
func (l *lowering) end(output string) {
	l.g.nodes[len(l.g.nodes)-1].Outputs[0] = output
	l.g.nodes[len(l.g.nodes)-1].Name = l.n.Name
}

// row is a float attribute as a constant row vector, or one number.
func (l *lowering) row(name string, columns int64) string {
	a := l.n.Attribute(name)
	if a == nil {
		return ""
	}
	dims := []int64{int64(len(a.Floats))}
	if columns > 0 {
		dims = []int64{int64(len(a.Floats)) / columns, columns}
	}
	return l.g.constant(onnx.NewFloats("", dims, a.Floats))
}

func (l *lowering) scaler() {
	x := l.input()
	if offset := l.row("offset", 0); offset != "" {
		x = l.g.op("Sub", x, offset)
	}
	if scale := l.row("scale", 0); scale != "" {
		x = l.g.op("Mul", x, scale)
	} else {
		x = l.g.op("Identity", x)
	}
	l.end(l.n.Outputs[0])
}

// normaliser divides each row by its norm; a row of norm zero stays.
func (l *lowering) normaliser() {
	g, x, norm := l.g, l.input(), ""
	kind := "MAX"
	if a := l.n.Attribute("norm"); a != nil {
		kind = string(a.String)
	}
	switch kind {
	case "L1":
		norm = g.Op("ReduceSum", []string{g.op("Abs", x), g.Integers(-1)}, Int("keepdims", 1))
	case "L2":
		norm = g.op("Sqrt", g.Op("ReduceSum", []string{g.op("Mul", x, x), g.Integers(-1)}, Int("keepdims", 1)))
	default:
		norm = g.Reduce("ReduceMax", x, []int64{-1}, true)
	}
	zero, one := g.constant(onnx.NewFloats("", nil, []float32{0})), g.constant(onnx.NewFloats("", nil, []float32{1}))
	g.op("Div", x, g.op("Where", g.op("Equal", norm, zero), one, norm))
	l.end(l.n.Outputs[0])
}

// imputer replaces one value, often NaN. It leaves integers alone.
func (l *lowering) imputer() {
	g, x := l.g, l.n.Inputs[0]
	replaced := l.n.Attribute("replaced_value_float")
	values := l.row("imputed_value_floats", 0)
	if values == "" {
		return
	}
	missing := ""
	switch {
	case replaced != nil && math.IsNaN(float64(replaced.Float)):
		missing = g.op("IsNaN", x)
	case replaced != nil:
		missing = g.op("Equal", x, g.constant(onnx.NewFloats("", nil, []float32{replaced.Float})))
	default:
		missing = g.op("Equal", x, g.constant(onnx.NewFloats("", nil, []float32{0})))
	}
	g.op("Where", missing, values, x)
	l.end(l.n.Outputs[0])
}

// extractor picks columns, as a ColumnTransformer does.
func (l *lowering) extractor() {
	if len(l.n.Inputs) != 2 || !floating(l.g.Type(l.n.Inputs[0])) {
		return
	}
	index := l.g.op("Reshape", l.n.Inputs[1], l.g.Integers(-1))
	l.g.Op("Gather", []string{l.n.Inputs[0], index}, Int("axis", -1))
	l.end(l.n.Outputs[0])
}

// affine is x times the coefficients, one row an output, plus the intercepts.
func (l *lowering) affine(outputs int64) (string, error) {
	a := l.n.Attribute("coefficients")
	if a == nil || outputs < 1 || len(a.Floats) == 0 || int64(len(a.Floats))%outputs != 0 {
		return "", fmt.Errorf("coefficients do not make %d rows", outputs)
	}
	in := []string{l.input(), l.row("coefficients", int64(len(a.Floats))/outputs)}
	if b := l.n.Attribute("intercepts"); b != nil && len(b.Floats) > 0 {
		if int64(len(b.Floats)) != outputs {
			return "", fmt.Errorf("%d intercepts for %d rows of coefficients", len(b.Floats), outputs)
		}
		in = append(in, l.row("intercepts", 0))
	}
	return l.g.Op("Gemm", in, Int("transB", 1)), nil
}

func (l *lowering) transform() string {
	if a := l.n.Attribute("post_transform"); a != nil {
		return string(a.String)
	}
	return "NONE"
}

func (l *lowering) regressor() error {
	if l.transform() != "NONE" {
		return nil // no rule: named as such
	}
	_, err := l.affine(l.n.Int("targets", 1))
	if err == nil {
		l.end(l.n.Outputs[0])
	}
	return err
}

// classifier keeps the node for its labels and computes the scores beside it.
// One row of coefficients for two classes is left alone.
func (l *lowering) classifier() error {
	classes := 0
	for _, name := range []string{"classlabels_ints", "classlabels_strings"} {
		if a := l.n.Attribute(name); a != nil {
			classes += len(a.Ints) + len(a.Strings)
		}
	}
	coefficients, intercepts := l.n.Attribute("coefficients"), l.n.Attribute("intercepts")
	if classes < 2 || coefficients == nil || intercepts == nil || len(intercepts.Floats) != classes || len(l.n.Outputs) < 2 {
		return nil
	}
	after := ""
	switch l.transform() {
	case "NONE":
	case "LOGISTIC":
		after = "Sigmoid"
	case "SOFTMAX":
		after = "Softmax"
	default:
		return nil
	}
	label := *l.n
	label.Name = "" // the scores' node has it
	label.Outputs = []string{l.n.Outputs[0], l.g.fresh()}
	l.g.nodes = append(l.g.nodes, &label)
	if _, err := l.affine(int64(classes)); err != nil {
		return err
	}
	if after != "" {
		// A name that does not depend on how many values were made before, so
		// that Logits and Extend agree.
		logits := prefix + "logits:" + l.n.Outputs[1]
		l.g.nodes[len(l.g.nodes)-1].Outputs[0] = logits
		l.g.op(after, logits)
	}
	l.end(l.n.Outputs[1])
	return nil
}
