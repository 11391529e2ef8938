package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/assize/assize/internal/catalogue"
	"github.com/assize/assize/internal/report/listing"
)

func (a *App) standardsOverlaps() *cobra.Command {
	var q catalogue.Query
	c := &cobra.Command{
		Use:   "overlaps",
		Short: "List what several standards cover in the same kind",
		Long: `List the requirements (threats, properties) that several standards cover in the
same kind. An overlap is a place to look for double or conflicting work, not a
conflict found: nobody here has compared the texts.`,
		Example: `  assize standards overlaps
  assize standards overlaps --by threat
  assize standards overlaps --kind method,metric`,
		Args: exactly(0, "no argument"),
		RunE: func(c *cobra.Command, _ []string) error {
			if err := oneOf("by", q.By, catalogue.ByRequirement, catalogue.ByThreat, catalogue.ByProperty, catalogue.ByControl); err != nil {
				return err
			}
			t, err := a.tables(c)
			if err != nil {
				return err
			}
			at, err := t.AsOf(q.AsOf)
			if err != nil {
				return err
			}
			found, err := t.Overlaps(q)
			if err != nil {
				return err
			}
			l := &listing.List{Name: "overlaps", Columns: []listing.Column{
				{Key: "subject", Title: q.By, Hidden: q.By != catalogue.ByRequirement}, {Key: "subject_title", Title: q.By, Hidden: q.By == catalogue.ByRequirement, Wide: true}, {Key: "kind"}, {Key: "count", Title: "n"}, {Key: "standards", Wide: true},
			}}
			untold := 0
			for _, o := range found {
				if o.Kind == "unknown" && len(q.Kinds) == 0 {
					untold++
					continue
				}
				var names []string
				for _, s := range o.Standards {
					names = append(names, s.Designation)
				}
				l.Rows = append(l.Rows, []string{o.Subject.ID, o.Subject.Title, o.Kind, fmt.Sprint(len(names)), list(names)})
			}
			l.Notes = []string{fmt.Sprintf("%d overlaps as of %s. Marks x and ? count.", len(l.Rows), at.Date)}
			if untold > 0 {
				l.Notes = append(l.Notes, fmt.Sprintf("On %d subjects several standards have marks whose kind nobody could tell, as all marks of the report: --kind unknown lists them.", untold))
			}
			if l.Sources, err = sources(t, "coverage.csv"); err != nil {
				return err
			}
			return a.show(c, l)
		},
	}
	c.Flags().StringVar(&q.By, "by", catalogue.ByRequirement, "requirement, threat, property or control")
	c.Flags().StringSliceVar(&q.Kinds, "kind", nil, "only these kinds of coverage, such as method,metric,threshold")
	c.Flags().StringVar(&q.Inventory, "inventory", "", inventoryHelp)
	c.Flags().StringVar(&q.AsOf, "as-of", "", asOfHelp)
	addListFlags(c)
	return c
}
