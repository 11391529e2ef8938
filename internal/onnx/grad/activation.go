package grad

import (
	"math"

	"github.com/assize/assize/internal/onnx"
)

// activations are the activation functions.
func activations() map[string]rule {
	out := map[string]rule{}
	for op, derivative := range map[string]func(c *call, g *Graph, x, y string) string{
		// The output is what the next layer reads anyway, so that the runtime
		// can still fuse the activation with the layer before it.
		"Relu":    func(_ *call, g *Graph, _, y string) string { return g.step(y) },
		"Sigmoid": func(_ *call, g *Graph, _, y string) string { return g.op("Mul", y, g.op("Sub", g.Number(1, y), y)) },
		"Tanh": func(_ *call, g *Graph, _, y string) string {
			return g.op("Sub", g.Number(1, y), g.op("Mul", y, y))
		},
		"LeakyRelu": func(c *call, g *Graph, x, _ string) string {
			return g.positive(x, g.Number(1, x), g.Number(c.float("alpha", 0.01), x))
		},
		"ThresholdedRelu": func(c *call, g *Graph, x, _ string) string {
			return g.op("Where", g.op("Greater", x, g.Number(c.float("alpha", 1), x)), g.Number(1, x), g.Number(0, x))
		},
		"Elu": func(c *call, g *Graph, x, y string) string {
			return g.positive(x, g.Number(1, x), g.op("Add", y, g.Number(c.float("alpha", 1), x)))
		},
		"Celu": func(c *call, g *Graph, x, y string) string {
			alpha := c.float("alpha", 1)
			return g.positive(x, g.Number(1, x), g.op("Add", g.op("Mul", y, g.Number(1/alpha, x)), g.Number(1, x)))
		},
		"Selu": func(c *call, g *Graph, x, y string) string {
			alpha, gamma := c.float("alpha", 1.67326319217681884765625), c.float("gamma", 1.05070102214813232421875)
			return g.positive(x, g.Number(gamma, x), g.op("Add", y, g.Number(alpha*gamma, x)))
		},
		"HardSigmoid": func(c *call, g *Graph, _, y string) string {
			inside := g.op("And", g.op("Greater", y, g.Number(0, y)), g.op("Less", y, g.Number(1, y)))
			return g.op("Where", inside, g.Number(c.float("alpha", 0.2), y), g.Number(0, y))
		},
		"HardSwish": func(_ *call, g *Graph, x, _ string) string {
			inner := g.op("Add", g.op("Mul", x, g.Number(1./3, x)), g.Number(0.5, x))
			inner = g.op("Where", g.op("Less", x, g.Number(-3, x)), g.Number(0, x), inner)
			return g.op("Where", g.op("Greater", x, g.Number(3, x)), g.Number(1, x), inner)
		},
		"Softplus": func(_ *call, g *Graph, x, _ string) string { return g.op("Sigmoid", x) },
		"Softsign": func(_ *call, g *Graph, x, _ string) string {
			r := g.op("Reciprocal", g.op("Add", g.op("Abs", x), g.Number(1, x)))
			return g.op("Mul", r, r)
		},
		"Mish": func(_ *call, g *Graph, x, _ string) string {
			t := g.op("Tanh", g.op("Softplus", x))
			rest := g.op("Mul", g.op("Mul", x, g.op("Sigmoid", x)), g.op("Sub", g.Number(1, x), g.op("Mul", t, t)))
			return g.op("Add", t, rest)
		},
		"Gelu": func(c *call, g *Graph, x, _ string) string {
			if c.text("approximate", "none") == "tanh" {
				return geluTanh(g, x)
			}
			return gelu(g, x)
		},
	} {
		out[op] = rule{shape: unary, back: func(c *call) error {
			c.dx[0] = c.g.op("Mul", c.dy[0], derivative(c, c.g, c.in(0), c.out()))
			return nil
		}}
	}
	out["PRelu"] = rule{shape: unary, back: func(c *call) error {
		g, x := c.g, c.in(0)
		c.dx[0] = g.op("Mul", c.dy[0], g.positive(x, g.Number(1, x), c.in(1)))
		if c.wants(1) {
			slope := g.op("Mul", c.dy[0], g.op("Min", x, g.Number(0, x)))
			c.dx[1] = g.reduceTo(slope, x, c.in(1))
		}
		return nil
	}}
	out["Softmax"] = rule{shape: unary, back: func(c *call) error {
		g, y := c.g, c.out()
		inner := g.Op("ReduceSum", []string{g.op("Mul", c.dy[0], y), g.Integers(c.n.Int("axis", -1))})
		c.dx[0] = g.op("Mul", y, g.op("Sub", c.dy[0], inner))
		return nil
	}}
	out["LogSoftmax"] = rule{shape: unary, back: func(c *call) error {
		g := c.g
		total := g.Op("ReduceSum", []string{c.dy[0], g.Integers(c.n.Int("axis", -1))})
		c.dx[0] = g.op("Sub", c.dy[0], g.op("Mul", g.op("Exp", c.out()), total))
		return nil
	}}
	return out
}

// step is 1 where v is over zero, else 0. The runtime computes a steep HardSigmoid several
// times faster than a comparison or a sign, and has it for float32 alone. Between 0 and 3e-39 it is
// a fraction.
func (g *Graph) step(v string) string {
	if g.Type(v) == onnx.Float {
		return g.Op("HardSigmoid", []string{v}, Num("alpha", 3e38), Num("beta", 0))
	}
	return g.Op("Cast", []string{g.op("Greater", v, g.Number(0, v))}, Int("to", int64(g.Type(v))))
}

// positive is a where x is over zero, else b.
func (g *Graph) positive(x, a, b string) string {
	return g.op("Where", g.op("Greater", x, g.Number(0, x)), a, b)
}

// gelu is the derivative of x·Φ(x): Φ(x) + x·φ(x).
func gelu(g *Graph, x string) string {
	cdf := g.op("Mul", g.op("Add", g.op("Erf", g.op("Mul", x, g.Number(math.Sqrt2/2, x))), g.Number(1, x)), g.Number(0.5, x))
	pdf := g.op("Exp", g.op("Mul", g.op("Mul", x, x), g.Number(-0.5, x)))
	return g.op("Add", cdf, g.op("Mul", g.op("Mul", x, pdf), g.Number(1/math.Sqrt(2*math.Pi), x)))
}

// geluTanh is the derivative of x/2·(1 + tanh u) with u = √(2/π)(x + 0.044715 x³).
func geluTanh(g *Graph, x string) string {
	k := math.Sqrt(2 / math.Pi)
	xx := g.op("Mul", x, x)
	u := g.op("Mul", g.op("Mul", x, g.Number(k, x)), g.op("Add", g.op("Mul", xx, g.Number(0.044715, x)), g.Number(1, x)))
	t := g.op("Tanh", u)
	du := g.op("Add", g.op("Mul", xx, g.Number(3*0.044715*k, x)), g.Number(k, x))
	curve := g.op("Mul", g.op("Mul", x, du), g.op("Sub", g.Number(1, x), g.op("Mul", t, t)))
	return g.op("Mul", g.op("Add", g.op("Add", t, g.Number(1, x)), curve), g.Number(0.5, x))
}
