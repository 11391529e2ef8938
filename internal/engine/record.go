package engine

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/durable"
	"github.com/assize/assize/internal/evidence"
	"github.com/assize/assize/internal/ledger"
	"github.com/assize/assize/internal/report/html"
	"github.com/assize/assize/internal/result"
)

// The folders of a target's state.
const (
	stateName = ".assize"
	blobsName = "blobs"
	logName   = "log"
	keyName   = "key.pub"
)

// record writes down what a run does: blobs by digest, and the ledger that binds them.
type record struct {
	target       string
	state        string
	key          *ledger.Key
	log          *ledger.Log
	run          string
	first        int64
	earlier      int
	others       int // ledgers that were begun before for a target of this name
	options      *Options
	now          func() time.Time
	observations []evidence.Observation
	tables       map[string]*result.Rows // by observation
	examples     []html.Example          // for the page alone
}

// openRecord makes sure that everything can be written before anything is measured.
func openRecord(p *prepared, o *Options) (*record, error) {
	r := &record{options: o, target: p.dir, state: filepath.Join(p.dir, stateName), now: o.Now, observations: []evidence.Observation{}, tables: map[string]*result.Rows{}}
	for _, dir := range []string{r.state, filepath.Join(r.state, blobsName)} {
		if err := durable.MkdirAll(dir, 0o755); err != nil {
			return nil, fmt.Errorf("open record of runs: %w", err)
		}
	}
	var err error
	if r.key, err = ledger.LoadOrCreateKey(o.KeyFolder); err != nil {
		return nil, err
	}
	if err := ledger.WriteVerifier(filepath.Join(r.state, keyName), r.key.Verifier()); err != nil {
		return nil, err
	}
	if r.log, err = ledger.Open(filepath.Join(r.state, logName), r.key); err != nil {
		return nil, err
	}
	r.first = r.log.Size()
	if r.others, err = r.otherLogs(o.KeyFolder, p.manifest.Target.Name); err != nil {
		return nil, errors.Join(err, r.log.Close())
	}
	if r.earlier, err = r.earlierRuns(); err != nil {
		return nil, errors.Join(err, r.log.Close())
	}
	return r, nil
}

// earlierRuns counts the plans in the ledger.
func (r *record) earlierRuns() (int, error) {
	runs := 0
	err := r.entries(func(_ int64, e evidence.Entry) {
		if e.Type == evidence.EntryPlan {
			runs++
		}
	})
	return runs, err
}

func (r *record) close() { _ = r.log.Close() } // everything in it is synced already

// begin logs the plan, its criteria and the nonce, and then the environment.
func (r *record) begin(ctx context.Context, d *dossier.Dossier, env evidence.Environment) error {
	r.run = d.Run
	var err error
	if d.Plan.Digest, err = planDigest(&d.Plan.Plan); err != nil {
		return err
	}
	criteria, err := evidence.Canonical(d.Plan.Criteria)
	if err != nil {
		return err
	}
	e := evidence.Entry{
		Type: evidence.EntryPlan, Digest: d.Plan.Digest, Criteria: artefact.DigestBytes(criteria), Catalogue: d.Plan.Catalogue,
		Manifest: d.Manifest, Nonce: d.Plan.SeedNonce, Tool: d.Tool,
	}
	for _, a := range d.Artefacts {
		e.Artefacts = append(e.Artefacts, a.Digest)
	}
	for _, o := range d.Plan.Overrides {
		e.Overrides = append(e.Overrides, o.Digest)
	}
	if err := r.append(ctx, e); err != nil {
		return err
	}
	return r.environment(ctx, env)
}

// environment logs where observations are made, and keeps it for a run that resumes this one.
func (r *record) environment(ctx context.Context, env evidence.Environment) error {
	b, err := evidence.Canonical(env)
	if err != nil {
		return err
	}
	digest := artefact.DigestBytes(b)
	if err := r.blob(digest.Hex(), b); err != nil {
		return err
	}
	return r.append(ctx, evidence.Entry{Type: evidence.EntryEnvironment, ID: env.ID, Digest: digest})
}

func (r *record) append(ctx context.Context, e evidence.Entry) error {
	e.Run, e.Time = r.run, r.now().UTC()
	b, err := evidence.Canonical(e)
	if err != nil {
		return err
	}
	_, err = r.log.Append(ctx, b)
	return err
}

// observe keeps an observation: rows and observation as blobs, then the entry. It counts as
// recorded when the entry is on disk.
func (r *record) observe(o *evidence.Observation, rows *result.Rows) error {
	if rows.Len() > 0 {
		file, salted, err := evidence.SealRows(rows, rand.Reader)
		if err != nil {
			return err
		}
		o.RowsFile = salted
		if err := r.blob(strings.TrimPrefix(salted, evidence.Salted), file); err != nil {
			return err
		}
	}
	b, err := o.Seal()
	if err != nil {
		return err
	}
	if err := r.blob(o.Digest.Hex(), b); err != nil {
		return err
	}
	// A run that is being cancelled still records what it has.
	err = r.append(context.Background(), evidence.Entry{Type: evidence.EntryObservation, ID: o.ID, Digest: o.Digest, State: string(o.State)})
	if err != nil {
		return err
	}
	r.observations = append(r.observations, *o)
	r.tables[o.ID] = rows
	return nil
}

func (r *record) blob(hex string, b []byte) error {
	return durable.WriteFile(filepath.Join(r.state, blobsName, hex), b, 0o644)
}

func (r *record) rows(o *evidence.Observation) *result.Rows { return r.tables[o.ID] }

// finish logs the decisions and puts the dossier in place, whole or not at all.
func (r *record) finish(ctx context.Context, d *dossier.Dossier) (string, error) {
	digest, err := d.Outcome()
	if err != nil {
		return "", err
	}
	b, err := d.Encode()
	if err != nil {
		return "", err
	}
	if err := durable.WriteFile(filepath.Join(r.state, finishingName), b, 0o644); err != nil {
		return "", err
	}
	if err := r.append(ctx, evidence.Entry{Type: evidence.EntryDecisions, Digest: digest}); err != nil {
		return "", err
	}
	return r.place(ctx, d)
}

// place puts the dossier of a run whose decisions are logged in its place.
func (r *record) place(ctx context.Context, d *dossier.Dossier) (string, error) {
	point, err := ledger.ParseCheckpoint(r.log.Checkpoint(), r.key.Verifier())
	if err != nil {
		return "", err
	}
	d.Log = dossier.Log{Origin: point.Origin, Key: r.key.Verifier().String(), First: r.first, Size: point.Size, EarlierRuns: r.earlier, OtherLogs: r.others}
	outside := r.askOutside(ctx, d)
	temp := filepath.Join(r.state, "dossier-"+r.run[:8])
	if err := os.RemoveAll(temp); err != nil { // of a run that was broken off
		return "", durable.Explain("write dossier", temp, err)
	}
	if err := r.write(ctx, temp, d, outside); err != nil {
		return "", errors.Join(err, os.RemoveAll(temp))
	}
	dir := Folder(r.target)
	old := filepath.Join(r.state, "previous-dossier")
	if err := os.RemoveAll(old); err != nil {
		return "", durable.Explain("replace dossier", old, err)
	}
	if err := os.Rename(dir, old); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", durable.Explain("replace dossier", dir, err)
	}
	if err := os.Rename(temp, dir); err != nil {
		return "", errors.Join(durable.Explain("put dossier in place", dir, err), os.Rename(old, dir))
	}
	if err := os.Remove(filepath.Join(r.state, finishingName)); err != nil {
		return "", durable.Explain("finish run", r.state, err)
	}
	_ = os.RemoveAll(old) // its evidence is among the blobs, its order in the ledger
	return dir, nil
}

// write lays a dossier out in a new folder; the signed list of files comes last.
func (r *record) write(ctx context.Context, dir string, d *dossier.Dossier, outside map[string][]byte) error {
	folder := dir
	if len(d.Observations) > 0 {
		folder = filepath.Join(dir, dossier.EvidenceName)
	}
	if err := durable.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	for i := range d.Observations {
		o := &d.Observations[i]
		for _, hex := range []string{o.Digest.Hex(), strings.TrimPrefix(o.RowsFile, evidence.Salted)} {
			if hex == "" {
				continue
			}
			b, err := os.ReadFile(filepath.Join(r.state, blobsName, hex))
			if err != nil {
				return durable.Explain("read evidence", hex, err)
			}
			if err := durable.WriteFile(filepath.Join(dir, dossier.EvidenceName, hex), b, 0o644); err != nil {
				return err
			}
		}
	}
	if err := r.log.CopyTo(ctx, filepath.Join(dir, dossier.LogName)); err != nil {
		return err
	}
	if err := ledger.WriteVerifier(filepath.Join(dir, keyName), r.key.Verifier()); err != nil {
		return err
	}
	if len(outside) > 0 {
		if err := durable.MkdirAll(filepath.Join(dir, dossier.OutsideName), 0o755); err != nil {
			return err
		}
	}
	for name, b := range outside {
		if err := durable.WriteFile(filepath.Join(dir, filepath.FromSlash(name)), b, 0o644); err != nil {
			return err
		}
	}
	main, err := d.Encode()
	if err != nil {
		return err
	}
	if err := durable.WriteFile(filepath.Join(dir, dossier.MainName), main, 0o644); err != nil {
		return err
	}
	var page strings.Builder
	if err := html.WriteWith(&page, withTables(d, func(o *evidence.Observation) (*result.Rows, error) { return r.rows(o), nil }), r.examples); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	if err := durable.WriteFile(filepath.Join(dir, dossier.ReportName), []byte(page.String()), 0o644); err != nil {
		return err
	}
	return signFolder(ctx, dir, r.run, r.key)
}

// signFolder writes the signed list of a dossier's files, which comes last.
func signFolder(ctx context.Context, dir, run string, key *ledger.Key) error {
	list, err := dossier.List(ctx, dir)
	if err != nil {
		return fmt.Errorf("list dossier's files: %w", err)
	}
	files := dossier.Files{Format: dossier.Format, Run: run, Files: list, Key: key.Verifier().String()}
	payload, err := files.Payload()
	if err != nil {
		return err
	}
	if files.Signature, err = key.Sign(dossier.SignatureDomain, payload); err != nil {
		return err
	}
	b, err := evidence.Canonical(files)
	if err != nil {
		return err
	}
	return durable.WriteFile(filepath.Join(dir, dossier.FilesName), b, 0o644)
}
