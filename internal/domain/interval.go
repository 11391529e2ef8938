package domain

import "math"

// interval is a closed set of reals from lo to hi; empty when lo > hi.
type interval struct{ lo, hi float64 }

func (a interval) empty() bool { return !(a.lo <= a.hi) }

func (a interval) meet(b interval) interval {
	return interval{max(a.lo, b.lo), min(a.hi, b.hi)}
}

func (a interval) neg() interval { return interval{-a.hi, -a.lo} }

// outward widens by one float64 step, so that rounding never loses a value.
func outward(lo, hi float64) interval {
	if math.IsNaN(lo) {
		lo = math.Inf(-1)
	}
	if math.IsNaN(hi) {
		hi = math.Inf(1)
	}
	return interval{math.Nextafter(lo, math.Inf(-1)), math.Nextafter(hi, math.Inf(1))}
}

func (a interval) add(b interval) interval { return outward(a.lo+b.lo, a.hi+b.hi) }
func (a interval) sub(b interval) interval { return outward(a.lo-b.hi, a.hi-b.lo) }

func (a interval) mul(b interval) interval {
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, p := range [4]float64{times(a.lo, b.lo), times(a.lo, b.hi), times(a.hi, b.lo), times(a.hi, b.hi)} {
		lo, hi = min(lo, p), max(hi, p)
	}
	return outward(lo, hi)
}

// times is a product in which zero times an unbounded value is zero.
func times(a, b float64) float64 {
	if a == 0 || b == 0 {
		return 0
	}
	return a * b
}

// div is the quotient over those values of b that are not zero.
func (a interval) div(b interval) interval {
	switch {
	case b.lo == 0 && b.hi == 0:
		return interval{1, 0}
	case b.lo < 0 && b.hi > 0:
		return interval{math.Inf(-1), math.Inf(1)}
	}
	inverse := interval{1 / b.hi, 1 / b.lo}
	if b.lo == 0 {
		inverse.hi = math.Inf(1)
	}
	if b.hi == 0 {
		inverse.lo = math.Inf(-1)
	}
	return a.mul(outward(inverse.lo, inverse.hi))
}

func (a interval) abs() interval {
	switch {
	case a.lo >= 0:
		return a
	case a.hi <= 0:
		return a.neg()
	}
	return interval{0, max(-a.lo, a.hi)}
}

// applyInterval is apply over intervals.
func applyInterval(o op, a, b interval) interval {
	switch o {
	case opNeg:
		return a.neg()
	case opAbs:
		return a.abs()
	case opAdd:
		return a.add(b)
	case opSub:
		return a.sub(b)
	case opMul:
		return a.mul(b)
	case opDiv:
		return a.div(b)
	case opMin:
		return interval{min(a.lo, b.lo), min(a.hi, b.hi)}
	}
	return interval{max(a.lo, b.lo), max(a.hi, b.hi)}
}

// width is the width of the values that the difference takes when x and
// orig range over the domain, or infinite.
func (l *leaf) width(d *Domain) float64 {
	val := make([]interval, len(l.tape))
	for i, n := range l.tape {
		switch n.op {
		case opNumber:
			val[i] = interval{n.num, n.num}
		case opX, opOrig:
			val[i] = interval{float64(d.lo[n.feature]), float64(d.hi[n.feature])}
		default:
			val[i] = applyInterval(n.op, val[n.a], val[n.b])
		}
	}
	last := val[len(val)-1]
	return last.hi - last.lo
}

// slack bounds, over the given values of a tape, the error that value can
// report for its last node, twice over; infinite when it cannot be bounded. errs
// is room for a number per node.
func (l *leaf) slack(val []interval, errs []float64) float64 {
	errs = errs[:len(l.tape)]
	size := func(i int32) float64 { return max(math.Abs(val[i].lo), math.Abs(val[i].hi)) }
	for i, n := range l.tape {
		v := size(int32(i))
		switch n.op {
		case opNumber, opX, opOrig:
			errs[i] = v * n.error
			continue
		case opNeg, opAbs:
			errs[i] = errs[n.a]
			continue
		case opMin, opMax:
			errs[i] = max(errs[n.a], errs[n.b])
			continue
		}
		ea, eb := errs[n.a], errs[n.b]
		e := ea + eb
		switch n.op {
		case opMul:
			e = times(size(n.a), eb) + times(size(n.b), ea) + times(ea, eb)
		case opDiv:
			b := val[n.b]
			least := max(0, b.lo, -b.hi) - eb
			if !(least > 0) {
				return math.Inf(1)
			}
			e = (ea + times(v, eb)) / least
		}
		errs[i] = e + v*half64
	}
	if e := 2 * errs[len(errs)-1]; e < math.MaxFloat64 {
		return e
	}
	return math.Inf(1)
}
