package cli

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/assize/assize/internal/catalogue"
	"github.com/assize/assize/internal/report/listing"
)

func (a *App) terms() *cobra.Command {
	c := &cobra.Command{
		Use:   "terms [NAME]",
		Short: "Show what documents mean by a term, side by side",
		Long: `Show what different documents mean by a term, in own words, and how it bears on
confidentiality, integrity and availability. Without a name: the terms there are.`,
		Example: `  assize terms
  assize terms 'AI system'
  assize terms robustness --format markdown`,
		RunE: func(c *cobra.Command, args []string) error {
			t, err := a.tables(c)
			if err != nil {
				return err
			}
			all, err := t.Terms()
			if err != nil {
				return err
			}
			var l *listing.List
			if len(args) == 0 {
				l = termList(all)
			} else if l, err = rivals(t, all, strings.Join(args, " ")); err != nil {
				return err
			}
			if l.Sources, err = sources(t, "terms.csv"); err != nil {
				return err
			}
			return a.show(c, l)
		},
	}
	addListFlags(c)
	return c
}

// termList counts the meanings of each term.
func termList(all []catalogue.Term) *listing.List {
	l := &listing.List{Name: "terms", Columns: []listing.Column{{Key: "term"}, {Key: "count", Title: "meanings"}, {Key: "documents", Wide: true}}}
	for _, term := range all {
		i := slices.IndexFunc(l.Rows, func(r []string) bool { return r[0] == term.Term })
		if i < 0 {
			l.Rows = append(l.Rows, []string{term.Term, "1", term.Document})
			continue
		}
		n, _ := strconv.Atoi(l.Rows[i][1]) // written above
		l.Rows[i][1], l.Rows[i][2] = strconv.Itoa(n+1), l.Rows[i][2]+"; "+term.Document
	}
	return l
}

// rivals lists the meanings of one term: of its very name, else of those that have it in them.
func rivals(t *catalogue.Tables, all []catalogue.Term, query string) (*listing.List, error) {
	want := strings.ToLower(strings.TrimSpace(query))
	var found []catalogue.Term
	for _, match := range []func(string) bool{
		func(s string) bool { return s == want },
		func(s string) bool { return strings.Contains(s, want) },
	} {
		for _, term := range all {
			if want != "" && len(found) < len(all) && match(strings.ToLower(term.Term)) {
				found = append(found, term)
			}
		}
		if found != nil {
			break
		}
	}
	relations, err1 := t.Relations()
	properties, err2 := t.Properties()
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	l := &listing.List{Name: "meanings", Columns: []listing.Column{
		{Key: "term"}, {Key: "document", Wide: true}, {Key: "standard", Hidden: true}, {Key: "meaning", Wide: true}, {Key: "note", Wide: true}, {Key: "confidence"}, {Key: "source", Hidden: true},
	}}
	for _, term := range found {
		l.Rows = append(l.Rows, []string{term.Term, term.Document, term.Standard, term.Meaning, term.Note, term.Confidence, term.Source})
	}
	for _, p := range properties {
		if want == "" || p.ID != want && strings.ToLower(p.Title) != want {
			continue
		}
		for _, r := range relations {
			if r.From == p.ID || r.To == p.ID {
				l.Notes = append(l.Notes, fmt.Sprintf("%s %s %s: %s (%s, %s)", r.From, strings.Replace(r.Relation, "trades off", "trades off against", 1), r.To, r.Why, r.Source, r.Confidence))
			}
		}
	}
	if found == nil && l.Notes == nil {
		e := &catalogue.NotFoundError{What: "term", Query: query}
		for _, term := range all {
			if !slices.Contains(e.Suggestions, term.Term) {
				e.Suggestions = append(e.Suggestions, term.Term)
			}
		}
		return nil, e
	}
	l.Notes = append([]string{fmt.Sprintf("%d meanings, in own words; the documents' own wording counts.", len(found))}, l.Notes...)
	return l, nil
}
