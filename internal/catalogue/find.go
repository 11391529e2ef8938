package catalogue

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/assize/assize/internal/spelling"
)

// NotFoundError means that nothing, or more than one thing, answers to what was
// typed.
type NotFoundError struct {
	What        string // "standard", "threat", …
	Query       string
	Ambiguous   bool
	Suggestions []string // at most eight, the nearest first
}

// Error says what was not found and what may have been meant.
func (e *NotFoundError) Error() string {
	verb := "not known"
	if e.Ambiguous {
		verb = "could be several"
	}
	s := fmt.Sprintf("find %s %q: %s", e.What, e.Query, verb)
	if len(e.Suggestions) > 0 {
		s += "\nhint: did you mean " + strings.Join(e.Suggestions, ", ") + "?"
	}
	return s
}

// maxQuery bounds what a name or number can be.
const maxQuery = 200

var (
	edition   = regexp.MustCompile(`:\s*\d{4}(-\d{2})?|\(\d{4}(-\d{2})?\)|\bv\d+\.\d+\.\d+\b`)
	joins     = regexp.MustCompile(`(\d)\s+(\d)`)
	notLetter = regexp.MustCompile(`[^a-z0-9]+`)
	amendment = regexp.MustCompile(`\b(cor|amd)\D{0,2}(\d+)`)
	numberOf  = regexp.MustCompile(`\d{3,}(-\d+)*`)
	stageWord = regexp.MustCompile(`\b(awi|wd|cd|dis|fdis|dts|pr|draft)\b`)
)

// plain brings what people type and what is printed to one form: small
// letters, no edition, nothing but letters and digits.
func plain(s string) string {
	s = edition.ReplaceAllString(strings.ToLower(s), " ")
	s = stageWord.ReplaceAllString(s, " ")
	return notLetter.ReplaceAllString(s, "")
}

// number is the number with its part, and its amendment or corrigendum
// ("5259-2", "304223", "27001/cor1"), or empty.
func number(s string) string {
	s = edition.ReplaceAllString(strings.ToLower(s), " ")
	for joins.MatchString(s) {
		s = joins.ReplaceAllString(s, "$1$2")
	}
	n := numberOf.FindString(s)
	if a := amendment.FindStringSubmatch(s); n != "" && a != nil {
		n += "/" + a[1] + a[2]
	}
	return n
}

// Standard finds a standard by its id, designation, any earlier or adopted
// number, work item or the id of an inventory's row, however it is typed: "iso
// 22989", "ISO/IEC22989:2022", "22989", "prEN 18282", "A3-11". The error is a
// *NotFoundError with suggestions.
func (t *Tables) Standard(query string) (Standard, error) {
	standards, err1 := t.Standards()
	entries, err2 := t.Entries()
	if err := errors.Join(err1, err2); err != nil {
		return Standard{}, err
	}
	if len(query) > maxQuery {
		return Standard{}, &NotFoundError{What: "standard", Query: query[:maxQuery] + "…"}
	}
	forms := func(s Standard) []string {
		return slices.Concat([]string{s.ID, s.Designation}, s.Also, s.WorkItems)
	}
	want, num := plain(query), number(query)
	var byName, byNumber []Standard
	for _, s := range standards {
		switch all := forms(s); {
		case want != "" && slices.ContainsFunc(all, func(f string) bool { return plain(f) == want }):
			byName = append(byName, s)
		case num != "" && slices.ContainsFunc(all, func(f string) bool { return number(f) == num }):
			byNumber = append(byNumber, s)
		}
	}
	for _, e := range entries {
		if len(byName) == 0 && (strings.EqualFold(e.ID, query) || want != "" && (plain(e.Name) == want || plain(e.Reference) == want)) {
			i := slices.IndexFunc(standards, func(s Standard) bool { return s.ID == e.Standards[0] })
			byName = append(byName, standards[i])
		}
	}
	for _, found := range [][]Standard{byName, byNumber} {
		if len(found) == 1 {
			return found[0], nil
		}
		if len(found) > 1 {
			return Standard{}, &NotFoundError{What: "standard", Query: query, Ambiguous: true, Suggestions: designations(found)}
		}
	}
	return Standard{}, &NotFoundError{What: "standard", Query: query, Suggestions: nearest(query, standards, forms)}
}

func designations(of []Standard) []string {
	var all []string
	for _, s := range of[:min(8, len(of))] {
		all = append(all, s.Designation)
	}
	return all
}

// nearest suggests standards whose number begins alike, whose title has the
// words, or whose name is a few letters away.
func nearest(query string, standards []Standard, forms func(Standard) []string) []string {
	type near struct {
		s    Standard
		away int
	}
	var all []near
	want, num := plain(query), number(query)
	words := strings.Fields(strings.ToLower(query))
	for _, s := range standards {
		best := 1000
		for _, f := range forms(s) {
			if n := number(f); num != "" && n != "" && (strings.HasPrefix(n, num) || strings.HasPrefix(num, n)) {
				best = min(best, 1)
			}
			if n := number(f); len(num) > 3 && len(n) == len(num) && spelling.Distance(n, num) <= 2 {
				best = min(best, 4)
			}
			if d := spelling.Distance(plain(f), want); d <= len(want)/4 {
				best = min(best, 1+d)
			}
		}
		title := strings.ToLower(s.Title)
		if len(words) > 0 && !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(title, w) }) {
			best = min(best, 2)
		}
		if best < 1000 {
			all = append(all, near{s, best})
		}
	}
	slices.SortStableFunc(all, func(a, b near) int { return cmp.Compare(a.away, b.away) })
	var out []Standard
	for _, n := range all {
		out = append(out, n.s)
	}
	return designations(out)
}

// FindRequirements lists requirements of a framework ("ai-act", "AI Act",
// "en304223"; empty is any) under an article, provision or id ("15", "Art.
// 15(5)", "5.2.2", "AIA-15.5c4"; empty is all).
func (t *Tables) FindRequirements(framework, article string) ([]Requirement, error) {
	all, err := t.Requirements()
	if err != nil {
		return nil, err
	}
	var out []Requirement
	known := map[string]bool{}
	for _, r := range all {
		known[r.Framework] = true
		if framework != "" && plain(r.Framework) != plain(framework) {
			continue
		}
		if article == "" || r.under(article) {
			out = append(out, r)
		}
	}
	if len(out) > 0 {
		return out, nil
	}
	missing := &NotFoundError{What: "requirement", Query: strings.TrimSpace(framework + " " + article)}
	if framework != "" && !slices.ContainsFunc(all, func(r Requirement) bool { return plain(r.Framework) == plain(framework) }) {
		for f := range known {
			missing.Suggestions = append(missing.Suggestions, f)
		}
		slices.Sort(missing.Suggestions)
	}
	return nil, missing
}

var articleForm = regexp.MustCompile(`^(article|art|annex|provision|principle)\.?\s*`)

// under says whether r is the item, or stands below the article, that is asked for.
func (r Requirement) under(article string) bool {
	if strings.EqualFold(r.ID, article) {
		return true
	}
	asked := strings.ToLower(strings.TrimSpace(article))
	steps := func(s string) []string {
		s = articleForm.ReplaceAllString(strings.ToLower(strings.TrimSpace(s)), "")
		return strings.FieldsFunc(s, func(c rune) bool { return strings.ContainsRune("().,- ", c) })
	}
	want := steps(asked)
	for part := range strings.SplitSeq(r.Reference, ";") {
		part = strings.TrimPrefix(strings.TrimPrefix(strings.TrimSpace(part), "EN 304 223 "), "CRA ")
		annex := strings.HasPrefix(strings.ToLower(part), "annex")
		if annex != strings.HasPrefix(asked, "annex") {
			continue
		}
		have := steps(part)
		if len(want) > 0 && len(have) >= len(want) && slices.Equal(have[:len(want)], want) {
			return true
		}
	}
	return false
}

// FoundThreat is what goes by a name.
type FoundThreat struct {
	Names   []Name   `json:"names"`   // of other schemes
	Threats []Threat `json:"threats"` // ours that it is, or is part of
	Links   []Link   `json:"links"`   // crosswalks from and to its names
}

// Threat finds a threat by any of its names or ids: "evasion", "AML.T0015",
// "NISTAML.022", "sponge".
func (t *Tables) Threat(query string) (*FoundThreat, error) {
	names, err1 := t.Names()
	ours, err2 := rowsOf[Threat](t)
	links, err3 := t.Links()
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	want := plain(query)
	if want == "" || len(query) > maxQuery {
		return nil, &NotFoundError{What: "threat", Query: query[:min(len(query), maxQuery)]}
	}
	for _, match := range []func(string) bool{
		func(s string) bool { return plain(s) == want },
		func(s string) bool { return len(want) > 3 && strings.Contains(plain(s), want) },
	} {
		f := &FoundThreat{Names: []Name{}, Threats: []Threat{}, Links: []Link{}}
		for _, n := range names {
			if match(n.ID) || match(n.Name) {
				f.Names = append(f.Names, n)
			}
		}
		for _, l := range links {
			if slices.ContainsFunc(f.Names, func(n Name) bool { return n.ID == l.From || n.ID == l.To }) {
				f.Links = append(f.Links, l)
			}
		}
		for _, o := range ours {
			if match(o.ID) || match(o.Title) || f.names(o, names) {
				f.Threats = append(f.Threats, o)
			}
		}
		if len(f.Names)+len(f.Threats) > 0 {
			return f, nil
		}
	}
	missing := &NotFoundError{What: "threat", Query: query}
	for _, o := range ours {
		missing.Suggestions = append(missing.Suggestions, o.ID)
	}
	return nil, missing
}

// names says whether a name found, or one of Table 1 that is equal to it or
// broader, is a name of ours.
func (f *FoundThreat) names(o Threat, all []Name) bool {
	is := func(id string) bool {
		return slices.ContainsFunc(f.Names, func(n Name) bool { return n.ID == id })
	}
	for _, theirs := range o.Names {
		if is(theirs) {
			return true
		}
	}
	for _, n := range all {
		if n.Scheme != "enisa-table1" || n.Name != o.Names["enisa"] {
			continue
		}
		part := func(l Link) bool {
			return l.From == n.ID && is(l.To) && (l.Relation == "equal" || l.Relation == "narrower")
		}
		if is(n.ID) || slices.ContainsFunc(f.Links, part) {
			return true
		}
	}
	return false
}

// Crosswalk lists the links from one scheme to another, whichever way they are
// kept; a link that is kept the other way round comes out turned. Empty is any.
func (t *Tables) Crosswalk(from, to string) ([]Link, error) {
	links, err1 := t.Links()
	vocabularies, err2 := t.Vocabularies()
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	for _, q := range []*string{&from, &to} {
		if *q == "" {
			continue
		}
		i := slices.IndexFunc(vocabularies, func(v Vocabulary) bool { return plain(v.ID) == plain(*q) || plain(v.Title) == plain(*q) })
		if i < 0 {
			missing := &NotFoundError{What: "scheme", Query: *q}
			for _, v := range vocabularies {
				missing.Suggestions = append(missing.Suggestions, v.ID)
			}
			return nil, missing
		}
		*q = vocabularies[i].ID
	}
	var out []Link
	for _, l := range links {
		switch {
		case (from == "" || l.FromScheme == from) && (to == "" || l.ToScheme == to):
			out = append(out, l)
		case (from == "" || l.ToScheme == from) && (to == "" || l.FromScheme == to):
			out = append(out, l.turned())
		}
	}
	return out, nil
}

func (l Link) turned() Link {
	l.FromScheme, l.ToScheme, l.From, l.To, l.ToName = l.ToScheme, l.FromScheme, l.To, l.From, ""
	switch l.Relation {
	case "broader":
		l.Relation = "narrower"
	case "narrower":
		l.Relation = "broader"
	}
	return l
}
