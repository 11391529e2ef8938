// Package trees holds the probes of tree ensembles: formal verification and
// evasion from one exact search, so that what one proves the other cannot break.
package trees

import (
	"time"

	"github.com/assize/assize/internal/measure"
)

// Probes lists the probes of the family.
func Probes() []measure.Probe {
	return []measure.Probe{formalProbe(), evasionProbe(), regressionProbe()}
}

const how = "The ensemble is read from the model file. Branch and bound over choices of one leaf per tree finds, within the domain and for the aim that the decision rule " +
	"gives an attacker, the distance below which nothing gains and the nearest input that does; where the budget runs out both bounds stand, " +
	"and the rows between are called unproven. Inputs that were found are asked of the system itself and count only when it agrees. Relations of the domain bind what is found; proofs hold without them."

func base() measure.Probe {
	const at = "threat_model.evasion."
	return measure.Probe{
		Version: 2,
		Goals:   []string{"evasion"}, Threats: []string{"evasion"},
		Needs: measure.Needs{Model: true, Data: true, Labels: true, Domain: true, Rule: true, Files: true, Trees: true},
		Params: []measure.Param{
			{Name: "norm", Doc: "how the size of a change is measured: linf, l2 or l1", Quick: "linf", Standard: "linf", Thorough: "linf", Manifest: at + "norm"},
			{Name: "epsilon", Doc: "the largest change that counts", Unit: "as unit says", Quick: 0.05, Standard: 0.05, Thorough: 0.05, Manifest: at + "epsilon"},
			{Name: "unit", Doc: "range: a share of each feature's range; raw: the feature's own unit", Quick: "range", Standard: "range", Thorough: "range", Manifest: at + "unit"},
			{Name: "rows", Doc: "rows that are searched", Unit: "rows", Quick: 100.0, Standard: 500.0, Thorough: 2000.0},
			{Name: "boxes", Doc: "budget of each row: boxes of inputs that are tried", Unit: "boxes", Quick: 20000.0, Standard: 100000.0, Thorough: 1000000.0},
		},
		Rows: func(s measure.Scope) int { return min(s.TestRows, s.Params.Int("rows")) },
		// The row itself and what was found.
		Queries: func(s measure.Scope) int { return 2 * min(s.TestRows, s.Params.Int("rows")) },
		Timeout: 30 * time.Minute,
	}
}

func formalProbe() measure.Probe {
	p := base()
	p.ID = "formal/trees"
	p.Doc = "Formal verification of a tree ensemble: for which rows no change within the threat model gains, proved.\n\n" + how
	p.Metrics = []string{"verified_share", "unproven_share", "broken_share", "verified_accuracy", "exact_share", "median_proved_distance", "rows_attackable"}
	p.Cites = []string{
		"Chen, Zhang, Si, Li, Boning, Hsieh: Robustness Verification of Tree-based Models. NeurIPS 2019, arXiv 1906.03849",
		"Kantchelian, Tygar, Joseph: Evasion and Hardening of Tree Ensemble Classifiers. ICML 2016, arXiv 1509.07892",
		"AI Act Art. 15(4)", "AI Act Art. 15(5)", "ENISA Evasion",
	}
	p.Run, p.Join = runFormal, joinFormal
	return p
}

func evasionProbe() measure.Probe {
	p := base()
	p.ID = "evasion/trees"
	p.Doc = "White-box attack on a tree ensemble: the nearest feasible change that gains, searched for in the trees themselves.\n\n" + how
	p.Metrics = []string{"attack_success", "clean_accuracy", "median_distance", "robust_accuracy", "rows_attackable"}
	p.Cites = []string{
		"Zhang, Zhang, Hsieh: An Efficient Adversarial Attack for Tree Ensembles. NeurIPS 2020, arXiv 2010.11598",
		"Kantchelian, Tygar, Joseph: Evasion and Hardening of Tree Ensemble Classifiers. ICML 2016, arXiv 1509.07892",
		"AI Act Art. 15(4)", "AI Act Art. 15(5)", "ENISA Evasion",
	}
	p.Switch, p.Paired, p.Feeds = true, "stands", "evasion/worst"
	p.Run, p.Join = run, joinEvasion
	return p
}
