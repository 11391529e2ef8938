package cli

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/assize/assize/internal/engine"
	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/probes/suite"
)

func (a *App) probes() *cobra.Command {
	return &cobra.Command{
		Use:   "probes [ID]",
		Short: "List the probes, or explain one",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			all := engine.Probes()
			if len(args) == 0 {
				t := tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', 0)
				for _, p := range all {
					fmt.Fprintf(t, "%s\tv%d\t%s\n", p.ID, p.Version, firstLine(p.Doc))
				}
				return t.Flush()
			}
			p, ok := suite.Find(all, args[0])
			if !ok {
				var ids []string
				for _, p := range all {
					ids = append(ids, p.ID)
				}
				return usageError{fmt.Errorf("there is no probe %q\nhint: probes are %s", args[0], strings.Join(ids, ", "))}
			}
			a.explain(p)
			return nil
		},
	}
}

func (a *App) explain(p *measure.Probe) {
	fmt.Fprintf(a.Out, "%s, version %d\n\n%s\n\n", p.ID, p.Version, p.Doc)
	fmt.Fprintf(a.Out, "goals     %s\nthreats   %s\nneeds     %s\n", strings.Join(p.Goals, ", "), strings.Join(p.Threats, ", "), needs(p.Needs))
	if len(p.Requires) > 0 {
		fmt.Fprintf(a.Out, "requires  %s\n", strings.Join(p.Requires, ", "))
	}
	if p.Switch {
		fmt.Fprintln(a.Out, "runs      with the switchable solutions on, and again with them off")
	}
	for _, cite := range p.Cites {
		fmt.Fprintf(a.Out, "follows   %s\n", cite)
	}
	if len(p.Params) == 0 {
		return
	}
	fmt.Fprintln(a.Out)
	t := tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "parameter\tquick\tstandard\tthorough\tunit\tmanifest\tmeaning")
	for _, d := range p.Params {
		fmt.Fprintf(t, "%s\t%v\t%v\t%v\t%s\t%s\t%s\n", d.Name, d.Quick, d.Standard, d.Thorough, d.Unit, d.Manifest, d.Doc)
	}
	_ = t.Flush() // the writer below has reported already
}

func needs(n measure.Needs) string {
	var words []string
	for _, need := range []struct {
		on   bool
		word string
	}{
		{n.Files, "the model's files"}, {n.Artefacts, "the bytes of every artefact"}, {n.Model, "a model"}, {n.Data, "test rows"}, {n.Labels, "labels"},
		{n.Recorded, "recorded outputs"}, {n.Domain, "a domain"}, {n.Rule, "a decision rule"}, {n.Scores, "scores, not labels alone"}, {n.Trees, "a tree ensemble"},
		{n.Gain, "a favourable outcome"},
	} {
		if need.on {
			words = append(words, need.word)
		}
	}
	return strings.Join(words, ", ")
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}
