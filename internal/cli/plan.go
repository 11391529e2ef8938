package cli

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/assize/assize/internal/engine"
	"github.com/assize/assize/internal/plan"
)

func (a *App) plan() *cobra.Command {
	var depth, overlay, threat string
	var replaced []string
	var budget time.Duration
	var workers int
	var most plan.Cap
	c := &cobra.Command{
		Use:   "plan TARGET",
		Short: "Show what would run at what cost, and what would not and why",
		Args:  exactly(1, "one folder with an assize.yaml"),
		RunE: func(c *cobra.Command, args []string) error {
			if err := checkDepth(depth); err != nil {
				return err
			}
			o := a.options(args[0], depth)
			var err error
			if o.Overrides, err = overrides(replaced, threat); err != nil {
				return err
			}
			if budget < 0 {
				return usageError{errNegativeBudget}
			}
			if err := checkCap(most); err != nil {
				return err
			}
			o.Catalogue, o.Budget, o.Workers, o.Cap = overlay, budget, workers, most
			f, err := engine.Plan(c.Context(), o)
			if err != nil {
				return err
			}
			return a.showPlan(f)
		},
	}
	addCatalogueFlag(c, &overlay)
	addOverrideFlags(c, &replaced, &threat)
	c.Flags().StringVar(&depth, "depth", "", "quick, standard or thorough (default: the manifest's)")
	addBudgetFlag(c, &budget)
	addCapFlags(c, &most)
	c.Flags().IntVar(&workers, "workers", 0, "processes at a time that a budget is fitted to (default: one per core)")
	return c
}
