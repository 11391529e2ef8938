package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/assize/assize/internal/catalogue"
	"github.com/assize/assize/internal/coverage"
	"github.com/assize/assize/internal/report/listing"
)

func (a *App) standardsCoverage() *cobra.Command {
	var q catalogue.Query
	var article string
	var cells bool
	c := &cobra.Command{
		Use:   "coverage",
		Short: "Show which standards cover which requirement, threat or property, according to whom",
		Long: `By requirement or threat: a matrix, a row a standard, a column a requirement or
threat. Where judges differ a cell shows the mark of each.

By property or control, or with --article, --kind or --cells: a row a mark, with its kind, basis, judge,
date and confidence, and what other judges say of the same.

Marks: x covers, ? may cover, - a judge looked and does not say so.
Kinds: vocabulary, process, requirement, method, metric, threshold; unknown where
nobody could tell, as for all marks printed in the report.
Basis: what the judge had read: title, scope or full text; unknown for the report.`,
		Example: `  Which standards give a method or metric for Art. 15(5) today?
    assize standards coverage --article '15(5)' --kind method,metric

  And against the attacks that Art. 15(5) names?
    assize standards coverage --by threat --kind method,metric,threshold

  Annex A.3 of the report (JTC 21), as printed; --inventory a4 is ETSI's:
    assize standards coverage --inventory a3 --as-of 2023-03-31 --format csv

  The same rows today, by all judges:
    assize standards coverage --inventory a3`,
		Args: exactly(0, "no argument"),
		RunE: func(c *cobra.Command, _ []string) error {
			if err := oneOf("by", q.By, catalogue.ByRequirement, catalogue.ByThreat, catalogue.ByProperty, catalogue.ByControl); err != nil {
				return err
			}
			t, err := a.tables(c)
			if err != nil {
				return err
			}
			if article != "" {
				if q.By != catalogue.ByRequirement {
					return usageError{fmt.Errorf("--article goes with --by requirement, not %s\nhint: leave one of them out", q.By)}
				}
				columns, err := coverage.Article(t, article)
				if err != nil {
					return err
				}
				for _, k := range columns {
					q.Subjects = append(q.Subjects, k.ID)
				}
			}
			m, err := t.Coverage(q)
			if err != nil {
				return err
			}
			build := a.matrix
			if cells || q.By == catalogue.ByProperty || q.By == catalogue.ByControl || article != "" || len(q.Kinds) > 0 {
				build = a.marks
			}
			l, err := build(t, q, m)
			if err != nil {
				return err
			}
			return a.show(c, l)
		},
	}
	c.Flags().StringVar(&q.By, "by", catalogue.ByRequirement, "requirement (columns of the report's annexes), threat, property or control")
	c.Flags().StringVar(&article, "article", "", "only what this article of the AI Act asks, such as '15(5)'")
	c.Flags().StringSliceVar(&q.Kinds, "kind", nil, "only these kinds of coverage, such as method,metric,threshold")
	c.Flags().StringVar(&q.Inventory, "inventory", "", inventoryHelp)
	c.Flags().StringVar(&q.AsOf, "as-of", "", asOfHelp)
	c.Flags().BoolVar(&cells, "cells", false, "a row a mark instead of the matrix")
	addListFlags(c)
	return c
}

// matrix is a row a standard, the subjects last.
func (a *App) matrix(t *catalogue.Tables, q catalogue.Query, m *catalogue.Matrix) (*listing.List, error) {
	judges, err := t.Judges()
	if err != nil {
		return nil, err
	}
	l := &listing.List{Name: "coverage", Columns: []listing.Column{
		{Key: "row_id", Title: "row", Hidden: q.Inventory == ""}, {Key: "standard", Hidden: true}, {Key: "designation"}, {Key: "name", Hidden: true},
		{Key: "stage", Hidden: a.narrow()}, {Key: "judges", Hidden: a.Width < 120}, {Key: "confidence", Hidden: true},
	}}
	used := make([]bool, len(m.Subjects))
	var gave, legend []string
	for _, r := range m.Rows {
		row := []string{"", r.Standard.ID, r.Standard.Designation, "", r.State.Stage, "", ""}
		if r.Entry != nil {
			row[0], row[3] = r.Entry.ID, r.Entry.Name
		}
		var confidence []string
		for i, cells := range r.Cells {
			used[i] = used[i] || len(cells) > 0
			row = append(row, said(cells, judges))
			for _, k := range cells {
				if !slices.Contains(confidence, k.Confidence) {
					confidence = append(confidence, k.Confidence)
				}
				gave = append(gave, k.Judge)
			}
		}
		row[5], row[6] = list(judgesOf(slices.Concat(r.Cells...), judges)), list(confidence)
		l.Rows = append(l.Rows, row)
	}
	l.Columns[2].Wide = slices.ContainsFunc(m.Rows, func(r catalogue.Covers) bool { return len(r.Standard.Designation) > 24 })
	for i, s := range m.Subjects {
		short := s.ID
		if m.By == catalogue.ByRequirement {
			short = s.ID[:min(3, len(s.ID))]
		}
		l.Columns = append(l.Columns, listing.Column{Key: s.ID, Title: short, Hidden: !used[i] && m.By != catalogue.ByRequirement})
		if used[i] || m.By == catalogue.ByRequirement {
			legend = append(legend, short+" "+s.Title)
		}
	}
	l.Notes = []string{
		strings.Join(legend, " · "),
		fmt.Sprintf("%d rows, as of %s. x covers, ? may cover, - looked at and not said. Two marks: judges differ, in the order of the judges below. --cells shows the kind, basis, date and source of each mark.", len(m.Rows), m.AsOf.Date),
	}
	for _, j := range judges {
		if n := count(gave, j.ID); n > 0 {
			l.Sources = append(l.Sources, fmt.Sprintf("%s (%d marks): %s", j.ID, n, j.How))
		}
	}
	return l, nil
}

// said is a cell of the matrix: the mark where all who judged agree, else each
// judge's in the order of the judges. A judge alone who found nothing leaves it empty.
func said(cells []catalogue.Cell, judges []catalogue.Judge) string {
	if len(cells) == 0 {
		return ""
	}
	if !catalogue.Differ(cells) {
		return cells[0].Mark
	}
	var marks []string
	for _, j := range judges {
		var own []catalogue.Cell
		for _, k := range cells {
			if k.Judge == j.ID {
				own = append(own, k)
			}
		}
		if own != nil {
			marks = append(marks, markWord(catalogue.Mark(own)))
		}
	}
	if same := slices.Compact(slices.Clone(marks)); len(same) == 1 {
		return same[0]
	}
	return strings.Join(marks, " ")
}

func judgesOf(cells []catalogue.Cell, judges []catalogue.Judge) []string {
	var out []string
	for _, j := range judges {
		if slices.ContainsFunc(cells, func(k catalogue.Cell) bool { return k.Judge == j.ID }) {
			out = append(out, j.ID)
		}
	}
	return out
}

func count(words []string, word string) int {
	n := 0
	for _, w := range words {
		if w == word {
			n++
		}
	}
	return n
}

// marks is a row a mark, with who gave it on what and what others say.
func (a *App) marks(t *catalogue.Tables, q catalogue.Query, m *catalogue.Matrix) (*listing.List, error) {
	all := q
	all.Kinds = nil
	whole, err := t.Coverage(all)
	if err != nil {
		return nil, err
	}
	others := map[string][]catalogue.Cell{}
	for _, r := range whole.Rows {
		for i, cells := range r.Cells {
			key := r.Standard.ID + " " + whole.Subjects[i].ID
			for _, k := range cells {
				if !slices.Contains(others[key], k) {
					others[key] = append(others[key], k)
				}
			}
		}
	}
	l := &listing.List{Name: "coverage-cells", Columns: []listing.Column{
		{Key: "row_id", Title: "row", Hidden: q.Inventory == ""}, {Key: "standard", Hidden: true}, {Key: "designation", Wide: true}, {Key: "title", Wide: true},
		{Key: "stage"}, {Key: "subject", Hidden: len(m.Subjects) == 1 || m.By == catalogue.ByThreat}, {Key: "subject_title", Title: m.By, Hidden: m.By != catalogue.ByThreat}, {Key: "mark"}, {Key: "kind"}, {Key: "basis"},
		{Key: "judge"}, {Key: "date", Hidden: true}, {Key: "clause", Hidden: true}, {Key: "edition", Hidden: true}, {Key: "others", Title: "others say", Wide: true},
		{Key: "confidence", Hidden: true}, {Key: "source", Hidden: true},
	}}
	var confidence, bases []string
	empty, certain, published := 0, map[string]bool{}, map[string]bool{}
	for i, s := range m.Subjects {
		first := len(l.Rows)
		for _, r := range m.Rows {
			for _, k := range r.Cells[i] {
				if k.Mark == "" && len(q.Kinds) > 0 {
					empty++
					continue
				}
				row := ""
				if r.Entry != nil {
					row = r.Entry.ID
				}
				l.Rows = append(l.Rows, []string{
					row, r.Standard.ID, r.Standard.Designation, r.Standard.Title, r.State.Stage, s.ID, s.Title, markWord(k.Mark), k.Kind, k.Basis,
					k.Judge, k.Date, k.Clause, k.Edition, otherwise(k, others[r.Standard.ID+" "+s.ID]), k.Confidence, k.Source,
				})
				confidence, bases = append(confidence, k.Confidence), append(bases, k.Basis)
				certain[r.Standard.ID] = certain[r.Standard.ID] || k.Mark == "x"
				published[r.Standard.ID] = !r.State.Draft()
			}
		}
		rank := func(row []string) int { return slices.Index([]string{"x", "?", "-"}, row[7]) }
		slices.SortStableFunc(l.Rows[first:], func(a, b []string) int { return rank(a) - rank(b) })
	}
	yes := func(of map[string]bool) (n int) {
		for _, is := range of {
			if is {
				n++
			}
		}
		return n
	}
	l.Notes = []string{fmt.Sprintf("As of %s: %d marks on %d standards, %d of them with an x (covers; ? is may cover), %d published. Basis: %s. Confidence: %s.",
		m.AsOf.Date, len(l.Rows), len(certain), yes(certain), yes(published), tally(bases), tally(confidence))}
	l.Notes = append(l.Notes, hideSame(l, "basis", "judge", "kind")...)
	if len(l.Rows) == 0 {
		l.Notes = []string{known(m, whole, q.Kinds)}
	}
	if empty > 0 {
		l.Notes = append(l.Notes, fmt.Sprintf("%d more standards' titles were looked at and say nothing of it (mark -); --cells without --kind shows them.", empty))
	}
	read := slices.ContainsFunc(bases, func(b string) bool { return b == "scope" || b == "full text" })
	if len(l.Rows) > 0 && !read {
		l.Notes = append(l.Notes, "Nobody here has read more than the titles of these: they are candidates, not findings.")
	}
	judges, err := t.Judges()
	if err != nil {
		return nil, err
	}
	for _, j := range judges {
		if slices.ContainsFunc(l.Rows, func(r []string) bool { return r[10] == j.ID }) {
			l.Sources = append(l.Sources, j.ID+": "+j.How)
		}
	}
	return l, nil
}

// hideSame leaves out of the table the columns that say the same in every row, and says it once.
func hideSame(l *listing.List, keys ...string) []string {
	var same []string
	for j, k := range l.Columns {
		if !slices.Contains(keys, k.Key) || len(l.Rows) < 2 {
			continue
		}
		if !slices.ContainsFunc(l.Rows, func(r []string) bool { return r[j] != l.Rows[0][j] }) {
			l.Columns[j].Hidden = true
			same = append(same, k.Key+" "+l.Rows[0][j])
		}
	}
	if same == nil {
		return nil
	}
	return []string{"In every row: " + strings.Join(same, ", ") + "."}
}

// otherwise is what other judges say of the same; a mark that one judge gave on another basis too.
func otherwise(k catalogue.Cell, all []catalogue.Cell) string {
	var out []string
	for _, o := range all {
		if o.Judge != k.Judge {
			out = append(out, o.Judge+" "+markWord(o.Mark))
		}
	}
	return list(slices.Compact(out))
}

// known says what is known where nothing answers the question.
func known(m, whole *catalogue.Matrix, kinds []string) string {
	marks, standards := []string{}, 0
	for _, r := range whole.Rows {
		touched := false
		for _, cells := range r.Cells {
			for _, k := range cells {
				if k.Mark != "" {
					marks, touched = append(marks, k.Kind), true
				}
			}
		}
		if touched {
			standards++
		}
	}
	asked := "here"
	if len(kinds) > 0 {
		asked = "as " + strings.Join(kinds, " or ")
	}
	if standards == 0 {
		return fmt.Sprintf("No judge marked any standard %s as of %s. That is no finding about the standards: nobody has looked, or nobody wrote it down.", asked, m.AsOf.Date)
	}
	return fmt.Sprintf("No standard is marked %s as of %s. %d standards are marked otherwise (%s). Marks of kind unknown, as all of the report's, may hide one; nothing else is known.", asked, m.AsOf.Date, standards, tally(marks))
}
