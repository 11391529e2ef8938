package wording

import (
	"cmp"
	"slices"
	"strings"

	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/evidence"
	"github.com/assize/assize/internal/manifest"
	"github.com/assize/assize/internal/plan"
	"github.com/assize/assize/internal/result"
)

// Deployed tells whether an observation is of the system as it is deployed.
func Deployed(d *dossier.Dossier, o *evidence.Observation) bool {
	return slices.ContainsFunc(d.Plan.Items, func(i plan.Item) bool { return i.ID == o.Item && i.Deployed })
}

// Gap is something that was not assessed, with the reason.
type Gap struct {
	What   string // "probe evasion/noise", "goal Inputs cannot be changed", "criterion …"
	State  string
	Reason string
}

// Gaps lists all that was not assessed: what the plan left out, what was tried
// and not measured, what could not be decided for want of a measurement, and goals of
// the catalogue of which nothing is known. What has one state and reason stands together.
func Gaps(d *dossier.Dossier) []Gap {
	var gaps []Gap
	added := map[Gap]bool{}
	add := func(kind, name, state, reason string) {
		one := Gap{kind + " " + name, state, reason}
		if added[one] {
			return
		}
		added[one] = true
		i := slices.IndexFunc(gaps, func(g Gap) bool { return g.State == state && g.Reason == reason && strings.HasPrefix(g.What, kind) })
		if i < 0 {
			gaps = append(gaps, one)
		} else {
			gaps[i].What += "; " + name
		}
	}
	titles, said := map[string]string{}, map[string]bool{}
	for _, g := range d.Plan.Goals {
		titles[g.ID] = g.Title
	}
	for _, l := range d.Plan.LeftOut {
		if l.Probe != "" {
			add("probe", l.Probe, Words(l.State), l.Reason)
			continue
		}
		said[l.Goal] = true
		add("goal:", cmp.Or(titles[l.Goal], l.Goal), Words(l.State), l.Reason)
	}
	for _, o := range d.Observations {
		if o.State != result.Measured {
			add("observation", o.ID+", "+o.Probe, Words(string(o.State)), o.Reason)
		}
	}
	for _, k := range d.Decisions {
		said[k.Goal] = true
		if k.Decision == dossier.NotAssessed || k.Decision == dossier.NotApplicable {
			add("criterion", k.Criterion, Words(string(k.Decision)), k.Because)
		}
	}
	for _, g := range d.Plan.Goals {
		if !said[g.ID] && !slices.ContainsFunc(d.Goals, func(h dossier.Goal) bool { return h.ID == g.ID }) {
			add("goal:", g.Title, "not assessed", "not claimed, and no criterion speaks of it")
		}
	}
	return gaps
}

// Unmeasured lists the solutions of which no effect was measured.
func Unmeasured(d *dossier.Dossier) []manifest.Solution {
	var out []manifest.Solution
	for _, s := range d.Solutions {
		if !slices.ContainsFunc(d.Effects, func(e dossier.Effect) bool { return slices.Contains(e.Solutions, s.Name) }) {
			out = append(out, s)
		}
	}
	return out
}

// WhyUnmeasured says why a solution has no measured effect.
func WhyUnmeasured(s manifest.Solution) string {
	switch {
	case s.Type == manifest.RecordOnly:
		return "organisational: declared by its owner, and no probe can measure it"
	case s.Baseline != "":
		return "part of the model, but no probe compared it with its baseline in this run"
	case !s.Switchable:
		return "cannot be switched off, so its effect was not measured"
	}
	return "switchable, but no probe compared it on and off in this run"
}
