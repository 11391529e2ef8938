package tree

// blockRows is how many rows pass all trees together: their values and the
// trees' stay in the cache.
const blockRows = 64

// run evaluates rows block by block. Blocks with a missing value take the
// way that asks for it at every test.
func run[C, S, X number](p *Program, f *flat[C, S], x []X, out []float64) {
	features, outputs := p.e.Features, p.e.Outputs
	rows := len(out) / outputs
	values := make([]C, min(rows, blockRows)*features)
	sums := make([]S, min(rows, blockRows)*outputs)
	for first := 0; first < rows; first += blockRows {
		n := min(blockRows, rows-first)
		missing := false
		for k, v := range x[first*features:][:n*features] {
			missing = missing || v != v
			values[k] = C(v)
		}
		f.block(p.e, values[:n*features], sums[:n*outputs], missing)
		for r := range n {
			to := out[(first+r)*outputs:][:outputs]
			for k, v := range sums[r*outputs:][:outputs] {
				to[k] = float64(v)
			}
			p.e.finish(to, p.trees)
		}
	}
}

// block adds the trees of a block of rows, of which some may have missing values.
func (f *flat[C, S]) block(e *Ensemble, x []C, sums []S, missing bool) {
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
			if missing {
				f.wholeMissing(e, t, x, sums)
				continue
			}
			f.whole(e, t, x, sums)
		case uneven:
			if missing {
				f.unevenMissing(e, t, x, sums)
				continue
			}
			f.uneven(e, t, x, sums)
		default:
			f.slow(e, i, x, sums)
		}
	}
}

// reach adds the leaf with that number to the sums of one row.
func (f *flat[C, S]) reach(t *flatTree, leaf int, sums []S) {
	if t.output >= 0 {
		sums[t.output] += f.leaves[t.leaf+leaf]
		return
	}
	at := t.leaf + leaf*len(sums)
	for k, v := range f.leaves[at:][:len(sums)] {
		sums[k] += v
	}
}

// over is 1 where v is over t, without a branch.
func over[C number](v, t C) int {
	if v > t {
		return 1
	}
	return 0
}

// astray is over, but right where v is missing.
func astray[C number](v, t C, right int8) int {
	if v != v {
		return int(right)
	}
	return over(v, t)
}

// wholeMissing is whole for rows with missing values.
func (f *flat[C, S]) wholeMissing(e *Ensemble, t *flatTree, x []C, sums []S) {
	features, outputs := e.Features, e.Outputs
	tests := f.tests[t.tests : t.tests+1<<t.depth-1]
	right := f.right[t.tests:][:len(tests)]
	for r := range len(sums) / outputs {
		row, i := x[r*features:][:features], 0
		for range t.depth {
			i = 2*i + 1 + astray(row[tests[i].feature], tests[i].t, right[i])
		}
		f.reach(t, i-len(tests), sums[r*outputs:][:outputs])
	}
}

// whole takes four rows at a time down a padded tree, so that their loads
// overlap.
func (f *flat[C, S]) whole(e *Ensemble, t *flatTree, x []C, sums []S) {
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
			f.reach(t, i-first, sums[(r+k)*outputs:][:outputs])
		}
	}
	for ; r < rows; r++ {
		row, i := x[r*features:][:features], 0
		for range t.depth {
			i = 2*i + 1 + over(row[tests[i].feature], tests[i].t)
		}
		f.reach(t, i-first, sums[r*outputs:][:outputs])
	}
}

// uneven takes four rows at a time down a tree until all are at leaves, which
// lead to themselves.
func (f *flat[C, S]) uneven(e *Ensemble, t *flatTree, x []C, sums []S) {
	features, outputs := e.Features, e.Outputs
	steps := f.steps[t.steps:]
	rows := len(sums) / outputs
	r := 0
	for ; r+4 <= rows; r += 4 {
		x0 := x[r*features:][:features]
		x1 := x[(r+1)*features:][:features]
		x2 := x[(r+2)*features:][:features]
		x3 := x[(r+3)*features:][:features]
		s0, s1, s2, s3 := &steps[0], &steps[0], &steps[0], &steps[0]
		for s0.leaf|s1.leaf|s2.leaf|s3.leaf < 0 {
			s0 = &steps[int(s0.left)+over(x0[s0.feature], s0.t)]
			s1 = &steps[int(s1.left)+over(x1[s1.feature], s1.t)]
			s2 = &steps[int(s2.left)+over(x2[s2.feature], s2.t)]
			s3 = &steps[int(s3.left)+over(x3[s3.feature], s3.t)]
		}
		if t.output >= 0 {
			leaves, at := f.leaves[t.leaf:], r*outputs+t.output
			sums[at] += leaves[s0.leaf]
			sums[at+outputs] += leaves[s1.leaf]
			sums[at+2*outputs] += leaves[s2.leaf]
			sums[at+3*outputs] += leaves[s3.leaf]
			continue
		}
		for k, leaf := range [4]int32{s0.leaf, s1.leaf, s2.leaf, s3.leaf} {
			f.reach(t, int(leaf), sums[(r+k)*outputs:][:outputs])
		}
	}
	for ; r < rows; r++ {
		row, s := x[r*features:][:features], &steps[0]
		for s.leaf < 0 {
			s = &steps[int(s.left)+over(row[s.feature], s.t)]
		}
		f.reach(t, int(s.leaf), sums[r*outputs:][:outputs])
	}
}

// unevenMissing is uneven for rows with missing values.
func (f *flat[C, S]) unevenMissing(e *Ensemble, t *flatTree, x []C, sums []S) {
	features, outputs := e.Features, e.Outputs
	steps, turns := f.steps[t.steps:], f.turns[t.steps:]
	for r := range len(sums) / outputs {
		row, i := x[r*features:][:features], 0
		for steps[i].leaf < 0 {
			s := &steps[i]
			i = int(s.left) + astray(row[s.feature], s.t, turns[i])
		}
		f.reach(t, int(steps[i].leaf), sums[r*outputs:][:outputs])
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
