package grad

import "slices"

// reductions are the operators that reduce over axes.
func reductions() map[string]rule {
	out := map[string]rule{}
	// Each entry computes the cotangent of x from dy and y, which are
	// unreduced: they broadcast against x.
	for op, back := range map[string]func(c *call, x, y, dy string) string{
		"ReduceSum":  func(c *call, x, _, dy string) string { return dy },
		"ReduceMean": func(c *call, x, _, dy string) string { return c.g.op("Mul", dy, c.share(x, c.out())) },
		"ReduceL1":   func(c *call, x, _, dy string) string { return c.g.op("Mul", dy, c.g.op("Sign", x)) },
		"ReduceL2": func(c *call, x, y, dy string) string {
			// At zero the subgradient 0, as PyTorch.
			g := c.g
			safe := g.op("Where", g.op("Equal", y, g.Number(0, y)), g.Number(1, y), y)
			return g.op("Mul", x, g.op("Div", dy, safe))
		},
		"ReduceSumSquare": func(c *call, x, _, dy string) string {
			return c.g.op("Mul", c.g.op("Mul", x, c.g.Number(2, x)), dy)
		},
		"ReduceLogSum": func(c *call, _, y, dy string) string { return c.g.op("Div", dy, c.g.op("Exp", y)) },
		"ReduceLogSumExp": func(c *call, x, y, dy string) string {
			return c.g.op("Mul", dy, c.g.op("Exp", c.g.op("Sub", x, y)))
		},
		"ReduceMax": shared,
		"ReduceMin": shared,
	} {
		out[op] = rule{shape: reduceShape, back: func(c *call) error {
			axes, all, ok := c.axes()
			if !ok {
				return reason("its axes are computed")
			}
			if len(axes) == 0 && !all {
				c.dx[0] = c.dy[0] // nothing is reduced
				return nil
			}
			open := func(v string) string {
				if all || c.n.Int("keepdims", 1) == 1 {
					return v
				}
				return c.g.op("Unsqueeze", v, c.g.Integers(axes...))
			}
			dx := back(c, c.in(0), open(c.out()), open(c.dy[0]))
			if slices.Contains([]string{"ReduceSum", "ReduceMean", "ReduceLogSum"}, c.n.OpType) {
				dx = c.g.expandLike(dx, c.in(0))
			}
			c.dx[0] = dx
			return nil
		}}
	}
	out["CumSum"] = rule{shape: unary, back: func(c *call) error {
		c.dx[0] = c.g.Op("CumSum", []string{c.dy[0], c.in(1)}, Int("exclusive", c.n.Int("exclusive", 0)), Int("reverse", 1-c.n.Int("reverse", 0)))
		return nil
	}}
	return out
}

// axes returns what the node reduces over; all says that it is every axis.
func (c *call) axes() (axes []int64, all, ok bool) {
	axes, ok = c.integers(1, "axes")
	if !ok && c.has(1) {
		return nil, false, false
	}
	if len(axes) == 0 {
		return nil, c.n.Int("noop_with_empty_axes", 0) == 0, true
	}
	return axes, false, true
}

func reduceShape(c *call) []shape {
	axes, all, ok := c.axes()
	s := c.shape(0)
	switch {
	case !ok || s == nil:
		return []shape{nil}
	case all:
		axes = upTo(len(s))
	}
	return []shape{reduced(s, axes, c.n.Int("keepdims", 1) == 1)}
}

// reduced is s without the axes, or with 1 in their place.
func reduced(s shape, axes []int64, keep bool) shape {
	if s == nil {
		return nil
	}
	drop := make([]bool, len(s))
	for _, a := range axes {
		k, ok := axis(a, len(s))
		if !ok {
			return nil
		}
		drop[k] = true
	}
	out := shape{}
	for i, d := range s {
		switch {
		case !drop[i]:
			out = append(out, d)
		case keep:
			out = append(out, fixed(1))
		}
	}
	return out
}

// share returns one over how many elements of x make one of y.
func (c *call) share(x, y string) string {
	g := c.g
	sx, sy := g.shapes[x], g.shapes[y]
	if sx != nil && sy != nil {
		rest, ok := fixed(1), true
		left := slices.Clone(sy)
		for _, d := range sx {
			if at := slices.IndexFunc(left, d.same); at >= 0 {
				left = slices.Delete(left, at, at+1)
				continue
			}
			rest = times(rest, d)
			ok = ok && rest.known()
		}
		if n := left.size(); ok && n.known() && n.n > 0 && rest.n > 0 {
			return g.Number(float64(n.n)/float64(rest.n), x)
		}
	}
	n := g.op("Div", g.op("Size", x), g.op("Size", y))
	return g.op("Reciprocal", g.Op("Cast", []string{n}, Int("to", int64(g.Type(x)))))
}

// shared is the rule of ReduceMax and ReduceMin: equal extremes share the
// cotangent.
func shared(c *call, x, y, dy string) string {
	axes, _, _ := c.axes()
	if len(axes) == 0 {
		return c.g.toExtremes(x, y, dy, "")
	}
	return c.g.toExtremes(x, y, dy, c.g.Integers(axes...))
}

// toExtremes carries dy back to the elements of x that equal y, in equal
// parts. Without axes the sum is over all.
func (g *Graph) toExtremes(x, y, dy, axes string) string {
	hits := g.Op("Cast", []string{g.op("Equal", x, y)}, Int("to", int64(g.Type(x))))
	return g.op("Mul", hits, g.op("Div", dy, g.Op("ReduceSum", []string{hits, axes}, Int("keepdims", 1))))
}

// Reduce adds a reduction over axes, which became an input in different
// versions, and returns its name. Keep leaves 1 in their place.
func (g *Graph) Reduce(op, v string, axes []int64, keep bool) string {
	k := int64(0)
	if keep {
		k = 1
	}
	if g.opset >= 18 || op == "ReduceSum" {
		return g.Op(op, []string{v, g.Integers(axes...)}, Int("keepdims", k))
	}
	return g.Op(op, []string{v}, Ints("axes", axes...), Int("keepdims", k))
}
