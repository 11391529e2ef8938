package engine

import (
	"context"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/dataset"
	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/manifest"
	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/model"
	"github.com/assize/assize/internal/onnx"
	"github.com/assize/assize/internal/plan"
	"github.com/assize/assize/internal/planner"
	"github.com/assize/assize/internal/remote"
	"github.com/assize/assize/internal/tree"
	"github.com/assize/assize/internal/worker"
)

// target is a target as it lies on disk: everything that the planner and the workers need of it.
type target struct {
	dir       string
	manifest  *manifest.Manifest
	artefacts []artefact.Artefact
	domain    *model.Domain
	plan      planner.Target
	setup     worker.Setup
	foreign   []dossier.Foreign // what other tools found
	trees     bool              // a model holds a tree ensemble
	format    dataset.Format    // of the test data
	client    *remote.Client    // of a served model; nil where there is none
	served    *model.Served
	most      *plan.Cap // of what is sent to a served model; nil where there is none
}

// openTarget reads the manifest, digests the artefacts, and looks over the
// test data. Nothing of the target is run.
func openTarget(ctx context.Context, dir string, o manifest.Overrides, most plan.Cap) (*target, error) {
	m, err := manifest.LoadWith(ctx, dir, o)
	if err != nil {
		return nil, err
	}
	t := &target{dir: m.Dir, manifest: m}
	if t.artefacts, err = m.Resolve(ctx); err != nil {
		return nil, err
	}
	if err := t.readModels(ctx); err != nil {
		return nil, err
	}
	if a, ok := m.Served(); ok {
		t.artefacts = append(t.artefacts, artefact.Artefact{Name: a.Name, Kind: a.Kind, Of: a.Of})
	}
	if _, err := artefact.Trace(t.artefacts); err != nil {
		return nil, err
	}
	declared, err := m.BuildDomain()
	if err != nil {
		return nil, err
	}
	if t.most, err = capOf(m, most); err != nil {
		return nil, err
	}
	t.plan = planner.Target{Manifest: m, Depth: m.Depth, HasTrees: t.trees}
	if declared != nil {
		t.domain = &model.Domain{Features: declared.Features(), Relations: declared.Relations(), Confirmed: m.Domain.ConfirmedBy != nil}
	}
	if err := t.look(ctx); err != nil {
		return nil, err
	}
	if err := t.compareReplaced(ctx); err != nil {
		return nil, err
	}
	if err := t.findSets(); err != nil {
		return nil, err
	}
	if err := t.connect(ctx); err != nil {
		return nil, err
	}
	t.plan.Artefacts = t.artefacts
	t.specify()
	if err := t.readForeign(); err != nil {
		return nil, err
	}
	if t.setup.Records, err = operatingLogs(m, t.artefacts); err != nil {
		return nil, err
	}
	return t, nil
}

// readModels looks into the models: it says whether one holds trees, and makes
// artefacts of the files that a model keeps its tensors in, so that digests cover
// all of it. Those outside the folder, or missing, are left to the scan of the artefact.
func (t *target) readModels(ctx context.Context) error {
	baseline, _ := t.manifest.Baseline()
	for _, a := range slices.Clone(t.artefacts) {
		if a.Kind != artefact.Model {
			continue
		}
		full, err := t.manifest.Locate(a.Path)
		if err != nil {
			return err
		}
		file, err := onnx.ReadFile(ctx, full, onnx.DefaultLimits())
		if err != nil {
			t.trees = t.trees || a.Name != baseline && native(full)
			continue // the worker says why it does not open, and the scan
		}
		t.trees = t.trees || a.Name != baseline && slices.ContainsFunc(file.Operators(), func(o onnx.Operator) bool { return strings.HasPrefix(o.OpType, "TreeEnsemble") })
		seen := map[string]bool{}
		for _, ref := range file.ExternalData() {
			rel := path.Join(path.Dir(a.Path), ref.Location)
			if seen[rel] || !filepath.IsLocal(filepath.FromSlash(ref.Location)) {
				continue
			}
			seen[rel] = true
			beside, err := t.manifest.Locate(rel)
			if err != nil {
				continue
			}
			d, n, err := artefact.DigestOf(ctx, beside)
			if err != nil {
				return err
			}
			t.artefacts = append(t.artefacts, artefact.Artefact{
				Name: a.Name + "#" + ref.Location, Kind: artefact.Model, Path: rel, Digest: d, SizeBytes: n, From: []string{a.Name},
			})
		}
	}
	return nil
}

// native tells whether a file is one that a tree library wrote; the worker reads it.
func native(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, 64<<20))
	return err == nil && tree.Native(b)
}

// look finds the test data and says how many rows it has, what the labels are and, where the
// manifest declares no domain, what the data suggest.
func (t *target) look(ctx context.Context) error {
	m := t.manifest
	if a, ok := m.First(artefact.Model); ok {
		t.plan.ModelName = a.Name
	}
	if a, ok := m.Served(); ok { // what runs is what is tested; a file beside it is scanned
		t.plan.ModelName, t.plan.Served = a.Name, true
	}
	test, ok := t.testData()
	if ok {
		t.plan.TestName = test.Name
		spec, err := t.dataSpec(test)
		if err != nil {
			return err
		}
		info, err := dataset.Inspect(ctx, *spec)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			return err
		}
		t.plan.Facts.TestRows, t.plan.Facts.Width = info.Rows, info.Width
		t.plan.Labelled = test.Label != ""
		t.format = info.Format
		if info.Rows == 0 {
			t.plan.NoData = fmt.Sprintf("%s has no rows", test.Path)
		}
		if t.domain == nil {
			t.domain = &model.Domain{Features: dataset.Guess(info)}
		}
		spec.Features = t.domain.Features
		t.setup.Data, t.setup.TestRows = spec, info.Rows
		if len(info.Shape) > 0 {
			t.setup.Model = &model.Spec{Input: model.Input{Shape: info.Shape}}
		}
	}
	t.plan.HasDomain = t.domain != nil
	t.plan.Guessed = t.domain == nil || !t.domain.Confirmed
	return t.findRecorded(ctx, test.Name)
}

// testData is the data set named "test", else the one that outputs were
// recorded on, else the first that the model was not made from.
func (t *target) testData() (manifest.Artefact, bool) {
	m := t.manifest
	if a, ok := m.Artefact("test"); ok && a.Kind == artefact.Dataset {
		return a, true
	}
	for _, o := range m.Overrides { // the outputs that were recorded on it are left out
		if a, ok := m.Artefact(o.Name); ok && len(o.LeftOut) > 0 {
			return a, true
		}
	}
	if r, ok := m.First(artefact.RecordedOutputs); ok {
		if a, ok := m.Artefact(r.On); ok && a.Kind == artefact.Dataset {
			return a, true
		}
	}
	trained, _ := m.First(artefact.Model)
	for _, a := range m.Artefacts {
		if a.Kind == artefact.Dataset && !slices.Contains(trained.From, a.Name) {
			return a, true
		}
	}
	return manifest.Artefact{}, false
}

// findRecorded finds what the deployed system answered on the test data, row by row.
func (t *target) findRecorded(ctx context.Context, test string) error {
	for _, a := range t.manifest.Artefacts {
		if a.Kind != artefact.RecordedOutputs || a.On != "" && a.On != test {
			continue
		}
		full, err := t.manifest.Locate(a.Path)
		if err != nil {
			return err
		}
		t.plan.RecordedName = a.Name
		t.setup.Recorded = &dataset.OutputSpec{Path: full, Name: a.Path, Classes: t.manifest.Interface.Output.Classes, Array: a.Input}
		recorded, err := dataset.Outputs(ctx, *t.setup.Recorded)
		if err != nil {
			return err
		}
		if n := t.plan.Facts.TestRows; recorded.Rows != n {
			return fmt.Errorf("read data %q: %d outputs were recorded, %q has %d rows\nhint: record one output per row, in the order of the rows", a.Path, recorded.Rows, test, n)
		}
		return nil
	}
	return nil
}

// findSets names the data that the model was made from and the test data, for probes that read them whole.
func (t *target) findSets() error {
	trained, _ := t.manifest.First(artefact.Model)
	for _, a := range t.manifest.Artefacts {
		training := slices.Contains(trained.From, a.Name)
		if a.Kind != artefact.Dataset || !training && a.Name != t.plan.TestName {
			continue
		}
		spec, err := t.dataSpec(a)
		if err != nil {
			return err
		}
		t.setup.Sets = append(t.setup.Sets, worker.Set{Training: training, Spec: *spec})
		t.plan.SetNames = append(t.plan.SetNames, a.Name)
	}
	return nil
}

func (t *target) dataSpec(a manifest.Artefact) (*dataset.Spec, error) {
	full, err := t.manifest.Locate(a.Path)
	if err != nil {
		return nil, err
	}
	s := &dataset.Spec{Path: full, Name: a.Path, Input: a.Input, Label: a.Label, Classes: t.manifest.Interface.Output.Classes}
	if t.domain != nil {
		s.Features = t.domain.Features
	}
	return s, nil
}

// compareReplaced refuses an assessor's data of another format, or with other
// columns or labels, than the data that they replace. Where those are not there it cannot compare.
func (t *target) compareReplaced(ctx context.Context) error {
	m := t.manifest
	for _, o := range m.Overrides {
		full, err := m.Locate(o.Replaced)
		a, ok := m.Artefact(o.Name)
		if !ok || err != nil {
			continue
		}
		theirs, err := t.dataSpec(a)
		if err != nil {
			return err
		}
		was := *theirs
		was.Path, was.Name = full, o.Replaced
		before, err := dataset.Inspect(ctx, was)
		if err != nil {
			continue // what does not open says nothing of the assessor's
		}
		now, err := dataset.Inspect(ctx, *theirs)
		if err != nil {
			return err
		}
		if now.Format != before.Format || now.Width != before.Width || !slices.Equal(now.Shape, before.Shape) || !slices.Equal(now.Names, before.Names) {
			return &Refusal{fmt.Errorf("read data %q: it is %s with %d columns, and %q, which it replaces, is %s with %d\nhint: give the assessor's data the format, the columns and their order of what they replace",
				o.File, now.Format, now.Width, o.Name, before.Format, before.Width)}
		}
	}
	return nil
}

// specify writes down how the model is opened and asked.
func (t *target) specify() {
	m := t.manifest
	spec := t.setup.Model
	if spec == nil {
		spec = &model.Spec{}
	}
	spec.Input.Tensor, spec.Input.Layout = m.Interface.Input.Tensor, string(m.Interface.Input.Layout)
	if s := m.Interface.Input.Scaling; s != nil {
		spec.Input.Mean, spec.Input.Std = s.Mean, s.Std
	}
	spec.Output = model.Output{Tensor: m.Interface.Output.Tensor, Kind: model.Kind(m.Interface.Output.Kind), Classes: m.Interface.Output.Classes}
	spec.Rule = rule(m)
	spec.Domain = t.domain
	for _, s := range m.Solutions {
		if !model.CanSwitch(s.Type) {
			continue
		}
		with := model.Solution{Name: s.Name, Type: s.Type, Switchable: s.Switchable}
		if s.Digits != nil {
			with.Digits = *s.Digits
		}
		if s.Queries != nil {
			with.Queries = *s.Queries
		}
		if s.Margin != nil {
			with.Margin = *s.Margin
		}
		if s.Sigma != nil && s.Draws != nil {
			with.Sigma, with.Draws = *s.Sigma, *s.Draws
		}
		spec.Solutions = append(spec.Solutions, with)
	}
	t.setup.Guessed = t.plan.Guessed
	t.setup.Model = nil
	f := &t.plan.Facts
	f.Layout = spec.Input.Layout
	f.OutputKind, f.Rule, f.Outcomes, f.Positive, f.Favourable = string(spec.Output.Kind), spec.Rule.Kind, spec.Rule.Outcomes, spec.Rule.Positive, spec.Rule.Favourable
	if t.plan.ModelName == "" {
		return
	}
	baseline, made := m.Baseline()
	compared := ""
	for _, a := range t.artefacts {
		if a.Kind != artefact.Endpoint {
			t.setup.Files = append(t.setup.Files, t.file(a))
			switch at := t.setup.Files[len(t.setup.Files)-1].OpenPath; a.Name {
			case t.plan.ModelName:
				spec.Path = at
			case baseline:
				compared = at
			}
		}
	}
	if compared != "" {
		without := *spec
		without.Path = compared
		t.setup.Baseline = &worker.Baseline{Name: baseline, Of: t.plan.ModelName, Solutions: made, Model: &without}
	}
	if t.setup.Model = spec; t.plan.Served {
		spec.Path, spec.Served = "", t.served
		if t.plan.ModelError != "" {
			t.setup.Model = nil
		}
	}
}

// file is an artefact with what lies beside it, which a confined worker cannot see.
func (t *target) file(a artefact.Artefact) measure.File {
	full, err := t.manifest.Locate(a.Path)
	if err != nil {
		full = filepath.Join(t.dir, filepath.FromSlash(a.Path))
	}
	f := measure.File{Artefact: a, OpenPath: full, Folder: t.dir}
	entries, err := os.ReadDir(filepath.Dir(full))
	if err != nil {
		return f
	}
	for _, e := range entries[:min(len(entries), 10_000)] {
		name := e.Name()
		if e.Type()&os.ModeSymlink != 0 {
			if to, err := os.Readlink(filepath.Join(filepath.Dir(full), name)); err == nil {
				name += " -> " + to
			}
		}
		f.Siblings = append(f.Siblings, name)
	}
	return f
}

// rule turns the manifest's decision into the model's.
func rule(m *manifest.Manifest) model.Rule {
	d := m.Decision
	classes := m.Interface.Output.Classes
	r := model.Rule{Kind: string(d.Rule), Favourable: d.Favourable, ReferIsGain: d.ReferIsGain, Positive: max(1, len(classes)-1)}
	if i := slices.Index(classes, d.Positive); i >= 0 {
		r.Positive = i
	}
	switch d.Rule {
	case manifest.Cutoff:
		r.Cutoff = *d.Cutoff
		r.Outcomes = []string{d.Outcomes.Below, d.Outcomes.Band, d.Outcomes.Above}
		if len(d.ReferBand) == 2 {
			r.Band = &[2]float64{d.ReferBand[0], d.ReferBand[1]}
		}
	case manifest.PerClass:
		r.Outcomes = append(slices.Clone(classes), "refer")
		for _, c := range classes {
			r.Cutoffs = append(r.Cutoffs, d.Cutoffs[c])
		}
	case manifest.None:
		r.Positive, r.Outcomes = 0, []string{"a number"}
	default:
		r.Outcomes = slices.Clone(classes)
	}
	return r
}

// checkDomain refuses a domain that no input can meet.
func (t *target) checkDomain() error {
	d, err := t.domain.Build()
	if err != nil || d == nil {
		return err
	}
	if reason, empty := d.Empty(); empty {
		return &Refusal{fmt.Errorf("read manifest: no input can meet the domain: %s\nhint: correct domain.relations or the ranges", strings.TrimSpace(reason))}
	}
	return nil
}
