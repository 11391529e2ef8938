package catalogue

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// UnknownDateError means that the history was not collected for a date.
type UnknownDateError struct {
	Asked string
	Known []string // oldest first
}

// Error says which dates can be answered for and why no other.
func (e *UnknownDateError) Error() string {
	if !realDate(e.Asked) {
		return fmt.Sprintf("answer for %q: not a date\nhint: write it as 2023-03-31; known are %s", e.Asked, strings.Join(e.Known, " and "))
	}
	return fmt.Sprintf("answer for %s: the state of all standards was collected for %s only; what was so between or after is not known\nhint: ask for one of these dates, or for what happened between two with \"standards diff\"", e.Asked, strings.Join(e.Known, " and "))
}

// AsOf settles which snapshot answers for a date: the one of the same day, or
// month where the snapshot knows no day. Empty is the newest. Any other date is
// refused with an *UnknownDateError.
func (t *Tables) AsOf(date string) (Snapshot, error) {
	all, err := t.Snapshots()
	if err != nil {
		return Snapshot{}, err
	}
	if date == "" && len(all) > 0 {
		return all[len(all)-1], nil
	}
	e := &UnknownDateError{Asked: date}
	for _, s := range all {
		if realDate(date) && len(date) >= len("2006-01") && (strings.HasPrefix(date, s.Date) || strings.HasPrefix(s.Date, date)) {
			return s, nil
		}
		e.Known = append(e.Known, s.Date)
	}
	return Snapshot{}, e
}

// States gives the state of every standard in a snapshot, by its id. Where
// several rows speak of one, a known stage goes before an unknown one, what was
// read before what is only known, and the newest edition before older ones.
func (t *Tables) States(at Snapshot) (map[string]Stage, error) {
	history, err := t.History()
	if err != nil {
		return nil, err
	}
	states := map[string]Stage{}
	for _, h := range history {
		if h.Kind != InSnapshot || h.Date != at.Date {
			continue
		}
		old, ok := states[h.Standard]
		if !ok || h.weight() > old.weight() || h.weight() == old.weight() && h.edition() > old.edition() {
			states[h.Standard] = h
		}
	}
	return states, nil
}

var editionYear = regexp.MustCompile(`:(\d{4})\b`)

// edition is the newest year of the reference, or empty.
func (s Stage) edition() string {
	newest := ""
	for _, m := range editionYear.FindAllStringSubmatch(s.Reference, -1) {
		newest = max(newest, m[1])
	}
	return newest
}

func (s Stage) weight() int {
	w := 0
	if s.Stage != "unknown" {
		w += 4
	}
	switch s.Confidence {
	case "stored":
		w += 2
	case "own-knowledge":
		w++
	}
	return w
}

// Filter says which standards are asked for; empty fields ask nothing.
type Filter struct {
	SDO, Type, Stage, Inventory string
	AsOf                        string
}

// Listed is a standard with its state at the date asked for and the
// inventories' rows that name it.
type Listed struct {
	Standard Standard `json:"standard"`
	State    Stage    `json:"state"`
	Entries  []Entry  `json:"entries"`
}

// List lists the standards that a filter lets through, in the order of the
// file. At a snapshot, only standards whose state was known then are listed.
func (t *Tables) List(f Filter) ([]Listed, error) {
	at, err := t.AsOf(f.AsOf)
	if err != nil {
		return nil, err
	}
	standards, err1 := t.Standards()
	entries, err2 := t.Entries()
	states, err3 := t.States(at)
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	of := map[string][]Entry{}
	for _, e := range entries {
		for _, id := range e.Standards {
			of[id] = append(of[id], e)
		}
	}
	var out []Listed
	for _, s := range standards {
		state, known := states[s.ID]
		in := func(e Entry) bool { return f.Inventory == "" || strings.EqualFold(e.Inventory, f.Inventory) }
		switch {
		case !known,
			f.SDO != "" && !strings.Contains(plain(s.SDO), plain(f.SDO)),
			f.Type != "" && !strings.EqualFold(s.Type, f.Type),
			f.Stage != "" && !strings.EqualFold(state.Stage, f.Stage),
			f.Inventory != "" && !slices.ContainsFunc(of[s.ID], in):
			continue
		}
		out = append(out, Listed{s, state, append([]Entry{}, of[s.ID]...)})
	}
	return out, nil
}

// Life lists all that is known of a standard's history: snapshots and events,
// oldest first.
func (t *Tables) Life(standard string) ([]Stage, error) {
	history, err := t.History()
	if err != nil {
		return nil, err
	}
	var out []Stage
	for _, h := range history {
		if h.Standard == standard {
			out = append(out, h)
		}
	}
	slices.SortStableFunc(out, func(a, b Stage) int { return strings.Compare(a.Date, b.Date) })
	return out, nil
}

// Published is when a standard first came out, to hold against the date that an
// entry expected; false where no event says so.
func (t *Tables) Published(standard string) (Stage, bool, error) {
	life, err := t.Life(standard)
	for _, h := range life {
		if h.Kind == Event && h.Stage == "published" {
			return h, true, err
		}
	}
	return Stage{}, false, err
}

// Move is what became of one standard between two snapshots.
type Move struct {
	Standard Standard `json:"standard"`
	Before   *Stage   `json:"before"` // nil: not known of then
	After    *Stage   `json:"after"`
	Events   []Stage  `json:"events"` // dated in between
}

// Diff lists the standards whose stage or reference differs between two dates
// that the history knows, in the order of the file.
func (t *Tables) Diff(from, to string) ([]Move, error) {
	a, err := t.AsOf(from)
	if err != nil {
		return nil, err
	}
	b, err := t.AsOf(to)
	if err != nil {
		return nil, err
	}
	if a.Date >= b.Date {
		return nil, fmt.Errorf("compare %s with %s: the first date must be the earlier one", a.Date, b.Date)
	}
	standards, err1 := t.Standards()
	history, err2 := t.History()
	before, err3 := t.States(a)
	after, err4 := t.States(b)
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return nil, err
	}
	events := map[string][]Stage{}
	for _, h := range history {
		if h.Kind == Event && h.Date > a.Date && h.Date <= b.Date {
			events[h.Standard] = append(events[h.Standard], h)
		}
	}
	var out []Move
	for _, s := range standards {
		m := Move{Standard: s, Events: append([]Stage{}, events[s.ID]...)}
		old, was := before[s.ID]
		now, is := after[s.ID]
		if was {
			m.Before = &old
		}
		if is {
			m.After = &now
		}
		if was != is || old.Stage != now.Stage || plain(old.Reference) != plain(now.Reference) || old.Reference != now.Reference && len(m.Events) > 0 {
			out = append(out, m)
		}
	}
	return out, nil
}
