package evasion

import (
	"context"
	"fmt"

	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/result"
)

// rechecks is how often a final row is asked for again at most.
const rechecks = 2

// positive refuses parameters that are not greater than 0.
func positive(p measure.Params, names ...string) error {
	for _, name := range names {
		if !(p.Float(name) > 0) {
			return fmt.Errorf("read parameters: %s is not greater than 0", name)
		}
	}
	return nil
}

// siege lets an attack that asks questions loose on every row that has
// something to gain, within the budget of each, and says what came of it. Test says
// that the attack is tested on copies of the system, see plant.
func siege(ctx context.Context, c *measure.Case, s *space, test bool, begin func(search) walker) (*result.Result, error) {
	k, err := unchanged(ctx, c)
	if err != nil {
		return nil, err
	}
	// The first question was for the row itself, the last two are for the final row again.
	budget := c.Params.Int("queries") - 1 - rechecks
	if limit := c.Model.QueryLimit(); limit > 0 {
		budget = min(budget, limit-1) // asking again is ours, not the attacker's
	}
	budget /= repeats(c.Model)
	all := make([]*search, len(c.Index))
	var active []walker
	for i, row := range c.Index {
		w := begin(search{space: s, orig: c.Data.Row(i), row: row, from: k.decision[i], rng: c.Seed.Row(row), budget: budget})
		all[i] = w.state()
		if k.attackable[i] && s.size > 0 {
			active = append(active, w)
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
	rows, err := settle(ctx, c, s, k, all)
	if err != nil {
		return nil, err
	}
	found, err := plant(ctx, c, s, all, func(i int) bool {
		return test && k.attackable[i] && rows.Columns[colBroken].Values[i] == 0 && s.size > 0
	}, begin)
	if err != nil {
		return nil, err
	}
	copy(rows.Columns[colPlanted].Values, found)
	c.Done(1)
	return &result.Result{State: result.Measured, Rows: rows}, nil
}

// The columns of these attacks behind the shared ones.
const (
	colToSuccess = sharedColumns + iota
	colRechecked
	colFeasible
	colDiffers
	colPlanted
	ownColumns
)

// settle asks for each final row once more, alone, and fills the table. Of a
// row whose answer does not repeat, as happens within rounding of the boundary, the change before it is taken.
func settle(ctx context.Context, c *measure.Case, s *space, k *clean, attacks []*search) (*result.Rows, error) {
	more := []result.Column{
		{Name: "queries_to_success", Doc: "questions asked when a change within the threat model first gained; 0 where none", Unit: "queries"},
		{Name: "rechecked", Doc: "1: the final row, asked for again alone, gains; where answers are random on purpose, in most of the fresh ones"},
		{Name: "feasible", Doc: "1: the final row is feasible as a change of the row"},
		{Name: "returned_differs", Doc: "1: the final row is another than the row"},
		{Name: "planted", Doc: "copy of the system in which a row that stands has an adversarial example: 1 found, 0 missed, -1 not tried"},
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
		random := c.Model.Random()
		candidates := [][]float32{a.best, a.second}
		if random && a.best != nil {
			if candidates = s.outward(a.best, a.orig); a.surest != nil {
				candidates = append(candidates, a.surest)
			}
		}
		queries := 1 + a.asked*repeats(c.Model)
		for k, x := range candidates {
			if x == nil {
				break
			}
			if k < rechecks {
				queries++
			}
			gains, err := c.Model.Gained(ctx, a.from, a.row, x)
			if err != nil {
				return nil, err
			}
			if gains || !random {
				final, distance = x, s.distance(x, a.orig)
			}
			if gains {
				put(colRechecked, i, true)
				break
			}
		}
		inside := c.Domain.Feasible(a.orig, a.orig)
		note(rows, i, s, k, inside, distance, queries)
		if rows.Columns[colBroken].Values[i] == 1 {
			rows.Columns[colToSuccess].Values[i] = float64(1 + a.succeeded*repeats(c.Model))
		}
		put(colFeasible, i, c.Domain.Feasible(final, a.orig))
		put(colDiffers, i, differ(final, a.orig))
		for j, v := range final {
			rows.Columns[ownColumns+j].Values[i] = finite(v)
		}
	}
	return rows, nil
}
