package explorer

import (
	"cmp"
	"errors"
	"fmt"
	"html/template"
	"maps"
	"slices"
	"strings"

	"github.com/assize/assize/internal/catalogue"
)

// view is the catalogue as the template wants it.
type view struct {
	Policy string
	Style  template.CSS
	Script template.JS

	Digest   string
	AsOf     string
	Judges   []catalogue.Judge
	SDOs     []string
	Stages   []string
	Kinds    []string
	Matrices []matrix
	Cells    []cell
	Listed   []standard
	Judged   []catalogue.Gap
	Computed []lack
	Found    []catalogue.Compared // judged gaps that the computation finds
	Claimed  []catalogue.Compared
	Missed   []catalogue.Compared
	Advice   []catalogue.Recommendation
	Threats  []threat
	Names    []catalogue.Name
	Links    []catalogue.Link
	Titles   map[string]string // of vocabularies, by id
	Called   map[string]string // names of threats, controls and requirements, by id
	Required []catalogue.Requirement
	About    []catalogue.About
	Differ   int
}

// matrix is the coverage by one kind of subject.
type matrix struct {
	ID, Title, About string
	Subjects         []catalogue.Subject
	Rows             []row
}

type row struct {
	Standard    catalogue.Standard
	Stage       string
	Inventories []string
	Marks       []mark
}

// mark is what all judges say of one standard and subject.
type mark struct {
	Cell   int // the number of the first of its rows in the table of marks; 0: nobody judged
	N      int // how many rows
	Text   string
	Kinds  []string
	Judges []string
	Differ bool
	// Measures: a judge says that the subject can be measured by what is covered.
	Measures bool
	Label    string // said to who hears the page
}

// cell is one judge's mark with what it stands on.
type cell struct {
	catalogue.Cell
	Number             int
	Name, About, Judge string
}

type standard struct {
	catalogue.Listed
	Before      string // the stage in the first snapshot; empty where it was not known then
	Inventories []string
}

type lack struct {
	catalogue.Lack
	Touching []touching
}

// touching are the standards that do not close a gap for one reason.
type touching struct {
	Why       string
	Standards []string
}

type threat struct {
	catalogue.Threat
	Aliases [][2]string
}

// look gathers everything. Tables are small, so all of them are read.
func look(t *catalogue.Tables) (*view, error) {
	v := &view{Kinds: catalogue.Kinds(), Titles: map[string]string{}, Called: map[string]string{}}
	digest, err := t.Digest()
	if err != nil {
		return nil, err
	}
	v.Digest = string(digest)
	listed, err1 := t.List(catalogue.Filter{})
	snapshots, err2 := t.Snapshots()
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	v.AsOf = snapshots[len(snapshots)-1].Date
	before, err := t.States(snapshots[0])
	if err != nil {
		return nil, err
	}
	inventories := map[string][]string{}
	for _, l := range listed {
		s := standard{Listed: l, Before: before[l.Standard.ID].Stage}
		for _, e := range l.Entries {
			if !slices.Contains(s.Inventories, e.Inventory) {
				s.Inventories = append(s.Inventories, e.Inventory)
			}
		}
		inventories[l.Standard.ID] = s.Inventories
		v.Listed = append(v.Listed, s)
		v.SDOs, v.Stages = append(v.SDOs, l.Standard.SDO), append(v.Stages, l.State.Stage)
	}
	v.SDOs, v.Stages = sorted(v.SDOs), sorted(v.Stages)
	var err3, err4, err5, err6, err7, err8, err9 error
	v.Judges, err3 = t.Judges()
	v.Judged, err4 = t.Gaps()
	v.Advice, err5 = t.Recommendations()
	v.Names, err6 = t.Names()
	v.Links, err7 = t.Links()
	v.Required, err8 = t.Requirements()
	v.About, err9 = t.About()
	if err := errors.Join(err3, err4, err5, err6, err7, err8, err9, v.matrices(t, inventories), v.gaps(t), v.threats(t)); err != nil {
		return nil, err
	}
	return v, nil
}

func sorted(all []string) []string {
	slices.Sort(all)
	return slices.Compact(all)
}

func (v *view) matrices(t *catalogue.Tables, inventories map[string][]string) error {
	names := map[string]string{}
	for _, j := range v.Judges {
		names[j.ID] = j.Title
	}
	for _, m := range []matrix{
		{ID: catalogue.ByRequirement, Title: "By requirement", About: "The ten requirements that head the columns of annexes A.3 and A.4 of the report."},
		{ID: catalogue.ByThreat, Title: "By threat", About: "The attacks of Table 1 of the report, and those that this catalogue adds."},
		{ID: catalogue.ByProperty, Title: "By property", About: "Security and trustworthiness properties of AI systems."},
		{ID: catalogue.ByControl, Title: "By control", About: "Controls of the OWASP AI Exchange, as that project maps standards to them."},
	} {
		c, err := t.Coverage(catalogue.Query{By: m.ID})
		if err != nil {
			return err
		}
		var used []int // subjects that somebody judged: the rest would be empty columns
		for i, s := range c.Subjects {
			if m.ID == catalogue.ByRequirement || slices.ContainsFunc(c.Rows, func(r catalogue.Covers) bool { return len(r.Cells[i]) > 0 }) {
				used, m.Subjects = append(used, i), append(m.Subjects, s)
			}
		}
		for _, r := range c.Rows {
			out := row{Standard: r.Standard, Stage: r.State.Stage, Inventories: inventories[r.Standard.ID]}
			for _, i := range used {
				out.Marks = append(out.Marks, v.mark(r, c.Subjects[i], r.Cells[i], names))
			}
			m.Rows = append(m.Rows, out)
		}
		judged := func(r row) int {
			return len(slices.DeleteFunc(slices.Clone(r.Marks), func(k mark) bool { return k.Cell == 0 }))
		}
		slices.SortStableFunc(m.Rows, func(a, b row) int { return cmp.Compare(judged(b), judged(a)) })
		v.Matrices = append(v.Matrices, m)
	}
	return nil
}

// mark sums up the cells of one subject and adds each to the table of marks.
func (v *view) mark(r catalogue.Covers, s catalogue.Subject, cells []catalogue.Cell, names map[string]string) mark {
	if len(cells) == 0 {
		return mark{}
	}
	m := mark{Cell: len(v.Cells) + 1, N: len(cells), Differ: catalogue.Differ(cells)}
	var marks, said []string
	for _, c := range cells {
		v.Cells = append(v.Cells, cell{c, len(v.Cells) + 1, r.Standard.Designation, s.Title, names[c.Judge]})
		shown := cmp.Or(c.Mark, "–")
		if !slices.Contains(marks, shown) {
			marks = append(marks, shown)
		}
		if c.Mark != "" && c.Kind != "unknown" && !slices.Contains(m.Kinds, c.Kind) {
			m.Kinds = append(m.Kinds, c.Kind) // what is not covered has no kind
		}
		m.Measures = m.Measures || c.Mark == "x" && slices.Contains(catalogue.Measurable(), c.Kind)
		if !slices.Contains(m.Judges, c.Judge) {
			m.Judges = append(m.Judges, c.Judge)
		}
		said = append(said, fmt.Sprintf("%s says %s", names[c.Judge], map[string]string{"x": "covered", "?": "perhaps", "": "not covered"}[c.Mark]))
	}
	if m.Differ {
		v.Differ++
	}
	m.Text = strings.Join(marks, " ≠ ")
	if len(m.Kinds) == 0 {
		m.Kinds = []string{"unknown"}
	}
	m.Label = r.Standard.Designation + ", " + s.Title + ": " + strings.Join(said, "; ")
	return m
}

func (v *view) gaps(t *catalogue.Tables) error {
	lacks, err1 := t.Lacks(catalogue.Query{})
	compared, err2 := t.Compare(catalogue.Query{})
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	for _, l := range lacks {
		out := lack{Lack: l}
		for _, by := range l.By {
			why := cmp.Or(string(by.Why), "it closes it")
			i := slices.IndexFunc(out.Touching, func(t touching) bool { return t.Why == why })
			if i < 0 {
				i, out.Touching = len(out.Touching), append(out.Touching, touching{Why: why})
			}
			name := by.Standard.Designation
			if len(by.Kinds) > 0 {
				name += " (" + strings.Join(by.Kinds, ", ") + ")"
			}
			out.Touching[i].Standards = append(out.Touching[i].Standards, name)
		}
		v.Computed = append(v.Computed, out)
	}
	v.Found, v.Claimed, v.Missed = compared.Found, compared.Claimed, compared.Missed
	return nil
}

func (v *view) threats(t *catalogue.Tables) error {
	c, err1 := t.Catalogue()
	vocabularies, err2 := t.Vocabularies()
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	for _, one := range c.Threats {
		out := threat{Threat: one}
		for _, scheme := range slices.Sorted(maps.Keys(one.Names)) {
			out.Aliases = append(out.Aliases, [2]string{strings.ReplaceAll(scheme, "_", " "), one.Names[scheme]})
		}
		v.Threats = append(v.Threats, out)
	}
	for _, s := range vocabularies {
		v.Titles[s.ID] = s.Title
	}
	controls, err := t.Controls()
	if err != nil {
		return err
	}
	for _, r := range v.Required {
		v.Called[r.ID] = r.Subject
	}
	for _, k := range controls {
		v.Called[k.ID] = k.Name
	}
	for _, n := range v.Names {
		v.Called[n.ID] = n.Name
	}
	return nil
}

// Known tells whether any judge told a kind.
func (m mark) Known() bool { return len(m.Kinds) > 0 && m.Kinds[0] != "unknown" }
