package engine

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/catalogue"
	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/judge"
	"github.com/assize/assize/internal/ledger"
	"github.com/assize/assize/internal/manifest"
	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/plan"
	"github.com/assize/assize/internal/planner"
	"github.com/assize/assize/internal/probes/suite"
	"github.com/assize/assize/internal/verify"
	"github.com/assize/assize/internal/witness/stamp"
)

// Rejudged is the evidence of a dossier under criteria of somebody else.
type Rejudged struct {
	Format   int                   `json:"format"`
	Run      string                `json:"run"`      // whose evidence it is
	Evidence artefact.Digest       `json:"evidence"` // digest of the dossier's files.json, which binds all of it
	File     string                `json:"criteria_file"`
	Digest   artefact.Digest       `json:"criteria_digest"`
	Criteria []catalogue.Criterion `json:"criteria"`
	Claims   []string              `json:"claims"`

	Decisions []dossier.Decision `json:"decisions"`
	Goals     []dossier.Goal     `json:"goals"`
	Summary   dossier.Summary    `json:"summary"`
	// Needed is the evidence that the criteria ask for and the dossier lacks: what would have to be run.
	Needed []Needed `json:"needed"`

	// Dossier is the evidence with these decisions in place of its own, for reports.
	Dossier *dossier.Dossier `json:"-"`
}

// Needed is evidence that is not there.
type Needed struct {
	Criterion string `json:"criterion"`
	Goal      string `json:"goal"`
	Probe     string `json:"probe"`
	Metric    string `json:"metric"`
	Why       string `json:"why"`            // it is not there, or does not decide
	Rows      int    `json:"rows,omitempty"` // that the probe would work on at the dossier's depth; 0: not row by row, or not known
}

// RejudgeOptions are whose criteria decide on which dossier.
type RejudgeOptions struct {
	Dossier   string
	Key       *ledger.Verifier // trusted by the caller; nil takes the dossier's own
	Criteria  string           // file of criteria, as criteria.yaml of the catalogue
	Claims    []string         // goals; none takes those that the criteria speak of
	KeyFolder string           // holds the catalogue in use
}

// Rejudge verifies a dossier and decides on its evidence by the criteria of a
// file in place of its own. The dossier stays as it is.
func Rejudge(ctx context.Context, o RejudgeOptions) (*Rejudged, error) {
	d, err := verified(ctx, o.Dossier, o.Key)
	if err != nil {
		return nil, err
	}
	list, err := os.ReadFile(filepath.Join(o.Dossier, dossier.FilesName))
	if err != nil {
		return nil, err
	}
	r := &Rejudged{Format: dossier.Format, Run: d.Run, Evidence: artefact.DigestBytes(list), File: filepath.Base(o.Criteria), Needed: []Needed{}}
	if r.Digest, _, err = artefact.DigestOf(ctx, o.Criteria); err != nil {
		return nil, fmt.Errorf("read criteria: %w", err)
	}
	c, err := theirs(o)
	if err != nil {
		return nil, err
	}
	p := d.Plan.Plan
	if p.Criteria, err = planner.Criteria(described(d), c); err != nil {
		return nil, &Refusal{err}
	}
	if p.Claims, err = claimed(o.Claims, c); err != nil {
		return nil, err
	}
	p.Goals = nil
	for _, g := range c.Goals {
		p.Goals = append(p.Goals, plan.Goal{ID: g.ID, Title: g.Title, Claimed: slices.Contains(p.Claims, g.ID)})
	}
	p.LeftOut = slices.DeleteFunc(slices.Clone(p.LeftOut), func(l plan.LeftOut) bool { return l.Probe == "" })
	r.Criteria, r.Claims = p.Criteria, p.Claims
	r.Decisions = judge.Decide(&p, d.Observations)
	r.Goals = judge.Goals(&p, r.Decisions)
	r.Summary = judge.Summarise(&p, r.Decisions, r.Goals)
	r.Summary.Caveats = append([]string{fmt.Sprintf(
		"judged by the criteria in %s (%s) and not by those that were logged before the run; whoever wrote them could know the evidence", r.File, r.Digest.Short())},
		r.Summary.Caveats...)
	r.need(&p)
	again := *d
	again.Plan.Plan, again.Decisions, again.Goals, again.Summary = p, r.Decisions, r.Goals, r.Summary
	r.Dossier = &again
	return r, nil
}

// verified reads a dossier that verifies.
func verified(ctx context.Context, dir string, key *ledger.Verifier) (*dossier.Dossier, error) {
	v, err := verify.Trusting(ctx, dir, verify.Trust{Key: key, Tool: dossier.Tool, Stamp: stamp.Checker(nil)})
	if err != nil {
		return nil, err
	}
	if i := slices.IndexFunc(v.Checks, func(c verify.Check) bool { return !c.OK }); i >= 0 {
		return nil, fmt.Errorf("read dossier %q: it does not verify: %s: %s\nhint: assize verify %s says more", dir, v.Checks[i].Name, v.Checks[i].Detail, dir)
	}
	return dossier.Read(dir)
}

// theirs is the catalogue with the criteria of the file alone, held to the catalogue's lint.
func theirs(o RejudgeOptions) (*catalogue.Catalogue, error) {
	t, err := catalogue.Open(catalogue.Options{Pack: catalogue.InUse(o.KeyFolder), Criteria: o.Criteria})
	if err != nil {
		return nil, &Refusal{err}
	}
	if err := lint(t, o.Criteria); err != nil {
		return nil, err
	}
	c, err := t.Catalogue()
	if err != nil {
		return nil, &Refusal{err}
	}
	c.Criteria = slices.DeleteFunc(c.Criteria, func(k catalogue.Criterion) bool { return !k.Added })
	for i := range c.Criteria {
		k := &c.Criteria[i]
		k.Added = false // all are theirs: the caveat on rejudging says so
		switch {
		case k.SetBy != "assessor":
			return nil, &Refusal{fmt.Errorf("read criteria: %s: criterion %q: set_by is %q\nhint: whoever judges again is the assessor: write set_by: assessor, and say under source where the level comes from", c.Place(k.ID), k.ID, k.SetBy)}
		case k.Kind == catalogue.Declared:
			return nil, &Refusal{fmt.Errorf("read criteria: %s: criterion %q: a declared level is the provider's\nhint: write kind: budget and a level of your own", c.Place(k.ID), k.ID)}
		}
	}
	return c, nil
}

// described is what a dossier says of its target, for the conditions of criteria.
// What it does not say of the model is unknown, and exempts from nothing.
func described(d *dossier.Dossier) planner.Target {
	t := planner.Target{Manifest: &manifest.Manifest{Target: d.Target}, Artefacts: d.Artefacts, Depth: d.Plan.Depth, Facts: measure.Facts{TestRows: d.Plan.TestRows}}
	for _, it := range d.Plan.Items {
		if probe, ok := suite.Find(suite.All(), it.Probe); ok {
			t.Labelled = t.Labelled || probe.Needs.Labels
			if probe.Needs.Recorded {
				t.RecordedName = it.Probe
			}
		}
	}
	return t
}

func claimed(wanted []string, c *catalogue.Catalogue) ([]string, error) {
	claims := []string{}
	for _, g := range wanted {
		if _, ok := c.Goal(g); !ok {
			return nil, &Refusal{fmt.Errorf("claim %q: there is no such goal\nhint: goals are %s", g, strings.Join(c.GoalIDs(), ", "))}
		}
		if !slices.Contains(claims, g) {
			claims = append(claims, g)
		}
	}
	for _, k := range c.Criteria {
		if len(wanted) == 0 && !slices.Contains(claims, k.Goal) {
			claims = append(claims, k.Goal)
		}
	}
	return claims, nil
}

// need lists what would have to be run for every criterion to decide.
func (r *Rejudged) need(p *plan.Plan) {
	for i, d := range r.Decisions {
		if d.Decision != dossier.NotAssessed && d.Decision != dossier.Inconclusive {
			continue
		}
		n := Needed{Criterion: d.Criterion, Goal: d.Goal, Metric: d.Metric, Why: d.Because}
		if d.Missing != "" {
			n.Why += "; missing: " + d.Missing
		}
		if i < len(p.Criteria) {
			n.Probe = p.Criteria[i].Probe
		}
		if probe, ok := suite.Find(suite.All(), n.Probe); ok && probe.Rows != nil {
			params := measure.Params{}
			for _, d := range probe.Params {
				params[d.Name] = d.Default(p.Depth)
			}
			n.Rows = probe.Rows(measure.Scope{TestRows: p.TestRows, Params: params})
			if !probe.Cases {
				n.Rows = min(n.Rows, p.TestRows)
			}
		}
		r.Needed = append(r.Needed, n)
	}
}
