package tree

import (
	"fmt"
	"strings"

	"github.com/assize/assize/internal/onnx"
)

// Linear is a linear model: a weighted sum of the features per output, with
// a link behind it. Logistic regressions and points-based scorecards are such.
type Linear struct {
	// Features is the number of inputs, Names their names where the file has them.
	Features int
	Names    []string
	// Outputs is the number of sums: 1 for two classes, whose second it speaks for.
	Outputs int
	// Classes is the number of classes, 0 for regression.
	Classes int
	// Weights has a row of a weight per feature for each output; Bias a value
	// for each. Scaling in front of the model is folded into both.
	Weights [][]float64
	Bias    []float64
	Link    Link
}

// Margins writes the sums before the link of one row, Features values, to
// out, Outputs values, in float64.
func (l *Linear) Margins(x, out []float64) {
	for k, weights := range l.Weights {
		out[k] = l.Bias[k]
		for i, w := range weights {
			out[k] += w * x[i]
		}
	}
}

// Predict writes the link of the margins of one row to out.
func (l *Linear) Predict(x, out []float64) {
	l.Margins(x, out)
	transform(l.Link, 1, out)
}

// maxWeights bounds the weights of a linear model.
const maxWeights = 1 << 24

// ReadLinear decodes an ONNX graph of one LinearClassifier, LinearRegressor,
// Gemm or MatMul (with an Add behind), with Sigmoid, Softmax or Exp behind it
// and Scaler, Concat, Cast and Identity in front. Anything else is refused
// with the reason.
func ReadLinear(b []byte, lim Limits) (*Linear, error) {
	l, err := readLinear(b, lim)
	if err != nil {
		return nil, fmt.Errorf("read linear model: %w", err)
	}
	return l, nil
}

func readLinear(b []byte, lim Limits) (*Linear, error) {
	limits := onnx.DefaultLimits()
	limits.MaxBytes = min(limits.MaxBytes, lim.MaxBytes)
	m, err := onnx.Read(b, limits)
	if err != nil {
		return nil, err
	}
	if m.Graph == nil {
		return nil, fmt.Errorf("the model has no graph")
	}
	e := &Ensemble{}
	enc, err := newEncoders(m, e)
	if err != nil {
		return nil, err
	}
	var node *onnx.Node
	for _, n := range m.Graph.Nodes {
		switch n.OpType {
		case "LinearClassifier", "LinearRegressor", "Gemm", "MatMul":
			if node != nil {
				return nil, fmt.Errorf("the graph has more than one linear operator, so it is a network\nhint: assess it by its gradients")
			}
			node = n
		}
	}
	if node == nil || len(node.Inputs) == 0 || len(node.Outputs) == 0 {
		return nil, fmt.Errorf("the graph has no linear operator")
	}
	inputs, err := enc.affine(node.Inputs[0], 0)
	if err != nil {
		return nil, err
	}
	l := &Linear{Features: e.Features, Link: Identity}
	var weights [][]float64 // a row per output, a column per value of the operator's input
	last := node
	if strings.HasPrefix(node.OpType, "Linear") {
		weights, err = l.operator(node, len(inputs))
	} else {
		weights, last, err = l.product(enc, node, len(inputs))
	}
	if err != nil {
		return nil, fmt.Errorf("operator %s: %w", node.OpType, err)
	}
	l.fold(weights, inputs)
	if err := behind(m.Graph, last, &l.Link, l.Outputs); err != nil {
		return nil, err
	}
	if l.Classes == 0 && l.Link == Sigmoid && l.Outputs == 1 {
		l.Classes = 2
	}
	if l.Classes == 0 && l.Link == Softmax {
		l.Classes = l.Outputs
	}
	enc.finish()
	l.Names = e.Names
	for k, row := range l.Weights {
		for _, w := range append(row[:len(row):len(row)], l.Bias[k]) {
			if !finite(w) {
				return nil, fmt.Errorf("a weight of output %d is not finite", k)
			}
		}
	}
	return l, nil
}

// affine is a column that is scale·feature + offset.
type affine struct {
	feature       int
	scale, offset float64
}

// affine returns what the tensor of that name holds.
func (enc *encoders) affine(name string, depth int) ([]affine, error) {
	if cols, ok := enc.known[name]; ok {
		out := make([]affine, len(cols))
		for i, c := range cols {
			if c.typ == isText {
				return nil, fmt.Errorf("input %q is text", name)
			}
			out[i] = affine{c.feature, 1, 0}
		}
		return out, nil
	}
	n := enc.makers[name]
	if n == nil || depth > 8 || len(n.Inputs) == 0 || len(n.Inputs) > 1 && n.OpType != "Concat" {
		return nil, fmt.Errorf("value %q in front of the linear operator is no scaled input", name)
	}
	var out []affine
	for _, in := range n.Inputs {
		cols, err := enc.affine(in, depth+1)
		if err != nil {
			return nil, err
		}
		if len(out)+len(cols) > maxColumns {
			return nil, fmt.Errorf("more than %d columns", maxColumns)
		}
		out = append(out, cols...)
	}
	switch {
	case n.OpType == "Identity", n.OpType == "Concat" && n.Int("axis", 1) != 0,
		n.OpType == "Cast" && (n.Int("to", 0) == int64(onnx.Float) || n.Int("to", 0) == int64(onnx.Double)):
		return out, nil
	case n.OpType == "Scaler":
		offset, err := attributeFloats(n, "offset", len(out))
		if err != nil {
			return nil, err
		}
		by, err := attributeFloats(n, "scale", len(out))
		if err != nil {
			return nil, err
		}
		for i := range out {
			s, o := each(by, i), each(offset, i)
			out[i] = affine{out[i].feature, out[i].scale * s, (out[i].offset - o) * s}
		}
		return out, nil
	}
	return nil, fmt.Errorf("operator %s in front of the linear operator is not supported\nhint: assess it by its gradients", n.OpType)
}

// fold turns weights of columns into weights of features.
func (l *Linear) fold(weights [][]float64, inputs []affine) {
	for k, row := range weights {
		to := make([]float64, l.Features)
		for i, w := range row {
			to[inputs[i].feature] += w * inputs[i].scale
			l.Bias[k] += w * inputs[i].offset
		}
		l.Weights = append(l.Weights, to)
	}
}
