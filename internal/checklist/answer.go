package checklist

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/assize/assize/internal/catalogue"
	"github.com/assize/assize/internal/dossier"
)

// answerer holds what items are answered from.
type answerer struct {
	given   Given
	known   *catalogue.Catalogue
	records []Record
}

// answer says how one requirement stands. A measurement decides before a record
// answers; a record beside a measurement is shown with it.
func (a *answerer) answer(r catalogue.Requirement) Item {
	i := Item{Requirement: r, State: Open}
	goals := a.goals(r)
	verdict, by, ours := a.decided(goals)
	if r.Framework == catalogue.AIAct && r.Check != "test" {
		// What was measured is shown beside an item that no test decides.
		if goals = nil; verdict == dossier.NotAssessed || verdict == dossier.NotApplicable {
			by = ""
		} else {
			by = "measured beside it, which does not decide it: " + by
		}
		verdict = dossier.NotAssessed
	}
	var expired []string
	for _, rec := range a.records {
		if !rec.answers(r.ID, goals) {
			continue
		}
		i.Records = append(i.Records, rec)
		if rec.Expired {
			expired = append(expired, fmt.Sprintf("record %s expired on %s", rec.Name, rec.ValidUntil))
		}
	}
	i.By = by
	switch {
	case verdict == dossier.Pass || verdict == dossier.Fail || verdict == dossier.Inconclusive:
		i.State, i.Verdict, i.Defaults = Decided, verdict, ours
		return i
	case len(expired) < len(i.Records):
		i.State = Answered
		var names []string
		for _, rec := range i.Records {
			if !rec.Expired {
				names = append(names, "record "+rec.Name+" of "+rec.Owner)
			}
		}
		names = append(names, expired...)
		if by != "" {
			names = append(names, by)
		}
		i.By = strings.Join(names, "; ")
		return i
	}
	why := expired
	if by != "" {
		why = append([]string{by}, why...)
	}
	if note := a.run(r); note != "" {
		why = append(why, note)
	}
	if why == nil {
		why = []string{"no criterion of this catalogue and no record answers it"}
	}
	i.By = strings.Join(why, "; ")
	i.Task = a.task(r, len(expired) > 0)
	return i
}

var subparagraph = regexp.MustCompile(` \d(st|nd|rd|th)( subpara\.|-).*$`)

// goals lists the goals whose decisions speak of a requirement: for an attack
// that Art. 15(5) names, those against the threats that go by its name; else
// those that have a criterion which cites the paragraph or provision.
func (a *answerer) goals(r catalogue.Requirement) []string {
	paragraph := subparagraph.ReplaceAllString(r.Reference, "")
	var goals []string
	add := func(g string) {
		if !slices.Contains(goals, g) {
			goals = append(goals, g)
		}
	}
	named := false
	for _, t := range a.known.Threats {
		if paragraph != "Art. 15(5)" || !strings.Contains(r.Text, t.Names["ai_act"]) || t.Names["ai_act"] == "" {
			continue
		}
		named = true
		for _, g := range a.known.Goals {
			if slices.Contains(g.Threats, t.ID) {
				add(g.ID)
			}
		}
	}
	if named {
		return goals
	}
	cite := paragraph
	if r.Framework == catalogue.AIAct {
		cite = "AI Act " + paragraph
	}
	for _, k := range a.known.Criteria {
		if slices.ContainsFunc(k.Cites, func(c string) bool {
			// Paragraph 1 is the sum of its article: accuracy, robustness and cybersecurity.
			return c == cite || cite == "AI Act Art. 15(1)" && strings.HasPrefix(c, "AI Act Art. 15(")
		}) {
			add(k.Goal)
		}
	}
	return goals
}

// decided is the worst verdict that the dossier has on goals, and each of them
// in words. Without any it is not-assessed, with nothing said. Ours is whether
// one of them rests on defaults of this program.
func (a *answerer) decided(goals []string) (verdict dossier.Verdict, words string, ours bool) {
	if a.given.Dossier == nil || len(goals) == 0 {
		return dossier.NotAssessed, "", false
	}
	verdict = dossier.NotApplicable
	var by []string
	for _, id := range goals {
		i := slices.IndexFunc(a.given.Dossier.Goals, func(g dossier.Goal) bool { return g.ID == id })
		if i < 0 {
			by = append(by, id+": not assessed")
			verdict = worse(verdict, dossier.NotAssessed)
			continue
		}
		g := a.given.Dossier.Goals[i]
		verdict = worse(verdict, g.Decision)
		line := id + ": " + string(g.Decision)
		if g.SetBy == catalogue.SetByDefault {
			ours = true
			line += " by a default of Assize"
		}
		var criteria []string
		for _, d := range a.given.Dossier.Decisions {
			if d.Goal == id && d.SetBy == g.SetBy {
				criteria = append(criteria, d.Criterion)
			}
		}
		if len(criteria) > 0 {
			line += " (" + strings.Join(criteria, ", ") + ")"
		}
		by = append(by, line)
	}
	return verdict, strings.Join(by, "; "), ours
}

// run says what the dossier itself can serve for, in items about testing and about what is said of it.
func (a *answerer) run(r catalogue.Requirement) string {
	d := a.given.Dossier
	switch {
	case d == nil:
		return ""
	case r.Check == "test" && strings.HasPrefix(r.Reference, "Art. 9("):
		return fmt.Sprintf("the dossier of run %.8s can serve as evidence: its %d criteria were logged before its first measurement", d.Run, len(d.Plan.Criteria))
	case r.Reference == "Art. 13(3)(b)(ii)":
		return "assize report DOSSIER --format instructions writes the tested levels for it"
	}
	return ""
}
