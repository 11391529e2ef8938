package wording

import (
	"slices"

	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/manifest"
	"github.com/assize/assize/internal/result"
)

// Gap is something that was not assessed, with the reason.
type Gap struct {
	What   string // "probe evasion/noise", "goal Inputs cannot be changed", "criterion …"
	State  string
	Reason string
}

// Gaps lists all that was not assessed: what the plan left out, what was tried
// and not measured, what could not be decided for want of a measurement, and goals of
// the catalogue of which nothing is known.
func Gaps(d *dossier.Dossier) []Gap {
	var gaps []Gap
	titles := map[string]string{}
	for _, g := range d.Plan.Goals {
		titles[g.ID] = g.Title
	}
	said := map[string]bool{}
	for _, l := range d.Plan.LeftOut {
		what := "probe " + l.Probe
		if l.Probe == "" {
			what, said[l.Goal] = "goal: "+goalTitle(titles, l.Goal), true
		}
		gaps = append(gaps, Gap{what, Words(l.State), l.Reason})
	}
	for _, o := range d.Observations {
		if o.State != result.Measured {
			gaps = append(gaps, Gap{"observation " + o.ID + ", " + o.Probe, Words(string(o.State)), o.Reason})
		}
	}
	for _, k := range d.Decisions {
		said[k.Goal] = true
		if k.Decision == dossier.NotAssessed || k.Decision == dossier.NotApplicable {
			gaps = append(gaps, Gap{"criterion " + k.Criterion, Words(string(k.Decision)), k.Because})
		}
	}
	for _, g := range d.Plan.Goals {
		if !said[g.ID] && !slices.ContainsFunc(d.Goals, func(h dossier.Goal) bool { return h.ID == g.ID }) {
			gaps = append(gaps, Gap{"goal: " + g.Title, "not assessed", "not claimed, and no criterion speaks of it"})
		}
	}
	return gaps
}

func goalTitle(titles map[string]string, id string) string {
	if t := titles[id]; t != "" {
		return t
	}
	return id
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
	case !s.Switchable:
		return "cannot be switched off, so its effect was not measured"
	}
	return "switchable, but no probe compared it on and off in this run"
}
