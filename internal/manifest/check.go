package manifest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/assize/assize/internal/artefact"
)

// checker collects what fields say against one another. Steps of a path are
// strings and ints.
type checker struct {
	m        *Manifest
	problems []Problem
}

func (c *checker) problem(hint string, path []any, format string, args ...any) {
	steps := stepsOf(path)
	text := fmt.Sprintf(format, args...)
	c.problems = append(c.problems, Problem{Line: c.m.root.find(steps...).line, Text: nameOf(c.m.root, steps...) + ": " + text, Hint: hint})
}

func stepsOf(path []any) []string {
	steps := make([]string, len(path))
	for i, p := range path {
		switch p := p.(type) {
		case int:
			steps[i] = strconv.Itoa(p)
		case string:
			steps[i] = p
		}
	}
	return steps
}

// where is a path.
func where(path ...any) []any { return path }

// check returns what a schema cannot say.
func (m *Manifest) check() []Problem {
	c := &checker{m: m}
	c.artefacts()
	c.scaling()
	c.decision()
	c.solutions()
	c.levels()
	c.records()
	c.paths()
	return c.problems
}

func (c *checker) artefacts() {
	all := make([]artefact.Artefact, len(c.m.Artefacts))
	first := map[string]int{}
	var names []string
	for i, a := range c.m.Artefacts {
		if j, twice := first[a.Name]; twice {
			c.problem("give each artefact a name of its own", where("artefacts", i, "name"), "%q is taken by artefacts[%d]", a.Name, j)
			continue
		}
		first[a.Name] = i
		names = append(names, a.Name)
		all[i] = artefact.Artefact{Name: a.Name, Kind: a.Kind, From: a.From, Of: a.Of, On: a.On}
	}
	before := len(c.problems)
	for i, a := range c.m.Artefacts {
		for j, from := range a.From {
			c.refers(names, from, "artefacts", i, "from", j)
		}
		if a.Kind == artefact.Endpoint {
			if served, _ := c.m.Served(); served.Name != a.Name {
				c.problem("assess each served model by a manifest of its own", where("artefacts", i), "a second endpoint: %q is the one that is assessed", served.Name)
			}
			c.endpoint(i, a)
			if a.On != "" {
				c.problem("delete on", where("artefacts", i, "on"), "belongs to recorded outputs, and this is an endpoint")
			}
			c.refersTo(first, names, a.Of, []artefact.Kind{artefact.Model}, "artefacts", i, "of")
			continue
		}
		if a.Kind != artefact.RecordedOutputs && a.Of+a.On != "" {
			c.problem("delete of and on, or set kind: recorded-outputs", where("artefacts", i), "of and on belong to recorded outputs, and this is a %s", a.Kind)
			continue
		}
		c.refersTo(first, names, a.Of, []artefact.Kind{artefact.Model, artefact.Endpoint}, "artefacts", i, "of")
		c.refersTo(first, names, a.On, []artefact.Kind{artefact.Dataset}, "artefacts", i, "on")
	}
	if len(c.problems) > before || len(names) < len(all) {
		return
	}
	if _, err := artefact.Trace(all); err != nil {
		c.problem("an artefact cannot come from itself: correct from, of or on", where("artefacts"), "%s", strings.TrimPrefix(err.Error(), "trace lineage: "))
	}
}

func (c *checker) refers(names []string, name string, path ...any) bool {
	if slices.Contains(names, name) {
		return true
	}
	c.problem(didYouMean(name, names, "the artefacts are "+strings.Join(names, ", ")), path, "no artefact is named %q", name)
	return false
}

func (c *checker) refersTo(first map[string]int, names []string, name string, kinds []artefact.Kind, path ...any) {
	if name == "" || !c.refers(names, name, path...) {
		return
	}
	if got := c.m.Artefacts[first[name]].Kind; !slices.Contains(kinds, got) {
		c.problem(fmt.Sprintf("name an artefact of kind %s", kinds[0]), path, "%q is a %s", name, got)
	}
}

func (c *checker) scaling() {
	s := c.m.Interface.Input.Scaling
	if s != nil && len(s.Mean) != len(s.Std) {
		c.problem("give one mean and one std for all inputs, or one of each for each column or channel", where("interface", "input", "scaling"), "%d in mean and %d in std", len(s.Mean), len(s.Std))
	}
}

func (c *checker) solutions() {
	first := map[string]int{}
	for i, s := range c.m.Solutions {
		if j, twice := first[s.Name]; twice {
			c.problem("give each solution a name of its own", where("solutions", i, "name"), "%q is taken by solutions[%d]", s.Name, j)
		} else {
			first[s.Name] = i
		}
		known := []string{InputValidation, OutputRounding, ReferBand, Hysteresis, QueryLimit, RejectBand, DecisionOnly, InputNoise, RecordOnly}
		near, rule := nearest(s.Type, known), c.m.Decision
		switch {
		case near != "" && !slices.Contains(known, s.Type):
			c.problem(fmt.Sprintf("did you mean %q?", near), where("solutions", i, "type"), "%q is no type of solution", s.Type)
		case c.owned(i, &s): // and said so
		case (s.Type == Hysteresis || s.Type == ReferBand) && rule.Rule != Cutoff:
			c.problem("set decision.rule: cutoff, or delete the solution", where("solutions", i, "type"), "%s speaks of a cut-off, and decision.rule is none", s.Type)
		case s.Type == ReferBand && rule.ReferBand == nil:
			c.problem("set decision.refer_band, or delete the solution", where("solutions", i, "type"), "there is no refer band to switch")
		case s.Type == InputNoise && c.m.Domain == nil:
			c.problem("declare every input under domain.features", where("solutions", i, "sigma"), "is a share of each feature's range, and there is no domain")
		}
		if s.Type == RecordOnly && s.Switchable {
			c.problem("delete switchable", where("solutions", i, "switchable"), "a record cannot be switched off")
		}
		if s.ValidUntil != "" && s.Record == "" {
			c.problem("name the record, or delete valid_until", where("solutions", i, "valid_until"), "there is no record that could be valid")
		}
		if s.Baseline != "" {
			c.baseline(i, &s)
		}
		c.dates(s.Date, s.ValidUntil, "solutions", i, "valid_until")
	}
}

// baseline refuses a baseline that the assessed model cannot be compared with.
func (c *checker) baseline(i int, s *Solution) {
	here := where("solutions", i, "baseline")
	var models []string
	for _, a := range c.m.Artefacts {
		if a.Kind == artefact.Model {
			models = append(models, a.Name)
		}
	}
	if !slices.Contains(models, s.Baseline) {
		c.problem(didYouMean(s.Baseline, models, "the models are "+strings.Join(models, ", ")), here, "no model is named %q", s.Baseline)
		return
	}
	if s.Baseline == models[0] {
		c.problem("list the model that is assessed before its baseline", here, "%q is the model that is assessed", s.Baseline)
	}
	if s.Switchable {
		c.problem("delete switchable", where("solutions", i, "switchable"), "a solution with a baseline is part of the model")
	}
	for j, o := range c.m.Solutions[:i] {
		if o.Baseline != "" && o.Baseline != s.Baseline {
			c.problem(fmt.Sprintf("name %q, made without either of them, or assess them apart", o.Baseline), here, "solutions[%d] is compared with another baseline, %q", j, o.Baseline)
			return
		}
	}
}

// owned refuses fields that belong to another type of solution, and says whether there are any.
func (c *checker) owned(i int, s *Solution) bool {
	for _, own := range []struct {
		field string
		of    []string
		set   bool
	}{{"digits", []string{OutputRounding}, s.Digits != nil}, {"queries", []string{QueryLimit}, s.Queries != nil}, {"margin", []string{Hysteresis, RejectBand}, s.Margin != nil},
		{"sigma", []string{InputNoise}, s.Sigma != nil}, {"draws", []string{InputNoise}, s.Draws != nil}} {
		if of := strings.Join(own.of, " or "); own.set && !slices.Contains(own.of, s.Type) {
			c.problem(fmt.Sprintf("delete %s, or set type: %s", own.field, of), where("solutions", i, own.field), "belongs to the type %s, and this is %q", of, s.Type)
			return true
		}
	}
	return false
}

func (c *checker) dates(from, until Date, path ...any) {
	if from != "" && until != "" && until < from {
		c.problem("correct one of the two dates", path, "%s is before the record's date %s", until, from)
	}
}

func (c *checker) levels() {
	for name, l := range c.m.Declared {
		if l.AtLeast != nil && l.AtMost != nil && *l.AtLeast > *l.AtMost {
			c.problem("correct one of the two", where("declared", name), "at_least %v is more than at_most %v", *l.AtLeast, *l.AtMost)
		}
	}
}

func (c *checker) records() {
	taken := map[string]string{}
	for i, a := range c.m.Artefacts {
		taken[a.Name] = fmt.Sprintf("artefacts[%d]", i)
	}
	for i, s := range c.m.Solutions {
		if s.Record != "" {
			c.recordName(taken, s.Name, "solutions", i, "name")
		}
	}
	for i, r := range c.m.Records {
		c.recordName(taken, r.Name, "records", i, "name")
		c.dates(r.Date, r.ValidUntil, "records", i, "valid_until")
		if r.Log != nil {
			c.log(r, i)
		}
	}
}

// log checks that the checks and escalations of an operating log can be told
// apart by subject, and that fields which must differ do.
func (c *checker) log(r Record, i int) {
	at := func(field string, path ...any) []any { return append(where("records", i, "log", field), path...) }
	if len(r.Log.MandatoryChecks)+len(r.Log.Escalations) > 0 && r.Log.Subject == "" {
		c.problem("name the field that says which case an entry is about as subject", where("records", i, "log"), "without subject an event of one case would answer for another")
	}
	same := func(a, b, field string, n int) {
		if a == b {
			c.problem("name two different events", at(field, n), "%q cannot answer for itself", a)
		}
	}
	for n, k := range r.Log.MandatoryChecks {
		same(k.Before, k.Check, "mandatory_checks", n)
	}
	for n, e := range r.Log.Escalations {
		same(e.When, e.Then, "escalations", n)
	}
	if r.Log.Since != "" && r.Log.Since > r.Date {
		c.problem("correct one of the two dates", at("since"), "%s is after the record's date %s", r.Log.Since, r.Date)
	}
	if k := r.Log.Integrity; k != nil && k.Hash == k.Previous {
		c.problem("leave hash out where previous holds the SHA-256 of the line before", at("integrity", "hash"), "%q is previous already", k.Hash)
	}
}

// recordName keeps records apart from artefacts and one another, because each
// of them becomes an artefact of that name.
func (c *checker) recordName(taken map[string]string, name string, path ...any) {
	steps := stepsOf(path)
	by, twice := taken[name]
	if !twice {
		taken[name] = nameOf(c.m.root, steps[:len(steps)-1]...)
		return
	}
	if strings.HasPrefix(by, "solutions") && steps[0] == "solutions" {
		return // said already
	}
	c.problem("give each artefact and record a name of its own", path, "%q is taken by %s", name, by)
}
