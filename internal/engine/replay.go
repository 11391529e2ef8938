package engine

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"

	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/evidence"
	"github.com/assize/assize/internal/judge"
	"github.com/assize/assize/internal/ledger"
	"github.com/assize/assize/internal/manifest"
	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/plan"
	"github.com/assize/assize/internal/planner"
	"github.com/assize/assize/internal/probes/suite"
	"github.com/assize/assize/internal/replay"
	"github.com/assize/assize/internal/result"
	"github.com/assize/assize/internal/runner"
	"github.com/assize/assize/internal/verify"
	"github.com/assize/assize/internal/witness/stamp"
)

// ReplayOptions are what the receiver of a dossier decides. Options.Target is
// the folder with model and data; "" is the one that holds the dossier.
type ReplayOptions struct {
	Options
	Dossier string
	Key     *ledger.Verifier // trusted by the receiver; nil takes the dossier's own
	Sample  int              // observations to run again; 0 is all
	Rows    int              // rows of each; 0 is all
	Nonce   []byte           // the receiver's; it draws both
}

// again is a replay under way.
type again struct {
	*ReplayOptions
	*prepared
	d       *dossier.Dossier
	report  *replay.Report
	nonce   []byte // of the run
	follows map[string]bool
	rows    map[string]*result.Rows // recorded, by item; nil where they were left out
	whole   map[string]bool         // items whose rows alone do not show their numbers
	results map[string]*result.Result
}

// Replay verifies a dossier, checks model and data against its digests, runs
// observations that the receiver's nonce draws again and compares. What
// contradicts the dossier stands in the report; the error is for what cannot be tried.
func Replay(ctx context.Context, o ReplayOptions) (*replay.Report, error) {
	v, err := verify.Trusting(ctx, o.Dossier, verify.Trust{Key: o.Key, Tool: dossier.Tool, Stamp: stamp.Checker(nil)})
	if err != nil {
		return nil, err
	}
	a := &again{ReplayOptions: &o, report: &replay.Report{
		Target: v.Target, Run: v.Run, Nonce: hex.EncodeToString(o.Nonce),
		Differences: []string{}, Observations: []replay.Again{}, NotReplayed: []string{}, Shows: []string{},
	}}
	var wrong []string
	for _, c := range v.Checks {
		if !c.OK {
			wrong = append(wrong, c.Name+": "+c.Detail)
		}
	}
	a.report.Add("verification", fmt.Sprintf("%d checks hold", len(v.Checks)), wrong)
	if len(wrong) == 0 {
		if a.d, err = dossier.Read(o.Dossier); err != nil {
			return nil, err
		}
		err = a.run(ctx)
	}
	a.say()
	return a.report, err
}

func (a *again) run(ctx context.Context) error {
	same, err := a.checkFiles(ctx)
	if err != nil || !same {
		return err
	}
	a.Depth = a.d.Plan.Depth
	if a.prepared, err = prepare(ctx, &a.Options); err != nil {
		return fmt.Errorf("open target to replay: %w", err)
	}
	// Verification has shown that the nonce decodes.
	a.nonce, _ = hex.DecodeString(a.d.Plan.SeedNonce)
	for _, e := range a.d.Environments {
		a.report.Differences = append(a.report.Differences, replay.Machine(e, a.environment)...)
	}
	a.report.SameMachine = len(a.report.Differences) == 0
	a.checkEndpoint()
	var wrong []string
	if b := a.d.Plan.Budget; b != nil {
		if err := planner.Rescale(a.forecast.Plan, a.plan, a.probes, b); err != nil {
			wrong = append(wrong, err.Error())
		}
	}
	var others []string
	a.follows, others = replay.Plans(&a.d.Plan.Plan, a.forecast.Plan)
	a.report.Add("plan, made again", fmt.Sprintf("%d items follow from the manifest", len(a.follows)), append(wrong, others...))
	if err := a.readRows(); err != nil {
		return err
	}
	a.rejoin()
	return a.measure(ctx)
}

// checkFiles compares manifest, model and data with the digests of the dossier.
func (a *again) checkFiles(ctx context.Context) (bool, error) {
	a.report.Recorded = len(a.d.Observations)
	var err error
	if a.Target, err = targetOf(a.Dossier, a.Target); err != nil {
		return false, fmt.Errorf("replay dossier: %w", err)
	}
	if err := checkOverrides(a.d, a.Overrides); err != nil {
		return false, fmt.Errorf("replay dossier: %w", err)
	}
	files, wrong, err := differing(ctx, a.d, a.Target, a.Overrides)
	if err != nil {
		return false, err
	}
	a.report.Add("model and data", fmt.Sprintf("the manifest and %d files have the recorded digests", files), wrong)
	return len(wrong) == 0, nil
}

// targetOf is the folder with manifest, model and data of a dossier: the one
// that is named, else the one that holds the dossier.
func targetOf(dossierDir, named string) (string, error) {
	dir := named
	if dir == "" {
		full, err := filepath.Abs(dossierDir)
		if err != nil {
			return "", err
		}
		dir = filepath.Dir(full)
	}
	if info, err := os.Stat(dir); err == nil && !info.IsDir() {
		dir = filepath.Dir(dir)
	}
	if _, err := os.Stat(filepath.Join(dir, manifest.FileName)); errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("there is no %s in %q\nhint: name the folder with model and data: --target DIR", manifest.FileName, dir)
	}
	return dir, nil
}

// differing counts the files of a dossier's target and lists those in the
// folder, or among what the assessor set, that are others.
func differing(ctx context.Context, d *dossier.Dossier, dir string, set manifest.Overrides) (files int, wrong []string, err error) {
	place := &manifest.Manifest{Dir: dir}
	differs := func(what, path string, want artefact.Digest, theirs string) error {
		full, err := theirs, error(nil)
		if theirs == "" {
			full, err = place.Locate(path)
		}
		if err == nil {
			_, err = os.Stat(full)
		}
		if err != nil {
			wrong = append(wrong, fmt.Sprintf("%s: %q is not there", what, path))
			return nil
		}
		got, _, err := artefact.DigestOf(ctx, full)
		switch {
		case err != nil:
			return err
		case got != want:
			wrong = append(wrong, fmt.Sprintf("%s: %q has digest %s, the dossier was made on %s", what, path, got.Short(), want.Short()))
		}
		return nil
	}
	if err := differs("manifest", manifest.FileName, d.Manifest, ""); err != nil {
		return 0, nil, err
	}
	for _, f := range d.Artefacts {
		if f.Endpoint != nil {
			continue // asked once the rest is known to be the same
		}
		files++
		if err := differs(string(f.Kind)+" "+f.Name, f.Path, f.Digest, set.Data[f.Name]); err != nil {
			return 0, nil, err
		}
	}
	for _, o := range d.Plan.Overrides {
		if o.Name == "" {
			if err := differs("threat model", o.File, o.Digest, set.Threat); err != nil {
				return 0, nil, err
			}
		}
	}
	return files, wrong, nil
}

// checkOverrides wants what the assessor set in the run of a dossier, and nothing
// more: what these files hold is compared by digest.
func checkOverrides(d *dossier.Dossier, set manifest.Overrides) error {
	left, threat := maps.Clone(set.Data), set.Threat
	for _, o := range d.Plan.Overrides {
		flag, given := "--threat FILE", threat != ""
		if o.Name != "" {
			_, given = left[o.Name]
			flag = "--data-override " + o.Name + "=FILE"
			delete(left, o.Name)
		} else {
			threat = ""
		}
		if !given {
			return &Refusal{fmt.Errorf("%s\nhint: the same file is needed here: %s", o.Sentence(), flag)}
		}
	}
	if len(left) > 0 || threat != "" {
		return &Refusal{errors.New("it was made on the provider's own data or threat model where an assessor's is named here\nhint: leave out --data-override and --threat, or assess with them")}
	}
	return nil
}

// checkEndpoint compares what a served model says of itself with what it said then.
func (a *again) checkEndpoint() {
	for _, then := range a.d.Artefacts {
		if then.Endpoint == nil {
			continue
		}
		var wrong []string
		for _, now := range a.artefacts {
			if now.Name == then.Name && now.Digest != then.Digest {
				wrong = append(wrong, fmt.Sprintf("endpoint %s: what it says of itself has digest %s, the dossier was made on %s", then.Name, now.Digest.Short(), then.Digest.Short()))
			}
		}
		a.report.Add("endpoint", "it says of itself what it said then; its bytes were not seen, then or now", wrong)
	}
}

// readRows reads the recorded rows; those that were left out are nil.
func (a *again) readRows() error {
	a.rows = map[string]*result.Rows{}
	for i := range a.d.Observations {
		o := &a.d.Observations[i]
		rows, err := verify.Rows(a.Dossier, o)
		if err != nil {
			return err
		}
		a.rows[o.Item] = rows
	}
	return nil
}

// rejoin computes every observation's numbers again from its recorded rows,
// without the model, and marks those where that does not give what was recorded:
// they are run again whole, which tells a forged number from one that needs more than its rows.
func (a *again) rejoin() {
	a.whole, a.results = map[string]bool{}, map[string]*result.Result{}
	items := a.items()
	for i := range a.d.Observations {
		o := &a.d.Observations[i]
		r := o.Result
		r.Rows = a.rows[o.Item]
		a.results[o.Item] = &r
	}
	var wrong []string
	joined := 0
	for i := range a.d.Observations {
		o := &a.d.Observations[i]
		it := items[o.Item]
		probe, ok := suite.Find(a.probes, o.Probe)
		if !ok || probe.Version != o.Version || probe.Rows == nil || !a.follows[o.Item] || o.State != result.Measured {
			continue
		}
		rows := a.rows[o.Item]
		if rows == nil {
			a.whole[o.Item] = true
			continue
		}
		if text := replay.Drawn(rows.Index, runner.Drawn(it, probe, a.d.Plan.Digest, a.nonce, a.plan.Facts.TestRows), o); text != "" {
			wrong = append(wrong, text)
			continue
		}
		if o.Traffic != nil && o.Traffic.Unasked > 0 {
			continue // a part of the rows, of which nobody can say which
		}
		required := map[string]*result.Result{}
		for _, id := range it.After {
			required[items[id].Probe] = a.results[id]
		}
		seed := measure.Seed(plan.Seed(a.d.Plan.Digest, a.nonce, o.Probe))
		r, err := replay.Join(probe, it, seed, a.plan.Facts, a.d.Plan.Guessed, rows, required)
		if err != nil || len(replay.Metrics(&o.Result, r)) > 0 {
			a.whole[o.Item] = true
			continue
		}
		joined++
	}
	a.report.Add("rows and numbers", fmt.Sprintf("the numbers of %d observations follow from their rows, %d are run again whole to see", joined, len(a.whole)), wrong)
}

func (a *again) items() map[string]*plan.Item {
	items := map[string]*plan.Item{}
	for i := range a.d.Plan.Items {
		items[a.d.Plan.Items[i].ID] = &a.d.Plan.Items[i]
	}
	return items
}

// measure runs what is drawn again and compares it.
func (a *again) measure(ctx context.Context) error {
	var can []string
	short := a.cutShort()
	for i := range a.d.Observations {
		o := &a.d.Observations[i]
		probe, ok := suite.Find(a.probes, o.Probe)
		reason := ""
		switch {
		case !ok || probe.Version != o.Version:
			reason = fmt.Sprintf("this build has no probe %s of version %d", o.Probe, o.Version)
		case !a.follows[o.Item]:
			reason = "it is not what the manifest asks for"
		case short[o.Item]:
			reason = fmt.Sprintf("it, or what it reads, was cut short by the run's cap of %s", a.d.Plan.Cap)
		case o.State == result.Failed:
			reason = "it had failed: " + o.Reason
		default:
			can = append(can, o.Item)
			continue
		}
		a.report.NotReplayed = append(a.report.NotReplayed, fmt.Sprintf("%s %s: %s", o.ID, o.Probe, reason))
	}
	drawn := replay.Draw(a.d.Plan.Digest, a.Nonce, can, a.Sample)
	wanted := slices.Clone(drawn)
	for _, id := range can {
		if a.whole[id] && !slices.Contains(wanted, id) {
			wanted = append(wanted, id)
		}
	}
	all, read := replay.Closure(&a.d.Plan.Plan, wanted)
	items := a.items()
	all = slices.DeleteFunc(all, func(id string) bool {
		return !a.follows[id] || slices.ContainsFunc(items[id].After, func(before string) bool { return !a.follows[before] })
	})
	some := map[string][]int{}
	for _, id := range all {
		if rows := a.rows[id]; rows != nil && !read[id] && !a.whole[id] && a.Rows > 0 {
			some[id] = replay.DrawRows(a.d.Plan.Digest, a.Nonce, id, rows.Index, a.Rows)
		}
	}
	now, err := a.observe(ctx, all, some)
	if err != nil {
		return err
	}
	// What does not agree on some rows is run again on all: that shows how much of it is wrong.
	var more []string
	compared := map[string]replay.Again{}
	for _, id := range all {
		_, part := some[id]
		compared[id] = a.compare(id, now[id], part)
		if part && (len(compared[id].Wrong) > 0 || compared[id].Differ > 0) {
			more = append(more, id)
		}
	}
	if len(more) > 0 {
		deeper, _ := replay.Closure(&a.d.Plan.Plan, more)
		again, err := a.observe(ctx, deeper, nil)
		if err != nil {
			return err
		}
		maps.Copy(now, again)
		for _, id := range more {
			compared[id] = a.compare(id, now[id], false)
		}
	}
	for _, id := range all {
		c := compared[id]
		c.Drawn = slices.Contains(drawn, id)
		a.report.Observations = append(a.report.Observations, c)
	}
	a.decideAgain(now, some, more)
	return nil
}

// cutShort holds the items that the cap on what is asked kept from being measured whole, and those that read them.
func (a *again) cutShort() map[string]bool {
	short := map[string]bool{}
	for i := range a.d.Observations {
		if t := a.d.Observations[i].Traffic; t != nil && t.Unasked > 0 {
			short[a.d.Observations[i].Item] = true
		}
	}
	for i := range a.d.Plan.Items { // an item stands behind those that it reads
		it := &a.d.Plan.Items[i]
		short[it.ID] = short[it.ID] || slices.ContainsFunc(it.After, func(id string) bool { return short[id] })
	}
	return short
}

// observe runs items of the recorded plan with the recorded seeds.
func (a *again) observe(ctx context.Context, items []string, some map[string][]int) (map[string]*result.Result, error) {
	p := a.d.Plan.Plan
	p.Cap = a.most // of this run
	p.Items = slices.DeleteFunc(slices.Clone(p.Items), func(i plan.Item) bool { return !slices.Contains(items, i.ID) })
	now := map[string]*result.Result{}
	if len(p.Items) == 0 {
		return now, nil
	}
	err := runner.Run(ctx, &p, runner.Options{
		Workers: a.Workers, Command: a.Command, Setup: a.setup, Probes: a.probes, Facts: a.plan.Facts,
		PlanDigest: a.d.Plan.Digest, Nonce: a.nonce, Environment: a.environment.ID, Handler: a.Handler, Now: a.Now, Rows: some,
		Record: func(o *evidence.Observation, rows *result.Rows) error {
			r := o.Result
			r.Rows = rows
			now[o.Item] = &r
			return nil
		},
	})
	return now, err
}

// compare sets what was measured now against what was recorded. Of part of
// the rows it compares the rows alone; their numbers were computed again before.
func (a *again) compare(item string, now *result.Result, part bool) replay.Again {
	i := slices.IndexFunc(a.d.Observations, func(o evidence.Observation) bool { return o.Item == item })
	o := &a.d.Observations[i]
	c := replay.Again{ID: o.ID, Probe: o.Probe, SolutionsOn: o.SolutionsOn, Of: o.RowsCount, Wrong: []string{}, Said: []string{}}
	if now == nil {
		c.Wrong = append(c.Wrong, "it did not come back")
		return c
	}
	recorded := a.rows[item]
	switch {
	case recorded != nil && now.Rows != nil:
		c.CompareRows(recorded, now.Rows, a.report.SameMachine)
	case part:
		c.Wrong = append(c.Wrong, "no row came back: "+now.Reason)
	case now.Rows != nil:
		c.Rows, c.Of = now.Rows.Len(), o.RowsCount
	}
	if !part {
		c.CompareResult(&o.Result, now, c.Rows, a.report.SameMachine)
	}
	return c
}

// decideAgain decides by the recorded criteria, with what was measured again in place of what was recorded.
func (a *again) decideAgain(now map[string]*result.Result, some map[string][]int, whole []string) {
	observations := slices.Clone(a.d.Observations)
	for i := range observations {
		o := &observations[i]
		_, part := some[o.Item]
		if r := now[o.Item]; r != nil && (!part || slices.Contains(whole, o.Item)) {
			o.Result = *r
		}
	}
	var wrong []string
	decisions := judge.Decide(&a.d.Plan.Plan, observations)
	for i, k := range decisions {
		if i < len(a.d.Decisions) && k.Decision != a.d.Decisions[i].Decision {
			wrong = append(wrong, fmt.Sprintf("criterion %s: recorded %s, it is %s with what was measured here", k.Criterion, a.d.Decisions[i].Decision, k.Decision))
		}
	}
	a.report.Add("decisions", fmt.Sprintf("%d decisions stay what they are", len(decisions)), wrong)
}

// say fills in what the comparison shows and what it does not.
func (a *again) say() {
	r := a.report
	drawn, rows := 0, 0
	for _, c := range r.Observations {
		if c.Drawn {
			drawn++
		}
		rows += c.Rows
	}
	if r.OK() {
		r.Shows = []string{
			"the manifest, the model and the data here are those that the dossier was made on",
			fmt.Sprintf("%d of %d observations were drawn by your nonce, run again with the recorded seeds, and agree; %d rows were compared", drawn, r.Recorded, rows),
			"the numbers of every observation whose rows suffice follow from those rows",
		}
		if a.ReplayOptions.Rows > 0 {
			share := 1 - math.Pow(0.05, 1/float64(a.ReplayOptions.Rows))
			r.Shows = append(r.Shows, fmt.Sprintf("had %.1f %% or more of the rows of an observation with more than %d rows been forged, the rows drawn would have shown it with a probability of 95 %%", 100*share, a.ReplayOptions.Rows))
		}
	}
	if left := r.Recorded - drawn; left > 0 {
		r.DoesNotShow = append(r.DoesNotShow, fmt.Sprintf("that the other %d observations can be measured again: another nonce draws others, --sample 0 runs all", left))
	}
	r.DoesNotShow = append(r.DoesNotShow, "that this model is the one in service: the parity check rests on recorded outputs that came with the dossier")
	if a.d != nil && !r.SameMachine {
		r.DoesNotShow = append(r.DoesNotShow, "that numbers are equal to the last bit: this is another machine or program than that of the run")
	}
}
