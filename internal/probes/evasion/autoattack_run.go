package evasion

import (
	"context"
	"math"

	white "github.com/assize/assize/internal/attack"
	"github.com/assize/assize/internal/domain"
	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/model"
	"github.com/assize/assize/internal/result"
)

// auto is one shard of the probe.
type auto struct {
	c      *measure.Case
	s      *space
	k      *clean
	grad   *model.Gradient
	threat *white.Threat
	rows   []white.Row
	state  []hit
	stages int
	stage  int // finished
}

// hit is what is known of one row.
type hit struct {
	attacked bool
	by       int         // the attack of white.Auto that broke it, counted from 1; 0: none
	found    [][]float32 // rows that gain, the best first
	steps    int
	flat     int
	tested   bool
	more     float64 // of the attack's tests of itself: 1 gains, 0 does not, -1 not tried
	seed     float64
	double   float64
	without  float64
	planted  float64 // in a copy of the system: 1 found, 0 missed, -1 not tried
}

// threatOf is the space as the attacks read it.
func threatOf(s *space, epsilon float64) *white.Threat {
	t := &white.Threat{Norm: white.Norm(s.norm), Epsilon: epsilon, Lo: s.lo, Hi: s.hi}
	for i, f := range s.dom.Features() {
		if s.scale[i] != 1 {
			t.Scale = s.scale
		}
		t.Frozen = append(t.Frozen, s.free[i] == 0)
		t.Whole = append(t.Whole, f.Type != domain.Real)
	}
	if s.plain {
		t.Frozen, t.Whole = nil, nil
	} else {
		t.Settle = s.dom.Project
	}
	return t
}

// runAutoAttack attacks every row that has something to gain.
func runAutoAttack(ctx context.Context, c *measure.Case) (*result.Result, error) {
	s, err := newSpace(c.Domain, c.Params)
	if err != nil {
		return nil, err
	}
	if err := positive(c.Params, "steps", "targets", "average"); err != nil {
		return nil, err
	}
	grad, err := c.Model.Gradient(ctx)
	if err != nil {
		return nil, err
	}
	grad.Average(c.Params.Int("average"))
	k, err := unchanged(ctx, c)
	if err != nil {
		return nil, err
	}
	a := &auto{c: c, s: s, k: k, grad: grad, threat: threatOf(s, s.epsilon), stages: 8}
	if err := a.prepare(ctx); err != nil {
		return nil, err
	}
	if err := a.attack(ctx); err != nil {
		return nil, err
	}
	if err := a.test(ctx); err != nil {
		return nil, err
	}
	if err := a.plant(ctx); err != nil {
		return nil, err
	}
	rows, err := a.settle(ctx)
	if err != nil {
		return nil, err
	}
	if err := a.masked(ctx, rows); err != nil {
		return nil, err
	}
	c.Done(1)
	return &result.Result{State: result.Measured, Rows: rows}, nil
}

// prepare picks the rows to attack and orders their targets.
func (a *auto) prepare(ctx context.Context) error {
	a.rows, a.state = make([]white.Row, len(a.c.Index)), make([]hit, len(a.c.Index))
	var aimed []white.Row
	for i, row := range a.c.Index {
		x, rng := a.c.Data.Row(i), a.c.Seed.Row(row)
		h := &a.state[i]
		h.tested = rng.Float64() < a.c.Params.Float("tested")
		h.more, h.seed, h.double, h.without, h.planted = -1, -1, -1, -1, -1
		a.rows[i] = white.Row{X: x, From: a.k.decision[i], Rand: rng}
		h.attacked = a.k.attackable[i] && a.s.size > 0 && a.c.Domain.Feasible(x, x) && len(a.grad.Targets(a.k.decision[i])) > 0
		if h.attacked {
			aimed = append(aimed, a.rows[i])
		}
	}
	if len(aimed) == 0 {
		return nil
	}
	if err := white.Aim(ctx, a.grad, aimed); err != nil {
		return err
	}
	at := 0
	for i := range a.rows {
		if a.state[i].attacked {
			a.rows[i].Targets = aimed[at].Targets
			a.state[i].steps++
			at++
		}
	}
	return nil
}

// some runs a plan on the rows for which pick is true.
func (a *auto) some(ctx context.Context, t *white.Threat, p white.Plan, pick func(i int) bool, hear func(i int, f *white.Found)) error {
	var rows []white.Row
	var at []int
	for i := range a.rows {
		if a.state[i].attacked && pick(i) {
			rows, at = append(rows, a.rows[i]), append(at, i)
		}
	}
	if len(rows) > 0 {
		found, err := white.Run(ctx, a.grad, t, p, rows, a.grad.Batch(), func(n int) {
			a.c.Done(0.99 * (float64(a.stage) + float64(n)/float64(len(rows))) / float64(a.stages))
		})
		if err != nil {
			return err
		}
		for k := range found {
			h := &a.state[at[k]]
			h.steps += found[k].Steps
			h.flat += found[k].Flat
			hear(at[k], &found[k])
		}
	}
	a.stage++
	return nil
}

// attack carries out the three attacks, and looks for smaller changes of what they broke.
func (a *auto) attack(ctx context.Context) error {
	steps, targets := a.c.Params.Int("steps"), a.c.Params.Int("targets")
	if err := a.three(ctx); err != nil {
		return err
	}
	shrink := white.Plan{Method: white.FAB{Steps: max(1, steps/4)}, Loss: model.Margin, Targets: min(3, targets)}
	return a.some(ctx, a.threat, shrink, func(i int) bool { return a.state[i].by > 0 }, func(i int, f *white.Found) {
		if h := &a.state[i]; f.Won && f.Distance < a.threat.Distance(h.found[0], a.rows[i].X) {
			h.found = append([][]float32{f.X}, h.found...)
		}
	})
}

// three carries out the three attacks, each on what stands after those before it.
func (a *auto) three(ctx context.Context) error {
	standing := func(i int) bool { return a.state[i].by == 0 }
	for n, plan := range white.Auto(a.threat.Norm, a.c.Params.Int("steps"), a.c.Params.Int("targets")) {
		if err := a.some(ctx, a.threat, plan, standing, func(i int, f *white.Found) {
			if f.Won {
				a.state[i].found = [][]float32{f.X}
			}
			if f.Within(a.threat.Epsilon) {
				a.state[i].by = n + 1
			}
		}); err != nil {
			return err
		}
	}
	if !a.c.Model.Random() {
		return nil
	}
	// Of what gains just more often than not the system's own answers are the judge.
	a.grad.Hope(true)
	defer a.grad.Hope(false)
	return a.some(ctx, a.threat, white.Auto(a.threat.Norm, a.c.Params.Int("steps"), 0)[0], standing, func(i int, f *white.Found) {
		if f.Won {
			a.state[i].by, a.state[i].found = 1, [][]float32{f.X}
		}
	})
}

// test attacks some rows again with more, to see whether the attack was as
// strong as it could be (Carlini et al. 2019, section 5).
func (a *auto) test(ctx context.Context) error {
	steps := a.c.Params.Int("steps")
	apgd := func(steps int) white.Plan {
		return white.Plan{Method: white.APGD{Steps: steps, Wide: a.threat.Norm == white.L1}, Loss: model.Margin}
	}
	put := func(to func(*hit) *float64) func(int, *white.Found) {
		return func(i int, f *white.Found) {
			*to(&a.state[i]) = 0
			if f.Won {
				*to(&a.state[i]) = 1
			}
		}
	}
	standing := func(i int) bool { return a.state[i].tested && a.state[i].by == 0 }
	if err := a.some(ctx, a.threat, apgd(2*steps), standing, put(func(h *hit) *float64 { return &h.more })); err != nil {
		return err
	}
	if err := a.some(ctx, a.threat, apgd(steps), standing, put(func(h *hit) *float64 { return &h.seed })); err != nil {
		return err
	}
	tested := func(i int) bool { return a.state[i].tested }
	if err := a.some(ctx, threatOf(a.s, 2*a.s.epsilon), apgd(steps), tested, put(func(h *hit) *float64 { return &h.double })); err != nil {
		return err
	}
	whole := 0.0 // no change in the box is larger, in any norm
	for i, hi := range a.s.hi {
		if d := float64((hi - a.s.lo[i]) * a.s.inverse[i]); a.threat.Norm == white.Linf {
			whole = max(whole, d)
		} else {
			whole += d
		}
	}
	return a.some(ctx, threatOf(a.s, whole), apgd(2*steps), func(i int) bool { return a.state[i].found == nil }, func(i int, f *white.Found) {
		h := &a.state[i]
		h.without = 0
		if f.Won {
			h.without, h.found = 1, [][]float32{f.X}
		}
	})
}

// The columns of this probe behind the shared ones.
const (
	colBy = sharedColumns + iota
	colSteps
	colFlat
	colAutoRechecked
	colAutoDiffers
	colMore
	colSeed
	colDouble
	colWithout
	colAutoPlanted
	autoColumns
)

// settle asks the system itself for every row found and fills the table.
func (a *auto) settle(ctx context.Context) (*result.Rows, error) {
	more := []result.Column{
		{Name: "broken_by", Doc: "the attack that first broke the row: 1 APGD on cross-entropy, 2 APGD by targets, 3 FAB; 0 none"},
		{Name: "steps", Doc: "points at which the model was evaluated with its gradient", Unit: "steps"},
		{Name: "flat", Doc: "share of these points at which the gradient was 0 or no number", Unit: "share"},
		{Name: "rechecked", Doc: "the final row, asked of the system alone: 1 feasible and gains, 0 not, so that it does not count, -1 none was found, or none that gains in most fresh answers where these are random on purpose"},
		{Name: "returned_differs", Doc: "1: the final row is another than the row"},
		{Name: "more_steps", Doc: "row that stands, with twice the steps: 1 broken, 0 not, -1 not tried"},
		{Name: "other_seed", Doc: "row that stands, from another start: 1 broken, 0 not, -1 not tried"},
		{Name: "double_epsilon", Doc: "at twice the epsilon: 1 broken, 0 not, -1 not tried"},
		{Name: "unbounded", Doc: "row for which nothing was found that gains, with no bound but the domain: 1 broken, 0 not, -1 not tried"},
		{Name: "planted", Doc: "copy of the system in which a row that stands has an adversarial example: 1 found, 0 missed, -1 not tried"},
	}
	for _, f := range a.c.Domain.Features() {
		more = append(more, result.Column{Name: "x." + f.Name, Doc: "final row: the nearest change that gains, or the row itself where none was found", Unit: f.Unit, Data: true})
	}
	rows := sharedRows(a.c.Index, more...)
	for i := range a.rows {
		h, orig := &a.state[i], a.rows[i].X
		put := func(col int, v float64) { rows.Columns[col].Values[i] = v }
		final, distance := orig, -1.0
		queries := 1 + h.steps
		put(colAutoRechecked, -1)
		for _, x := range a.candidates(h.found, orig) {
			queries++
			gains, err := a.c.Model.Gained(ctx, a.rows[i].From, a.c.Index[i], x)
			if err != nil {
				return nil, err
			}
			if !a.c.Model.Random() { // what gained once, by luck, was never found
				put(colAutoRechecked, 0)
			}
			if gains && a.c.Domain.Feasible(x, orig) {
				final, distance = x, a.s.distance(x, orig)
				put(colAutoRechecked, 1)
				break
			}
		}
		note(rows, i, a.s, a.k, a.c.Domain.Feasible(orig, orig), distance, queries)
		if rows.Columns[colBroken].Values[i] == 0 {
			h.by = 0
		}
		put(colBy, float64(h.by))
		put(colSteps, float64(h.steps))
		put(colFlat, float64(h.flat)/math.Max(1, float64(h.steps)))
		if differ(final, orig) {
			put(colAutoDiffers, 1)
		}
		for col, v := range map[int]float64{colMore: h.more, colSeed: h.seed, colDouble: h.double, colWithout: h.without, colAutoPlanted: h.planted} {
			put(col, v)
		}
		for j, v := range final {
			rows.Columns[autoColumns+j].Values[i] = finite(v)
		}
	}
	return rows, nil
}

// candidates are the rows to hand over, the best first: those found, and the
// first of them a thousandth further on, in case it lies within rounding of the boundary.
func (a *auto) candidates(found [][]float32, orig []float32) [][]float32 {
	if len(found) == 0 {
		return nil
	}
	if a.c.Model.Random() {
		return a.s.outward(found[0], orig)
	}
	out := append([][]float32{}, found[:min(2, len(found))]...)
	further := make([]float32, len(orig))
	for j, v := range found[0] {
		further[j] = v + (v-orig[j])/1000
	}
	if a.s.project(further, orig) && differ(further, found[0]) {
		out = append(out[:1], append([][]float32{further}, out[1:]...)...)
	}
	return out
}
