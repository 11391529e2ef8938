package grad

import (
	"slices"

	"github.com/assize/assize/internal/onnx"
)

// infer notes types and shapes of the node's outputs. What the model declares
// of a value counts where inference knows less.
func (c *call) infer() {
	g := c.g
	if c.n.OpType == "Constant" {
		g.remember(c.out(), constant(c.n))
		return
	}
	for i, out := range c.n.Outputs {
		if _, declared := g.types[out]; !declared {
			g.types[out] = c.typ(i)
		}
	}
	r, ok := g.rules[key(c.n)]
	if !ok || r.shape == nil {
		return
	}
	for i, s := range r.shape(c) {
		if i < len(c.n.Outputs) && s != nil {
			g.shapes[c.n.Outputs[i]] = merge(s, g.shapes[c.n.Outputs[i]])
		}
	}
}

// merge completes an inferred shape with a declared one of the same rank.
func merge(s, declared shape) shape {
	if len(s) != len(declared) {
		return s
	}
	s = slices.Clone(s)
	for i, d := range s {
		if d.sym == -1 || !d.known() && declared[i].known() {
			s[i] = declared[i]
		}
	}
	return s
}

// constant returns the tensor of a Constant node, nil for strings and sparse
// tensors.
func constant(n *onnx.Node) *onnx.Tensor {
	for _, a := range n.Attributes {
		switch a.Name {
		case "value":
			return a.Tensor
		case "value_int":
			return onnx.NewInts("", nil, []int64{a.Int})
		case "value_ints":
			return onnx.NewInts("", []int64{int64(len(a.Ints))}, a.Ints)
		case "value_float":
			return onnx.NewFloats("", nil, []float32{a.Float})
		case "value_floats":
			return onnx.NewFloats("", []int64{int64(len(a.Floats))}, a.Floats)
		}
	}
	return nil
}

// typ returns the element type of output i.
func (c *call) typ(i int) onnx.DataType {
	switch c.n.OpType {
	case "Cast":
		return onnx.DataType(c.n.Int("to", 1))
	case "CastLike", "Where":
		return c.g.types[c.in(1)]
	case "Greater", "Less", "Equal", "GreaterOrEqual", "LessOrEqual", "And", "Or", "Xor", "Not", "IsNaN", "IsInf":
		return onnx.Bool
	case "Shape", "Size", "ArgMax", "ArgMin", "NonZero":
		return onnx.Int64
	case "OneHot":
		return c.g.types[c.in(2)]
	case "ConstantOfShape":
		if a := c.n.Attribute("value"); a != nil && a.Tensor != nil {
			return a.Tensor.Type
		}
		return onnx.Float
	case "MaxPool", "TopK":
		if i == 1 {
			return onnx.Int64
		}
	case "Dropout":
		if i == 1 {
			return onnx.Bool
		}
	}
	if c.n.Domain == "" {
		return c.g.types[c.in(0)]
	}
	return onnx.Undefined
}

// evaluate returns the elements of an integer output of rank 0 or 1, as
// exporters compute shapes from shapes; nil where they are unknown.
func (c *call) evaluate() []dim {
	g, a := c.g, c.g.ints[c.in(0)]
	switch c.n.OpType {
	case "Shape":
		s := c.shape(0)
		if s == nil {
			return nil
		}
		from, to := clampRange(c.n.Int("start", 0), c.n.Int("end", int64(len(s))), len(s))
		return slices.Clone(s[from:max(from, to)])
	case "Size":
		return []dim{c.shape(0).size()}
	case "Identity", "Cast", "Squeeze", "Unsqueeze", "Reshape":
		if t := g.Type(c.out()); t != onnx.Int64 && t != onnx.Int32 || len(g.shapes[c.out()]) > 1 {
			return nil
		}
		return a
	case "Gather":
		index, ok := c.integers(1, "")
		if a == nil || !ok {
			return nil
		}
		var out []dim
		for _, i := range index {
			k, ok := axis(i, len(a))
			if !ok {
				return nil
			}
			out = append(out, a[k])
		}
		return out
	case "Slice":
		starts, ok1 := c.integers(1, "")
		ends, ok2 := c.integers(2, "")
		if a == nil || !ok1 || !ok2 || len(starts) != 1 || len(ends) != 1 || c.has(4) {
			return nil
		}
		from, to := clampRange(starts[0], ends[0], len(a))
		return slices.Clone(a[from:max(from, to)])
	case "Concat":
		var out []dim
		for i := range c.n.Inputs {
			v := g.ints[c.in(i)]
			if v == nil {
				return nil
			}
			out = append(out, v...)
		}
		return out
	case "Add", "Sub", "Mul", "Div", "Mod", "Equal":
		return combine(c.n.OpType, a, g.ints[c.in(1)])
	case "Where":
		return choose(a, g.ints[c.in(1)], g.ints[c.in(2)])
	case "ConstantOfShape":
		n, ok := c.integers(0, "")
		if !ok || len(n) != 1 || n[0] < 0 || n[0] > small {
			return nil
		}
		fill := []int64{0}
		if at := c.n.Attribute("value"); at != nil && at.Tensor != nil {
			var err error
			if fill, err = at.Tensor.Int64s(); err != nil || len(fill) != 1 {
				return nil
			}
		}
		return slices.Repeat([]dim{fixed(fill[0])}, int(n[0]))
	}
	return nil
}

func clampRange(from, to int64, n int) (int, int) {
	clamp := func(v int64) int {
		if v < 0 {
			v += int64(n)
		}
		return int(min(max(v, 0), int64(n)))
	}
	return clamp(from), clamp(to)
}

// combine applies an operator to integers that are known in part.
func combine(op string, a, b []dim) []dim {
	if len(a) == 0 || len(b) == 0 || len(a) != len(b) && len(a) != 1 && len(b) != 1 {
		return nil
	}
	out := make([]dim, max(len(a), len(b)))
	for i := range out {
		x, y := a[min(i, len(a)-1)], b[min(i, len(b)-1)]
		out[i] = unknown()
		switch {
		case op == "Mul":
			out[i] = times(x, y)
		case op == "Add":
			out[i] = plus(x, y)
		case op == "Sub" && y == fixed(0), op == "Div" && y == fixed(1):
			out[i] = x
		case op == "Equal" && !x.known() && x.sym > 0 && y.known() && y.n < 0, op == "Equal" && y.sym > 0 && x.known() && x.n < 0:
			out[i] = fixed(0) // a dimension is never negative
		case op == "Div" && x.sym > 0 && y.known() && y.n > 0 && x.n%y.n == 0:
			out[i] = dim{x.n / y.n, x.sym}
		case !x.known() || !y.known():
		case op == "Sub":
			out[i] = fixed(x.n - y.n)
		case op == "Div" && y.n > 0 && x.n >= 0:
			out[i] = fixed(x.n / y.n)
		case op == "Mod" && y.n > 0 && x.n >= 0:
			out[i] = fixed(x.n % y.n)
		case op == "Equal" && x.n == y.n:
			out[i] = fixed(1)
		case op == "Equal":
			out[i] = fixed(0)
		}
	}
	return out
}

// choose is Where on integers that are known in part.
func choose(cond, a, b []dim) []dim {
	if len(cond) == 0 || len(a) == 0 || len(b) == 0 {
		return nil
	}
	out := make([]dim, max(len(cond), len(a), len(b)))
	for i := range out {
		x, y := a[min(i, len(a)-1)], b[min(i, len(b)-1)]
		switch w := cond[min(i, len(cond)-1)]; {
		case !w.known():
			out[i] = unknown()
		case w.n != 0:
			out[i] = x
		default:
			out[i] = y
		}
	}
	return out
}
