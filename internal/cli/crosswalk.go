package cli

import (
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/assize/assize/internal/catalogue"
	"github.com/assize/assize/internal/report/listing"
)

func (a *App) crosswalk() *cobra.Command {
	c := &cobra.Command{
		Use:   "crosswalk [FROM TO]",
		Short: "Follow the links from one scheme to another",
		Long: `Follow the links from one scheme to another: threats, controls, requirements,
rows of the report's annexes. The relation is that of the second to the first:
"broader" means that the second is broader. Without arguments: the pairs there are.`,
		Example: `  assize crosswalk
  assize crosswalk enisa-table1 mitre-atlas
  assize crosswalk 'AI Act' enisa-2023 --format csv`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return exactly(2, "two schemes, or none")(c, args)
		},
		RunE: func(c *cobra.Command, args []string) error {
			t, err := a.tables(c)
			if err != nil {
				return err
			}
			var l *listing.List
			if len(args) == 0 {
				l, err = pairs(t)
			} else {
				l, err = linked(t, args[0], args[1])
			}
			if err != nil {
				return err
			}
			if l.Sources, err = sources(t, "links.csv"); err != nil {
				return err
			}
			return a.show(c, l)
		},
	}
	addListFlags(c)
	return c
}

func linked(t *catalogue.Tables, from, to string) (*listing.List, error) {
	links, err := t.Crosswalk(from, to)
	if err != nil {
		return nil, err
	}
	name, err := namer(t)
	if err != nil {
		return nil, err
	}
	l := &listing.List{Name: "crosswalk", Columns: []listing.Column{
		{Key: "from_scheme", Hidden: true}, {Key: "from"}, {Key: "from_name", Wide: true}, {Key: "relation"}, {Key: "to_scheme", Hidden: true}, {Key: "to"}, {Key: "to_name", Wide: true},
		{Key: "subject"}, {Key: "original", Hidden: true}, {Key: "via", Hidden: true}, {Key: "url", Hidden: true}, {Key: "basis", Hidden: true},
	}}
	var bases, relations []string
	for _, x := range links {
		title := x.ToName
		if title == "" {
			title = name(x.To)
		}
		bases, relations = append(bases, x.Basis), append(relations, x.Relation)
		l.Rows = append(l.Rows, []string{x.FromScheme, x.From, name(x.From), x.Relation, x.ToScheme, x.To, title, x.Subject, x.Original, x.Via, x.URL, x.Basis})
	}
	l.Notes = []string{fmt.Sprintf("%d links: %s. Basis: %s.", len(links), tally(relations), tally(bases))}
	if len(links) == 0 {
		l.Notes = []string{"No direct links between these two. \"assize crosswalk\" without arguments lists the pairs that have some; both may be linked to a third."}
	}
	return l, nil
}

// pairs counts the links between schemes, as they are kept.
func pairs(t *catalogue.Tables) (*listing.List, error) {
	links, err := t.Links()
	if err != nil {
		return nil, err
	}
	l := &listing.List{Name: "crosswalks", Columns: []listing.Column{{Key: "from"}, {Key: "to"}, {Key: "count", Title: "links"}}}
	at, counts := map[[2]string]int{}, []int{}
	for _, x := range links {
		pair := [2]string{x.FromScheme, x.ToScheme}
		i, ok := at[pair]
		if !ok {
			i = len(counts)
			at[pair], counts = i, append(counts, 0)
			l.Rows = append(l.Rows, []string{pair[0], pair[1], ""})
		}
		counts[i]++
		l.Rows[i][2] = strconv.Itoa(counts[i])
	}
	l.Notes = []string{"Each can be followed both ways."}
	return l, nil
}
