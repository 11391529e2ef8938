package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/engine"
	"github.com/assize/assize/internal/report/annexiv"
	"github.com/assize/assize/internal/report/html"
	"github.com/assize/assize/internal/report/instructions"
	"github.com/assize/assize/internal/report/markdown"
	"github.com/assize/assize/internal/report/oscal"
	"github.com/assize/assize/internal/report/sarif"
	"github.com/assize/assize/internal/report/terminal"
)

// reportFormat is one way to show a dossier.
type reportFormat struct {
	name, what string
	write      func(io.Writer, *dossier.Dossier) error
}

func (a *App) reportFormats() []reportFormat {
	return []reportFormat{
		{"terminal", "the verdicts, for the terminal", func(w io.Writer, d *dossier.Dossier) error { return terminal.Write(w, d, a.look()) }},
		{"html", "the whole report as one page", html.Write},
		{"markdown", "verdicts and numbers, for a pull request or a wiki", markdown.Write},
		{"json", "dossier.json itself", encoded},
		{"annexiv-markdown", "technical documentation by Annex IV of the AI Act", annexiv.Markdown},
		{"annexiv-html", "the same as one page", annexiv.HTML},
		{"docx", "the same for a word processor, with placeholders marked", annexiv.DOCX},
		{"instructions", "tested levels for the instructions for use, AI Act Art. 13(3)(b)(ii)", instructions.Write},
		{"oscal", "OSCAL 1.0.6 assessment results", oscal.WriteResults},
		{"sarif", "SARIF 2.1.0: what was found, fails or is open", sarif.Write},
	}
}

func encoded(w io.Writer, d *dossier.Dossier) error {
	b, err := d.Encode()
	if err != nil {
		return err
	}
	_, err = w.Write(b)
	return err
}

func (a *App) report() *cobra.Command {
	var format string
	var names []string
	long := "Shows a dossier on standard output, in one of these formats:\n\n"
	for _, f := range a.reportFormats() {
		names = append(names, f.name)
		long += fmt.Sprintf("  %-17s %s\n", f.name, f.what)
	}
	c := &cobra.Command{
		Use:   "report DOSSIER",
		Short: "Show a dossier in one of many formats, Annex IV, OSCAL and SARIF among them",
		Long:  long,
		Example: `  assize report examples/credit/dossier
  assize report examples/credit/dossier --format docx > annex-iv.docx`,
		Args: exactly(1, "one dossier folder"),
		RunE: func(c *cobra.Command, args []string) error {
			for _, f := range a.reportFormats() {
				if f.name != format {
					continue
				}
				if format == "docx" && a.Width > 0 {
					return usageError{fmt.Errorf("write docx: standard output is a terminal\nhint: %s --format docx > annex-iv.docx", c.UseLine())}
				}
				d, err := dossier.Read(args[0])
				if err != nil {
					return err
				}
				if format == "html" {
					return engine.WritePage(c.Context(), a.Out, args[0], d)
				}
				return f.write(a.Out, d)
			}
			return usageError{fmt.Errorf("format %q is unknown\nhint: %s", format, strings.Join(names, ", "))}
		},
	}
	c.Flags().StringVar(&format, "format", "terminal", strings.Join(names, ", "))
	return c
}
