// Package checklist fills the audit checklist for AI systems with what is known
// of a target: the items of the AI Act that are core to cybersecurity, the
// provisions of ETSI EN 304 223 and the eight groups of requirements of ENISA's
// report. Each is decided by measurement, answered by a record, or open with the
// task that would close it. The first two are never added up.
package checklist

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/assize/assize/internal/catalogue"
	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/manifest"
)

// State is how an item stands.
type State string

// The states. Decided says that a criterion decided on measurements, for or
// against the target: only the verdict tells which. Answered says that a record
// in force answers; nobody here has judged what it holds.
const (
	Decided  State = "decided"
	Answered State = "answered"
	Open     State = "open"
)

// States lists the states in the order of reports.
func States() []State { return []State{Decided, Answered, Open} }

// Item is one line of the checklist.
type Item struct {
	catalogue.Requirement
	State   State           `json:"state"`
	Verdict dossier.Verdict `json:"verdict,omitempty"` // of a decided item
	// Defaults says that the verdict rests, in part at least, on criteria that are
	// defaults of this program.
	Defaults bool     `json:"defaults,omitempty"`
	By       string   `json:"by"` // what decides or answers it, or why it is open
	Records  []Record `json:"records,omitempty"`
	Task     *Task    `json:"task,omitempty"` // of an open item
}

// Given is what a checklist is filled with. The zero value gives an empty one.
type Given struct {
	Target    manifest.Target
	Solutions []manifest.Solution
	Records   []manifest.Record
	Dossier   *dossier.Dossier // nil where nothing was measured
	Filled    []Row            // of a checklist that somebody filled in
	// Dir is the folder below which the files of records lie; "" where they are
	// not at hand.
	Dir   string
	Today time.Time
}

// Checklist is the whole of it, in the order of the catalogue: law, provisions,
// groups.
type Checklist struct {
	Items []Item `json:"items"`
}

// Count is how the items of one framework stand.
type Count struct {
	Framework string `json:"framework"`
	Of        int    `json:"of"`
	Decided   int    `json:"decided"`
	Passed    int    `json:"passed"` // of the decided ones
	// ByDefault is how many of the passed ones rest on defaults of this program.
	ByDefault int `json:"by_default"`
	Answered  int `json:"answered"`
	Open      int `json:"open"`
	// Testable is how many items a test could decide at all. The rest are
	// answered by records alone.
	Testable int `json:"testable"`
}

// Make fills the checklist. The errors are those of the catalogue and of files
// of records that are not there.
func Make(ctx context.Context, t *catalogue.Tables, g Given) (*Checklist, error) {
	all, err := t.Requirements()
	if err != nil {
		return nil, err
	}
	known, err := t.Catalogue()
	if err != nil {
		return nil, err
	}
	a := &answerer{given: g, known: known}
	if err := a.readRecords(ctx); err != nil {
		return nil, err
	}
	c := &Checklist{}
	for _, r := range all {
		if asked(r) && r.Framework != catalogue.Groups {
			c.Items = append(c.Items, a.answer(r))
		}
	}
	links, err := t.Crosswalk(catalogue.Groups, catalogue.AIAct)
	if err != nil {
		return nil, err
	}
	single := slices.Clone(c.Items)
	for _, r := range all {
		if r.Framework == catalogue.Groups {
			c.Items = append(c.Items, group(r, links, single))
		}
	}
	return c, nil
}

// asked says whether a requirement is on the checklist.
func asked(r catalogue.Requirement) bool {
	switch r.Framework {
	case catalogue.AIAct:
		return r.Relevance == "core"
	case catalogue.EN304223, catalogue.Groups:
		return true
	}
	return false
}

// Counts counts the items by framework, in their order.
func (c *Checklist) Counts() []Count {
	var all []Count
	for _, i := range c.Items {
		at := slices.IndexFunc(all, func(n Count) bool { return n.Framework == i.Framework })
		if at < 0 {
			at, all = len(all), append(all, Count{Framework: i.Framework})
		}
		n := &all[at]
		n.Of++
		switch i.State {
		case Decided:
			n.Decided++
			if i.Verdict == dossier.Pass {
				n.Passed++
				if i.Defaults {
					n.ByDefault++
				}
			}
		case Answered:
			n.Answered++
		case Open:
			n.Open++
		}
		if i.Check == "test" {
			n.Testable++
		}
	}
	return all
}

// String says the count with its denominators.
func (n Count) String() string {
	what := map[string]string{
		catalogue.AIAct: "core items of the AI Act", catalogue.EN304223: "provisions of EN 304 223", catalogue.Groups: "groups of requirements of the report",
	}[n.Framework]
	passed := fmt.Sprintf("%d pass", n.Passed)
	if n.ByDefault > 0 {
		passed += fmt.Sprintf(", %d of them by defaults of Assize", n.ByDefault)
	}
	s := fmt.Sprintf("Of %d %s %d decided by measurement (%s), %d answered by a record, %d open.", n.Of, what, n.Decided, passed, n.Answered, n.Open)
	if n.Testable > 0 {
		s += fmt.Sprintf(" Only %d of the %d can be decided by a test at all.", n.Testable, n.Of)
	}
	return s
}

// group counts the items of law that the crosswalk puts into a group. It is
// decided or answered only when all of them are; nothing answers it by itself.
func group(r catalogue.Requirement, links []catalogue.Link, items []Item) Item {
	var open []string
	n, decided, answered := 0, 0, 0
	verdict := dossier.NotApplicable
	for _, i := range items {
		if !slices.ContainsFunc(links, func(l catalogue.Link) bool { return l.From == r.ID && l.To == i.ID }) {
			continue
		}
		n++
		switch i.State {
		case Decided:
			decided++
			verdict = worse(verdict, i.Verdict)
		case Answered:
			answered++
		case Open:
			open = append(open, i.ID)
		}
	}
	out := Item{Requirement: r, State: Open}
	out.By = fmt.Sprintf("of its %d core items of the AI Act %d decided, %d answered, %d open", n, decided, answered, len(open))
	if decided > 0 {
		out.By += "; the worst verdict is " + string(verdict)
	}
	switch {
	case len(open) > 0 || n == 0:
		out.Task = &Task{Needed: "close the open items of this group: " + strings.Join(open, ", "), Owner: "as each item says", Evidence: "as each item says"}
	case answered > 0:
		out.State = Answered
	default:
		out.State, out.Verdict = Decided, verdict
	}
	return out
}

// worse is the worse of two verdicts. Not applicable is no verdict.
func worse(a, b dossier.Verdict) dossier.Verdict {
	order := []dossier.Verdict{dossier.NotApplicable, dossier.Pass, dossier.NotAssessed, dossier.Inconclusive, dossier.Fail}
	if slices.Index(order, b) > slices.Index(order, a) {
		return b
	}
	return a
}
