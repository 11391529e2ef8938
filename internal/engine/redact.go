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

	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/durable"
	"github.com/assize/assize/internal/evidence"
	"github.com/assize/assize/internal/ledger"
	"github.com/assize/assize/internal/report/html"
	"github.com/assize/assize/internal/result"
	"github.com/assize/assize/internal/verify"
)

// Redacted says what a redaction left out.
type Redacted struct {
	Observations []string // whose rows were left out, as "o-3 performance/classification"
	Of           int      // observations with rows
	Files        []string // that no part of the dossier names
}

// Redact writes the dossier in dir to the new folder out without the files of
// rows that hold values of the target's data. What is left is signed again, with the
// key of the run, which must lie in keyFolder, and verifies.
func Redact(ctx context.Context, dir, out, keyFolder string) (*Redacted, error) {
	d, err := verified(ctx, dir, nil)
	if err != nil {
		return nil, err
	}
	key, err := ledger.LoadKey(keyFolder)
	if err != nil {
		return nil, fmt.Errorf("redact dossier: %w\nhint: only who ran the assessment can redact its dossier, with the key of the run", err)
	}
	if got := key.Verifier().String(); got != d.Log.Key {
		return nil, fmt.Errorf("redact dossier: it was signed with %s, the key here is %s\nhint: only who ran the assessment can redact its dossier, with the key of the run", d.Log.Key, got)
	}
	if _, err := os.Lstat(out); !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("redact dossier: %q is there already\nhint: name a new folder", out)
	}
	files, err := dossier.ReadFiles(dir)
	if err != nil {
		return nil, err
	}
	keep, r, err := withoutData(dir, d)
	if err != nil {
		return nil, err
	}
	temp := filepath.Clean(out) + ".part"
	if err := os.RemoveAll(temp); err != nil {
		return nil, durable.Explain("redact dossier", temp, err)
	}
	for _, f := range files.Files {
		if !keep[f.Path] && !strings.HasPrefix(f.Path, dossier.LogName+"/") && !strings.HasPrefix(f.Path, dossier.OutsideName+"/") {
			if !strings.HasPrefix(f.Path, dossier.EvidenceName+"/") && f.Path != dossier.ReportName {
				r.Files = append(r.Files, f.Path)
			}
			continue
		}
		if err := copyFile(ctx, dir, temp, f); err != nil {
			return nil, errors.Join(err, os.RemoveAll(temp))
		}
	}
	var page strings.Builder
	if err = html.Write(&page, d); err == nil {
		err = durable.WriteFile(filepath.Join(temp, dossier.ReportName), []byte(page.String()), 0o644)
	}
	if err == nil {
		err = signFolder(ctx, temp, d.Run, key)
	}
	if err == nil {
		err = os.Rename(temp, out)
	}
	if err != nil {
		return nil, errors.Join(durable.Explain("write dossier", out, err), os.RemoveAll(temp))
	}
	return r, nil
}

// withoutData lists the files outside the ledger that a redacted dossier keeps.
func withoutData(dir string, d *dossier.Dossier) (map[string]bool, *Redacted, error) {
	keep, r := map[string]bool{dossier.MainName: true, keyName: true}, &Redacted{}
	for i := range d.Observations {
		o := &d.Observations[i]
		keep[dossier.EvidencePath(o.Digest.Hex())] = true
		rows, err := verify.Rows(dir, o)
		if err != nil {
			return nil, nil, err
		}
		if o.RowsFile == "" {
			continue
		}
		r.Of++
		if rows == nil || slices.ContainsFunc(rows.Columns, func(c result.Column) bool { return c.Data }) {
			r.Observations = append(r.Observations, o.ID+" "+o.Probe)
			continue
		}
		keep[dossier.EvidencePath(strings.TrimPrefix(o.RowsFile, evidence.Salted))] = true
	}
	return keep, r, nil
}

// copyFile copies one file of a dossier that verifies.
func copyFile(ctx context.Context, from, to string, f dossier.File) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	b, err := dossier.ReadFile(from, f.Path, f.Size)
	if err != nil {
		return err
	}
	full := filepath.Join(to, filepath.FromSlash(f.Path))
	if err := durable.MkdirAll(filepath.Dir(full), 0o755); err != nil {
		return err
	}
	return durable.WriteFile(full, b, 0o644)
}
