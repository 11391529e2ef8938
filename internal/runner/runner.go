// Package runner carries out a plan: it splits rows into shards, hands them to
// workers over all cores, joins what comes back, and reports every item as an observation,
// those that failed or were cut short included.
package runner

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/evidence"
	"github.com/assize/assize/internal/manifest"
	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/plan"
	"github.com/assize/assize/internal/probes/suite"
	"github.com/assize/assize/internal/result"
	"github.com/assize/assize/internal/worker"
)

// Options is what a run needs beside its plan.
type Options struct {
	Workers     int // processes at a time; at least 1
	Command     worker.Command
	Setup       worker.Setup
	Probes      []measure.Probe
	Facts       measure.Facts
	PlanDigest  artefact.Digest
	Nonce       []byte
	Environment string // id of the environment that observations name
	// Rows holds the row or case numbers to work on for items that are not to
	// work on all that the plan draws, by the item's id.
	Rows map[string][]int
	// Done holds the results, with their rows, of items that were recorded before,
	// by the item's id. They are read by others and not run again.
	Done map[string]*result.Result
	// Record keeps an observation for good before the run goes on. It is called
	// from one goroutine, in the order in which items end.
	Record func(*evidence.Observation, *result.Rows) error
	// Handler hears what happens; it may be nil.
	Handler evidence.Handler
	Now     func() time.Time
}

// Run carries out the plan. When ctx ends, what is unfinished is recorded as
// failed and ctx's error is returned; an error of Record or Handler ends the run too.
func Run(ctx context.Context, p *plan.Plan, o Options) error {
	r := &run{Options: o, plan: p, items: map[string]*item{}, events: make(chan event)}
	for i := range p.Items {
		it := &p.Items[i]
		probe, ok := suite.Find(o.Probes, it.Probe)
		if !ok || probe.Version != it.Version {
			return fmt.Errorf("run plan: this build has no probe %s of version %d", it.Probe, it.Version)
		}
		r.items[it.ID] = &item{Item: it, probe: probe, seed: plan.Seed(o.PlanDigest, o.Nonce, it.Probe)}
		if done := o.Done[it.ID]; done != nil {
			r.items[it.ID].begun, r.items[it.ID].ended, r.items[it.ID].result = true, true, done
		}
	}
	return r.all(ctx)
}

type run struct {
	Options
	plan   *plan.Plan
	items  map[string]*item
	queue  []*task
	events chan event
}

// item is one item of the plan under way.
type item struct {
	*plan.Item
	probe    *measure.Probe
	seed     measure.Seed
	begun    bool
	ended    bool
	open     int // tasks that have not come back
	parts    []*result.Rows
	whole    *result.Result
	lost     []measure.Lost
	deaths   int
	failure  string
	queries  int64
	seconds  float64
	traffic  *evidence.Traffic
	unasked  int // rows or cases that the cap kept from being measured
	share    map[*task]float64
	finished float64 // rows of finished tasks
	result   *result.Result
}

// task is one shard of one item.
type task struct {
	item     *item
	index    []int
	attempts int
	job      *worker.Job
}

// event is what a worker's goroutine tells the loop.
type event struct {
	task     *task
	progress float64
	done     *worker.Done
	err      error
}

// maxDeaths is how often an item may kill a worker before it is given up.
const maxDeaths = 24

func (r *run) all(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	hands := make(chan *task)
	idle := make(chan struct{}, r.Workers)
	for range r.Workers {
		go func() {
			(&hand{run: r}).work(ctx, hands)
			idle <- struct{}{}
		}()
	}
	err := r.loop(ctx, hands)
	stop()
	close(hands)
	for busy := r.Workers; busy > 0; {
		select {
		case <-idle:
			busy--
		case <-r.events: // nobody listens any more, but nobody may hang either
		}
	}
	if err != nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)) {
		return errors.Join(r.abandon(), err)
	}
	return err
}

// loop hands out tasks and takes in events until every item has ended.
func (r *run) loop(ctx context.Context, hands chan<- *task) error {
	for {
		if err := r.begin(); err != nil {
			return err
		}
		var next *task
		var out chan<- *task
		if len(r.queue) > 0 {
			next, out = r.queue[0], hands
		} else if r.finished() {
			return ctx.Err()
		}
		select {
		case out <- next:
			r.queue = r.queue[1:]
		case e := <-r.events:
			if err := r.take(e); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (r *run) finished() bool {
	for _, it := range r.items {
		if !it.ended {
			return false
		}
	}
	return true
}

// begin starts every item whose requirements have ended, in the plan's order.
func (r *run) begin() error {
	first := r.first()
	for i := range r.plan.Items {
		it := r.items[r.plan.Items[i].ID]
		if it.begun || slices.ContainsFunc(it.After, func(id string) bool { return !r.items[id].ended }) || first != nil && !first[it.ID] {
			continue
		}
		it.begun, it.share = true, map[*task]float64{}
		if err := r.tell(evidence.Message{Started: &evidence.Started{Item: it.ID, Probe: it.Probe, Rows: it.Rows, Queries: it.Queries}}); err != nil {
			return err
		}
		if reason := r.blocked(it); reason != "" {
			it.whole = result.Unmeasured(result.NotAvailable, reason)
			if err := r.finish(it); err != nil {
				return err
			}
			continue
		}
		if it.probe.Joins() {
			if err := r.finish(it); err != nil {
				return err
			}
			continue
		}
		for _, index := range r.shards(it) {
			r.add(&task{item: it, index: index})
		}
	}
	if first != nil && r.first() == nil { // what joins others has ended at once
		return r.begin()
	}
	return nil
}

// shards splits an item's rows. Which rows are drawn depends on the plan and
// the nonce alone; every probe of a run draws from the same order, so that results pair.
func (r *run) shards(it *item) [][]int {
	if it.probe.Rows == nil {
		return [][]int{nil}
	}
	index, only := r.Rows[it.ID]
	if !only {
		index = Drawn(it.Item, it.probe, r.PlanDigest, r.Nonce, r.Facts.TestRows)
	}
	size := (len(index) + 4*r.Workers - 1) / (4 * r.Workers)
	size = min(1<<16, max(4, size))
	if it.probe.Isolated {
		size = 1
	}
	return slices.Collect(slices.Chunk(index, size))
}

// Drawn are the rows or cases that an item of a probe with Rows works on. They
// follow from the plan's digest and the nonce.
func Drawn(it *plan.Item, probe *measure.Probe, digest artefact.Digest, nonce []byte, testRows int) []int {
	if !probe.Cases {
		return measure.Sample(plan.Seed(digest, nonce, plan.Sample), testRows, it.Rows)
	}
	var index []int
	for i := range it.Rows {
		index = append(index, i)
	}
	return index
}

func (r *run) add(t *task) {
	it := t.item
	t.job = &worker.Job{Probe: it.Probe, Params: it.Parameters, Solutions: it.Solutions, Index: t.index, Seed: it.seed[:]}
	for _, id := range it.After {
		before := r.items[id]
		if t.job.Results == nil {
			t.job.Results, t.job.Rows = map[string]*result.Result{}, map[string]*result.Rows{}
		}
		t.job.Results[before.Probe] = before.result
		t.job.Rows[before.Probe] = before.result.Rows.Pick(t.index)
	}
	it.open++
	r.queue = append(r.queue, t)
}

// take works in what a worker reports.
func (r *run) take(e event) error {
	it := e.task.item
	if e.done == nil && e.err == nil {
		it.share[e.task] = e.progress
		return r.progress(it)
	}
	it.open--
	delete(it.share, e.task)
	switch {
	case e.err != nil:
		r.mishap(it, e.task, e.err)
	case e.done.Traffic.Capped:
		it.unasked += max(1, len(e.task.index)) + r.drop(it)
	case e.done.Error != "":
		r.fail(it, e.done.Error)
	default:
		it.finished += float64(max(1, len(e.task.index)))
		if e.done.Rows != nil && it.probe.Rows != nil {
			it.parts = append(it.parts, e.done.Rows)
		} else {
			it.whole = e.done.Result
			it.whole.Rows = e.done.Rows
		}
	}
	if e.done != nil {
		it.queries += e.done.Queries
		it.seconds += e.done.Seconds
		if t := e.done.Traffic; r.Setup.Asker != nil && it.probe.Needs.Model {
			if it.traffic == nil {
				it.traffic = &evidence.Traffic{}
			}
			it.traffic.Add(&evidence.Traffic{
				Calls: t.Calls, Retries: t.Retries, Seconds: t.Seconds,
				Requests: t.Requests, Sent: t.Sent, Throttled: t.Throttled, Failed: t.Failed, Waited: t.Waited,
			})
		}
	}
	if it.open > 0 {
		return r.progress(it)
	}
	return r.finish(it)
}

// mishap decides what becomes of a shard whose worker died: it is halved until
// the row is found that did it; that row is lost. A shard that ran out of time is not tried again.
func (r *run) mishap(it *item, t *task, err error) {
	var death *worker.Death
	if !errors.As(err, &death) {
		r.fail(it, err.Error())
		return
	}
	it.deaths++
	cause := death.Cause
	t.attempts++
	switch {
	case it.probe.Isolated:
		it.lost = append(it.lost, measure.Lost{Row: t.index[0], Cause: cause.Sentence, Kind: string(cause.Kind)})
		it.finished++
	case it.probe.Rows == nil || it.deaths > maxDeaths || cause.Kind == "time-limit":
		r.fail(it, "its worker ended: "+cause.Sentence)
	case len(t.index) > 1:
		half := len(t.index) / 2
		r.add(&task{item: it, index: t.index[:half]})
		r.add(&task{item: it, index: t.index[half:]})
	case t.attempts < 2:
		it.open++
		r.queue = append(r.queue, t)
	default:
		it.lost = append(it.lost, measure.Lost{Row: t.index[0], Cause: cause.Sentence, Kind: string(cause.Kind)})
		it.finished++
	}
}

// fail gives an item up: its other shards are not begun any more.
func (r *run) fail(it *item, reason string) {
	if it.failure == "" {
		it.failure = reason
	}
	r.drop(it)
}

// drop takes the shards of an item that were not begun out of the queue, and says how many rows or cases they hold.
func (r *run) drop(it *item) int {
	rows := 0
	r.queue = slices.DeleteFunc(r.queue, func(t *task) bool {
		if t.item == it {
			it.open--
			rows += max(1, len(t.index))
		}
		return t.item == it
	})
	return rows
}

// finish joins what an item's shards brought and records it.
func (r *run) finish(it *item) error {
	it.ended = true
	it.result = r.joined(it)
	if it.traffic != nil {
		it.traffic.Unasked = it.unasked
	}
	rows := it.result.Rows
	o := &evidence.Observation{
		ID: "o" + it.ID[1:], Item: it.ID, Probe: it.Probe, Version: it.Version, Result: *it.result,
		Parameters: it.Parameters, Seed: hex.EncodeToString(it.seed[:]), SolutionsOn: it.Solutions,
		Inputs: r.digests(it), RowsCount: rows.Len(), Environment: r.Environment,
		Queries: it.queries, Seconds: it.seconds, Traffic: it.traffic, Ended: r.Now().UTC(),
	}
	if err := r.Record(o, rows); err != nil {
		return err
	}
	return r.tell(evidence.Message{Observation: o})
}

func (r *run) joined(it *item) *result.Result {
	if it.failure != "" {
		return result.Unmeasured(result.Failed, it.failure)
	}
	if it.unasked > 0 && len(it.parts) == 0 {
		return result.Unmeasured(result.NotPermitted, r.uncovered(it))
	}
	if it.probe.Rows == nil && !it.probe.Joins() || it.whole != nil && len(it.parts) == 0 {
		return it.whole
	}
	rows, err := result.Join(it.parts...)
	if err != nil {
		return result.Unmeasured(result.Failed, err.Error())
	}
	j := &measure.Joint{Params: it.Parameters, Rows: rows, Lost: it.lost, Seed: it.seed, Facts: r.Facts, Guessed: r.plan.Guessed}
	for _, id := range it.After {
		if j.Results == nil {
			j.Results = map[string]*result.Result{}
		}
		j.Results[r.items[id].Probe] = r.items[id].result
	}
	slices.SortFunc(j.Lost, func(a, b measure.Lost) int { return a.Row - b.Row })
	res, err := it.probe.Join(j)
	if err != nil {
		return result.Unmeasured(result.Failed, err.Error())
	}
	if res.State == "" {
		res.State = result.Measured
	}
	if len(it.lost) > 0 && !it.probe.Isolated {
		res.Check("every-row-measured", false, fmt.Sprintf("%d rows ended the worker, the first is row %d: %s", len(it.lost), it.lost[0].Row, it.lost[0].Cause))
	}
	if why := r.uncovered(it); why != "" {
		res.Check(everyRowAsked, false, why)
	}
	if res.Rows == nil {
		res.Rows = rows
	}
	if why := r.without(it); why != "" && res.State == result.Measured {
		res.Notes = append(res.Notes, why)
	}
	withTheRows(res)
	return res
}

// without says which solutions of the deployed system play no part in a run of it.
func (r *run) without(it *item) string {
	if !it.Deployed || !it.probe.Needs.Model && !it.probe.Joins() || it.probe.Again || r.Setup.Model == nil {
		return ""
	}
	for _, s := range r.Setup.Model.Solutions {
		if s.Type == manifest.Hysteresis {
			return fmt.Sprintf("The solution %s, which holds on to a subject's last decision, plays no part here: every input is asked about as a new subject's.", s.Name)
		}
	}
	return ""
}

// withTheRows moves the tables that speak of single rows to where the rows are kept: what
// stands in an observation can never be redacted.
func withTheRows(res *result.Result) {
	of := func(t result.Table) bool { return t.Data }
	if !slices.ContainsFunc(res.Tables, of) {
		return
	}
	rows := *res.Rows
	for _, t := range res.Tables {
		if t.Data {
			rows.Tables = append(rows.Tables, t)
		}
	}
	res.Rows, res.Tables = &rows, slices.DeleteFunc(slices.Clone(res.Tables), of)
}

func (r *run) digests(it *item) []artefact.Digest {
	digests := []artefact.Digest{}
	for _, name := range it.Inputs {
		for _, a := range r.plan.Artefacts {
			if a.Name == name {
				digests = append(digests, a.Digest)
			}
		}
	}
	return digests
}

// abandon records every item that has not ended, so that nothing is left out in silence.
func (r *run) abandon() error {
	for i := range r.plan.Items {
		it := r.items[r.plan.Items[i].ID]
		if it.ended {
			continue
		}
		it.failure = "the run was interrupted before it was finished"
		if !it.begun {
			it.failure = "the run was interrupted before it began"
		}
		if err := r.finish(it); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) progress(it *item) error {
	total := float64(max(1, it.Rows))
	done := it.finished
	for t, s := range it.share {
		done += s * float64(max(1, len(t.index)))
	}
	return r.tell(evidence.Message{Progress: &evidence.Progress{Item: it.ID, Share: min(1, done/total)}})
}

func (r *run) tell(m evidence.Message) error {
	if r.Handler == nil {
		return nil
	}
	return r.Handler.Handle(m)
}
