// Package risk sets the threats of the catalogue against a target: before the
// tests what is at stake, who could attack, what is assumed and what will be
// tested; after them what was measured and what remains. Likelihood and impact
// follow ETSI TS 102 165-1 and come from a person; where nobody rated, nothing
// is filled in. It has no part in how the AI Act classifies a system.
package risk

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/catalogue"
	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/manifest"
	"github.com/assize/assize/internal/report/wording"
)

// Probe is what a build can measure, as far as risk needs to know it.
type Probe struct {
	ID      string
	Threats []string
	Goals   []string
	Uses    string   // what it works with: "a model, test rows"
	Cites   []string // the published methods that it follows
}

// Given is what an assessment of risk is made from.
type Given struct {
	Manifest *manifest.Manifest
	Probes   []Probe
	Dossier  *dossier.Dossier // nil before the tests
	Answers  []Answer         // what a person rated
}

// Assessment is every threat of the catalogue against one target, the highest
// rated first, then those that nobody rated in the catalogue's order.
type Assessment struct {
	Threats     []Threat `json:"threats"`
	Assumptions []string `json:"assumptions"`
	// Uncovered are the ids of threats that no probe of this build speaks to.
	Uncovered []string `json:"uncovered"`
	Unrated   int      `json:"unrated"`
}

// Threat is one threat against the target.
type Threat struct {
	catalogue.Threat
	TargetAssets []string `json:"target_assets"` // what of the target it would harm
	Agent        string   `json:"agent"`
	Goals        []string `json:"goals"`   // what must hold against it
	Claimed      []string `json:"claimed"` // of those, what the provider claims
	Solutions    []string `json:"solutions"`
	Probes       []string `json:"probes"` // empty: nothing of this build measures it
	// ToTest is what the rating means for the tests.
	ToTest string  `json:"to_test"`
	Before *Rating `json:"before,omitempty"`
	After  *Rating `json:"after,omitempty"`
	// Facts are what was measured, each with interval, sample size and decision.
	Facts    []string `json:"facts,omitempty"`
	Residual string   `json:"residual,omitempty"` // what the measurements leave; empty before the tests
}

// Assess makes the assessment. The errors are those of the catalogue.
func Assess(t *catalogue.Tables, g Given) (*Assessment, error) {
	c, err := t.Catalogue()
	if err != nil {
		return nil, err
	}
	s, err := readScale(t)
	if err != nil {
		return nil, err
	}
	a := &Assessment{Assumptions: assumptions(g.Manifest)}
	for _, threat := range c.Threats {
		one := Threat{Threat: threat, TargetAssets: assets(threat, g.Manifest), Agent: agent(threat.Knowledge)}
		for _, goal := range c.Goals {
			if slices.Contains(goal.Threats, threat.ID) {
				one.Goals = append(one.Goals, goal.ID)
				if slices.Contains(g.Manifest.Claims, goal.ID) {
					one.Claimed = append(one.Claimed, goal.ID)
				}
			}
		}
		for _, sol := range g.Manifest.Solutions {
			if slices.ContainsFunc(sol.Goals, func(id string) bool { return slices.Contains(one.Goals, id) }) {
				one.Solutions = append(one.Solutions, sol.Name+" ("+sol.Function+")")
			}
		}
		for _, p := range g.Probes {
			if slices.Contains(p.Threats, threat.ID) {
				one.Probes = append(one.Probes, p.ID)
			}
		}
		if one.Probes == nil {
			a.Uncovered = append(a.Uncovered, threat.ID)
		}
		if i := slices.IndexFunc(g.Answers, func(x Answer) bool { return x.Threat == threat.ID }); i >= 0 {
			if one.Before, one.After, err = s.rate(g.Answers[i]); err != nil {
				return nil, err
			}
		} else {
			a.Unrated++
		}
		one.ToTest = one.toTest()
		if g.Dossier != nil {
			one.Facts, one.Residual = measured(g.Dossier, one.Goals)
		}
		a.Threats = append(a.Threats, one)
	}
	slices.SortStableFunc(a.Threats, func(x, y Threat) int { return cmp.Compare(y.Before.risk(), x.Before.risk()) })
	return a, nil
}

// toTest says what the rating before measures asks of the tests. Without a
// rating everything that can be tested is.
func (t *Threat) toTest() string {
	switch high := t.Before != nil && t.Before.Class != "minor"; {
	case t.Before == nil && t.Probes == nil:
		return "not rated; nothing here tests it"
	case t.Before == nil:
		return "not rated: tested"
	case high && t.Probes == nil:
		return t.Before.Class + ": needs another test or a record, nothing here tests it"
	case high && t.Claimed == nil:
		return t.Before.Class + ": to be tested; claim " + strings.Join(t.Goals, " or ") + " so that the exit status speaks of it"
	case high:
		return t.Before.Class + ": to be tested"
	case t.Probes == nil:
		return t.Before.Class + ": may go untested"
	}
	return t.Before.Class + ": may go untested, but its probes run"
}

// assets names what of the target a threat would harm: the artefacts where the
// manifest has them, else the kind of asset.
func assets(t catalogue.Threat, m *manifest.Manifest) []string {
	var all []string
	for _, kind := range t.Assets {
		var named []string
		for _, a := range m.Artefacts {
			trains := slices.ContainsFunc(m.Artefacts, func(of manifest.Artefact) bool {
				return of.Kind == artefact.Model && slices.Contains(of.From, a.Name)
			})
			if kind == "model" && a.Kind == artefact.Model || kind == "training data" && a.Kind == artefact.Dataset && trains {
				named = append(named, a.Path)
			}
		}
		if kind == "pre-trained components" && m.Target.Environment != nil {
			named = m.Target.Environment.ThirdParty
		}
		if named != nil {
			kind += " (" + strings.Join(named, ", ") + ")"
		}
		all = append(all, kind)
	}
	return all
}

// agent says who could do it, by the least that an attacker must have.
func agent(knowledge string) string {
	switch knowledge {
	case "none":
		return "nobody with access to the model: it happens by itself, or through data and circumstances"
	case "queries":
		return "anybody who may ask the system and sees its answers"
	case "access to the artefact":
		return "an insider, or a supplier, who reaches the files"
	case "full":
		return "somebody who knows model, data and measures"
	}
	return knowledge
}

// assumptions lists what the provider declared that the tests rest on, and
// what is missing of it.
func assumptions(m *manifest.Manifest) []string {
	var all []string
	say := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	switch e := m.ThreatModel.Evasion; {
	case m.Dir == "":
		say("the manifest is not at hand: its threat model and domain stand in the plan of the dossier")
	case e == nil:
		say("evasion: no threat model is declared")
	default:
		unit := map[string]string{"range": "as a share of each feature's range", "raw": "in the model's input units"}[string(e.Unit)]
		say("evasion: %s access, changes within %s %v %s, %d queries a row", e.Access, e.Norm, e.Epsilon, unit, e.QueriesPerRow)
	}
	if x := m.ThreatModel.Extraction; x != nil {
		say("extraction: %d queries", x.Queries)
	}
	if m.Dir != "" {
		switch {
		case m.Domain == nil:
			say("domain: not declared; it is guessed from data, and nothing measured on it can pass")
		case m.Domain.ConfirmedBy == nil:
			say("domain: declared, but confirmed by nobody")
		default:
			say("domain: confirmed by %s on %s", m.Domain.ConfirmedBy.Name, m.Domain.ConfirmedBy.Date)
		}
	}
	if e := m.Target.Environment; e != nil && e.Infrastructure != "" {
		say("environment: %s", e.Infrastructure)
	}
	return all
}

// measured lists what a dossier says on goals, and what that leaves of the
// threat. Nothing but a pass on every goal lessens it, and only as far as was tested.
func measured(d *dossier.Dossier, goals []string) (facts []string, residual string) {
	count := map[dossier.Verdict][]string{}
	for _, id := range goals {
		verdict := dossier.NotAssessed
		if i := slices.IndexFunc(d.Goals, func(g dossier.Goal) bool { return g.ID == id }); i >= 0 {
			verdict = d.Goals[i].Decision
		}
		count[verdict] = append(count[verdict], id)
		for _, x := range d.Decisions {
			if x.Goal == id && x.Measured != nil {
				facts = append(facts, fmt.Sprintf("%s %s %s, n %s: %s (%s)", wording.Metric(x.Metric), wording.In(x.Measured.Unit, x.Measured.Value),
					wording.Interval(*x.Measured), wording.Whole(int64(x.Measured.N)), x.Decision, wording.Whose(x.SetBy)))
			}
		}
	}
	list := func(v dossier.Verdict) string { return strings.Join(count[v], ", ") }
	switch {
	case count[dossier.Fail] != nil:
		residual = "stands: " + list(dossier.Fail) + " fails"
	case count[dossier.Inconclusive] != nil:
		residual = "not shown to be less: " + list(dossier.Inconclusive) + " is inconclusive"
	case count[dossier.Pass] == nil:
		residual = "as before: nothing measured it"
	case count[dossier.NotAssessed] != nil:
		residual = "less in part, within what was tested: " + list(dossier.NotAssessed) + " is not assessed"
	default:
		residual = "less, within what was tested"
	}
	return facts, residual
}
