package grad

import (
	"slices"
)

// dim is one dimension, or one integer of a small tensor: the number n where
// sym is 0, n times the dimension of that symbol where it is positive,
// unknown else.
type dim struct {
	n   int64
	sym int32
}

// shape is the dimensions of a value; nil where the rank is unknown.
type shape []dim

func fixed(n int64) dim { return dim{n: n} }

func unknown() dim { return dim{sym: -1} }

func (d dim) known() bool { return d.sym == 0 }

// same reports whether two dimensions are certainly equal.
func (d dim) same(e dim) bool { return d == e && d.sym >= 0 }

// open returns a shape of unknown dimensions.
func open(rank int) shape {
	s := make(shape, rank)
	for i := range s {
		s[i] = unknown()
	}
	return s
}

// static returns the dimensions as numbers, and whether all are known.
func (s shape) static() ([]int64, bool) {
	out := make([]int64, len(s))
	for i, d := range s {
		if !d.known() {
			return nil, false
		}
		out[i] = d.n
	}
	return out, s != nil
}

// size returns the number of elements, unknown where a dimension is.
func (s shape) size() dim {
	if s == nil {
		return unknown()
	}
	n := fixed(1)
	for _, d := range s {
		n = times(n, d)
	}
	return n
}

func times(a, b dim) dim {
	switch {
	case a.known() && b.known():
		return fixed(a.n * b.n)
	case a.known() && b.sym > 0 && a.n > 0:
		return dim{a.n * b.n, b.sym}
	case b.known() && a.sym > 0 && b.n > 0:
		return dim{a.n * b.n, a.sym}
	}
	return unknown()
}

func plus(a, b dim) dim {
	switch {
	case a.known() && b.known():
		return fixed(a.n + b.n)
	case a == fixed(0):
		return b
	case b == fixed(0):
		return a
	}
	return unknown()
}

// broadcast returns the shape of an elementwise result.
func broadcast(shapes ...shape) shape {
	rank := 0
	for _, s := range shapes {
		if s == nil {
			return nil
		}
		rank = max(rank, len(s))
	}
	out := make(shape, rank)
	for i := range out {
		out[i] = fixed(1)
		for _, s := range shapes {
			k := i - rank + len(s)
			if k < 0 {
				continue
			}
			switch d := s[k]; {
			case d == fixed(1) || d.same(out[i]):
			case out[i] == fixed(1) || d.known():
				out[i] = d
			case !out[i].known():
				out[i] = unknown()
			}
		}
	}
	return out
}

// axis makes a negative axis positive; ok is false outside the rank.
func axis(a int64, rank int) (int, bool) {
	if a < 0 {
		a += int64(rank)
	}
	return int(a), a >= 0 && a < int64(rank)
}

// reduceTo sums v, which has the shape of the value from, down to the shape
// of the value to, from which from was broadcast.
func (g *Graph) reduceTo(v, from, to string) string {
	return g.reduceShapes(v, g.shapes[from], g.shapes[to], 0, to)
}

// reduceShapes is reduceTo where v has the shape f and the value to the shape
// t, both without their last few dimensions, which agree.
func (g *Graph) reduceShapes(v string, f, t shape, last int, to string) string {
	if f == nil || t == nil || len(t) > len(f) {
		return g.reduceOpen(v, to)
	}
	lead := len(f) - len(t)
	var drop, keep []int64
	for i := range lead {
		drop = append(drop, int64(i))
	}
	for i, d := range t {
		e := f[lead+i]
		switch {
		case d.same(e), d.known() && d.n != 1:
		case d == fixed(1):
			keep = append(keep, int64(i-len(t)-last)) // from the end
		default:
			return g.reduceOpen(v, to)
		}
	}
	if len(drop) > 0 {
		v = g.Op("ReduceSum", []string{v, g.Integers(drop...)}, Int("keepdims", 0))
	}
	if len(keep) > 0 {
		v = g.Op("ReduceSum", []string{v, g.Integers(keep...)}, Int("keepdims", 1))
	}
	return v
}

// reduceOpen is reduceTo where shapes are only known at run time: it sums
// over the dimensions that differ.
func (g *Graph) reduceOpen(v, to string) string {
	want, have := g.op("Shape", to), g.op("Shape", v)
	missing := g.op("Sub", g.op("Shape", have), g.op("Shape", want))
	ones := g.op("Expand", g.Integers(1), missing)
	padded := g.Op("Concat", []string{ones, want}, Int("axis", 0))
	differ := g.op("NonZero", g.op("Not", g.op("Equal", padded, have)))
	axes := g.op("Reshape", differ, g.Integers(-1))
	v = g.Op("ReduceSum", []string{v, axes}, Int("keepdims", 1), Int("noop_with_empty_axes", 1))
	return g.op("Reshape", v, want)
}

// shapeValue returns the shape of a value as an int64 value, a constant where
// all dimensions are known.
func (g *Graph) shapeValue(name string) string {
	if s, ok := g.shapes[name].static(); ok {
		return g.Integers(s...)
	}
	return g.op("Shape", name)
}

// reshapeLike gives v the shape of the value like; v has as many elements.
func (g *Graph) reshapeLike(v, like string) string {
	return g.op("Reshape", v, g.target(g.shapes[like], like))
}

// reshapeBack is reshapeLike for a v in the shape of the value from. Rows that stay rows
// are named so, which tells the runtime that the batch is still the same.
func (g *Graph) reshapeBack(v, from, like string) string {
	f, l := g.shapes[from], g.shapes[like]
	if len(f) == 0 || len(l) < 2 || l[0].known() || !l[0].same(f[0]) {
		return g.reshapeLike(v, like)
	}
	rest, ok := l[1:].static()
	if !ok || slices.Contains(rest, 0) {
		return g.reshapeLike(v, like)
	}
	return g.op("Reshape", v, g.Integers(append([]int64{0}, rest...)...))
}

// target returns a Reshape target for the shape s, or the shape of the value
// like where more than one dimension is open.
func (g *Graph) target(s shape, like string) string {
	to := make([]int64, len(s))
	openDims := 0
	for i, d := range s {
		to[i] = d.n
		if !d.known() {
			to[i] = -1
			openDims++
		}
	}
	if s == nil || openDims > 1 || slices.Contains(to, 0) {
		return g.op("Shape", like)
	}
	return g.Integers(to...)
}

// expandLike repeats v to the shape of the value like.
func (g *Graph) expandLike(v, like string) string { return g.op("Expand", v, g.shapeValue(like)) }

// zerosLike is zeros in the shape and type of the value like.
func (g *Graph) zerosLike(like string) string {
	return g.expandLike(g.Number(0, like), like)
}
