package evasion

import (
	"errors"
	"fmt"

	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/result"
)

// joinAttack turns the rows of an attack that asks questions into its numbers,
// with the checks that it did better than chance and handed over what it says.
func joinAttack(j *measure.Joint, name string) (*result.Result, error) {
	floor := j.Results["evasion/noise"]
	if floor == nil || floor.Rows == nil {
		return nil, errors.New("join rows: the rows of evasion/noise are missing")
	}
	t := newTally(j.Rows)
	if r := t.nothing(); r != nil {
		return r, nil
	}
	r, err := t.metrics(j.Params)
	if err != nil {
		return nil, err
	}
	beaten := *t
	shared, theirs, ours, _ := beaten.worst(newTally(floor.Rows))
	if r.Metrics["noise_success"], err = share(theirs, shared); err != nil {
		return nil, err
	}
	budget := j.Params.Float("queries")
	needed := t.needed(r, budget)
	r.Check("attack-beats-noise", ours >= theirs, fmt.Sprintf("On the same %d attackable rows the attack broke %d, random noise %d.", shared, ours, theirs))
	checkFinal(r, j.Rows, budget)
	r.Pictures = []result.Picture{againstQueries(name, needed, t.attackables, budget)}
	return r, nil
}

// nothing is the result where no row has anything to gain.
func (t *tally) nothing() *result.Result {
	if t.attackables > 0 {
		return nil
	}
	return result.Unmeasured(result.NotApplicable, fmt.Sprintf("none of the %d rows has anything to gain: each is decided favourably or, where no outcome is favourable, wrong already", t.n))
}

// needed lists how many questions the rows took that the attack itself broke, and adds the metrics of it.
func (t *tally) needed(r *result.Result, budget float64) []float64 {
	var needed []float64
	for i, q := range t.rows.Column("queries_to_success") {
		if t.attackable[i] && q > 0 {
			needed = append(needed, q)
		}
	}
	for name, p := range map[string]float64{"queries_to_success": 0.5, "queries_to_success_p90": 0.9} {
		if m, ok := quantile(needed, p, 1, budget, "queries"); ok {
			r.Metrics[name] = m
		}
	}
	return needed
}
