package evasion

import (
	"context"
	"math"
	"time"

	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/result"
)

func boundaryProbe() measure.Probe {
	return measure.Probe{
		ID: "evasion/boundary", Version: 2,
		Doc: "Decision-based attack: a random walk along the boundary of the decision, ever nearer to the row.\n\n" +
			"The Boundary Attack (Brendel, Rauber and Bethge 2018) begins at some change that gains, as HopSkipJump does, and draws steps to the side and then towards the row; what gains is kept. " +
			"Both step sizes follow the share of steps that gain. It needs no estimate of a direction, so that it goes on where the boundary is ragged or answers are random.",
		Metrics: []string{
			"attack_success", "clean_accuracy", "median_distance", "noise_success", "queries_to_success",
			"queries_to_success_p90", "robust_accuracy", "rows_attackable", "success_within_grant",
		},
		Goals: goals, Threats: threats, Needs: needs, Requires: []string{"evasion/noise"}, Feeds: Worst, Switch: true, Paired: "stands",
		Cites: []string{
			"Brendel, Rauber, Bethge: Decision-Based Adversarial Attacks: Reliable Attacks Against Black-Box Machine Learning Models. ICLR 2018, arXiv 1712.04248",
			"AI Act Art. 15(4)", "AI Act Art. 15(5)", "ENISA Evasion",
		},
		Params: append(threatParams(), grantParam(),
			measure.Param{Name: "queries", Doc: "budget of each row", Unit: "queries", Quick: 500.0, Standard: 2000.0, Thorough: 10000.0, Manifest: "threat_model.evasion.queries_per_row"},
			measure.Param{Name: "rows", Doc: "rows that are attacked", Unit: "rows", Quick: 50.0, Standard: 200.0, Thorough: 1000.0},
		),
		Rows: func(s measure.Scope) int { return min(s.TestRows, s.Params.Int("rows")) },
		Queries: func(s measure.Scope) int {
			return min(s.TestRows, s.Params.Int("rows")) * (1 + s.Params.Int("queries"))
		},
		Timeout: 30 * time.Minute,
		Run:     runBoundary, Join: joinBoundary,
	}
}

func runBoundary(ctx context.Context, c *measure.Case) (*result.Result, error) {
	s, err := newSpace(c.Domain, c.Params)
	if err != nil {
		return nil, err
	}
	if err := positive(c.Params, "queries"); err != nil {
		return nil, err
	}
	k := newKnobs(s, 1, 1, 1)
	return siege(ctx, c, s, true, func(a search) walker { return &boundary{attack: newAttack(k, a)} })
}

func joinBoundary(j *measure.Joint) (*result.Result, error) {
	return joinAttack(j, "Boundary Attack", true)
}

// boundary is the walk of Brendel et al. 2018 on one row. It begins and
// approaches the row as HopSkipJump does.
type boundary struct {
	*attack
	aside, ahead float64   // sizes of steps, as shares of the distance
	at           []float32 // a step to the side that gains
}

// run walks until the budget is used up. In a domain of whole numbers a walk that comes
// to where everything was asked before begins anew from another start.
func (b *boundary) run() {
	b.again(func() bool {
		b.aside, b.ahead = 0.1, 0.1 // the paper's step sizes to begin with
		return b.approach(b.linf, 0.01) && b.walk()
	})
}

// walk is false when the budget is used up.
func (b *boundary) walk() bool {
	const (
		volley  = 5
		givenUp = 40 // volleys in a row that bring no question
		finest  = 1e-7
	)
	for dry := 0; dry < givenUp && b.aside > finest; {
		before, dist := b.asked, b.length()
		gains, heard := 0, 0
		ok := b.ask(volley, func(x []float32) bool { return b.step(x, dist) }, func(x []float32, gained bool) {
			heard++
			if gained {
				gains++
				b.at = append(b.at[:0], x...)
			}
		})
		if !ok {
			return false
		}
		if dry++; b.asked > before {
			dry = 0
		}
		if heard == 0 || gains == 0 {
			b.aside *= 0.9
			continue
		}
		// Steps aside gain about half of the time where the boundary is flat at their size.
		usual := 0.5
		if b.linf {
			usual = 0.2
		}
		b.aside = min(1, b.aside*math.Exp(0.4*(float64(gains)/float64(heard)-usual)))
		nearer := false
		ok = b.ask(1, func(x []float32) bool { return b.closer(x) }, func(x []float32, gained bool) {
			if nearer = gained; gained {
				copy(b.current, x)
			}
		})
		if nearer {
			b.ahead = min(0.9, b.ahead*1.15)
		} else {
			b.ahead = max(1e-7, b.ahead*0.9)
			if length(b.at, b.orig, b.inverse, b.linf) <= dist {
				copy(b.current, b.at)
			}
		}
		if !ok {
			return false
		}
	}
	return true
}

// step draws a row to the side of current, as far from the row attacked. The sphere of linf is
// a box, on which one gets about by moving some values from side to side.
func (b *boundary) step(x []float32, dist float64) bool {
	if b.linf && b.plain {
		copy(x, b.current)
		for range max(1, int(b.aside*float64(b.size))) {
			i := b.rng.IntN(len(x))
			x[i] = b.orig[i] + float32(dist)*b.scale[i]
			if b.rng.Uint64()&1 == 0 {
				x[i] = b.orig[i] - float32(dist)*b.scale[i]
			}
		}
		return b.project(x, b.orig) && differ(x, b.current)
	}
	if !b.around(x, b.aside*dist) {
		return false
	}
	b.pull(x, dist)
	return b.project(x, b.orig) && differ(x, b.orig)
}

// closer is what steps aside found, nearer to the row.
func (b *boundary) closer(x []float32) bool {
	copy(x, b.at)
	b.pull(x, (1-b.ahead)*length(b.at, b.orig, b.inverse, b.linf))
	return b.project(x, b.orig) && differ(x, b.orig)
}

// pull brings x within a distance of the row: along the line in l2, by clipping in linf.
func (b *boundary) pull(x []float32, dist float64) {
	size := length(x, b.orig, b.inverse, b.linf)
	if size <= dist {
		return
	}
	share := float32(dist / size)
	for i, o := range b.orig {
		if b.linf {
			reach := float32(dist) * b.scale[i]
			x[i] = o + max(-reach, min(reach, x[i]-o))
		} else {
			x[i] = o + share*(x[i]-o)
		}
	}
}
