package engine_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/engine"
	"github.com/assize/assize/internal/verify"
	"github.com/assize/assize/internal/witness"
	"github.com/assize/assize/internal/witness/stamp"
	"github.com/assize/assize/internal/witness/witnesstest"
)

// TestOutside stamps and cosigns two runs, of which the second follows the
// first in the witness's eyes, and lets others tamper with what was said.
func TestOutside(t *testing.T) {
	target := example(t, "digits")
	authority, watcher := witnesstest.NewAuthority(t), witnesstest.NewWitness(t)
	o := options(t, target)
	o.Timestamps, o.Witnesses = []string{authority.URL}, []string{watcher.URL}
	o.WitnessKeys = must(witness.ParseKeys([]byte(watcher.Key)))(t)
	assess(t, o)
	var says bytes.Buffer
	o.Log = &says
	o.Timestamps = append(o.Timestamps, "http://127.0.0.1:1") // nobody is there: the run goes without
	d, dir := assess(t, o)
	if len(d.Log.Stamps) != 1 || len(d.Log.Witnesses) != 1 || d.Log.EarlierRuns != 1 || !strings.Contains(says.String(), "warning: the dossier goes without it: ask for time stamp") {
		t.Fatalf("got %+v, %s", d.Log, says.String())
	}
	rootFile := filepath.Join(t.TempDir(), "root.pem")
	put(t, rootFile, authority.Root)
	trust := verify.Trust{Stamp: stamp.Checker(must(stamp.ReadRoots(rootFile))(t)), Authorities: true, Witnesses: o.WitnessKeys}
	check := func(dir string, trust verify.Trust) (ok bool, text string) {
		t.Helper()
		r := must(verify.Trusting(context.Background(), dir, trust))(t)
		var b strings.Builder
		if err := r.Write(&b); err != nil {
			t.Fatal(err)
		}
		return r.OK(), b.String()
	}
	for _, trust := range []verify.Trust{{Stamp: stamp.Checker(nil)}, trust} {
		ok, text := check(dir, trust)
		for _, want := range []string{"by a time stamp of CN=Time on loopback", "the witness witness.test/loopback had seen no other", "ask the witness which other ledgers"} {
			if !ok || !strings.Contains(text, want) {
				t.Errorf("got\n%s\nwant %q", text, want)
			}
		}
		if vouches := strings.Contains(text, "comes from the dossier itself (--tsa FILE)"); vouches == trust.Authorities {
			t.Errorf("with roots %v: got\n%s", trust.Authorities, text)
		}
	}
	strangers := verify.Trust{Witnesses: must(witness.ParseKeys([]byte(witnesstest.NewWitness(t).Key)))(t)}
	if ok, text := check(dir, strangers); ok || !strings.Contains(text, "no cosignature is by a witness that was named") {
		t.Errorf("another witness: got\n%s", text)
	}
	put(t, rootFile, witnesstest.NewAuthority(t).Root)
	if ok, text := check(dir, verify.Trust{Stamp: stamp.Checker(must(stamp.ReadRoots(rootFile))(t)), Authorities: true}); ok || !strings.Contains(text, "FAILED  time stamps and witnesses") {
		t.Errorf("another authority: got\n%s", text)
	}
	if ok, text := check(dir, verify.Trust{}); !ok || !strings.Contains(text, "not checked by this program") || strings.Contains(text, "the run had ended with this ledger by") {
		t.Errorf("a verifier without certificates: got\n%s", text)
	}
	// Redaction keeps both, and a dossier of another log cannot borrow them.
	out := filepath.Join(t.TempDir(), "out")
	must(engine.Redact(context.Background(), dir, out, o.KeyFolder))(t)
	if ok, text := check(out, trust); !ok {
		t.Errorf("redacted: got\n%s", text)
	}
	forged := forge(t, dir, func(*forged) {})
	for _, name := range []string{dossier.StampPath(1), dossier.CosignaturesName} {
		b := must(os.ReadFile(filepath.Join(dir, filepath.FromSlash(name))))(t)
		if err := os.MkdirAll(filepath.Join(forged, dossier.OutsideName), 0o755); err != nil {
			t.Fatal(err)
		}
		put(t, filepath.Join(forged, filepath.FromSlash(name)), b)
	}
	if ok, text := check(forged, verify.Trust{}); ok || !strings.Contains(text, `"outside/cosignatures" was added`) || !strings.Contains(text, "FAILED  every file") {
		t.Errorf("borrowed: got\n%s", text)
	}
}
