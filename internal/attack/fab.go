package attack

import (
	"errors"
	"math"
	"slices"

	"github.com/assize/assize/internal/model"
)

// FAB looks for the smallest change that gains (Croce and Hein 2020b): it
// steps onto the linearised boundary nearest to where it is, drawn towards the
// point of that boundary nearest to the row, and from every point that gains
// back towards the row. It climbs Margin, best with one target at a time.
type FAB struct {
	Steps int
}

// The constants of the authors' experiments: overshoot, step back and the
// largest share of the row's own projection.
const (
	fabEta   = 1.05
	fabBeta  = 0.9
	fabAlpha = 0.1
)

func (FAB) nearest() bool             { return true }
func (FAB) guide(float64) *model.Step { return nil }

func (f FAB) check() error {
	if f.Steps < 1 {
		return errors.New("FAB needs at least one step")
	}
	return nil
}

func (f FAB) walk(w *walk, start int) {
	x, near, far := w.scratch[0], w.scratch[1], w.scratch[2]
	copy(x, w.orig)
	if start > 0 {
		w.near(x)
	}
	if !w.ask(x) {
		return
	}
	eta := fabEta
	for range f.Steps {
		if w.won {
			if w.settled() {
				return
			}
			for i, o := range w.orig {
				x[i] = o + fabBeta*(x[i]-o)
			}
			if !w.ask(x) {
				return
			}
			if w.won {
				continue // the row is nearer than the way to the boundary
			}
		}
		// The boundary is where loss + <grad, · - x> is 0.
		toOrig := 0.0
		for i, g := range w.grad {
			toOrig += float64(g) * float64(w.orig[i]-x[i])
		}
		sizeNear := w.toPlane(near, x, -w.loss)
		sizeFar := w.toPlane(far, w.orig, -w.loss-toOrig)
		if sizeNear == 0 && sizeFar == 0 {
			return // no slope: there is nowhere to go
		}
		alpha := 0.0
		if sizeNear+sizeFar > 0 {
			alpha = min(fabAlpha, sizeNear/(sizeNear+sizeFar))
		}
		for i, v := range x {
			here, there := float64(v)+eta*float64(near[i]), float64(w.orig[i])+eta*float64(far[i])
			x[i] = float32((1-alpha)*here + alpha*there)
		}
		clamp(x, w.lo, w.hi)
		if !w.ask(x) {
			return
		}
		// A domain of whole numbers pulls back: go further until it gives way.
		if eta = min(1.3*eta, 50); w.won || w.threat.Settle == nil {
			eta = fabEta
		}
	}
	if w.found.Won && !w.settled() {
		f.finish(w)
	}
}

// settled tells whether the change found is small enough already.
func (w *walk) settled() bool {
	return w.desk.plan.Enough && w.found.Within(w.threat.Epsilon)
}

// finish halves the way between the row and the nearest change found a few times.
func (f FAB) finish(w *walk) {
	x, best := w.scratch[0], w.scratch[1]
	for i, v := range w.found.X {
		if w.threat.Scale != nil {
			v /= w.threat.Scale[i]
		}
		best[i] = v
	}
	low, high := 0.0, 1.0
	for range 4 {
		middle := (low + high) / 2
		if low == 0 {
			middle = 0.9 // the last step back was by a tenth
		}
		for i, o := range w.orig {
			x[i] = o + float32(middle)*(best[i]-o)
		}
		if !w.ask(x) {
			return
		}
		if w.won {
			high = middle
		} else {
			low = middle
		}
	}
}

// near draws a start around the row: half as far as the nearest change known
// or the ball, whichever is smaller (Croce and Hein 2020b, section 3.3).
func (w *walk) near(x []float32) {
	size := w.epsilon
	if w.found.Won {
		size = min(size, w.found.Distance)
	}
	sum, most := 0.0, 0.0
	for i := range x {
		v := w.rng.NormFloat64()
		if w.threat.Norm == Linf {
			v = 2*w.rng.Float64() - 1
		}
		x[i] = float32(v)
		most = max(most, math.Abs(v))
		if w.threat.Norm == L1 {
			sum += math.Abs(v)
		} else {
			sum += v * v
		}
	}
	switch w.threat.Norm {
	case Linf:
		sum = most
	case L2:
		sum = math.Sqrt(sum)
	}
	k := float32(size / 2 / max(sum, 1e-12))
	for i, o := range w.orig {
		x[i] = o + k*x[i]
	}
	clamp(x, w.lo, w.hi)
}

// toPlane writes into move the smallest change in the threat's norm that,
// from x and within the box, raises <grad, ·> by need, or as far as the box
// allows, and returns its size. Features move in the direction of their slope
// (or against it where need is negative): by equal parts up to their room in
// L-inf, in proportion to their slopes in L2, and in L1 one after another from
// the steepest on. The gain is a rising, concave, piecewise linear function of
// the multiplier, so that steps along its slope reach the root from below.
func (w *walk) toPlane(move, x []float32, need float64) float64 {
	direction := float32(1)
	if need < 0 {
		direction, need = -1, -need
	}
	room := w.scratch[3]
	for i, g := range w.grad {
		switch g *= direction; {
		case g > 0:
			room[i] = max(0, w.hi[i]-x[i])
		case g < 0:
			room[i] = max(0, x[i]-w.lo[i])
		default:
			room[i] = 0
		}
	}
	if w.threat.Norm == L1 {
		return w.steepest(move, room, direction, need)
	}
	linf := w.threat.Norm == Linf
	t := 0.0
	for range 50 {
		gain, slope := 0.0, 0.0
		for i, r := range room {
			g := math.Abs(float64(w.grad[i]))
			pace := g
			if linf {
				pace = 1
			}
			if t*pace >= float64(r) {
				gain += g * float64(r)
			} else {
				gain += g * t * pace
				slope += g * pace
			}
		}
		if slope == 0 || gain >= need {
			break
		}
		next := t + (need-gain)/slope
		if !(next > t*(1+1e-9)) || math.IsInf(next, 0) {
			break
		}
		t = next
	}
	size := 0.0
	for i, r := range room {
		g := w.grad[i] * direction
		pace := t
		if !linf {
			pace *= math.Abs(float64(g))
		}
		d := float32(min(pace, float64(r)))
		if linf {
			size = max(size, float64(d))
		} else {
			size += float64(d) * float64(d)
		}
		if g < 0 {
			d = -d
		}
		move[i] = d
	}
	if linf {
		return size
	}
	return math.Sqrt(size)
}

// steepest is toPlane in L1.
func (w *walk) steepest(move, room []float32, direction float32, need float64) float64 {
	order := w.order
	for i := range order {
		order[i] = int32(i)
	}
	slopes := w.scratch[4]
	for i, g := range w.grad {
		slopes[i] = max(g, -g)
	}
	slices.SortFunc(order, func(a, b int32) int {
		switch {
		case slopes[a] > slopes[b]:
			return -1
		case slopes[a] < slopes[b]:
			return 1
		}
		return int(a - b)
	})
	clear(move)
	size := 0.0
	for _, i := range order {
		g := float64(slopes[i])
		if need <= 0 || g == 0 {
			break
		}
		d := min(float64(room[i]), need/g)
		need -= g * d
		size += d
		move[i] = float32(math.Copysign(d, float64(w.grad[i]*direction)))
	}
	return size
}
