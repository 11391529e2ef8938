package verify_test

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"

	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/evidence"
	"github.com/assize/assize/internal/verify"
)

// TestHostileDossiers: whoever signs a dossier may put into it what they like.
// Each is a clear line.
func TestHostileDossiers(t *testing.T) {
	base := honest(t)
	stranger := honest(t)
	for _, tt := range []struct {
		name        string
		change      func(*run)
		check, want string
	}{
		{"an empty folder", func(r *run) {
			if err := os.MkdirAll(r.path("evidence/more/and/more"), 0o755); err != nil {
				t.Fatal(err)
			}
		}, "every file", `"evidence/more" is a folder without a file`},
		{"nesting", func(r *run) {
			r.put(dossier.MainName, []byte(strings.Repeat(`{"format":`, 100_000)))
			r.sign()
		}, "dossier.json", "nested deeper than 64 levels"},
		{"a key twice", func(r *run) {
			b := r.get(dossier.MainName)
			r.put(dossier.MainName, bytes.Replace(b, []byte(`"run":`), []byte(`"run": "x", "run":`), 1))
			r.sign()
		}, "dossier.json", `key "run" stands twice`},
		{"a link", func(r *run) {
			r.sign()
			if err := os.Symlink("/etc/passwd", r.path("evidence/passwd")); err != nil {
				t.Fatal(err)
			}
		}, "every file", `"evidence/passwd" is not a regular file`},
		{"a huge file", func(r *run) {
			f := must(os.Create(r.path("evidence/huge")))(t)
			defer f.Close()
			if err := f.Truncate(2 << 30); err != nil {
				t.Skip("no room for a sparse file: ", err)
			}
		}, "every file", `"evidence/huge" is larger than`},
		{"a checkpoint of another log", func(r *run) {
			r.put(dossier.CheckpointName, stranger.get(dossier.CheckpointName))
			r.sign()
		}, "ledger", "another key"},
		{"an earlier checkpoint of its own", func(r *run) {
			r.put(dossier.CheckpointName, bytes.Replace(r.get(dossier.CheckpointName), []byte("\n6\n"), []byte("\n5\n"), 1))
			r.sign()
		}, "ledger", "the signature does not match the text"},
		{"evidence of another dossier", func(r *run) {
			name := dossier.EvidencePath(r.d.Observations[1].Digest.Hex())
			r.put(name, stranger.get(dossier.EvidencePath(stranger.d.Observations[1].Digest.Hex())))
			r.sign()
		}, "evidence", "observation o-2"},
		{"rows that are huge on paper", func(r *run) {
			name := dossier.EvidencePath(strings.TrimPrefix(r.d.Observations[1].RowsFile, evidence.Salted))
			r.put(name, []byte(`{"rows":{"columns":[],"index":[`+strings.Repeat("[", 1000)+`]},"salt":""}`))
			r.sign()
		}, "evidence", "does not have the digest"},
		{"a time stamp that nobody speaks of", func(r *run) {
			r.put(dossier.StampPath(1), []byte("stamp"))
			r.sign()
		}, "time stamps and witnesses", "is not one that the dossier speaks of"},
		{"a cosignature by nobody", func(r *run) {
			r.d.Log.Witnesses = []dossier.Witness{{Name: "w", Key: "w+00000000+BAAA"}}
			r.put(dossier.MainName, must(r.d.Encode())(t))
			r.put(dossier.CosignaturesName, []byte("— w AAAA\n"))
			r.sign()
		}, "time stamps and witnesses", "parse witness key"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := base.copy(t)
			r.write()
			tt.change(r)
			wantFailure(t, check(t, r.dir, nil), tt.check, tt.want)
		})
	}
}

// FuzzSigned replaces one file of a dossier and signs it: whatever is in it,
// verification ends, and only the file as it was, or the page, which no check reads, verifies.
func FuzzSigned(f *testing.F) {
	for i := range 5 {
		f.Add(i, []byte("{}"))
		f.Add(i, []byte(`{"format":1}`))
	}
	f.Fuzz(func(t *testing.T, which int, b []byte) {
		r := honest(t)
		o := r.d.Observations[1]
		names := []string{
			dossier.MainName, dossier.EvidencePath(o.Digest.Hex()), dossier.EvidencePath(strings.TrimPrefix(o.RowsFile, evidence.Salted)),
			dossier.CheckpointName, "log/tile/entries/000.p/6",
		}
		name := names[((which%len(names))+len(names))%len(names)]
		was := r.get(name)
		r.put(name, b)
		r.sign()
		report, err := verify.Dossier(context.Background(), r.dir, nil)
		if err != nil || report.OK() && !bytes.Equal(was, b) && name != dossier.MainName {
			t.Errorf("%s: got %v, %v", name, report, err)
		}
	})
}
