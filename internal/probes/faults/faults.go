// Package faults holds the probes of what goes wrong by itself, without an
// attacker: the everyday faults of a table's fields, and whether a decision that they change is noticed.
package faults

import (
	"time"

	"github.com/assize/assize/internal/measure"
)

// Probes lists the probes of the family.
func Probes() []measure.Probe {
	return []measure.Probe{{
		ID: "evasion/faults", Version: 2,
		Doc: "Everyday faults of tabular input: how often does a slip in one field change the decision, and does anybody notice?\n\n" +
			"Each field of each row gets the faults that fields get: missing (not a number, 0, -999), a unit mistaken (ten or a thousand times too large or small), rounded, " +
			"swapped with another field, the wrong sign, out of range, stale (another row's value, the usual value), another, no or two categories. A one-hot group is one field. Each fault is asked " +
			"of the system: the decision stands, changes unnoticed (of a number that is used as it is: it moves by more than the tolerance that the manifest declares for worst_change), the input is refused (which counts as noticed), or the answer cannot be used. Shares are means over rows of " +
			"each row's share, so that rows, which were drawn, are what the interval is about.",
		Metrics: []string{"caught", "faults", "silent_changes", "standing_rows", "unusable", "worst_feature", "worst_kind"},
		Goals:   []string{"resilience"}, Threats: []string{"model-flaws"},
		Needs:  measure.Needs{Model: true, Data: true, Domain: true, Others: true, Layout: "columns"},
		Switch: true, Paired: "stands",
		Cites: []string{"AI Act Art. 15(4)", "ENISA Failure or malfunction"},
		Params: []measure.Param{
			{Name: "rows", Doc: "rows whose fields are faulted", Unit: "rows", Quick: 100.0, Standard: 500.0, Thorough: 2000.0},
			{Name: "fields", Doc: "most fields that are faulted, drawn where there are more", Unit: "fields", Quick: 30.0, Standard: 60.0, Thorough: 500.0},
			{Name: "tolerance", Doc: "largest change of a number that is borne, where there is no decision; 0 where none is declared", Unit: "of the output", Quick: 0.0, Standard: 0.0, Thorough: 0.0, Manifest: "declared.worst_change.at_most"},
			{Name: "sentinel", Doc: "number that stands for a missing value in other systems", Quick: -999.0, Standard: -999.0, Thorough: -999.0},
		},
		Rows: func(s measure.Scope) int { return min(s.TestRows, s.Params.Int("rows")) },
		Queries: func(s measure.Scope) int {
			// No field takes every kind: a group takes six, a quantity seventeen.
			return min(s.TestRows, s.Params.Int("rows")) * (1 + 15*min(s.Width, s.Params.Int("fields")))
		},
		Timeout: 20 * time.Minute,
		Run:     run, Join: join,
	}}
}

// outcome is what became of a fault.
type outcome int

const (
	none     outcome = iota // the fault does not exist for the field, or leaves the row as it is
	stands                  // the decision is the same
	silent                  // another decision, and nobody was told
	caught                  // the input was refused
	unusable                // the answer is not finite, or no class
	outcomes
)
