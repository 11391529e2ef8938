package grad

import (
	"slices"

	"github.com/assize/assize/internal/onnx"
)

// Logits looks whether the output (empty: the first floating-point one) is
// what a Softmax, LogSoftmax or Sigmoid made of logits, and returns the name
// of these, which Extend takes as Options.Output. Their largest element is
// that of the output. Steps that do not change which element that is are
// looked through: Identity, Cast, Dropout, Reshape and Flatten, and the
// division by the sum of the row with which scikit-learn normalises
// one-against-rest scores.
func Logits(m *onnx.Model, output string) (name string, found bool) {
	g, err := forward(m, Options{})
	if err != nil {
		return "", false
	}
	if name, err = pick("output", output, g.outputs); err != nil {
		return "", false
	}
	maker := map[string]*onnx.Node{}
	for _, n := range g.nodes {
		for _, out := range n.Outputs {
			maker[out] = n
		}
	}
	for range g.nodes {
		n := maker[name]
		if n == nil || len(n.Inputs) == 0 {
			return "", false
		}
		switch op := key(n); {
		case op == "Softmax" || op == "LogSoftmax" || op == "Sigmoid":
			return n.Inputs[0], true
		case slices.Contains([]string{"Identity", "Cast", "Dropout", "Reshape", "Flatten"}, op):
		case op == "Div" && normalises(maker, n):
		default:
			return "", false
		}
		name = n.Inputs[0]
	}
	return "", false
}

// normalises reports whether a division is one of a row by its own sum.
func normalises(maker map[string]*onnx.Node, div *onnx.Node) bool {
	if len(div.Inputs) != 2 {
		return false
	}
	value, sum := div.Inputs[0], maker[div.Inputs[1]]
	if sum != nil && sum.OpType == "Where" && len(sum.Inputs) == 3 {
		sum = maker[sum.Inputs[2]]
	}
	if sum == nil || sum.OpType != "ReduceSum" || len(sum.Inputs) == 0 {
		return false
	}
	of := sum.Inputs[0]
	if abs := maker[of]; abs != nil && abs.OpType == "Abs" && len(abs.Inputs) == 1 {
		of = abs.Inputs[0]
	}
	return of == value
}
