package tree

import (
	"fmt"

	"github.com/assize/assize/internal/onnx"
)

// rows cuts values into rows of that width, at least one.
func rows(values []float64, width int) ([][]float64, error) {
	if width < 1 || len(values) == 0 || len(values)%width != 0 || len(values) > maxWeights {
		return nil, fmt.Errorf("%d weights for %d columns", len(values), width)
	}
	var out [][]float64
	for ; len(values) > 0; values = values[width:] {
		out = append(out, values[:width])
	}
	return out, nil
}

// operator reads LinearClassifier and LinearRegressor. Two classes whose
// rows are each other's negative become one output, as the sigmoid of one
// says both.
func (l *Linear) operator(n *onnx.Node, columns int) ([][]float64, error) {
	p := &onnxPlanter{}
	values, err := p.numbers(n, "coefficients")
	if err != nil {
		return nil, err
	}
	weights, err := rows(values, columns)
	if err != nil {
		return nil, err
	}
	if l.Bias, err = p.numbers(n, "intercepts"); err != nil {
		return nil, err
	}
	if len(l.Bias) == 0 {
		l.Bias = make([]float64, len(weights))
	}
	if len(l.Bias) != len(weights) {
		return nil, fmt.Errorf("%d intercepts for %d outputs", len(l.Bias), len(weights))
	}
	if a := n.Attribute("post_transform"); a != nil {
		if l.Link, err = onnxLink(string(a.String)); err != nil {
			return nil, err
		}
	}
	l.Outputs = len(weights)
	if n.OpType == "LinearRegressor" {
		if targets := n.Int("targets", 1); targets != int64(l.Outputs) {
			return nil, fmt.Errorf("%d rows of weights for %d targets", l.Outputs, targets)
		}
		return weights, nil
	}
	l.Classes = l.Outputs
	if l.Outputs < 2 {
		return nil, fmt.Errorf("weights for %d class are not supported", l.Outputs)
	}
	if l.Outputs != 2 || l.Link != Sigmoid {
		return weights, nil
	}
	opposite := l.Bias[0] == -l.Bias[1]
	for i := range weights[0] {
		opposite = opposite && weights[0][i] == -weights[1][i]
	}
	if opposite {
		l.Outputs, l.Bias = 1, l.Bias[1:]
		return weights[1:], nil
	}
	return weights, nil
}

// product reads Gemm, and MatMul with the Add behind it, and returns the last
// operator that was read.
func (l *Linear) product(enc *encoders, n *onnx.Node, columns int) ([][]float64, *onnx.Node, error) {
	if n.Int("transA", 0) != 0 || len(n.Inputs) < 2 || enc.consts[n.Inputs[1]] == nil {
		return nil, nil, fmt.Errorf("its weights are no constant second input")
	}
	alpha, beta := 1.0, 1.0
	if a := n.Attribute("alpha"); a != nil {
		alpha = float64(a.Float)
	}
	if a := n.Attribute("beta"); a != nil {
		beta = float64(a.Float)
	}
	t := enc.consts[n.Inputs[1]]
	values, err := t.Float64s()
	if err != nil {
		return nil, nil, err
	}
	across := n.Int("transB", 0) != 0 // a row per output already
	if len(t.Dims) != 2 || across && t.Dims[1] != int64(columns) || !across && t.Dims[0] != int64(columns) {
		return nil, nil, fmt.Errorf("weights of shape %v for %d columns", t.Dims, columns)
	}
	weights, err := rows(values, columns)
	if err != nil {
		return nil, nil, err
	}
	l.Outputs = len(weights)
	turned := make([][]float64, l.Outputs)
	for k := range turned {
		turned[k] = make([]float64, columns)
		for i := range turned[k] {
			v := values[i*l.Outputs+k]
			if across {
				v = weights[k][i]
			}
			turned[k][i] = alpha * v
		}
	}
	l.Bias = make([]float64, l.Outputs)
	name, last := "", n
	if len(n.Inputs) > 2 {
		name = n.Inputs[2]
	}
	if n.OpType == "MatMul" {
		for _, next := range enc.m.Graph.Nodes {
			if next.OpType == "Add" && len(next.Inputs) == 2 && next.Inputs[0] == n.Outputs[0] {
				name, last = next.Inputs[1], next
			}
		}
	}
	if name == "" {
		return turned, last, nil
	}
	if enc.consts[name] == nil {
		return nil, nil, fmt.Errorf("what is added is no constant")
	}
	bias, err := enc.consts[name].Float64s()
	if err != nil {
		return nil, nil, err
	}
	if len(bias) != 1 && len(bias) != l.Outputs {
		return nil, nil, fmt.Errorf("%d values are added to %d outputs", len(bias), l.Outputs)
	}
	for k := range l.Bias {
		l.Bias[k] = beta * each(bias, k)
	}
	return turned, last, nil
}
