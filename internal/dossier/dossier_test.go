package dossier_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/catalogue"
	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/evidence"
	"github.com/assize/assize/internal/manifest"
	"github.com/assize/assize/internal/plan"
	"github.com/assize/assize/internal/result"
)

func sample() *dossier.Dossier {
	level, k := 0.6, 61
	m := result.Metric{Value: 0.61, Lower: 0.57, Upper: 0.65, N: 600, Unit: "share", Method: "clopper-pearson", Confidence: 0.95, K: &k}
	at := time.Date(2026, 11, 3, 10, 0, 0, 0, time.UTC)
	return &dossier.Dossier{
		Format: dossier.Format, Tool: "assize test", Run: "r", Started: at, Ended: at.Add(time.Minute),
		Target:    manifest.Target{Name: "credit <scoring>", Version: "1", Roles: map[string]string{"owner": "Risk"}},
		Artefacts: []artefact.Artefact{{Name: "model", Kind: artefact.Model, Path: "model.onnx", Digest: artefact.DigestBytes(nil)}},
		Plan: dossier.Plan{SeedNonce: "00", Plan: plan.Plan{
			Format: 1, Criteria: []catalogue.Criterion{{ID: "c", Threshold: &level, Cites: []string{"AI Act Art. 15(5)"}}},
			Items: []plan.Item{{ID: "i-1", Probe: "evasion/x", Parameters: map[string]any{"epsilon": 0.05, "norm": "linf"}, Paired: "stands"}},
		}},
		Environments: []evidence.Environment{{ID: "e-1", Sandbox: map[string]string{"seccomp": "on"}}},
		Observations: []evidence.Observation{{ID: "o-1", Result: result.Result{State: result.Measured, Metrics: map[string]result.Metric{"robust_accuracy": m}}}},
		Decisions:    []dossier.Decision{{Goal: "evasion", Decision: dossier.Inconclusive, Level: &level, Measured: &m}},
		Effects:      []dossier.Effect{{Probe: "evasion/x", Difference: 0.1, Lower: -0.1, Upper: 0.3, N: 5}},
		Goals:        []dossier.Goal{{ID: "evasion", Claimed: true, Decision: dossier.Inconclusive}},
		Summary:      dossier.Summary{Counts: map[string]map[dossier.Verdict]int{"provider": {dossier.Inconclusive: 1}}, Claimed: 1, Exit: 3},
	}
}

func encode(t testing.TB, d *dossier.Dossier) []byte {
	t.Helper()
	b, err := d.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestEncodeAndParse(t *testing.T) {
	want := sample()
	b := encode(t, want)
	got, err := dossier.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("dossier (-got +want):\n%s", diff)
	}
	if b[len(b)-1] != '\n' || bytes.Count(b, []byte("\n")) < 50 {
		t.Errorf("it is not laid out for people:\n%s", b)
	}
}

func TestParseRefuses(t *testing.T) {
	b := string(encode(t, sample()))
	for _, tt := range []struct{ name, json, want string }{
		{"another format", strings.Replace(b, `"format": 1,`, `"format": 2,`, 1), "format 2, this program reads 1"},
		{"unknown field", strings.Replace(b, `"tool"`, `"tol": 1, "tool"`, 1), `unknown field "tol"`},
		{"doubled field", strings.Replace(b, `"tool"`, `"run": "r", "tool"`, 1), `key "run" stands twice`},
		{"field in capitals", strings.Replace(b, `"run"`, `"Run"`, 1), "canonical"},
		{"field missing", strings.Replace(b, ` "run": "r",`, "", 1), "canonical"},
		{"bytes behind", b + "x", "invalid character"},
		{"truncated", b[:len(b)/2], "EOF"},
		{"empty", "", "EOF"},
	} {
		if _, err := dossier.Parse([]byte(tt.json)); err == nil || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "read dossier.json: ") {
			t.Errorf("%s: got error %v, want %q", tt.name, err, tt.want)
		}
	}
}

// TestOutcomeCoversEveryDecision changes everything that was decided, a bit
// each time, and wants another digest; what stands elsewhere in the ledger leaves it alone.
func TestOutcomeCoversEveryDecision(t *testing.T) {
	digest := func(change func(*dossier.Dossier)) artefact.Digest {
		t.Helper()
		d := sample()
		change(d)
		got, err := d.Outcome()
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	seen := map[artefact.Digest]string{digest(func(*dossier.Dossier) {}): "nothing"}
	for name, change := range map[string]func(*dossier.Dossier){
		"target":      func(d *dossier.Dossier) { d.Target.Provider = "p" },
		"solutions":   func(d *dossier.Dossier) { d.Solutions = []manifest.Solution{{Name: "s"}} },
		"decision":    func(d *dossier.Dossier) { d.Decisions[0].Decision = dossier.Pass },
		"metric":      func(d *dossier.Dossier) { d.Decisions[0].Measured.Upper = 0.66 },
		"goal":        func(d *dossier.Dossier) { d.Goals[0].Decision = dossier.Pass },
		"effect":      func(d *dossier.Dossier) { d.Effects[0].Lower = 0 },
		"attacks":     func(d *dossier.Dossier) { d.Attacks = []dossier.AttackClass{{Class: "c"}} },
		"requirement": func(d *dossier.Dossier) { d.Requirements = []dossier.Requirement{{ID: "r"}} },
		"foreign":     func(d *dossier.Dossier) { d.Foreign = []dossier.Foreign{{Record: "r"}} },
		"counts":      func(d *dossier.Dossier) { d.Counts = []dossier.RequirementCount{{Of: 1}} },
		"count":       func(d *dossier.Dossier) { d.Summary.Counts["provider"][dossier.Inconclusive] = 2 },
		"exit":        func(d *dossier.Dossier) { d.Summary.Exit = 0 },
		"started":     func(d *dossier.Dossier) { d.Started = d.Started.Add(1) },
		"ended":       func(d *dossier.Dossier) { d.Ended = d.Ended.Add(1) },
		"interrupted": func(d *dossier.Dossier) { d.Interrupted = true },
	} {
		got := digest(change)
		if before, ok := seen[got]; ok {
			t.Errorf("%s and %s give the same digest", name, before)
		}
		seen[got] = name
	}
	if got := digest(func(d *dossier.Dossier) { d.Log.Size = 9 }); seen[got] != "nothing" {
		t.Error("the place in the log is part of the outcome, which is logged before it is known")
	}
}

func TestReadFile(t *testing.T) {
	dir, outside := t.TempDir(), filepath.Join(t.TempDir(), "secret")
	for name, b := range map[string]string{outside: "secret", filepath.Join(dir, "a"): "12345"} {
		if err := os.WriteFile(name, []byte(b), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(outside, filepath.Join(dir, "link")); err != nil {
		t.Skipf("no links here: %v", err)
	}
	if err := os.Symlink(filepath.Dir(outside), filepath.Join(dir, "folder")); err != nil {
		t.Fatal(err)
	}
	if got, err := dossier.ReadFile(dir, "a", 5); err != nil || string(got) != "12345" {
		t.Errorf("got %q, %v", got, err)
	}
	for name, want := range map[string]string{
		"a": "of at most 4 bytes", "link": "no regular file", "folder/secret": "escapes", "../secret": "escapes",
		".": "no regular file", "missing": "no such file", outside: "escapes",
	} {
		if got, err := dossier.ReadFile(dir, name, 4); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %q, %v, want %q", name, got, err, want)
		}
	}
	if _, err := dossier.ReadFile(filepath.Join(dir, "none"), "a", 5); err == nil {
		t.Error("a folder that is not there was read")
	}
}

func TestReadWithoutADossier(t *testing.T) {
	dir := t.TempDir()
	if _, err := dossier.Read(dir); err == nil || !strings.Contains(err.Error(), "it has no dossier.json\nhint: ") {
		t.Errorf("Read: got error %v", err)
	}
	if _, err := dossier.ReadFiles(dir); err == nil || !strings.Contains(err.Error(), "it has no files.json\nhint: ") {
		t.Errorf("ReadFiles: got error %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, dossier.MainName), encode(t, sample()), 0o644); err != nil {
		t.Fatal(err)
	}
	if d, err := dossier.Read(dir); err != nil || d.Run != "r" {
		t.Errorf("got %v, %v", d, err)
	}
}

func TestList(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"b", "a/z", "a.x", "files.json", "a/files.json"} {
		full := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := dossier.List(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	var want []dossier.File
	for _, name := range []string{"a.x", "a/files.json", "a/z", "b"} {
		want = append(want, dossier.File{Path: name, Digest: artefact.DigestBytes([]byte(name)), Size: int64(len(name))})
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("files (-got +want):\n%s", diff)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := dossier.List(ctx, dir); err == nil {
		t.Error("a cancelled list came to its end")
	}
	if _, err := dossier.List(context.Background(), filepath.Join(dir, "none")); err == nil {
		t.Error("a folder that is not there was listed")
	}
}

func TestPayloadLeavesOutTheSignature(t *testing.T) {
	f := dossier.Files{Format: 1, Run: "r", Key: "k", Files: []dossier.File{{Path: "a"}}}
	plain, err := f.Payload()
	if err != nil {
		t.Fatal(err)
	}
	f.Signature = []byte("signature")
	signed, err := f.Payload()
	if err != nil || !bytes.Equal(signed, plain) || f.Signature == nil {
		t.Errorf("got %s, %v, want %s", signed, err, plain)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(encode(f, sample()))
	f.Add([]byte(`{"format":1}`))
	f.Add([]byte(`{"Format":1,"format":1}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := dossier.Parse(b)
		if err != nil {
			return
		}
		// What is read is all that stands there, so writing it again says the same.
		said, err := evidence.Canonical(json.RawMessage(b))
		if err != nil {
			t.Fatal(err)
		}
		again, err := evidence.Canonical(json.RawMessage(encode(t, d)))
		if err != nil || !bytes.Equal(said, again) {
			t.Errorf("%s\nis read as\n%s", said, again)
		}
	})
}

func FuzzReadFiles(f *testing.F) {
	b, err := evidence.Canonical(dossier.Files{Format: 1, Run: "r", Key: "k", Files: []dossier.File{{Path: "a/b", Size: 3}, {Path: "c"}}, Signature: []byte("s")})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add(bytes.Replace(b, []byte("a/b"), []byte("../b"), 1))
	f.Add([]byte(`{"files":null,"format":1,"key":"","run":""}`))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := os.WriteFile(filepath.Join(dir, dossier.FilesName), b, 0o644); err != nil {
			t.Fatal(err)
		}
		files, err := dossier.ReadFiles(dir)
		if err != nil {
			return
		}
		for _, file := range files.Files {
			if !filepath.IsLocal(file.Path) {
				t.Errorf("path %q leaves the dossier", file.Path)
			}
		}
		if again, err := evidence.Canonical(files); err != nil || !bytes.Equal(again, b) {
			t.Errorf("%q is read as %q, %v", b, again, err)
		}
	})
}
