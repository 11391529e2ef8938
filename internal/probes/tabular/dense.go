package tabular

import (
	"math"
	"slices"
)

// dense moves all features at once: a step along the signs of the slopes, in shares of the
// ranges, with momentum; where too few steps raise the loss the step halves and the walk
// goes on from its best point (Croce and Hein 2020, section 3; Simonetto et al. 2024, algorithm 1).
type dense struct {
	z, before []float32 // where it is and was, before whole numbers and groups are made of it
	step      float64
	every     int // steps between looks
	taken     int
	rises     int
	last      float64
	top       float64
	topBefore float64
	topZ      []float32
	topSlope  []float64
}

func (c *climb) newDense(x []float32, steps int) *dense {
	return &dense{
		z: slices.Clone(x), before: slices.Clone(x), step: 0.5, every: max(2, steps/8), last: math.Inf(-1), top: math.Inf(-1), topBefore: math.Inf(-1),
		topZ: slices.Clone(x), topSlope: make([]float64, len(x)),
	}
}

func (c *climb) climbDense(w *walk, loss float64) {
	d := w.dense
	if loss > d.last {
		d.rises++
	}
	d.last = loss
	if loss > d.top {
		d.top = loss
		copy(d.topZ, d.z)
		copy(d.topSlope, c.slope)
	}
	slope := c.slope
	if d.taken++; d.taken%d.every == 0 {
		if 4*d.rises < 3*d.every || d.top <= d.topBefore {
			d.step /= 2
			copy(d.z, d.topZ)
			copy(d.before, d.topZ)
			slope = d.topSlope
		}
		d.rises, d.topBefore = 0, d.top
	}
	momentum := 0.25
	if d.taken == 1 {
		momentum = 0
	}
	for _, j := range c.free {
		lo, hi := c.dom.Span(j, c.orig)
		at := float64(d.z[j])
		to := max(float64(lo), min(float64(hi), at+d.step*c.dom.Scale()[j]*sign(slope[j])))
		to = at + (1-momentum)*(to-at) + momentum*(at-float64(d.before[j]))
		d.before[j], d.z[j] = d.z[j], float32(max(float64(lo), min(float64(hi), to)))
	}
	whole := slices.Clone(d.z)
	c.dom.Settle(whole, c.orig)
	copy(w.x, whole)
	c.settle(w)
	for j, v := range w.x {
		if v != whole[j] {
			d.z[j] = v // what the relations ask for
		}
	}
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
