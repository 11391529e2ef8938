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

func (a *App) standards() *cobra.Command {
	c := &cobra.Command{
		Use:   "standards",
		Short: "Ask the inventory of standards: what there is, what it covers, what is missing, what moved",
		Long: `The inventory holds the standards of ENISA's report "Cybersecurity of AI and
Standardisation" (March 2023) and those that came since, with who judged what
they cover, on which basis and when.`,
		Example: `  assize standards coverage --article '15(5)' --kind method,metric
                                    which standards give a method or metric for Art. 15(5) today
  assize standards coverage --inventory a3 --as-of 2023-03-31 --format csv
                                    annex A.3 of the report, as printed
  assize standards show 'prEN 18282'
  assize standards list --sdo ETSI --stage published
  assize standards gaps --addressee SDO
  assize standards diff 2023-03 2026-11-22`,
	}
	c.AddCommand(a.standardsList(), a.standardsShow(), a.standardsCoverage(), a.standardsGaps(), a.standardsOverlaps(), a.standardsDiff(), a.standardsWatch(), a.explore())
	return c
}

func inventories() []string {
	return []string{catalogue.AnnexA1, catalogue.AnnexA2, catalogue.AnnexA3, catalogue.AnnexA4, catalogue.List}
}

const (
	inventoryHelp = "a1 (27000 family), a2 (ISO/IEC), a3 (JTC 21), a4 (ETSI) of the report, or list (all else)"
	asOfHelp      = "the state at this date, where the history knows it (default: the newest)"
)

func (a *App) standardsList() *cobra.Command {
	var f catalogue.Filter
	c := &cobra.Command{
		Use:   "list",
		Short: "List standards with their stage",
		Long:  "List standards with their stage at the newest date or at an earlier one that the history knows.",
		Example: `  assize standards list --sdo CEN-CENELEC
  assize standards list --inventory a4 --as-of 2023-03-31
  assize standards list --type TS --stage published --format csv`,
		Args: exactly(0, "no argument"),
		RunE: func(c *cobra.Command, _ []string) error {
			if err := oneOf("inventory", f.Inventory, inventories()...); err != nil {
				return err
			}
			t, err := a.tables(c)
			if err != nil {
				return err
			}
			at, err := t.AsOf(f.AsOf)
			if err != nil {
				return err
			}
			found, err := t.List(f)
			if err != nil {
				return err
			}
			l := &listing.List{Name: "standards", Columns: []listing.Column{
				{Key: "id", Hidden: true}, {Key: "designation", Wide: true}, {Key: "title", Wide: true}, {Key: "sdo", Title: "by", Hidden: f.SDO != ""}, {Key: "committee", Hidden: true},
				{Key: "type"}, {Key: "stage"}, {Key: "code", Hidden: true}, {Key: "reference", Hidden: true}, {Key: "as_stated", Hidden: true},
				{Key: "rows", Hidden: true}, {Key: "ai_act", Hidden: true}, {Key: "confidence"}, {Key: "source", Hidden: true},
			}}
			var states []string
			for _, s := range found {
				var rows []string
				for _, e := range s.Entries {
					rows = append(rows, e.ID)
				}
				states = append(states, s.State.Confidence)
				l.Rows = append(l.Rows, []string{
					s.Standard.ID, s.Standard.Designation, s.Standard.Title, s.Standard.SDO, s.Standard.Committee,
					s.Standard.Type, s.State.Stage, s.State.Code, s.State.Reference, s.State.AsStated,
					list(rows), s.Standard.AIAct, s.State.Confidence, s.State.Source,
				})
			}
			l.Notes = []string{fmt.Sprintf("%d standards. The stage is that of %s; confidence is of the stage: %s.", len(found), at.Date, tally(states))}
			if len(found) == 0 {
				if l.Notes, err = nothingListed(t, f); err != nil {
					return err
				}
			}
			if l.Sources, err = sources(t, "standards.csv", "history.csv"); err != nil {
				return err
			}
			return a.show(c, l)
		},
	}
	c.Flags().StringVar(&f.SDO, "sdo", "", "by this organisation: ETSI, ISO/IEC, CEN-CENELEC, …")
	c.Flags().StringVar(&f.Type, "type", "", "of this type: IS, EN, TS, TR, GR, law, scheme, …")
	c.Flags().StringVar(&f.Stage, "stage", "", "at this stage: proposed, started, draft, enquiry, approval, publishing, published, superseded, withdrawn, unknown")
	c.Flags().StringVar(&f.Inventory, "inventory", "", inventoryHelp)
	c.Flags().StringVar(&f.AsOf, "as-of", "", asOfHelp)
	addListFlags(c)
	return c
}

// nothingListed says which words a filter could have used.
func nothingListed(t *catalogue.Tables, f catalogue.Filter) ([]string, error) {
	all, err := t.List(catalogue.Filter{AsOf: f.AsOf})
	if err != nil {
		return nil, err
	}
	var notes []string
	for _, q := range []struct {
		flag, asked string
		of          func(catalogue.Listed) string
	}{
		{"sdo", f.SDO, func(s catalogue.Listed) string { return s.Standard.SDO }},
		{"type", f.Type, func(s catalogue.Listed) string { return s.Standard.Type }},
		{"stage", f.Stage, func(s catalogue.Listed) string { return s.State.Stage }},
	} {
		var words []string
		for _, s := range all {
			if w := q.of(s); q.asked != "" && !slices.Contains(words, w) {
				words = append(words, w)
			}
		}
		if words != nil {
			slices.Sort(words)
			notes = append(notes, "--"+q.flag+" can be "+strings.Join(words, ", ")+".")
		}
	}
	return notes, nil
}

func (a *App) standardsShow() *cobra.Command {
	c := &cobra.Command{
		Use:   "show ID",
		Short: "Show all that is known of one standard",
		Long: `Show all that is known of one standard: its facts, its rows in the inventories,
its history, who says that it covers what, and which requirements name it. The
identifier may be typed in any way: number, designation, adoption, work item,
row of an inventory.`,
		Example: `  assize standards show 'iso 22989'
  assize standards show prEN18282
  assize standards show A4-09 --format json`,
		RunE: func(c *cobra.Command, args []string) error {
			t, err := a.tables(c)
			if err != nil {
				return err
			}
			s, err := t.Standard(strings.Join(args, " "))
			if err != nil {
				return err
			}
			l, err := portrait(t, s)
			if err != nil {
				return err
			}
			return a.show(c, l)
		},
	}
	c.Args = func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			return exactly(1, "one standard")(c, args)
		}
		return nil
	}
	addListFlags(c)
	return c
}

// portrait lists all that is known of one standard.
func portrait(t *catalogue.Tables, s catalogue.Standard) (*listing.List, error) {
	entries, err1 := t.Entries()
	life, err2 := t.Life(s.ID)
	cells, err3 := t.Cells()
	requirements, err4 := t.Requirements()
	standards, err5 := t.Standards()
	if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
		return nil, err
	}
	l := &listing.List{Name: "standard", Columns: []listing.Column{
		{Key: "part"}, {Key: "date"}, {Key: "about"}, {Key: "says", Wide: true}, {Key: "confidence"}, {Key: "source", Wide: true, Hidden: true},
	}}
	add := func(part, date, about, says, confidence, source string) {
		if says != "" {
			l.Rows = append(l.Rows, []string{part, date, about, says, confidence, source})
		}
	}
	for _, f := range [][2]string{
		{"id", s.ID}, {"designation", s.Designation}, {"title", s.Title}, {"by", s.SDO}, {"committee", s.Committee}, {"type", s.Type},
		{"level", s.Level}, {"reach", s.Reach}, {"also", list(s.Also)}, {"work items", list(s.WorkItems)}, {"supersedes", list(s.Supersedes)},
		{"amends", s.AmendmentTo}, {"builds on", list(s.BuildsOn)}, {"in the OJ", s.OJ}, {"liaison", s.Liaison}, {"AI Act", s.AIAct},
	} {
		add("fact", "", f[0], f[1], s.Confidence, s.Source)
	}
	for _, o := range standards {
		if slices.Contains(o.Supersedes, s.ID) {
			add("fact", "", "superseded by", o.Designation, o.Confidence, o.Source)
		}
	}
	for _, e := range entries {
		if slices.Contains(e.Standards, s.ID) {
			printed := []string{e.Name}
			for _, f := range [][2]string{{"type", e.Type}, {"action", e.Action}, {"status", e.Status}, {"expected", e.Expected}} {
				if f[1] != "" {
					printed = append(printed, f[0]+" "+f[1])
				}
			}
			add("row", "", e.ID, strings.Join(printed, "; "), "stored", e.Place)
		}
	}
	for _, h := range life {
		says := h.Stage
		if h.Reference != "" {
			says += ", " + h.Reference
		}
		add("history", h.Date, h.Kind, says+": "+h.AsStated, h.Confidence, h.Source)
	}
	for _, g := range alike(cells, s.ID) {
		k := g.cell
		says := markWord(k.Mark) + " " + k.Kind + ", on " + basisWord(k.Basis)
		if k.Clause != "" {
			says += ", clause " + k.Clause
		}
		add(k.By, k.Date, k.Judge, says+": "+strings.Join(g.subjects, ", "), k.Confidence, k.Source)
	}
	for _, r := range requirements {
		if slices.Contains(r.Standards, s.ID) {
			add("named for", "", r.ID, r.Reference+": "+r.Subject, r.Confidence, r.Source)
		}
	}
	l.Notes = []string{"x covers, ? may cover, - a judge looked and does not say so. --format csv or json has the source of every line."}
	return l, nil
}

// group holds marks of one judge that differ in their subject alone.
type group struct {
	cell     catalogue.Cell
	subjects []string
}

// alike puts a standard's marks together that say the same of several subjects.
func alike(cells []catalogue.Cell, standard string) []*group {
	var out []*group
	for _, k := range cells {
		if k.Standard != standard {
			continue
		}
		subject := k.Subject
		k.Subject, k.AsStated = "", ""
		i := slices.IndexFunc(out, func(g *group) bool { return g.cell == k })
		if i < 0 {
			i, out = len(out), append(out, &group{cell: k})
		}
		out[i].subjects = append(out[i].subjects, subject)
	}
	return out
}

// markWord is a mark for lists of marks, where an empty one would not be seen.
func markWord(mark string) string {
	if mark == "" {
		return "-"
	}
	return mark
}

// basisWord is what a judge had read.
func basisWord(basis string) string {
	if basis == "unknown" {
		return "a basis not told"
	}
	return "the " + basis
}

// list writes several values in one cell.
func list(values []string) string { return strings.Join(values, "; ") }

// tally counts words in the order of how often they come, for people.
func tally(words []string) string {
	counts := map[string]int{}
	var order []string
	for _, w := range words {
		if counts[w]++; counts[w] == 1 {
			order = append(order, w)
		}
	}
	slices.SortStableFunc(order, func(a, b string) int { return counts[b] - counts[a] })
	for i, w := range order {
		name := w
		if w == "" {
			name = "not told"
		}
		order[i] = fmt.Sprintf("%d %s", counts[w], name)
	}
	return strings.Join(order, ", ")
}

// sources says of tables where they come from and how sure they are.
func sources(t *catalogue.Tables, names ...string) ([]string, error) {
	all, err := t.About()
	if err != nil {
		return nil, err
	}
	var out []string
	for _, name := range names {
		for _, about := range all {
			if about.Name == name {
				out = append(out, fmt.Sprintf("%s: %s; confidence: %s; as of %s.", strings.TrimSuffix(strings.TrimSuffix(name, ".csv"), ".yaml"), about.Source, about.Confidence, about.AsOf))
			}
		}
	}
	return out, nil
}
