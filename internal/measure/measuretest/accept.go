// Package measuretest is the harness that every probe passes.
package measuretest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/assize/assize/internal/dataset"
	"github.com/assize/assize/internal/domain"
	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/model"
	"github.com/assize/assize/internal/result"
)

// Target is a small system that a probe can be run on in the test's own process.
type Target struct {
	Model    func() *model.Model // a fresh one each time; nil where the probe needs none
	Domain   *domain.Domain
	Data     *dataset.Table
	Recorded *dataset.Recorded
	Files    []measure.File
	Records  []measure.Record
	Sets     []measure.Set
	Facts    measure.Facts
	Params   measure.Params            // over the defaults of depth quick
	Requires map[string]*result.Result // of the probes that it requires, over all rows
}

// T is what Accept uses of a *testing.T; the harness's own tests give another.
type T interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	Fatal(args ...any)
	Logf(format string, args ...any)
}

var idForm = regexp.MustCompile(`^[a-z]+/[a-z0-9-]+$`)

// Accept runs a probe every way that the runner might and fails the test
// where it breaks its contract: it documents itself, asks for what it uses,
// gives the same result for the same seed and another split, reports progress up to
// one and never back, copes with a row whose worker died, stops when told to, and says only what validates.
func Accept(t T, p measure.Probe, target Target) {
	t.Helper()
	describes(t, &p)
	params := measure.Params{}
	for _, d := range p.Params {
		params[d.Name] = d.Default("quick")
	}
	for k, v := range target.Params {
		params[k] = v
	}
	k := kit{t: t, p: &p, target: target, params: params, seed: measure.Seed{1, 2, 3}}
	index := k.index()
	if len(index) == 0 && p.Rows != nil {
		t.Fatalf("%s: the target gives it no rows to work on", p.ID)
	}
	once := k.whole(index, len(index))
	again := k.whole(index, len(index))
	k.same("run twice with one seed", once, again)
	if p.Rows != nil && len(index) > 3 {
		for _, size := range []int{1, 3, (len(index) + 1) / 2} {
			k.same(fmt.Sprintf("in shards of %d", size), once, k.whole(index, size))
		}
		backwards := slices.Clone(index)
		slices.Reverse(backwards)
		k.same("in another order", once, k.whole(backwards, len(index)))
	}
	k.valid(once)
	if p.Joins() {
		k.joinsWhatThereIs()
		return
	}
	k.losesARow(index)
	k.stops(index)
}

func describes(t T, p *measure.Probe) {
	t.Helper()
	if !idForm.MatchString(p.ID) || p.Version < 1 || p.Doc == "" || p.Run == nil && p.Join == nil || len(p.Goals) == 0 || len(p.Threats) == 0 {
		t.Fatalf("%q: id, version, doc, goals, threats or Run are missing", p.ID)
	}
	if p.Run != nil && (p.Rows == nil) != (p.Join == nil) || p.Run == nil && p.Rows != nil {
		t.Fatalf("%s: Rows and Join go together, and Join without Rows only where there is no Run", p.ID)
	}
	if p.Paired != "" && p.Rows == nil && p.Run != nil {
		t.Errorf("%s: pairs need rows", p.ID)
	}
	if p.Switch && !p.Needs.Model {
		t.Errorf("%s: solutions are switched in the model, which it does not need", p.ID)
	}
	seen := map[string]bool{}
	for _, d := range p.Params {
		for _, v := range []any{d.Quick, d.Standard, d.Thorough} {
			switch v.(type) {
			case float64, string:
			default:
				t.Errorf("%s: parameter %q has a default of type %T; float64 and string are allowed", p.ID, d.Name, v)
			}
		}
		if d.Doc == "" || seen[d.Name] {
			t.Errorf("%s: parameter %q is undocumented or doubled", p.ID, d.Name)
		}
		seen[d.Name] = true
	}
}

type kit struct {
	t      T
	p      *measure.Probe
	target Target
	params measure.Params
	seed   measure.Seed
}

func (k *kit) index() []int {
	if k.p.Rows == nil {
		return nil
	}
	n := k.p.Rows(measure.Scope{TestRows: k.target.Facts.TestRows, Width: k.target.Facts.Width, Classes: k.target.Facts.Classes, Params: k.params})
	if !k.p.Cases {
		n = min(n, k.target.Facts.TestRows)
	}
	index := make([]int, n)
	for i := range index {
		index[i] = i
	}
	return index
}

// shardCase is a Case with just what the probe says that it needs.
func (k *kit) shardCase(index []int) *measure.Case {
	n := k.p.Needs
	c := &measure.Case{Params: k.params, Index: index, Seed: k.seed, Logf: k.t.Logf, Domain: k.target.Domain}
	if n.Model && k.target.Model != nil {
		c.Model = k.target.Model()
		c.Model.Seed(k.seed)
	}
	if n.Files || n.Artefacts {
		c.Files = k.target.Files
	}
	if n.Records {
		c.Records = k.target.Records
	}
	if n.Sets {
		c.Sets = k.target.Sets
	}
	if n.Data {
		c.Data = pick(k.target.Data, index)
	}
	if n.Recorded {
		var err error
		if c.Recorded, err = k.target.Recorded.Pick(index); err != nil {
			k.t.Fatal(err)
		}
	}
	if n.Others {
		c.Others = pick(k.target.Data, measure.Sample(k.seed, k.target.Data.Len(), measure.OtherRows))
	}
	if !n.Labels && c.Data != nil {
		c.Data.Y, c.Data.YValue = nil, nil
	}
	for _, id := range k.p.Requires {
		r := k.target.Requires[id]
		if r == nil {
			k.t.Fatalf("%s requires %s, which the target does not give", k.p.ID, id)
		}
		part := *r
		part.Rows = r.Rows.Pick(index)
		if c.Results == nil {
			c.Results = map[string]*result.Result{}
		}
		c.Results[id] = &part
	}
	return c
}

func pick(t *dataset.Table, index []int) *dataset.Table {
	out := &dataset.Table{Names: t.Names, Width: t.Width, Shape: t.Shape}
	for _, i := range index {
		out.X = append(out.X, t.Row(i)...)
		out.Index = append(out.Index, i)
		if t.Y != nil {
			out.Y = append(out.Y, t.Y[i])
		}
		if t.YValue != nil {
			out.YValue = append(out.YValue, t.YValue[i])
		}
	}
	return out
}

// whole runs the probe in shards of a size and joins what comes out.
func (k *kit) whole(index []int, size int) *result.Result {
	k.t.Helper()
	if k.p.Joins() {
		return k.joint(k.target.Requires)
	}
	if k.p.Rows == nil {
		return k.shard(nil)
	}
	var parts []*result.Rows
	for chunk := range slices.Chunk(index, max(1, size)) {
		r := k.shard(chunk)
		if r.Rows == nil {
			k.t.Fatalf("%s: a shard gave no rows: %s %s", k.p.ID, r.State, r.Reason)
		}
		parts = append(parts, r.Rows)
	}
	rows, err := result.Join(parts...)
	if err != nil {
		k.t.Fatal(err)
	}
	j := &measure.Joint{Params: k.params, Rows: rows, Seed: k.seed, Facts: k.target.Facts, Results: k.target.Requires}
	r, err := k.p.Join(j)
	if err != nil {
		k.t.Fatalf("%s: join: %v", k.p.ID, err)
	}
	if r.Rows == nil {
		r.Rows = rows
	}
	return r
}

// joint joins the results of other probes.
func (k *kit) joint(of map[string]*result.Result) *result.Result {
	k.t.Helper()
	r, err := k.p.Join(&measure.Joint{Params: k.params, Rows: &result.Rows{}, Seed: k.seed, Facts: k.target.Facts, Results: of})
	if err != nil {
		k.t.Fatalf("%s: join: %v", k.p.ID, err)
	}
	return r
}

// joinsWhatThereIs leaves out what a probe joins, one at a time and all, as
// when it was not measured: what is left must validate.
func (k *kit) joinsWhatThereIs() {
	k.t.Helper()
	none := map[string]*result.Result{}
	for id := range k.target.Requires {
		none[id] = result.Unmeasured(result.Failed, "its worker ended")
		some := maps.Clone(k.target.Requires)
		some[id] = none[id]
		k.valid(k.joint(some))
	}
	if r := k.joint(none); r.State == result.Measured {
		k.t.Errorf("%s: measured, with nothing to join", k.p.ID)
	}
}

func (k *kit) shard(index []int) *result.Result {
	k.t.Helper()
	c := k.shardCase(index)
	last := 0.0
	c.Progress = func(share float64) {
		if share < last || share > 1 {
			k.t.Errorf("%s: progress went from %v to %v", k.p.ID, last, share)
		}
		last = share
	}
	r, err := k.p.Run(context.Background(), c)
	if err != nil {
		k.t.Fatalf("%s: %v", k.p.ID, err)
	}
	if last != 1 && k.p.Rows != nil {
		k.t.Errorf("%s: progress ended at %v, want 1", k.p.ID, last)
	}
	return r
}

func (k *kit) same(how string, want, got *result.Result) {
	k.t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		k.t.Errorf("%s %s gives another result (-first +now):\n%s", k.p.ID, how, diff)
	}
}

func (k *kit) valid(r *result.Result) {
	k.t.Helper()
	if r.State == result.Measured || r.State == "" {
		if len(r.Metrics) == 0 {
			k.t.Errorf("%s: measured, but no metric", k.p.ID)
		}
	} else if r.Reason == "" {
		k.t.Errorf("%s: state %s without a reason", k.p.ID, r.State)
	}
	for name, m := range r.Metrics {
		if k.p.Metrics != nil && !slices.Contains(k.p.Metrics, name) {
			k.t.Errorf("%s: metric %q is not among those that the probe says it gives: %q", k.p.ID, name, k.p.Metrics)
		}
		if m.Unit == "" || m.Method == "" || m.N < 0 || m.Lower > m.Upper || m.Value < m.Lower-1e-12 || m.Value > m.Upper+1e-12 {
			k.t.Errorf("%s: metric %q does not validate: %+v", k.p.ID, name, m)
		}
	}
	if err := r.Rows.Validate(); err != nil {
		k.t.Errorf("%s: %v", k.p.ID, err)
	}
	if k.p.Paired == "" || r.Rows == nil {
		return
	}
	column := r.Rows.Column(k.p.Paired)
	if column == nil {
		k.t.Errorf("%s: no column %q to pair", k.p.ID, k.p.Paired)
	}
	for _, v := range column {
		if v != 0 && v != 1 {
			k.t.Errorf("%s: column %q holds %v, want 0 or 1", k.p.ID, k.p.Paired, v)
			return
		}
	}
}

// losesARow joins all rows but the first, as when that one killed its worker.
func (k *kit) losesARow(index []int) {
	k.t.Helper()
	if k.p.Rows == nil || len(index) < 2 {
		return
	}
	rows := k.shard(index[1:]).Rows
	j := &measure.Joint{
		Params: k.params, Rows: rows, Seed: k.seed, Facts: k.target.Facts, Results: k.target.Requires,
		Lost: []measure.Lost{{Row: index[0], Cause: "the worker ended", Kind: "crashed"}},
	}
	r, err := k.p.Join(j)
	if err != nil {
		k.t.Errorf("%s: join without row %d, whose worker died: %v", k.p.ID, index[0], err)
		return
	}
	if r.Rows == nil {
		r.Rows = rows
	}
	k.valid(r)
}

// stops checks that a probe ends soon when its context does, with an error:
// before it began, and in its midst, where it may also have just finished.
func (k *kit) stops(index []int) {
	k.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	start := time.Now()
	_, err := k.p.Run(ctx, k.shardCase(index))
	if k.p.Needs.Model && !errors.Is(err, context.Canceled) {
		k.t.Errorf("%s: a cancelled run gave error %v, want context.Canceled", k.p.ID, err)
	}
	k.soon(start)

	ctx, cancel = context.WithCancel(context.Background())
	defer cancel()
	c := k.shardCase(index)
	c.Progress = func(float64) {
		if ctx.Err() == nil {
			start = time.Now()
		}
		cancel()
	}
	if _, err = k.p.Run(ctx, c); err != nil && !errors.Is(err, context.Canceled) {
		k.t.Errorf("%s: cancelled in its midst it gave error %v, want context.Canceled", k.p.ID, err)
	}
	if ctx.Err() != nil {
		k.soon(start)
	}
}

func (k *kit) soon(start time.Time) {
	k.t.Helper()
	if took := time.Since(start); took > 2*time.Second {
		k.t.Errorf("%s: it went on for %v after it was cancelled", k.p.ID, took)
	}
}
