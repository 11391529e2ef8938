package tree

import (
	"fmt"
	"math"
)

// zeroWithin is the magnitude up to which LightGBM takes a value as zero.
const zeroWithin = float64(float32(1e-35))

// GoesLeft says which way the value x goes at an inner node; sets are the
// tree's. The ensemble's rounding to float32 is the caller's.
func (n *Node) GoesLeft(x float64, sets [][]uint64) bool {
	if math.IsNaN(x) {
		switch n.Missing {
		case MissingNone:
			x = 0
		case MissingCompares:
			return false
		default:
			return n.MissingLeft
		}
	} else if n.Missing == MissingZeroAndNaN && math.Abs(x) <= zeroWithin {
		return n.MissingLeft
	}
	switch n.Compare {
	case Less:
		return x < n.Threshold
	case LessOrEqual:
		return x <= n.Threshold
	case Equal:
		return x == n.Threshold
	default:
		return contains(sets[n.Set], x)
	}
}

// contains says whether x, its fraction cut off, is in the bit set.
func contains(set []uint64, x float64) bool {
	if !(x > -1 && x < float64(64*len(set))) {
		return false
	}
	i := int(x)
	return set[i/64]>>(i%64)&1 == 1
}

// Leaf returns the index in Nodes of the leaf that x, one value a feature,
// reaches in tree t.
func (e *Ensemble) Leaf(t int, x []float64) int {
	tree := &e.Trees[t]
	i := int32(0)
	for n := &tree.Nodes[0]; n.Feature >= 0; n = &tree.Nodes[i] {
		v := x[n.Feature]
		if e.Single {
			v = float64(float32(v))
		}
		i = n.Right
		if n.GoesLeft(v, tree.Sets) {
			i = n.Left
		}
	}
	return int(i)
}

// Margins writes the sums before the link of one row, Features values, to
// out, Outputs values, adding in the library's order and precision. It
// panics where the lengths differ, as an index out of range does. Many rows
// are faster through Compile.
func (e *Ensemble) Margins(x, out []float64) {
	if len(x) != e.Features || len(out) != e.Outputs {
		panic(fmt.Sprintf("tree: margins of %d values into %d, want %d into %d", len(x), len(out), e.Features, e.Outputs))
	}
	e.start(out)
	for t := range e.Trees {
		tree := &e.Trees[t]
		at := int(tree.Nodes[e.Leaf(t, x)].Left)
		first, last := tree.Output, tree.Output+1
		if tree.Output == -1 {
			first, last = 0, e.Outputs
		}
		for k := first; k < last; k++ {
			out[k] = e.add(out[k], e.value(tree, at+k-first))
		}
	}
	e.finish(out, e.perOutput())
}

// value is a leaf value times its tree's weight, rounded as the library does.
func (e *Ensemble) value(t *Tree, at int) float64 {
	if e.SingleSum {
		return float64(float32(t.Values[at]) * float32(t.Weight))
	}
	return t.Values[at] * t.Weight
}

func (e *Ensemble) add(a, b float64) float64 {
	if e.SingleSum {
		return float64(float32(a) + float32(b))
	}
	return a + b
}

// start sets what trees are added to.
func (e *Ensemble) start(out []float64) {
	clear(out)
	if !e.Average {
		copy(out, e.Base)
	}
}

// finish turns sums into averages where the ensemble has them.
func (e *Ensemble) finish(out []float64, trees []int) {
	if !e.Average {
		return
	}
	for k := range out {
		mean := out[k] / float64(max(trees[k], 1))
		if e.SingleSum {
			mean = float64(float32(out[k]) / float32(max(trees[k], 1)))
		}
		out[k] = e.add(mean, e.Base[k])
	}
}

// perOutput counts the trees that add to each output.
func (e *Ensemble) perOutput() []int {
	if !e.Average {
		return nil
	}
	n := make([]int, e.Outputs)
	for _, t := range e.Trees {
		if t.Output >= 0 {
			n[t.Output]++
			continue
		}
		for k := range n {
			n[k]++
		}
	}
	return n
}

// Predict writes what the library calls the prediction of one row to out,
// Outputs values: the link of the margins. Of two classes with one output it
// is the probability (or margin, by Link) of the second class.
func (e *Ensemble) Predict(x, out []float64) {
	e.Margins(x, out)
	e.Transform(out)
}

// Transform applies the link to the margins of one row in place.
func (e *Ensemble) Transform(out []float64) { transform(e.Link, e.Slope, out) }

// Apply is the link of one sum by itself; slope is an ensemble's Slope. Softmax
// of one sum is 1.
func (l Link) Apply(slope, sum float64) float64 {
	out := [1]float64{sum}
	transform(l, slope, out[:])
	return out[0]
}

func transform(link Link, slope float64, out []float64) {
	if link == Softmax {
		softmax(out)
		return
	}
	for k, m := range out {
		switch link {
		case Sigmoid:
			out[k] = 1 / (1 + math.Exp(-slope*m))
		case Probit:
			out[k] = math.Sqrt2 * math.Erfinv(2*m-1)
		case Step:
			out[k] = 0
			if m > 0 {
				out[k] = 1
			}
		case Exp:
			out[k] = math.Exp(m)
		case Square:
			out[k] = m * math.Abs(m)
		case Softplus:
			out[k] = math.Log1p(math.Exp(m))
		}
	}
}

func softmax(out []float64) {
	top := out[0]
	for _, m := range out {
		top = max(top, m)
	}
	sum := 0.0
	for k, m := range out {
		out[k] = math.Exp(m - top)
		sum += out[k]
	}
	for k := range out {
		out[k] /= sum
	}
}
