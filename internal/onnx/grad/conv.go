package grad

import "slices"

// convolutions are Conv and ConvTranspose, of any number of dimensions.
func convolutions() map[string]rule {
	return map[string]rule{
		"Conv":          {shape: convShape, back: conv},
		"ConvTranspose": {shape: convTransposeShape, back: convTranspose},
	}
}

// window is how a kernel slides over an input: sizes by spatial dimension.
type window struct {
	kernel, stride, dilation []int64
	begin, end               []int64 // padding
	ceil                     bool
}

// reach is how many elements the kernel spans along dimension i.
func (w *window) reach(i int) int64 { return w.dilation[i]*(w.kernel[i]-1) + 1 }

// window reads the attributes of a convolution or a pool; ok is false where
// it depends on sizes that are unknown. The input's spatial sizes are only
// needed for automatic padding.
func (c *call) window(kernel []int64) (w *window, ok bool) {
	n := len(kernel)
	w = &window{kernel: kernel, stride: c.list("strides", n, 1), dilation: c.list("dilations", n, 1),
		ceil: c.n.Int("ceil_mode", 0) == 1}
	pads := c.list("pads", 2*n, 0)
	if !fits(n, pads, kernel, w.stride, w.dilation) {
		return nil, false
	}
	w.begin, w.end = slices.Clone(pads[:n]), slices.Clone(pads[n:])
	mode := c.text("auto_pad", "NOTSET")
	switch mode {
	case "VALID":
		w.begin, w.end = make([]int64, n), make([]int64, n)
	case "SAME_UPPER", "SAME_LOWER":
		sizes, static := c.spatial(0)
		if !static || len(sizes) != n {
			return nil, false
		}
		for i, size := range sizes {
			outputs := (size + w.stride[i] - 1) / w.stride[i]
			total := max(0, (outputs-1)*w.stride[i]+w.reach(i)-size)
			w.begin[i], w.end[i] = total/2, total-total/2
			if mode == "SAME_LOWER" {
				w.begin[i], w.end[i] = w.end[i], w.begin[i]
			}
		}
	}
	return w, true
}

// fits reports whether the attributes of a window have n entries, and values
// that no real model exceeds.
func fits(n int, pads []int64, positive ...[]int64) bool {
	if len(pads) != 2*n || slices.ContainsFunc(pads, func(v int64) bool { return v < -large || v > large }) {
		return false
	}
	return !slices.ContainsFunc(positive, func(list []int64) bool {
		return len(list) != n || slices.ContainsFunc(list, func(v int64) bool { return v < 1 || v > large })
	})
}

// spatial returns the sizes of input i without batch and channels.
func (c *call) spatial(i int) ([]int64, bool) {
	if s := c.shape(i); len(s) > 2 {
		return s[2:].static()
	}
	return nil, false
}

// outputs returns how many positions the window has along dimension i of
// that size.
func (w *window) outputs(i int, size dim) dim {
	if !size.known() {
		return unknown()
	}
	room := size.n + w.begin[i] + w.end[i] - w.reach(i)
	if room < 0 {
		return unknown() // the runtime refuses it
	}
	n := room/w.stride[i] + 1
	// A last window that would start in the padding at the end is left out.
	if w.ceil && room%w.stride[i] != 0 && n*w.stride[i] < size.n+w.begin[i] {
		n++
	}
	return fixed(n)
}

// slide returns the shape of what a window makes of the shape x.
func (w *window) slide(x shape, channels dim) shape {
	out := shape{x[0], channels}
	for i, size := range x[2:] {
		out = append(out, w.outputs(i, size))
	}
	return out
}

// kernel returns the spatial sizes of a weight.
func (c *call) kernel() ([]int64, bool) {
	if k, ok := c.spatial(1); ok {
		return k, true
	}
	a := c.n.Attribute("kernel_shape")
	if a == nil {
		return nil, false
	}
	return a.Ints, true
}

func convShape(c *call) []shape {
	x, w := c.shape(0), c.shape(1)
	if x == nil && w != nil {
		x = open(len(w))
	}
	if len(x) < 3 {
		return []shape{nil}
	}
	channels := unknown()
	if len(w) == len(x) {
		channels = w[0]
	}
	if k, ok := c.kernel(); ok && len(k) == len(x)-2 {
		if win, ok := c.window(k); ok {
			return []shape{win.slide(x, channels)}
		}
	}
	return []shape{append(shape{x[0], channels}, open(len(x)-2)...)}
}

// conv is the rule of Conv by its input: a convolution with the flipped
// kernel where the stride is 1, else a transposed convolution. The runtime's
// convolution computes channels in blocks of 16, so that the transposed one
// is up to six times faster where the input has fewer (an image has 1 or 3).
func conv(c *call) error {
	g := c.g
	if c.wants(1) {
		return reason("its weights depend on the input")
	}
	if c.wants(2) {
		return reason("its bias depends on the input")
	}
	k, ok := c.kernel()
	sizes, static := c.spatial(0)
	if !ok || !static || len(k) != len(sizes) {
		return reason("the size of its input is unknown")
	}
	w, ok := c.window(k)
	if !ok {
		return reason("its padding cannot be told")
	}
	group := c.n.Int("group", 1)
	few := false
	if weight := c.shape(1); group == 1 && len(weight) > 2 && weight[0].known() && weight[1].known() {
		few = weight[1].n < 16
	}
	flip := !few && !slices.ContainsFunc(w.stride, func(s int64) bool { return s != 1 })
	before, after := make([]int64, len(k)), make([]int64, len(k))
	for i := range k {
		before[i], after[i] = w.reach(i)-1-w.begin[i], w.reach(i)-1-w.end[i]
		flip = flip && before[i] >= 0 && after[i] >= 0
	}
	if weight, ok := g.flipped(c.in(1), group); flip && ok {
		c.dx[0] = g.Op("Conv", []string{c.dy[0], weight}, Ints("kernel_shape", k...), Ints("dilations", w.dilation...),
			Ints("strides", w.stride...), Ints("pads", append(before, after...)...), Int("group", group))
		return nil
	}
	c.dx[0] = g.spread(c.dy[0], c.in(1), w, sizes, g.shapes[c.out()], group)
	return nil
}

// flipped returns the weight that carries a stride-1 convolution back:
// mirrored in space, inputs and outputs swapped within each group. The
// runtime folds it where the weight is constant.
func (g *Graph) flipped(weight string, group int64) (string, bool) {
	w, static := g.shapes[weight].static()
	if !static || len(w) < 3 || group < 1 || w[0]%group != 0 {
		return "", false
	}
	n := len(w) - 2
	axes, minusOnes, ends, perm := make([]int64, n), make([]int64, n), make([]int64, n), []int64{0, 2, 1}
	mirror := false
	for i := range n {
		axes[i], minusOnes[i], ends[i] = int64(i+2), -1, -1<<62
		perm = append(perm, int64(i+3))
		mirror = mirror || w[i+2] != 1
	}
	if mirror {
		weight = g.op("Slice", weight, g.Integers(minusOnes...), g.Integers(ends...), g.Integers(axes...), g.Integers(minusOnes...))
	}
	if group == 1 {
		perm = append([]int64{1, 0}, axes...)
		return g.Op("Transpose", []string{weight}, Ints("perm", perm...)), true
	}
	weight = g.op("Reshape", weight, g.Integers(append([]int64{group, w[0] / group, w[1]}, w[2:]...)...))
	weight = g.Op("Transpose", []string{weight}, Ints("perm", perm...))
	return g.op("Reshape", weight, g.Integers(append([]int64{group * w[1], w[0] / group}, w[2:]...)...)), true
}

// spread carries v, which has the shape of a window's output, back to an
// input of those sizes: a transposed convolution whose padding at the end is
// what the last window did not use.
func (g *Graph) spread(v, weight string, w *window, sizes []int64, out shape, group int64) string {
	n := len(sizes)
	end, extra := make([]int64, n), make([]int64, n)
	for i, size := range sizes {
		over := (out[2+i].n-1)*w.stride[i] + w.reach(i) - w.begin[i] - size
		end[i], extra[i] = max(over, 0), max(-over, 0)
	}
	return g.Op("ConvTranspose", []string{v, weight}, Ints("kernel_shape", w.kernel...), Ints("dilations", w.dilation...),
		Ints("strides", w.stride...), Ints("pads", append(slices.Clone(w.begin), end...)...), Ints("output_padding", extra...), Int("group", group))
}

// transposed returns the window of a ConvTranspose and the sizes of its
// output.
func (c *call) transposed() (w *window, sizes []int64, ok bool) {
	k, ok1 := c.kernel()
	in, ok2 := c.spatial(0)
	if !ok1 || !ok2 || len(k) != len(in) {
		return nil, nil, false
	}
	n := len(k)
	extra, declared := c.list("output_padding", n, 0), c.n.Attribute("output_shape")
	mode := c.text("auto_pad", "NOTSET")
	pads := c.list("pads", 2*n, 0)
	w = &window{kernel: k, stride: c.list("strides", n, 1), dilation: c.list("dilations", n, 1),
		begin: make([]int64, n), end: make([]int64, n)}
	if len(extra) != n || !fits(n, pads, k, w.stride, w.dilation) {
		return nil, nil, false
	}
	if declared != nil && len(declared.Ints) < n {
		return nil, nil, false
	}
	for i := range n {
		full := (in[i]-1)*w.stride[i] + w.reach(i) + extra[i]
		size := full - pads[i] - pads[n+i]
		switch {
		case declared != nil:
			size = declared.Ints[len(declared.Ints)-n+i]
		case mode == "SAME_UPPER" || mode == "SAME_LOWER":
			size = in[i] * w.stride[i]
		case mode == "VALID":
			size = full
		}
		w.begin[i], w.end[i] = pads[i], pads[n+i]
		if total := full - size; declared != nil || mode != "NOTSET" {
			w.begin[i], w.end[i] = total-total/2, total/2
			if mode == "SAME_UPPER" {
				w.begin[i], w.end[i] = total/2, total-total/2
			}
		}
		sizes = append(sizes, size)
	}
	return w, sizes, true
}

func convTransposeShape(c *call) []shape {
	x, w := c.shape(0), c.shape(1)
	if x == nil || len(x) < 3 {
		return []shape{nil}
	}
	channels := unknown()
	if len(w) == len(x) {
		channels = times(w[1], fixed(c.n.Int("group", 1)))
	}
	if _, sizes, ok := c.transposed(); ok {
		return []shape{append(shape{x[0], channels}, numbers(sizes)...)}
	}
	return []shape{append(shape{x[0], channels}, open(len(x)-2)...)}
}

// convTranspose is the rule of ConvTranspose by its input: the convolution
// that it transposes.
func convTranspose(c *call) error {
	if c.wants(1) {
		return reason("its weights depend on the input")
	}
	if c.wants(2) {
		return reason("its bias depends on the input")
	}
	w, _, ok := c.transposed()
	if !ok || slices.Min(append(slices.Clone(w.begin), w.end...)) < 0 {
		return reason("its padding cannot be told")
	}
	// Elements that output_padding added may lie beyond the last window.
	c.dx[0] = c.g.Op("Conv", []string{c.dy[0], c.in(1)}, Ints("kernel_shape", w.kernel...), Ints("dilations", w.dilation...),
		Ints("strides", w.stride...), Ints("pads", append(slices.Clone(w.begin), w.end...)...), Int("group", c.n.Int("group", 1)))
	return nil
}
