package grad

import (
	"slices"

	"github.com/assize/assize/internal/onnx"
)

// rule is what the package knows of an operator: the shapes of its outputs
// (nil elements where they cannot be told), and how cotangents go back. An
// operator without back has a derivative of zero, or none.
type rule struct {
	shape func(*call) []shape
	back  func(*call) error
}

// rules returns the rule of every operator that has one, by key.
func rules() map[string]rule {
	all := map[string]rule{}
	for _, group := range []map[string]rule{elementwise(), activations(), linear(), convolutions(), pools(), norms(),
		reductions(), shapes(), indices(), flat()} {
		for op, r := range group {
			all[op] = r
		}
	}
	return all
}

// key is how rules are found: the operator, with its domain and a dot before
// it unless that is ai.onnx.
func key(n *onnx.Node) string {
	if n.Domain == "" || n.Domain == "ai.onnx" {
		return n.OpType
	}
	return n.Domain + "." + n.OpType
}

// flat are the operators whose derivative is zero wherever it exists, or
// whose output is no floating-point number.
func flat() map[string]rule {
	out := map[string]rule{"ai.onnx.ml.Binarizer": {shape: unary}, "ai.onnx.ml.LabelEncoder": {shape: unary}}
	for _, op := range []string{"Floor", "Ceil", "Round", "Sign", "Not", "IsNaN", "IsInf"} {
		out[op] = rule{shape: unary}
	}
	for _, op := range []string{"Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Equal", "And", "Or", "Xor"} {
		out[op] = rule{shape: elements}
	}
	for _, op := range []string{"Constant", "ConstantOfShape", "NonZero", "Range", "Hardmax", "OneHot", "RandomNormalLike",
		"RandomUniformLike", "EyeLike", "Bernoulli"} {
		out[op] = rule{}
	}
	out["ConstantOfShape"] = rule{shape: func(c *call) []shape { return []shape{c.g.ints[c.in(0)]} }}
	out["Shape"] = rule{shape: func(c *call) []shape {
		if c.shape(0) == nil {
			return []shape{open(1)}
		}
		from, to := clampRange(c.n.Int("start", 0), c.n.Int("end", int64(len(c.shape(0)))), len(c.shape(0)))
		return []shape{{fixed(int64(max(0, to-from)))}}
	}}
	out["Size"] = rule{shape: func(*call) []shape { return []shape{{}} }}
	arg := func(c *call) []shape {
		return []shape{reduced(c.shape(0), []int64{c.n.Int("axis", 0)}, c.n.Int("keepdims", 1) == 1)}
	}
	out["ArgMax"], out["ArgMin"] = rule{shape: arg}, rule{shape: arg}
	return out
}

// backward walks the nodes from output to input and returns the cotangent of
// the input, given that of the output.
func (g *Graph) backward(input, output, seed string) (string, error) {
	forward := g.nodes // no cotangent reaches those of a loss
	g.follow(input)
	sums := map[string]string{output: seed}
	add := func(name, v string) {
		switch {
		case v == "" || name == "" || !g.varying[name]:
		case sums[name] == "":
			sums[name] = v
		default:
			sums[name] = g.op("Add", sums[name], v)
		}
	}
	missing := &UnsupportedError{}
	report := func(n *onnx.Node, reason string) {
		missing.Nodes = append(missing.Nodes, UnsupportedNode{Name: n.Name, OpType: key(n), Reason: reason})
	}
	for _, n := range slices.Backward(forward) {
		c := &call{g: g, n: n, dy: make([]string, len(n.Outputs)), dx: make([]string, max(3, len(n.Inputs)))}
		reached := false
		for i, out := range n.Outputs {
			c.dy[i] = sums[out]
			reached = reached || out != "" && sums[out] != ""
		}
		if !reached || !slices.ContainsFunc(reads(n), func(in string) bool { return g.varying[in] }) {
			continue
		}
		r, ok := g.rules[key(n)]
		if !ok {
			report(n, "")
			// What lies behind it is looked at too, so that every operator
			// without a rule is named at once.
			for _, in := range n.Inputs {
				add(in, seed)
			}
			continue
		}
		if r.back == nil {
			continue
		}
		if err := r.back(c); err != nil {
			report(n, err.Error())
			for _, in := range n.Inputs {
				add(in, seed)
			}
			continue
		}
		for i, in := range n.Inputs {
			add(in, c.dx[i])
		}
	}
	switch {
	case len(missing.Nodes) > 0:
		slices.Reverse(missing.Nodes)
		return "", missing
	case sums[input] == "":
		return "", &NoGradientError{Input: input, Output: output}
	}
	return sums[input], nil
}

// follow narrows what varies to what depends on the input.
func (g *Graph) follow(input string) {
	g.varying = map[string]bool{input: true}
	for _, n := range g.nodes {
		if slices.ContainsFunc(reads(n), func(in string) bool { return g.varying[in] }) {
			for _, out := range n.Outputs {
				g.varying[out] = out != ""
			}
		}
	}
}
