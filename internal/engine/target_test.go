package engine_test

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/engine"
	"github.com/assize/assize/internal/onnx/ort/orttest"
	"github.com/assize/assize/internal/probes/suite"
	"github.com/assize/assize/internal/worker"
)

// TestMain lets the test binary stand in for the program as a worker.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == worker.Argument {
		os.Exit(worker.Main(suite.All()))
	}
	if target := os.Getenv(assessThis); target != "" {
		os.Exit(assessOnce(target))
	}
	os.Exit(m.Run())
}

var (
	pin       = regexp.MustCompile(`(?m)^ *digest: .*\n`)
	solutions = regexp.MustCompile(`(?m)^solutions:\n(  .*\n)*`)
)

// example copies an example's folder, without pins, so that its files can be
// changed, and without solutions, so that each probe runs once.
func example(t *testing.T, name string) string {
	t.Helper()
	orttest.Library(t)
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("..", "..", "examples", name))); err != nil {
		t.Fatal(err)
	}
	for _, made := range []string{"dossier", ".assize"} {
		if err := os.RemoveAll(filepath.Join(dir, made)); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, "assize.yaml")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	put(t, path, solutions.ReplaceAll(pin.ReplaceAll(b, nil), nil))
	return dir
}

func put(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
}

// options are those of a quick run with a key of its own.
func options(t *testing.T, target string) engine.Options {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return engine.Options{
		Target: target, Depth: "quick", Workers: 2, Tool: "assize test", KeyFolder: t.TempDir(), Log: os.Stderr, Now: time.Now,
		Command: worker.Command{Path: self, Args: []string{worker.Argument}},
	}
}

// assess runs a quick assessment and returns its dossier and the folder of it.
func assess(t *testing.T, o engine.Options) (*dossier.Dossier, string) {
	t.Helper()
	d, dir, err := engine.Assess(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	return d, dir
}
