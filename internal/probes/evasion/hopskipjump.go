package evasion

import (
	"context"
	"time"

	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/result"
)

func hopSkipJumpProbe() measure.Probe {
	return measure.Probe{
		ID: "evasion/hopskipjump", Version: 3,
		Doc: "Decision-based attack: how small a change within the domain gains, by asking for decisions alone.\n\n" +
			"HopSkipJump (Chen, Jordan and Wainwright 2020) finds some change that gains, walks along the boundary of the decision " +
			"and estimates its direction from answers around it. It asks only for rows that the domain allows as a change of the row attacked. A row counts as broken where the change is within the " +
			"threat model.",
		Metrics: []string{
			"attack_success", "clean_accuracy", "median_distance", "noise_success", "queries_to_success",
			"queries_to_success_p90", "robust_accuracy", "rows_attackable", "success_within_grant",
		},
		Goals: goals, Threats: threats, Needs: needs, Requires: []string{"evasion/noise"}, Feeds: Worst, Switch: true, Paired: "stands",
		Cites: []string{
			"Chen, Jordan, Wainwright: HopSkipJumpAttack: A Query-Efficient Decision-Based Attack. IEEE S&P 2020, arXiv 1904.02144",
			"AI Act Art. 15(4)", "AI Act Art. 15(5)", "ENISA Evasion",
		},
		Params: append(threatParams(), grantParam(),
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

func joinHopSkipJump(j *measure.Joint) (*result.Result, error) {
	return joinAttack(j, "HopSkipJump", true)
}

// runHopSkipJump attacks every row that has something to gain.
func runHopSkipJump(ctx context.Context, c *measure.Case) (*result.Result, error) {
	s, err := newSpace(c.Domain, c.Params)
	if err != nil {
		return nil, err
	}
	if err := positive(c.Params, "queries", "initial", "most", "gamma"); err != nil {
		return nil, err
	}
	knobs := newKnobs(s, c.Params.Int("initial"), c.Params.Int("most"), c.Params.Float("gamma"))
	return siege(ctx, c, s, true, func(a search) walker { return newAttack(knobs, a) })
}
