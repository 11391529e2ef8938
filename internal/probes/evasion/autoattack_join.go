package evasion

import (
	"fmt"

	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/result"
)

func joinAutoAttack(j *measure.Joint) (*result.Result, error) {
	t, r, _, err := overNoise(j)
	if err != nil || t == nil {
		return r, err
	}
	if err := t.gradients(r); err != nil {
		return nil, err
	}
	t.finals(r)
	t.tests(r, j.Guessed)
	if err := t.masking(r); err != nil {
		return nil, err
	}
	curve := againstEpsilon(t, j.Params)
	curve.Series[0].Name = "APGD and FAB, with 95 % interval at each point"
	r.Pictures = []result.Picture{curve, t.winners()}
	return r, nil
}

// gradients are the numbers and the check of what the attack had to follow.
func (t *tally) gradients(r *result.Result) error {
	blind, steps := 0, 0.0
	flat := t.rows.Column("flat")
	for i, s := range t.rows.Column("steps") {
		steps += s
		if t.attackable[i] && !t.broken[i] && flat[i] > 0.5 {
			blind++
		}
	}
	m, err := share(blind, t.attackables)
	if err != nil {
		return err
	}
	r.Metrics["flat_gradients"] = m
	r.Metrics["steps"] = result.Exactly(steps, t.n, "steps")
	r.Check("gradients-not-flat", 20*blind <= t.attackables, fmt.Sprintf("Of %d of %d attackable rows, which stand, more than half of the gradients were 0 or no number; one in twenty may.", blind, t.attackables))
	return nil
}

// finals checks the rows handed over.
func (t *tally) finals(r *result.Result) {
	found, held, differ := 0, 0, 0
	differs := t.rows.Column("returned_differs")
	for i, v := range t.rows.Column("rechecked") {
		if v < 0 {
			continue
		}
		found++
		if v == 1 {
			held++
			differ += int(differs[i])
		}
	}
	r.Check("final-inputs-rechecked", held == found, fmt.Sprintf("%d of %d final rows are feasible and gain when asked of the system alone.", held, found))
	r.Check("returned-inputs-differ", differ == held, fmt.Sprintf("%d of %d final rows differ from the rows attacked.", differ, held))
}

// tests are the checks by which the attack looks for its own weakness.
func (t *tally) tests(r *result.Result, guessed bool) {
	count := func(name string, pick func(i int) bool) (yes, of int) {
		for i, v := range t.rows.Column(name) {
			if v >= 0 && pick(i) {
				of++
				yes += int(v)
			}
		}
		return yes, of
	}
	all := func(int) bool { return true }
	for _, c := range []struct{ check, column, says string }{
		{"more-steps-do-not-help", "more_steps", "twice the steps"},
		{"another-seed-does-not-help", "other_seed", "another start"},
	} {
		yes, of := count(c.column, all)
		r.Check(c.check, 20*yes <= max(of, 20), fmt.Sprintf("Of %d rows that stand and were tried again, %s broke %d; one in twenty may.", of, c.says, yes))
	}
	twice, of := count("double_epsilon", all)
	_, once := count("double_epsilon", func(i int) bool { return t.broken[i] })
	r.Check("larger-epsilon-hurts-more", twice >= once, fmt.Sprintf("Of %d rows tried with twice the epsilon %d broke; %d break with the epsilon itself.", of, twice, once))
	reached, tried := count("unbounded", all)
	missed := tried - reached
	r.Check("unbounded-attack-succeeds", 100*missed <= t.attackables, fmt.Sprintf("With no bound but the domain nothing was found for %d of %d attackable rows; one in a hundred may.", missed, t.attackables))
	checkPlanted(r, t.rows.Column("planted"))
	if guessed && missed > 0 {
		r.Notes = append(r.Notes, "The domain was guessed: its bounds may be why an unbounded attack does not succeed.")
	}
}

// winners draws which attack broke what.
func (t *tally) winners() result.Picture {
	p := result.Picture{
		ID: "attacks", Title: "Which attack broke the row first", Kind: "bars", YLabel: "rows",
		Labels: []string{"APGD, cross-entropy", "APGD by targets", "FAB", "none"}, Series: []result.Series{{Name: "attackable rows", Y: make([]float64, 4)}},
	}
	for i, by := range t.rows.Column("broken_by") {
		if t.attackable[i] {
			p.Series[0].Y[(int(by)+3)%4]++
		}
	}
	return p
}
