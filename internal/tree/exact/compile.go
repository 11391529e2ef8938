package exact

import (
	"errors"
	"fmt"

	"github.com/assize/assize/internal/tree"
)

// compiled is one tree over float32 values: inner nodes only; a child below 0
// is the leaf ^child.
type compiled struct {
	nodes      []node
	root       int32
	first, end int32 // its leaves
}

type node struct {
	feature     int32
	left, right int32
	cat         bool     // of a category variable: every row follows both ways and the leaf's mask decides
	missing     bool     // a missing value goes left
	cut         int32    // number of t in Engine.cuts
	lefts       []uint64 // of a category variable: the options that go left
	t           float32  // x < t goes left
	from        float32  // the least value that goes right
	below       float32  // the greatest value that goes left
	limit       float32  // of the distance to it
}

// span is the closed range of values of a feature that reach a leaf.
type span struct {
	feature int32
	lo, hi  float32
	limit   float32 // of the distance from above; see feature.below
}

type leaf struct {
	tree   int32
	dead   bool // no option of a category reaches it
	spans  []span
	mask   []uint64  // per category variable, the options that reach it; nil: all
	values []float64 // one per output, or one of output
	output int32
}

func (l *leaf) value(weights []float64) float64 {
	if l.output >= 0 {
		return weights[l.output] * l.values[0]
	}
	sum := 0.0
	for o, v := range l.values {
		if weights[o] != 0 {
			sum += weights[o] * v
		}
	}
	return sum
}

// empty tells whether no value of a feature that is there reaches a leaf.
func (g *Engine) empty(l *leaf, missing []bool) bool {
	for i := range l.spans {
		s := &l.spans[i]
		f := &g.feats[s.feature]
		if (missing == nil || !missing[s.feature]) && max(s.lo, f.lo) > min(s.hi, f.hi) {
			return true
		}
	}
	return l.dead
}

// compile adds a tree. A tree must be one: children stand behind their parent
// and each is reached once, so that the work is bounded by its size.
func (g *Engine) compile(e *tree.Ensemble, t *tree.Tree, counts []float64) error {
	if len(t.Nodes) == 0 {
		return errors.New("it has no nodes")
	}
	if t.Output < -1 || t.Output >= g.outputs {
		return fmt.Errorf("output %d: %w", t.Output, errRange)
	}
	parents := make([]uint8, len(t.Nodes))
	b := builder{g: g, e: e, t: t, counts: counts, parents: parents, tree: int32(len(g.trees))}
	b.out.first = int32(len(g.leaves))
	b.top = make([]float64, g.outputs)
	if err := b.walk(); err != nil {
		return err
	}
	b.out.end = int32(len(g.leaves))
	for o := range b.top {
		g.spread[o] += b.top[o]
	}
	g.trees = append(g.trees, b.out)
	return nil
}

type builder struct {
	g       *Engine
	e       *tree.Ensemble
	t       *tree.Tree
	counts  []float64
	parents []uint8
	tree    int32
	out     compiled
	top     []float64
}

// pending is a node whose path is known.
type pending struct {
	index int32
	slot  int32 // where its number goes: inner node*2 + side, or -1 for the root
	spans []span
	mask  []uint64
	dead  bool
}

func (b *builder) walk() error {
	stack := []pending{{index: 0, slot: -1}}
	for len(stack) > 0 {
		p := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		n := &b.t.Nodes[p.index]
		if n.Feature == -1 {
			if err := b.leaf(p, n); err != nil {
				return err
			}
			continue
		}
		left, right, err := b.inner(p, n)
		if err != nil {
			return err
		}
		stack = append(stack, right, left)
	}
	return nil
}

func (b *builder) place(slot, number int32) {
	switch {
	case slot < 0:
		b.out.root = number
	case slot%2 == 0:
		b.out.nodes[slot/2].left = number
	default:
		b.out.nodes[slot/2].right = number
	}
}

func (b *builder) leaf(p pending, n *tree.Node) error {
	width := 1
	if b.t.Output == -1 {
		width = b.g.outputs
	}
	if n.Left < 0 || int(n.Left)+width > len(b.t.Values) {
		return fmt.Errorf("node %d: value %d: %w", p.index, n.Left, errRange)
	}
	l := leaf{tree: b.tree, dead: p.dead, spans: p.spans, mask: p.mask, output: int32(b.t.Output), values: make([]float64, width)}
	for i := range width {
		o := i
		if b.t.Output >= 0 {
			o = b.t.Output
		}
		v := b.t.Values[int(n.Left)+i] * b.t.Weight / b.counts[o]
		if v-v != 0 {
			return fmt.Errorf("node %d: the value of a leaf is not finite", p.index)
		}
		l.values[i] = v
		b.top[o] = max(b.top[o], v, -v)
	}
	b.place(p.slot, ^int32(len(b.g.leaves)))
	b.g.leaves = append(b.g.leaves, l)
	return nil
}

func (b *builder) inner(p pending, n *tree.Node) (left, right pending, err error) {
	for _, c := range []int32{n.Left, n.Right} {
		if c <= p.index || int(c) >= len(b.t.Nodes) || b.parents[c] > 0 {
			return left, right, fmt.Errorf("node %d: child %d: not a tree", p.index, c)
		}
		b.parents[c]++
	}
	if n.Feature < 0 || int(n.Feature) >= len(b.g.feats) {
		return left, right, fmt.Errorf("node %d: feature %d: %w", p.index, n.Feature, errRange)
	}
	number := int32(len(b.out.nodes))
	b.place(p.slot, number)
	out := node{feature: n.Feature}
	left = pending{index: n.Left, slot: 2 * number, dead: p.dead}
	right = pending{index: n.Right, slot: 2*number + 1, dead: p.dead}
	if c := b.g.catOf[n.Feature]; c >= 0 {
		out.cat = true
		out.lefts = b.g.cats[c].lefts(n, b.t, b.e.Single)
		left.spans, right.spans = p.spans, p.spans
		left.mask, left.dead = b.g.narrow(p, int(c), out.lefts, true)
		right.mask, right.dead = b.g.narrow(p, int(c), out.lefts, false)
		b.out.nodes = append(b.out.nodes, out)
		return left, right, nil
	}
	if out.t, err = Cut(n, b.e.Single); err != nil {
		return left, right, fmt.Errorf("node %d: %w", p.index, err)
	}
	switch n.Missing {
	case tree.MissingNone:
		out.missing = 0 < out.t
	case tree.MissingNaN:
		out.missing = n.MissingLeft
	case tree.MissingZeroAndNaN:
		out.missing = n.MissingLeft
		if n.MissingLeft != (0 < out.t) {
			return left, right, fmt.Errorf("node %d: zero counts as missing and goes the other way than its neighbours\nhint: exact search takes ranges only; train with zero_as_missing off", p.index)
		}
	case tree.MissingCompares:
		out.missing = false
	}
	f := &b.g.feats[n.Feature]
	out.from = f.from(out.t)
	out.below, out.limit = f.below(out.t)
	left.spans = clip(p.spans, span{feature: n.Feature, lo: f.lo, hi: out.below, limit: out.limit})
	right.spans = clip(p.spans, span{feature: n.Feature, lo: out.from, hi: f.hi, limit: f.hi})
	left.mask, right.mask = p.mask, p.mask
	b.out.nodes = append(b.out.nodes, out)
	return left, right, nil
}

// clip is a copy of spans with one more condition.
func clip(spans []span, c span) []span {
	out := make([]span, len(spans), len(spans)+1)
	copy(out, spans)
	for i := range out {
		if s := &out[i]; s.feature == c.feature {
			s.lo = max(s.lo, c.lo)
			if c.hi < s.hi {
				s.hi, s.limit = c.hi, c.limit
			}
			return out
		}
	}
	return append(out, c)
}
