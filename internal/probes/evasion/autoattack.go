package evasion

import (
	"time"

	"github.com/assize/assize/internal/measure"
)

func autoAttackProbe() measure.Probe {
	whitebox := needs
	whitebox.Gradients = true
	return measure.Probe{
		ID: "evasion/autoattack", Version: 3,
		Doc: "White-box attacks: what an attacker gains who holds the model and follows its gradients.\n\n" +
			"Three attacks of different kinds work one after another on the rows that still stand: APGD on cross-entropy, APGD target by target on the DLR loss (the margin " +
			"where that is not defined: rules with a cut-off, fewer than four classes) and FAB, which looks for the smallest change. They aim at the decision rule, differentiate through " +
			"scaling and behind a softmax, average over noise that a solution adds to the input, and stay in the ball and the domain. Each final row is asked again of the system itself. On some rows the attack tests itself: " +
			"twice the steps, another seed, twice the epsilon, no bound at all, and copies of the system in which an adversarial example is planted. Rows that it broke are attacked again " +
			"by one who does not know of a solution, solution by solution: what then stands is hidden, not protected.",
		Metrics: []string{
			"attack_success", "clean_accuracy", "flat_gradients", "masked_share", "median_distance", "noise_success", "robust_accuracy",
			"rows_attackable", "steps",
		},
		Goals: goals, Threats: threats, Needs: whitebox, Requires: []string{"evasion/noise"}, Feeds: Worst, Switch: true, Paired: "stands",
		Cites: []string{
			"Zimmermann, Brendel, Tramèr, Carlini: Increasing Confidence in Adversarial Robustness Evaluations. NeurIPS 2022, arXiv 2206.13991",
			"Croce, Hein: Reliable Evaluation of Adversarial Robustness with an Ensemble of Diverse Parameter-free Attacks. ICML 2020, arXiv 2003.01690",
			"Croce, Hein: Minimally Distorted Adversarial Examples with a Fast Adaptive Boundary Attack. ICML 2020, arXiv 1907.02044",
			"Croce, Hein: Mind the Box: l1-APGD for Sparse Adversarial Attacks on Image Classifiers. ICML 2021, arXiv 2103.01208",
			"Athalye, Carlini, Wagner: Obfuscated Gradients Give a False Sense of Security. ICML 2018, arXiv 1802.00420",
			"Carlini et al.: On Evaluating Adversarial Robustness. 2019, arXiv 1902.06705",
			"AI Act Art. 15(4)", "AI Act Art. 15(5)", "ENISA Evasion",
		},
		Params: append(threatParams(),
			measure.Param{Name: "steps", Doc: "steps of each attack, for each target", Unit: "steps", Quick: 20.0, Standard: 50.0, Thorough: 100.0},
			measure.Param{Name: "targets", Doc: "outcomes aimed at one after another, the likeliest first", Unit: "outcomes", Quick: 2.0, Standard: 4.0, Thorough: 9.0},
			measure.Param{Name: "rows", Doc: "rows that are attacked", Unit: "rows", Quick: 50.0, Standard: 500.0, Thorough: 1000.0},
			measure.Param{Name: "average", Doc: "draws over which a gradient is averaged where a solution adds noise to the input", Unit: "draws", Quick: 5.0, Standard: 10.0, Thorough: 30.0},
			measure.Param{Name: "tested", Doc: "share of the rows on which the attack tests itself", Unit: "share", Quick: 0.2, Standard: 0.1, Thorough: 0.1},
		),
		Rows: func(s measure.Scope) int { return min(s.TestRows, s.Params.Int("rows")) },
		Queries: func(s measure.Scope) int {
			// A step is a forward pass and a gradient, together about three passes.
			return 3 * min(s.TestRows, s.Params.Int("rows")) * autoBudget(s.Params, s.Classes) / 2
		},
		Timeout: 30 * time.Minute,
		Run:     runAutoAttack, Join: joinAutoAttack,
	}
}

// autoBudget is the most questions that can be asked about a row.
func autoBudget(p measure.Params, classes int) int {
	steps, targets := p.Int("steps"), max(1, min(p.Int("targets"), classes))
	apgd, fab := steps+3, 2*steps+8
	main := apgd + targets*(apgd+fab) + min(3, targets)*(fab/4+8)
	tests := apgd*3 + 2*(2*steps+3)
	return main + tests + 2 + 3 // the row itself twice, three candidates for the final row
}
