// Package poisoning holds the probes that look through training and test data for
// what was planted in it, or got into it by mistake with the same effect.
package poisoning

import (
	"time"

	"github.com/assize/assize/internal/measure"
)

// Probes lists the probes of the family.
func Probes() []measure.Probe { return []measure.Probe{duplicates} }

var duplicates = measure.Probe{
	ID: "poisoning/duplicates", Version: 1,
	Doc: `Which rows stand in the data twice, which of them contradict each other, and which test rows were trained on?

Rows are compared as the model sees them: every input, at its precision. Equal rows with other labels are
in conflict. A near row differs from another by no more than a share of its range in any input. A test row that
equals, or is near, a training row makes every figure on the test data flatter the model. Copies are planted beside the
data, equal, with another label, and changed by more and by less than what counts as near; the notes say how many of each
are found, and so what the search would miss.`,
	Goals:   []string{"data-separation"},
	Threats: []string{"data-poisoning"},
	Cites: []string{
		"AI Act Art. 10(2)(f)", "AI Act Art. 10(3)", "AI Act Art. 15(5)", "ENISA Poisoning", "ISO/IEC 5259-2",
		"Barz and Denzler: Do We Train on Test Data? Purging CIFAR of Near-Duplicates. J. Imaging 2020, arXiv 1902.00423",
	},
	Needs: measure.Needs{Sets: true},
	Params: []measure.Param{
		{Name: "near", Doc: "largest difference in any input that makes two rows near", Unit: "share of the input's range in the data", Quick: 0.01, Standard: 0.01, Thorough: 0.01},
		{Name: "comparisons", Doc: "most comparisons of two rows in the search for near ones", Unit: "comparisons", Quick: 2e7, Standard: 2e8, Thorough: 4e9},
		{Name: "planted", Doc: "copies of each kind that are planted to see what is found", Unit: "rows", Quick: 50.0, Standard: 200.0, Thorough: 500.0},
	},
	Metrics: []string{
		"conflict_groups", "conflict_rows", "conflict_share", "duplicate_rows", "duplicate_share", "leaked_rows", "leaked_share",
		"near_conflict_rows", "near_leaked_rows", "near_rows", "rows", "test_duplicate_rows", "train_conflict_groups",
		"train_conflict_rows", "train_duplicate_rows",
	},
	Timeout: 30 * time.Minute,
	Run:     runDuplicates,
}
