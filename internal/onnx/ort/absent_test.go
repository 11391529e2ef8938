package ort_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/assize/assize/internal/onnx/ort"
)

// TestLoadRefuses is in the first file by name, so that it runs before a
// library is in the process.
func TestLoadRefuses(t *testing.T) {
	if ort.Version() != "" {
		t.Skip("ONNX Runtime is loaded already")
	}
	path := filepath.Join(t.TempDir(), "libonnxruntime.so")
	if err := os.WriteFile(path, []byte("no library"), 0o600); err != nil {
		t.Fatal(err)
	}
	err := ort.Load(path)
	if err == nil || strings.Count(err.Error(), "\nhint: ") != 1 {
		t.Errorf("got %v, want an error with a hint", err)
	}
	if !errors.Is(err, ort.ErrNoCgo) {
		if _, err := ort.NewSession([]byte("x"), ort.Options{}); err == nil || !strings.Contains(err.Error(), "not loaded") {
			t.Errorf("got %v, want an error that ONNX Runtime is not loaded", err)
		}
	}
}
