package judge

import (
	"fmt"
	"slices"

	"github.com/assize/assize/internal/catalogue"
	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/plan"
)

// worse orders verdicts: the worst decides a goal.
func worse(a, b dossier.Verdict) bool {
	order := []dossier.Verdict{dossier.NotApplicable, dossier.Pass, dossier.NotAssessed, dossier.Inconclusive, dossier.Fail}
	return slices.Index(order, a) > slices.Index(order, b)
}

// Goals says what the decisions say together of each goal of the plan: the worst
// of those that law, standard, provider or assessor set, of ours where there are
// none that apply.
func Goals(p *plan.Plan, decisions []dossier.Decision) []dossier.Goal {
	goals := []dossier.Goal{}
	for _, g := range p.Goals {
		out := dossier.Goal{ID: g.ID, Title: g.Title, Claimed: g.Claimed}
		out.Decision, out.Because = leftOut(p, "", g.ID, "nothing was measured for it")
		theirs, ours := split(decisions, g.ID)
		if !slices.ContainsFunc(theirs, applies) && (len(theirs) == 0 || slices.ContainsFunc(ours, applies)) {
			theirs = ours
		}
		for i, d := range theirs {
			if i == 0 || worse(d.Decision, out.Decision) {
				out.Decision, out.Because, out.SetBy = d.Decision, d.Because, d.SetBy
			}
		}
		if len(theirs) > 0 || g.Claimed {
			goals = append(goals, out)
		}
	}
	return goals
}

func applies(d dossier.Decision) bool { return d.Decision != dossier.NotApplicable }

// split parts the decisions of a goal by whether the level is our default.
func split(decisions []dossier.Decision, goal string) (theirs, ours []dossier.Decision) {
	for _, d := range decisions {
		switch {
		case d.Goal != goal:
		case d.SetBy == catalogue.SetByDefault:
			ours = append(ours, d)
		default:
			theirs = append(theirs, d)
		}
	}
	return theirs, ours
}

// Summarise counts decisions by who set the criterion and says the exit status:
// 0 every claimed goal passes, 3 one does not, 1 nothing was assessed.
func Summarise(p *plan.Plan, decisions []dossier.Decision, goals []dossier.Goal) dossier.Summary {
	s := dossier.Summary{Counts: map[string]map[dossier.Verdict]int{}, Caveats: []string{}}
	for _, o := range p.Overrides {
		s.Caveats = append(s.Caveats, o.Sentence())
	}
	assessed := false
	for _, d := range decisions {
		if s.Counts[d.SetBy] == nil {
			s.Counts[d.SetBy] = map[dossier.Verdict]int{}
		}
		s.Counts[d.SetBy][d.Decision]++
		assessed = assessed || d.Measured != nil
		for _, c := range d.Caveats {
			if !slices.Contains(s.Caveats, c) {
				s.Caveats = append(s.Caveats, c)
			}
		}
	}
	for _, g := range goals {
		if g.Claimed {
			s.Claimed++
			if g.Decision == dossier.Pass {
				s.Passed++
			}
		}
	}
	for _, a := range p.Artefacts {
		if a.Endpoint != nil {
			s.Caveats = append(s.Caveats, fmt.Sprintf("what was tested is served at %s: its answers were measured, the bytes of its model were not seen, and it could change between two questions", a.Endpoint.URL))
		}
	}
	if p.Guessed {
		s.Caveats = append(s.Caveats, "the domain was guessed from the data; nobody confirmed which inputs can occur")
	}
	if s.Claimed == 0 {
		s.Caveats = append(s.Caveats, "the manifest claims no goal, so nothing can pass: list goals under claims")
	}
	added := 0
	for _, k := range p.Criteria {
		if k.Added {
			added++
		}
	}
	if added > 0 {
		s.Caveats = append(s.Caveats, fmt.Sprintf("%d of %d criteria come from a folder laid over the catalogue; who they say set them is that folder's word", added, len(p.Criteria)))
	}
	if n := len(p.LeftOut); n > 0 {
		s.Caveats = append(s.Caveats, fmt.Sprintf("left out, with the reason beside each: %d of the probes and claimed goals", n))
	}
	s.Exit = exit(s, goals, assessed, p.ModelError != "")
	return s
}

// exit follows DESIGN.md, "Exit status". A claimed goal that does not apply is
// neither a pass nor a failure; where that is so of all of them nothing was assessed.
func exit(s dossier.Summary, goals []dossier.Goal, assessed, modelBroken bool) int {
	switch {
	case !assessed || modelBroken || s.Claimed == 0:
		return 1
	case s.Passed == s.Claimed:
		return 0
	}
	for _, g := range goals {
		if g.Claimed && g.Decision != dossier.Pass && g.Decision != dossier.NotApplicable {
			return 3
		}
	}
	if s.Passed == 0 {
		return 1
	}
	return 0
}

// Allowed says the exit status when the caller lets some verdicts through.
func Allowed(d *dossier.Dossier, allow []dossier.Verdict) int {
	if d.Summary.Exit != 3 {
		return d.Summary.Exit
	}
	for _, g := range d.Goals {
		if g.Claimed && g.Decision != dossier.Pass && g.Decision != dossier.NotApplicable && !slices.Contains(allow, g.Decision) {
			return 3
		}
	}
	return 0
}
