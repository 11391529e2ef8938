package model

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/assize/assize/internal/onnx"
	"github.com/assize/assize/internal/onnx/grad"
	"github.com/assize/assize/internal/onnx/ort"
)

// Loss is what a gradient leads upwards: each grows as the row comes nearer to
// an outcome that gains, and Margin is greater than 0 where it is there.
type Loss int

// The losses. Own are the outcomes to leave, aim those to reach; see Aim. DLR
// is undefined for two outcomes and TargetedDLR for three; where Defined says
// so, Margin is used in their place.
const (
	CrossEntropy Loss = iota // minus the log of the own outcomes' share
	Margin                   // best score of aim less best of own
	DLR                      // Margin over the first less the third largest score (Croce and Hein 2020, section 4)
	TargetedDLR              // Margin over the first less the mean of the third and fourth
	losses
)

// Aim says what an attack on a row wants: to leave the decision From for one
// that gains, or for the outcome of column Target alone. Below 0 Target means
// any. Without a decision rule Target 0 is up and 1 is down: the Margin is then the output, or minus the output.
type Aim struct {
	From   Decision
	Target int
}

// Slopes is what a Gradient says of N rows. Scores has a row of
// Gradient.Outcomes() numbers for each, the greatest that of the decision.
// Gradient is of Loss with respect to the application's own row, before its
// scaling. Won tells which rows are decided in a way that gains (Model.Gains).
type Slopes struct {
	N        int
	Loss     []float64
	Gradient []float32 // N × Width
	Scores   []float32 // N × Outcomes
	Won      []bool
	// Sound has a number other than 0 for rows whose gradient holds numbers alone, not all of
	// them 0; other rows have to be looked at. It is nil where a row is no cheaper to tell.
	Sound []float32

	answers Answers
}

// Gradient is white-box access to a model: the attacker has the graph. It
// differentiates through the scaling, finds the scores behind a Softmax or a
// Sigmoid, and goes by the decision rule. What solutions do to
// the output moves Won and is not differentiated, noise that they add is averaged over; rows are not validated, so that
// callers must stay in the domain. It is for one goroutine at a time, as its Model.
type Gradient struct {
	m        *Model
	w        *fit
	aim, own []float32
	masked   []Aim // what aim and own were made of
	padded   [8][]float32
	spare    [5][]float32
	draws    int      // see Average
	hopes    bool     // see Hope
	blurs    *blurred // nil until it is needed
}

// ErrNoGradient means that there is no graph to differentiate.
var ErrNoGradient = errors.New("differentiate model: there is no graph of it\nhint: attacks that only query the model still run")

var errLabels = errors.New("differentiate model: it gives labels alone, which no small change moves\nhint: name an output with scores under interface.output; attacks that only query the model still run")

// white is what all copies of a Model share: the graph and what was made of it.
type white struct {
	file   *onnx.Model
	folder string
	fixed  int             // batch that the model insists on; 0: any
	fits   map[string]*fit // by the refer band, which is a solution that can be off
}

// fit is white-box access under one rule.
type fit struct {
	*white
	head *head           // nil until it is known
	err  error           // why there is none
	rows int             // of a run of the graph at most; known with the head
	runs [3][losses]*run // without a step, with one of the length asked for last, with one with momentum
}

// fit is the access under the rule of m.
func (w *white) fit(m *Model) *fit {
	key := ""
	if b := m.spec.Rule.Band; b != nil {
		key = fmt.Sprint(*b)
	}
	if w.fits == nil {
		w.fits = map[string]*fit{}
	}
	if w.fits[key] == nil {
		w.fits[key] = &fit{white: w}
	}
	return w.fits[key]
}

// run is the extended graph of one loss.
type run struct {
	session *ort.Session
	binding *ort.Binding
	length  float32 // of the step
}

// Differentiable tells why the model has no gradient, as Gradient does, from
// the graph alone; nil where it should have one.
func (m *Model) Differentiable() error {
	if m.white == nil {
		return ErrNoGradient
	}
	if m.spec.Output.Kind == Label {
		return errLabels
	}
	_, err := grad.Extend(m.white.file, grad.Options{Input: m.spec.Input.Tensor, Output: m.spec.Output.Tensor, Row: m.InputShape()})
	return err
}

// Gradient prepares white-box access. The error is a *grad.UnsupportedError or
// a *grad.NoGradientError where the graph cannot be differentiated, and
// ErrNoGradient where there is none.
func (m *Model) Gradient(ctx context.Context) (*Gradient, error) {
	if m.white == nil {
		return nil, ErrNoGradient
	}
	g := &Gradient{m: m, w: m.white.fit(m)}
	if g.w.head == nil && g.w.err == nil {
		g.w.err = g.prepare(ctx)
	}
	if err := ctx.Err(); err != nil {
		g.w.head, g.w.err = nil, nil
		return nil, err
	}
	return g, g.w.err
}

// Outcomes is the number of scores of a row.
func (g *Gradient) Outcomes() int { return len(g.w.head.decisions) }

// Batch is the number of rows that one run of the graph takes at most: as many
// as keep the widest layer in a processor's cache, through which the way back goes several times.
func (g *Gradient) Batch() int { return g.w.rows }

// Defined tells whether a loss is a function of its own for this model.
func (g *Gradient) Defined(loss Loss) bool {
	return loss < DLR || g.w.head.logits && g.Outcomes() > int(loss)
}

// Targets lists the columns of Scores whose outcome gains, coming from a decision.
func (g *Gradient) Targets(from Decision) []int {
	var out []int
	for c, d := range g.w.head.decisions {
		if g.m.Gains(from, d) {
			out = append(out, c)
		}
	}
	return out
}

// Evaluate computes the loss and its gradient at len(aims) rows of x, each
// with its own aim, and fills into, whose space it reuses. It costs one run of
// the graph.
func (g *Gradient) Evaluate(ctx context.Context, loss Loss, x []float32, aims []Aim, into *Slopes) error {
	into.Sound = nil
	return g.evaluate(ctx, loss, x, aims, nil, into)
}

func (g *Gradient) evaluate(ctx context.Context, loss Loss, x []float32, aims []Aim, step *Step, into *Slopes) error {
	n, m := len(aims), g.m
	if len(x) != n*m.width {
		return fmt.Errorf("differentiate model: %d values for %d rows of %d", len(x), n, m.width)
	}
	if m.noise != nil {
		return g.expected(ctx, loss, x, aims, step, into)
	}
	if !g.Defined(loss) {
		loss = Margin
	}
	r, err := g.w.run(m, loss, step)
	if err != nil {
		return err
	}
	*m.queries += int64(n)
	k := g.Outcomes()
	into.N = n
	into.Loss, into.Won = resize(into.Loss, n), resize(into.Won, n)
	into.Gradient, into.Scores = resize(into.Gradient, n*m.width), resize(into.Scores, n*k)
	if step != nil {
		into.Sound = resize(into.Sound, n)
	}
	a := &into.answers
	a.N, a.K, a.Scores, a.Refused = n, m.columns, resize(a.Scores, n*m.columns), resize(a.Refused, n)
	clear(a.Refused)
	g.masks(aims)
	for from := 0; from < n; from += g.w.rows {
		to := min(n, from+g.w.rows)
		in := [][]float32{x[from*m.width : to*m.width], g.aim[from*k : to*k], g.own[from*k : to*k]}
		out := [][]float32{a.Scores[from*m.columns : to*m.columns], into.Scores[from*k : to*k], into.Gradient[from*m.width : to*m.width]}
		if step != nil {
			reads, fills := step.slices(from, to, m.width)
			in, out = append(in, reads...), append(append(out, into.Sound[from:to]), fills...)
		}
		if err := g.some(ctx, r, to-from, in, out); err != nil {
			return err
		}
	}
	m.limit(a.Scores, a.Refused)
	for i, aim := range aims {
		into.Loss[i] = value(loss, into.Scores[i*k:(i+1)*k], g.aim[i*k:(i+1)*k], g.own[i*k:(i+1)*k])
		into.Won[i] = m.Gains(aim.From, m.Decision(a, i))
	}
	return nil
}

// some runs one batch. A batch that the model cannot take is filled up with
// its first row; so is a batch of one, which the runtime adds up in another
// order than the rows of larger ones.
func (g *Gradient) some(ctx context.Context, r *run, n int, in, out [][]float32) error {
	want := max(2, n)
	if g.w.fixed > 0 {
		want = g.w.fixed
	}
	if n == want {
		return r.binding.Run(ctx, n, in, out)
	}
	wideIn, wideOut := make([][]float32, len(in)), make([][]float32, len(out))
	for i := range in {
		size := len(in[i]) / n
		g.padded[i] = append(g.padded[i][:0], in[i]...)
		for range want - n {
			g.padded[i] = append(g.padded[i], in[i][:size]...)
		}
		wideIn[i] = g.padded[i]
	}
	for i := range out {
		g.spare[i] = resize(g.spare[i], len(out[i])/n*want)
		wideOut[i] = g.spare[i]
	}
	if err := r.binding.Run(ctx, want, wideIn, wideOut); err != nil {
		return err
	}
	for i := range out {
		copy(out[i], wideOut[i])
	}
	return nil
}

// never is added to the score of an outcome that is not to be looked at.
const never = -1e30

// masks spreads the aims over the columns: 0 where a column belongs to aim, or
// to own, else never.
func (g *Gradient) masks(aims []Aim) {
	k := g.Outcomes()
	if len(aims)*k > cap(g.aim) {
		g.masked = nil
	}
	g.aim, g.own = resize(g.aim, len(aims)*k), resize(g.own, len(aims)*k)
	for i, a := range aims {
		if i < len(g.masked) && g.masked[i] == a {
			continue
		}
		for c, d := range g.w.head.decisions {
			aim, own := float32(never), float32(never)
			if g.w.head.value && a.Target >= 0 {
				if own = 0; a.Target == c {
					aim, own = 0, never
				}
			} else if g.m.Gains(a.From, d) {
				if a.Target < 0 || a.Target == c {
					aim = 0
				}
			} else {
				own = 0
			}
			g.aim[i*k+c], g.own[i*k+c] = aim, own
		}
		g.masked = append(g.masked[:i], a)
	}
}

// value is a loss of one row's scores.
func value(loss Loss, scores, aim, own []float32) float64 {
	if loss == CrossEntropy {
		return crossEntropy(scores, own)
	}
	best := func(mask []float32) float64 {
		b := math.Inf(-1)
		for c, v := range scores {
			b = max(b, float64(v)+float64(mask[c]))
		}
		return b
	}
	margin := best(aim) - best(own)
	if loss == Margin {
		return margin
	}
	var top [4]float64
	for i := range top {
		top[i] = math.Inf(-1)
	}
	for _, v := range scores {
		f := float64(v)
		for i := range top {
			if f > top[i] {
				f, top[i] = top[i], f
			}
		}
	}
	if loss == DLR {
		return margin / (top[0] - top[2] + tiny)
	}
	return margin / (top[0] - (top[2]+top[3])/2 + tiny)
}

// tiny keeps quotients finite.
const tiny = 1e-12

// crossEntropy is minus the log of the share of the columns that are own.
func crossEntropy(scores, own []float32) float64 {
	top := slices.Max(scores)
	sum, part := 0.0, 0.0
	for c, v := range scores {
		e := math.Exp(float64(v - top))
		sum += e
		if own[c] == 0 {
			part += e
		}
	}
	if part > 1e-200 {
		return math.Log(sum / part)
	}
	return logSum(scores, nil) - logSum(scores, own) // the share is below what 64 bits hold
}

// logSum is the logarithm of the sum of the exponentials of scores, plus mask.
func logSum(scores, mask []float32) float64 {
	at := func(c int) float64 {
		if mask == nil {
			return float64(scores[c])
		}
		return float64(scores[c]) + float64(mask[c])
	}
	top := math.Inf(-1)
	for c := range scores {
		top = max(top, at(c))
	}
	sum := 0.0
	for c := range scores {
		sum += math.Exp(at(c) - top)
	}
	return top + math.Log(sum)
}
