package exact

// sums writes the ensemble's outputs at x before the link, added up in float64
// in the order of the trees, into out (one per output). x has a value per
// feature; a value of a category variable that is none of its options is taken
// to go nowhere and its trees add nothing.
func (g *Engine) sums(x []float32, out []float64) {
	copy(out, g.base)
	for i := range g.trees {
		t := &g.trees[i]
		l := g.leafOf(t, x)
		if l == nil {
			continue
		}
		if l.output >= 0 {
			out[l.output] += l.values[0]
			continue
		}
		for o, v := range l.values {
			out[o] += v
		}
	}
}

func (g *Engine) leafOf(t *compiled, x []float32) *leaf {
	if len(g.cats) == 0 {
		at := t.root
		for at >= 0 {
			n := &t.nodes[at]
			if v := x[n.feature]; v < n.t || v != v && n.missing {
				at = n.left
			} else {
				at = n.right
			}
		}
		return &g.leaves[^at]
	}
	for l := t.first; l < t.end; l++ {
		if g.holds(&g.leaves[l], x) {
			return &g.leaves[l]
		}
	}
	return nil
}

// holds tells whether a row that is not missing anything reaches a leaf.
func (g *Engine) holds(l *leaf, x []float32) bool {
	for _, s := range l.spans {
		if v := x[s.feature]; v < s.lo || v > s.hi {
			return false
		}
	}
	if l.mask == nil {
		return true
	}
	for i := range g.cats {
		c := &g.cats[i]
		some := false
		for o := 0; o < c.options && !some; o++ {
			if l.mask[c.word+o/64]>>(o%64)&1 == 0 {
				continue
			}
			some = true
			for _, f := range c.features {
				some = some && x[f] == c.value(o, f)
			}
		}
		if !some {
			return false
		}
	}
	return true
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
