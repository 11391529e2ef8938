package worker

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"slices"
	"time"

	"github.com/assize/assize/internal/dataset"
	"github.com/assize/assize/internal/domain"
	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/model"
	"github.com/assize/assize/internal/probes/suite"
	"github.com/assize/assize/internal/result"
	"github.com/assize/assize/internal/worker/sandbox"
)

// The pipes of a child. Standard output is not used, so that a library which prints does no harm.
const (
	jobsFD    = 3
	repliesFD = 4
)

// Argument is the only argument of the hidden command that turns the binary into a child.
const Argument = "worker"

// maxLine bounds one line in either direction.
const maxLine = 512 << 20

// Main is the child: it reads its setup, confines itself, opens the model and
// works off jobs until its input ends. Its return value is the exit status.
func Main(probes []measure.Probe) int {
	in, out := os.NewFile(jobsFD, "jobs"), os.NewFile(repliesFD, "replies")
	if in == nil || out == nil {
		fmt.Fprintln(os.Stderr, "assize worker: started by hand; it is only of use to assize itself")
		return 2
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	orphaned := func() {
		stop()
		time.AfterFunc(orphanGrace, func() { panic("the parent is gone, and the job does not end") })
	}
	if err := serve(ctx, watched(in, orphaned), out, probes); err != nil {
		fmt.Fprintln(os.Stderr, "assize worker:", err)
		return 1
	}
	return 0
}

// orphanGrace is how long a child may go on with a job when its parent is gone.
const orphanGrace = 5 * time.Second

// watched hands a pipe through and calls ended as soon as its other end is closed, also while nobody reads:
// a child whose parent was killed must not go on computing for nobody.
func watched(pipe io.Reader, ended func()) io.Reader {
	r, w := io.Pipe()
	go func() {
		_, err := io.Copy(w, pipe)
		ended()
		w.CloseWithError(err) // nil is the end
	}()
	return r
}

// child is the state of a worker process behind the sandbox.
type child struct {
	setup  Setup
	probes []measure.Probe
	model  *model.Model
	// baseline is opened by the first job that is about it.
	baseline *model.Model
	domain   *domain.Domain
	in       *json.Decoder
	out      *json.Encoder
	data     selection
	waited   time.Duration // for a served model
}

// selection keeps the rows that were read last, for the run with solutions off that follows the run with them on.
type selection struct {
	index    []int
	table    *dataset.Table
	recorded *dataset.Recorded
}

func serve(ctx context.Context, in io.Reader, out io.Writer, probes []measure.Probe) error {
	lines := json.NewDecoder(bufio.NewReaderSize(in, 1<<16))
	c := &child{in: lines, out: json.NewEncoder(out), probes: probes}
	if err := lines.Decode(&c.setup); err != nil {
		return fmt.Errorf("read setup: %w", err)
	}
	ready, err := c.start(ctx)
	if err != nil {
		return err
	}
	if err := c.out.Encode(reply{Ready: ready}); err != nil {
		return err
	}
	for {
		var job Job
		if err := lines.Decode(&job); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("read job: %w", err)
		}
		if err := c.out.Encode(reply{Done: c.run(ctx, &job)}); err != nil {
			return err
		}
	}
}

// start loads the library, which must be able to read its own files, then
// confines the process, and only then looks at anything of the target's.
func (c *child) start(ctx context.Context) (*Ready, error) {
	ready := &Ready{}
	if c.setup.runs() {
		version, err := model.LoadRuntime(c.setup.Library)
		if err != nil {
			ready.Error = err.Error()
		}
		ready.Runtime = version
	}
	var err error
	ready.Sandbox, err = sandbox.Enter(sandbox.Policy{
		ReadOnly:    c.setup.readable(),
		MemoryBytes: c.setup.MemoryBytes,
		CPU:         time.Duration(c.setup.CPUSeconds) * time.Second,
	})
	if err != nil {
		return nil, err
	}
	debug.SetMemoryLimit(c.setup.MemoryBytes / 4 * 3) // garbage is collected before it takes what there is
	if c.setup.Model == nil {
		return ready, nil
	}
	if c.domain, err = c.setup.Model.Domain.Build(); err != nil {
		return nil, err
	}
	if ready.Error != "" {
		return ready, nil
	}
	opened, notes, err := c.open(ctx)
	if err != nil {
		ready.Error = err.Error()
		return ready, nil
	}
	c.model = opened
	ready.Model = &Opened{
		Width: opened.Width(), Columns: opened.Columns(), Classes: opened.Classes(), ClassNames: opened.ClassNames(), Notes: notes,
		SecondsPerRow: c.speed(ctx), SecondsPerPoint: c.search(),
	}
	if err := opened.Differentiable(); err != nil {
		ready.Model.NoGradient = err.Error()
	}
	return ready, nil
}

// open opens the model, or the way to a served one, which is asked for a few
// plain rows when it is opened for the first time.
func (c *child) open(ctx context.Context) (opened *model.Model, notes []string, err error) {
	known := false
	if served := c.setup.Model.Served; served != nil {
		known = served.Columns > 0
		opened, err = model.OpenServed(ctx, c.setup.Model, c)
	} else {
		opened, notes, err = model.Open(ctx, c.setup.Model)
	}
	if err == nil && !known {
		err = opened.CheckKind(ctx)
	}
	return opened, notes, err
}

// Ask implements model.Asker: the parent carries the traffic.
func (c *child) Ask(_ context.Context, q *model.Question) (*model.Reply, error) {
	begun := time.Now()
	defer func() { c.waited += time.Since(begun) }()
	if err := c.out.Encode(reply{Ask: q}); err != nil {
		return nil, err
	}
	var a answer
	switch err := c.in.Decode(&a); {
	case err != nil:
		return nil, fmt.Errorf("read answer: %w", err)
	case a.Error != "":
		return nil, errors.New(a.Error)
	case a.Reply == nil:
		return nil, errors.New("read answer: it is empty")
	}
	return a.Reply, nil
}

// speed times the model on a batch of zeros; 0 where that does not work. A
// served model is not bothered: what it took to open it is known.
func (c *child) speed(ctx context.Context) float64 {
	if e, served := c.model.Effort(); served {
		return e.Seconds / float64(max(1, e.Rows))
	}
	const rows = 64
	x := make([]float32, rows*c.model.Width())
	var a model.Answers
	best := time.Hour
	for range 3 {
		start := time.Now()
		if c.model.Predict(ctx, x, rows, &a) != nil {
			return 0
		}
		best = min(best, time.Since(start))
	}
	return best.Seconds() / rows
}

// search times what a search does beside asking: drawing points and projecting them.
func (c *child) search() float64 {
	if c.domain == nil {
		return 0
	}
	const points = 256
	orig := make([]float32, c.domain.Len())
	for i, f := range c.domain.Features() {
		orig[i] = float32(f.Min)
	}
	c.domain.Project(orig, orig)
	x := make([]float32, len(orig))
	random, scale := measure.Seed{}.Whole(), c.domain.Scale()
	start := time.Now()
	for range points {
		for i := range x {
			x[i] = orig[i] + float32(random.NormFloat64()*scale[i])
		}
		c.domain.Project(x, orig)
	}
	return time.Since(start).Seconds() / points
}

// run measures one shard. What goes wrong is told to the parent; only a fault
// that Go cannot survive ends the process.
func (c *child) run(ctx context.Context, job *Job) (done *Done) {
	start := time.Now()
	done, c.waited = &Done{}, 0
	defer func() {
		if p := recover(); p != nil {
			done = &Done{Error: fmt.Sprintf("the probe stopped in its own code: %v", p)}
		}
		done.Seconds = (time.Since(start) - c.waited).Seconds()
	}()
	probe, ok := suite.Find(c.probes, job.Probe)
	if !ok {
		done.Error = fmt.Sprintf("this build has no probe %q", job.Probe)
		return done
	}
	k, err := c.casefor(ctx, probe, job)
	if err != nil {
		done.Error = err.Error()
		return done
	}
	before := int64(0)
	if k.Model != nil {
		before = k.Model.Queries()
	}
	r, err := probe.Run(ctx, k)
	if k.Model != nil {
		done.Queries = k.Model.Queries() - before
	}
	if err != nil {
		done.Error = err.Error()
		return done
	}
	done.Result, done.Rows = r, r.Rows
	return done
}

// casefor puts together what a probe is allowed to read.
func (c *child) casefor(ctx context.Context, probe *measure.Probe, job *Job) (*measure.Case, error) {
	k := &measure.Case{
		Params: job.Params, Domain: c.domain, Guessed: c.setup.Guessed, Index: job.Index,
		Files: c.setup.Files, Results: job.Results,
		Progress: c.progress(),
		Logf:     func(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) },
	}
	for id, rows := range job.Rows {
		if k.Results[id] != nil {
			k.Results[id].Rows = rows
		}
	}
	if copy(k.Seed[:], job.Seed) != len(k.Seed) {
		return nil, errors.New("the job carries no seed")
	}
	if probe.Needs.Records {
		k.Records = c.setup.Records
	}
	if probe.Needs.Sets {
		for _, s := range c.setup.Sets {
			t, err := dataset.ReadAll(ctx, s.Spec)
			if err != nil {
				return nil, err
			}
			k.Sets = append(k.Sets, measure.Set{Name: s.Spec.Name, Training: s.Training, Table: t})
		}
	}
	if probe.Needs.Model {
		if c.model == nil {
			return nil, errors.New("the model is not open")
		}
		var err error
		if k.Model, k.Files, err = c.modelFor(ctx, job.Solutions); err != nil {
			return nil, err
		}
		k.Model.Seed(k.Seed)
	}
	if !probe.Needs.Data && !probe.Needs.Recorded {
		return k, nil
	}
	if c.setup.Data == nil {
		return nil, errors.New("there is no test data")
	}
	if err := c.read(ctx, job.Index, probe.Needs.Recorded); err != nil {
		return nil, err
	}
	k.Data, k.Recorded = c.data.table, c.data.recorded
	if probe.Needs.Others {
		var err error
		if k.Others, err = dataset.Select(ctx, *c.setup.Data, measure.Sample(k.Seed, c.setup.TestRows, measure.OtherRows)); err != nil {
			return nil, err
		}
	}
	return k, nil
}

func (c *child) read(ctx context.Context, index []int, recorded bool) error {
	if c.data.table == nil || !slices.Equal(index, c.data.index) {
		t, err := dataset.Select(ctx, *c.setup.Data, index)
		if err != nil {
			return err
		}
		c.data = selection{index: index, table: t}
	}
	if recorded && c.data.recorded == nil {
		if c.setup.Recorded == nil {
			return errors.New("there are no recorded outputs")
		}
		all, err := dataset.Outputs(ctx, *c.setup.Recorded)
		if err != nil {
			return err
		}
		if c.data.recorded, err = all.Pick(index); err != nil {
			return err
		}
	}
	return nil
}

// progress tells the parent how far a shard is, a few times a second at most.
func (c *child) progress() func(float64) {
	var last time.Time
	return func(share float64) {
		if now := time.Now(); now.Sub(last) > 200*time.Millisecond {
			last = now
			share = min(1, max(0, share))
			// A parent that is gone is noticed when the job ends.
			_ = c.out.Encode(reply{Progress: &share})
		}
	}
}

// validate checks the form of what a child, which may have been taken over, sent as a result.
func (d *Done) validate(job *Job, rowwise bool) error {
	if d.Error != "" {
		return nil
	}
	if d.Result == nil {
		return errors.New("the worker sent neither a result nor an error")
	}
	if !rowwise {
		return checkMetrics(d.Result)
	}
	if d.Rows == nil {
		if d.Result.State == result.Measured || d.Result.State == "" {
			return errors.New("the worker sent no rows")
		}
		return nil
	}
	if err := d.Rows.Validate(); err != nil {
		return err
	}
	got := slices.Clone(d.Rows.Index)
	want := slices.Clone(job.Index)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		return fmt.Errorf("the worker sent %d rows that are not the %d it was asked for", len(got), len(want))
	}
	return nil
}
