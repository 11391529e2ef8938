package attack

import (
	"errors"
	"math"

	"github.com/assize/assize/internal/model"
)

// APGD climbs with momentum and a step that halves where progress stalls, and
// then goes on from the best point (Croce and Hein 2020, algorithm 1). In L1
// it moves few features at a time, more the further the best point is from
// sparse (Croce and Hein 2021, algorithm 1).
type APGD struct {
	Steps int
	// Wide spends the first steps in balls of three and two times Epsilon and
	// comes back from there (Croce and Hein 2021, section 3.3), which helps in L1.
	Wide bool
}

func (APGD) nearest() bool { return false }

func (APGD) guide(float64) *model.Step { return &model.Step{Momentum: &model.Momentum{}} }

func (a APGD) check() error {
	if a.Steps < 1 {
		return errors.New("APGD needs at least one step")
	}
	return nil
}

func (a APGD) walk(w *walk, _ int) {
	x := w.scratch[0]
	epsilon := w.epsilon
	w.random(x)
	steps := a.Steps
	if part := 3 * a.Steps / 10; a.Wide && part > 0 {
		steps -= 2 * part
		for _, times := range []float64{3, 2} {
			w.bound(times * epsilon)
			if times == 3 {
				w.random(x)
			} else {
				w.project(x)
			}
			going := a.phase(w, x, part)
			w.bound(epsilon)
			if !going {
				return
			}
		}
		w.project(x)
	}
	a.phase(w, x, steps)
}

// phase runs steps in the current ball, from x, and leaves the best point in
// x. It is false when the walk is over.
func (a APGD) phase(w *walk, x []float32, steps int) bool {
	if w.threat.Norm == L1 {
		return a.sparse(w, x, steps)
	}
	if w.desk.step != nil {
		return a.guided(w, x, steps)
	}
	// x0 is where the walk is, x1 where it was before.
	x0, x1, best, grad, bestGrad := w.scratch[1], w.scratch[2], w.scratch[3], w.scratch[4], w.scratch[5]
	copy(x0, x)
	copy(x1, x)
	copy(best, x)
	if !w.ask(x0) || w.won {
		return false
	}
	copy(grad, w.grad)
	copy(bestGrad, w.grad)
	p := newPace(steps, w.loss)
	step, momentum := 2*w.epsilon, 1.0
	for range steps {
		if w.threat.Norm == Linf {
			momentumStep(x0, x1, grad, float32(step), float32(momentum), w.lowest, w.highest)
		} else {
			w.momentumL2(x0, x1, grad, step, momentum)
		}
		x0, x1 = x1, x0
		momentum = 0.75
		if !w.ask(x0) || w.won {
			return false
		}
		if p.note(w.loss) {
			copy(best, x0)
			copy(bestGrad, w.grad)
		}
		if p.slow() {
			step /= 2
			copy(x0, best)
			copy(grad, bestGrad)
		} else {
			copy(grad, w.grad)
		}
	}
	copy(x, best)
	return true
}

// guided is the phase in L-inf where a Stepper takes the steps. Those from the best point, after
// the step was halved, are taken here.
func (a APGD) guided(w *walk, x []float32, steps int) bool {
	best, bestGrad, from := w.scratch[1], w.scratch[2], w.scratch[3]
	copy(from, x)
	copy(best, x)
	w.before, w.length, w.share = best, float32(2*w.epsilon), 1
	if !w.ask(from) || w.won {
		return false
	}
	copy(bestGrad, w.grad)
	p := newPace(steps, w.loss)
	step, slow := 2*w.epsilon, false
	for range steps {
		to := w.next
		if slow {
			copy(from, w.before)
			momentumStep(best, from, bestGrad, float32(step), 0.75, w.lowest, w.highest)
			to, w.before = from, best
		} else {
			w.before = w.point
		}
		w.length, w.share = float32(step), 0.75
		if !w.ask(to) || w.won {
			return false
		}
		if p.note(w.loss) {
			copy(best, w.point)
			copy(bestGrad, w.grad)
		}
		if slow = p.slow(); slow {
			step /= 2
		}
	}
	copy(x, best)
	return true
}

// momentumStep writes into before, where the walk was before x, where it goes
// next: a step along the sign of the gradient, taken at share a, and the way
// that it came at 1-a, both within bounds.
func momentumStep(x, before, grad []float32, step, a float32, lo, hi []float32) {
	before, grad, lo, hi = before[:len(x)], grad[:len(x)], lo[:len(x)], hi[:len(x)]
	for i, v := range x {
		l, h := lo[i], hi[i]
		z := v + signed(step, grad[i])
		if z < l {
			z = l
		}
		if z > h {
			z = h
		}
		z = v + float32(a*(z-v)) + float32((1-a)*(v-before[i])) // rounded apart, as the graph does it
		if z < l {
			z = l
		}
		if z > h {
			z = h
		}
		before[i] = z
	}
}

// momentumL2 is momentumStep in L2.
func (w *walk) momentumL2(x, before, grad []float32, step, a float64) {
	z := w.scratch[7]
	copy(z, x)
	if l := length(grad); l > 0 {
		for i, g := range grad {
			z[i] += float32(step * (float64(g) / l))
		}
	}
	w.project(z)
	share := float32(a)
	for i, v := range x {
		before[i] = v + share*(z[i]-v) + (1-share)*(v-before[i])
	}
	w.project(before)
}

// sparse is the phase in L1.
func (a APGD) sparse(w *walk, x []float32, steps int) bool {
	const adapt = 1.5
	x0, best, grad, bestGrad, slopes := w.scratch[1], w.scratch[3], w.scratch[4], w.scratch[5], w.scratch[7]
	copy(x0, x)
	copy(best, x)
	if !w.ask(x0) || w.won {
		return false
	}
	copy(grad, w.grad)
	copy(bestGrad, w.grad)
	n := len(x)
	step, share, moved := w.epsilon, 0.2, n
	bestLoss, every := w.loss, max(1, 4*steps/100)
	for i := range steps {
		w.grad = grad
		for k, g := range grad {
			slopes[k] = float32(math.Abs(float64(g)))
		}
		w.sparse(x0, slopes, step, max(1, min(n, int(share*float64(n)))))
		w.project(x0)
		if !w.ask(x0) || w.won {
			return false
		}
		copy(grad, w.grad)
		if w.loss > bestLoss {
			bestLoss = w.loss
			copy(best, x0)
			copy(bestGrad, grad)
		}
		if (i+1)%every > 0 {
			continue
		}
		now := 0
		for k, v := range best {
			if v != w.orig[k] {
				now++
			}
		}
		if float64(now) < 0.95*float64(moved) {
			step = w.epsilon
			copy(x0, best)
			copy(grad, bestGrad)
		} else {
			step = max(step/adapt, w.epsilon/10)
		}
		share, moved = float64(now)/float64(n)/adapt, now
	}
	copy(x, best)
	return true
}

// pace decides when a step is too long: section 3.2 of Croce and Hein 2020,
// with the share 0.75 of steps that must have raised the loss.
type pace struct {
	every, least, fewer int // steps between checkpoints
	since, rises        int // steps, and those that raised the loss, since the last
	last, best          float64
	before              float64 // best at the last checkpoint
	halved              bool    // there
}

func newPace(steps int, loss float64) *pace {
	return &pace{
		every: max(1, 22*steps/100), least: max(1, 6*steps/100), fewer: max(1, 3*steps/100),
		last: loss, best: loss, before: loss, halved: true,
	}
}

// note takes in the loss of a step, and says whether it is the best.
func (p *pace) note(loss float64) bool {
	p.since++
	if loss > p.last {
		p.rises++
	}
	p.last = loss
	if loss > p.best {
		p.best = loss
		return true
	}
	return false
}

// slow tells, at a checkpoint, whether the step must be halved.
func (p *pace) slow() bool {
	if p.since < p.every {
		return false
	}
	halve := float64(p.rises) <= 0.75*float64(p.every) || !p.halved && p.before >= p.best
	p.every = max(p.every-p.fewer, p.least)
	p.since, p.rises, p.before, p.halved = 0, 0, p.best, halve
	return halve
}
