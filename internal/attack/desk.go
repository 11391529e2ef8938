package attack

import (
	"context"
	"iter"
	"math"
	"math/rand/v2"

	"github.com/assize/assize/internal/model"
)

// desk asks the oracle for the points of all walks, one of each, in one batch.
type desk struct {
	oracle Oracle
	threat *Threat
	plan   Plan
	rows   []Row
	found  []Found
	done   func(rows int)
	width  int
	walks  []*walk

	taken, finished int
	x               []float32 // points of this round
	aims            []model.Aim
	count           int
	slopes          model.Slopes
	stepper         Stepper     // nil: walks take their steps themselves
	step            *model.Step // of all walks; x, Next and Before change places every round
}

func newDesk(o Oracle, t *Threat, p Plan, rows []Row, size int) *desk {
	w := len(t.Lo)
	d := &desk{oracle: o, threat: t, plan: p, rows: rows, found: make([]Found, len(rows)), width: w,
		x: make([]float32, size*w), aims: make([]model.Aim, size)}
	stepper, is := o.(Stepper)
	if is && t.Norm == Linf && t.Scale == nil && t.Frozen == nil && t.Settle == nil {
		d.step = p.Method.guide(t.Epsilon)
	}
	if d.step != nil {
		d.stepper = stepper
		d.step.Lo, d.step.Hi, d.step.Next = make([]float32, size*w), make([]float32, size*w), make([]float32, size*w)
		if m := d.step.Momentum; m != nil {
			m.Before, m.Lengths, m.Shares = make([]float32, size*w), make([]float32, size), make([]float32, size)
		}
	}
	for range size {
		d.walks = append(d.walks, newWalk(d))
	}
	return d
}

// run walks until every row is finished.
func (d *desk) run(ctx context.Context) error {
	var active []func() (struct{}, bool)
	for _, w := range d.walks {
		next, stop := iter.Pull(func(yield func(struct{}) bool) {
			w.pause = yield
			for w.stopped = false; !w.stopped && d.taken < len(d.rows); {
				row := d.taken
				d.taken++
				w.attack(row)
				if w.stopped {
					return
				}
				d.finished++
				if d.done != nil {
					d.done(d.finished)
				}
			}
		})
		defer stop()
		active = append(active, next)
	}
	for len(active) > 0 {
		d.count = 0
		kept := active[:0]
		for _, next := range active {
			if _, going := next(); going {
				kept = append(kept, next)
			}
		}
		if active = kept; d.count == 0 {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := d.evaluate(ctx); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// evaluate answers the points of a round. With a Stepper x then holds where they lead, and
// passed the points.
func (d *desk) evaluate(ctx context.Context) error {
	n := d.count * d.width
	if d.step == nil {
		return d.oracle.Evaluate(ctx, d.plan.Loss, d.x[:n], d.aims[:d.count], &d.slopes)
	}
	step := &model.Step{Length: d.step.Length, Lo: d.step.Lo[:n], Hi: d.step.Hi[:n], Next: d.step.Next[:n]}
	m := d.step.Momentum
	if m != nil {
		step.Momentum = &model.Momentum{Before: m.Before[:n], Lengths: m.Lengths[:d.count], Shares: m.Shares[:d.count]}
	}
	err := d.stepper.Advance(ctx, d.plan.Loss, d.x[:n], d.aims[:d.count], step, &d.slopes)
	if m == nil {
		d.x, d.step.Next = d.step.Next, d.x
	} else {
		d.x, m.Before, d.step.Next = d.step.Next, d.x, m.Before
	}
	return err
}

// passed are the points of the last round, with a Stepper.
func (d *desk) passed() []float32 {
	if m := d.step.Momentum; m != nil {
		return m.Before
	}
	return d.step.Next
}

// walk is one attack under way. Points are in displacements: features divided
// by their scale.
type walk struct {
	desk   *desk
	threat *Threat
	pause  func(struct{}) bool
	// stopped is true when the attack must end at once.
	stopped bool

	row      *Row
	rng      *rand.Rand
	aim      model.Aim
	found    *Found
	orig     []float32 // in displacements
	lo, hi   []float32 // the box
	lowest   []float32 // the box and, in L-inf, the ball
	highest  []float32
	epsilon  float64
	grad     []float32 // at the last point; until the next is asked
	loss     float64
	won      bool
	next     []float32 // where the Stepper's step leads; until the next is asked
	point    []float32 // the last point, with a Stepper; until the next is asked
	before   []float32 // where the row was before it, with momentum; until the next is asked
	length   float32   // of the step with momentum
	share    float32   // of the way to where it leads
	slot     int       // where the bounds of the row lie for the Stepper; -1: nowhere yet
	scratch  [8][]float32
	feasible bool
	order    []int32
}

func newWalk(d *desk) *walk {
	w := &walk{desk: d, threat: d.threat, order: make([]int32, d.width)}
	n := d.width
	room := make([]float32, (5+len(w.scratch))*n)
	take := func() []float32 {
		part := room[:n:n]
		room = room[n:]
		return part
	}
	w.orig, w.lo, w.hi, w.lowest, w.highest = take(), take(), take(), take(), take()
	for i := range w.scratch {
		w.scratch[i] = take()
	}
	return w
}

// attack carries out the plan on a row.
func (w *walk) attack(row int) {
	d, p := w.desk, &w.desk.plan
	w.row, w.found = &d.rows[row], &d.found[row]
	w.rng = w.row.Rand
	w.found.Loss = math.Inf(-1)
	for i, v := range w.row.X {
		o, lo, hi := v, d.threat.Lo[i], d.threat.Hi[i]
		if s := d.threat.Scale; s != nil {
			o, lo, hi = o/s[i], lo/s[i], hi/s[i]
		}
		if d.threat.Frozen != nil && d.threat.Frozen[i] {
			lo, hi = o, o
		}
		w.orig[i], w.lo[i], w.hi[i] = o, min(lo, o), max(hi, o)
	}
	w.bound(d.threat.Epsilon)
	targets := []int{-1}
	if p.Targets > 0 {
		targets = w.row.Targets[:min(p.Targets, len(w.row.Targets))]
	}
	for _, target := range targets {
		w.aim = model.Aim{From: w.row.From, Target: target}
		for start := range max(1, p.Restarts) {
			p.Method.walk(w, start)
			if w.stopped || w.found.Won && (!p.Method.nearest() || p.Enough && w.found.Within(d.threat.Epsilon)) {
				return
			}
		}
	}
}

// bound sets the ball. What float32 cannot hold is rounded inwards.
func (w *walk) bound(epsilon float64) {
	w.epsilon, w.slot = epsilon, -1
	copy(w.lowest, w.lo)
	copy(w.highest, w.hi)
	if w.threat.Norm != Linf {
		return
	}
	for i, o := range w.orig {
		low, high := float32(float64(o)-epsilon), float32(float64(o)+epsilon)
		if float64(o)-float64(low) > epsilon {
			low = math.Nextafter32(low, o)
		}
		if float64(high)-float64(o) > epsilon {
			high = math.Nextafter32(high, o)
		}
		if w.threat.Whole != nil && w.threat.Whole[i] {
			low, high = w.whole(i, low, math.Ceil), w.whole(i, high, math.Floor)
		}
		w.lowest[i], w.highest[i] = max(w.lowest[i], low), min(w.highest[i], high)
	}
}

// whole rounds an end of the ball to a whole number of the feature's unit.
func (w *walk) whole(i int, v float32, round func(float64) float64) float32 {
	s := float32(1)
	if w.threat.Scale != nil {
		s = w.threat.Scale[i]
	}
	return float32(round(float64(v)*float64(s))) / s
}

// ask evaluates the model at v. Where it is false the attack must end at once.
func (w *walk) ask(v []float32) bool {
	d := w.desk
	at := d.count
	from, to := at*d.width, (at+1)*d.width
	w.place(v, d.x[from:to])
	if d.step != nil && w.slot != at {
		copy(d.step.Lo[from:to], w.lowest)
		copy(d.step.Hi[from:to], w.highest)
		w.slot = at
	}
	if d.step != nil && d.step.Momentum != nil {
		m := d.step.Momentum
		if before := m.Before[from:to]; &before[0] != &w.before[0] {
			copy(before, w.before)
		}
		m.Lengths[at], m.Shares[at] = w.length, w.share
	}
	d.aims[at] = w.aim
	d.count++
	if !w.pause(struct{}{}) {
		w.stopped = true
		return false
	}
	s := &d.slopes
	slot := d.x[from:to]
	if d.step != nil {
		slot, w.next = d.passed()[from:to], d.x[from:to]
		w.point = slot
		if d.step.Momentum != nil {
			w.before = d.step.Next[from:to]
		}
	}
	w.grad = s.Gradient[from:to]
	if w.loss = s.Loss[at]; math.IsNaN(w.loss) {
		w.loss = math.Inf(-1)
	}
	w.found.Loss = max(w.found.Loss, w.loss)
	w.found.Steps++
	for i, frozen := range d.threat.Frozen {
		if frozen {
			w.grad[i] = 0
		}
	}
	none, mended := false, false
	if len(s.Sound) == 0 || s.Sound[at] == 0 || s.Sound[at]-s.Sound[at] != 0 {
		none, mended = flat(w.grad)
	}
	if none {
		w.found.Flat++
	} else if sc := d.threat.Scale; sc != nil {
		for i := range w.grad {
			w.grad[i] *= sc[i]
		}
	}
	if mended && d.step != nil {
		w.mend(slot)
	}
	if w.won = s.Won[at] && w.feasible; w.won {
		w.note(slot)
	}
	return true
}

// mend takes the Stepper's step from x again, with a gradient in which zeros are in place of
// what was no number.
func (w *walk) mend(x []float32) {
	if m := w.desk.step.Momentum; m != nil {
		copy(w.next, w.before)
		momentumStep(x, w.next, w.grad, w.length, w.share, w.lowest, w.highest)
		return
	}
	copy(w.next, x)
	signStep(w.next, w.grad, w.desk.step.Length, w.lowest, w.highest)
}

// flat tells whether no feature has a slope, and puts 0 in place of what is no
// number. Mended says that there may have been such.
func flat(grad []float32) (none, mended bool) {
	for _, g := range grad {
		if g != 0 && g-g == 0 {
			return false, unusual(grad)
		}
	}
	clear(grad)
	return true, true
}

// unusual replaces what is no number in a gradient, and tells whether there was any. An
// exponent that is all ones carries into the sign.
func unusual(grad []float32) bool {
	const exponent, carry = 0x7f800000, 0x00800000
	var a, b uint32
	rest := grad
	for len(rest) >= 4 {
		r := rest[:4:4]
		a |= (math.Float32bits(r[0])&exponent + carry) | (math.Float32bits(r[1])&exponent + carry)
		b |= (math.Float32bits(r[2])&exponent + carry) | (math.Float32bits(r[3])&exponent + carry)
		rest = rest[4:]
	}
	for _, g := range rest {
		a |= math.Float32bits(g)&exponent + carry
	}
	if (a|b)>>31 == 0 {
		return false
	}
	for i, g := range grad {
		if g-g != 0 {
			grad[i] = 0
		}
	}
	return true
}

// place writes the features of point v, moved onto the domain, into x. Where
// the domain moves it out of the ball, nearer points are tried.
func (w *walk) place(v, x []float32) {
	t := w.threat
	w.features(v, x, 1)
	w.feasible = true
	if t.Settle == nil {
		return
	}
	nearest := w.desk.plan.Method.nearest()
	for _, share := range []float32{1, 0.75, 0.5, 0.25} {
		if share < 1 {
			w.features(v, x, share)
		}
		if t.Settle(x, w.row.X) && (nearest || t.Distance(x, w.row.X) <= w.epsilon*(1+1e-6)) {
			return
		}
	}
	w.feasible = false
	w.features(v, x, 1)
}

// features writes the point at a share of the way to v in the features' units.
func (w *walk) features(v, x []float32, share float32) {
	t := w.threat
	if t.Scale == nil && share == 1 {
		if &x[0] != &v[0] { // the Stepper puts it there
			copy(x, v)
		}
		return
	}
	for i, o := range w.row.X {
		if v[i] == w.orig[i] {
			x[i] = o // not what dividing and multiplying makes of it
			continue
		}
		to := w.orig[i] + share*(v[i]-w.orig[i])
		if t.Scale != nil {
			to *= t.Scale[i]
		}
		x[i] = max(min(t.Lo[i], o), min(max(t.Hi[i], o), to))
	}
}

// note keeps a row that gains where it is the nearest so far and, unless
// the method looks for the nearest, inside the ball.
func (w *walk) note(x []float32) {
	f := w.found
	distance := w.threat.Distance(x, w.row.X)
	inside := distance <= w.threat.Epsilon*(1+1e-6)
	if distance == 0 || !inside && !w.desk.plan.Method.nearest() {
		w.won = false
		return
	}
	if !f.Won || distance < f.Distance {
		f.Won, f.Distance = true, distance
		f.X = append(f.X[:0], x...)
	}
}
