package cli

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/assize/assize/internal/conformity"
	"github.com/assize/assize/internal/report/listing"
)

func (a *App) classify() *cobra.Command {
	c := &cobra.Command{
		Use:   "classify TARGET",
		Short: "Say where the AI Act puts a target (Art. 6, Annexes I and III), and why",
		Long: `Holds Art. 6 and Annexes I and III of the AI Act against what the provider
declares under target.classification: which rule applies, what must be true for
it, and what nobody has checked. A class is a legal notion and never mixed with
cyber risk; for that see assize risk.`,
		Example: `  assize classify examples/credit    high-risk by Annex III 5(b)
  assize classify examples/digits    declared not high-risk; what must be true for that`,
		Args: exactly(1, "one folder with an assize.yaml, or a dossier"),
		RunE: func(c *cobra.Command, args []string) error {
			s, err := a.subject(c.Context(), c, args[0], false)
			if err != nil {
				return err
			}
			found, err := conformity.Classify(s.Tables, s.Manifest.Target)
			if err != nil {
				return refusePoint(err)
			}
			return a.show(c, &listing.List{
				Name: "classification", Columns: findingColumns(), Rows: findings(found.Findings),
				Notes: []string{
					"Class: " + string(found.Class) + ". Assize repeats what is declared and names what must be true; it does not decide the class.",
					"Not looked at: prohibited practices (Art. 5), transparency (Art. 50), general-purpose models (Chapter V).",
				},
			})
		},
	}
	addListFlags(c)
	return c
}

// refusePoint makes a point that Annex III does not have wrong usage.
func refusePoint(err error) error {
	var point *conformity.PointError
	if errors.As(err, &point) {
		return usageError{err}
	}
	return err
}

func findingColumns() []listing.Column {
	return []listing.Column{
		{Key: "subject"}, {Key: "answer"}, {Key: "text", Title: "what and why", Wide: true}, {Key: "basis", Title: "told by"},
		{Key: "rule", Hidden: true}, {Key: "source", Wide: true}, {Key: "confidence"},
	}
}

func findings(all []conformity.Finding) [][]string {
	var rows [][]string
	for _, f := range all {
		rows = append(rows, []string{f.Subject, string(f.Answer), f.Text, string(f.Basis), f.Rule, f.Source, f.Confidence})
	}
	return rows
}
