package evasion

import (
	"context"
	"math"
	"slices"

	white "github.com/assize/assize/internal/attack"
	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/model"
)

// ascent follows the gradient of the output, up and down, from random starts in the ball. It
// is an oracle for the attacks of package attack, to which From tells the row, and keeps the point of each row at which the model itself moves most.
type ascent struct {
	grad   *model.Gradient
	climbs []*climb
	aims   []model.Aim
}

// Evaluate implements attack.Oracle.
func (a *ascent) Evaluate(ctx context.Context, loss model.Loss, x []float32, aims []model.Aim, into *model.Slopes) error {
	a.aims = a.aims[:0]
	for _, aim := range aims {
		a.aims = append(a.aims, model.Aim{Target: aim.Target})
	}
	if err := a.grad.Evaluate(ctx, loss, x, a.aims, into); err != nil {
		return err
	}
	w := len(x) / len(aims)
	for i, aim := range aims {
		k, way, at := a.climbs[aim.From], aim.Target, x[i*w:(i+1)*w]
		if into.Loss[i] > k.ahead[way] && k.within(k.distance(at, k.orig)) && k.dom.Feasible(at, k.orig) {
			k.ahead[way], k.trail[way] = into.Loss[i], append(k.trail[way][:0], at...)
		}
	}
	return nil
}

// follow climbs along gradients on every row in the domain, where the model has them, and asks the system itself
// for what it found. It is apart from the search by asking, so that no row does worse for it.
func follow(ctx context.Context, c *measure.Case, s *space, climbs []*climb) error {
	grad, err := c.Model.Gradient(ctx)
	if err != nil {
		return ctx.Err() // there is none, or it cannot be differentiated: the search goes on alone
	}
	seed := c.Seed
	seed[0] ^= 0xff // not the draws of the search
	a := &ascent{grad: grad, climbs: climbs}
	var rows []white.Row
	for at, k := range climbs {
		k.ahead, k.followed = [2]float64{math.Inf(-1), math.Inf(-1)}, true
		if s.size > 0 && c.Domain.Feasible(k.orig, k.orig) {
			rows = append(rows, white.Row{X: k.orig, From: model.Decision(at), Targets: []int{0, 1}, Rand: seed.Row(k.row)})
		}
	}
	plan := white.Plan{
		Method: white.APGD{Steps: c.Params.Int("steps"), Wide: s.norm == "l1"}, Loss: model.Margin, Targets: 2, Restarts: c.Params.Int("restarts"),
	}
	if len(rows) == 0 {
		return nil
	}
	if _, err := white.Run(ctx, a, threatOf(s, s.epsilon), plan, rows, grad.Batch(), nil); err != nil {
		return err
	}
	for way, up := range [2]float64{1, -1} {
		var x []float32
		var about []int
		var of []*climb
		for _, k := range climbs {
			if k.trail[way] != nil {
				x, about, of = append(x, k.trail[way]...), append(about, k.row), append(of, k)
			}
		}
		outputs, err := numbers(ctx, c.Model, x, about)
		if err != nil {
			return err
		}
		for j, k := range of {
			k.asked++
			if v := outputs[j]; !math.IsNaN(v) {
				k.white[way] = max(0, up*(v-k.output))
			}
		}
	}
	return nil
}

// numbers are the outputs for rows of x, NaN where there is none: what the system gives or,
// where its answers are random on purpose, the mean of model.Fresh answers.
func numbers(ctx context.Context, m *model.Model, x []float32, about []int) ([]float64, error) {
	n, times := len(about), 1
	if m.Random() {
		times = model.Fresh
	}
	out := make([]float64, n)
	var a model.Answers
	for range times {
		m.About(slices.Clone(about))
		if err := m.Predict(ctx, x, n, &a); err != nil {
			return nil, err
		}
		for i := range out {
			if v := a.Row(i)[0]; a.Refused[i] || !usable(v) {
				out[i] = math.NaN()
			} else {
				out[i] += float64(v) / float64(times)
			}
		}
	}
	return out, nil
}
