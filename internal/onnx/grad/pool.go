package grad

import (
	"encoding/binary"
	"math"
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

// enlarge repeats each element of v over a window, to the shape of the value like.
func (g *Graph) enlarge(v string, w *window, like string) string {
	scales := []float32{1, 1}
	for _, k := range w.kernel {
		scales = append(scales, float32(k))
	}
	// In these modes the runtime keeps its own layout of the channels.
	out := g.Op("Resize", []string{v, "", g.constant(onnx.NewFloats("", []int64{int64(len(scales))}, scales))},
		text("mode", "nearest"), text("coordinate_transformation_mode", "asymmetric"), text("nearest_mode", "floor"))
	g.declareLike(out, like)
	return out
}

// The runtime's convolutions and pools keep channels in blocks of this many; what such
// a layer made stays in that layout as long as operators follow that know it.
const block = 16

// blocked scales v by a factor, and leaves it where a layer can go on in its layout:
// only a convolution takes a value into it.
func (g *Graph) blocked(v string, channels dim, factor float64) string {
	if !channels.known() || channels.n < 1 || channels.n > large/block || channels.n%block != 0 || g.Type(v) != onnx.Float {
		return g.op("Mul", v, g.Number(factor, v))
	}
	weight := g.Numbers(slices.Repeat([]float64{factor}, int(channels.n)), []int64{channels.n, 1, 1, 1}, v)
	return g.Op("Conv", []string{v, weight}, Ints("kernel_shape", 1, 1), Int("group", channels.n))
}

// maxPool is the rule of MaxPool: cotangents are added up at the maximum, the
// first of equal ones. The operator's second output, added where the model
// does not ask for it, says where that is, but with it the runtime's pool is
// fifty times slower. Where windows lie side by side firsts finds the places.
func maxPool(c *call) error {
	g := c.g
	w, sizes, out, err := c.pool()
	if err != nil {
		return err
	}
	unpool := func(index string) string {
		to := g.op("Shape", c.in(0))
		if row, ok := c.shape(0)[1:].static(); ok { // reading the input would move it to another layout
			to = g.Op("Concat", []string{g.rows(c.dy[0]), g.Integers(row...)}, Int("axis", 0))
		}
		v := g.Op("MaxUnpool", []string{c.dy[0], index, to}, Ints("kernel_shape", w.kernel...), Ints("strides", w.stride...))
		g.declareLike(v, c.in(0))
		return v
	}
	if rest, ok := w.tiles(sizes, out); ok && slices.Max(rest) == 0 {
		if index, ok := c.firsts(w, sizes, out); ok {
			c.dx[0] = unpool(index)
			return nil
		}
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
		c.dx[0] = unpool(index)
		return nil
	}
	flat := g.Integers(-1)
	zeros := g.op("Expand", g.Number(0, c.in(0)), g.op("Reshape", g.op("Size", c.in(0)), g.Integers(1)))
	sum := g.Op("ScatterElements", []string{zeros, g.op("Reshape", index, flat), g.op("Reshape", c.dy[0], flat)},
		Int("axis", 0), text("reduction", "add"))
	c.dx[0] = g.reshapeLike(sum, c.in(0))
	return nil
}

// firsts returns where the first maximum of each window is among all elements
// of the input, as MaxPool's second output has it. Elements that equal their window's
// maximum are ones, others are zeros. Their sum, each weighted by 2^-i where it is i
// elements from the corner of the window, is dominated by the first: the logarithm has its place.
func (c *call) firsts(w *window, sizes []int64, out shape) (string, bool) {
	g, x, channels := c.g, c.in(0), out[1]
	outs, ok := out[1:].static()
	if !ok || len(sizes) != 2 || g.Type(x) != onnx.Float || product(outs) > large || channels.n > large/farthest {
		return "", false
	}
	if w.kernel[0] > farthest || (w.kernel[0]-1)*sizes[1]+w.kernel[1]-1 > farthest {
		return "", false
	}
	var places []int64
	for i := range w.kernel[0] {
		for j := range w.kernel[1] {
			places = append(places, i*sizes[1]+j)
		}
	}
	if !dominated(places) {
		return "", false
	}
	var weights []float64
	for range channels.n {
		for _, at := range places {
			weights = append(weights, math.Exp2(-float64(at)-roundUp))
		}
	}
	below := g.op("Add", g.blocked(x, channels, -1), g.enlarge(c.out(), w, x))
	hit := g.Op("HardSigmoid", []string{below}, Num("alpha", -3e38), Num("beta", 1))
	sum := g.Op("Conv", []string{hit, g.Numbers(weights, append([]int64{channels.n, 1}, w.kernel...), x)},
		Ints("kernel_shape", w.kernel...), Ints("strides", w.stride...), Int("group", channels.n))
	// Integers of 32 bits are several times faster as far as they do.
	place := g.Op("Cast", []string{g.op("Mul", g.op("Log", sum), g.Number(-1/math.Ln2, x))}, Int("to", int64(onnx.Int32)))
	// Without any number in the window there is no sum: the place is one of the window all the same.
	place = g.op("Clip", place, g.whole(nil, 0), g.whole(nil, int32(places[len(places)-1])))
	var corners []int32
	for ch := range outs[0] {
		for i := range outs[1] {
			for j := range outs[2] {
				corners = append(corners, int32((ch*sizes[0]+i*w.kernel[0])*sizes[1]+j*w.kernel[1]))
			}
		}
	}
	place = g.op("Add", place, g.whole(append([]int64{1}, outs...), corners...))
	place = g.Op("Cast", []string{place}, Int("to", int64(onnx.Int64)))
	rows := g.op("Range", g.Integer(0), g.op("Squeeze", g.rows(c.dy[0])), g.Integer(1))
	rows = g.op("Mul", rows, g.Integer(outs[0]*sizes[0]*sizes[1]))
	return g.op("Add", place, g.op("Reshape", rows, g.Integers(-1, 1, 1, 1))), true
}

// The places that firsts can tell: 2^-farthest is a number of 32 bits, and what follows the
// first of a window moves its logarithm by less than roundUp, which makes it round to the right side.
const (
	farthest = 120
	roundUp  = 0.95
)

// dominated tells whether a sum of 2^-i over any of the places that begins with one of
// them is less than 2^(roundUp-0.03) times its first.
func dominated(places []int64) bool {
	for k, first := range places {
		sum := 0.0
		for _, at := range places[k:] {
			sum += math.Exp2(float64(first - at))
		}
		if math.Log2(sum) > roundUp-0.03 {
			return false
		}
	}
	return true
}

// whole adds a constant of int32.
func (g *Graph) whole(dims []int64, values ...int32) string {
	raw := make([]byte, 0, 4*len(values))
	for _, v := range values {
		raw = binary.LittleEndian.AppendUint32(raw, uint32(v))
	}
	return g.constant(&onnx.Tensor{Type: onnx.Int32, Dims: dims, HasRaw: true, Raw: raw})
}

// rows returns the number of rows of a value, as a list of one.
func (g *Graph) rows(v string) string {
	return g.Op("Shape", []string{v}, Int("start", 0), Int("end", 1))
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
		c.dx[0] = g.enlarge(g.blocked(dy, out[1], 1/counts[0]), w, c.in(0))
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
