package cli

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/assize/assize/internal/catalogue"
	"github.com/assize/assize/internal/report/listing"
)

func (a *App) solutions() *cobra.Command {
	c := &cobra.Command{
		Use:   "solutions [ID]",
		Short: "List the types of solution: for which goals, what they do, how their effect is measured",
		Example: `  assize solutions
  assize solutions input-validation
  assize solutions --format json`,
		Args: atMost(1, "one type of solution, or none"),
		RunE: func(c *cobra.Command, args []string) error {
			t, err := a.tables(c)
			if err != nil {
				return err
			}
			k, err1 := t.Catalogue()
			about, err2 := sources(t, "solutions.yaml")
			if err := errors.Join(err1, err2); err != nil {
				return err
			}
			var l *listing.List
			if len(args) == 0 {
				l = solutionList(k)
			} else {
				s, err := find("solution", args[0], k.Solutions)
				if err != nil {
					return err
				}
				if l, err = solution(t, k, s); err != nil {
					return err
				}
			}
			l.Sources = about
			return a.show(c, l)
		},
	}
	addListFlags(c)
	return c
}

func solutionList(k *catalogue.Catalogue) *listing.List {
	l := &listing.List{Name: "solutions", Columns: []listing.Column{
		{Key: "id"}, {Key: "title", Wide: true}, {Key: "kind", Hidden: true}, {Key: "switchable", Hidden: true}, {Key: "goals", Wide: true}, {Key: "functions", Title: "does", Wide: true}, {Key: "effect", Title: "effect measured", Wide: true}, {Key: "controls", Hidden: true},
	}}
	for _, s := range k.Solutions {
		l.Rows = append(l.Rows, []string{s.ID, s.Title, s.Kind, yesNo(s.Switchable), list(s.Goals), list(s.Functions), s.Effect, list(s.Controls)})
	}
	return l
}

func yesNo(is bool) string {
	if is {
		return "yes"
	}
	return "no"
}

func solution(t *catalogue.Tables, k *catalogue.Catalogue, s catalogue.SolutionType) (*listing.List, error) {
	fields := [][2]string{
		{"id", s.ID}, {"title", s.Title}, {"kind", s.Kind}, {"switchable", yesNo(s.Switchable)}, {"does", list(s.Functions)}, {"effect", s.Effect},
	}
	for _, id := range s.Goals {
		if g, ok := k.Goal(id); ok {
			fields = append(fields, [2]string{"goal", g.ID + ": " + g.Title + " (against " + list(g.Threats) + ")"})
		}
	}
	controls, err := t.Controls()
	if err != nil {
		return nil, err
	}
	for _, id := range s.Controls {
		for _, c := range controls {
			if c.ID == id {
				fields = append(fields, [2]string{"control", c.ID + ": " + c.Name + " (" + c.Source + ")"})
			}
		}
	}
	return details("solution", fields), nil
}
