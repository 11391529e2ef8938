package tree

import (
	"fmt"
	"math"
)

// Program is an ensemble laid out for evaluation of many rows. It is
// read-only and may be used by many goroutines at once.
type Program struct {
	e     *Ensemble
	trees []int // per output, for averages
	// One of these is set, by the precision of comparison and of the sum.
	single *flat[float32, float32]
	mixed  *flat[float32, float64]
	double *flat[float64, float64]
}

type number interface{ ~float32 | ~float64 }

// Compile lays the ensemble out for Program.Margins. The ensemble must pass
// Check and must not change while the program is in use.
func (e *Ensemble) Compile() *Program {
	p := &Program{e: e, trees: e.perOutput()}
	switch {
	case e.Single && e.SingleSum:
		p.single = flatten[float32, float32](e)
	case e.Single:
		p.mixed = flatten[float32, float64](e)
	default:
		p.double = flatten[float64, float64](e)
	}
	return p
}

// Margins writes what Ensemble.Margins gives for each row of x, Features
// values a row, to out, Outputs values a row, bit for bit. It panics where
// the lengths do not fit.
func (p *Program) Margins(x, out []float64) { margins(p, x, out) }

// Margins32 is Margins for rows in float32.
func (p *Program) Margins32(x []float32, out []float64) { margins(p, x, out) }

// Predict is Margins with the link behind it.
func (p *Program) Predict(x, out []float64) {
	margins(p, x, out)
	for k := p.e.Outputs; k <= len(out); k += p.e.Outputs {
		p.e.Transform(out[k-p.e.Outputs : k])
	}
}

func margins[X number](p *Program, x []X, out []float64) {
	rows := len(out) / p.e.Outputs
	if len(out)%p.e.Outputs != 0 || len(x) != rows*p.e.Features {
		panic(fmt.Sprintf("tree: margins of %d values into %d, want %d and %d a row", len(x), len(out), p.e.Features, p.e.Outputs))
	}
	switch {
	case p.single != nil:
		run(p, p.single, x, out)
	case p.mixed != nil:
		run(p, p.mixed, x, out)
	default:
		run(p, p.double, x, out)
	}
}

// flat holds trees by precision of comparison C and of the sum S.
type flat[C, S number] struct {
	base   []S
	trees  []flatTree
	tests  []test[C] // of whole trees
	right  []int8    // 1 where a missing value goes right, as tests
	steps  []step[C] // of uneven trees
	turns  []int8    // 1 where a missing value goes right, as steps
	leaves []S       // values, Outputs of them a leaf where Tree.Output is -1
}

// test asks whether x[feature] is at most t: the left child is at 2i+1, the
// right one at 2i+2.
type test[C number] struct {
	t       C
	feature int32
}

// step is a test whose children stand together at left and left+1. A leaf
// leads to itself.
type step[C number] struct {
	t       C
	feature int32
	left    int32
	leaf    int32 // the leaf's number in its tree; -1 at a test
}

// flatTree says where a tree lies. A tree that one comparison a node cannot
// express is slow and evaluated by Ensemble.Leaf.
type flatTree struct {
	output, depth      int
	tests, steps, leaf int
	shape              shape
}

type shape uint8

const (
	whole  shape = iota // padded to a full binary tree
	uneven              // with children anywhere
	slow
)

// maxWhole is the depth up to which a tree may be padded, and maxPadding by
// how much it may grow.
const (
	maxWhole   = 6
	maxPadding = 4
)

func flatten[C, S number](e *Ensemble) *flat[C, S] {
	f := &flat[C, S]{}
	for _, b := range e.Base {
		f.base = append(f.base, S(b))
	}
	for i := range e.Trees {
		f.add(e, &e.Trees[i])
	}
	return f
}

// limit returns the largest value that goes left.
func limit[C number](n *Node) C {
	t := C(n.Threshold)
	if n.Compare != Less {
		return t
	}
	switch v := any(&t).(type) {
	case *float32:
		*v = math.Nextafter32(*v, float32(math.Inf(-1)))
	case *float64:
		*v = math.Nextafter(*v, math.Inf(-1))
	}
	return t
}

// missingRight is 1 where a missing value goes right.
func (n *Node) missingRight() int8 {
	if n.GoesLeft(math.NaN(), nil) {
		return 0
	}
	return 1
}

func (f *flat[C, S]) add(e *Ensemble, t *Tree) {
	ft := flatTree{output: t.Output, tests: len(f.tests), steps: len(f.steps), leaf: len(f.leaves)}
	depth := make([]int, len(t.Nodes))
	for i, n := range t.Nodes {
		ft.depth = max(ft.depth, depth[i])
		if n.Feature < 0 {
			continue
		}
		depth[n.Left], depth[n.Right] = depth[i]+1, depth[i]+1
		if n.Compare == Equal || n.Compare == In || n.Missing == MissingZeroAndNaN || n.Compare == Less && math.IsInf(n.Threshold, -1) {
			ft.shape = slow
		}
	}
	switch {
	case ft.shape == slow:
	case ft.depth <= maxWhole && 1<<ft.depth <= maxPadding*(len(t.Nodes)+1)/2:
		f.addWhole(e, t, &ft)
	default:
		ft.shape = uneven
		f.addUneven(e, t)
	}
	f.trees = append(f.trees, ft)
}

// keep appends a leaf's value or values.
func (f *flat[C, S]) keep(e *Ensemble, t *Tree, leaf *Node) {
	width := 1
	if t.Output == -1 {
		width = e.Outputs
	}
	for k := range width {
		f.leaves = append(f.leaves, S(e.value(t, int(leaf.Left)+k)))
	}
}

func (f *flat[C, S]) addWhole(e *Ensemble, t *Tree, ft *flatTree) {
	level := []int32{0}
	for range ft.depth {
		next := make([]int32, 0, 2*len(level))
		for _, i := range level {
			n := &t.Nodes[i]
			if n.Feature < 0 {
				f.tests = append(f.tests, test[C]{t: C(math.Inf(1))})
				f.right = append(f.right, 0)
				next = append(next, i, i)
				continue
			}
			f.tests = append(f.tests, test[C]{t: limit[C](n), feature: n.Feature})
			f.right = append(f.right, n.missingRight())
			next = append(next, n.Left, n.Right)
		}
		level = next
	}
	for _, i := range level {
		f.keep(e, t, &t.Nodes[i])
	}
}

func (f *flat[C, S]) addUneven(e *Ensemble, t *Tree) {
	first, leaves := len(f.steps), int32(0)
	queue := []int32{0}
	f.steps, f.turns = append(f.steps, step[C]{}), append(f.turns, 0)
	for at := 0; at < len(queue); at++ {
		n := &t.Nodes[queue[at]]
		if n.Feature < 0 {
			f.steps[first+at] = step[C]{t: C(math.Inf(1)), left: int32(at), leaf: leaves}
			f.keep(e, t, n)
			leaves++
			continue
		}
		f.steps[first+at] = step[C]{t: limit[C](n), feature: n.Feature, left: int32(len(queue)), leaf: -1}
		f.turns[first+at] = n.missingRight()
		queue = append(queue, n.Left, n.Right)
		f.steps, f.turns = append(f.steps, step[C]{}, step[C]{}), append(f.turns, 0, 0)
	}
}
