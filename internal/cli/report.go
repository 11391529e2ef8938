package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/report/html"
	"github.com/assize/assize/internal/report/markdown"
	"github.com/assize/assize/internal/report/terminal"
)

func (a *App) report() *cobra.Command {
	var format string
	c := &cobra.Command{
		Use:   "report DOSSIER",
		Short: "Show a dossier as html, json, terminal or markdown",
		Args:  exactly(1, "one dossier folder"),
		RunE: func(c *cobra.Command, args []string) error {
			d, err := dossier.Read(args[0])
			if err != nil {
				return err
			}
			switch format {
			case "html":
				return html.Write(a.Out, d)
			case "markdown":
				return markdown.Write(a.Out, d)
			case "terminal":
				return terminal.Write(a.Out, d, a.look())
			case "json":
				b, err := d.Encode()
				if err != nil {
					return err
				}
				_, err = a.Out.Write(b)
				return err
			}
			return usageError{fmt.Errorf("format %q is unknown\nhint: html, json, terminal or markdown", format)}
		},
	}
	c.Flags().StringVar(&format, "format", "terminal", "html, json, terminal or markdown")
	return c
}
