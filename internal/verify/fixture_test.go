package verify_test

import (
	"context"
	"encoding/hex"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/catalogue"
	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/evidence"
	"github.com/assize/assize/internal/judge"
	"github.com/assize/assize/internal/ledger"
	"github.com/assize/assize/internal/manifest"
	"github.com/assize/assize/internal/plan"
	"github.com/assize/assize/internal/result"
	"github.com/assize/assize/internal/stat"
)

// A run is one assessment that is written as the engine writes one, with a place
// to cheat before each step.
type run struct {
	t      *testing.T
	key    *ledger.Key
	log    *ledger.Log
	logDir string
	dir    string // the dossier
	d      *dossier.Dossier
	rows   map[string]*result.Rows
	files  map[string][]byte // of evidence, by name
	clock  time.Time
}

// cheat is called with the run before the step that it is named for; nil does nothing.
type cheat struct {
	decide func(*run) // observations are recorded, decisions not made
	log    func(*run) // decisions are made, not logged
	write  func(*run) // all is logged, nothing written
}

func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func newKey(t *testing.T) *ledger.Key {
	t.Helper()
	return must(ledger.LoadOrCreateKey(filepath.Join(t.TempDir(), "key")))(t)
}

// honest writes one honest dossier.
func honest(t *testing.T) *run {
	t.Helper()
	return assess(t, newKey(t), filepath.Join(t.TempDir(), "log"), cheat{})
}

// assess writes a dossier with a ledger in logDir, which may hold earlier runs.
func assess(t *testing.T, key *ledger.Key, logDir string, c cheat) *run {
	t.Helper()
	r := &run{
		t: t, key: key, logDir: logDir, dir: filepath.Join(t.TempDir(), "dossier"), rows: map[string]*result.Rows{}, files: map[string][]byte{},
		clock: time.Date(2026, 11, 3, 10, 0, 0, 0, time.UTC),
	}
	r.log = must(ledger.Open(logDir, key))(t)
	defer r.log.Close()
	earlier := int(r.log.Size() / 6)
	first := r.log.Size()
	r.begin(logDir)
	r.observe(0, map[string]result.Metric{"disagreements": result.Exactly(0, 40, "rows")}, nil)
	r.observe(1, map[string]result.Metric{"robust_accuracy": share(t, 32, 40)}, table(40, 32))
	r.observe(2, map[string]result.Metric{"robust_accuracy": share(t, 20, 40)}, table(40, 20))
	if c.decide != nil {
		c.decide(r)
	}
	r.decide()
	if c.log != nil {
		c.log(r)
	}
	r.append(evidence.Entry{Type: evidence.EntryDecisions, Digest: must(r.d.Outcome())(t)})
	point := must(ledger.ParseCheckpoint(r.log.Checkpoint(), key.Verifier()))(t)
	r.d.Log = dossier.Log{Origin: point.Origin, Key: key.Verifier().String(), First: first, Size: point.Size, EarlierRuns: earlier}
	if c.write != nil {
		c.write(r)
	}
	r.write()
	return r
}

// begin makes the plan and logs it and the environment.
func (r *run) begin(logDir string) {
	r.t.Helper()
	artefacts := []artefact.Artefact{
		{Name: "model", Kind: artefact.Model, Path: "model.onnx", Digest: artefact.DigestBytes([]byte("model")), SizeBytes: 5},
		{Name: "test", Kind: artefact.Dataset, Path: "test.csv", Digest: artefact.DigestBytes([]byte("test")), SizeBytes: 4},
	}
	level := 0.6
	params := map[string]any{"epsilon": 0.05}
	inputs := []string{"model", "test"}
	p := plan.Plan{
		Format: 1, Tool: "assize test", Target: "credit", Version: "1.4", Depth: "quick",
		Manifest: artefact.DigestBytes([]byte("manifest")), Catalogue: artefact.DigestBytes([]byte("catalogue")), Artefacts: artefacts,
		Claims: []string{"evasion"}, Goals: []plan.Goal{{ID: "evasion", Title: "Evasion", Claimed: true}},
		Criteria: []catalogue.Criterion{{
			ID: "declared/robust-accuracy", Goal: "evasion", Kind: catalogue.Declared, Declared: "robust_accuracy", Probe: "evasion/x",
			Metric: "robust_accuracy", Compare: catalogue.AtLeast, Threshold: &level, SetBy: "provider", Why: "w", Cites: []string{"AI Act Art. 15(5)"},
		}},
		Items: []plan.Item{
			{ID: "i-1", Probe: "performance/parity", Version: 1, Goals: []string{"parity"}, Solutions: []string{"range-check"}, Deployed: true, Inputs: inputs},
			{ID: "i-2", Probe: "evasion/x", Version: 2, Goals: []string{"evasion"}, Parameters: params, Solutions: []string{"range-check"}, Deployed: true, Paired: "stands", Rows: 40, Inputs: inputs},
			{ID: "i-3", Probe: "evasion/x", Version: 2, Goals: []string{"evasion"}, Parameters: params, Solutions: []string{}, Paired: "stands", Rows: 40, Inputs: inputs},
		},
		LeftOut: []plan.LeftOut{}, TestRows: 40,
	}
	sum := artefact.DigestBytes([]byte(logDir + "\x00" + r.dir))
	r.d = &dossier.Dossier{
		Format: dossier.Format, Tool: p.Tool, Run: sum.Hex()[:32], Started: r.clock, Manifest: p.Manifest, Artefacts: artefacts,
		Target:    manifest.Target{Name: "credit", Version: "1.4"},
		Solutions: []manifest.Solution{{Name: "range-check", Type: manifest.InputValidation, Goals: []string{"evasion"}, Switchable: true}},
		Plan:      dossier.Plan{SeedNonce: sum.Hex()[32:], Plan: p, Digest: artefact.DigestBytes(must(evidence.Canonical(p))(r.t))},
		Environments: []evidence.Environment{{
			ID: "e-1", OS: "linux", Arch: "amd64", Processor: "p", Cores: 2, Threads: 1, Runtime: "none", Tool: p.Tool, Sandbox: map[string]string{},
		}},
	}
	digests := []artefact.Digest{artefacts[0].Digest, artefacts[1].Digest}
	r.append(evidence.Entry{
		Type: evidence.EntryPlan, Digest: r.d.Plan.Digest, Criteria: artefact.DigestBytes(must(evidence.Canonical(p.Criteria))(r.t)),
		Catalogue: p.Catalogue, Manifest: p.Manifest, Artefacts: digests, Nonce: r.d.Plan.SeedNonce, Tool: p.Tool,
	})
	r.append(evidence.Entry{Type: evidence.EntryEnvironment, ID: "e-1", Digest: artefact.DigestBytes(must(evidence.Canonical(r.d.Environments[0]))(r.t))})
}

func (r *run) append(e evidence.Entry) {
	r.t.Helper()
	r.clock = r.clock.Add(time.Second)
	e.Run, e.Time = r.d.Run, r.clock
	must(r.log.Append(context.Background(), must(evidence.Canonical(e))(r.t)))(r.t)
}

// observe records an observation of an item of the plan.
func (r *run) observe(item int, metrics map[string]result.Metric, rows *result.Rows) {
	r.t.Helper()
	it := r.d.Plan.Items[item]
	nonce := must(hex.DecodeString(r.d.Plan.SeedNonce))(r.t)
	seed := plan.Seed(r.d.Plan.Digest, nonce, it.Probe)
	o := evidence.Observation{
		ID: "o" + it.ID[1:], Item: it.ID, Probe: it.Probe, Version: it.Version, Result: result.Result{State: result.Measured, Metrics: metrics},
		Inputs: []artefact.Digest{r.d.Artefacts[0].Digest, r.d.Artefacts[1].Digest}, Parameters: it.Parameters, Seed: hex.EncodeToString(seed[:]),
		SolutionsOn: it.Solutions, RowsCount: rows.Len(), Environment: "e-1", Queries: 40, Seconds: 0.5, Ended: r.clock,
	}
	r.seal(&o, rows)
	r.append(evidence.Entry{Type: evidence.EntryObservation, ID: o.ID, Digest: o.Digest, State: string(o.State)})
	r.d.Observations = append(r.d.Observations, o)
}

// seal makes the files of an observation.
func (r *run) seal(o *evidence.Observation, rows *result.Rows) {
	r.t.Helper()
	if rows != nil {
		file, salted, err := evidence.SealRows(rows, strings.NewReader(strings.Repeat(o.ID, 32)))
		if err != nil {
			r.t.Fatal(err)
		}
		o.RowsFile = salted
		r.files[strings.TrimPrefix(salted, evidence.Salted)] = file
		r.rows[o.ID] = rows
	}
	b := must(o.Seal())(r.t)
	r.files[o.Digest.Hex()] = b
}

func (r *run) decide() {
	p := &r.d.Plan.Plan
	r.d.Decisions = judge.Decide(p, r.d.Observations)
	r.d.Goals = judge.Goals(p, r.d.Decisions)
	r.d.Summary = judge.Summarise(p, r.d.Decisions, r.d.Goals)
	r.d.Effects = judge.Effects(p, r.d.Observations, func(string) string { return "stands" }, func(o *evidence.Observation) *result.Rows { return r.rows[o.ID] })
	r.d.Ended = r.clock
}

// write lays the dossier out and signs it.
func (r *run) write() {
	r.t.Helper()
	for name, b := range r.files {
		r.put(dossier.EvidencePath(name), b)
	}
	if err := os.CopyFS(r.path(dossier.LogName), os.DirFS(r.logDir)); err != nil {
		r.t.Fatal(err)
	}
	r.put("key.pub", []byte(r.key.Verifier().String()+"\n"))
	r.put(dossier.ReportName, []byte("<!doctype html><title>report</title>"))
	r.put(dossier.MainName, must(r.d.Encode())(r.t))
	r.sign()
}

// copy is the run before it was written, for another test to change; the log stays as it is.
func (r *run) copy(t *testing.T) *run {
	t.Helper()
	c := *r
	c.t, c.dir, c.files = t, filepath.Join(t.TempDir(), "dossier"), maps.Clone(r.files)
	c.d = must(dossier.Parse(must(r.d.Encode())(t)))(t)
	return &c
}

// sign writes files.json for what lies there.
func (r *run) sign() {
	r.t.Helper()
	f := &dossier.Files{Format: dossier.Format, Run: r.d.Run, Key: r.key.Verifier().String()}
	f.Files = must(dossier.List(context.Background(), r.dir))(r.t)
	r.signList(f)
}

// signList writes a list of files as it is, signed.
func (r *run) signList(f *dossier.Files) {
	r.t.Helper()
	f.Signature = must(r.key.Sign(dossier.SignatureDomain, must(f.Payload())(r.t)))(r.t)
	r.put(dossier.FilesName, must(evidence.Canonical(f))(r.t))
}

func (r *run) path(name string) string { return filepath.Join(r.dir, filepath.FromSlash(name)) }

func (r *run) put(name string, b []byte) {
	r.t.Helper()
	if err := os.MkdirAll(filepath.Dir(r.path(name)), 0o755); err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(r.path(name), b, 0o644); err != nil {
		r.t.Fatal(err)
	}
}

func (r *run) get(name string) []byte {
	r.t.Helper()
	return must(os.ReadFile(r.path(name)))(r.t)
}

func share(t *testing.T, k, n int) result.Metric {
	t.Helper()
	in := must(stat.ClopperPearson(k, n, 0.95))(t)
	return result.Metric{Value: float64(k) / float64(n), Lower: in.Lower, Upper: in.Upper, N: n, K: &k, Unit: "share", Method: "clopper-pearson", Confidence: 0.95}
}

// table says that the first k of n rows stand.
func table(n, k int) *result.Rows {
	index := make([]int, n)
	for i := range index {
		index[i] = i
	}
	rows := result.NewRows(index, "stands")
	for i := range k {
		rows.Columns[0].Values[i] = 1
	}
	return rows
}
