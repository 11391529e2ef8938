// Package planner decides which probes run on a target, with which
// parameters, in which order and at what cost, and says why others do not.
package planner

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/catalogue"
	"github.com/assize/assize/internal/manifest"
	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/model"
	"github.com/assize/assize/internal/plan"
	"github.com/assize/assize/internal/result"
)

// Target is what is known of a target before anything is measured.
type Target struct {
	Manifest  *manifest.Manifest
	Artefacts []artefact.Artefact
	Facts     measure.Facts
	Depth     string
	Tool      string

	ModelName    string // artefacts by name; empty where there is none
	Served       bool   // the model is behind an endpoint
	TestName     string
	RecordedName string
	Labelled     bool
	HasDomain    bool
	SetNames     []string // data sets that probes can read whole
	HasTrees     bool     // an operator of the model is a tree ensemble
	NoGradient   string   // why the model cannot be differentiated
	Guessed      bool     // the domain was guessed or nobody confirmed it
	ModelError   string   // why the model does not open
	NoData       string   // why there are no test rows
}

// Make plans an assessment. An error means that the manifest asks for
// something that does not exist.
func Make(t Target, c *catalogue.Catalogue, probes []measure.Probe) (*plan.Plan, error) {
	p := &plan.Plan{
		Format: 1, Tool: t.Tool, Target: t.Manifest.Target.Name, Version: t.Manifest.Target.Version,
		Depth: t.Depth, Manifest: t.Manifest.Digest, Catalogue: c.Digest, Artefacts: t.Artefacts,
		Claims: t.Manifest.Claims, TestRows: t.Facts.TestRows, Guessed: t.Guessed, ModelError: t.ModelError,
		LeftOut: []plan.LeftOut{}, Items: []plan.Item{},
	}
	for _, o := range t.Manifest.Overrides {
		out := plan.Override{Name: o.Name, File: o.File, Digest: o.Digest, SetBy: catalogue.SetByAssessor, LeftOut: o.LeftOut}
		for _, a := range t.Artefacts {
			if o.Name != "" && a.Name == o.Name {
				out.Digest = a.Digest
			}
		}
		p.Overrides = append(p.Overrides, out)
	}
	if p.Claims == nil {
		p.Claims = []string{} // in JSON a list, never null
	}
	if err := checkGoals(t.Manifest, c); err != nil {
		return nil, err
	}
	for _, g := range c.Goals {
		p.Goals = append(p.Goals, plan.Goal{ID: g.ID, Title: g.Title, Claimed: slices.Contains(p.Claims, g.ID)})
	}
	var err error
	if p.Criteria, err = Criteria(t, c); err != nil {
		return nil, err
	}
	order, err := sortProbes(probes)
	if err != nil {
		return nil, err
	}
	for _, probe := range order {
		state, reason := unmet(t, probe, p)
		if reason == "" && probe.Joins() {
			state, reason = unfed(p, probes, probe)
		}
		if reason != "" {
			p.LeftOut = append(p.LeftOut, plan.LeftOut{Probe: probe.ID, State: string(state), Reason: reason})
			continue
		}
		if err := addItems(p, t, probe, probes); err != nil {
			return nil, err
		}
	}
	for _, claim := range p.Claims {
		if state, reason := unanswered(p, c, claim); reason != "" {
			p.LeftOut = append(p.LeftOut, plan.LeftOut{Goal: claim, State: string(state), Reason: reason})
		}
	}
	return p, nil
}

// checkGoals refuses goals and solution types that the catalogue does not know.
func checkGoals(m *manifest.Manifest, c *catalogue.Catalogue) error {
	known := c.GoalIDs()
	check := func(where, id string) error {
		if slices.Contains(known, id) {
			return nil
		}
		return fmt.Errorf("plan %q: %s: unknown goal %q\nhint: goals are %s", m.Target.Name, where, id, strings.Join(known, ", "))
	}
	for _, id := range m.Claims {
		if err := check("claims", id); err != nil {
			return err
		}
	}
	for _, s := range m.Solutions {
		for _, id := range s.Goals {
			if err := check(fmt.Sprintf("solution %q", s.Name), id); err != nil {
				return err
			}
		}
		i := slices.IndexFunc(c.Solutions, func(t catalogue.SolutionType) bool { return t.ID == s.Type })
		if i < 0 {
			var types []string
			for _, t := range c.Solutions {
				types = append(types, t.ID)
			}
			return fmt.Errorf("plan %q: solution %q: unknown type %q\nhint: types are %s", m.Target.Name, s.Name, s.Type, strings.Join(types, ", "))
		}
		if effect := c.Solutions[i].Effect; s.Baseline != "" && effect != againstBaseline {
			return fmt.Errorf("plan %q: solution %q: type %s has no baseline; its effect is measured %s\nhint: delete baseline", m.Target.Name, s.Name, s.Type, effect)
		}
		if _, remote := m.Served(); remote && s.Baseline != "" {
			return fmt.Errorf("plan %q: solution %q: an endpoint is assessed, and a file is no baseline of it\nhint: assess the model's file, or delete baseline", m.Target.Name, s.Name)
		}
		if s.Switchable && !model.CanSwitch(s.Type) {
			return fmt.Errorf("plan %q: solution %q: type %s cannot be switched by assize\nhint: remove switchable, its effect is then said to be unmeasured", m.Target.Name, s.Name, s.Type)
		}
	}
	return nil
}

// Criteria settles the threshold of every criterion that there is a level for,
// and whether it applies.
func Criteria(t Target, c *catalogue.Catalogue) ([]catalogue.Criterion, error) {
	used := map[string]bool{}
	out := []catalogue.Criterion{}
	on := &conditions{facts: factsOf(t)}
	for _, k := range c.Criteria {
		if err := on.settle(&k, c.Place(k.ID)); err != nil {
			return nil, err
		}
		if k.Kind != catalogue.Declared {
			level := k.Level[t.Depth]
			k.Threshold, k.Level = &level, nil
			out = append(out, k)
			continue
		}
		used[k.Declared] = true
		level, ok := t.Manifest.Declared[k.Declared]
		if !ok {
			continue
		}
		bound := level.AtLeast
		if k.Compare == catalogue.AtMost {
			bound = level.AtMost
		}
		if bound == nil || level.AtLeast != nil && level.AtMost != nil {
			return nil, fmt.Errorf("plan %q: declared.%s: it is judged by %s alone\nhint: write %s: {%s: …}", t.Manifest.Target.Name, k.Declared, k.Compare, k.Declared, k.Compare)
		}
		k.Threshold = bound
		out = append(out, k)
	}
	for _, name := range slices.Sorted(maps.Keys(t.Manifest.Declared)) {
		if !used[name] {
			known := strings.Join(slices.Sorted(maps.Keys(used)), ", ")
			return nil, fmt.Errorf("plan %q: declared.%s: no criterion reads this level\nhint: levels that can be declared are %s", t.Manifest.Target.Name, name, known)
		}
	}
	return out, nil
}

// sortProbes puts probes behind those that they require, else keeps their order.
func sortProbes(probes []measure.Probe) ([]*measure.Probe, error) {
	var order []*measure.Probe
	placed := map[string]bool{}
	for len(order) < len(probes) {
		before := len(order)
		for i := range probes {
			p := &probes[i]
			waits := slices.ContainsFunc(probes, func(q measure.Probe) bool { return q.Feeds == p.ID && !placed[q.ID] })
			if !placed[p.ID] && !waits && !slices.ContainsFunc(p.Requires, func(id string) bool { return !placed[id] }) {
				order, placed[p.ID] = append(order, p), true
			}
		}
		if len(order) == before {
			return nil, fmt.Errorf("plan: probes require one another in a circle, or one that is not there")
		}
	}
	return order, nil
}

// unmet says which need of a probe the target does not meet.
func unmet(t Target, p *measure.Probe, so *plan.Plan) (result.State, string) {
	n := p.Needs
	switch {
	case (n.Model || n.Files) && t.ModelName == "":
		return result.NotAvailable, "the manifest names no model"
	case n.Served && !t.Served:
		return result.NotApplicable, "the model is a file, and no endpoint is asked"
	case n.Files && t.Served && !slices.ContainsFunc(t.Artefacts, func(a artefact.Artefact) bool { return a.Kind == artefact.Model }):
		return result.NotAvailable, "the model is served, and the manifest names no file of it"
	case n.Model && t.ModelError != "":
		return result.NotAvailable, "the model does not open: " + firstLine(t.ModelError)
	case n.Trees && !t.HasTrees:
		return result.NotApplicable, "the model holds no tree ensemble"
	case n.Sets && len(t.SetNames) == 0:
		return result.NotAvailable, "the manifest names no data set"
	case n.Gradients && t.NoGradient != "":
		return result.NotApplicable, "white-box attacks need a gradient: " + firstLine(t.NoGradient)
	case n.Layout == "columns" && t.Facts.Layout != "" && t.Facts.Layout != n.Layout:
		return result.NotApplicable, "it is about the fields of a table, and the rows are images"
	case n.Layout == "image" && t.Facts.Layout == "columns":
		return result.NotApplicable, "it is about images, and the rows are those of a table"
	case n.Data && t.TestName == "":
		return result.NotAvailable, "the manifest names no data set beside the training data"
	case n.Data && t.NoData != "":
		return result.NotAvailable, firstLine(t.NoData)
	case n.Labels && !t.Labelled:
		return result.NotAvailable, "the test data has no labels"
	case n.Recorded && t.RecordedName == "" && slices.ContainsFunc(so.Overrides, func(o plan.Override) bool { return len(o.LeftOut) > 0 }):
		return result.NotAvailable, "the recorded outputs were recorded on data that the assessor replaced"
	case n.Recorded && t.RecordedName == "":
		return result.NotAvailable, "the manifest names no recorded outputs of the deployed system"
	case n.Records && len(logs(t.Manifest)) == 0:
		return result.NotAvailable, "the manifest declares no operating log among its records"
	case n.Domain && !t.HasDomain:
		return result.NotAvailable, "there is no domain, and it cannot be guessed without data"
	case n.Scores && t.Facts.OutputKind == string(model.Label):
		return result.NotApplicable, "the model gives labels alone, and it follows scores"
	case n.Value && t.Facts.Rule != model.NoRule:
		return result.NotApplicable, "the system decides by a rule and gives no number that is used as it is"
	case n.Rule && t.Facts.Rule != model.Cutoff && t.Facts.OutputKind == string(model.Score):
		return result.NotApplicable, "the model gives a score on a scale of its own and no rule turns it into classes"
	case n.Gain && len(t.Facts.Favourable) == 0:
		return result.NotApplicable, "the manifest names no favourable outcome under decision.favourable, so nobody has one to gain"
	}
	for _, id := range p.Requires {
		if !slices.ContainsFunc(so.Items, func(i plan.Item) bool { return i.Probe == id }) {
			return result.NotAvailable, fmt.Sprintf("it reads the result of %s, which is not measured", id)
		}
	}
	return "", ""
}

// addItems plans one run of a probe with the deployed system's solutions on
// and, where the probe asks for it, one with the switchable ones off and, when thorough, one
// with each of them alone.
func addItems(p *plan.Plan, t Target, probe *measure.Probe, probes []measure.Probe) error {
	params, err := parameters(t, probe)
	if err != nil {
		return err
	}
	scope := measure.Scope{TestRows: t.Facts.TestRows, Width: t.Facts.Width, Classes: t.Facts.Classes, Trees: t.HasTrees, Params: params}
	on, off, alone, built := chains(t.Manifest, probe.Again)
	runs := [][]string{on}
	switch {
	case !probe.Needs.Model:
		runs = [][]string{{}}
	case probe.Switch && len(alone) > 0:
		runs = append(runs, off)
		switch {
		case len(alone) == 1:
		case t.Depth == "thorough":
			runs = append(runs, alone...)
		case built != nil: // how the model was made is shown apart from what was put around it
			runs = append(runs, built)
		}
	}
	for i, chain := range runs {
		item := plan.Item{
			ID: fmt.Sprintf("i-%d", len(p.Items)+1), Probe: probe.ID, Version: probe.Version, Goals: probe.Goals,
			Parameters: params, Solutions: chain, Deployed: i == 0, Paired: probe.Paired, Inputs: inputs(t, probe, chain),
		}
		if probe.Rows != nil {
			item.Rows = probe.Rows(scope)
			if !probe.Cases {
				item.Rows = min(item.Rows, t.Facts.TestRows)
			}
		}
		if probe.Queries != nil {
			item.Queries = probe.Queries(scope) * copies(t.Manifest, chain)
		}
		for _, id := range probe.Requires {
			item.After = append(item.After, requirement(p.Items, id, chain))
		}
		for _, f := range probes {
			if f.Feeds == probe.ID {
				item.After = append(item.After, exactly(p.Items, f.ID, chain)...)
			}
		}
		p.Items = append(p.Items, item)
	}
	return nil
}

// copies is how many rows are asked of the model for one that is put to the system:
// a solution that is on may ask it for noisy copies.
func copies(m *manifest.Manifest, chain []string) int {
	for _, s := range m.Solutions {
		if s.Draws != nil && slices.Contains(chain, s.Name) {
			return *s.Draws
		}
	}
	return 1
}

// unfed says why a probe that joins others has nothing to join.
func unfed(p *plan.Plan, probes []measure.Probe, probe *measure.Probe) (result.State, string) {
	var why *plan.LeftOut
	for _, f := range probes {
		if f.Feeds != probe.ID {
			continue
		}
		if slices.ContainsFunc(p.Items, func(i plan.Item) bool { return i.Probe == f.ID }) {
			return "", ""
		}
		for i := range p.LeftOut {
			if p.LeftOut[i].Probe == f.ID && why == nil {
				why = &p.LeftOut[i]
			}
		}
	}
	if why == nil {
		return result.NotAvailable, "there is nothing for it to join"
	}
	return result.State(why.State), fmt.Sprintf("nothing that it joins can run; %s: %s", why.Probe, why.Reason)
}

// exactly finds the runs of a probe with just these solutions on.
func exactly(items []plan.Item, probe string, chain []string) []string {
	var ids []string
	for _, i := range items {
		if i.Probe == probe && slices.Equal(i.Solutions, chain) {
			ids = append(ids, i.ID)
		}
	}
	return ids
}

// requirement finds the run of a required probe with the same solutions on, or else the deployed one.
func requirement(items []plan.Item, probe string, chain []string) string {
	found := ""
	for _, i := range items {
		if i.Probe == probe && (found == "" || slices.Equal(i.Solutions, chain)) {
			found = i.ID
		}
	}
	return found
}

// chains are the names of the solutions in the model's chain: as deployed,
// without those that can be switched off, and with one of these alone for each.
// Solutions that are part of the model go together: without them the run is on
// the baseline. built has them alone, and is nil where there is no baseline. Hysteresis is among them only
// for probes that ask about the same subject again.
func chains(m *manifest.Manifest, again bool) (on, off []string, alone [][]string, built []string) {
	on, off = []string{}, []string{}
	_, made := m.Baseline()
	solutions := slices.DeleteFunc(slices.Clone(m.Solutions), func(s manifest.Solution) bool { return s.Type == manifest.Hysteresis && !again })
	for _, s := range solutions {
		if !model.CanSwitch(s.Type) && s.Baseline == "" {
			continue
		}
		on = append(on, s.Name)
		if !s.Switchable && s.Baseline == "" {
			off = append(off, s.Name)
		}
	}
	with := func(names ...string) []string {
		return slices.DeleteFunc(slices.Clone(on), func(name string) bool {
			return !slices.Contains(names, name) && !slices.Contains(off, name)
		})
	}
	for _, s := range solutions {
		if model.CanSwitch(s.Type) && s.Switchable {
			alone = append(alone, with(s.Name))
		}
	}
	if made != nil {
		built = with(made...)
		alone = append(alone, built)
	}
	return on, off, alone, built
}

// againstBaseline is the catalogue's word for solutions that are part of the model.
const againstBaseline = "against a baseline artefact"

func inputs(t Target, p *measure.Probe, chain []string) []string {
	// A run is on the assessed model or on its baseline, and reads nothing of the other.
	other, made := t.Manifest.Baseline()
	if p.Needs.Model && made != nil && !slices.Contains(chain, made[0]) {
		other, t.ModelName = t.ModelName, other
	}
	names := []string{}
	add := func(name string, needed bool) {
		if needed && name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	add(t.ModelName, p.Needs.Model || p.Needs.Files && !t.Served)
	add(t.TestName, p.Needs.Data)
	add(t.RecordedName, p.Needs.Recorded)
	for _, name := range t.SetNames {
		add(name, p.Needs.Sets)
	}
	if p.Needs.Files || p.Needs.Artefacts {
		for _, a := range t.Artefacts {
			stranger := p.Needs.Model && other != "" && (a.Name == other || strings.HasPrefix(a.Name, other+"#"))
			add(a.Name, (p.Needs.Artefacts && a.Kind != artefact.Endpoint || a.Kind == artefact.Model) && !stranger)
		}
	}
	for _, name := range logs(t.Manifest) {
		add(name, p.Needs.Records)
	}
	return names
}

// logs are the names of the records that are operating logs.
func logs(m *manifest.Manifest) []string {
	var names []string
	for _, r := range m.Records {
		if r.Log != nil {
			names = append(names, r.Name)
		}
	}
	return names
}

// unanswered says why no decision can be made on a claimed goal.
func unanswered(p *plan.Plan, c *catalogue.Catalogue, goal string) (result.State, string) {
	var probes []string
	exempt := ""
	for _, k := range p.Criteria {
		if k.Goal != goal {
			continue
		}
		if k.NotApplicable != "" {
			exempt = k.NotApplicable
			continue
		}
		if slices.ContainsFunc(p.Items, func(i plan.Item) bool { return i.Probe == k.Probe }) {
			return "", ""
		}
		probes = append(probes, k.Probe)
	}
	if len(probes) > 0 {
		return result.NotAvailable, "what would measure it cannot run: " + strings.Join(slices.Compact(probes), ", ")
	}
	if exempt != "" {
		return result.NotApplicable, "none of its criteria applies: " + exempt
	}
	if slices.ContainsFunc(c.Criteria, func(k catalogue.Criterion) bool { return k.Goal == goal }) {
		return result.NotAvailable, "the manifest declares no level for it, and we set none"
	}
	return result.NotAvailable, "no probe of this version measures it"
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}
