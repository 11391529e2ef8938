package engine_test

import (
	"context"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/evidence"
	"github.com/assize/assize/internal/judge"
	"github.com/assize/assize/internal/ledger"
	"github.com/assize/assize/internal/plan"
	"github.com/assize/assize/internal/result"
	"github.com/assize/assize/internal/verify"
)

// forged is a dossier in the hands of somebody who holds a key and makes everything in it consistent again.
type forged struct {
	*dossier.Dossier
	rows map[string]*result.Rows // by probe of the deployed run
}

// observation is the deployed run of a probe.
func (f *forged) observation(t *testing.T, probe string) *evidence.Observation {
	t.Helper()
	for _, it := range f.Plan.Items {
		for i := range f.Observations {
			if o := &f.Observations[i]; it.Probe == probe && it.Deployed && o.Item == it.ID {
				return o
			}
		}
	}
	t.Fatalf("there is no %s", probe)
	return nil
}

// drop takes the items of a probe out of plan and observations.
func (f *forged) drop(probe string) {
	items, observations := f.Plan.Items[:0], f.Observations[:0]
	for _, it := range f.Plan.Items {
		if it.Probe != probe {
			items = append(items, it)
		}
	}
	for _, o := range f.Observations {
		if o.Probe != probe {
			observations = append(observations, o)
		}
	}
	f.Plan.Items, f.Observations = items, observations
}

// forge reads the dossier in dir, lets change do what it wants, and writes one
// that follows from it, with a new ledger and a new key: it verifies.
func forge(t *testing.T, dir string, change func(*forged)) string {
	t.Helper()
	d := must(dossier.Read(dir))(t)
	f := &forged{Dossier: d, rows: map[string]*result.Rows{}}
	rows := map[string]*result.Rows{}
	for i := range d.Observations {
		o := &d.Observations[i]
		rows[o.ID] = must(verify.Rows(dir, o))(t)
	}
	for _, it := range d.Plan.Items {
		if it.Deployed {
			f.rows[it.Probe] = rows[f.observation(t, it.Probe).ID]
		}
	}
	change(f)
	out := filepath.Join(t.TempDir(), "dossier")
	key := must(ledger.LoadOrCreateKey(t.TempDir()))(t)
	log := must(ledger.Open(filepath.Join(t.TempDir(), "log"), key))(t)
	defer log.Close()
	file := func(name string, b []byte) {
		t.Helper()
		path := filepath.Join(out, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		put(t, path, b)
	}
	add := func(e evidence.Entry) {
		t.Helper()
		e.Run, e.Time = d.Run, time.Now().UTC()
		must(log.Append(context.Background(), must(evidence.Canonical(e))(t)))(t)
	}
	d.Plan.Digest = artefact.DigestBytes(must(evidence.Canonical(d.Plan.Plan))(t))
	entry := evidence.Entry{
		Type: evidence.EntryPlan, Digest: d.Plan.Digest, Criteria: artefact.DigestBytes(must(evidence.Canonical(d.Plan.Criteria))(t)),
		Catalogue: d.Plan.Catalogue, Manifest: d.Manifest, Nonce: d.Plan.SeedNonce, Tool: d.Tool,
	}
	for _, a := range d.Artefacts {
		entry.Artefacts = append(entry.Artefacts, a.Digest)
	}
	add(entry)
	add(evidence.Entry{Type: evidence.EntryEnvironment, ID: "e-1", Digest: artefact.DigestBytes(must(evidence.Canonical(d.Environments[0]))(t))})
	nonce := must(hex.DecodeString(d.Plan.SeedNonce))(t)
	for i := range d.Observations {
		o := &d.Observations[i]
		seed := plan.Seed(d.Plan.Digest, nonce, o.Probe)
		o.Seed = hex.EncodeToString(seed[:])
		if o.RowsFile != "" {
			b, salted, err := evidence.SealRows(rows[o.ID], strings.NewReader(strings.Repeat("salt", 8)))
			if err != nil {
				t.Fatal(err)
			}
			o.RowsFile, o.RowsCount = salted, rows[o.ID].Len()
			file(dossier.EvidencePath(strings.TrimPrefix(salted, evidence.Salted)), b)
		}
		b := must(o.Seal())(t)
		file(dossier.EvidencePath(o.Digest.Hex()), b)
		add(evidence.Entry{Type: evidence.EntryObservation, ID: o.ID, Digest: o.Digest, State: string(o.State)})
	}
	d.Decisions = judge.Decide(&d.Plan.Plan, d.Observations)
	d.Goals = judge.Goals(&d.Plan.Plan, d.Decisions)
	d.Summary = judge.Summarise(&d.Plan.Plan, d.Decisions, d.Goals)
	paired := map[string]string{}
	for _, it := range d.Plan.Items {
		paired[it.Probe] = it.Paired
	}
	d.Effects = judge.Effects(&d.Plan.Plan, d.Observations, func(probe string) string { return paired[probe] },
		func(o *evidence.Observation) *result.Rows { return rows[o.ID] })
	add(evidence.Entry{Type: evidence.EntryDecisions, Digest: must(d.Outcome())(t)})
	d.Log = dossier.Log{Origin: must(ledger.ParseCheckpoint(log.Checkpoint(), key.Verifier()))(t).Origin, Key: key.Verifier().String(), Size: log.Size()}
	if err := log.CopyTo(context.Background(), filepath.Join(out, dossier.LogName)); err != nil {
		t.Fatal(err)
	}
	file(dossier.MainName, must(d.Encode())(t))
	list := &dossier.Files{Format: dossier.Format, Run: d.Run, Key: d.Log.Key, Files: must(dossier.List(context.Background(), out))(t)}
	list.Signature = must(key.Sign(dossier.SignatureDomain, must(list.Payload())(t)))(t)
	file(dossier.FilesName, must(evidence.Canonical(list))(t))
	return out
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
