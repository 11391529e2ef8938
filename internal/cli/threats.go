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

func (a *App) threats() *cobra.Command {
	c := &cobra.Command{
		Use:   "threats [NAME]",
		Short: "List the threats, or follow one through all schemes, goals, solutions and criteria",
		Long: `Without a name: the threats that goals answer. With one, typed as any scheme calls
it: its names in ENISA, NIST AI 100-2, MITRE ATLAS and OWASP AI Exchange, the
crosswalks between them, and the goals, solutions and criteria that answer it.`,
		Example: `  assize threats
  assize threats evasion
  assize threats AML.T0020
  assize threats NISTAML.022 --format json`,
		RunE: func(c *cobra.Command, args []string) error {
			t, err := a.tables(c)
			if err != nil {
				return err
			}
			var l *listing.List
			if len(args) == 0 {
				l, err = a.threatList(t)
			} else {
				l, err = threatPortrait(t, strings.Join(args, " "))
			}
			if err != nil {
				return err
			}
			return a.show(c, l)
		},
	}
	addListFlags(c)
	return c
}

func (a *App) threatList(t *catalogue.Tables) (*listing.List, error) {
	k, err1 := t.Catalogue()
	about, err2 := sources(t, "threats.yaml")
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	l := &listing.List{Name: "threats", Sources: about, Columns: []listing.Column{
		{Key: "id"}, {Key: "title", Hidden: true}, {Key: "text", Title: "what happens", Wide: true}, {Key: "harms", Wide: true}, {Key: "stages", Hidden: true}, {Key: "assets", Hidden: true},
		{Key: "knowledge", Title: "needs", Wide: true, Hidden: a.narrow()}, {Key: "leads_to", Hidden: true}, {Key: "enisa", Hidden: true}, {Key: "ai_act", Hidden: true}, {Key: "goals", Wide: true},
	}}
	for _, x := range k.Threats {
		var goals []string
		for _, g := range k.Goals {
			if slices.Contains(g.Threats, x.ID) {
				goals = append(goals, g.ID)
			}
		}
		l.Rows = append(l.Rows, []string{x.ID, x.Title, x.Text, list(x.Harms), list(x.Stages), list(x.Assets), x.Knowledge, list(x.LeadsTo), x.Names["enisa"], x.Names["ai_act"], list(goals)})
	}
	l.Notes = []string{"Needs: the least that an attacker must have. \"assize threats NAME\" follows one through other schemes, goals, solutions and criteria."}
	return l, nil
}

// threatPortrait follows a threat along names, crosswalks and the spine.
func threatPortrait(t *catalogue.Tables, query string) (*listing.List, error) {
	f, err := t.Threat(query)
	if err != nil {
		return nil, err
	}
	k, err1 := t.Catalogue()
	about, err2 := sources(t, "threats.yaml", "names.csv", "links.csv")
	name, err3 := namer(t)
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	l := &listing.List{Name: "threat", Sources: about, Columns: []listing.Column{
		{Key: "part"}, {Key: "scheme"}, {Key: "id"}, {Key: "name", Wide: true}, {Key: "relation", Wide: true}, {Key: "text", Hidden: true}, {Key: "confidence", Hidden: true}, {Key: "source", Title: "basis", Wide: true, Hidden: true},
	}}
	add := func(row ...string) { l.Rows = append(l.Rows, row) }
	var goals []string
	for _, x := range f.Threats {
		add("threat", "assize", x.ID, x.Text, "", x.Text, "own-judgement", "threats.yaml")
		for _, next := range x.LeadsTo {
			add("leads to", "assize", next, "", x.ID+" prepares it", "", "own-judgement", "threats.yaml")
		}
		for _, g := range k.Goals {
			if slices.Contains(g.Threats, x.ID) && !slices.Contains(goals, g.ID) {
				goals = append(goals, g.ID)
				add("goal", "assize", g.ID, g.Title, "answers "+x.ID, g.Text, "own-judgement", "goals.yaml")
			}
		}
	}
	for _, s := range k.Solutions {
		if slices.ContainsFunc(s.Goals, func(g string) bool { return slices.Contains(goals, g) }) {
			add("solution", "assize", s.ID, s.Title, strings.Join(s.Functions, ", "), "effect: "+s.Effect, "own-judgement", "solutions.yaml")
		}
	}
	for _, r := range k.Criteria {
		if slices.Contains(goals, r.Goal) {
			add("criterion", "assize", r.ID, r.Why, "decides "+r.Goal, list(r.Cites), "set by "+r.SetBy, "criteria.yaml")
		}
	}
	for _, n := range f.Names {
		add("name", n.Scheme, n.ID, n.Name, n.Kind, n.Text, n.Confidence, n.Source)
	}
	for _, x := range f.Links {
		from, to := x.FromScheme+" "+x.From, x.ToName
		if to == "" {
			to = name(x.To)
		}
		add("link", x.ToScheme, x.To, to, relation(x.Relation)+" "+from, "", "", x.Basis)
	}
	l.Notes = []string{fmt.Sprintf("%q is %d names in other schemes and %d of our threats. \"narrower than\" reads: the item of the line is part of the one named. --format csv or json has texts, basis and source.", query, len(f.Names), len(f.Threats))}
	return l, nil
}

// relation puts the relation of a link's end to its beginning in words.
func relation(r string) string {
	switch r {
	case "equal":
		return "same as"
	case "broader", "narrower":
		return r + " than"
	case "related":
		return "related to"
	}
	return r
}

// namer tells the names of things that crosswalks link; empty where they have none.
func namer(t *catalogue.Tables) (func(id string) string, error) {
	names, err1 := t.Names()
	controls, err2 := t.Controls()
	requirements, err3 := t.Requirements()
	entries, err4 := t.Entries()
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return nil, err
	}
	of := map[string]string{}
	for _, n := range names {
		of[n.ID] = n.Name
	}
	for _, k := range controls {
		of[k.ID] = k.Name
	}
	for _, r := range requirements {
		of[r.ID] = r.Reference + " " + r.Subject
	}
	for _, e := range entries {
		of[e.ID] = e.Name
	}
	return func(id string) string { return of[id] }, nil
}
