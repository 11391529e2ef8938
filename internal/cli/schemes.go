package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/assize/assize/internal/catalogue"
	"github.com/assize/assize/internal/report/listing"
)

func (a *App) schemes() *cobra.Command {
	c := &cobra.Command{
		Use:   "schemes [ID]",
		Short: "List the European certification schemes and their history, or all that is known of one",
		Example: `  assize schemes
  assize schemes ai          with the challenges and prerequisites that were stated
  assize schemes --format json`,
		Args: atMost(1, "one scheme, or none"),
		RunE: func(c *cobra.Command, args []string) error {
			t, err := a.tables(c)
			if err != nil {
				return err
			}
			schemes, err1 := t.Schemes()
			points, err2 := t.Points()
			about, err3 := sources(t, "schemes.yaml", "points.csv")
			if err := errors.Join(err1, err2, err3); err != nil {
				return err
			}
			l := &listing.List{Name: "schemes", Sources: about, Columns: []listing.Column{
				{Key: "id"}, {Key: "title", Hidden: true}, {Key: "state"}, {Key: "levels", Hidden: true}, {Key: "basis", Hidden: true}, {Key: "part"}, {Key: "date"}, {Key: "text", Title: "what was known", Wide: true}, {Key: "confidence"}, {Key: "source", Hidden: true},
			}}
			var ids []string
			for _, s := range schemes {
				ids = append(ids, s.ID)
				if len(args) > 0 && !strings.EqualFold(s.ID, args[0]) {
					continue
				}
				l.Notes = append(l.Notes, fmt.Sprintf("%s: %s (%s)", s.ID, s.Title, s.Basis))
				add := func(part, date, text, source string) {
					l.Rows = append(l.Rows, []string{s.ID, s.Title, s.State, list(s.Levels), s.Basis, part, date, text, s.Confidence, source})
				}
				for _, h := range s.History {
					add("history", h.Date, h.Text, h.Source)
				}
				for _, p := range points {
					if len(args) > 0 && slices.Contains(s.Points, p.ID) {
						add(p.Kind, "", p.Text, p.ID+", "+p.Source)
					}
				}
			}
			if len(l.Rows) == 0 {
				return &catalogue.NotFoundError{What: "scheme", Query: strings.Join(args, " "), Suggestions: ids}
			}
			return a.show(c, l)
		},
	}
	addListFlags(c)
	return c
}

// atMost is cobra.MaximumNArgs with a hint.
func atMost(n int, what string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) > n {
			return exactly(n, what)(c, args)
		}
		return nil
	}
}

// details lists what is known of one thing, a line a field; empty ones are left out.
func details(name string, fields [][2]string) *listing.List {
	l := &listing.List{Name: name, Columns: []listing.Column{{Key: "field"}, {Key: "value", Wide: true}}}
	for _, f := range fields {
		if f[1] != "" {
			l.Rows = append(l.Rows, []string{f[0], f[1]})
		}
	}
	return l
}
