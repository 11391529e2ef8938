package exact

// sums writes the ensemble's outputs at x before the link, added up in float64
// in the order of the trees, into out (one per output). x has a value per
// feature; a value of a category variable that is none of its options is taken
// to go nowhere and its trees add nothing.
func (g *Engine) sums(x []float32, out []float64) {
	copy(out, g.base)
	for i := range g.trees {
		t := &g.trees[i]
		at := g.leafOf(t, x)
		if at < 0 {
			continue
		}
		l := &g.leaves[at]
		if l.output >= 0 {
			out[l.output] += l.values[0]
			continue
		}
		for o, v := range l.values {
			out[o] += v
		}
	}
}

// leafOf is the leaf that a row reaches, or -1.
func (g *Engine) leafOf(t *compiled, x []float32) int32 {
	at := t.root
	for at >= 0 {
		n := &t.nodes[at]
		left := false
		if n.cat {
			c := &g.cats[g.catOf[n.feature]]
			o := c.option(x)
			if o < 0 {
				return -1
			}
			left = n.lefts[o/64]>>(o%64)&1 == 1
		} else {
			v := x[n.feature]
			left = v < n.t || v != v && n.missing
		}
		if left {
			at = n.left
		} else {
			at = n.right
		}
	}
	return ^at
}

// option is the option of a variable that a row has, or -1.
func (c *category) option(x []float32) int {
	if !c.group {
		o := float64(x[c.features[0]]) - c.first
		if o >= 0 && o < float64(c.options) && o == float64(int(o)) {
			return int(o)
		}
		return -1
	}
	found := -1
	for o, f := range c.features {
		switch {
		case x[f] == 1 && found < 0:
			found = o
		case x[f] != 0:
			return -1
		}
	}
	return found
}

// meets tells whether an input surely meets a goal.
func (g *Engine) meets(x []float32, goal []Half, slack float64) bool {
	out := make([]float64, g.outputs)
	g.sums(x, out)
	for j := range goal {
		sum := 0.0
		for o, w := range goal[j].Weights {
			if w != 0 {
				sum += w * out[o]
			}
		}
		if !goal[j].holds(sum, slack) {
			return false
		}
	}
	return true
}
