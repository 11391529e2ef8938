package onnx_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/assize/assize/internal/onnx"
)

// equalModels compares models; NaN equals NaN, and absent equals empty.
var equalModels = cmp.Options{cmpopts.EquateNaNs(), cmp.Comparer(bytes.Equal)}

func TestRoundTrip(t *testing.T) {
	models := corpus(t)
	exact := 0
	for name, b := range models {
		m, err := onnx.Read(b, onnx.DefaultLimits())
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		written := m.Bytes()
		if bytes.Equal(written, b) {
			exact++
		}
		again, err := onnx.Read(written, onnx.DefaultLimits())
		if err != nil {
			t.Errorf("%s: read what was written: %v", name, err)
			continue
		}
		if diff := cmp.Diff(m, again, equalModels); diff != "" {
			t.Errorf("%s: written and read again differs (-got +want):\n%s", name, diff)
		}
	}
	t.Logf("%d of %d models are written byte for byte; the others left scalars at their default out or spelt them out", exact, len(models))
	if len(models) < 600 {
		t.Errorf("got %d models, want the whole corpus of over 600", len(models))
	}
}

func TestReadFileAliasesNothingElse(t *testing.T) {
	path := filepath.Join(shared(t), "rl-control", "cartpole.onnx")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want, err := onnx.Read(b, onnx.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	got, err := onnx.ReadFile(context.Background(), path, onnx.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(got, want, equalModels); diff != "" {
		t.Errorf("ReadFile and Read differ (-got +want):\n%s", diff)
	}
}
