// Package grad differentiates ONNX models. Extend adds to a graph the nodes
// that compute the vector-Jacobian product of an output with respect to an
// input (reverse mode), so that ONNX Runtime computes gradients though it
// has none of its own. It runs nothing itself.
//
// The forward values are computed once and shared with the backward part;
// what does not depend on the input is not differentiated, and transposed or
// flipped weights are written as operators on constants, which the runtime
// folds when it loads the model. Models of opset 7 to 16 are raised to 17
// first (raise.go); the operators of scikit-learn are replaced by those of
// ai.onnx (lower.go).
package grad

import (
	"fmt"
	"slices"
	"strings"

	"github.com/assize/assize/internal/onnx"
)

// The names of what Extend adds to a model.
const (
	// Cotangent is the added input: one weight an element of the output that
	// is differentiated, in its shape and type.
	Cotangent = prefix + "cotangent"
	// Gradient is the added output: the sum over the output's elements of the
	// cotangent times their derivative, in the shape and type of the input.
	Gradient = prefix + "gradient"

	prefix = "assize:" // of every value that the package adds
)

// Options say what Extend differentiates. The zero value is the first
// floating-point output with respect to the first floating-point input.
type Options struct {
	// Input and Output name the values; empty means the first floating-point
	// one. Output may be any value of the graph, such as the name that Logits
	// returns; it then becomes an output of the extended model, after the
	// model's own.
	Input, Output string
	// Row is the shape of one row of the input, without the batch, for a
	// model that leaves some of it open.
	Row []int64
	// Head, where given, adds forward nodes behind the output, in operator set
	// 17, and returns the value that is differentiated in its place.
	Head func(g *Graph, output string) (value string, err error)
	// Loss, where given, adds the nodes that compute the cotangent from the
	// value of the output, and returns its name. The model then gets no input
	// Cotangent.
	Loss func(g *Graph, output string) (cotangent string, err error)
	// Step, where given, adds nodes that use the gradient, such as a step and
	// a projection. It declares outputs of its own; Gradient is then only an
	// output where Step declares it.
	Step func(g *Graph, input, gradient string) error
}

// UnsupportedError says which operators between input and output have no
// rule. Attacks that need no gradient are not affected.
type UnsupportedError struct {
	Nodes []UnsupportedNode
}

// UnsupportedNode is one call of an operator that cannot be differentiated.
type UnsupportedNode struct {
	Name   string // of the node; may be empty
	OpType string // with the domain and a dot before it, except for ai.onnx
	Reason string // empty where there is no rule at all
}

// Error names each operator once, with its first node.
func (e *UnsupportedError) Error() string {
	var parts, seen []string
	for _, n := range e.Nodes {
		if slices.Contains(seen, n.OpType+n.Reason) {
			continue
		}
		seen = append(seen, n.OpType+n.Reason)
		s := n.OpType
		if n.Name != "" {
			s += fmt.Sprintf(" (node %q)", n.Name)
		}
		if n.Reason != "" {
			s += ": " + n.Reason
		}
		parts = append(parts, s)
	}
	return "differentiate model: no rule for " + strings.Join(parts, "; ") +
		"\nhint: attacks that only query the model still run"
}

// NoGradientError means that every path from the input to the output goes
// through operators whose derivative is zero or undefined, such as Round.
type NoGradientError struct{ Input, Output string }

// Error says that the output does not move with the input.
func (e *NoGradientError) Error() string {
	return fmt.Sprintf("differentiate model: output %q does not depend on input %q in a differentiable way"+
		"\nhint: attacks that only query the model still run", e.Output, e.Input)
}

// Extend returns a copy of m with the gradient nodes added; m is not changed
// but shares its tensors. The inputs are those of m that must be fed and
// Cotangent; the outputs are those of m, the differentiated value where m
// does not return it, and Gradient. Nodes that no output needs are dropped.
// Errors are *UnsupportedError, *NoGradientError, or say what is wrong with
// the model or the options.
func Extend(m *onnx.Model, opts Options) (*onnx.Model, error) {
	fail := func(err error) (*onnx.Model, error) { return nil, fmt.Errorf("differentiate model: %w", err) }
	g, err := forward(m, opts)
	if err != nil {
		return fail(err)
	}
	input, output, err := g.ends(opts)
	if err != nil {
		return fail(err)
	}
	if opts.Head != nil {
		if output, err = g.head(opts, output); err != nil {
			return fail(err)
		}
	}
	g.trim(output)
	g.poolFirst(output)
	if !slices.ContainsFunc(g.outputs, func(v *onnx.ValueInfo) bool { return v.Name == output }) {
		g.Output(output, g.Type(output), g.Dims(output)...)
	}
	seed := Cotangent
	if opts.Loss == nil {
		g.Input(Cotangent, g.Type(output), g.Dims(output)...)
	} else if seed, err = opts.Loss(g, output); err != nil {
		return fail(err)
	}
	gradient, err := g.backward(input, output, seed)
	if err != nil {
		return nil, err
	}
	g.Alias(Gradient, gradient)
	if opts.Step == nil {
		g.Output(Gradient, g.Type(input), g.Dims(input)...)
	} else if err := opts.Step(g, input, Gradient); err != nil {
		return fail(err)
	}
	return g.model(), nil
}

// head adds the nodes of opts.Head as part of the model: types and shapes are
// noted and cotangents pass through them.
func (g *Graph) head(opts Options, output string) (string, error) {
	before := len(g.nodes)
	output, err := opts.Head(g, output)
	if err != nil {
		return "", err
	}
	added := slices.Clone(g.nodes[before:])
	g.nodes = g.nodes[:before]
	for _, n := range added {
		g.add(n)
	}
	return output, nil
}

// ends finds the values to differentiate between.
func (g *Graph) ends(opts Options) (input, output string, err error) {
	if input, err = pick("input", opts.Input, g.inputs); err != nil {
		return "", "", err
	}
	output = opts.Output
	if _, made := g.types[output]; made && floating(g.types[output]) {
		return input, output, nil
	}
	output, err = pick("output", opts.Output, g.outputs)
	return input, output, err
}

// pick returns the named floating-point value, or the first one.
func pick(what, name string, values []*onnx.ValueInfo) (string, error) {
	for _, v := range values {
		if v.Type != nil && v.Type.Kind == onnx.KindTensor && floating(v.Type.ElemType) && (name == "" || v.Name == name) {
			return v.Name, nil
		}
	}
	if name != "" {
		return "", fmt.Errorf("the model has no floating-point %s %q", what, name)
	}
	return "", fmt.Errorf("the model has no floating-point %s", what)
}

func floating(t onnx.DataType) bool { return t == onnx.Float || t == onnx.Double || t == onnx.Float16 }
