package grad

import "slices"

// indices are the operators that join, cut and pick.
func indices() map[string]rule {
	return map[string]rule{
		"Concat":         {shape: concatShape, back: concat},
		"Split":          {shape: splitShape, back: split},
		"Slice":          {shape: sliceShape, back: slice},
		"Pad":            {shape: padShape, back: pad},
		"Gather":         {shape: gatherShape, back: gather},
		"GatherElements": {shape: func(c *call) []shape { return []shape{c.shape(1)} }, back: gatherElements},
	}
}

func concatShape(c *call) []shape {
	var out shape
	for i := range c.n.Inputs {
		s := c.shape(i)
		at, ok := axis(c.n.Int("axis", 0), len(s))
		if s == nil || !ok || out != nil && len(out) != len(s) {
			return []shape{nil}
		}
		if out == nil {
			out = slices.Clone(s)
			continue
		}
		for k, d := range s {
			switch {
			case k == at:
				out[k] = plus(out[k], d)
			case !out[k].known() && d.known():
				out[k] = d
			}
		}
	}
	return []shape{out}
}

// concat cuts the cotangent at the sizes of the inputs.
func concat(c *call) error {
	g, at := c.g, c.n.Int("axis", 0)
	var sizes []string
	var static []int64
	for i := range c.n.Inputs {
		s := c.shape(i)
		k, ok := axis(at, len(s))
		if !ok {
			return reason("the rank of its inputs is unknown")
		}
		if s[k].known() {
			static = append(static, s[k].n)
			sizes = append(sizes, g.Integers(s[k].n))
			continue
		}
		sizes = append(sizes, g.Op("Shape", []string{c.in(i)}, Int("start", int64(k)), Int("end", int64(k+1))))
	}
	split := g.Integers(static...)
	if len(static) < len(sizes) {
		split = g.Op("Concat", sizes, Int("axis", 0))
	}
	c.dx = g.Ops(len(sizes), "Split", []string{c.dy[0], split}, Int("axis", at))
	return nil
}

func splitShape(c *call) []shape {
	s, n := c.shape(0), len(c.n.Outputs)
	out := make([]shape, n)
	at, ok := axis(c.n.Int("axis", 0), len(s))
	if s == nil || !ok {
		return out
	}
	sizes, ok := c.integers(1, "split")
	for i := range out {
		out[i] = slices.Clone(s)
		switch {
		case ok && len(sizes) == n:
			out[i][at] = fixed(sizes[i])
		case !c.has(1) && s[at].known():
			part := (s[at].n + int64(n) - 1) / int64(n)
			out[i][at] = fixed(max(0, min(part, s[at].n-part*int64(i))))
		default:
			out[i][at] = unknown()
		}
	}
	return out
}

func split(c *call) error {
	parts := slices.Clone(c.dy)
	for i, dy := range parts {
		if dy == "" {
			parts[i] = c.g.zerosLike(c.n.Outputs[i])
		}
	}
	c.dx[0] = c.g.Op("Concat", parts, Int("axis", c.n.Int("axis", 0)))
	return nil
}

// cut is what a Slice takes along one axis.
type cut struct{ axis, start, end, step int64 }

// cuts returns what the node takes; end is open where it is at or over
// math.MaxInt32, as exporters write it. ok is false where it is computed.
func (c *call) cuts() ([]cut, bool) {
	starts, ok1 := c.integers(1, "")
	ends, ok2 := c.integers(2, "")
	axes, ok3 := c.integers(3, "")
	steps, ok4 := c.integers(4, "")
	if !ok1 || !ok2 || !ok3 && c.has(3) || !ok4 && c.has(4) || len(ends) != len(starts) {
		return nil, false
	}
	if !c.has(3) {
		axes = upTo(len(starts))
	}
	if !c.has(4) {
		steps = slices.Repeat([]int64{1}, len(starts))
	}
	if len(axes) != len(starts) || len(steps) != len(starts) {
		return nil, false
	}
	out := make([]cut, len(starts))
	for i := range starts {
		if steps[i] == 0 {
			return nil, false
		}
		out[i] = cut{axes[i], starts[i], ends[i], steps[i]}
	}
	return out, true
}

// picked lists the indices that a cut takes from n elements.
func (c cut) picked(n int64) []int64 {
	clamp := func(v, low, high int64) int64 {
		if v < 0 {
			v += n
		}
		return min(max(v, low), high)
	}
	var out []int64
	if c.step > 0 {
		end := clamp(c.end, 0, n)
		for i := clamp(c.start, 0, n); i < end; i += c.step {
			out = append(out, i)
		}
		return out
	}
	end := clamp(c.end, -1, n-1)
	if c.end < -n {
		end = -1
	}
	for i := clamp(c.start, -1, n-1); i > end; i += c.step {
		out = append(out, i)
	}
	return out
}

func sliceShape(c *call) []shape {
	s := slices.Clone(c.shape(0))
	if s == nil {
		return []shape{nil}
	}
	cuts, ok := c.cuts()
	if !ok {
		return []shape{open(len(s))}
	}
	for _, cut := range cuts {
		k, ok := axis(cut.axis, len(s))
		if !ok {
			return []shape{nil}
		}
		switch {
		case s[k].known() && s[k].n <= large:
			s[k] = fixed(int64(len(cut.picked(s[k].n))))
		case cut.start != 0 || cut.end < 1<<31-1 || cut.step != 1:
			s[k] = unknown()
		}
	}
	return []shape{s}
}

// slice puts zeros where nothing was taken: by padding where the step is 1,
// else by scattering one axis after the other, the last one first.
func slice(c *call) error {
	g, s := c.g, c.shape(0)
	cuts, ok := c.cuts()
	if !ok || s == nil {
		return reason("its bounds are computed")
	}
	begin, end := make([]int64, len(s)), make([]int64, len(s))
	padded, v := false, c.dy[0]
	for _, cut := range cuts {
		k, ok := axis(cut.axis, len(s))
		switch {
		case !ok:
			return reason("its axis is outside its input")
		case !s[k].known() && cut.start == 0 && cut.end >= 1<<31-1 && cut.step == 1:
			continue
		case !s[k].known() || s[k].n > large:
			return reason("the size of its input is unknown")
		}
		take := cut.picked(s[k].n)
		if len(take) == 0 {
			return reason("it takes nothing")
		}
		if cut.step != 1 {
			v = g.scatter(v, g.Integers(take...), int64(k), len(s), g.Integers(s[k].n))
			continue
		}
		begin[k], end[k] = take[0], s[k].n-1-take[len(take)-1]
		padded = padded || begin[k] != 0 || end[k] != 0
	}
	if padded {
		v = g.op("Pad", v, g.Integers(append(begin, end...)...))
	}
	c.dx[0] = v
	return nil
}

// scatter adds the entries of v along an axis up at the places that index,
// one-dimensional, gives, in an axis of that size (a value of one integer).
func (g *Graph) scatter(v, index string, at int64, rank int, size string) string {
	like := slices.Repeat([]int64{1}, rank)
	like[at] = -1
	shape := g.op("Shape", v)
	full := g.op("ScatterElements", shape, g.Integers(at), size)
	index = g.op("Expand", g.op("Reshape", index, g.Integers(like...)), shape)
	return g.Op("ScatterElements", []string{g.op("Expand", g.Number(0, v), full), index, v},
		Int("axis", at), text("reduction", "add"))
}

// padding returns what a Pad adds before and after each axis; negative
// numbers cut.
func (c *call) padding() (begin, end []int64, ok bool) {
	s := c.shape(0)
	pads, ok := c.integers(1, "")
	axes := upTo(len(s))
	if c.has(3) {
		given, known := c.integers(3, "")
		axes, ok = given, ok && known
	}
	if s == nil || !ok || len(pads) != 2*len(axes) {
		return nil, nil, false
	}
	begin, end = make([]int64, len(s)), make([]int64, len(s))
	for i, a := range axes {
		k, inside := axis(a, len(s))
		if !inside {
			return nil, nil, false
		}
		begin[k], end[k] = pads[i], pads[len(axes)+i]
	}
	return begin, end, true
}

func padShape(c *call) []shape {
	s := slices.Clone(c.shape(0))
	begin, end, ok := c.padding()
	if !ok {
		if s != nil {
			s = open(len(s))
		}
		return []shape{s}
	}
	for i := range s {
		s[i] = plus(s[i], fixed(begin[i]+end[i]))
	}
	return []shape{s}
}

// pad cuts the padding off; what was copied into it by the modes reflect,
// edge and wrap is added up at its origin.
func pad(c *call) error {
	g, s := c.g, c.shape(0)
	begin, end, ok := c.padding()
	if !ok {
		return reason("its padding is computed")
	}
	mode := c.text("mode", "constant")
	moves := slices.ContainsFunc(slices.Concat(begin, end), func(n int64) bool { return n != 0 })
	if !moves {
		c.dx[0] = c.dy[0]
		return nil
	}
	if mode == "constant" {
		var cutting []int64
		for _, n := range append(begin, end...) {
			cutting = append(cutting, -n)
		}
		c.dx[0] = g.op("Pad", c.dy[0], g.Integers(cutting...))
		return nil
	}
	v := c.dy[0]
	for k := range s {
		if begin[k] == 0 && end[k] == 0 {
			continue
		}
		if !s[k].known() || s[k].n > large || max(begin[k], end[k]) > large || min(begin[k], end[k]) < -large {
			return reason("the size of its input is unknown")
		}
		var from []int64
		for i := -begin[k]; i < s[k].n+end[k]; i++ {
			from = append(from, origin(i, s[k].n, mode))
		}
		v = g.scatter(v, g.Integers(from...), int64(k), len(s), g.Integers(s[k].n))
	}
	c.dx[0] = v
	return nil
}

// origin is where the padded element i of n comes from.
func origin(i, n int64, mode string) int64 {
	switch {
	case mode == "edge" || n == 1:
		return min(max(i, 0), n-1)
	case mode == "wrap":
		return ((i % n) + n) % n
	}
	period := 2 * (n - 1)
	i = ((i % period) + period) % period
	return min(i, period-i)
}

func gatherShape(c *call) []shape {
	s, index := c.shape(0), c.shape(1)
	at, ok := axis(c.n.Int("axis", 0), len(s))
	if s == nil || index == nil || !ok {
		return []shape{nil}
	}
	return []shape{append(append(append(shape{}, s[:at]...), index...), s[at+1:]...)}
}

// gather adds the cotangents up at the rows that were picked. Integers have
// no derivative: a Gather from a constant table ends the path.
func gather(c *call) error {
	g, s, index := c.g, c.shape(0), c.shape(1)
	if !c.wants(0) {
		return nil
	}
	at, ok := axis(c.n.Int("axis", 0), len(s))
	if !ok || index == nil {
		return reason("the rank of its inputs is unknown")
	}
	v, list := c.dy[0], c.in(1)
	size := g.Op("Shape", []string{c.in(0)}, Int("start", int64(at)), Int("end", int64(at+1)))
	if s[at].known() {
		size = g.Integers(s[at].n)
	}
	switch len(index) {
	case 0:
		v, list = g.op("Unsqueeze", v, g.Integers(int64(at))), g.op("Reshape", list, g.Integers(-1))
	case 1:
	default:
		flat := g.op("Reshape", list, g.Integers(-1))
		shape := g.op("Shape", c.in(0))
		v, list = g.op("Reshape", v, g.op("ScatterElements", shape, g.Integers(int64(at)), g.op("Shape", flat))), flat
	}
	c.dx[0] = g.scatter(v, list, int64(at), len(s), size)
	return nil
}

func gatherElements(c *call) error {
	if c.wants(0) {
		c.dx[0] = c.g.Op("ScatterElements", []string{c.g.zerosLike(c.in(0)), c.in(1), c.dy[0]},
			Int("axis", c.n.Int("axis", 0)), text("reduction", "add"))
	}
	return nil
}
