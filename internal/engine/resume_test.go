package engine_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/engine"
	"github.com/assize/assize/internal/evidence"
	"github.com/assize/assize/internal/ledger"
	"github.com/assize/assize/internal/verify"
	"github.com/assize/assize/internal/worker"
)

// assessThis names the target that the test binary assesses in place of tests, with --resume.
const assessThis = "ASSIZE_TEST_ASSESS"

var kills = flag.Int("kills", 8, "how often TestResumeAfterKill kills the program")

// assessOnce is the program that TestResumeAfterKill kills.
func assessOnce(target string) int {
	self, err := os.Executable()
	if err != nil {
		return 1
	}
	_, _, err = engine.Assess(context.Background(), engine.Options{
		Target: target, Depth: "quick", Workers: 2, Tool: "assize test", KeyFolder: filepath.Join(target, "..", "key"), Log: os.Stderr, Now: time.Now,
		Command: worker.Command{Path: self, Args: []string{worker.Argument}}, Resume: true,
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// lastEntries are the digests of the observations that the ledger's last run holds, in order, and whether it has ended.
func lastEntries(t *testing.T, target string) (observations []string, ended bool) {
	t.Helper()
	log := filepath.Join(target, ".assize", "log")
	if _, err := os.Stat(filepath.Join(log, "checkpoint")); err != nil {
		return nil, false
	}
	key := must(ledger.ReadVerifier(filepath.Join(target, ".assize", "key.pub")))(t)
	reader := must(ledger.OpenReader(os.DirFS(log), key))(t)
	err := reader.Entries(context.Background(), func(_ int64, b []byte) error {
		var e evidence.Entry
		if err := evidence.Decode(b, &e); err != nil {
			return err
		}
		switch e.Type {
		case evidence.EntryPlan:
			observations, ended = nil, false
		case evidence.EntryObservation:
			observations = append(observations, e.ID+" "+string(e.Digest))
		case evidence.EntryDecisions:
			ended = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return observations, ended
}

// TestResumeAfterKill kills the program at random moments and lets it go on,
// again and again: what was recorded stays, nothing stands twice, and every
// dossier that comes out is that of an unbroken run with the same seeds, row by row.
// Run it with -kills 100 for longer.
func TestResumeAfterKill(t *testing.T) {
	target := filepath.Join(t.TempDir(), "target")
	if err := os.CopyFS(target, os.DirFS(example(t, "digits"))); err != nil {
		t.Fatal(err)
	}
	self := must(os.Executable())(t)
	random := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1))
	var before []string
	killed, late, kept := 0, 0, 0
	// One whole run says how long one takes here.
	begun := time.Now()
	run := func(kill time.Duration) (finished bool) {
		t.Helper()
		c := exec.Command(self)
		c.Env = append(os.Environ(), assessThis+"="+target)
		var says bytes.Buffer
		c.Stderr = &says
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		if kill > 0 {
			timer := time.AfterFunc(kill, func() { _ = c.Process.Kill() })
			defer timer.Stop()
		}
		err := c.Wait()
		if err != nil && c.ProcessState.ExitCode() >= 0 {
			t.Fatalf("it ended by itself with %v: %s", err, says.String())
		}
		return err == nil
	}
	whole := func() {
		t.Helper()
		dir := engine.Folder(target)
		if v := must(verify.Dossier(context.Background(), dir, nil))(t); !v.OK() {
			t.Fatalf("the resumed dossier does not verify: %+v", v.Checks)
		}
		r := must(engine.Replay(context.Background(), engine.ReplayOptions{Options: options(t, target), Dossier: dir, Nonce: []byte{1}}))(t)
		if got := faults(r); got != "" || !r.OK() || len(r.Observations) != r.Recorded {
			t.Fatalf("an unbroken run with the same seeds differs: %s", got)
		}
	}
	if !run(0) {
		t.Fatal("the first run did not end")
	}
	length := time.Since(begun)
	for killed+late < *kills {
		finished := run(time.Duration(random.Int64N(int64(length))))
		now, ended := lastEntries(t, target)
		if len(before) > 0 && (len(now) < len(before) || strings.Join(now[:len(before)], "\n") != strings.Join(before, "\n")) {
			t.Fatalf("recorded observations were lost:\n%q\n%q", before, now)
		}
		kept += len(before)
		seen := map[string]bool{}
		for _, o := range now {
			if id, _, _ := strings.Cut(o, " "); seen[id] {
				t.Fatalf("%s was recorded twice", id)
			} else {
				seen[id] = true
			}
		}
		switch before = now; {
		case finished:
			whole()
			before = nil
			late++
		case ended:
			before = nil // killed between decisions and dossier
			killed++
		default:
			killed++
		}
	}
	if !run(0) {
		t.Fatal("the last run did not end")
	}
	whole()
	d := must(dossier.Read(engine.Folder(target)))(t)
	t.Logf("killed %d times, ended before that %d times; %d observations were carried over; the last run was resumed %d times", killed, late, kept, d.Resumed)
	if killed == 0 {
		t.Error("it was never killed")
	}
}

// TestResumeRefusesAnotherTarget changes a file between the kill and the resumption.
func TestResumeRefusesAnotherTarget(t *testing.T) {
	target := example(t, "digits")
	o := options(t, target)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	// A handler that fails ends the run as a crash does: nothing further is logged.
	n := 0
	o.Handler = handler(func(m evidence.Message) error {
		if m.Observation != nil {
			if n++; n == 2 {
				return os.ErrDeadlineExceeded
			}
		}
		return nil
	})
	if _, _, err := engine.Assess(ctx, o); err == nil {
		t.Fatal("the run was not broken off")
	}
	o.Handler, o.Resume = nil, true
	model := filepath.Join(target, "model.onnx")
	b := must(os.ReadFile(model))(t)
	changed := bytes.Clone(b)
	changed[len(changed)/2] ^= 1
	put(t, model, changed)
	if _, _, err := engine.Assess(ctx, o); err == nil || !strings.Contains(err.Error(), "a file of the target was changed since\nhint: put it back as it was") {
		t.Errorf("another model: got %v", err)
	}
	put(t, model, b)
	o.Depth = "standard"
	if _, _, err := engine.Assess(ctx, o); err == nil || !strings.Contains(err.Error(), "the plan is another than was logged") {
		t.Errorf("another depth: got %v", err)
	}
	o.Depth = "quick"
	var says bytes.Buffer
	o.Log = &says
	d, dir := assess(t, o)
	if !strings.Contains(says.String(), "2 of ") || d.Resumed != 1 || d.Interrupted || len(d.Observations) != len(d.Plan.Items) {
		t.Errorf("got %d resumptions, %d observations: %s", d.Resumed, len(d.Observations), says.String())
	}
	// Hiding that it was resumed is found out, as it stands in the ledger.
	forged := forge(t, dir, func(*forged) {})
	if v := must(verify.Dossier(context.Background(), forged, nil))(t); v.OK() {
		t.Error("a dossier that says that it was resumed, and whose ledger says nothing of it, verifies")
	}
}

// TestResumePutsTheDossierInPlace takes the dossier away that a run was about
// to put in place when it was killed: its decisions are logged.
func TestResumePutsTheDossierInPlace(t *testing.T) {
	target := example(t, "digits")
	o := options(t, target)
	want, dir := assess(t, o)
	b := must(os.ReadFile(filepath.Join(dir, dossier.MainName)))(t)
	finishing := filepath.Join(target, ".assize", "finishing.json")
	if _, err := os.Stat(finishing); err == nil {
		t.Errorf("%s stays behind", finishing)
	}
	put(t, finishing, b)
	if err := os.Rename(dir, filepath.Join(target, ".assize", "dossier-"+want.Run[:8])); err != nil {
		t.Fatal(err)
	}
	o.Resume = true
	got, dir := assess(t, o)
	if got.Run != want.Run || !cmp.Equal(got.Log, want.Log) {
		t.Errorf("got run %s with log %+v, want %s with %+v", got.Run, got.Log, want.Run, want.Log)
	}
	if v := must(verify.Dossier(context.Background(), dir, nil))(t); !v.OK() {
		t.Errorf("it does not verify: %+v", v.Checks)
	}
	// Once it is in place there is nothing to resume.
	if again, _ := assess(t, o); again.Run == want.Run || again.Log.EarlierRuns != 1 {
		t.Errorf("got %+v", again.Log)
	}
}

type handler func(evidence.Message) error

func (h handler) Handle(m evidence.Message) error { return h(m) }
