package coverage

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/assize/assize/internal/catalogue"
)

// The kinds of Moved.
const (
	StageMoved     = "stage"
	ReferenceMoved = "reference"
	Added          = "new"
	Gone           = "gone"
	MarkMoved      = "mark"
	NotTold        = "not understood"
)

// Moved is what a newer source says otherwise of one standard.
type Moved struct {
	Standard string // its designation, or as the source names it
	What     string // one of the kinds
	Before   string
	After    string
	Source   string // of the newer statement, or its line
}

// Against lists what a newer catalogue says otherwise than an older one: stages
// and references at the newest date of each, standards new or gone, and marks of
// coverage. Standards are in the order of the files, those gone last.
func Against(old, newer *catalogue.Tables) ([]Moved, error) {
	before, err := newest(old)
	if err != nil {
		return nil, err
	}
	after, err := newest(newer)
	if err != nil {
		return nil, err
	}
	var out []Moved
	for _, s := range after.standards {
		now := after.states[s.ID]
		if !slices.ContainsFunc(before.standards, func(o catalogue.Standard) bool { return o.ID == s.ID }) {
			out = append(out, Moved{s.Designation, Added, "", now.Stage, s.Source})
			continue
		}
		out = append(out, compare(s, before.states[s.ID], now.Stage, now.Reference, now.Source)...)
	}
	for _, s := range before.standards {
		if !slices.ContainsFunc(after.standards, func(o catalogue.Standard) bool { return o.ID == s.ID }) {
			out = append(out, Moved{s.Designation, Gone, before.states[s.ID].Stage, "", "absent from the newer catalogue"})
		}
	}
	marks, err := marks(before, after)
	return append(out, marks...), err
}

// state is what a catalogue knows at its newest date.
type state struct {
	standards []catalogue.Standard
	states    map[string]catalogue.Stage
	cells     []catalogue.Cell
}

func newest(t *catalogue.Tables) (*state, error) {
	at, err := t.AsOf("")
	if err != nil {
		return nil, err
	}
	s := &state{}
	var err1, err2, err3 error
	s.standards, err1 = t.Standards()
	s.states, err2 = t.States(at)
	s.cells, err3 = t.Cells()
	return s, errors.Join(err1, err2, err3)
}

// compare says in what a newer statement differs; empty fields say nothing.
func compare(s catalogue.Standard, old catalogue.Stage, stage, reference, source string) []Moved {
	var out []Moved
	if stage != "" && stage != old.Stage {
		out = append(out, Moved{s.Designation, StageMoved, old.Stage, stage, source})
	}
	if reference != "" && reference != old.Reference {
		out = append(out, Moved{s.Designation, ReferenceMoved, old.Reference, reference, source})
	}
	return out
}

// marks lists marks of coverage that are new, gone or otherwise.
func marks(before, after *state) ([]Moved, error) {
	names := map[string]string{}
	for _, s := range slices.Concat(before.standards, after.standards) {
		names[s.ID] = s.Designation
	}
	said := func(c catalogue.Cell) string {
		mark := c.Mark
		if mark == "" {
			mark = "-"
		}
		return fmt.Sprintf("%s: %s %s, by %s", c.Subject, mark, c.Kind, c.Judge)
	}
	old := map[string]catalogue.Cell{}
	for _, c := range before.cells {
		old[c.Key()] = c
	}
	var out []Moved
	for _, c := range after.cells {
		was, ok := old[c.Key()]
		delete(old, c.Key())
		switch {
		case !ok:
			out = append(out, Moved{names[c.Standard], MarkMoved, "", said(c), c.Source})
		case said(was) != said(c):
			out = append(out, Moved{names[c.Standard], MarkMoved, said(was), said(c), c.Source})
		}
	}
	for _, c := range before.cells {
		if _, left := old[c.Key()]; left {
			out = append(out, Moved{names[c.Standard], MarkMoved, said(c), "", "absent from the newer catalogue"})
		}
	}
	return out, nil
}

// maxStatusBytes and maxStatusRows bound a list of statuses.
const (
	maxStatusBytes = 4 << 20
	maxStatusRows  = 2_000 // the inventory has under two hundred
)

// Statuses reads a CSV of statuses and lists what it says otherwise than t. Its
// header names the standard's column (standard, designation, id, reference or
// document_reference) and the status's (stage, status or current_status, in our
// words, a harmonised stage code, or plain words); current_reference and source
// may follow. Lines that name no standard known, or a status that nobody can
// read a stage from, come out as NotTold. Read is the number of rows.
func Statuses(t *catalogue.Tables, r io.Reader) (moved []Moved, read int, err error) {
	known, err := newest(t)
	if err != nil {
		return nil, 0, err
	}
	in := csv.NewReader(io.LimitReader(r, maxStatusBytes+1))
	header, err := in.Read()
	if err != nil {
		return nil, 0, fmt.Errorf("read statuses: header: %w", err)
	}
	column := func(names ...string) int {
		for _, name := range names {
			if i := slices.IndexFunc(header, func(h string) bool {
				return strings.EqualFold(strings.TrimSpace(strings.TrimPrefix(h, "\ufeff")), name)
			}); i >= 0 {
				return i
			}
		}
		return -1
	}
	name, status := column("standard", "designation", "id", "reference", "document_reference"), column("stage", "status", "current_status")
	if name < 0 || status < 0 {
		return nil, 0, fmt.Errorf("read statuses: the header %.200q has no standard or no status\nhint: name the columns standard and status, and optionally current_reference and source", strings.Join(header, ","))
	}
	reference, source := column("current_reference"), column("source", "status_source")
	cell := func(row []string, i int) string {
		if i < 0 {
			return ""
		}
		return strings.TrimSpace(row[i])
	}
	find := finder(t)
	for {
		row, err := in.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, 0, fmt.Errorf("read statuses: %w", err)
		}
		line, _ := in.FieldPos(0)
		if read++; read > maxStatusRows || in.InputOffset() > maxStatusBytes {
			return nil, 0, fmt.Errorf("read statuses: more than %d rows or %d bytes\nhint: part the file", maxStatusRows, maxStatusBytes)
		}
		from := fmt.Sprintf("line %d", line)
		if s := cell(row, source); s != "" {
			from += ", " + s
		}
		s, err := find(row[name])
		var missing *catalogue.NotFoundError
		if errors.As(err, &missing) {
			why := "names no standard that the catalogue knows"
			if missing.Ambiguous {
				why = "could be any of " + strings.Join(missing.Suggestions, ", ")
			}
			moved = append(moved, Moved{row[name], NotTold, "", row[status], from + ": " + why})
			continue
		}
		if err != nil {
			return nil, 0, err
		}
		stage := StageOf(row[status])
		if stage == "" && strings.TrimSpace(row[status]) != "" {
			moved = append(moved, Moved{s.Designation, NotTold, known.states[s.ID].Stage, row[status], from + ": no stage can be read from it"})
		}
		moved = append(moved, compare(s, known.states[s.ID], stage, cell(row, reference), from)...)
	}
	return moved, read, nil
}

// finder finds standards as t.Standard does, each name once: a search looks at
// every form of every name.
func finder(t *catalogue.Tables) func(string) (catalogue.Standard, error) {
	type answer struct {
		s   catalogue.Standard
		err error
	}
	asked := map[string]answer{}
	return func(name string) (catalogue.Standard, error) {
		a, ok := asked[name]
		if !ok {
			a.s, a.err = t.Standard(name)
			asked[name] = a
		}
		return a.s, a.err
	}
}

var stageCode = regexp.MustCompile(`^(\d\d)(?:\.(\d\d))?$`)

// StageOf reads a stage of the catalogue from a status in our words, a harmonised
// stage code (ISO Guide 69) or plain words; empty where none can be told.
func StageOf(status string) string {
	s := strings.ToLower(strings.TrimSpace(status))
	if code := stageCode.FindStringSubmatch(s); code != nil {
		switch code[1] {
		case "00", "10":
			return "proposed"
		case "20":
			return "started"
		case "30":
			return "draft"
		case "40":
			return "enquiry"
		case "50":
			return "approval"
		case "60":
			if code[2] == "00" {
				return "publishing"
			}
			return "published"
		case "90":
			return "published" // under review
		case "95":
			return "withdrawn"
		}
		return ""
	}
	for _, w := range []struct{ word, stage string }{
		{"not published", "draft"}, {"not yet published", "draft"}, {"not found", ""}, {"withdrawn", "withdrawn"}, {"superseded", "superseded"},
		{"under publication", "publishing"}, {"publishing", "publishing"}, {"published", "published"}, {"in force", "published"},
		{"final approval", "approval"}, {"approval", "approval"}, {"fdis", "approval"}, {"enquiry", "enquiry"}, {"dis", "enquiry"},
		{"draft", "draft"}, {"cd", "draft"}, {"wd", "draft"}, {"started", "started"}, {"proposed", "proposed"}, {"unknown", "unknown"},
	} {
		// A short word, such as the name of a stage, stands alone.
		if len(w.word) <= 4 && slices.Contains(strings.FieldsFunc(s, func(r rune) bool { return (r < 'a' || r > 'z') && r != '-' }), w.word) || len(w.word) > 4 && strings.Contains(s, w.word) {
			return w.stage
		}
	}
	return ""
}
