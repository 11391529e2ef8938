package catalogue

import (
	"fmt"
	"math"
	"slices"
)

// Lint checks that ids are unique, that every reference resolves, that
// enumerations are closed, and that nothing is left without its counterpart.
// It returns every fault, one line each.
func (c *Catalogue) Lint() []string {
	var faults []string
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	threats, goals, seen := map[string]int{}, map[string]bool{}, map[string]bool{}
	unique := func(kind, id string) {
		if id == "" || seen[kind+id] {
			fault("%s %q: empty or doubled id", kind, id)
		}
		seen[kind+id] = true
	}
	for _, t := range c.Threats {
		unique("threat", t.ID)
		threats[t.ID] = 0
		for _, h := range t.Harms {
			if !slices.Contains([]string{"confidentiality", "integrity", "availability"}, h) {
				fault("threat %q: harms %q", t.ID, h)
			}
		}
		if t.Title == "" || t.Text == "" || len(t.Harms) == 0 || len(t.Stages) == 0 || t.Names["enisa"] == "" || t.Names["ai_act"] == "" {
			fault("threat %q: incomplete", t.ID)
		}
	}
	for _, g := range c.Goals {
		unique("goal", g.ID)
		goals[g.ID] = true
		if len(g.Threats) == 0 || g.Title == "" || g.Text == "" {
			fault("goal %q: incomplete or without a threat", g.ID)
		}
		for _, t := range g.Threats {
			if _, ok := threats[t]; !ok {
				fault("goal %q: unknown threat %q", g.ID, t)
			}
			threats[t]++
		}
	}
	for id, n := range threats {
		if n == 0 {
			fault("threat %q: no goal answers it", id)
		}
	}
	for _, s := range c.Solutions {
		unique("solution", s.ID)
		if s.Kind != "technical" && s.Kind != "organisational" || len(s.Goals) == 0 {
			fault("solution %q: kind %q, %d goals", s.ID, s.Kind, len(s.Goals))
		}
		for _, g := range s.Goals {
			if !goals[g] {
				fault("solution %q: unknown goal %q", s.ID, g)
			}
		}
	}
	for _, k := range c.Criteria {
		unique("criterion", k.ID)
		for _, f := range k.faults(goals) {
			fault("%s: criterion %q: %s", c.Place(k.ID), k.ID, f)
		}
	}
	slices.Sort(faults)
	return faults
}

func (k *Criterion) faults(goals map[string]bool) []string {
	var f []string
	if !goals[k.Goal] {
		f = append(f, fmt.Sprintf("unknown goal %q", k.Goal))
	}
	if k.Probe == "" || k.Metric == "" || k.Why == "" || len(k.Cites) == 0 {
		f = append(f, "incomplete: it needs probe, metric, why and cites")
	}
	if k.Version < 1 {
		f = append(f, fmt.Sprintf("version %d: count from 1", k.Version))
	}
	if k.Source == "" {
		f = append(f, "no source: say where the level comes from")
	}
	if k.Confidence != 0 && !(k.Confidence >= 0.5 && k.Confidence < 1) {
		f = append(f, fmt.Sprintf("confidence %g: from 0.5 to below 1", k.Confidence))
	}
	for depth, level := range k.Level {
		if !slices.Contains(Depths(), depth) || math.IsNaN(level) || math.IsInf(level, 0) {
			f = append(f, fmt.Sprintf("level %s: %g: a number for each of quick, standard and thorough", depth, level))
		}
	}
	if k.Compare != AtLeast && k.Compare != AtMost {
		f = append(f, fmt.Sprintf("compare %q", k.Compare))
	}
	if !slices.Contains(SetBys(), k.SetBy) {
		f = append(f, fmt.Sprintf("set_by %q", k.SetBy))
	}
	switch k.Kind {
	case Declared:
		if k.Declared == "" || len(k.Level) != 0 {
			f = append(f, "a declared criterion names the manifest's key and has no level of its own")
		}
	case Absolute, Budget:
		for _, depth := range Depths() {
			if _, ok := k.Level[depth]; !ok {
				f = append(f, "no level for depth "+depth)
			}
		}
	default:
		f = append(f, fmt.Sprintf("kind %q", k.Kind))
	}
	return f
}
