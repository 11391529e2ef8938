package cli

import (
	"bytes"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/assize/assize/internal/catalogue"
	"github.com/assize/assize/internal/report/explorer"
	"github.com/assize/assize/internal/report/oscal"
)

// explore writes the page on which coverage is looked at.
func (a *App) explore() *cobra.Command {
	return a.catalogueFile("explore OUT.html", "Write one page to explore coverage, gaps, threats and crosswalks", explorer.Write)
}

// catalogueOSCAL writes the requirements for tools that read OSCAL.
func (a *App) catalogueOSCAL() *cobra.Command {
	return a.catalogueFile("oscal OUT.json", "Write requirements, goals and criteria as an OSCAL 1.0.6 catalog", oscal.WriteCatalog)
}

// catalogueFile is a command that writes the catalogue that counts to one file, "-" being standard output.
func (a *App) catalogueFile(use, short string, write func(io.Writer, *catalogue.Tables) error) *cobra.Command {
	var dir string
	c := &cobra.Command{
		Use: use, Short: short, Args: exactly(1, "one file to write, - for standard output"),
		RunE: func(c *cobra.Command, args []string) error {
			t, err := catalogue.Open(catalogue.Options{Pack: catalogue.InUse(a.KeyFolder), Dir: dir})
			if err != nil {
				return usageError{err}
			}
			var b bytes.Buffer
			if err := write(&b, t); err != nil {
				return err
			}
			if args[0] == "-" {
				_, err := a.Out.Write(b.Bytes())
				return err
			}
			if err := os.WriteFile(args[0], b.Bytes(), 0o644); err != nil {
				return fmt.Errorf("write %q: %w", args[0], err)
			}
			fmt.Fprintf(a.Out, "wrote %s\n", args[0])
			return nil
		},
	}
	c.Flags().StringVar(&dir, "catalogue", "", "folder of tables of your own, laid over the catalogue")
	return c
}
