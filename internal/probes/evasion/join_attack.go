package evasion

import (
	"errors"
	"fmt"
	"slices"

	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/result"
)

// overNoise begins the result of an attack: its numbers, beside those of random noise on the same
// rows. OnlyTheirs counts the rows that noise alone broke. Where nothing can be attacked the tally is nil, and the result says so.
func overNoise(j *measure.Joint) (t *tally, r *result.Result, onlyTheirs int, err error) {
	noise := j.Results[floor]
	if noise == nil || noise.Rows == nil {
		return nil, nil, 0, errors.New("join rows: the rows of evasion/noise are missing")
	}
	t = newTally(j.Rows)
	if r := t.nothing(); r != nil {
		return nil, r, 0, nil
	}
	if r, err = t.metrics(j.Params); err != nil {
		return nil, nil, 0, err
	}
	shared, theirs, ours, onlyTheirs := t.beside(newTally(noise.Rows))
	if r.Metrics["noise_success"], err = share(theirs, shared); err != nil {
		return nil, nil, 0, err
	}
	r.Check("attack-beats-noise", ours >= theirs, fmt.Sprintf("On the same %d attackable rows the attack broke %d, random noise %d.", shared, ours, theirs))
	return t, r, onlyTheirs, nil
}

// joinAttack turns the rows of an attack that asks questions into its numbers,
// with the checks that it did better than chance and handed over what it says.
// Whole says that it looks for changes of any size, and so should find one wherever noise does.
func joinAttack(j *measure.Joint, name string, whole bool) (*result.Result, error) {
	t, r, onlyTheirs, err := overNoise(j)
	if err != nil || t == nil {
		return r, err
	}
	budget := j.Params.Float("queries")
	needed := t.needed(r, budget)
	trained := 0.0
	if c := j.Rows.Column("trained"); len(c) > 0 {
		trained = slices.Max(c)
	}
	switch grant := j.Params.Float("grant"); {
	case trained > 0 && trained >= grant && grant > 0:
		r.Notes = append(r.Notes, fmt.Sprintf("The training took %.0f questions and the service grants one user %.0f: what one user reaches within them was not measured.", trained, grant))
	default:
		if err := t.within(r, grant, trained, budget, needed); err != nil {
			return nil, err
		}
	}
	if whole {
		r.Check("start-found", 20*onlyTheirs <= t.attackables, fmt.Sprintf("A change that gains was found for %d of %d attackable rows; for %d others only noise found one.", t.gains, t.attackables, onlyTheirs))
	}
	checkFinal(r, j.Rows, budget)
	checkPlanted(r, j.Rows.Column("planted"))
	r.Pictures = []result.Picture{againstQueries(name, needed, t.attackables, budget)}
	return r, nil
}

// nothing is the result where no row has anything to gain.
func (t *tally) nothing() *result.Result {
	if t.attackables > 0 {
		return nil
	}
	return result.Unmeasured(result.NotApplicable, fmt.Sprintf("none of the %d rows has anything to gain: each is decided favourably or, where no outcome is favourable, wrong already; %d are decided rightly", t.n, t.rights))
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

// within adds which share of the rows with something to gain fell within the
// queries that the service grants one user, of which trained went before the first row. An attack that asked fewer says how many at least.
func (t *tally) within(r *result.Result, grant, trained, budget float64, needed []float64) error {
	if grant <= 0 {
		return nil
	}
	k := 0
	for _, q := range needed {
		if trained+q <= grant {
			k++
		}
	}
	m, err := share(k, t.attackables)
	if err != nil {
		return err
	}
	if trained+budget < grant {
		m.Upper = 1
		m.Method += fmt.Sprintf("; upper end: the attack asked %g of %g", trained+budget, grant)
	}
	r.Metrics["success_within_grant"] = m
	return nil
}

// checkFinal checks the rows that the attack hands over.
func checkFinal(r *result.Result, rows *result.Rows, budget float64) {
	gained := rows.Column("gained")
	count := func(name string) (n, of int) {
		for i, v := range rows.Column(name) {
			if gained[i] == 1 {
				of++
				if v == 1 {
					n++
				}
			}
		}
		return n, of
	}
	for _, c := range []struct{ check, column, says string }{
		{"final-inputs-rechecked", "rechecked", "gain when asked for again, alone"},
		{"final-inputs-feasible", "feasible", "are feasible as changes of their rows"},
		{"returned-inputs-differ", "returned_differs", "differ from the rows attacked"},
	} {
		n, of := count(c.column)
		r.Check(c.check, n == of, fmt.Sprintf("%d of %d final rows %s.", n, of, c.says))
	}
	most := 0.0
	for _, q := range rows.Column("queries") {
		most = max(most, q)
	}
	r.Check("budget-kept", most <= budget, fmt.Sprintf("At most %.0f of %.0f questions were asked of a row.", most, budget))
}
