package evasion

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/model"
	"github.com/assize/assize/internal/result"
)

func regressionProbe() measure.Probe {
	return measure.Probe{
		ID: "evasion/regression", Version: 2,
		Doc: "Worst change of a number: how far can a change within the threat model move the output of a regression model, up or down?\n\n" +
			"Each row is changed at random, one feature at a time to both ends of the ball, by all that moved the output together, and then by random search from the best " +
			"(after Andriushchenko et al. 2020), by asking for outputs alone. Where the model can be differentiated APGD follows the gradient of the output as well, from random starts, up " +
			"and down, and the larger change of the two counts. Every change asked about is one that the domain allows. What is found is a lower bound of what is possible. " +
			"The tolerance is the level that the manifest declares for worst_change.",
		Metrics: []string{"change_p95", "median_change", "noise_change", "over_tolerance", "worst_change"},
		Goals:   goals, Threats: threats, Switch: true, Paired: "stands",
		Needs: measure.Needs{Model: true, Data: true, Domain: true, Value: true},
		Cites: []string{
			"Andriushchenko, Croce, Flammarion, Hein: Square Attack: a query-efficient black-box adversarial attack via random search. ECCV 2020, arXiv 1912.00049",
			"Croce, Hein: Reliable Evaluation of Adversarial Robustness with an Ensemble of Diverse Parameter-free Attacks. ICML 2020, arXiv 2003.01690",
			"AI Act Art. 15(4)", "AI Act Art. 15(5)", "ENISA Evasion",
		},
		Params: append(threatParams(),
			measure.Param{Name: "tolerance", Doc: "largest change of the output that is borne; 0 where none is declared", Unit: "of the output", Quick: 0.0, Standard: 0.0, Thorough: 0.0, Manifest: "declared.worst_change.at_most"},
			measure.Param{Name: "queries", Doc: "budget of each row", Unit: "queries", Quick: 300.0, Standard: 1000.0, Thorough: 5000.0, Manifest: "threat_model.evasion.queries_per_row"},
			measure.Param{Name: "steps", Doc: "steps along the gradient, each way from each start", Unit: "steps", Quick: 20.0, Standard: 50.0, Thorough: 100.0},
			measure.Param{Name: "restarts", Doc: "random starts of these", Unit: "starts", Quick: 1.0, Standard: 2.0, Thorough: 4.0},
			measure.Param{Name: "rows", Doc: "rows that are attacked", Unit: "rows", Quick: 100.0, Standard: 300.0, Thorough: 1000.0},
		),
		Rows: func(s measure.Scope) int { return min(s.TestRows, s.Params.Int("rows")) },
		Queries: func(s measure.Scope) int {
			return min(s.TestRows, s.Params.Int("rows")) * (2 + s.Params.Int("queries") + 6*s.Params.Int("steps")*s.Params.Int("restarts"))
		},
		Timeout: 30 * time.Minute,
		Run:     runRegression, Join: joinRegression,
	}
}

// The columns of the table, in this order; one per feature follows.
const (
	regAnswered = iota
	regInside
	regOutput
	regChange
	regNoise
	regSearched
	regQueries
	regRepeats
	regFeasible
	regWithin
	regStands
	regFollowed
	regRandom
	regColumns
)

// runRegression attacks every row that gets a number and lies in the domain.
func runRegression(ctx context.Context, c *measure.Case) (*result.Result, error) {
	s, err := newSpace(c.Domain, c.Params)
	if err != nil {
		return nil, err
	}
	if err := positive(c.Params, "steps", "restarts"); err != nil {
		return nil, err
	}
	outputs, err := numbers(ctx, c.Model, c.Data.X, c.Index)
	if err != nil {
		return nil, err
	}
	rows := regressionRows(c)
	var climbs []*climb
	// The first question was for the row itself, the last is for the final row again.
	budget := (c.Params.Int("queries") - 2) / repeats(c.Model)
	for i, number := range c.Index {
		orig := c.Data.Row(i)
		rows.Columns[regQueries].Values[i] = 1
		if c.Domain.Feasible(orig, orig) {
			rows.Columns[regInside].Values[i] = 1
		}
		if math.IsNaN(outputs[i]) {
			continue
		}
		rows.Columns[regAnswered].Values[i], rows.Columns[regOutput].Values[i] = 1, outputs[i]
		k := newClimb(s, i, number, orig, outputs[i], c.Seed.Row(number), budget)
		climbs = append(climbs, k)
	}
	if err := lockstep(ctx, c, climbs); err != nil {
		return nil, err
	}
	if err := follow(ctx, c, s, climbs); err != nil {
		return nil, err
	}
	if err := settleRegression(ctx, c, rows, climbs); err != nil {
		return nil, err
	}
	c.Done(1)
	return &result.Result{State: result.Measured, Rows: rows}, nil
}

func usable(v float32) bool { return !math.IsNaN(float64(v)) && !math.IsInf(float64(v), 0) }

func regressionRows(c *measure.Case) *result.Rows {
	rows := &result.Rows{Index: slices.Clone(c.Index), Columns: []result.Column{
		{Name: "answered", Doc: "1: the row as it is gets a number; others are not attacked"},
		{Name: "inside", Doc: "1: the row itself lies in the domain"},
		{Name: "output", Doc: "the output for the row as it is; 0 where there is none", Data: true},
		{Name: "change", Doc: "largest change of the output found within the threat model, up or down, as the system gave it again for the final row alone", Unit: "of the output"},
		{Name: "noise", Doc: "the same of random change alone", Unit: "of the output"},
		{Name: "searched", Doc: "the same of the search alone", Unit: "of the output"},
		{Name: "queries", Doc: "questions asked of the system about the row, apart from evaluations of the model with its gradient", Unit: "queries"},
		{Name: "repeats", Doc: "1: asked for again alone, the final row gets the output that was found, to a hundred-thousandth, or the system is random on purpose"},
		{Name: "feasible", Doc: "1: the final row is feasible as a change of the row"},
		{Name: "within", Doc: "1: the final row is within the threat model"},
		{Name: "stands", Doc: "1: answered, and no change found is over the tolerance (over 0 where none is declared)"},
		{Name: "followed", Doc: "the same of following gradients alone, as the system gave it; -1 where the model has none", Unit: "of the output"},
		randomColumn(c),
	}}
	for _, f := range c.Domain.Features() {
		rows.Columns = append(rows.Columns, result.Column{Name: "x." + f.Name, Doc: "final row: the change that moves the output most, or the row itself where nothing does", Unit: f.Unit, Data: true})
	}
	for i := range rows.Columns {
		if i != regRandom {
			rows.Columns[i].Values = make([]float64, len(c.Index))
		}
	}
	return rows
}

// lockstep asks for the questions of all rows together, round by round.
func lockstep(ctx context.Context, c *measure.Case, climbs []*climb) error {
	const roomValues = 1 << 22
	w := c.Data.Width
	var a model.Answers
	var x []float32
	var about []int
	group := max(1, roomValues/(w*(2*w+64)))
	total, asked := 0, 0
	for _, k := range climbs {
		total += k.budget
	}
	for part := range slices.Chunk(climbs, group) {
		for going := true; going; {
			going = false
			x, about = x[:0], about[:0]
			for _, k := range part {
				k.from = len(x) / w
				x = k.propose(x)
				k.put = len(x)/w - k.from
				for range k.put {
					about = append(about, k.row)
				}
			}
			n := len(x) / w
			if n == 0 {
				break
			}
			if err := askMean(ctx, c.Model, x, about, &a); err != nil {
				return err
			}
			for _, k := range part {
				for j := k.from; j < k.from+k.put; j++ {
					ok := !a.Refused[j] && usable(a.Row(j)[0])
					k.hear(j-k.from, x[j*w:(j+1)*w], float64(a.Row(j)[0]), ok)
				}
				going = k.next() || going
			}
			asked += n
			c.Done(0.99 * min(1, float64(asked)/float64(max(1, total))))
		}
	}
	return nil
}

// settleRegression asks for each final row once more, alone, and fills the table.
func settleRegression(ctx context.Context, c *measure.Case, rows *result.Rows, climbs []*climb) error {
	put := func(column, i int, v float64) { rows.Columns[column].Values[i] = v }
	yes := func(column, i int, is bool) {
		if is {
			put(column, i, 1)
		}
	}
	tolerance := c.Params.Float("tolerance")
	for _, k := range climbs {
		final, found := k.best()
		again, err := numbers(ctx, c.Model, final, []int{k.row})
		if err != nil {
			return err
		}
		change := 0.0
		if !math.IsNaN(again[0]) {
			change = math.Abs(again[0] - k.output)
		}
		put(regChange, k.i, change)
		put(regNoise, k.i, max(k.noise[0], k.noise[1]))
		put(regSearched, k.i, max(k.gain[0], k.gain[1]))
		put(regFollowed, k.i, -1)
		if k.followed {
			put(regFollowed, k.i, max(k.white[0], k.white[1]))
		}
		put(regQueries, k.i, float64(k.asked*repeats(c.Model)+2))
		yes(regRepeats, k.i, c.Model.Random() || math.Abs(change-found) <= 1e-5*max(math.Abs(k.output), found))
		yes(regFeasible, k.i, c.Domain.Feasible(final, k.orig) || !differ(final, k.orig))
		yes(regWithin, k.i, k.within(k.distance(final, k.orig)))
		yes(regStands, k.i, change <= tolerance)
	}
	finals := map[int][]float32{}
	for _, k := range climbs {
		finals[k.i], _ = k.best()
	}
	for i := range c.Index {
		x := c.Data.Row(i)
		if final, ok := finals[i]; ok {
			x = final
		}
		for j, v := range x {
			put(regColumns+j, i, finite(v))
		}
	}
	if len(rows.Columns) != regColumns+c.Data.Width {
		return fmt.Errorf("write rows: %d columns for %d features", len(rows.Columns), c.Data.Width)
	}
	return nil
}
