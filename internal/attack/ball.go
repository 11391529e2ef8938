package attack

import "math"

// inward keeps projections in L2 and L1 from leaving the ball by rounding.
const inward = 1 - 2e-6

// clamp moves every value between its bounds.
func clamp(x, lo, hi []float32) {
	lo, hi = lo[:len(x)], hi[:len(x)]
	for i, v := range x {
		if l := lo[i]; v < l {
			x[i] = l
		} else if h := hi[i]; v > h {
			x[i] = h
		}
	}
}

// project moves x into the ball and the box. In L2 it shrinks the change and
// then clips it; in L1 it finds the nearest point of both.
func (w *walk) project(x []float32) {
	switch w.threat.Norm {
	case L2:
		sum := 0.0
		for i, v := range x {
			d := float64(v - w.orig[i])
			sum += d * d
		}
		if limit := w.epsilon * inward; sum > limit*limit {
			k := float32(limit / math.Sqrt(sum))
			for i, v := range x {
				x[i] = w.orig[i] + (v-w.orig[i])*k
			}
		}
	case L1:
		w.projectL1(x)
	}
	clamp(x, w.lowest, w.highest)
}

// projectL1 moves x to the nearest point of the L1 ball and the box (Croce and
// Hein 2021, section 3): the change v becomes sign(v)·min(max(|v|-λ, 0), room),
// with the least λ ≥ 0 that fits the ball. The size is a falling, piecewise
// linear function of λ, whose root is bracketed and then met by its slope.
func (w *walk) projectL1(x []float32) {
	limit := w.epsilon * inward
	size := func(lambda float64) (sum float64, moving int) {
		for i, v := range x {
			d := float64(v - w.orig[i])
			room := float64(w.hi[i] - w.orig[i])
			if d < 0 {
				d, room = -d, float64(w.orig[i]-w.lo[i])
			}
			switch d -= lambda; {
			case d <= 0:
			case d >= room:
				sum += room
			default:
				sum += d
				moving++
			}
		}
		return sum, moving
	}
	sum, moving := size(0)
	if sum <= limit {
		return
	}
	low, high := 0.0, 0.0
	for i, v := range x {
		high = max(high, math.Abs(float64(v-w.orig[i])))
	}
	lambda := 0.0
	for range 60 {
		if sum > limit {
			low = lambda
		} else if high = lambda; limit-sum <= 1e-6*limit {
			break
		}
		next := (low + high) / 2
		if moving > 0 {
			if n := lambda + (sum-limit)/float64(moving); n > low && n < high {
				next = n
			}
		}
		if next == lambda {
			break
		}
		lambda = next
		sum, moving = size(lambda)
	}
	l := float32(high)
	if sum <= limit {
		l = float32(lambda)
	}
	for i, v := range x {
		o := w.orig[i]
		switch {
		case v-o > l:
			x[i] = v - l
		case o-v > l:
			x[i] = v + l
		default:
			x[i] = o
		}
	}
}

// random draws a start as APGD does: a random direction of full length, in
// L-inf and L2, and normal noise that is projected, in L1.
func (w *walk) random(x []float32) {
	sum, most := 0.0, 0.0
	for i := range x {
		v := w.rng.NormFloat64()
		if w.threat.Norm == Linf {
			v = 2*w.rng.Float64() - 1
		}
		sum += v * v
		most = max(most, math.Abs(v))
		x[i] = float32(v)
	}
	k := 1.0
	switch w.threat.Norm {
	case Linf:
		k = w.epsilon / max(most, 1e-12)
	case L2:
		k = w.epsilon / max(math.Sqrt(sum), 1e-12)
	}
	for i, o := range w.orig {
		x[i] = o + float32(k)*x[i]
	}
	w.project(x)
}

// length is the Euclidean length of a vector. Squares are of 64 bits: those of
// a masked gradient are below what 32 bits hold.
func length(v []float32) float64 {
	var a, b float64
	for len(v) >= 2 {
		p, q := float64(v[0]), float64(v[1])
		a += p * p
		b += q * q
		v = v[2:]
	}
	for _, f := range v {
		a += float64(f) * float64(f)
	}
	return math.Sqrt(a + b)
}
