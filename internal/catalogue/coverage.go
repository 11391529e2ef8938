package catalogue

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Query says which coverage is asked for; empty fields ask nothing.
type Query struct {
	By        string   // ByRequirement (where empty), ByThreat, ByProperty or ByControl
	Subjects  []string // ids of requirements, threats, properties or controls
	Kinds     []string // of coverage, such as method, metric, threshold
	Inventory string
	Judge     string
	AsOf      string
}

// Subject is what a column of a Matrix is about.
type Subject struct {
	ID    string `json:"id"`
	Title string `json:"title"`
}

// Matrix is who covers what, according to whom.
type Matrix struct {
	AsOf     Snapshot  `json:"as_of"`
	By       string    `json:"by"`
	Subjects []Subject `json:"subjects"`
	Rows     []Covers  `json:"rows"`
}

// Covers is one row of a Matrix: a standard, or with an inventory asked for a
// row of it, as printed there.
type Covers struct {
	Standard Standard `json:"standard"`
	Entry    *Entry   `json:"entry"` // nil where none was asked for
	State    Stage    `json:"state"` // at the matrix's date
	// Cells are the marks by the place of the subject in the matrix, those of
	// every judge; the newest mark of a judge replaces older ones.
	Cells [][]Cell `json:"cells"`
}

// Mark is what the cells of one subject come to: "x" where a judge says so, "?"
// where one does and none says more, else empty.
func Mark(cells []Cell) string {
	mark := ""
	for _, c := range cells {
		if c.Mark == "x" {
			return "x"
		}
		if c.Mark != "" {
			mark = c.Mark
		}
	}
	return mark
}

// Differ says whether judges gave different marks for one subject. Where a
// judge gave no mark at all, it did not judge.
func Differ(cells []Cell) bool {
	return slices.ContainsFunc(cells, func(c Cell) bool { return c.Mark != cells[0].Mark })
}

// subjects lists what can be covered, in order.
func (t *Tables) subjects(by string) ([]Subject, error) {
	var out []Subject
	switch by {
	case ByRequirement:
		columns, err := t.Columns()
		for _, c := range columns {
			out = append(out, Subject{c.ID, c.Title})
		}
		return out, err
	case ByThreat:
		names, err := t.Names()
		for _, n := range names {
			if n.Scheme == "enisa-table1" || n.Scheme == "own" {
				out = append(out, Subject{n.ID, n.Name})
			}
		}
		return out, err
	case ByProperty:
		properties, err := t.Properties()
		for _, p := range properties {
			out = append(out, Subject{p.ID, p.Title})
		}
		return out, err
	case ByControl:
		controls, err := t.Controls()
		for _, c := range controls {
			out = append(out, Subject{c.ID, c.Name})
		}
		return out, err
	}
	return nil, fmt.Errorf("show coverage by %q: unknown\nhint: by is requirement, threat, property or control", by)
}

// Coverage gives the matrix that a query asks for. Cells judged after the
// date asked for are left out. A standard without a cell is left out, but with
// an inventory and no kind asked for every row of it is there.
func (t *Tables) Coverage(q Query) (*Matrix, error) {
	if q.By == "" {
		q.By = ByRequirement
	}
	at, err := t.AsOf(q.AsOf)
	if err != nil {
		return nil, err
	}
	m := &Matrix{AsOf: at, By: q.By, Rows: []Covers{}}
	if m.Subjects, err = t.subjects(q.By); err != nil {
		return nil, err
	}
	if err := t.check(q, m.Subjects); err != nil {
		return nil, err
	}
	if len(q.Subjects) > 0 {
		m.Subjects = slices.DeleteFunc(m.Subjects, func(s Subject) bool { return !slices.Contains(q.Subjects, s.ID) })
	}
	standards, err1 := t.Standards()
	entries, err2 := t.Entries()
	states, err3 := t.States(at)
	found, err4 := t.cells(q, at)
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return nil, err
	}
	row := func(s Standard, e *Entry) {
		state, known := states[s.ID]
		c := Covers{Standard: s, Entry: e, State: state, Cells: make([][]Cell, len(m.Subjects))}
		for i := range c.Cells {
			c.Cells[i] = []Cell{}
		}
		some := false
		for i, subject := range m.Subjects {
			for _, cell := range found[s.ID+" "+subject.ID] {
				if e == nil || cell.Entry == "" || cell.Entry == e.ID {
					c.Cells[i], some = append(c.Cells[i], cell), true
				}
			}
		}
		if known && (some || e != nil && len(q.Kinds)+len(q.Subjects) == 0) {
			m.Rows = append(m.Rows, c)
		}
	}
	byID := map[string]Standard{}
	for _, s := range standards {
		byID[s.ID] = s
		if q.Inventory == "" {
			row(s, nil)
		}
	}
	for i := range entries {
		if q.Inventory != "" && entries[i].Inventory == q.Inventory {
			for _, id := range entries[i].Standards {
				row(byID[id], &entries[i])
			}
		}
	}
	return m, nil
}

// check refuses words that no table knows.
func (t *Tables) check(q Query, subjects []Subject) error {
	judges, err := t.Judges()
	if err != nil {
		return err
	}
	var judgeIDs, subjectIDs []string
	for _, j := range judges {
		judgeIDs = append(judgeIDs, j.ID)
	}
	for _, s := range subjects {
		subjectIDs = append(subjectIDs, s.ID)
	}
	one := func(s string) []string {
		if s == "" {
			return nil
		}
		return []string{s}
	}
	for _, c := range []struct {
		what       string
		got, known []string
	}{{"judge", one(q.Judge), judgeIDs}, {q.By, q.Subjects, subjectIDs}, {"kind", q.Kinds, Kinds()}, {"inventory", one(q.Inventory), []string{AnnexA1, AnnexA2, AnnexA3, AnnexA4, List}}} {
		for _, got := range c.got {
			if !slices.Contains(c.known, got) {
				return &NotFoundError{What: c.what, Query: got, Suggestions: c.known}
			}
		}
	}
	return nil
}

// Kinds lists the kinds of coverage, weakest first.
func Kinds() []string {
	return []string{"vocabulary", "process", "requirement", "method", "metric", "threshold", "unknown"}
}

// cells gathers the cells that a query lets through, by standard and subject.
func (t *Tables) cells(q Query, at Snapshot) (map[string][]Cell, error) {
	all, err := t.Cells()
	if err != nil {
		return nil, err
	}
	found := map[string][]Cell{}
	for _, c := range all {
		if c.By != q.By || q.Judge != "" && c.Judge != q.Judge || len(q.Kinds) > 0 && !slices.Contains(q.Kinds, c.Kind) || c.Date > at.Date && !strings.HasPrefix(c.Date, at.Date) {
			continue
		}
		key := c.Standard + " " + c.Subject
		same := func(o Cell) bool { return o.Judge == c.Judge && o.Clause == c.Clause && o.Entry == c.Entry }
		if i := slices.IndexFunc(found[key], same); i >= 0 {
			if found[key][i].Date <= c.Date {
				found[key][i] = c
			}
			continue
		}
		found[key] = append(found[key], c)
	}
	return found, nil
}

// Annex gives annex A.3 or A.4 as the report printed it: a row a standard, the
// ten requirements last, marks as printed.
func (t *Tables) Annex(inventory string) (header []string, rows [][]string, err error) {
	if inventory != AnnexA3 && inventory != AnnexA4 {
		return nil, nil, fmt.Errorf("print annex %q: only a3 and a4 have marks\nhint: --inventory a3 or --inventory a4", inventory)
	}
	snapshots, err := t.Snapshots()
	if err != nil {
		return nil, nil, err
	}
	m, err := t.Coverage(Query{Inventory: inventory, Judge: Report, AsOf: snapshots[0].Date})
	if err != nil {
		return nil, nil, err
	}
	status := "action_adopt_adapt_develop"
	if inventory == AnnexA4 {
		status = "status_a"
	}
	header = []string{"row_id", "name", "type_tr_ts_en", status, "target_date"}
	for _, s := range m.Subjects {
		header = append(header, s.Title)
	}
	for _, r := range m.Rows {
		state := r.Entry.Action
		if inventory == AnnexA4 {
			state = r.Entry.Status
		}
		row := []string{r.Entry.ID, r.Entry.Name, r.Entry.Type, state, r.Entry.Expected}
		for _, cells := range r.Cells {
			row = append(row, Mark(cells))
		}
		rows = append(rows, row)
	}
	return header, rows, nil
}

// Overlap is what several standards cover.
type Overlap struct {
	Subject   Subject    `json:"subject"`
	Kind      string     `json:"kind"`
	Standards []Standard `json:"standards"` // at least two, each with a mark
}

// Overlaps lists the subjects that several standards cover in one kind, by
// subject and kind.
func (t *Tables) Overlaps(q Query) ([]Overlap, error) {
	m, err := t.Coverage(q)
	if err != nil {
		return nil, err
	}
	var out []Overlap
	for i, subject := range m.Subjects {
		for _, kind := range Kinds() {
			o := Overlap{Subject: subject, Kind: kind}
			for _, r := range m.Rows {
				covers := func(c Cell) bool { return c.Kind == kind && c.Mark != "" }
				again := func(s Standard) bool { return s.ID == r.Standard.ID }
				if slices.ContainsFunc(r.Cells[i], covers) && !slices.ContainsFunc(o.Standards, again) {
					o.Standards = append(o.Standards, r.Standard)
				}
			}
			if len(o.Standards) > 1 {
				out = append(out, o)
			}
		}
	}
	return out, nil
}
