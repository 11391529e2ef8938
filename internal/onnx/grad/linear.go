package grad

import "slices"

// linear are the products of matrices.
func linear() map[string]rule {
	return map[string]rule{
		"MatMul": {shape: matmulShape, back: matmul},
		"Gemm":   {shape: gemmShape, back: gemm},
	}
}

func gemmShape(c *call) []shape {
	a, b := c.shape(0), c.shape(1)
	out := shape(open(2))
	if len(a) == 2 {
		out[0] = a[c.n.Int("transA", 0)&1]
	}
	if len(b) == 2 {
		out[1] = b[1-c.n.Int("transB", 0)&1]
	}
	return []shape{out}
}

// gemm is the rule of Y = α·A'·B' + β·C.
func gemm(c *call) error {
	g, dy := c.g, c.dy[0]
	ta, tb := c.n.Int("transA", 0), c.n.Int("transB", 0)
	alpha := Num("alpha", float32(c.float("alpha", 1)))
	product := func(a, b string, ta, tb int64) string {
		return g.Op("Gemm", []string{a, b}, alpha, Int("transA", ta), Int("transB", tb))
	}
	if c.wants(0) {
		if ta == 0 {
			c.dx[0] = product(dy, c.in(1), 0, 1-tb)
		} else {
			c.dx[0] = product(c.in(1), dy, tb, 1)
		}
	}
	if c.wants(1) {
		if tb == 0 {
			c.dx[1] = product(c.in(0), dy, 1-ta, 0)
		} else {
			c.dx[1] = product(dy, c.in(0), 1, ta)
		}
	}
	if c.wants(2) {
		if beta := c.float("beta", 1); beta != 1 {
			dy = g.op("Mul", dy, g.Number(beta, dy))
		}
		c.dx[2] = g.reduceTo(dy, c.out(), c.in(2))
	}
	return nil
}

func matmulShape(c *call) []shape {
	a, b := c.shape(0), c.shape(1)
	if len(a) == 0 || len(b) == 0 {
		return []shape{nil}
	}
	vectorA, vectorB := len(a) == 1, len(b) == 1
	if vectorA {
		a = shape{fixed(1), a[0]}
	}
	if vectorB {
		b = shape{b[0], fixed(1)}
	}
	out := slices.Clone(broadcast(a[:len(a)-2], b[:len(b)-2]))
	if !vectorA {
		out = append(out, a[len(a)-2])
	}
	if !vectorB {
		out = append(out, b[len(b)-1])
	}
	if out == nil {
		out = shape{}
	}
	return []shape{out}
}

// matmul is the rule of numpy's matmul: vectors are made matrices first, and
// what was broadcast is summed.
func matmul(c *call) error {
	g, a, b, dy := c.g, c.in(0), c.in(1), c.dy[0]
	sa, sb := c.shape(0), c.shape(1)
	if len(sa) == 0 || len(sb) == 0 {
		return reason("the rank of an operand is unknown")
	}
	if len(sa) == 1 {
		a, dy = g.op("Unsqueeze", a, g.Integers(0)), g.op("Unsqueeze", dy, g.Integers(rowAxis(len(sb))))
		sa = shape{fixed(1), sa[0]}
	}
	if len(sb) == 1 {
		b, dy = g.op("Unsqueeze", b, g.Integers(1)), g.op("Unsqueeze", dy, g.Integers(-1))
		sb = shape{sb[0], fixed(1)}
	}
	lead := broadcast(sa[:len(sa)-2], sb[:len(sb)-2])
	back := func(i int, v string, own shape) {
		switch {
		case len(own) == 2 && len(lead) > 0:
			v = g.Op("ReduceSum", []string{v, g.Integers(upTo(len(lead))...)}, Int("keepdims", 0))
		case len(own) > 2:
			v = g.reduceShapes(v, lead, own[:len(own)-2], 2, c.in(i))
		}
		if len(c.shape(i)) == 1 {
			v = g.op("Reshape", v, g.Integers(-1))
		}
		c.dx[i] = v
	}
	if c.wants(0) {
		back(0, g.op("MatMul", dy, g.transpose(b, len(sb))), sa)
	}
	if c.wants(1) {
		back(1, g.op("MatMul", g.transpose(a, len(sa)), dy), sb)
	}
	return nil
}

// rowAxis is where the missing row of a product's result goes when the left
// operand was a vector and the right one had that rank.
func rowAxis(rank int) int64 {
	if rank == 1 {
		return 0
	}
	return -2
}

func upTo(n int) []int64 {
	out := make([]int64, n)
	for i := range out {
		out[i] = int64(i)
	}
	return out
}

// transpose swaps the last two dimensions.
func (g *Graph) transpose(v string, rank int) string {
	perm := make([]int64, rank)
	for i := range perm {
		perm[i] = int64(i)
	}
	perm[rank-1], perm[rank-2] = perm[rank-2], perm[rank-1]
	return g.Op("Transpose", []string{v}, Ints("perm", perm...))
}
