package evasion

import (
	"context"
	"fmt"
	"time"

	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/model"
	"github.com/assize/assize/internal/result"
)

func hopSkipJumpProbe() measure.Probe {
	return measure.Probe{
		ID: "evasion/hopskipjump", Version: 1,
		Doc: "Decision-based attack: how small a change within the domain gains, by asking for decisions alone.\n\n" +
			"HopSkipJump (Chen, Jordan and Wainwright 2020) finds some change that gains, walks along the boundary of the decision " +
			"and estimates its direction from answers around it. It asks only for rows that the domain allows as a change of the row attacked. A row counts as broken where the change is within the " +
			"threat model. Rows that random noise breaks count as broken too: per row the worst of both.",
		Metrics: []string{
			"attack_success", "clean_accuracy", "hopskipjump_success", "median_distance", "noise_success", "queries_to_success",
			"queries_to_success_p90", "robust_accuracy", "rows_attackable",
		},
		Goals: goals, Threats: threats, Needs: needs, Requires: []string{"evasion/noise"}, Switch: true, Paired: "stands",
		Cites: []string{
			"Chen, Jordan, Wainwright: HopSkipJumpAttack: A Query-Efficient Decision-Based Attack. IEEE S&P 2020, arXiv 1904.02144",
			"AI Act Art. 15(4)", "AI Act Art. 15(5)", "ENISA Evasion",
		},
		Params: append(threatParams(),
			measure.Param{Name: "queries", Doc: "budget of each row", Unit: "queries", Quick: 500.0, Standard: 2000.0, Thorough: 10000.0, Manifest: "threat_model.evasion.queries_per_row"},
			measure.Param{Name: "rows", Doc: "rows that are attacked", Unit: "rows", Quick: 50.0, Standard: 500.0, Thorough: 1000.0},
			measure.Param{Name: "initial", Doc: "questions for the first direction; later ones take more, by the root of the step's number", Unit: "queries", Quick: 100.0, Standard: 100.0, Thorough: 100.0},
			measure.Param{Name: "most", Doc: "most questions for one direction", Unit: "queries", Quick: 10000.0, Standard: 10000.0, Thorough: 10000.0},
			measure.Param{Name: "gamma", Doc: "tolerance of the search for the boundary, over a power of the dimension", Quick: 1.0, Standard: 1.0, Thorough: 1.0},
		),
		Rows: func(s measure.Scope) int { return min(s.TestRows, s.Params.Int("rows")) },
		Queries: func(s measure.Scope) int {
			return min(s.TestRows, s.Params.Int("rows")) * (1 + s.Params.Int("queries"))
		},
		Timeout: 30 * time.Minute,
		Run:     runHopSkipJump, Join: joinHopSkipJump,
	}
}

// rechecks is how often a final row is asked for again at most.
const rechecks = 2

// runHopSkipJump attacks every row that has something to gain.
func runHopSkipJump(ctx context.Context, c *measure.Case) (*result.Result, error) {
	s, err := newSpace(c.Domain, c.Params)
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"queries", "initial", "most", "gamma"} {
		if !(c.Params.Float(name) > 0) {
			return nil, fmt.Errorf("read parameters: %s is not greater than 0", name)
		}
	}
	k, err := unchanged(ctx, c)
	if err != nil {
		return nil, err
	}
	// The first question was for the row itself, the last two are for the final row again.
	budget := c.Params.Int("queries") - 1 - rechecks
	knobs := newKnobs(s, c.Params.Int("initial"), c.Params.Int("most"), c.Params.Float("gamma"))
	attacks := make([]*attack, len(c.Index))
	var active []*attack
	for i, row := range c.Index {
		attacks[i] = newAttack(knobs, c.Data.Row(i), k.decision[i], c.Seed.Row(row), budget)
		if k.attackable[i] && s.size > 0 {
			active = append(active, attacks[i])
		}
	}
	asked, total := 0, max(1, budget*len(active))
	err = together(ctx, c.Model, active, func(more int) {
		asked += more
		c.Done(0.99 * float64(asked) / float64(total))
	})
	if err != nil {
		return nil, err
	}
	rows, err := settle(ctx, c, s, k, attacks)
	if err != nil {
		return nil, err
	}
	c.Done(1)
	return &result.Result{State: result.Measured, Rows: rows}, nil
}

// The columns of this attack behind the shared ones.
const (
	colToSuccess = sharedColumns + iota
	colRechecked
	colFeasible
	colDiffers
	ownColumns
)

// settle asks for each final row once more, alone, and fills the table. Of a
// row whose answer does not repeat, as happens within rounding of the boundary, the change before it is taken.
func settle(ctx context.Context, c *measure.Case, s *space, k *clean, attacks []*attack) (*result.Rows, error) {
	more := []result.Column{
		{Name: "queries_to_success", Doc: "questions asked when a change within the threat model first gained; 0 where none", Unit: "queries"},
		{Name: "rechecked", Doc: "1: the final row, asked for again alone, gains"},
		{Name: "feasible", Doc: "1: the final row is feasible as a change of the row"},
		{Name: "returned_differs", Doc: "1: the final row is another than the row"},
	}
	for _, f := range c.Domain.Features() {
		more = append(more, result.Column{Name: "x." + f.Name, Doc: "final row: the nearest change that gains, or the row itself where none was found", Unit: f.Unit, Data: true})
	}
	rows := sharedRows(c.Index, more...)
	put := func(col, i int, yes bool) {
		if yes {
			rows.Columns[col].Values[i] = 1
		}
	}
	for i, a := range attacks {
		final, distance := a.orig, -1.0
		queries := 1 + a.asked
		for _, x := range [rechecks][]float32{a.best, a.second} {
			if x == nil {
				break
			}
			queries++
			var answer [1]model.Decision
			if err := c.Model.Decide(ctx, x, 1, answer[:]); err != nil {
				return nil, err
			}
			final, distance = x, s.distance(x, a.orig)
			if c.Model.Gains(a.from, answer[0]) {
				put(colRechecked, i, true)
				break
			}
		}
		inside := c.Domain.Feasible(a.orig, a.orig)
		note(rows, i, s, k, inside, distance, queries)
		if rows.Columns[colBroken].Values[i] == 1 {
			rows.Columns[colToSuccess].Values[i] = float64(1 + a.succeeded)
		}
		put(colFeasible, i, c.Domain.Feasible(final, a.orig))
		put(colDiffers, i, differ(final, a.orig))
		for j, v := range final {
			rows.Columns[ownColumns+j].Values[i] = finite(v)
		}
	}
	return rows, nil
}
