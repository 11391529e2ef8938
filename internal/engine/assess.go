// Package engine joins the stages: one function a use case. The command line
// and the server call it and nothing else.
package engine

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/catalogue"
	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/evidence"
	"github.com/assize/assize/internal/judge"
	"github.com/assize/assize/internal/manifest"
	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/onnx/ort"
	"github.com/assize/assize/internal/plan"
	"github.com/assize/assize/internal/planner"
	"github.com/assize/assize/internal/probes/suite"
	"github.com/assize/assize/internal/result"
	"github.com/assize/assize/internal/runner"
	"github.com/assize/assize/internal/witness"
	"github.com/assize/assize/internal/worker"
)

// Options are what the caller of an assessment decides.
type Options struct {
	Target string // folder or manifest
	Depth  string // over the manifest's; "" keeps it
	// Overrides is the assessor's data and threat model, in place of the provider's.
	Overrides manifest.Overrides
	Workers   int // processes at a time; 0 is one per core
	// MemoryBytes bounds the data of each worker; 0 is 1 GiB.
	MemoryBytes int64
	Tool        string         // name and version of the program
	Command     worker.Command // turns the program into a worker
	KeyFolder   string         // holds the signing key, made on first use, and the catalogue in use
	Catalogue   string         // folder laid over the catalogue, over the manifest's; "" keeps it
	Log         io.Writer      // hears of what takes time before the run, such as fetching the runtime
	Now         func() time.Time
	// Resume goes on with the last run of the target where that was broken off.
	Resume bool
	// Budget is the wall time that the plan is fitted to; 0 leaves it as the depth has it.
	Budget time.Duration
	// Cap is the most that is sent to a served model; where the manifest has one too, the smaller holds.
	Cap plan.Cap
	// Timestamps are addresses of time stamping authorities (RFC 3161), Witnesses
	// submission prefixes of witnesses (C2SP tlog-witness), whose keys are WitnessKeys. The checkpoint at the
	// end of the run is shown to them. Without any nothing uses the network.
	Timestamps, Witnesses []string
	WitnessKeys           []*witness.Key

	// Planned hears the plan before anything is measured; an error stops it there.
	Planned func(*Forecast) error
	Handler evidence.Handler
}

// Forecast is a plan with what it will cost.
type Forecast struct {
	Plan *plan.Plan
	// SecondsPerRow is what one row costs the model on one core, SecondsPerPoint
	// what a search pays beside it, SecondsPerStart what a worker costs; 0 is not known.
	SecondsPerRow, SecondsPerPoint, SecondsPerStart float64

	Workers int
	Price   *Price   // of asking a served model; nil where the model is a file
	Notes   []string // of the model: what was rewritten to run it
	Sandbox []string // what the kernel lacks
}

// Seconds estimates an item on one core; 0 is not known.
func (f *Forecast) Seconds(i *plan.Item) float64 {
	each, starts := f.SecondsPerRow, 0
	if probe, ok := suite.Find(suite.All(), i.Probe); ok {
		if probe.Needs.Domain {
			each += f.SecondsPerPoint
		}
		if probe.Isolated {
			starts = i.Rows
		}
	}
	sum := float64(i.Queries)*each + float64(starts)*f.SecondsPerStart
	if f.Price != nil { // all workers share the rates
		sum = max(sum, f.Price.Endpoint.AtLeast(i.Queries).Seconds()*float64(f.Workers))
	}
	return sum
}

// prepared is an assessment up to its plan.
type prepared struct {
	*target
	forecast    *Forecast
	probes      []measure.Probe
	tables      *catalogue.Tables
	environment evidence.Environment
}

// Plan says what an assessment would do. It measures nothing but how fast the model answers.
func Plan(ctx context.Context, o Options) (*Forecast, error) {
	p, err := prepare(ctx, &o)
	if err != nil {
		return nil, err
	}
	p.close()
	return p.forecast, nil
}

func prepare(ctx context.Context, o *Options) (*prepared, error) {
	if o.Workers == 0 {
		o.Workers = runtime.NumCPU()
	}
	if o.MemoryBytes == 0 {
		o.MemoryBytes = 1 << 30
	}
	t, err := openTarget(ctx, o.Target, o.Overrides, o.Cap)
	if err != nil {
		return nil, err
	}
	if o.Depth != "" {
		t.plan.Depth = o.Depth
	}
	t.plan.Tool = o.Tool
	if err := t.checkDomain(); err != nil {
		return nil, err
	}
	p := &prepared{target: t, probes: suite.All()}
	if p.tables, err = openCatalogue(t.manifest, o); err != nil {
		return nil, err
	}
	cat, err := p.tables.Catalogue()
	if err != nil {
		return nil, err
	}
	t.setup.MemoryBytes, t.setup.CPUSeconds = o.MemoryBytes, 24*3600
	p.forecast = &Forecast{Workers: o.Workers, Price: t.price()}
	if err := p.openModel(ctx, o); err != nil {
		return nil, err
	}
	if p.forecast.Plan, err = planner.Make(t.plan, cat, p.probes); err != nil {
		return nil, &Refusal{err}
	}
	p.forecast.Plan.Cap = t.most
	if o.Budget > 0 {
		if err := planner.Fit(p.forecast.Plan, t.plan, p.probes, p.forecast.Seconds, o.Workers, o.Budget); err != nil {
			return nil, &Refusal{err}
		}
	}
	return p, nil
}

// openModel starts a worker to see whether the model opens, and how fast it is.
func (p *prepared) openModel(ctx context.Context, o *Options) error {
	if p.setup.Model != nil && p.setup.Model.Served == nil {
		source, err := ort.DefaultSource(o.Log)
		if err != nil {
			return err
		}
		if p.setup.Library, err = ort.Locate(ctx, source); err != nil {
			return err
		}
	}
	begun := time.Now()
	w, err := worker.Start(ctx, o.Command, p.setup)
	p.forecast.SecondsPerStart = time.Since(begun).Seconds()
	var death *worker.Death
	switch {
	case errors.As(err, &death) && p.setup.Model != nil:
		// Opening the model killed the worker. That is a finding of ours; the files can still be scanned.
		p.plan.ModelError = "opening it ended the worker: " + death.Cause.Sentence
		p.setup.Model = nil
		if w, err = worker.Start(ctx, o.Command, p.setup); err != nil {
			return err
		}
	case err != nil:
		return err
	}
	defer w.Close()
	p.environment = environment(w.Ready, p.setup.Library, o.Tool)
	p.forecast.Sandbox = w.Ready.Sandbox.Missing
	if w.Ready.Error != "" {
		p.plan.ModelError = w.Ready.Error
	}
	if m := w.Ready.Model; m != nil {
		p.plan.Facts.Width, p.plan.Facts.Classes, p.plan.Facts.ClassNames = m.Width, m.Classes, m.ClassNames
		if len(p.plan.Facts.Outcomes) == 0 {
			p.plan.Facts.Outcomes = m.ClassNames
			p.setup.Model.Rule.Outcomes = m.ClassNames
		}
		p.plan.NoGradient = m.NoGradient
		if s := p.setup.Model.Served; s != nil {
			s.Columns = m.Columns // later workers need not ask
		}
		p.forecast.SecondsPerRow, p.forecast.SecondsPerPoint, p.forecast.Notes = m.SecondsPerRow, m.SecondsPerPoint, m.Notes
	}
	return nil
}

// Assess measures, decides and writes the dossier beside the manifest. The
// dossier comes back with the folder that holds it, also when ctx ended the run before its
// time: then the error is ctx's and what was measured is in the dossier.
func Assess(ctx context.Context, o Options) (*dossier.Dossier, string, error) {
	started := o.Now().UTC()
	p, err := prepare(ctx, &o)
	if err != nil {
		return nil, "", err
	}
	defer p.close()
	if o.Planned != nil {
		if err := o.Planned(p.forecast); err != nil {
			return nil, "", err
		}
	}
	rec, err := openRecord(p, &o)
	if err != nil {
		return nil, "", err
	}
	defer rec.close()
	d := p.opening(started)
	last, err := rec.last()
	if err != nil {
		return nil, "", err
	}
	var done map[string]*result.Result
	switch {
	case o.Resume && last.unfinished():
		if done, err = rec.resume(ctx, last, d, &p.environment); err == nil {
			p.charge(rec.observations)
			fmt.Fprintf(o.Log, "resumed run %.8s: %d of %d observations are there\n", d.Run, len(done), len(d.Plan.Items))
		}
	case o.Resume:
		finished, err := rec.unplaced(last)
		if err != nil || finished != nil {
			return rec.finishLate(ctx, finished, err)
		}
		fmt.Fprintln(o.Log, "no run of this target was broken off: a new one begins")
		if err := rec.begin(ctx, d, p.environment); err != nil {
			return nil, "", err
		}
	default:
		if last.unfinished() {
			fmt.Fprintln(o.Log, "the last run of this target was broken off; assize assess --resume would have gone on with it")
		}
		err = rec.begin(ctx, d, p.environment)
	}
	if err != nil {
		return nil, "", err
	}
	nonce, _ := hex.DecodeString(d.Plan.SeedNonce)
	runErr := runner.Run(ctx, p.forecast.Plan, runner.Options{
		Workers: o.Workers, Command: o.Command, Setup: p.setup, Probes: p.probes, Facts: p.plan.Facts,
		PlanDigest: d.Plan.Digest, Nonce: nonce, Environment: p.environment.ID,
		Handler: o.Handler, Now: o.Now, Done: done,
		Record: func(obs *evidence.Observation, rows *result.Rows) error { return rec.observe(obs, rows) },
	})
	d.Interrupted = errors.Is(runErr, context.Canceled) || errors.Is(runErr, context.DeadlineExceeded)
	if runErr != nil && !d.Interrupted {
		return nil, "", runErr
	}
	d.Observations = rec.observations
	d.Ended = o.Now().UTC()
	decide(d, p.probes, rec.rows)
	if words := p.changed(context.WithoutCancel(ctx)); words != "" {
		d.Summary.Caveats = append(d.Summary.Caveats, words)
	}
	if err := p.answer(context.WithoutCancel(ctx), d); err != nil {
		return nil, "", err
	}
	rec.examples = p.examples(context.WithoutCancel(ctx), d, func(o *evidence.Observation) (*result.Rows, error) { return rec.rows(o), nil })
	dir, err := rec.finish(context.WithoutCancel(ctx), d)
	if err != nil {
		return nil, "", err
	}
	return d, dir, runErr
}

// opening is the dossier as it stands before anything is measured.
func (p *prepared) opening(started time.Time) *dossier.Dossier {
	random := make([]byte, 16+32)
	rand.Read(random) // never fails
	d := &dossier.Dossier{
		Format: dossier.Format, Tool: p.forecast.Plan.Tool, Run: hex.EncodeToString(random[:16]), Started: started,
		Target: p.manifest.Target, Manifest: p.manifest.Digest, Artefacts: p.artefacts, Solutions: p.manifest.Solutions,
		Plan:         dossier.Plan{SeedNonce: hex.EncodeToString(random[16:]), Plan: *p.forecast.Plan},
		Environments: []evidence.Environment{p.environment}, Foreign: p.foreign,
	}
	if d.Solutions == nil {
		d.Solutions = []manifest.Solution{}
	}
	return d
}

// decide fills in everything that follows from the observations.
func decide(d *dossier.Dossier, probes []measure.Probe, rows func(*evidence.Observation) *result.Rows) {
	p := &d.Plan.Plan
	d.Decisions = judge.Decide(p, d.Observations)
	d.Goals = judge.Goals(p, d.Decisions)
	d.Summary = judge.Summarise(p, d.Decisions, d.Goals)
	d.Effects = judge.Effects(p, d.Observations, func(id string) string {
		if probe, ok := suite.Find(probes, id); ok {
			return probe.Paired
		}
		return ""
	}, rows)
	for _, e := range d.Environments {
		if len(e.Missing) > 0 {
			d.Summary.Caveats = append(d.Summary.Caveats, "the sandbox was not whole on this machine; see the environment")
		}
	}
	if d.Interrupted {
		d.Summary.Caveats = append([]string{"the run was interrupted: what was not finished is marked failed"}, d.Summary.Caveats...)
	}
}

// planDigest is of the canonical encoding of the plan.
func planDigest(p *plan.Plan) (artefact.Digest, error) {
	b, err := evidence.Canonical(p)
	if err != nil {
		return "", err
	}
	return artefact.DigestBytes(b), nil
}

// Folder is where the dossier of a target lies.
func Folder(dir string) string { return filepath.Join(dir, "dossier") }

// Probes are the probes of this build, for listing.
func Probes() []measure.Probe { return slices.Clone(suite.All()) }
