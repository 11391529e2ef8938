package engine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/durable"
	"github.com/assize/assize/internal/evidence"
	"github.com/assize/assize/internal/ledger"
	"github.com/assize/assize/internal/result"
)

// finishingName is the file that holds a dossier between its decisions and its
// place: a run that is broken off there is put in place by the next one that resumes.
const finishingName = "finishing.json"

// lastRun are the entries of the last run in the ledger, with the index of the first.
type lastRun struct {
	entries []evidence.Entry
	first   int64
}

// last reads the last run of the ledger; it is empty where there is none.
func (r *record) last() (*lastRun, error) {
	l := &lastRun{}
	err := r.entries(func(i int64, e evidence.Entry) {
		if e.Type == evidence.EntryPlan {
			l.entries, l.first = nil, i
		}
		l.entries = append(l.entries, e)
	})
	return l, err
}

// unfinished tells whether a run was broken off before its decisions were logged.
func (l *lastRun) unfinished() bool {
	return len(l.entries) > 0 && l.entries[0].Type == evidence.EntryPlan && l.entries[len(l.entries)-1].Type != evidence.EntryDecisions
}

// unplaced is the dossier of a finished run that was broken off before its
// dossier lay in its place; nil where there is none.
func (r *record) unplaced(l *lastRun) (*dossier.Dossier, error) {
	b, err := os.ReadFile(filepath.Join(r.state, finishingName))
	if errors.Is(err, fs.ErrNotExist) || len(l.entries) == 0 {
		return nil, nil
	}
	if err != nil {
		return nil, durable.Explain("read dossier to be finished", r.state, err)
	}
	d, err := dossier.Parse(b)
	if err != nil {
		return nil, err
	}
	digest, err := d.Outcome()
	if end := l.entries[len(l.entries)-1]; err != nil || end.Type != evidence.EntryDecisions || end.Run != d.Run || end.Digest != digest {
		return nil, err // of a run whose decisions were not logged: they are made again
	}
	r.run, r.first = d.Run, l.first
	r.earlier--
	return d, nil
}

// finishLate puts the dossier of a run in place that was broken off just before that.
func (r *record) finishLate(ctx context.Context, d *dossier.Dossier, err error) (*dossier.Dossier, string, error) {
	if err != nil {
		return nil, "", err
	}
	dir, err := r.place(ctx, d)
	return d, dir, err
}

// resume goes on with a run that was broken off: d, which holds the plan made
// now, takes over run, nonce and observations from the ledger. The plan must be the one that was logged.
func (r *record) resume(ctx context.Context, l *lastRun, d *dossier.Dossier, env *evidence.Environment) (map[string]*result.Result, error) {
	begun := l.entries[0]
	var err error
	if d.Plan.Digest, err = planDigest(&d.Plan.Plan); err != nil {
		return nil, err
	}
	if why := changed(begun, d); why != "" {
		return nil, fmt.Errorf("resume run %.8s: %s\nhint: put it back as it was, or start a new run without --resume", begun.Run, why)
	}
	r.run, r.first = begun.Run, l.first
	r.earlier--
	d.Run, d.Plan.SeedNonce, d.Started, d.Environments = begun.Run, begun.Nonce, begun.Time, nil
	done := map[string]*result.Result{}
	for _, e := range l.entries[1:] {
		switch e.Type {
		case evidence.EntryEnvironment:
			var was evidence.Environment
			if err := r.readBlob(e.Digest.Hex(), func(b []byte) error { return evidence.Decode(b, &was) }); err != nil {
				return nil, err
			}
			d.Environments = append(d.Environments, was)
		case evidence.EntryResumed:
			d.Resumed++
		case evidence.EntryObservation:
			o, err := r.recorded(e)
			if err != nil {
				return nil, err
			}
			kept := o.Result
			kept.Rows = r.tables[o.ID]
			done[o.Item] = &kept
		}
	}
	d.Resumed++
	if err := r.append(ctx, evidence.Entry{Type: evidence.EntryResumed, Tool: d.Tool}); err != nil {
		return nil, err
	}
	return done, r.settle(ctx, d, env)
}

// settle names the environment that further observations are made in: one of
// those that were logged where it is the same, else a new one.
func (r *record) settle(ctx context.Context, d *dossier.Dossier, env *evidence.Environment) error {
	now, err := evidence.Canonical(env)
	if err != nil {
		return err
	}
	for _, was := range d.Environments {
		id := was.ID
		was.ID = env.ID
		if b, err := evidence.Canonical(was); err == nil && string(b) == string(now) {
			env.ID = id
			return nil
		}
	}
	env.ID = fmt.Sprintf("e-%d", len(d.Environments)+1)
	d.Environments = append(d.Environments, *env)
	return r.environment(ctx, *env)
}

// changed says what of a plan is not as it was logged.
func changed(begun evidence.Entry, d *dossier.Dossier) string {
	var digests []artefact.Digest
	for _, a := range d.Artefacts {
		digests = append(digests, a.Digest)
	}
	var overrides []artefact.Digest
	for _, o := range d.Plan.Overrides {
		overrides = append(overrides, o.Digest)
	}
	switch {
	case !slices.Equal(begun.Overrides, overrides):
		return "the assessor's data or threat model are not those that it was begun with"
	case begun.Manifest != d.Manifest:
		return "the manifest was changed since"
	case !slices.Equal(begun.Artefacts, digests):
		return "a file of the target was changed since"
	case begun.Tool != d.Tool:
		return fmt.Sprintf("it was begun by %s, this is %s", begun.Tool, d.Tool)
	case begun.Catalogue != d.Plan.Catalogue:
		return "the catalogue was changed since"
	case begun.Digest != d.Plan.Digest:
		return "the plan is another than was logged, by its depth or by how the model opens"
	}
	return ""
}

// recorded reads an observation and its rows back from the blobs.
func (r *record) recorded(e evidence.Entry) (*evidence.Observation, error) {
	var o *evidence.Observation
	err := r.readBlob(e.Digest.Hex(), func(b []byte) (err error) {
		o, err = evidence.Unseal(b)
		return err
	})
	if err != nil {
		return nil, err
	}
	if o.RowsFile != "" {
		err := r.readBlob(strings.TrimPrefix(o.RowsFile, evidence.Salted), func(b []byte) (err error) {
			r.tables[o.ID], err = evidence.UnsealRows(b)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	r.observations = append(r.observations, *o)
	return o, nil
}

// readBlob reads a blob, whose name is its digest, and decodes it.
func (r *record) readBlob(hex string, decode func([]byte) error) error {
	b, err := dossier.ReadFile(filepath.Join(r.state, blobsName), hex, evidence.MaxRowsBytes)
	if err == nil && artefact.DigestBytes(b).Hex() != hex {
		err = errors.New("it was changed")
	}
	if err == nil {
		err = decode(b)
	}
	if err != nil {
		return fmt.Errorf("resume run: read evidence %.16s: %w\nhint: start a new run without --resume", hex, err)
	}
	return nil
}

// entries calls fn for every entry of the ledger.
func (r *record) entries(fn func(int64, evidence.Entry)) error {
	if r.log.Size() == 0 {
		return nil
	}
	reader, err := ledger.OpenReader(os.DirFS(filepath.Join(r.state, logName)), r.key.Verifier())
	if err != nil {
		return err
	}
	return reader.Entries(context.Background(), func(i int64, b []byte) error {
		var e evidence.Entry
		if err := evidence.Decode(b, &e); err != nil {
			return err
		}
		fn(i, e)
		return nil
	})
}
