package grad

import (
	"slices"

	"github.com/assize/assize/internal/onnx"
)

// pools are the pooling operators.
func pools() map[string]rule {
	global := func(c *call) []shape {
		if len(c.shape(0)) < 2 {
			return []shape{nil}
		}
		return []shape{append(slices.Clone(c.shape(0)[:2]), slices.Repeat(shape{fixed(1)}, len(c.shape(0))-2)...)}
	}
	return map[string]rule{
		"MaxPool":     {shape: poolShape, back: maxPool},
		"AveragePool": {shape: poolShape, back: averagePool},
		"GlobalAveragePool": {shape: global, back: func(c *call) error {
			c.dx[0] = c.g.expandLike(c.g.op("Mul", c.dy[0], c.share(c.in(0), c.out())), c.in(0))
			return nil
		}},
		"GlobalMaxPool": {shape: global, back: func(c *call) error {
			if len(c.shape(0)) < 3 {
				return reason("the rank of its input is unknown")
			}
			axes := upTo(len(c.shape(0)))[2:]
			c.dx[0] = c.g.toExtremes(c.in(0), c.out(), c.dy[0], c.g.Integers(axes...))
			return nil
		}},
	}
}

func poolShape(c *call) []shape {
	x, k := c.shape(0), c.n.Attribute("kernel_shape")
	if len(x) < 3 || k == nil || len(k.Ints) != len(x)-2 {
		return []shape{nil, nil}
	}
	s := append(slices.Clone(x[:2]), open(len(x)-2)...)
	if w, ok := c.window(k.Ints); ok {
		s = w.slide(x, x[1])
	}
	return []shape{s, s}
}

// pool returns the window of a pool and the sizes of its input and output.
func (c *call) pool() (w *window, sizes []int64, out shape, err error) {
	k := c.n.Attribute("kernel_shape")
	sizes, static := c.spatial(0)
	if !static || k == nil || len(k.Ints) != len(sizes) {
		return nil, nil, nil, reason("the size of its input is unknown")
	}
	w, ok := c.window(k.Ints)
	if !ok {
		return nil, nil, nil, reason("its padding cannot be told")
	}
	return w, sizes, w.slide(c.shape(0), c.shape(0)[1]), nil
}

// tiles reports whether the windows lie side by side without padding, and
// how much of the input is left over at each end.
func (w *window) tiles(sizes []int64, out shape) (rest []int64, ok bool) {
	for i, k := range w.kernel {
		left := sizes[i] - out[2+i].n*k
		if w.stride[i] != k || w.dilation[i] != 1 || w.begin[i] != 0 || left < 0 || left >= k {
			return nil, false
		}
		rest = append(rest, left)
	}
	return rest, true
}

// enlarge repeats each element of v over a window.
func (g *Graph) enlarge(v string, w *window) string {
	scales := []float32{1, 1}
	for _, k := range w.kernel {
		scales = append(scales, float32(k))
	}
	// In these modes the runtime keeps its own layout of the channels.
	return g.Op("Resize", []string{v, "", g.constant(onnx.NewFloats("", []int64{int64(len(scales))}, scales))},
		text("mode", "nearest"), text("coordinate_transformation_mode", "asymmetric"), text("nearest_mode", "floor"))
}

// ranks numbers the elements of a plane from 1 downwards within each window.
func (w *window) ranks(sizes []int64) []float64 {
	var out []float64
	for i := range sizes[0] {
		for j := range sizes[1] {
			at := i%w.kernel[0]*w.kernel[1] + j%w.kernel[1]
			out = append(out, 1-float64(at)/float64(2*w.kernel[0]*w.kernel[1]))
		}
	}
	return out
}

// maxPool is the rule of MaxPool: cotangents are added up at the maximum, the
// first of equal ones. The operator's second output, added where the model
// does not ask for it, says where that is. Where the windows lie side by
// side comparisons find it in less time.
func maxPool(c *call) error {
	g := c.g
	w, sizes, out, err := c.pool()
	if err != nil {
		return err
	}
	rest, ok := w.tiles(sizes, out)
	if ok && len(sizes) == 2 && slices.Max(rest) == 0 && product(sizes) <= large && g.Type(c.in(0)) == onnx.Float {
		below := g.op("Add", c.in(0), g.enlarge(g.op("Neg", c.out()), w))
		// Hits are numbered downwards within their window; the first has the
		// largest number.
		rank := g.op("Mul", g.step(below, 1), g.Numbers(w.ranks(sizes), []int64{1, 1, sizes[0], sizes[1]}, c.in(0)))
		top := g.Op("MaxPool", []string{rank}, Ints("kernel_shape", w.kernel...), Ints("strides", w.stride...))
		first := g.step(g.op("Add", rank, g.enlarge(g.op("Neg", top), w)), 1)
		c.dx[0] = g.op("Mul", first, g.enlarge(c.dy[0], w))
		return nil
	}
	if c.n.Int("storage_order", 0) != 0 {
		return reason("its indices are column-major")
	}
	index := ""
	if len(c.n.Outputs) > 1 {
		index = c.n.Outputs[1]
	}
	if index == "" {
		index = g.fresh()
		own := *c.n
		own.Outputs = []string{c.out(), index}
		g.replace(c.n, &own)
	}
	apart := true
	for i := range w.kernel {
		apart = apart && w.reach(i) <= w.stride[i]
	}
	if apart { // no element is the maximum of two windows
		c.dx[0] = g.Op("MaxUnpool", []string{c.dy[0], index, g.op("Shape", c.in(0))},
			Ints("kernel_shape", w.kernel...), Ints("strides", w.stride...))
		return nil
	}
	flat := g.Integers(-1)
	zeros := g.op("Expand", g.Number(0, c.in(0)), g.op("Reshape", g.op("Size", c.in(0)), g.Integers(1)))
	sum := g.Op("ScatterElements", []string{zeros, g.op("Reshape", index, flat), g.op("Reshape", c.dy[0], flat)},
		Int("axis", 0), text("reduction", "add"))
	c.dx[0] = g.reshapeLike(sum, c.in(0))
	return nil
}

// averagePool is the rule of AveragePool: each cotangent, divided by what its
// window counted, spread over the window. Averaging is a matrix along each
// dimension; for small outputs multiplying by these is the fastest way.
func averagePool(c *call) error {
	g := c.g
	w, sizes, out, err := c.pool()
	if err != nil {
		return err
	}
	if planes := out[2:].size(); !planes.known() || product(w.kernel) > large || planes.n > large {
		return reason("its window or its output is too large")
	}
	padded := c.n.Int("count_include_pad", 0) == 1
	counts, even := w.counts(sizes, out, padded)
	dy := c.dy[0]
	if rest, ok := w.tiles(sizes, out); ok && even && len(sizes) == 2 && slices.Max(rest) == 0 {
		c.dx[0] = g.enlarge(g.op("Mul", dy, g.Number(1/counts[0], dy)), w)
		return nil
	}
	if shapeOut, _ := out[2:].static(); len(sizes) <= 2 && slices.Max(shapeOut) <= 16 && slices.Max(sizes) <= large/16 {
		last := len(sizes) - 1
		dy = g.op("MatMul", dy, g.Numbers(w.average(last, sizes[last], shapeOut[last], padded), []int64{shapeOut[last], sizes[last]}, dy))
		if last == 1 {
			rows := g.Numbers(w.average(0, sizes[0], shapeOut[0], padded), []int64{shapeOut[0], sizes[0]}, dy)
			dy = g.op("MatMul", g.transpose(rows, 2), dy)
		}
		c.dx[0] = dy
		return nil
	}
	ones := slices.Repeat([]float64{1}, int(product(w.kernel)))
	if even {
		for i := range ones {
			ones[i] = 1 / counts[0]
		}
	} else {
		for i := range counts {
			counts[i] = 1 / counts[i]
		}
		planes, _ := out[2:].static()
		dy = g.op("Mul", dy, g.Numbers(counts, planes, dy))
	}
	// One channel at a time, so that the kernel has one channel.
	shapeOut, _ := out[2:].static()
	dy = g.op("Reshape", dy, g.Integers(append([]int64{-1, 1}, shapeOut...)...))
	kernel := g.Numbers(ones, append([]int64{1, 1}, w.kernel...), dy)
	c.dx[0] = g.reshapeLike(g.spread(dy, kernel, w, sizes, out, 1), c.in(0))
	return nil
}

// large bounds the constants that a rule makes, in elements.
const large = 1 << 20

// product multiplies positive numbers; what is over large is large + 1.
func product(list []int64) int64 {
	n := int64(1)
	for _, v := range list {
		if v < 1 || v > large || n*v > large {
			return large + 1
		}
		n *= v
	}
	return n
}

// average returns the outputs×size matrix that averages dimension i.
func (w *window) average(i int, size, outputs int64, padded bool) []float64 {
	m := make([]float64, outputs*size)
	for o := range outputs {
		start, n := o*w.stride[i]-w.begin[i], 0.0
		for k := range w.kernel[i] {
			if at := start + k*w.dilation[i]; at >= 0 && at < size {
				m[o*size+at], n = 1, n+1
			} else if padded && at < size+w.end[i] {
				n++
			}
		}
		for at := range size {
			if m[o*size+at] != 0 {
				m[o*size+at] = 1 / n
			}
		}
	}
	return m
}

// counts returns how many elements each window averages, and whether all
// windows average as many.
func (w *window) counts(sizes []int64, out shape, padded bool) ([]float64, bool) {
	counts := []float64{1}
	for i, size := range sizes {
		var next []float64
		for _, c := range counts {
			for o := range out[2+i].n {
				n := 0
				for k := range w.kernel[i] {
					at := o*w.stride[i] - w.begin[i] + k*w.dilation[i]
					if at >= 0 && at < size || padded && at < size+w.end[i] {
						n++
					}
				}
				next = append(next, c*float64(n))
			}
		}
		counts = next
	}
	even := len(counts) > 0 && !slices.ContainsFunc(counts, func(v float64) bool { return v != counts[0] })
	return counts, even
}
