package engine

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/durable"
	"github.com/assize/assize/internal/ledger"
	"github.com/assize/assize/internal/witness/ask"
	"github.com/assize/assize/internal/witness/stamp"
)

// askTime bounds how long one party outside may take to answer.
const askTime = 30 * time.Second

// askOutside shows the checkpoint to the authorities and witnesses that were
// named, notes what they said in d.Log, and returns the files to keep. One that does not
// answer loses nothing of the run: it is said, and the dossier carries one fewer.
func (r *record) askOutside(ctx context.Context, d *dossier.Dossier) map[string][]byte {
	files := map[string][]byte{}
	client := &http.Client{Timeout: askTime}
	point := r.log.Checkpoint()
	for _, url := range r.options.Timestamps {
		answer, err := ask.Stamp(ctx, client, url, point)
		if err != nil {
			r.without(err)
			continue
		}
		s, err := stamp.Check(answer, point, nil)
		if err != nil {
			r.without(err)
			continue
		}
		name := dossier.StampPath(len(d.Log.Stamps) + 1)
		files[name] = answer
		d.Log.Stamps = append(d.Log.Stamps, dossier.Stamp{File: name, Time: s.Time, Authority: s.Authority})
	}
	var lines strings.Builder
	for _, url := range r.options.Witnesses {
		found, err := ask.Cosign(ctx, client, url, point, r.options.WitnessKeys, r.proveSince)
		if err != nil {
			r.without(err)
			continue
		}
		for _, c := range found {
			lines.WriteString(c.Line + "\n")
			d.Log.Witnesses = append(d.Log.Witnesses, dossier.Witness{Name: c.Witness, Key: c.Key.String(), Time: c.Time})
		}
	}
	if lines.Len() > 0 {
		files[dossier.CosignaturesName] = []byte(lines.String())
	}
	return files
}

func (r *record) without(err error) {
	fmt.Fprintf(r.options.Log, "warning: the dossier goes without it: %s\n", err)
}

// proveSince proves that the log begins with what it held at an earlier size.
func (r *record) proveSince(old int64) ([][]byte, error) {
	reader, err := ledger.OpenReader(os.DirFS(filepath.Join(r.state, logName)), r.key.Verifier())
	if err != nil {
		return nil, err
	}
	if old > reader.Checkpoint().Size {
		return nil, fmt.Errorf("it has seen %d entries, the log has %d: the log was put back to an earlier state", old, reader.Checkpoint().Size)
	}
	proof, err := reader.ProveConsistency(old)
	if err != nil {
		return nil, err
	}
	var all [][]byte
	for _, h := range proof {
		all = append(all, h[:])
	}
	return all, nil
}

// otherLogs notes in the key's folder that this ledger is one of a target of
// this name, and counts the others that were noted: ledgers that were put away. Whoever holds the folder can
// empty it; it shows an oversight, not an intent.
func (r *record) otherLogs(keyFolder, target string) (int, error) {
	point, err := ledger.ParseCheckpoint(r.log.Checkpoint(), r.key.Verifier())
	if err != nil {
		return 0, err
	}
	dir := filepath.Join(keyFolder, "logs", artefact.DigestBytes([]byte(target)).Hex()[:32])
	if err := durable.MkdirAll(dir, 0o700); err != nil {
		return 0, err
	}
	own := artefact.DigestBytes([]byte(point.Origin)).Hex()[:32]
	if err := durable.WriteFile(filepath.Join(dir, own), []byte(point.Origin+"\n"), 0o600); err != nil {
		return 0, err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return 0, err
	}
	others := 0
	for _, e := range entries {
		if e.Name() != own && !durable.IsTemp(e.Name()) {
			others++
		}
	}
	return others, nil
}
