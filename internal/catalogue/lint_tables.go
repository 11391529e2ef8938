package catalogue

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"
)

// rule is what lint asks of a column: "need", "id", "date", "ref=FILE" and
// "enum=a|b", parted by commas.
type rule struct {
	need, id, date bool
	ref            string
	enum           []string
}

func parseRule(tag string) rule {
	var r rule
	for part := range strings.SplitSeq(tag, ",") {
		switch k, v, _ := strings.Cut(part, "="); k {
		case "need":
			r.need = true
		case "id":
			r.id = true
		case "date":
			r.date = true
		case "ref":
			r.ref = v
		case "enum":
			r.enum = strings.Split(v, "|")
		}
	}
	return r
}

// reference is a value that must be a key of a table.
type reference struct{ file, key string }

// linted is one table as lint sees it.
type linted struct {
	file string
	of   reflect.Type
	read func(*Tables) (view, error)
}

// view is a table without its row type.
type view struct {
	keys []string
	at   []string
	rows []any
}

func tableOf[T Row]() linted {
	var zero T
	return linted{zero.file(), reflect.TypeFor[T](), func(t *Tables) (view, error) {
		s, err := sheetOf[T](t)
		if err != nil {
			return view{}, err
		}
		v := view{at: s.at}
		for _, r := range s.rows {
			v.keys, v.rows = append(v.keys, r.Key()), append(v.rows, r)
		}
		return v, nil
	}}
}

// all lists every table, in the order of the digest.
func all() []linted {
	return []linted{
		tableOf[Threat](), tableOf[Goal](), tableOf[SolutionType](), tableOf[Criterion](),
		tableOf[Standard](), tableOf[Entry](), tableOf[Stage](), tableOf[Snapshot](), tableOf[Column](), tableOf[Judge](), tableOf[Cell](),
		tableOf[Requirement](), tableOf[Rule](), tableOf[Date](), tableOf[HighRisk](), tableOf[Change](), tableOf[Rating](),
		tableOf[Gap](), tableOf[Recommendation](), tableOf[Point](),
		tableOf[Name](), tableOf[Control](), tableOf[Weakness](), tableOf[Answer](), tableOf[Link](), tableOf[Vocabulary](),
		tableOf[Term](), tableOf[Property](), tableOf[Relation](), tableOf[Scheme](), tableOf[About](),
	}
}

// fileNames lists the files of all tables.
func fileNames() []string {
	var names []string
	for _, l := range all() {
		names = append(names, l.file)
	}
	return names
}

// Lint reads every table and returns every fault, one line each, with its
// place: ids unique, references resolved, dates real, enumerations closed, no
// threat, goal, criterion or solution without its counterpart. Feeds are the
// metrics that probes and records can give, as "probe metric" ("evasion/apgd
// robust_accuracy"); nil asks nothing of them.
func (t *Tables) Lint(feeds []string) ([]string, error) {
	views := map[string]view{}
	known := map[reference]bool{}
	for _, l := range all() {
		v, err := l.read(t)
		if err != nil {
			return nil, err
		}
		views[l.file] = v
		for _, k := range v.keys {
			known[reference{l.file, k}] = true
		}
	}
	var faults []string
	for _, l := range all() {
		v, of := views[l.file], columns(l.of)
		for i, row := range v.rows {
			for _, f := range rowFaults(row, of, known) {
				faults = append(faults, fmt.Sprintf("%s: %s", v.at[i], f))
			}
		}
	}
	c, err := t.Catalogue()
	if err != nil {
		return nil, err
	}
	faults = append(faults, c.Lint()...)
	for _, k := range c.Criteria {
		if feeds != nil && !slices.Contains(feeds, k.Probe+" "+k.Metric) {
			faults = append(faults, fmt.Sprintf("%s: criterion %q: no probe or record gives %s of %s", c.Place(k.ID), k.ID, k.Metric, k.Probe))
		}
	}
	counted, err := t.miscounted(views)
	if err != nil {
		return nil, err
	}
	snapshots, err := t.unsettled()
	if err != nil {
		return nil, err
	}
	return append(append(faults, counted...), snapshots...), nil
}

var (
	idForm   = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	dateForm = regexp.MustCompile(`^\d{4}(-\d{2}(-\d{2})?)?$`)
)

// rowFaults checks one row's columns by their rules, and the references that it
// names itself.
func rowFaults(row any, of []column, known map[reference]bool) []string {
	var faults []string
	v := reflect.ValueOf(row)
	for _, c := range of {
		values := cells(v.Field(c.index))
		if c.rule.need && len(values) == 0 && c.rule.enum == nil || c.rule.need && slices.Contains(values, "") {
			faults = append(faults, fmt.Sprintf("%s: empty", c.name))
		}
		for _, value := range values {
			if f := c.rule.fault(value, known); f != "" {
				faults = append(faults, fmt.Sprintf("%s: %s", c.name, f))
			}
		}
	}
	if r, ok := row.(interface{ references() []reference }); ok {
		for _, ref := range r.references() {
			if !known[ref] {
				faults = append(faults, fmt.Sprintf("%q is not in %s", ref.key, ref.file))
			}
		}
	}
	if s, ok := row.(Scheme); ok {
		if len(s.History) == 0 {
			faults = append(faults, "history: empty")
		}
		for _, h := range s.History {
			faults = append(faults, rowFaults(h, columns(reflect.TypeOf(h)), known)...)
		}
	}
	return faults
}

// cells are the values of a column; an optional empty cell is one empty value.
func cells(f reflect.Value) []string {
	switch v := f.Interface().(type) {
	case []string:
		return v
	default:
		if f.Kind() == reflect.String {
			return []string{f.String()}
		}
	}
	return nil
}

func (r rule) fault(value string, known map[reference]bool) string {
	switch {
	case r.enum != nil && !slices.Contains(r.enum, value):
		return fmt.Sprintf("%q is none of %s", value, strings.Join(r.enum, ", "))
	case value == "":
		return ""
	case value != strings.TrimSpace(value):
		return fmt.Sprintf("%q has spaces around it", value)
	case r.id && !idForm.MatchString(value):
		return fmt.Sprintf("%q is no id: small letters, digits and single hyphens", value)
	case r.date && !realDate(value):
		return fmt.Sprintf("%q is no date: want 2006, 2006-01 or 2006-01-02", value)
	case r.ref != "" && !known[reference{r.ref, value}]:
		return fmt.Sprintf("%q is not in %s", value, r.ref)
	}
	return ""
}

func realDate(s string) bool {
	if !dateForm.MatchString(s) {
		return false
	}
	_, err := time.Parse("2006-01-02"[:len(s)], s)
	return err == nil
}

// miscounted finds tables whose rows are not as many as tables.yaml says, and
// tables that it does not list. A folder laid over may add rows.
func (t *Tables) miscounted(views map[string]view) ([]string, error) {
	about, err := t.About()
	if err != nil {
		return nil, err
	}
	var faults []string
	for _, a := range about {
		v, ok := views[a.Name]
		base := 0
		for _, at := range v.at {
			if strings.HasPrefix(at, t.layers[0].place(a.Name)+":") {
				base++
			}
		}
		if !ok || base != a.Rows {
			faults = append(faults, fmt.Sprintf("tables.yaml: %s has %d rows, not %d", a.Name, base, a.Rows))
		}
	}
	for name := range views {
		if name != "tables.yaml" && !slices.ContainsFunc(about, func(a About) bool { return a.Name == name }) {
			faults = append(faults, fmt.Sprintf("tables.yaml: %s is not listed", name))
		}
	}
	slices.Sort(faults)
	return faults, nil
}

// unsettled finds standards without a state in the newest snapshot, states of
// snapshots that are not listed, and entries without a state of their own.
func (t *Tables) unsettled() ([]string, error) {
	standards, err1 := t.Standards()
	history, err2 := t.History()
	snapshots, err3 := t.Snapshots()
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	if len(snapshots) == 0 {
		return []string{"snapshots.csv: empty"}, nil
	}
	var faults []string
	dates, settled := map[string]bool{}, map[string]bool{}
	for _, s := range snapshots {
		dates[s.Date] = true
	}
	newest := snapshots[len(snapshots)-1].Date
	for _, h := range history {
		if h.Kind != InSnapshot {
			continue
		}
		if !dates[h.Date] {
			faults = append(faults, fmt.Sprintf("history.csv: %s: no snapshot of %s", h.Standard, h.Date))
		}
		if h.Date == newest {
			settled[h.Standard] = true
		}
	}
	for _, s := range standards {
		if !settled[s.ID] {
			faults = append(faults, fmt.Sprintf("standards.csv: %s: no state in the snapshot of %s", s.ID, newest))
		}
	}
	return faults, nil
}
