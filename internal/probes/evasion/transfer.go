package evasion

import (
	"context"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"time"

	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/model"
	"github.com/assize/assize/internal/result"
)

func transferProbe() measure.Probe {
	needs := needs
	needs.Others = true
	return measure.Probe{
		ID: "evasion/transfer", Version: 2,
		Doc: "Transfer attack: a model of the attacker's own, trained on the system's decisions, is attacked by its gradients and what is found is tried on the system.\n\n" +
			"The surrogate is a small network (64 hidden units). It learns from the decisions on some test rows, and on rows moved along its own gradients, which are asked about in turn " +
			"(Papernot et al. 2017). Projected gradient descent on it needs few questions of the system, which only sees finished attempts, so that hidden scores do not hold " +
			"it up. A limit on questions about one case holds for those of the training, too, and what the service grants one user pays for them. How often surrogate and system agree on the rows " +
			"attacked is reported; where that is rare, little is learnt from the attack. Questions of the training are asked in each shard.",
		Metrics: []string{
			"agreement", "attack_success", "clean_accuracy", "median_distance", "noise_success", "queries_to_success",
			"queries_to_success_p90", "robust_accuracy", "rows_attackable", "success_within_grant", "training_queries",
		},
		Goals: goals, Threats: threats, Needs: needs, Requires: []string{floor}, Feeds: Worst, Switch: true, Paired: "stands",
		Cites: []string{
			"Papernot, McDaniel, Goodfellow, Jha, Celik, Swami: Practical Black-Box Attacks against Machine Learning. AsiaCCS 2017, arXiv 1602.02697",
			"Madry, Makelov, Schmidt, Tsipras, Vladu: Towards Deep Learning Models Resistant to Adversarial Attacks. ICLR 2018, arXiv 1706.06083",
			"AI Act Art. 15(5)", "ENISA Evasion",
		},
		Params: append(threatParams(), grantParam(),
			measure.Param{Name: "queries", Doc: "attempts of each row, with the search for a smaller change", Unit: "queries", Quick: 10.0, Standard: 20.0, Thorough: 50.0},
			measure.Param{Name: "rows", Doc: "rows that are attacked", Unit: "rows", Quick: 50.0, Standard: 200.0, Thorough: 1000.0},
			measure.Param{Name: "rounds", Doc: "times that the rows learnt from are doubled", Quick: 2.0, Standard: 3.0, Thorough: 4.0},
			measure.Param{Name: "epochs", Doc: "passes over them in each training", Quick: 20.0, Standard: 20.0, Thorough: 30.0},
		),
		Rows: func(s measure.Scope) int { return min(s.TestRows, s.Params.Int("rows")) },
		Queries: func(s measure.Scope) int {
			return min(s.TestRows, s.Params.Int("rows"))*(1+s.Params.Int("queries")) + measure.OtherRows<<s.Params.Int("rounds")
		},
		Timeout: 30 * time.Minute,
		Run:     runTransfer, Join: joinTransfer,
	}
}

func runTransfer(ctx context.Context, c *measure.Case) (*result.Result, error) {
	s, err := newSpace(c.Domain, c.Params)
	if err != nil {
		return nil, err
	}
	if err := positive(c.Params, "queries", "epochs"); err != nil {
		return nil, err
	}
	n, t, err := imitate(ctx, c, s)
	if err != nil {
		return nil, err
	}
	// A copy of the system would need a surrogate of its own: no test.
	agrees, at := make([]float64, len(c.Index)), 0
	r, err := siege(ctx, c, s, false, func(a search) walker {
		if n != nil && n.decide(a.orig) == int(a.from) {
			agrees[at] = 1
		}
		at++
		if c.Model.QueryLimit() > 0 { // the training asked about this case, too
			a.budget = max(0, a.budget-t.about[a.row])
		}
		return &transfer{search: a, net: n}
	})
	if err != nil {
		return nil, err
	}
	r.Rows.Columns = append(r.Rows.Columns, result.Column{Name: "agrees", Doc: "1: unchanged, the surrogate decides the row as the system does", Values: agrees},
		result.Column{Name: "trained", Doc: "questions of the training, the same for every row", Unit: "queries", Values: slices.Repeat([]float64{float64(t.asked)}, len(c.Index))})
	return r, nil
}

func joinTransfer(j *measure.Joint) (*result.Result, error) {
	r, err := joinAttack(j, "transfer", false)
	if err != nil || r.State != result.Measured {
		return r, err
	}
	agree := 0
	for _, v := range j.Rows.Column("agrees") {
		agree += int(v)
	}
	m, err := share(agree, j.Rows.Len())
	r.Metrics["agreement"] = m
	r.Metrics["training_queries"] = result.Exactly(slices.Max(j.Rows.Column("trained")), j.Rows.Len(), "queries")
	r.Notes = append(r.Notes, fmt.Sprintf("The surrogate decides %d of the %d rows as the system does.", agree, j.Rows.Len()))
	return r, err
}

// training is what the surrogate took.
type training struct {
	asked int         // questions
	about map[int]int // of them, those about each row of the data
}

// imitate trains a surrogate on the system's decisions, the same in every shard. It is
// nil where the system decides all of the rows alike: there is nothing to imitate.
// A solution that limits questions about one case limits how often rows are moved and asked about again.
func imitate(ctx context.Context, c *measure.Case, s *space) (*surrogate, *training, error) {
	const reach = 0.1 // of a feature's range: how far rows are moved to learn from
	rng := c.Seed.Whole()
	outcomes := max(len(c.Model.Rule().Outcomes), c.Model.Classes())
	var x [][]float32
	var y, of []int // of is the row of the data behind each
	t := &training{about: map[int]int{}}
	rounds := c.Params.Int("rounds")
	if limit := c.Model.QueryLimit(); limit > 0 {
		rounds = min(rounds, bits.Len(uint(limit))-1)
	}
	learn := func(rows [][]float32, from []int) error {
		flat := slices.Concat(rows...)
		decisions := make([]model.Decision, len(rows))
		if err := c.Model.Decide(ctx, flat, len(rows), decisions); err != nil {
			return err
		}
		for i, d := range decisions {
			t.asked++
			t.about[from[i]]++
			if d >= 0 && int(d) < outcomes {
				x, y, of = append(x, rows[i]), append(y, int(d)), append(of, from[i])
			}
		}
		return nil
	}
	var rows [][]float32
	for i := range c.Others.Len() {
		rows = append(rows, c.Others.Row(i))
	}
	if err := learn(rows, c.Others.Index); err != nil {
		return nil, nil, err
	}
	var n *surrogate
	for round := 0; ; round++ {
		if len(x) == 0 || slices.Max(y) == slices.Min(y) {
			return nil, t, nil
		}
		n = newSurrogate(x, outcomes, s.scale, rng)
		n.fit(x, y, c.Params.Int("epochs"), rng)
		if round == rounds {
			return n, t, nil
		}
		by, slope := make([]float32, outcomes), make([]float32, s.dom.Len())
		rows = nil
		var from []int
		for i, row := range x {
			clear(by)
			by[y[i]] = 1
			n.forward(row)
			n.bySlope(by, slope)
			moved := slices.Clone(row)
			for k, g := range slope {
				if g != 0 && s.free[k] == 1 {
					moved[k] += float32(math.Copysign(reach*float64(s.hi[k]-s.lo[k]), -float64(g)))
				}
			}
			if s.project(moved, row) {
				rows, from = append(rows, moved), append(from, of[i])
			}
		}
		if err := learn(rows, from); err != nil {
			return nil, nil, err
		}
	}
}

// transfer tries on the system what projected gradient descent finds on the surrogate.
type transfer struct {
	search
	net *surrogate
}

// run tries starts until one gains, then looks for a smaller change of its kind.
func (a *transfer) run() {
	if a.net == nil {
		return
	}
	by, slope := make([]float32, a.net.outcomes), make([]float32, len(a.orig))
	const givenUp = 64
	for try := 0; a.succeeded == 0 && try < givenUp; try++ {
		going := a.ask(1, func(x []float32) bool {
			a.descend(x, try > 0, by, slope)
			return a.settle(x)
		}, func([]float32, bool) {})
		if !going {
			break
		}
	}
	a.nearer()
}

// descend fills x with a change at which the surrogate gains by as much as it can.
func (a *transfer) descend(x []float32, random bool, by, slope []float32) {
	const steps = 12
	copy(x, a.orig)
	if random {
		for i := range x {
			x[i] += a.free[i] * a.scale[i] * float32(a.epsilon) * (2*a.rng.Float32() - 1)
		}
		a.clip(x)
	}
	for step := range steps {
		copy(by, a.net.forward(x))
		softmax(by)
		// The slope of the logarithm of the share that outcomes which gain have of all.
		won := float32(0)
		for k, p := range by {
			if a.desk.m.Gains(a.from, model.Decision(k)) {
				won += p
			}
		}
		for k, p := range by {
			by[k] = -p
			if won > 0 && a.desk.m.Gains(a.from, model.Decision(k)) {
				by[k] += p / won
			}
		}
		a.net.bySlope(by, slope)
		a.climb(x, slope, 2*a.epsilon/float64(2+step))
		a.clip(x)
	}
}

// climb moves x by a step of a size in the norm, along the slope.
func (a *transfer) climb(x, slope []float32, size float64) {
	most, at, sum := float32(0), -1, 0.0
	for i, g := range slope {
		slope[i] = g * a.scale[i] * a.free[i]
		sum += float64(slope[i]) * float64(slope[i])
		if v := float32(math.Abs(float64(slope[i]))); v > most {
			most, at = v, i
		}
	}
	if at < 0 {
		return
	}
	k := float32(size / math.Sqrt(sum))
	for i, g := range slope {
		switch {
		case a.norm == "linf" && g != 0:
			x[i] += float32(math.Copysign(size, float64(g))) * a.scale[i]
		case a.norm == "l2":
			x[i] += k * g * a.scale[i]
		case a.norm == "l1" && i == at:
			x[i] += float32(math.Copysign(size, float64(g))) * a.scale[i]
		}
	}
}

// clip moves x into the ball and the ranges.
func (a *transfer) clip(x []float32) {
	share := float32(1)
	if a.norm != "linf" {
		if d := a.space.distance(x, a.orig); d > a.epsilon {
			share = float32(a.epsilon / d * (1 - 1e-6))
		}
	}
	reach := float32(a.epsilon * (1 - 1e-6))
	for i, o := range a.orig {
		d := share * (x[i] - o)
		if a.norm == "linf" {
			d = max(-reach*a.scale[i], min(reach*a.scale[i], d))
		}
		x[i] = min(max(o+d, a.lo[i]), a.hi[i])
	}
}

// settle moves x onto the domain and, where that leaves the ball, tries again nearer to the row.
func (a *transfer) settle(x []float32) bool {
	from := slices.Clone(x)
	for range 8 {
		if a.project(x, a.orig) && a.within(a.space.distance(x, a.orig)) {
			return differ(x, a.orig)
		}
		for i, o := range a.orig {
			from[i] = o + 0.7*(from[i]-o)
		}
		copy(x, from)
	}
	return false
}
