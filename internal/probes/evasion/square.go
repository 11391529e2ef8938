package evasion

import (
	"context"
	"time"

	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/result"
)

func squareProbe() measure.Probe {
	return measure.Probe{
		ID: "evasion/square", Version: 2,
		Doc: "Score-based attack: random changes at the edge of the threat model, kept where the scores come nearer to a gain.\n\n" +
			"Square Attack (Andriushchenko et al. 2020; l1 as in Croce and Hein 2021) changes windows of a picture, or blocks of the features of other " +
			"rows, to the largest change allowed. It follows the margin of the decision rule, asks only for rows that the domain allows and ends with the first " +
			"success, of which it then takes back what is not needed. Answers that a solution makes coarse are walked across: what is no worse is kept.",
		Metrics: []string{
			"attack_success", "clean_accuracy", "median_distance", "noise_success", "queries_to_success",
			"queries_to_success_p90", "robust_accuracy", "rows_attackable", "success_within_grant",
		},
		Goals: goals, Threats: threats, Needs: scored, Requires: []string{"evasion/noise"}, Feeds: Worst, Switch: true, Paired: "stands",
		Cites: []string{
			"Andriushchenko, Croce, Flammarion, Hein: Square Attack: a query-efficient black-box adversarial attack via random search. ECCV 2020, arXiv 1912.00049",
			"Croce, Hein: Mind the box: l1-APGD for sparse adversarial attacks on image classifiers. ICML 2021, arXiv 2103.01208",
			"AI Act Art. 15(4)", "AI Act Art. 15(5)", "ENISA Evasion",
		},
		Params: append(threatParams(), grantParam(),
			measure.Param{Name: "queries", Doc: "budget of each row", Unit: "queries", Quick: 500.0, Standard: 2000.0, Thorough: 5000.0, Manifest: "threat_model.evasion.queries_per_row"},
			measure.Param{Name: "rows", Doc: "rows that are attacked", Unit: "rows", Quick: 50.0, Standard: 500.0, Thorough: 1000.0},
			measure.Param{Name: "window", Doc: "share of the values that the first windows change; it is halved as the budget goes down", Unit: "share", Quick: 0.8, Standard: 0.8, Thorough: 0.8},
		),
		Rows: func(s measure.Scope) int { return min(s.TestRows, s.Params.Int("rows")) },
		Queries: func(s measure.Scope) int {
			return min(s.TestRows, s.Params.Int("rows")) * (1 + s.Params.Int("queries"))
		},
		Timeout: 30 * time.Minute,
		Run:     runSquare, Join: joinSquare,
	}
}

func runSquare(ctx context.Context, c *measure.Case) (*result.Result, error) {
	s, err := newSpace(c.Domain, c.Params)
	if err != nil {
		return nil, err
	}
	if err := positive(c.Params, "queries", "window"); err != nil {
		return nil, err
	}
	p := newPanes(c.Model, s)
	first, horizon := min(1, c.Params.Float("window")), c.Params.Float("queries")
	return siege(ctx, c, s, true, func(a search) walker { return newSquare(p, a, first, horizon) })
}

func joinSquare(j *measure.Joint) (*result.Result, error) { return joinAttack(j, "Square", false) }
