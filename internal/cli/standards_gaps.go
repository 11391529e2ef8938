package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/assize/assize/internal/catalogue"
	"github.com/assize/assize/internal/coverage"
	"github.com/assize/assize/internal/report/listing"
)

// The lists that gaps can give. They are never mixed.
const (
	ofJudged          = "judged"
	ofComputed        = "computed"
	ofCompared        = "compared"
	ofRecommendations = "recommendations"
	ofSummary         = "compared in short"
)

func (a *App) standardsGaps() *cobra.Command {
	var addressee, of, asOf string
	var iso bool
	c := &cobra.Command{
		Use:   "gaps",
		Short: "List what is missing: as judged in the report, and as computed here, apart",
		Long: `Judged gaps are the report's, in own words, with what became of them. Computed
gaps follow from the kinds of coverage: a requirement that only vocabularies and
process standards touch, or drafts, or titles that nobody has read, lacks methods,
metrics or thresholds. The two are never mixed: each is a list of its own, and
CSV, which can hold one list, holds the one of --of (default: judged).`,
		Example: `  assize standards gaps                                 both, and how far they agree
  assize standards gaps --of computed --format csv
  assize standards gaps --of compared                   which judged gaps the computation finds, which not, why
  assize standards gaps --of recommendations
  assize standards gaps --addressee SDO --iso-comments --format csv
                                    the open ones as rows of the ISO comment template
  assize standards gaps --addressee ETSI --of computed  those that a standard of ETSI touches`,
		Args: exactly(0, "no argument"),
		RunE: func(c *cobra.Command, _ []string) error {
			if err := oneOf("of", of, ofJudged, ofComputed, ofCompared, ofRecommendations); err != nil {
				return err
			}
			if iso && of != "" && of != ofJudged && of != ofComputed {
				return usageError{fmt.Errorf("--iso-comments are of judged or computed gaps, not %s\nhint: --of judged or --of computed", of)}
			}
			t, err := a.tables(c)
			if err != nil {
				return err
			}
			lists, err := gapLists(t, addressee, asOf, iso)
			if err != nil {
				return err
			}
			format, err := formatOf(c)
			if err != nil {
				return err
			}
			shown := []string{ofJudged, ofComputed, ofSummary}
			if format == "json" {
				shown[2] = ofCompared
			}
			switch {
			case of != "":
				shown = []string{of}
			case format == "csv":
				shown = []string{ofJudged}
				fmt.Fprintln(a.Err, "assize: CSV holds one list; these are the judged gaps, --of computed gives the others")
			case iso:
				shown = []string{ofJudged, ofComputed}
			}
			return a.showApart(c, format, lists, shown)
		},
	}
	c.Flags().StringVar(&addressee, "addressee", "", "those that speak to SDO, regulators, assessors, R&D, providers, notified bodies, or to one organisation such as ETSI")
	c.Flags().StringVar(&of, "of", "", "only judged, computed, compared (one against the other) or recommendations")
	c.Flags().BoolVar(&iso, "iso-comments", false, "as rows of the ISO comment template")
	c.Flags().StringVar(&asOf, "as-of", "", "compute from the marks and stages of this date, where the history knows it (default: the newest)")
	addListFlags(c)
	return c
}

// showApart writes several lists one after the other, each under its name; in
// JSON as an object with a list under each name, or the list itself where it is one.
func (a *App) showApart(c *cobra.Command, format string, lists map[string]*listing.List, shown []string) error {
	if len(shown) == 1 {
		return a.show(c, lists[shown[0]])
	}
	for i, name := range shown {
		switch {
		case format == "json":
			fmt.Fprintf(a.Out, "%s%q:\n", map[bool]string{true: "{", false: ","}[i == 0], name)
		case format == "markdown":
			fmt.Fprintf(a.Out, "%s## %s\n\n", strings.Repeat("\n", min(i, 1)), heading(name))
		default:
			fmt.Fprintf(a.Out, "%s%s\n\n", strings.Repeat("\n", min(i, 1)), strings.ToUpper(heading(name)))
		}
		if err := a.show(c, lists[name]); err != nil {
			return err
		}
	}
	if format == "json" {
		fmt.Fprintln(a.Out, "}")
	}
	return nil
}

func heading(of string) string {
	return map[string]string{
		ofJudged: "Gaps judged in the report", ofComputed: "Gaps computed here", ofSummary: "The judged against the computed",
	}[of]
}

// gapLists builds each of the lists for one addressee.
func gapLists(t *catalogue.Tables, addressee, asOf string, iso bool) (map[string]*listing.List, error) {
	gaps, err1 := t.Gaps()
	recommendations, err2 := t.Recommendations()
	standards, err3 := t.Standards()
	lacks, err4 := t.Lacks(catalogue.Query{AsOf: asOf})
	compared, err5 := t.Compare(catalogue.Query{AsOf: asOf})
	columns, err6 := t.Columns()
	at, err7 := t.AsOf(asOf)
	if err := errors.Join(err1, err2, err3, err4, err5, err6, err7); err != nil {
		return nil, err
	}
	states, err := t.States(at)
	if err != nil {
		return nil, err
	}
	to, err := speaksTo(addressee, gaps, recommendations, standards)
	if err != nil {
		return nil, err
	}
	gaps = slices.DeleteFunc(slices.Clone(gaps), func(g catalogue.Gap) bool { return !to.group(g.Addressees) })
	lacks = slices.DeleteFunc(slices.Clone(lacks), func(l catalogue.Lack) bool { return !to.lack(l) })
	article := func(subject string) string {
		i := slices.IndexFunc(columns, func(c catalogue.Column) bool { return c.ID == subject })
		return columns[i].Article
	}
	out := map[string]*listing.List{}
	out[ofCompared], out[ofSummary] = comparedGaps(compared, to)
	if iso {
		judged, computed := isoList("iso-comments-judged"), isoList("iso-comments-computed")
		for _, g := range gaps {
			if k, open := coverage.Judged(g); open {
				judged.Rows = append(judged.Rows, isoRow(k))
			}
		}
		for _, l := range lacks {
			var drafts []string
			for _, b := range l.By {
				if s := states[b.Standard.ID]; s.Draft() && s.Stage != "unknown" {
					drafts = append(drafts, b.Standard.Designation)
				}
			}
			computed.Rows = append(computed.Rows, isoRow(coverage.Computed(l, article(l.Subject.ID), at.Date, drafts)))
		}
		judged.Notes = []string{fmt.Sprintf("%d of %d judged gaps: those closed since or there by design ask for nothing. %s", len(judged.Rows), len(gaps), isoNote)}
		computed.Notes = []string{fmt.Sprintf("%d computed gaps. %s", len(computed.Rows), isoNote)}
		out[ofJudged], out[ofComputed] = judged, computed
	} else {
		out[ofJudged] = judgedGaps(gaps, to)
		out[ofComputed] = computedGaps(lacks, at.Date, article, len(columns))
	}
	out[ofRecommendations] = recommended(recommendations, to)
	for of, names := range map[string][]string{ofJudged: {"gaps.csv"}, ofComputed: {"coverage.csv", "history.csv"}, ofCompared: {"gaps.csv", "coverage.csv"}, ofSummary: nil, ofRecommendations: {"recommendations.csv"}} {
		if out[of].Sources, err = sources(t, names...); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// audience is whom gaps are asked for.
type audience struct {
	asked        string // empty is everybody
	organisation string // an SDO by name
}

// speaksTo settles an addressee: a group that the report names, or an SDO of the
// inventory.
func speaksTo(asked string, gaps []catalogue.Gap, recommendations []catalogue.Recommendation, standards []catalogue.Standard) (audience, error) {
	if asked == "" {
		return audience{}, nil
	}
	var groups []string
	for _, g := range gaps {
		groups = append(groups, g.Addressees...)
	}
	for _, r := range recommendations {
		groups = append(groups, r.Addressees...)
	}
	slices.Sort(groups)
	groups = slices.DeleteFunc(slices.Compact(groups), func(g string) bool { return strings.HasPrefix(g, "all") })
	singular := func(s string) string { return strings.TrimSuffix(strings.ToLower(s), "s") }
	for _, g := range groups {
		if singular(g) == singular(asked) {
			return audience{asked: g}, nil
		}
	}
	for _, s := range standards {
		if strings.EqualFold(s.SDO, asked) || slices.ContainsFunc(strings.FieldsFunc(s.SDO, func(r rune) bool { return strings.ContainsRune("/- ,", r) }), func(p string) bool { return strings.EqualFold(p, asked) }) {
			return audience{asked: "SDOs", organisation: asked}, nil
		}
	}
	return audience{}, &catalogue.NotFoundError{What: "addressee", Query: asked, Suggestions: append(groups, "an organisation such as ETSI")}
}

func (w audience) group(addressees []string) bool {
	return w.asked == "" || slices.ContainsFunc(addressees, func(g string) bool { return strings.HasPrefix(g, "all") || strings.EqualFold(g, w.asked) })
}

// lack: computed gaps are for those who write standards; for one of them, those
// that a standard of theirs touches.
func (w audience) lack(l catalogue.Lack) bool {
	if w.organisation == "" {
		return w.group([]string{"SDOs"})
	}
	return slices.ContainsFunc(l.By, func(b catalogue.Touch) bool {
		return strings.Contains(strings.ToLower(b.Standard.SDO), strings.ToLower(w.organisation))
	})
}

func (w audience) note() string {
	switch {
	case w.organisation != "":
		return " The report speaks to SDOs as a whole, so these may concern other SDOs than " + w.organisation + "."
	case w.asked != "":
		return " Addressed to " + w.asked + ", or to all."
	}
	return ""
}

func judgedGaps(gaps []catalogue.Gap, to audience) *listing.List {
	l := &listing.List{Name: "gaps-judged", Columns: []listing.Column{
		{Key: "id"}, {Key: "section", Hidden: true}, {Key: "addressees", Hidden: true}, {Key: "text", Title: "gap", Wide: true}, {Key: "topics", Hidden: true}, {Key: "requirements", Hidden: true},
		{Key: "lacks", Hidden: true}, {Key: "restates", Hidden: true}, {Key: "meaning", Title: "for tools", Hidden: true}, {Key: "state"}, {Key: "state_note", Title: "what came since", Wide: true}, {Key: "source", Hidden: true},
	}}
	var states []string
	for _, g := range gaps {
		states = append(states, g.State)
		l.Rows = append(l.Rows, []string{g.ID, g.Section, list(g.Addressees), g.Text, list(g.Topics), list(g.Columns), list(g.Lacks), list(g.Restates), g.Meaning, g.State, g.StateNote, g.Source})
	}
	l.Notes = []string{fmt.Sprintf("%d gaps judged in the report; today %s.%s", len(gaps), tally(states), to.note())}
	return l
}

func computedGaps(lacks []catalogue.Lack, at string, article func(string) string, of int) *listing.List {
	l := &listing.List{Name: "gaps-computed", Columns: []listing.Column{
		{Key: "requirement"}, {Key: "requirement_title", Hidden: true}, {Key: "article"}, {Key: "missing", Title: "missing", Wide: true},
		{Key: "claimed", Title: "by title only", Wide: true}, {Key: "best", Title: "what comes nearest", Wide: true}, {Key: "touched_by", Title: "standards", Hidden: true}, {Key: "count", Title: "touched by"},
	}}
	for _, g := range lacks {
		var by []string
		for _, b := range g.By {
			why := string(b.Why)
			if why == "" {
				why = "gives one"
			}
			by = append(by, b.Standard.Designation+" ("+why+")")
		}
		l.Rows = append(l.Rows, []string{g.Subject.ID, g.Subject.Title, article(g.Subject.ID), list(g.Missing), list(g.Claimed), string(g.Best), list(by), fmt.Sprint(len(g.By))})
	}
	l.Notes = []string{fmt.Sprintf("%d of %d requirements, from marks and stages of %s; confidence: own judgement, from the kinds that any judge told. Missing: nothing published gives it; by title only: something published does, but nobody here has read more than its title. \"Touched by\" counts standards with a mark; csv and json name each and why it does not close the gap.", len(lacks), of, at)}
	return l
}

// comparedGaps is a row a judged gap, and in short a row a reason.
func comparedGaps(c *catalogue.Comparison, to audience) (l, short *listing.List) {
	short = &listing.List{Name: "gaps-compared-short", Columns: []listing.Column{
		{Key: "result", Title: "computation"}, {Key: "count", Title: "n"}, {Key: "why", Wide: true}, {Key: "gaps", Title: "judged gaps", Wide: true},
	}}
	l = &listing.List{Name: "gaps-compared", Columns: []listing.Column{
		{Key: "id", Title: "judged gap"}, {Key: "result", Title: "computation"}, {Key: "requirements", Wide: true}, {Key: "why", Wide: true}, {Key: "text", Hidden: true},
	}}
	total, parts := 0, []string{}
	for _, part := range []struct {
		result, words string
		gaps          []catalogue.Compared
	}{
		{"found", "finds %d", c.Found}, {"by titles only", "finds %d more if titles that nobody has read do not count", c.Claimed}, {"not found", "cannot find %d", c.Missed},
	} {
		n := 0
		for _, g := range part.gaps {
			if to.group(g.Gap.Addressees) {
				n++
				l.Rows = append(l.Rows, []string{g.Gap.ID, part.result, list(g.Subjects), g.Why, g.Gap.Text})
				i := slices.IndexFunc(short.Rows, func(r []string) bool { return r[0] == part.result && r[2] == g.Why })
				if i < 0 {
					i, short.Rows = len(short.Rows), append(short.Rows, []string{part.result, "", g.Why, ""})
				}
				ids := append(strings.Fields(short.Rows[i][3]), g.Gap.ID)
				short.Rows[i][1], short.Rows[i][3] = fmt.Sprint(len(ids)), strings.Join(ids, " ")
			}
		}
		total += n
		parts = append(parts, fmt.Sprintf(part.words, n))
	}
	l.Notes = []string{fmt.Sprintf("Of %d judged gaps the computation %s.", total, strings.Join(parts, ", "))}
	short.Notes = append(slices.Clone(l.Notes), "--of compared has a row a gap.")
	return l, short
}

func recommended(all []catalogue.Recommendation, to audience) *listing.List {
	l := &listing.List{Name: "recommendations", Columns: []listing.Column{
		{Key: "id"}, {Key: "section", Hidden: true}, {Key: "addressees", Title: "to"}, {Key: "text", Title: "recommendation", Wide: true}, {Key: "topics", Hidden: true}, {Key: "meaning", Hidden: true}, {Key: "state"}, {Key: "state_note", Title: "what came since", Wide: true}, {Key: "source", Hidden: true},
	}}
	for _, r := range all {
		if to.group(r.Addressees) {
			l.Rows = append(l.Rows, []string{r.ID, r.Section, list(r.Addressees), r.Text, list(r.Topics), r.Meaning, r.State, r.StateNote, r.Source})
		}
	}
	return l
}

const isoNote = "MB/NC, line, clause and paragraph are for the member who comments to fill in; whether the draft on the table already answers is not known here."

// isoList has the columns of the ISO comment template, named as there.
func isoList(name string) *listing.List {
	return &listing.List{Name: name, Columns: []listing.Column{
		{Key: "MB/NC"}, {Key: "Line number", Title: "Line"}, {Key: "Clause/Subclause", Title: "Clause"}, {Key: "Paragraph/Figure/Table", Title: "Para."}, {Key: "Type of comment (ge/te/ed)", Title: "Type"},
		{Key: "Comments", Wide: true}, {Key: "Proposed change", Wide: true}, {Key: "Observations of the secretariat", Title: "Obs."},
	}}
}

func isoRow(k coverage.Comment) []string {
	return []string{"", "", "", "", k.Type, k.Comment, k.Proposed, ""}
}
