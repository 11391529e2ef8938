package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/assize/assize/internal/engine"
	"github.com/assize/assize/internal/report/wording"
)

func (a *App) redact() *cobra.Command {
	return &cobra.Command{
		Use:   "redact DOSSIER OUT",
		Short: "Write a dossier without rows of the target's data; it still verifies",
		Long: `Redact writes DOSSIER to the new folder OUT without the files of rows that hold values
of the target's data: changed inputs that an attack found, labels. Observations, numbers,
plan, decisions and the ledger stay as they are. Those files are named by salted digests, so
nobody can guess what was in them. What is left is signed again with the key of the run and
verifies; verification says which rows were left out.`,
		Example: "  assize redact examples/credit/dossier /tmp/public",
		Args:    exactly(2, "a dossier folder and a new folder"),
		RunE: func(c *cobra.Command, args []string) error {
			r, err := engine.Redact(c.Context(), args[0], args[1], a.KeyFolder)
			if err != nil {
				return err
			}
			fmt.Fprintf(a.Out, "left out the rows of %d of %d observations, which hold values of the target's data:\n", len(r.Observations), r.Of)
			for _, o := range r.Observations {
				fmt.Fprintf(a.Out, "  - %s\n", wording.Clean(o))
			}
			for _, f := range r.Files {
				fmt.Fprintf(a.Out, "left out %s, which no part of the dossier names\n", wording.Clean(f))
			}
			fmt.Fprintf(a.Out, "wrote %s\ncheck it with: assize verify %s\n", args[1], args[1])
			return nil
		},
	}
}
