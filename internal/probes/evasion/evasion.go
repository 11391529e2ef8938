// Package evasion holds the probes that look for small changes of an input
// with which somebody gets another decision: random noise as the floor, and
// attacks that must beat it. Every change they ask about is one that the domain allows.
package evasion

import "github.com/assize/assize/internal/measure"

// Probes lists the probes of the family; those that others require come first.
func Probes() []measure.Probe {
	return []measure.Probe{noiseProbe(), hopSkipJumpProbe(), squareProbe(), boundaryProbe(), transferProbe(), autoAttackProbe(), worstProbe(), regressionProbe()}
}

var (
	goals   = []string{"evasion"}
	threats = []string{"evasion"}
	needs   = measure.Needs{Model: true, Data: true, Labels: true, Domain: true, Rule: true}
	scored  = measure.Needs{Model: true, Data: true, Labels: true, Domain: true, Rule: true, Scores: true}
)

// grantParam is what the service lets one user ask before it stops answering.
func grantParam() measure.Param {
	return measure.Param{Name: "grant", Doc: "queries that the service grants one user; 0: not stated", Unit: "queries", Quick: 0.0, Standard: 0.0, Thorough: 0.0, Manifest: "endpoint.queries_per_user"}
}

// threatParams are the parameters that say what change counts, the same for every attack.
func threatParams() []measure.Param {
	const at = "threat_model.evasion."
	return []measure.Param{
		{Name: "norm", Doc: "how the size of a change is measured: linf, l2 or l1", Quick: "linf", Standard: "linf", Thorough: "linf", Manifest: at + "norm"},
		{Name: "epsilon", Doc: "the largest change that counts", Unit: "as unit says", Quick: 0.05, Standard: 0.05, Thorough: 0.05, Manifest: at + "epsilon"},
		{Name: "unit", Doc: "range: a share of each feature's range; raw: the feature's own unit", Quick: "range", Standard: "range", Thorough: "range", Manifest: at + "unit"},
	}
}
