package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/assize/assize/internal/engine"
	"github.com/assize/assize/internal/report/wording"
)

func (a *App) export() *cobra.Command {
	c := &cobra.Command{
		Use:   "export",
		Short: "Write parts of a dossier for other programs",
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(a.exportAdversarial())
	return c
}

func (a *App) exportAdversarial() *cobra.Command {
	var target, out, format, keyFile, threat string
	var replaced []string
	c := &cobra.Command{
		Use:   "adversarial DOSSIER",
		Short: "Write the rows that broke the model, as a regression test set",
		Long: `Adversarial verifies DOSSIER and writes every row that an attack broke within the
threat model, with the nearest change that any attack found, in the form of the target's own
test data, so that a manifest can name the file as a data set and a test suite can load it.

CSV: the changed rows under the names of the features and of the label, and the rows as they were
in a second file, line by line. NPZ: x, y, original, index, attack, distance, decision_before and
decision_after; x and y are called as in the target's own file. A JSON file beside them says
of every row which attack, what distance, and the decision before and after; and which dossier,
model and data they come from. What was written is read back and decided again.

It needs the model and the data, beside the dossier or in --target, and the rows of the dossier:
a redacted one has none. The files hold rows of the target's data.

Exit status: 0 written, or no row was broken; 1 it cannot be; 2 wrong usage.`,
		Example: "  assize export adversarial examples/digits/dossier --out broken.npz",
		Args:    exactly(1, "one dossier folder"),
		RunE: func(c *cobra.Command, args []string) error {
			switch format {
			case "", "csv", "npz":
			default:
				return usageError{fmt.Errorf("format %q is unknown\nhint: csv or npz", format)}
			}
			place := out
			if place == "" {
				place = "adversarial"
			}
			if inside(place, args[0]) {
				return usageError{fmt.Errorf("%q lies inside the dossier, which a new file would break\nhint: name a file beside it with --out", place)}
			}
			key, err := trusted(keyFile)
			if err != nil {
				return err
			}
			from := a.options(target, "")
			if from.Overrides, err = overrides(replaced, threat); err != nil {
				return err
			}
			e, err := engine.ExportAdversarial(c.Context(), engine.ExportOptions{
				Options: from, Dossier: args[0], Key: key, Out: out, Format: format,
			})
			if err != nil {
				return err
			}
			if e == nil {
				fmt.Fprintln(a.Out, "no attack of this dossier broke a row within the threat model: nothing was written")
				return nil
			}
			a.showExport(e)
			return nil
		},
	}
	addOverrideFlags(c, &replaced, &threat)
	c.Flags().StringVar(&target, "target", "", "folder with assize.yaml, model and data (default: the one that holds DOSSIER)")
	c.Flags().StringVar(&out, "out", "", "file to write; a JSON file is written beside it (default: adversarial.csv or adversarial.npz)")
	c.Flags().StringVar(&format, "format", "", "csv or npz (default: that of the target's test data)")
	c.Flags().StringVar(&keyFile, "key", "", "file with the signer's public key, from somewhere other than the dossier")
	return c
}

func (a *App) showExport(e *engine.Exported) {
	fmt.Fprintf(a.Out, "%d of %d attacked rows of %s %s broke, run %.8s:\n", len(e.Rows), e.Attacked, wording.Clean(e.Target), wording.Clean(e.Version), wording.Clean(e.Run))
	for _, k := range e.Attacks {
		fmt.Fprintf(a.Out, "  %-24s nearest on %d\n", wording.Clean(k.Probe), k.Rows)
	}
	for _, l := range e.LeftOut {
		fmt.Fprintf(a.Out, "  left out: %s\n", wording.Clean(l))
	}
	fmt.Fprintf(a.Out, "read back and asked again, %d of %d are decided otherwise than the rows as they were\n", e.Confirmed, len(e.Rows))
	for i, path := range e.Paths() {
		holds := "which attack, distance and decisions by row, and where it all comes from"
		if i < len(e.Files) {
			holds = e.Files[i].Holds
		}
		fmt.Fprintf(a.Out, "wrote %s: %s\n", wording.Clean(path), wording.Clean(holds))
	}
	fmt.Fprintf(a.Out, "note: %s\n", e.Privacy)
}
