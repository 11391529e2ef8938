package attack

import (
	"errors"
	"math"
	"slices"

	"github.com/assize/assize/internal/model"
)

// FGSM takes one step of length Epsilon from the row itself (Goodfellow et
// al. 2015): the cheapest attack, a floor for all others.
type FGSM struct{}

func (FGSM) nearest() bool             { return false }
func (FGSM) check() error              { return nil }
func (FGSM) guide(float64) *model.Step { return nil }

func (FGSM) walk(w *walk, _ int) {
	x := w.scratch[0]
	copy(x, w.orig)
	if !w.ask(x) || w.won {
		return
	}
	w.climb(x, w.epsilon, 1)
	w.project(x)
	w.ask(x)
}

// PGD climbs with steps of one length from a random start (Madry et al. 2018).
type PGD struct {
	Steps int
	Step  float64 // length of a step in displacements; 0: 2.5·Epsilon/Steps
	// FromRow starts at the row itself instead, the first time.
	FromRow bool
}

func (PGD) nearest() bool { return false }

func (p PGD) guide(epsilon float64) *model.Step {
	return &model.Step{Length: float32(p.length(epsilon))}
}

func (p PGD) check() error {
	if p.Steps < 1 || !(p.Step >= 0) {
		return errors.New("PGD needs at least one step, of a length not below 0")
	}
	return nil
}

func (p PGD) walk(w *walk, start int) {
	x, step := w.scratch[0], p.length(w.epsilon)
	if p.FromRow && start == 0 {
		copy(x, w.orig)
	} else {
		w.random(x)
	}
	for range p.Steps {
		if !w.ask(x) || w.won {
			return
		}
		if w.desk.step != nil {
			x = w.next
			continue
		}
		if w.threat.Norm == Linf {
			signStep(x, w.grad, float32(step), w.lowest, w.highest)
			continue
		}
		w.climb(x, step, 0.05)
		w.project(x)
	}
	w.ask(x)
}

// length is that of a step.
func (p PGD) length(epsilon float64) float64 {
	if p.Step == 0 {
		return 2.5 * epsilon / float64(p.Steps)
	}
	return p.Step
}

// signStep moves x by step along the sign of the gradient, within bounds.
func signStep(x, grad []float32, step float32, lo, hi []float32) {
	grad, lo, hi = grad[:len(x)], lo[:len(x)], hi[:len(x)]
	for i, v := range x {
		// Branches: min and max, which mind NaN, cost three times as much here.
		v += signed(step, grad[i])
		if l := lo[i]; v < l {
			v = l
		}
		if h := hi[i]; v > h {
			v = h
		}
		x[i] = v
	}
}

// signed is step with the sign of g, and 0 where g is. It looks at bits: the slopes of a
// row decided with confidence are often denormal, and numbers of that kind cost processors a hundred times as much to compare.
func signed(step, g float32) float32 {
	const sign = 1 << 31
	b := math.Float32bits(g)
	s := math.Float32bits(step) | b&sign
	if b&^sign == 0 {
		s = 0
	}
	return math.Float32frombits(s)
}

// climb moves x by a step of a length along the direction in which the loss
// grows fastest: the sign of the gradient in L-inf, the gradient in L2; in L1
// the signs of the share of features with the largest slopes that can still
// move, at least one (Tramèr and Boneh 2019).
func (w *walk) climb(x []float32, step, share float64) {
	switch w.threat.Norm {
	case Linf:
		for i, g := range w.grad {
			x[i] += signed(float32(step), g)
		}
	case L2:
		if l := length(w.grad); l > 0 {
			k := float32(step / l)
			if !math.IsInf(float64(k), 0) {
				for i, g := range w.grad {
					x[i] += k * g
				}
				return
			}
			for i, g := range w.grad { // a step over a slope that 32 bits do not hold
				x[i] += float32(step * (float64(g) / l))
			}
		}
	default:
		slopes := w.scratch[7]
		for i, g := range w.grad {
			slopes[i] = float32(math.Abs(float64(g)))
			if g > 0 && x[i] >= w.hi[i] || g < 0 && x[i] <= w.lo[i] {
				slopes[i] = 0
			}
		}
		w.sparse(x, slopes, step, max(1, int(math.Ceil(share*float64(len(x))))))
	}
}

// sparse moves the count features with the largest slopes by the sign of their
// gradients, in equal parts of step. Features as steep as the last one move too.
func (w *walk) sparse(x, slopes []float32, step float64, count int) {
	least := kth(slopes, w.scratch[6], count)
	if least == 0 {
		least = math.SmallestNonzeroFloat32
	}
	moving := 0
	for _, s := range slopes {
		if s >= least {
			moving++
		}
	}
	if moving == 0 {
		return
	}
	part := float32(step / float64(moving))
	for i, s := range slopes {
		if s >= least {
			x[i] += signed(part, w.grad[i])
		}
	}
}

// kth is the k-th largest value, found in a copy.
func kth(values, room []float32, k int) float32 {
	room = room[:len(values)]
	copy(room, values)
	k = min(k, len(room)) - 1
	low, high := 0, len(room)-1
	for high-low > 16 { // quickselect around the median of three
		a, b, c := room[low], room[(low+high)/2], room[high]
		pivot := max(min(a, b), min(max(a, b), c))
		i, j := low, high
		for i <= j {
			for room[i] > pivot {
				i++
			}
			for room[j] < pivot {
				j--
			}
			if i <= j {
				room[i], room[j] = room[j], room[i]
				i++
				j--
			}
		}
		switch {
		case k <= j:
			high = j
		case k >= i:
			low = i
		default:
			return room[k]
		}
	}
	slices.Sort(room[low : high+1])
	return room[high-(k-low)]
}
