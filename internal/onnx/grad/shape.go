package grad

import "slices"

// shapes are the operators that move elements without changing them.
func shapes() map[string]rule {
	like := func(c *call) error { c.dx[0] = c.g.reshapeBack(c.dy[0], c.out(), c.in(0)); return nil }
	return map[string]rule{
		"Reshape":   {shape: reshapeShape, back: like},
		"Flatten":   {shape: flattenShape, back: like},
		"Squeeze":   {shape: squeezeShape, back: like},
		"Unsqueeze": {shape: unsqueezeShape, back: like},
		"Transpose": {shape: transposeShape, back: func(c *call) error {
			perm := c.permutation()
			if perm == nil {
				c.dx[0] = c.g.Op("Transpose", []string{c.dy[0]})
				return nil
			}
			inverse := make([]int64, len(perm))
			for i, p := range perm {
				k, ok := axis(p, len(perm))
				if !ok {
					return reason("its permutation is outside its input")
				}
				inverse[k] = int64(i)
			}
			c.dx[0] = c.g.Op("Transpose", []string{c.dy[0]}, Ints("perm", inverse...))
			return nil
		}},
		"Expand": {shape: expandShape, back: func(c *call) error {
			c.dx[0] = c.g.reduceTo(c.dy[0], c.out(), c.in(0))
			return nil
		}},
		"Tile":         {shape: tileShape, back: tile},
		"DepthToSpace": {shape: depthToSpaceShape, back: depthToSpace},
		"SpaceToDepth": {shape: spaceToDepthShape, back: func(c *call) error {
			c.dx[0] = c.g.Op("DepthToSpace", []string{c.dy[0]}, Int("blocksize", c.n.Int("blocksize", 1)))
			return nil
		}},
	}
}

func reshapeShape(c *call) []shape {
	x, target := c.shape(0), c.g.ints[c.in(1)]
	if target == nil {
		if s := c.shape(1); len(s) == 1 && s[0].known() && s[0].n <= small {
			return []shape{open(int(s[0].n))}
		}
		return []shape{nil}
	}
	out, rest := make(shape, len(target)), -1
	for i, d := range target {
		switch {
		case d == fixed(-1):
			rest = i
			d = unknown()
		case d == fixed(0) && c.n.Int("allowzero", 0) == 0:
			d = unknown()
			if i < len(x) {
				d = x[i]
			}
		}
		out[i] = d
	}
	if rest < 0 || x == nil {
		return []shape{out}
	}
	// The open dimension is what remains: symbols on both sides cancel.
	left, right := slices.Clone(x), slices.Delete(slices.Clone(out), rest, rest+1)
	for i := 0; i < len(right); {
		if at := slices.IndexFunc(left, right[i].same); at >= 0 {
			left, right = slices.Delete(left, at, at+1), slices.Delete(right, i, i+1)
			continue
		}
		i++
	}
	n, m := left.size(), shape(append(shape{}, right...)).size()
	switch {
	case m == fixed(1):
		out[rest] = n
	case n.known() && m.known() && m.n > 0:
		out[rest] = fixed(n.n / m.n)
	case m.known() && m.n > 0:
		out[rest] = quotient(left, m.n)
	}
	return []shape{out}
}

// quotient is the size of s over n where one symbol and a multiple of n make
// it up.
func quotient(s shape, n int64) dim {
	symbol, rest := fixed(1), int64(1)
	for _, d := range s {
		switch {
		case d.known():
			rest *= d.n
		case d.sym > 0 && symbol == fixed(1):
			symbol, rest = dim{1, d.sym}, rest*d.n
		default:
			return unknown()
		}
	}
	if rest%n != 0 {
		return unknown()
	}
	return times(symbol, fixed(rest/n))
}

func flattenShape(c *call) []shape {
	s := c.shape(0)
	if s == nil {
		return []shape{open(2)}
	}
	at := int(c.n.Int("axis", 1))
	if at < 0 {
		at += len(s)
	}
	if at < 0 || at > len(s) {
		return []shape{nil}
	}
	return []shape{{s[:at:at].size(), s[at:].size()}}
}

func squeezeShape(c *call) []shape {
	s := c.shape(0)
	axes, ok := c.integers(1, "axes")
	if s == nil || c.has(1) && !ok {
		return []shape{nil}
	}
	if !c.has(1) {
		for i, d := range s {
			if !d.known() {
				return []shape{nil}
			}
			if d.n == 1 {
				axes = append(axes, int64(i))
			}
		}
	}
	return []shape{reduced(s, axes, false)}
}

func unsqueezeShape(c *call) []shape {
	s := c.shape(0)
	axes, ok := c.integers(1, "axes")
	if s == nil || !ok {
		return []shape{nil}
	}
	out := make(shape, len(s)+len(axes))
	at := map[int]bool{}
	for _, a := range axes {
		k, ok := axis(a, len(out))
		if !ok {
			return []shape{nil}
		}
		at[k] = true
	}
	rest := s
	for i := range out {
		if at[i] {
			out[i] = fixed(1)
		} else if len(rest) > 0 {
			out[i], rest = rest[0], rest[1:]
		}
	}
	return []shape{out}
}

// permutation returns the attribute perm, or the reversal of a known rank;
// nil where the rank is unknown.
func (c *call) permutation() []int64 {
	if a := c.n.Attribute("perm"); a != nil {
		return a.Ints
	}
	if c.shape(0) == nil {
		return nil
	}
	perm := upTo(len(c.shape(0)))
	slices.Reverse(perm)
	return perm
}

func transposeShape(c *call) []shape {
	s, perm := c.shape(0), c.permutation()
	if s == nil || len(perm) != len(s) {
		return []shape{nil}
	}
	out := make(shape, len(s))
	for i, p := range perm {
		k, ok := axis(p, len(s))
		if !ok {
			return []shape{nil}
		}
		out[i] = s[k]
	}
	return []shape{out}
}

func expandShape(c *call) []shape {
	target := c.g.ints[c.in(1)]
	if target == nil {
		return []shape{nil}
	}
	return []shape{broadcast(c.shape(0), target)}
}

func tileShape(c *call) []shape {
	s := slices.Clone(c.shape(0))
	repeats := c.g.ints[c.in(1)]
	if s == nil || len(repeats) != len(s) {
		return []shape{nil}
	}
	for i := range s {
		s[i] = times(s[i], repeats[i])
	}
	return []shape{s}
}

// tile sums over the repetitions.
func tile(c *call) error {
	repeats, ok := c.integers(1, "")
	s := c.shape(0)
	if !ok || len(repeats) != len(s) {
		return reason("its repeats are computed")
	}
	var split, axes []int64
	openDims := 0
	for i, r := range repeats {
		n := s[i].n
		if !s[i].known() {
			n = -1
			openDims++
		}
		axes = append(axes, int64(len(split)))
		split = append(split, r, n)
	}
	if openDims > 1 {
		return reason("the size of its input is unknown")
	}
	v := c.g.op("Reshape", c.dy[0], c.g.Integers(split...))
	c.dx[0] = c.g.Op("ReduceSum", []string{v, c.g.Integers(axes...)}, Int("keepdims", 0))
	return nil
}

func depthToSpaceShape(c *call) []shape {
	s, b := c.shape(0), c.n.Int("blocksize", 1)
	if len(s) != 4 || !s[1].known() || b < 1 || b > large {
		return []shape{nil}
	}
	return []shape{{s[0], fixed(s[1].n / (b * b)), times(s[2], fixed(b)), times(s[3], fixed(b))}}
}

func spaceToDepthShape(c *call) []shape {
	s, b := c.shape(0), c.n.Int("blocksize", 1)
	if len(s) != 4 || !s[2].known() || !s[3].known() || b < 1 || b > large {
		return []shape{nil}
	}
	return []shape{{s[0], times(s[1], fixed(b*b)), fixed(s[2].n / b), fixed(s[3].n / b)}}
}

func depthToSpace(c *call) error {
	g, b, dy := c.g, c.n.Int("blocksize", 1), c.dy[0]
	if b < 1 || b > large {
		return reason("its block size is out of range")
	}
	if c.text("mode", "DCR") == "DCR" {
		c.dx[0] = g.Op("SpaceToDepth", []string{dy}, Int("blocksize", b))
		return nil
	}
	s, ok := c.spatial(0)
	if !ok || len(s) != 2 || !c.shape(0)[1].known() {
		return reason("the size of its input is unknown")
	}
	dy = g.op("Reshape", dy, g.Integers(-1, c.shape(0)[1].n/(b*b), s[0], b, s[1], b))
	dy = g.Op("Transpose", []string{dy}, Ints("perm", 0, 1, 3, 5, 2, 4))
	c.dx[0] = g.reshapeLike(dy, c.in(0))
	return nil
}
