package tabular

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/assize/assize/internal/model"
	"github.com/assize/assize/internal/tree/cheapest"
)

// climb searches the changes of one row along the model's gradients: CAPGD
// (Simonetto et al. 2024, section 4), which puts every step back onto the domain and takes
// off the loss what the relations still miss; beside it walks that move one feature or group at a
// time, the one that brings most for its price. A walk that has gained goes on along the edge
// of the gain, back where that saves most and over it again, so that the price falls.
type climb struct {
	*ground
	s       *searcher
	orig    []float32
	r       *rand.Rand
	slope   []float64 // of the loss less the penalty, at the walk in hand
	pull    []float64
	penalty float64 // what a violation of 1 takes off the loss
	best    evolved
	moved   int // features that it moves
}

// walk is one path from the row.
type walk struct {
	x        []float32 // on the domain, as far as that could be done
	feasible bool
	short    float64 // how far from the domain
	edge     *edge
	dense    *dense // nil once it has gained: it goes on along the edge
}

const walks = 6

func (s *searcher) newClimb(i int) *climb {
	n := s.c.Domain.Len()
	return &climb{ground: s.ground, s: s, orig: s.c.Data.Row(i), r: s.c.Seed.Row(s.c.Index[i]), slope: make([]float64, n), pull: make([]float64, n)}
}

// climb searches row i for a number of steps.
func (s *searcher) climb(ctx context.Context, i int, from model.Decision, steps int) (evolved, error) {
	c := s.newClimb(i)
	n := len(c.orig)
	if len(c.free) == 0 {
		return evolved{}, nil
	}
	var all [walks]*walk
	for k := range all {
		w := &walk{x: slices.Clone(c.orig), edge: &edge{noise: 0.3 * float64(max(0, k-2)), reach: firstReach}}
		if k%2 == 1 {
			c.scatter(w.x)
		} else {
			w.edge.home = &home{reach: firstReach}
		}
		if k < 2 {
			w.dense = c.newDense(w.x, steps)
		}
		c.settle(w)
		all[k] = w
	}
	aims := slices.Repeat([]model.Aim{{From: from, Target: -1}}, walks)
	var slopes model.Slopes
	var x []float32
	for range steps {
		x = x[:0]
		for _, w := range all {
			x = append(x, w.x...)
		}
		if err := s.white.Evaluate(ctx, model.Margin, x, aims, &slopes); err != nil {
			return evolved{}, err
		}
		gained, err := s.confirm(ctx, from, x, slopes.Won)
		if err != nil {
			return evolved{}, err
		}
		for k, w := range all {
			won := gained[k] && w.feasible
			if won {
				c.keep(w.x)
			}
			c.step(w, slopes.Loss[k], slopes.Gradient[k*n:(k+1)*n], won)
		}
	}
	return c.best, nil
}

// keep takes note of a change that gains: the cheapest, and of those the one that moves least features.
func (c *climb) keep(x []float32) {
	moved := 0
	for j, v := range x {
		if v != c.orig[j] {
			moved++
		}
	}
	if cost := cheapest.Cost(c.dom, c.price, x, c.orig); c.best.x == nil || cost < c.best.cost || cost == c.best.cost && moved < c.moved {
		c.best, c.moved = evolved{slices.Clone(x), cost, true}, moved
	}
}

// settle puts a walk back onto the domain.
func (c *climb) settle(w *walk) {
	c.dom.Derive(w.x, c.orig)
	w.feasible, w.short = c.dom.Project(w.x, c.orig), 0
	if !w.feasible {
		w.short = c.dom.Violation(w.x, c.orig)
	}
}

// scatter moves some features of x anywhere.
func (c *climb) scatter(x []float32) {
	for range 1 + c.r.IntN(len(c.free)) {
		j := c.free[c.r.IntN(len(c.free))]
		lo, hi := c.dom.Span(j, c.orig)
		c.put(x, j, lo+float32(c.r.Float64())*(hi-lo))
	}
}

// step moves a walk on from a point with this loss and gradient.
func (c *climb) step(w *walk, loss float64, gradient []float32, won bool) {
	sum := 0.0
	for _, j := range c.free {
		c.slope[j] = float64(gradient[j])
		sum += math.Abs(c.slope[j]) * c.dom.Scale()[j]
	}
	if math.IsNaN(sum+loss) || math.IsInf(sum+loss, 0) || math.IsInf(w.short, 0) {
		copy(w.x, c.orig)
		c.scatter(w.x)
		c.settle(w)
		return
	}
	c.penalty = max(c.penalty, sum)
	if !w.feasible {
		loss -= c.penalty * c.dom.Gradient(w.x, c.orig, c.pull)
		for _, j := range c.free {
			c.slope[j] -= c.penalty * c.pull[j]
		}
	}
	c.dom.Chain(w.x, c.orig, c.slope)
	if won {
		w.dense = nil
	}
	if w.dense != nil {
		c.climbDense(w, loss)
		return
	}
	c.along(w, loss, won)
}

// confirm asks the system itself about the rows of x that seem to gain.
func (s *searcher) confirm(ctx context.Context, from model.Decision, x []float32, seem []bool) ([]bool, error) {
	gained := make([]bool, len(seem))
	if !slices.Contains(seem, true) {
		return gained, nil
	}
	if err := s.c.Model.Predict(ctx, x, len(seem), &s.answers); err != nil {
		return nil, err
	}
	for i := range gained {
		gained[i] = seem[i] && s.c.Model.Gains(from, s.c.Model.Again(from, &s.answers, i))
	}
	return gained, nil
}
