package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/assize/assize/internal/report/listing"
)

func (a *App) requirements() *cobra.Command {
	var framework, article string
	c := &cobra.Command{
		Use:   "requirements",
		Short: "List what law and standards ask: AI Act, EN 304 223, CRA Annex I, the report's groups",
		Long: `List requirements, in own words: the AI Act's items, the provisions of EN 304 223,
Annex I of the Cyber Resilience Act, and the eight groups of the report's Table 3.`,
		Example: `  assize requirements --framework ai-act --article '15(5)'
  assize requirements --framework en-304-223 --article 5.2.2
  assize requirements --framework cra
  assize requirements --framework enisa-2023 --format csv`,
		Args: exactly(0, "no argument"),
		RunE: func(c *cobra.Command, _ []string) error {
			t, err := a.tables(c)
			if err != nil {
				return err
			}
			found, err := t.FindRequirements(framework, article)
			if err != nil {
				return err
			}
			l := &listing.List{Name: "requirements", Columns: []listing.Column{
				{Key: "id", Hidden: true}, {Key: "framework", Hidden: framework != ""}, {Key: "reference"}, {Key: "addressee"}, {Key: "subject", Hidden: true}, {Key: "text", Title: "what is asked", Wide: true},
				{Key: "check", Title: "shown by"}, {Key: "relevance", Hidden: true}, {Key: "norm"}, {Key: "phase", Hidden: true}, {Key: "evidence", Hidden: true}, {Key: "applies_from", Hidden: true},
				{Key: "standards", Hidden: true}, {Key: "confidence", Hidden: true}, {Key: "source", Hidden: true},
			}}
			var confidence, checks, from []string
			for _, r := range found {
				confidence, checks, from = append(confidence, r.Confidence), append(checks, r.Check), append(from, r.AppliesFrom)
				l.Rows = append(l.Rows, []string{
					r.ID, r.Framework, r.Reference, r.Addressee, r.Subject, r.Text, r.Check, r.Relevance, r.Norm, r.Phase, r.Evidence, r.AppliesFrom,
					list(r.Standards), r.Confidence, r.Source,
				})
			}
			l.Notes = []string{fmt.Sprintf("%d requirements, in own words. Shown by: %s. Confidence: %s.", len(found), tally(checks), tally(confidence)), "Applies from: " + tally(from) + "."}
			if l.Sources, err = sources(t, "requirements.csv"); err != nil {
				return err
			}
			return a.show(c, l)
		},
	}
	c.Flags().StringVar(&framework, "framework", "", "ai-act, en-304-223, cra or enisa-2023 (groups of the report's Table 3)")
	c.Flags().StringVar(&article, "article", "", "under this article, provision or id: '15(5)', 'Annex IV', 5.2.2, AIA-15.5c4")
	addListFlags(c)
	return c
}
