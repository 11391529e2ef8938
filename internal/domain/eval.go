package domain

import "math"

// maxShare bounds the share of one comparison, where it is nearly flat.
const maxShare = 1e6

// value computes a node and a bound, to first order, of the error that
// rounding can have caused in it.
func (l *leaf) value(i int32, x, orig []float32) (v, e float64) {
	n := &l.tape[i]
	switch n.op {
	case opNumber:
		return n.num, math.Abs(n.num) * n.error
	case opX:
		v = float64(x[n.feature])
		return v, math.Abs(v) * n.error
	case opOrig:
		v = float64(orig[n.feature])
		return v, math.Abs(v) * n.error
	}
	a, ea := l.value(n.a, x, orig)
	switch n.op {
	case opNeg:
		return -a, ea
	case opAbs:
		return math.Abs(a), ea
	}
	b, eb := l.value(n.b, x, orig)
	v, e = apply(n.op, a, b), ea+eb
	switch n.op {
	case opMin, opMax:
		return v, max(ea, eb)
	case opMul:
		e = math.Abs(a)*eb + math.Abs(b)*ea + ea*eb
	case opDiv:
		if !(math.Abs(b) > 1e3*eb) { // also when b is zero
			return math.NaN(), 0
		}
		e = (ea + math.Abs(v)*eb) / (math.Abs(b) - eb)
	}
	return v, e + math.Abs(v)*half64
}

func apply(o op, a, b float64) float64 {
	switch o {
	case opNeg:
		return -a
	case opAbs:
		return math.Abs(a)
	case opAdd:
		return a + b
	case opSub:
		return a - b
	case opMul:
		return a * b
	case opDiv:
		return a / b
	case opMin:
		return min(a, b)
	}
	return max(a, b)
}

// excess is by how much the comparison fails, in its own unit: 0 when it
// holds, infinite when it cannot be computed. sign is the direction of the
// difference in which the excess grows.
func (l *leaf) excess(x, orig []float32) (v, sign float64) {
	diff, e := l.value(int32(len(l.tape)-1), x, orig)
	if math.IsNaN(diff) || math.IsInf(diff, 0) {
		return math.Inf(1), 0
	}
	if !(e < math.MaxFloat64) {
		e = 0
	}
	sign = 1
	switch l.compare {
	case atMost:
		v = diff
	case below:
		v, e = diff+l.margin, 0
	case equal:
		if v = math.Abs(diff); diff < 0 {
			sign = -1
		}
	case differs:
		v, e = l.margin-math.Abs(diff), 0
		if diff > 0 {
			sign = -1
		}
	}
	if v <= e {
		return 0, 0
	}
	return v, sign
}

// holds says whether the formula is true of x.
func (f *formula) holds(x, orig []float32) bool {
	if f.leaf != nil {
		v, _ := f.leaf.excess(x, orig)
		return v == 0
	}
	for i := range f.kids {
		if f.kids[i].holds(x, orig) == f.any {
			return f.any
		}
	}
	return !f.any
}

// scratch is the working memory of the slopes; it lives on the caller's
// stack and serves tapes of up to 40 operations without allocation.
type scratch struct {
	fixed [6 * 40]float64
	large []float64
}

// frame is the scratch as seen by one tape: one number per operation in each.
type frame struct{ val, tan, adj, adjTan, slope, bend []float64 }

func (s *scratch) frame(n int) frame {
	buf := s.fixed[:]
	if 6*n > len(buf) {
		if 6*n > len(s.large) {
			s.large = make([]float64, 6*n)
		}
		buf = s.large
	}
	return frame{buf[:n], buf[n : 2*n], buf[2*n : 3*n], buf[3*n : 4*n], buf[4*n : 5*n], buf[5*n : 6*n]}
}

// slope computes the derivative of the difference by each of l.vars, by
// reverse-mode differentiation. At a kink it is that of one side, never zero for abs. The
// slices belong to s until its next use.
func (l *leaf) slope(x, orig []float32, s *scratch) []float64 {
	f := s.frame(len(l.tape))
	val, adj, slope := f.val, f.adj, f.slope[:len(l.vars)]
	for i := range l.tape {
		n := &l.tape[i]
		switch n.op {
		case opNumber:
			val[i] = n.num
		case opX:
			val[i] = float64(x[n.feature])
		case opOrig:
			val[i] = float64(orig[n.feature])
		default:
			val[i] = apply(n.op, val[n.a], val[n.b])
		}
	}
	clear(adj)
	clear(slope)
	adj[len(adj)-1] = 1
	for i := len(l.tape) - 1; i >= 0; i-- {
		n, w := &l.tape[i], adj[i]
		if w == 0 {
			continue
		}
		switch n.op {
		case opX:
			slope[n.b] += w
		case opMul:
			adj[n.a] += w * val[n.b]
			adj[n.b] += w * val[n.a]
		case opDiv:
			adj[n.a] += w / val[n.b]
			adj[n.b] -= w * val[i] / val[n.b]
		default:
			pa, pb := partial(n.op, val[n.a], val[n.b])
			adj[n.a] += w * pa
			adj[n.b] += w * pb
		}
	}
	return slope
}

// partial gives the slopes of an operation that is linear in pieces.
func partial(o op, a, b float64) (pa, pb float64) {
	switch {
	case o == opAdd, o == opAbs && a >= 0, o == opMin && a <= b, o == opMax && a >= b:
		pa = 1
	case o == opNeg, o == opAbs:
		pa = -1
	case o == opSub:
		return 1, -1
	}
	if o == opAdd || (o == opMin || o == opMax) && pa == 0 {
		pb = 1
	}
	return pa, pb
}

// bend computes the derivative of the scale of the slope, the sum of
// |slope_k|*scale_k, by each of l.vars: the Hessian times the vector of
// sign(slope_k)*scale_k, forward over reverse (Pearlmutter 1994). It goes on
// from what slope left in s.
func (l *leaf) bend(scale []float64, s *scratch) []float64 {
	f := s.frame(len(l.tape))
	val, tan, adj, adjTan, slope, bend := f.val, f.tan, f.adj, f.adjTan, f.slope, f.bend[:len(l.vars)]
	for i := range l.tape {
		n := &l.tape[i]
		switch n.op {
		case opNumber, opOrig:
			tan[i] = 0
		case opX:
			tan[i] = sign(slope[n.b]) * scale[n.feature]
		case opMul:
			tan[i] = tan[n.a]*val[n.b] + val[n.a]*tan[n.b]
		case opDiv:
			tan[i] = (tan[n.a] - val[i]*tan[n.b]) / val[n.b]
		default:
			pa, pb := partial(n.op, val[n.a], val[n.b])
			tan[i] = pa*tan[n.a] + pb*tan[n.b]
		}
	}
	clear(adjTan)
	clear(bend)
	for i := len(l.tape) - 1; i >= 0; i-- {
		n, w, t := &l.tape[i], adj[i], adjTan[i]
		switch n.op {
		case opNumber, opOrig:
		case opX:
			bend[n.b] += t
		case opMul:
			adjTan[n.a] += t*val[n.b] + w*tan[n.b]
			adjTan[n.b] += t*val[n.a] + w*tan[n.a]
		case opDiv:
			b := val[n.b]
			adjTan[n.a] += (t - w*tan[n.b]/b) / b
			adjTan[n.b] -= (t*val[i] + w*(tan[i]-val[i]*tan[n.b]/b)) / b
		default:
			pa, pb := partial(n.op, val[n.a], val[n.b])
			adjTan[n.a] += t * pa
			adjTan[n.b] += t * pb
		}
	}
	return bend
}

func sign(v float64) float64 {
	switch {
	case v > 0:
		return 1
	case v < 0:
		return -1
	}
	return 0
}

// share is the excess of the leaf over the change of its difference when
// every feature moves by its whole range, between 0 and maxShare; it is 1
// where no feature moves it. It adds weight times its derivative to grad unless grad is nil.
func (l *leaf) share(d *Domain, x, orig []float32, s *scratch, grad []float64) (share, amount float64) {
	v, sgn := l.excess(x, orig)
	if v == 0 || math.IsInf(v, 0) {
		return v, v
	}
	slope := l.slope(x, orig, s)
	width := 0.0
	for k, g := range slope {
		width += math.Abs(g) * d.scale[l.vars[k]]
	}
	switch {
	case !(width > 0) || math.IsInf(width, 0):
		return 1, v
	case v >= maxShare*width:
		return maxShare, v
	case grad == nil:
		return v / width, v
	}
	for k, g := range slope {
		grad[l.vars[k]] += sgn * g / width
	}
	if !l.linear {
		for k, h := range l.bend(d.scale, s) {
			grad[l.vars[k]] -= v / width * h / width
		}
	}
	return v / width, v
}

// share of a formula: the sum over kids that must all hold, the least over
// kids of which any will do.
func (f *formula) share(d *Domain, x, orig []float32, s *scratch, grad []float64) (share, amount float64) {
	if f.leaf != nil {
		return f.leaf.share(d, x, orig, s, grad)
	}
	if !f.any {
		for i := range f.kids {
			v, a := f.kids[i].share(d, x, orig, s, grad)
			share, amount = share+v, amount+a
		}
		return share, amount
	}
	best := 0
	share = math.Inf(1)
	amount = share
	for i := range f.kids {
		if v, a := f.kids[i].share(d, x, orig, s, nil); v < share {
			best, share, amount = i, v, a
		}
	}
	if grad != nil {
		f.kids[best].share(d, x, orig, s, grad)
	}
	return share, amount
}
