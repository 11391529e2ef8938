// Package conformity says where the AI Act puts a target, which conformity
// assessment and presumptions are open to it, and which dates apply. It reads
// what the provider declared and the catalogue's rules; what nobody said it
// leaves open. It never looks at cyber risk or at what was measured: the class
// of a system and the strength of an attack on it are different notions.
package conformity

import (
	"fmt"
	"slices"
	"strings"

	"github.com/assize/assize/internal/catalogue"
	"github.com/assize/assize/internal/manifest"
)

// Answer says whether something holds for the target.
type Answer string

// The answers. Open means that nobody has said, or checked, what decides it.
const (
	Yes  Answer = "yes"
	No   Answer = "no"
	Open Answer = "open"
)

// Basis is who says so.
type Basis string

// The bases of an answer.
const (
	Declared Basis = "the provider"
	Follows  Basis = "follows" // from what the provider declares
	Table    Basis = "the catalogue"
	Nobody   Basis = "nobody" // it was neither declared nor checked
)

// Finding is one rule held against the target.
type Finding struct {
	Subject string `json:"subject"`
	Answer  Answer `json:"answer"`
	Text    string `json:"text"` // what the rule says here, and what must be true for it
	Basis   Basis  `json:"basis"`
	Rule    string `json:"rule"` // id in the catalogue; empty for an item of law or a table
	Source  string `json:"source"`
	// Confidence is the catalogue's: stored, own-knowledge or not-found.
	Confidence string `json:"confidence"`
}

// Class is where the AI Act puts a target.
type Class string

// The classes, as declared: nobody here decides them.
const (
	AnnexIII    Class = "high-risk by Annex III, as declared"
	AnnexI      Class = "high-risk by Annex I, as declared"
	NotHighRisk Class = "not high-risk, as declared"
	Untold      Class = "not declared"
)

// ClassOf is the class that follows from what the provider declares. A product
// under Annex I without a third party's assessment there is not high-risk by Art. 6(1).
func ClassOf(c *manifest.Classification) Class {
	switch {
	case c == nil:
		return Untold
	case c.AnnexIII != "":
		return AnnexIII
	case c.AnnexI != "" && c.ThirdParty:
		return AnnexI
	}
	return NotHighRisk
}

// law gives the catalogue's rules and items of law by id, and collects the
// first id that is missing.
type law struct {
	rules  map[string]catalogue.Rule
	items  map[string]catalogue.Requirement
	tables map[string]catalogue.About
	err    error
}

func read(t *catalogue.Tables) (*law, error) {
	rules, err := t.Rules()
	if err != nil {
		return nil, err
	}
	items, err := t.Requirements()
	if err != nil {
		return nil, err
	}
	about, err := t.About()
	if err != nil {
		return nil, err
	}
	l := &law{rules: map[string]catalogue.Rule{}, items: map[string]catalogue.Requirement{}, tables: map[string]catalogue.About{}}
	for _, r := range rules {
		l.rules[r.ID] = r
	}
	for _, i := range items {
		l.items[i.ID] = i
	}
	for _, a := range about {
		l.tables[a.Name] = a
	}
	return l, nil
}

// rule makes a finding that cites a rule of the catalogue.
func (l *law) rule(id, subject string, answer Answer, basis Basis, format string, args ...any) Finding {
	r, ok := l.rules[id]
	if !ok && l.err == nil {
		l.err = fmt.Errorf("read catalogue: rules.csv has no rule %s", id)
	}
	return Finding{subject, answer, fmt.Sprintf(format, args...), basis, id, r.Source, r.Confidence}
}

// item makes a finding that cites an item of law.
func (l *law) item(id, subject string, answer Answer, basis Basis, format string, args ...any) Finding {
	r, ok := l.items[id]
	if !ok && l.err == nil {
		l.err = fmt.Errorf("read catalogue: requirements.csv has no item %s", id)
	}
	return Finding{subject, answer, fmt.Sprintf(format, args...), basis, "", "AI Act " + r.Reference, r.Confidence}
}

// table makes a finding that cites a whole table.
func (l *law) table(name, subject string, answer Answer, basis Basis, format string, args ...any) Finding {
	a := l.tables[name]
	return Finding{subject, answer, fmt.Sprintf(format, args...), basis, "", a.Source, a.Confidence}
}

// usesAt finds the uses of Annex III at a point as people write it: "5(b)",
// "point 5b", "5.b". A point without its letter is all uses of that area.
func usesAt(t *catalogue.Tables, point string) ([]catalogue.HighRisk, error) {
	all, err := t.Uses()
	if err != nil {
		return nil, err
	}
	want := strings.NewReplacer("annex iii", "", "point", "", " ", "", "(", "", ")", "", ".", "", ",", "").Replace(strings.ToLower(point))
	var found []catalogue.HighRisk
	var points []string
	for _, u := range all {
		if u.Point == want || strings.TrimRight(u.Point, "abcdefghijklmnopqrstuvwxyz") == want {
			found = append(found, u)
		}
		points = append(points, Point(u.Point))
	}
	if found == nil {
		return nil, &PointError{Point: point, Known: points}
	}
	return found, nil
}

// PointError means that the declared point is none of Annex III.
type PointError struct {
	Point string
	Known []string
}

// Error names the point and those that there are.
func (e *PointError) Error() string {
	return fmt.Sprintf("find point %q of Annex III: it lists no such use\nhint: target.classification.annex_iii is one of %s", e.Point, strings.Join(e.Known, ", "))
}

// Point writes a point of Annex III as the Act does: "5b" as 5(b).
func Point(p string) string {
	i := strings.IndexFunc(p, func(r rune) bool { return r >= 'a' && r <= 'z' })
	if i <= 0 {
		return p
	}
	return p[:i] + "(" + p[i:] + ")"
}

// described lists uses as "5(b) Essential services: creditworthiness".
func described(uses []catalogue.HighRisk) string {
	var all []string
	for _, u := range uses {
		all = append(all, fmt.Sprintf("%s %s: %s", Point(u.Point), u.Area, u.Text))
	}
	return strings.Join(all, "; ")
}

// areas lists the areas of Annex III once each, in its order.
func areas(uses []catalogue.HighRisk) []string {
	var all []string
	for _, u := range uses {
		if !slices.Contains(all, u.Area) {
			all = append(all, u.Area)
		}
	}
	return all
}
