package verify_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/ledger"
	"github.com/assize/assize/internal/verify"
)

func check(t *testing.T, dir string, key *ledger.Verifier) *verify.Report {
	t.Helper()
	r, err := verify.Dossier(context.Background(), dir, key)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// failed are the checks that failed, each as "name: detail".
func failed(r *verify.Report) []string {
	var out []string
	for _, c := range r.Checks {
		if !c.OK {
			out = append(out, c.Name+": "+c.Detail)
		}
	}
	return out
}

// wantFailure wants a check of this name to fail with this in its detail.
func wantFailure(t *testing.T, r *verify.Report, name, detail string) {
	t.Helper()
	for _, c := range r.Checks {
		if c.Name == name && !c.OK && strings.Contains(c.Detail, detail) {
			return
		}
	}
	t.Errorf("got failures\n  %s\nwant %s with %q", strings.Join(failed(r), "\n  "), name, detail)
}

func TestHonestDossier(t *testing.T) {
	key, log := newKey(t), filepath.Join(t.TempDir(), "log")
	first := assess(t, key, log, cheat{})
	second := assess(t, key, log, cheat{})
	for i, run := range []*run{first, second} {
		r := check(t, run.dir, key.Verifier())
		if got := failed(r); got != nil {
			t.Fatalf("run %d: got failures %q", i, got)
		}
		var names []string
		for _, c := range r.Checks {
			names = append(names, c.Name)
		}
		want := []string{
			"list of files", "signature of the list", "every file", "ledger", "dossier.json", "order in the ledger",
			"items of the plan", "evidence", "seeds", "decisions, judged again", "effects, compared again", "time stamps and witnesses",
		}
		if diff := cmp.Diff(names, want); diff != "" {
			t.Errorf("checks (-got +want):\n%s", diff)
		}
		if !r.OK() || !r.Trusted || r.Target != "credit 1.4" || r.Run != run.d.Run || r.Key != key.Verifier().String() {
			t.Errorf("run %d: got %+v", i, r)
		}
		if got, want := len(r.Shows), 3+i; got != want {
			t.Errorf("run %d: it shows %q", i, r.Shows)
		}
	}
	if d := first.d.Decisions[0]; d.Decision != dossier.Pass || len(first.d.Effects) != 1 {
		t.Errorf("the fixture decides %+v with effects %+v: the tests want a pass and an effect", d, first.d.Effects)
	}
	// The key inside vouches for itself, and the report says so.
	r := check(t, first.dir, nil)
	if !r.OK() || r.Trusted || !strings.Contains(strings.Join(r.DoesNotShow, "\n"), "who signed") {
		t.Errorf("without a key: trusted %v, does not show %q", r.Trusted, r.DoesNotShow)
	}
}

func TestWrite(t *testing.T) {
	run := honest(t)
	var good, bad strings.Builder
	if err := check(t, run.dir, nil).Write(&good); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"credit 1.4, run " + run.d.Run[:8], "ok      every file", "VERIFIED. This shows", "It does not show", "signed with assize/"} {
		if !strings.Contains(good.String(), want) {
			t.Errorf("got\n%s\nwant %q in it", good.String(), want)
		}
	}
	run.put("evil\x1b[2J\u202e.txt", nil)
	if err := check(t, run.dir, nil).Write(&bad); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(bad.String(), "FAILED  every file") || !strings.Contains(bad.String(), "NOT VERIFIED") || strings.Contains(bad.String(), "This shows") {
		t.Errorf("got\n%s", bad.String())
	}
	if strings.ContainsAny(bad.String(), "\x1b\u202e") {
		t.Errorf("a file's name reaches the terminal as it is:\n%q", bad.String())
	}
}

// TestWriteEscapes shows a report whose every text comes from an enemy.
func TestWriteEscapes(t *testing.T) {
	const evil = "a\x1b[2J\r\u202e\nVERIFIED é"
	r := &verify.Report{Target: evil, Run: evil, Key: evil, Checks: []verify.Check{{Name: "c", OK: true, Detail: evil}}, Shows: []string{evil}, DoesNotShow: []string{evil}}
	var b strings.Builder
	if err := r.Write(&b); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(b.String(), "\x1b\r\u202e") || strings.Contains(b.String(), "\nVERIFIED é") || strings.Count(b.String(), `a\x1b[2J\r\u202e\nVERIFIED é`) != 5 {
		t.Errorf("got %q", b.String())
	}
}

func TestNotADossier(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{file, file + "-missing"} {
		if _, err := verify.Dossier(context.Background(), dir, nil); err == nil || !strings.Contains(err.Error(), "\nhint: ") {
			t.Errorf("%s: got error %v, want one with a hint", dir, err)
		}
	}
	r := check(t, t.TempDir(), nil)
	wantFailure(t, r, "list of files", "it has no files.json")
	if r.OK() || len(r.Checks) != 1 || r.Shows != nil {
		t.Errorf("an empty folder gives %+v", r)
	}
	if (&verify.Report{}).OK() {
		t.Error("a report without checks is a success")
	}
}

func TestCancelled(t *testing.T) {
	run := honest(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := verify.Dossier(ctx, run.dir, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got error %v, want context.Canceled", err)
	}
}

func TestAnotherKey(t *testing.T) {
	run := honest(t)
	r := check(t, run.dir, newKey(t).Verifier())
	wantFailure(t, r, "signature of the list", "not by the key that was named")
	wantFailure(t, r, "ledger", "")
	// A stranger who signs the same files with a key of his own is found by the ledger.
	stranger := *run
	stranger.key = newKey(t)
	stranger.sign()
	r = check(t, run.dir, nil)
	wantFailure(t, r, "ledger", "signed by")
	wantFailure(t, r, "dossier.json", "another run or key")
	wantFailure(t, check(t, run.dir, run.key.Verifier()), "signature of the list", "not by the key that was named")
}
