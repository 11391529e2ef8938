package tree

// blockRows is how many rows pass all trees together: their values and the
// trees' stay in the cache.
const blockRows = 64

// run evaluates rows block by block. Rows with a missing value take the
// plain way of Ensemble.Margins.
func run[C, S, X number](p *Program, f *flat[C, S], x []X, out []float64) {
	features, outputs := p.e.Features, p.e.Outputs
	values := make([]C, blockRows*features)
	sums := make([]S, blockRows*outputs)
	var wide []float64
	var missing [blockRows]bool
	rows := len(out) / outputs
	for first := 0; first < rows; first += blockRows {
		n := min(blockRows, rows-first)
		any := false
		for r := range n {
			from, to := x[(first+r)*features:][:features], values[r*features:][:features]
			missing[r] = false
			for k, v := range from {
				if v != v {
					missing[r], any, v = true, true, 0
				}
				to[k] = C(v)
			}
		}
		f.block(p.e, values[:n*features], sums[:n*outputs])
		for r := range n {
			to := out[(first+r)*outputs:][:outputs]
			if any && missing[r] {
				if wide == nil {
					wide = make([]float64, features)
				}
				for k, v := range x[(first+r)*features:][:features] {
					wide[k] = float64(v)
				}
				p.e.Margins(wide, to)
				continue
			}
			for k, v := range sums[r*outputs:][:outputs] {
				to[k] = float64(v)
			}
			p.e.finish(to, p.trees)
		}
	}
}

// block adds the trees of rows without missing values.
func (f *flat[C, S]) block(e *Ensemble, x []C, sums []S) {
	if e.Outputs == 1 && !e.Average {
		for r := range sums {
			sums[r] = f.base[0]
		}
	} else {
		for r := 0; r < len(sums); r += e.Outputs {
			if clear(sums[r : r+e.Outputs]); !e.Average {
				copy(sums[r:], f.base)
			}
		}
	}
	for i := range f.trees {
		t := &f.trees[i]
		switch t.shape {
		case whole:
			f.whole(e, i, t, x, sums)
		case uneven:
			f.uneven(e, i, t, x, sums)
		default:
			f.slow(e, i, x, sums)
		}
	}
}

// reach adds the leaf with that number to the sums of one row.
func (f *flat[C, S]) reach(e *Ensemble, tree int, t *flatTree, leaf int, sums []S) {
	if t.output >= 0 {
		sums[t.output] += f.leaves[t.leaf+leaf]
		return
	}
	values := &e.Trees[tree]
	at := int(f.rows[t.leaf+leaf])
	for k := range sums {
		sums[k] += S(e.value(values, at+k))
	}
}

// over is 1 where v is over t, without a branch.
func over[C number](v, t C) int {
	if v > t {
		return 1
	}
	return 0
}

// whole takes four rows at a time down a padded tree, so that their loads
// overlap.
func (f *flat[C, S]) whole(e *Ensemble, tree int, t *flatTree, x []C, sums []S) {
	features, outputs := e.Features, e.Outputs
	tests := f.tests[t.tests : t.tests+1<<t.depth-1]
	first := len(tests)
	rows := len(sums) / outputs
	r := 0
	for ; r+4 <= rows; r += 4 {
		x0 := x[r*features:][:features]
		x1 := x[(r+1)*features:][:features]
		x2 := x[(r+2)*features:][:features]
		x3 := x[(r+3)*features:][:features]
		var i0, i1, i2, i3 int
		for range t.depth {
			t0, t1, t2, t3 := &tests[i0], &tests[i1], &tests[i2], &tests[i3]
			i0 = 2*i0 + 1 + over(x0[t0.feature], t0.t)
			i1 = 2*i1 + 1 + over(x1[t1.feature], t1.t)
			i2 = 2*i2 + 1 + over(x2[t2.feature], t2.t)
			i3 = 2*i3 + 1 + over(x3[t3.feature], t3.t)
		}
		if t.output >= 0 {
			leaves := f.leaves[t.leaf:][:first+1]
			at := r*outputs + t.output
			sums[at] += leaves[i0-first]
			sums[at+outputs] += leaves[i1-first]
			sums[at+2*outputs] += leaves[i2-first]
			sums[at+3*outputs] += leaves[i3-first]
			continue
		}
		for k, i := range [4]int{i0, i1, i2, i3} {
			f.reach(e, tree, t, i-first, sums[(r+k)*outputs:][:outputs])
		}
	}
	for ; r < rows; r++ {
		row, i := x[r*features:][:features], 0
		for range t.depth {
			i = 2*i + 1 + over(row[tests[i].feature], tests[i].t)
		}
		f.reach(e, tree, t, i-first, sums[r*outputs:][:outputs])
	}
}

// uneven takes two rows at a time down a tree until both are at leaves.
func (f *flat[C, S]) uneven(e *Ensemble, tree int, t *flatTree, x []C, sums []S) {
	features, outputs := e.Features, e.Outputs
	steps := f.steps[t.steps:]
	rows := len(sums) / outputs
	r := 0
	for ; r+2 <= rows; r += 2 {
		x0 := x[r*features:][:features]
		x1 := x[(r+1)*features:][:features]
		s0, s1 := &steps[0], &steps[0]
		for s0.leaf&s1.leaf < 0 {
			s0, s1 = &steps[int(s0.left)+over(x0[s0.feature], s0.t)], &steps[int(s1.left)+over(x1[s1.feature], s1.t)]
		}
		for s0.leaf < 0 {
			s0 = &steps[int(s0.left)+over(x0[s0.feature], s0.t)]
		}
		for s1.leaf < 0 {
			s1 = &steps[int(s1.left)+over(x1[s1.feature], s1.t)]
		}
		f.reach(e, tree, t, int(s0.leaf), sums[r*outputs:][:outputs])
		f.reach(e, tree, t, int(s1.leaf), sums[(r+1)*outputs:][:outputs])
	}
	for ; r < rows; r++ {
		row, s := x[r*features:][:features], &steps[0]
		for s.leaf < 0 {
			s = &steps[int(s.left)+over(row[s.feature], s.t)]
		}
		f.reach(e, tree, t, int(s.leaf), sums[r*outputs:][:outputs])
	}
}

// slow asks Ensemble.Leaf.
func (f *flat[C, S]) slow(e *Ensemble, tree int, x []C, sums []S) {
	row := make([]float64, e.Features)
	t := &e.Trees[tree]
	for r := 0; r < len(sums)/e.Outputs; r++ {
		for k, v := range x[r*e.Features:][:e.Features] {
			row[k] = float64(v)
		}
		at, to := int(t.Nodes[e.Leaf(tree, row)].Left), sums[r*e.Outputs:][:e.Outputs]
		if t.Output >= 0 {
			to[t.Output] += S(e.value(t, at))
			continue
		}
		for k := range to {
			to[k] += S(e.value(t, at+k))
		}
	}
}
