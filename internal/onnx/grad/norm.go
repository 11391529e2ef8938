package grad

// norms are the normalisations as they work at inference.
func norms() map[string]rule {
	return map[string]rule{
		"BatchNormalization":    {shape: unary, back: batchNorm},
		"LayerNormalization":    {shape: unary, back: layerNorm},
		"InstanceNormalization": {shape: unary, back: instanceNorm},
		"LpNormalization":       {shape: unary, back: lpNorm},
	}
}

// batchNorm is linear at inference.
func batchNorm(c *call) error {
	g := c.g
	switch {
	case c.n.Int("training_mode", 0) != 0:
		return reason("it is in training mode")
	case c.wants(1) || c.wants(2) || c.wants(3) || c.wants(4):
		return reason("its parameters depend on the input")
	case len(c.shape(0)) < 2:
		return reason("the rank of its input is unknown")
	}
	deviation := g.op("Sqrt", g.op("Add", c.in(4), g.Number(c.float("epsilon", 1e-5), c.in(4))))
	factor := []int64{-1}
	for range len(c.shape(0)) - 2 {
		factor = append(factor, 1)
	}
	c.dx[0] = g.op("Mul", c.dy[0], g.op("Reshape", g.op("Div", c.in(1), deviation), g.Integers(factor...)))
	return nil
}

// standardise carries v, the cotangent of (x−μ)/√(σ²+ε) with mean and
// variance over the axes, back to x.
func (g *Graph) standardise(x, v string, epsilon float64, axes []int64) string {
	mean := func(v string) string { return g.Reduce("ReduceMean", v, axes, true) }
	centred := g.op("Sub", x, mean(x))
	variance := g.op("Add", mean(g.op("Mul", centred, centred)), g.Number(epsilon, x))
	inverse := g.op("Reciprocal", g.op("Sqrt", variance))
	hat := g.op("Mul", centred, inverse)
	inner := g.op("Sub", g.op("Sub", v, mean(v)), g.op("Mul", hat, mean(g.op("Mul", v, hat))))
	return g.op("Mul", inner, inverse)
}

func layerNorm(c *call) error {
	g, s := c.g, c.shape(0)
	if c.wants(1) || c.wants(2) {
		return reason("its scale depends on the input")
	}
	if s == nil {
		return reason("the rank of its input is unknown")
	}
	from, ok := axis(c.n.Int("axis", -1), len(s))
	if !ok {
		return reason("its axis is outside its input")
	}
	v := c.dy[0]
	if v == "" {
		return reason("its mean is used")
	}
	if c.has(1) {
		v = g.op("Mul", v, c.in(1))
	}
	c.dx[0] = g.standardise(c.in(0), v, c.float("epsilon", 1e-5), upTo(len(s))[from:])
	return nil
}

func instanceNorm(c *call) error {
	g, s := c.g, c.shape(0)
	if c.wants(1) || c.wants(2) {
		return reason("its scale depends on the input")
	}
	if len(s) < 3 {
		return reason("the rank of its input is unknown")
	}
	factor := []int64{-1}
	for range len(s) - 2 {
		factor = append(factor, 1)
	}
	v := g.op("Mul", c.dy[0], g.op("Reshape", c.in(1), g.Integers(factor...)))
	c.dx[0] = g.standardise(c.in(0), v, c.float("epsilon", 1e-5), upTo(len(s))[2:])
	return nil
}

// lpNorm is the rule of y = x/‖x‖ along an axis, for the norms 1 and 2.
func lpNorm(c *call) error {
	g, axes := c.g, []int64{c.n.Int("axis", -1)}
	sum := func(v string) string { return g.Op("ReduceSum", []string{v, g.Integers(axes...)}) }
	x, y := c.in(0), c.out()
	inner := sum(g.op("Mul", c.dy[0], y))
	norm, along := "", y
	if c.n.Int("p", 2) == 1 {
		norm, along = sum(g.op("Abs", x)), g.op("Sign", x)
	} else {
		norm = g.op("Sqrt", sum(g.op("Mul", x, x)))
	}
	c.dx[0] = g.op("Div", g.op("Sub", c.dy[0], g.op("Mul", along, inner)), norm)
	return nil
}
