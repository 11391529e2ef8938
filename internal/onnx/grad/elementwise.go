package grad

import (
	"math"

	"github.com/assize/assize/internal/onnx"
)

// unary is the shape of an operator that keeps its input's shape.
func unary(c *call) []shape { return []shape{c.shape(0)} }

// elements is the shape of an operator that broadcasts all its inputs.
func elements(c *call) []shape {
	var list []shape
	for i := range c.n.Inputs {
		if c.has(i) {
			list = append(list, c.shape(i))
		}
	}
	return []shape{broadcast(list...)}
}

// elementwise are the arithmetic operators, most of them with broadcasting.
func elementwise() map[string]rule {
	out := map[string]rule{}
	// Each entry computes the cotangent of an input in the shape of the output.
	for op, back := range map[string]func(c *call, i int, dy string) string{
		"Add": func(c *call, _ int, dy string) string { return dy },
		"Sum": func(c *call, _ int, dy string) string { return dy },
		"Sub": func(c *call, i int, dy string) string {
			if i == 1 {
				return c.g.op("Neg", dy)
			}
			return dy
		},
		"Mul": func(c *call, i int, dy string) string { return c.g.op("Mul", dy, c.in(1-i)) },
		"Div": func(c *call, i int, dy string) string {
			q := c.g.op("Div", dy, c.in(1))
			if i == 1 {
				q = c.g.op("Neg", c.g.op("Mul", q, c.out()))
			}
			return q
		},
		"Mean": func(c *call, _ int, dy string) string {
			return c.g.op("Mul", dy, c.g.Number(1/float64(len(c.n.Inputs)), dy))
		},
		"Pow": pow,
		"Max": extreme,
		"Min": extreme,
		"Where": func(c *call, i int, dy string) string {
			zero := c.g.Number(0, c.out())
			if i == 1 {
				return c.g.op("Where", c.in(0), dy, zero)
			}
			return c.g.op("Where", c.in(0), zero, dy)
		},
	} {
		out[op] = rule{shape: elements, back: func(c *call) error {
			for i := range c.n.Inputs {
				if c.wants(i) {
					c.dx[i] = c.g.reduceTo(back(c, i, c.dy[0]), c.out(), c.in(i))
				}
			}
			return nil
		}}
	}
	// Each entry computes the derivative by x and y = f(x).
	for op, derivative := range map[string]func(g *Graph, x, y string) string{
		"Neg": func(g *Graph, x, _ string) string { return g.Number(-1, x) },
		"Abs": func(g *Graph, x, _ string) string { return g.op("Sign", x) },
		// An exponential that overflowed often ends in 1/(1+e), where the
		// cotangent is 0: keep 0·∞ from becoming NaN.
		"Exp":        func(g *Graph, _, y string) string { return g.op("Min", y, g.Number(g.largest(y), y)) },
		"Log":        func(g *Graph, x, _ string) string { return g.op("Reciprocal", x) },
		"Sqrt":       func(g *Graph, x, y string) string { return g.op("Div", g.Number(0.5, x), y) },
		"Reciprocal": func(g *Graph, _, y string) string { return g.op("Neg", g.op("Mul", y, y)) },
		"Sin":        func(g *Graph, x, _ string) string { return g.op("Cos", x) },
		"Cos":        func(g *Graph, x, _ string) string { return g.op("Neg", g.op("Sin", x)) },
		"Atan": func(g *Graph, x, _ string) string {
			return g.op("Reciprocal", g.op("Add", g.op("Mul", x, x), g.Number(1, x)))
		},
		"Erf": func(g *Graph, x, _ string) string {
			return g.op("Mul", g.op("Exp", g.op("Neg", g.op("Mul", x, x))), g.Number(twoOverSqrtPi, x))
		},
	} {
		out[op] = rule{shape: unary, back: chain(derivative)}
	}
	out["Mod"] = rule{shape: elements, back: func(c *call) error {
		if c.wants(1) {
			return reason("its divisor depends on the input")
		}
		c.dx[0] = c.g.reduceTo(c.dy[0], c.out(), c.in(0))
		return nil
	}}
	same := func(c *call) error { c.dx[0] = c.dy[0]; return nil }
	out["Identity"] = rule{shape: unary, back: same}
	out["Dropout"] = rule{shape: func(c *call) []shape { return []shape{c.shape(0), c.shape(0)} }, back: func(c *call) error {
		if t := c.g.consts[c.in(2)]; c.has(2) && (t == nil || len(t.Raw) != 1 || t.Raw[0] != 0) {
			return reason("it may be in training mode")
		}
		return same(c)
	}}
	cast := rule{shape: unary, back: func(c *call) error {
		from, to := c.g.Type(c.in(0)), c.g.Type(c.out())
		switch {
		case !floating(from) || !floating(to):
		case from == to:
			c.dx[0] = c.dy[0]
		default:
			c.dx[0] = c.g.Op("Cast", []string{c.dy[0]}, Int("to", int64(from)))
		}
		return nil
	}}
	out["Cast"], out["CastLike"] = cast, cast
	// The derivative is one at both limits, so that a clipped input is not
	// stuck where it touches them.
	out["Clip"] = rule{shape: unary, back: func(c *call) error {
		c.dx[0] = c.g.keep(c.g.op("Equal", c.in(0), c.out()), c.dy[0])
		return nil
	}}
	return out
}

// largest is the largest finite number in the type of the value.
func (g *Graph) largest(like string) float64 {
	switch g.Type(like) {
	case onnx.Double:
		return math.MaxFloat64
	case onnx.Float16:
		return 65504
	}
	return math.MaxFloat32
}

const twoOverSqrtPi = 1.1283791670955126

// reason is why one call of an operator cannot be differentiated.
type reason string

func (r reason) Error() string { return string(r) }

// chain multiplies the cotangent by a derivative.
func chain(derivative func(g *Graph, x, y string) string) func(*call) error {
	return func(c *call) error {
		c.dx[0] = c.g.op("Mul", c.dy[0], derivative(c.g, c.in(0), c.out()))
		return nil
	}
}

// keep is v where the condition holds, else zero.
func (g *Graph) keep(condition, v string) string {
	return g.op("Mul", v, g.Op("Cast", []string{condition}, Int("to", int64(g.Type(v)))))
}

// pow is the rule of x^p. Where p is 0 the derivative by x is 0; where x is 0
// the one by p is 0.
func pow(c *call, i int, dy string) string {
	g, x, p := c.g, c.in(0), c.in(1)
	if g.Type(p) != g.Type(x) {
		p = g.Op("Cast", []string{p}, Int("to", int64(g.Type(x))))
	}
	zero, one := g.Number(0, x), g.Number(1, x)
	if i == 0 {
		d := g.op("Mul", g.op("Pow", x, g.op("Sub", p, one)), p)
		return g.op("Mul", dy, g.op("Where", g.op("Equal", p, zero), zero, d))
	}
	log := g.op("Log", g.op("Where", g.op("Equal", x, zero), one, x))
	return g.op("Mul", dy, g.op("Mul", log, c.out()))
}

// extreme is the rule of Max and Min: inputs that are equal share the
// cotangent.
func extreme(c *call, i int, dy string) string {
	if len(c.n.Inputs) == 1 {
		return dy
	}
	g, ties := c.g, ""
	hit := func(k int) string {
		return g.Op("Cast", []string{g.op("Equal", c.in(k), c.out())}, Int("to", int64(g.Type(c.out()))))
	}
	for k := range c.n.Inputs {
		if ties == "" {
			ties = hit(k)
		} else {
			ties = g.op("Add", ties, hit(k))
		}
	}
	return g.op("Mul", dy, g.op("Div", hit(i), ties))
}

// float64s returns the values of a constant floating-point input.
func (c *call) float64s(i int) ([]float64, bool) {
	t := c.g.consts[c.in(i)]
	if t == nil || t.Type == onnx.String {
		return nil, false
	}
	v, err := t.Float64s()
	return v, err == nil
}
