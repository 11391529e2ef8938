package attack

import (
	"errors"
	"math"

	"github.com/assize/assize/internal/model"
)

// CarliniWagner looks for the smallest change in L2 by descending its square
// plus c times the margin that is left, in a variable whose hyperbolic tangent
// spans the box, and searches for the c that just gains (Carlini and Wagner
// 2017, section VI-D). It climbs Margin.
type CarliniWagner struct {
	Searches int     // values of c
	Steps    int     // of each
	Rate     float64 // of Adam; 0: 0.01
}

func (CarliniWagner) nearest() bool             { return true }
func (CarliniWagner) guide(float64) *model.Step { return nil }

func (c CarliniWagner) check() error {
	if c.Searches < 1 || c.Steps < 1 || !(c.Rate >= 0) {
		return errors.New("Carlini-Wagner needs at least one search of one step")
	}
	return nil
}

func (c CarliniWagner) walk(w *walk, _ int) {
	rate := c.Rate
	if rate == 0 {
		rate = 0.01
	}
	x, u, m1, m2 := w.scratch[0], w.scratch[1], w.scratch[2], w.scratch[3]
	low, high, weight := 0.0, math.Inf(1), 0.01
	for range c.Searches {
		clear(m1)
		clear(m2)
		for i, o := range w.orig {
			u[i] = 0
			if half := float64(w.hi[i]-w.lo[i]) / 2; half > 0 {
				middle := float64(w.hi[i]+w.lo[i]) / 2
				u[i] = float32(math.Atanh((float64(o) - middle) / half * 0.999999))
			}
		}
		gained := false
		for step := 1; step <= c.Steps; step++ {
			for i, v := range u {
				half, middle := float64(w.hi[i]-w.lo[i])/2, float64(w.hi[i]+w.lo[i])/2
				x[i] = float32(middle + half*math.Tanh(float64(v)))
			}
			if !w.ask(x) {
				return
			}
			gained = gained || w.won
			if w.settled() {
				return
			}
			// The bias of Adam's means at their beginning.
			b1, b2 := 1-math.Pow(0.9, float64(step)), 1-math.Pow(0.999, float64(step))
			for i, v := range x {
				slope := 2 * float64(v-w.orig[i])
				if w.loss < 0 {
					slope -= weight * float64(w.grad[i])
				}
				tanh := math.Tanh(float64(u[i]))
				slope *= float64(w.hi[i]-w.lo[i]) / 2 * (1 - tanh*tanh)
				a, b := 0.9*float64(m1[i])+0.1*slope, 0.999*float64(m2[i])+0.001*slope*slope
				m1[i], m2[i] = float32(a), float32(b)
				u[i] -= float32(rate * (a / b1) / (math.Sqrt(b/b2) + 1e-8))
			}
		}
		if gained {
			high = weight
		} else {
			low = weight
		}
		if weight = (low + high) / 2; math.IsInf(high, 1) {
			weight = 10 * low
		}
	}
}
