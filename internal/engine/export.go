package engine

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/dataset"
	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/evidence"
	"github.com/assize/assize/internal/ledger"
	"github.com/assize/assize/internal/probes/suite"
	"github.com/assize/assize/internal/result"
	"github.com/assize/assize/internal/verify"
	"github.com/assize/assize/internal/worker"
)

// ExportOptions are what the receiver of a dossier decides. Options.Target is
// the folder with model and data; "" is the one that holds the dossier.
type ExportOptions struct {
	Options
	Dossier string
	Key     *ledger.Verifier // trusted by the receiver; nil takes the dossier's own
	Out     string           // file to write; "" is adversarial.csv or adversarial.npz
	Format  string           // csv or npz; "" is that of the target's test data
}

// Exported says what an export of adversarial rows holds and where it comes
// from. It is written beside the rows, as JSON.
type Exported struct {
	Format      int                 `json:"format"`
	Tool        string              `json:"tool"`
	About       string              `json:"about"`
	Privacy     string              `json:"privacy"`
	Target      string              `json:"target"`
	Version     string              `json:"version"`
	Run         string              `json:"run"`     // of the dossier
	Dossier     artefact.Digest     `json:"dossier"` // of its dossier.json
	Key         string              `json:"key"`     // that signed it
	Artefacts   []artefact.Artefact `json:"artefacts"`
	SolutionsOn []string            `json:"solutions_on"`
	ThreatModel map[string]any      `json:"threat_model"` // norm, epsilon and unit
	Files       []ExportedFile      `json:"files"`
	Attacks     []ExportedAttack    `json:"attacks"`
	// Attacked is how many rows at least one of Attacks worked on.
	Attacked int `json:"rows_attacked"`
	// Confirmed is how many of Rows the system, asked again on this machine, decides otherwise when changed.
	Confirmed int           `json:"rows_confirmed"`
	LeftOut   []string      `json:"left_out"`
	Rows      []ExportedRow `json:"rows"`

	folder string // where Files are
}

// ExportedFile is a file of an export.
type ExportedFile struct {
	Name   string          `json:"name"`
	Holds  string          `json:"holds"`
	Digest artefact.Digest `json:"digest"`
}

// ExportedAttack is an attack whose rows were read.
type ExportedAttack struct {
	Observation string `json:"observation"`
	Probe       string `json:"probe"`
	Version     int    `json:"version"`
	Rows        int    `json:"rows"` // exported with its change, which is the nearest
}

// ExportedRow is one row that broke the model, in the order of the files.
type ExportedRow struct {
	Row      int     `json:"row"` // of the test data, from 0
	Label    string  `json:"label"`
	Attack   string  `json:"attack"`
	Distance float64 `json:"distance"` // in the threat model's norm and unit
	Before   string  `json:"decision_before"`
	After    string  `json:"decision_after"`

	changed []float32
}

// export is an export under way.
type export struct {
	*ExportOptions
	*prepared
	d       *dossier.Dossier
	out     *Exported
	shape   []int
	orig    []float32
	label   string // name of the label's column or array
	columns []string
}

// ExportAdversarial verifies a dossier and writes the rows that broke its model,
// each with the nearest change that any attack found within the threat model, as a data set in the
// form of the target's own. Every row is read back from what was written and decided again. A nil result
// without an error is that no row was broken.
func ExportAdversarial(ctx context.Context, o ExportOptions) (*Exported, error) {
	d, err := verified(ctx, o.Dossier, o.Key)
	if err != nil {
		return nil, err
	}
	x := &export{ExportOptions: &o, d: d}
	if x.Target, err = targetOf(o.Dossier, o.Target); err != nil {
		return nil, fmt.Errorf("export rows: %w", err)
	}
	if err := checkOverrides(d, x.Overrides); err != nil {
		return nil, fmt.Errorf("export rows: %w", err)
	}
	_, wrong, err := differing(ctx, d, x.Target, x.Overrides)
	if err != nil {
		return nil, err
	}
	if len(wrong) > 0 {
		return nil, fmt.Errorf("export rows: these are not the files that the dossier was made on: %s", strings.Join(wrong, "; "))
	}
	t, err := openTarget(ctx, x.Target, x.Overrides, x.Cap)
	if err != nil {
		return nil, err
	}
	if t.setup.Data == nil {
		return nil, errors.New("export rows: the manifest names no test data")
	}
	x.prepared = &prepared{target: t, forecast: &Forecast{}}
	if err := x.about(ctx); err != nil {
		return nil, err
	}
	if err := x.collect(); err != nil {
		return nil, err
	}
	if len(x.out.Rows) == 0 {
		return nil, nil
	}
	t.setup.MemoryBytes, t.setup.CPUSeconds = 1<<30, 24*3600
	if err := x.openModel(ctx, &x.Options); err != nil {
		return nil, err
	}
	if t.plan.ModelError != "" {
		return nil, fmt.Errorf("export rows: open model: %s", t.plan.ModelError)
	}
	if err := x.originals(ctx); err != nil {
		return nil, err
	}
	return x.out, x.write(ctx)
}

// about fills in where the rows come from.
func (x *export) about(ctx context.Context) error {
	digest, err := dossierDigest(ctx, x.ExportOptions.Dossier)
	if err != nil {
		return err
	}
	x.out = &Exported{
		Format: 1, Tool: x.Tool, Target: x.d.Target.Name, Version: x.d.Target.Version, Run: x.d.Run, Dossier: digest, Key: x.d.Log.Key,
		Artefacts: x.d.Artefacts, SolutionsOn: []string{}, LeftOut: []string{}, Attacks: []ExportedAttack{}, Rows: []ExportedRow{},
		About: "Rows of the test data that an attack changed, within the threat model and the domain, so that somebody gains another decision. " +
			"Of each row it is the nearest change that any of the attacks found. A version of the model that decides them by their labels has not become robust by that: attacks look anew at every model.",
		Privacy: "These files hold rows of the target's data. Whoever may not see the test data may not see them.",
	}
	return nil
}

// collect finds the nearest change of every row that was broken.
func (x *export) collect() error {
	for _, f := range x.domain.Features {
		x.columns = append(x.columns, f.Name)
	}
	found, err := findChanges(x.d, x.columns, func(o *evidence.Observation) (*result.Rows, error) {
		return verify.Rows(x.ExportOptions.Dossier, o)
	})
	switch {
	case err != nil:
		return err
	case len(found.attacks) == 0 && found.redacted > 0:
		return fmt.Errorf("export rows: the dossier was redacted: the rows of %d attacks were left out of it\nhint: ask whoever ran the assessment for the whole dossier", found.redacted)
	case len(found.attacks) == 0:
		return errors.New("export rows: no attack of this dossier was measured that keeps the rows that it changed\nhint: the attacks that do so need a decision rule and labelled test data; assize plan TARGET says what runs and what does not")
	case found.redacted > 0:
		x.out.LeftOut = append(x.out.LeftOut, fmt.Sprintf("the rows of %d attacks were left out of this dossier by redaction", found.redacted))
	}
	for _, o := range found.without {
		x.out.LeftOut = append(x.out.LeftOut, fmt.Sprintf("%s %s keeps no changed rows", o.ID, o.Probe))
	}
	first := found.attacks[0].o
	x.out.SolutionsOn = first.SolutionsOn
	x.out.ThreatModel = map[string]any{"norm": first.Parameters["norm"], "epsilon": first.Parameters["epsilon"], "unit": first.Parameters["unit"]}
	x.out.Rows, x.out.Attacked = found.nearest()
	for _, a := range found.attacks {
		x.out.Attacks = append(x.out.Attacks, ExportedAttack{Observation: a.o.ID, Probe: a.o.Probe, Version: a.o.Version, Rows: a.won})
	}
	return nil
}

// originals reads the rows as they were, with their labels, and decides them.
func (x *export) originals(ctx context.Context) error {
	index := make([]int, len(x.out.Rows))
	for i, r := range x.out.Rows {
		index[i] = r.Row
	}
	spec := *x.setup.Data
	x.label = spec.Label
	table, err := dataset.Select(ctx, spec, index)
	if err != nil {
		return err
	}
	x.orig, x.shape = table.X, table.Shape
	// Labels are written as the file writes them, where it writes numbers.
	plain := spec
	plain.Classes = nil
	written, err := dataset.Select(ctx, plain, index)
	for i := range x.out.Rows {
		r := &x.out.Rows[i]
		switch {
		case err == nil && len(written.YValue) == len(index):
			r.Label = number(written.YValue[i])
		case len(table.Y) == len(index) && table.Y[i] < len(spec.Classes):
			r.Label = spec.Classes[table.Y[i]]
		default:
			return fmt.Errorf("export rows: row %d of the test data has no label", r.Row)
		}
	}
	decisions, err := x.decide(ctx, &spec, index)
	for i := range decisions {
		x.out.Rows[i].Before = decisions[i]
	}
	return err
}

// number writes a label that is a number.
func number(v float64) string {
	if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprint(v)
}

// decide asks the system, in a confined worker and with the solutions that were on,
// for its decision on rows of a data set, and names each.
func (x *export) decide(ctx context.Context, data *dataset.Spec, index []int) ([]string, error) {
	const by = "performance/classification"
	probe, ok := suite.Find(suite.All(), by)
	if !ok {
		return nil, fmt.Errorf("export rows: this build has no probe %s", by)
	}
	setup := x.setup
	setup.Data, setup.Recorded, setup.Sets, setup.Records = data, nil, nil, nil
	w, err := worker.Start(ctx, x.Command, setup)
	if err != nil {
		return nil, err
	}
	defer w.Close()
	done, err := w.Run(ctx, probe, &worker.Job{Probe: by, Params: map[string]any{"rows": float64(len(index))}, Solutions: x.out.SolutionsOn, Index: index, Seed: make([]byte, 32)}, func(float64) {})
	if err != nil {
		return nil, err
	}
	if done.Error != "" {
		return nil, fmt.Errorf("export rows: decide them again: %s", done.Error)
	}
	decided, names := done.Rows.Column("decision"), make([]string, len(index))
	if len(decided) != len(index) {
		return nil, fmt.Errorf("export rows: decide them again: %d decisions came back for %d rows", len(decided), len(index))
	}
	outcomes := x.plan.Facts.Outcomes
	for i, row := range done.Rows.Index {
		at := slices.Index(index, row)
		switch d := int(decided[i]); {
		case d == -1:
			names[at] = "refused"
		case d >= 0 && d < len(outcomes):
			names[at] = outcomes[d]
		default:
			names[at] = "unusable"
		}
	}
	return names, nil
}
