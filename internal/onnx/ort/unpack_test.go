package ort_test

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/assize/assize/internal/onnx/ort"
	"github.com/assize/assize/internal/onnx/ort/orttest"
)

// packed is the pinned library, gzipped as fast as can be.
func packed(t *testing.T) []byte {
	t.Helper()
	raw, err := os.ReadFile(orttest.Library(t))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := z.Write(raw); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestUnpack(t *testing.T) {
	library := packed(t)
	cache := t.TempDir()
	path, err := ort.Unpack(ort.Source{Cache: cache}, library)
	if err != nil {
		if strings.Contains(err.Error(), "refused") {
			t.Skip("the library of this machine is not the pinned one")
		}
		t.Fatal(err)
	}
	first, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	again, err := ort.Unpack(ort.Source{Cache: cache}, []byte("not looked at: the file is there and right"))
	if err != nil || again != path {
		t.Errorf("the second time: %q, %v", again, err)
	}
	if second, err := os.Stat(path); err != nil || !second.ModTime().Equal(first.ModTime()) {
		t.Errorf("the file was written twice: %v", err)
	}

	// What somebody else put there is written over.
	if err := os.WriteFile(path, []byte("something else"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := ort.Unpack(ort.Source{Cache: cache}, library); err != nil {
		t.Error(err)
	}
	if info, err := os.Stat(path); err != nil || info.Size() != first.Size() {
		t.Errorf("the changed file stays: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(cache, "*", ".unpack-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestUnpackRefuses(t *testing.T) {
	var other bytes.Buffer
	z := gzip.NewWriter(&other)
	if _, err := z.Write([]byte("another library")); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{"another library": other.Bytes(), "no gzip": []byte("x"), "cut short": other.Bytes()[:other.Len()-6]} {
		cache := t.TempDir()
		if path, err := ort.Unpack(ort.Source{Cache: cache}, content); err == nil {
			t.Errorf("%s: unpacked as %s", name, path)
		}
		if files, _ := filepath.Glob(filepath.Join(cache, "*", "*")); len(files) > 0 {
			t.Errorf("%s: left behind: %v", name, files)
		}
	}
	// Without a cache a folder that others can reach is not used.
	t.Setenv("TMPDIR", t.TempDir())
	path, err := ort.Unpack(ort.Source{}, other.Bytes())
	if err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("own folder: %q, %v", path, err)
	}
	made, _ := filepath.Glob(filepath.Join(os.TempDir(), "assize-*"))
	if len(made) != 1 {
		t.Fatalf("made %v", made)
	}
	if err := os.Chmod(made[0], 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := ort.Unpack(ort.Source{}, other.Bytes()); err == nil || !strings.Contains(err.Error(), "only this user") {
		t.Errorf("a folder that everybody can write to: %v", err)
	}
}
