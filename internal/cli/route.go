package cli

import (
	"slices"

	"github.com/spf13/cobra"

	"github.com/assize/assize/internal/conformity"
	"github.com/assize/assize/internal/report/listing"
)

func (a *App) route() *cobra.Command {
	c := &cobra.Command{
		Use:   "route TARGET",
		Short: "Say which conformity assessment and which dates apply to a target",
		Long: `Says which conformity assessment is due (AI Act Art. 43, Annex VI or VII), what
can presume conformity today (harmonised standards Art. 40, common specifications
Art. 41, a certificate under the Cybersecurity Act Art. 42(2), the Cyber Resilience
Act Art. 42(3) and CRA Art. 12), and from which dates. What nobody said is open.`,
		Example: `  assize route examples/credit                 internal control (Annex VI), from 2 December 2027
  assize route examples/digits                 no procedure as declared, and what must be true for that
  assize route examples/credit --format json   for other programs`,
		Args: exactly(1, "one folder with an assize.yaml, or a dossier"),
		RunE: func(c *cobra.Command, args []string) error {
			s, err := a.subject(c.Context(), c, args[0], false)
			if err != nil {
				return err
			}
			r, err := conformity.FindRoute(s.Tables, s.Manifest.Target, a.Now())
			if err != nil {
				return refusePoint(err)
			}
			rows := findings(r.Findings)
			first := 0 // the dates that decide stand below the procedure
			for _, d := range r.Dates {
				text, answer, basis := d.Event, conformity.Yes, conformity.Table
				if d.If != "" {
					text, answer, basis = "if "+d.If+": "+d.Event, conformity.Open, conformity.Nobody
				}
				row := []string{"date " + d.Date.Date, string(answer), d.When + ": " + text, string(basis), "", d.Reference, d.Confidence}
				if d.Decides {
					first++
					rows = slices.Insert(rows, first, row)
					continue
				}
				rows = append(rows, row)
			}
			return a.show(c, &listing.List{
				Name: "route", Columns: findingColumns(), Rows: rows,
				Notes: []string{"Class: " + string(r.Class) + ". The route follows from the class that the provider declares; see assize classify."},
			})
		},
	}
	addListFlags(c)
	return c
}
