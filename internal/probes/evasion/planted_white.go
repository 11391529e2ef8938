package evasion

import (
	"context"
	"math"

	"gonum.org/v1/gonum/mat"

	white "github.com/assize/assize/internal/attack"
	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/model"
)

// The unit test of an attack that follows gradients, after Zimmermann et al. 2022, section 4 (see planted.go).
// The copy of the system keeps the network up to its scores; a readout with two outcomes is
// fitted to their margins, so that of the places drawn in the ball around a row one alone, the farthest out, is on
// the other side. That place is the planted example: random change does not come upon it, and the gradients lead there only through the network.

const (
	plantedInner = 48 // draws that stay on the row's side
	plantedOuter = 8  // of which one is planted
)

// readout is such a copy, for one row. It is an oracle of the attacks.
type readout struct {
	grad    *model.Gradient
	from    model.Decision
	targets []int
	weight  []float64 // of the margin of each target; the readout of the inner draws has a deviation of 1
	level   float64   // of the planted example
	slopes  model.Slopes
	x       []float32
	aims    []model.Aim
}

// margins evaluates rows of x against every target. They lie row by row in the slopes.
func (o *readout) margins(ctx context.Context, x []float32, n int) error {
	o.x, o.aims = o.x[:0], o.aims[:0]
	w := len(x) / n
	for i := range n {
		for _, t := range o.targets {
			o.x = append(o.x, x[i*w:(i+1)*w]...)
			o.aims = append(o.aims, model.Aim{From: o.from, Target: t})
		}
	}
	return o.grad.Evaluate(ctx, model.Margin, o.x, o.aims, &o.slopes)
}

// Evaluate answers as the copy: the loss is greater than 0 beyond the planted example. A
// ten-thousandth of the inner draws' deviation is left for rounding.
func (o *readout) Evaluate(ctx context.Context, _ model.Loss, x []float32, aims []model.Aim, into *model.Slopes) error {
	n, k := len(aims), len(o.targets)
	if err := o.margins(ctx, x, n); err != nil {
		return err
	}
	w := len(x) / n
	into.N, into.Loss, into.Won, into.Gradient = n, make([]float64, n), make([]bool, n), make([]float32, len(x))
	for i := range n {
		into.Loss[i] = -o.level
		slope := into.Gradient[i*w : (i+1)*w]
		for c, a := range o.weight {
			into.Loss[i] += a * o.slopes.Loss[i*k+c]
			for j, g := range o.slopes.Gradient[(i*k+c)*w : (i*k+c+1)*w] {
				slope[j] += float32(a) * g
			}
		}
		into.Won[i] = into.Loss[i] >= -1e-4
	}
	return nil
}

// fit plants an example among draws, the inner ones first. It is false where none of the outer ones can be told from all inner ones.
func (o *readout) fit(ctx context.Context, x []float32, inner, n int) (bool, error) {
	if err := o.margins(ctx, x, n); err != nil {
		return false, err
	}
	k := len(o.targets)
	at := func(i, c int) float64 { return o.slopes.Loss[i*k+c] }
	mean, spread := make([]float64, k), mat.NewSymDense(k, nil)
	for c := range k {
		for i := range inner {
			mean[c] += at(i, c) / float64(inner)
		}
	}
	trace := 0.0
	for c := range k {
		for d := c; d < k; d++ {
			sum := 0.0
			for i := range inner {
				sum += (at(i, c) - mean[c]) * (at(i, d) - mean[d]) / float64(inner)
			}
			spread.SetSym(c, d, sum)
		}
		trace += spread.At(c, c)
	}
	for c := range k { // keeps directions in which nothing moves out of the readout
		spread.SetSym(c, c, spread.At(c, c)+1e-3*trace/float64(k))
	}
	var factors mat.Cholesky
	if !(trace > 0) || math.IsInf(trace, 0) || !factors.Factorize(spread) {
		return false, nil
	}
	best := 0.0
	for p := inner; p < n; p++ {
		away := mat.NewVecDense(k, nil)
		for c := range k {
			away.SetVec(c, at(p, c)-mean[c])
		}
		var a mat.VecDense
		if err := factors.SolveVecTo(&a, away); err != nil {
			continue
		}
		size := math.Sqrt(mat.Inner(&a, spread, &a))
		read := func(i int) (v float64) {
			for c := range k {
				v += a.AtVec(c) * at(i, c) / size
			}
			return v
		}
		nearest := math.Inf(-1)
		for i := range inner {
			nearest = max(nearest, read(i))
		}
		if gap := read(p) - nearest; gap > best {
			best, o.level = gap, read(p)
			o.weight = o.weight[:0]
			for c := range k {
				o.weight = append(o.weight, a.AtVec(c)/size)
			}
		}
	}
	return best > 1e-3, nil
}

// plant attacks copies of rows that stand, as the probe's first attack does, and notes what it found.
func (a *auto) plant(ctx context.Context) error {
	seed := a.c.Seed
	seed[0] ^= 0xff // not the draws of the attack itself
	n := &noise{s: a.s, normal: newNormal()}
	method := white.APGD{Steps: a.c.Params.Int("steps"), Wide: a.threat.Norm == white.L1}
	for i, row := range a.c.Index {
		h, r := &a.state[i], a.rows[i]
		if !h.attacked || h.by != 0 || !tested(row) {
			continue
		}
		o := &readout{grad: a.grad, from: r.From, targets: r.Targets[:min(len(r.Targets), plantedOuter)]}
		x, inner, count := n.places(seed, row, r.X)
		if inner < plantedInner/2 || count == inner {
			continue
		}
		if ok, err := o.fit(ctx, x, inner, count); err != nil || !ok {
			if err != nil {
				return err
			}
			continue
		}
		r.Rand = seed.Row(row)
		found, err := white.Run(ctx, o, a.threat, white.Plan{Method: method, Loss: model.Margin, Restarts: 2}, []white.Row{r}, 1, nil)
		if err != nil {
			return err
		}
		h.planted = 0
		if found[0].Won {
			h.planted = 1
		}
	}
	return nil
}

// places draws changes of a row: first from the inside of the ball, then from its ends.
func (n *noise) places(seed measure.Seed, row int, orig []float32) (x []float32, inner, count int) {
	rng, w := seed.Row(-2-row), len(orig)
	for i := range plantedInner + plantedOuter {
		x = append(x, orig...)
		last := x[len(x)-w:]
		n.ball(rng, last, orig, 1)
		if i >= plantedInner && n.s.norm == "linf" {
			for j, o := range orig {
				reach := n.s.free[j] * n.s.scale[j] * float32(n.s.epsilon)
				last[j] = o + float32(math.Copysign(float64(reach), float64(last[j]-o)))
			}
		}
		if !n.s.project(last, orig) || !n.s.within(n.s.distance(last, orig)) {
			x = x[:len(x)-w]
			continue
		}
		if count++; i < plantedInner {
			inner++
		}
	}
	return x, inner, count
}
