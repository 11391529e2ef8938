package durable_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assize/assize/internal/durable"
)

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	got := []string{}
	for _, e := range entries {
		got = append(got, e.Name())
	}
	return got
}

func TestWriteFileReplaces(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	for _, text := range []string{"first, and longer", "second", ""} {
		if err := durable.WriteFile(path, []byte(text), 0o640); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(got), text); diff != "" {
			t.Errorf("content (-got +want):\n%s", diff)
		}
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := info.Mode().Perm()&0o007, fs.FileMode(0); got != want {
		t.Errorf("permissions of others = %v, want %v", got, want)
	}
	if diff := cmp.Diff(names(t, dir), []string{"f"}); diff != "" {
		t.Errorf("folder (-got +want):\n%s", diff)
	}
}

func TestUnwritable(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	below := filepath.Join(file, "sub", "f")
	for name, err := range map[string]error{
		"WriteFile below a file":       durable.WriteFile(below, nil, 0o644),
		"CreateFile below a file":      durable.CreateFile(below, nil, 0o644),
		"MkdirAll below a file":        durable.MkdirAll(below, 0o755),
		"MkdirAll on a file":           durable.MkdirAll(file, 0o755),
		"WriteFile in missing folder":  durable.WriteFile(filepath.Join(dir, "none", "f"), nil, 0o644),
		"Lock below a file":            func() error { _, err := durable.Lock(below); return err }(),
		"WriteFile on a folder's name": durable.WriteFile(dir, nil, 0o644),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		if strings.Contains(name, "below") && !strings.Contains(err.Error(), "\nhint: a part of") {
			t.Errorf("%s: error without hint: %v", name, err)
		}
	}
	if diff := cmp.Diff(names(t, dir), []string{"file"}); diff != "" {
		t.Errorf("folder (-got +want):\n%s", diff)
	}
}

func TestExplain(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skipf("no /dev/full: %v", err)
	}
	defer full.Close()
	_, noSpace := full.Write([]byte("x"))
	tests := []struct {
		err  error
		hint string
	}{
		{noSpace, "free some space"},
		{syscall.EDQUOT, "free some space"},
		{syscall.EROFS, "read-only"},
		{syscall.EACCES, "writable for this user"},
		{syscall.ENOTDIR, "is a file"},
		{syscall.ENOENT, "create it first"},
		{errors.New("other"), ""},
	}
	for _, tt := range tests {
		err := durable.Explain("write", filepath.Join("d", "f"), tt.err)
		if !errors.Is(err, tt.err) && !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("Explain(%v) lost the cause: %v", tt.err, err)
		}
		line, hint, _ := strings.Cut(err.Error(), "\nhint: ")
		if !strings.HasPrefix(line, `write "d/f": `) || strings.Contains(line, "\n") {
			t.Errorf("Explain(%v) = %q", tt.err, line)
		}
		if !strings.Contains(hint, tt.hint) || (tt.hint == "" && hint != "") {
			t.Errorf("Explain(%v) hint = %q, want %q in it", tt.err, hint, tt.hint)
		}
	}
	if err := durable.Explain("write", "f", nil); err != nil {
		t.Errorf("Explain(nil) = %v, want nil", err)
	}
}

func TestRemoveTemp(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	if err := durable.WriteFile(path, []byte("whole"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{".f.ABC.tmp~", ".hidden", "f.tmp~"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("who"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := durable.RemoveTemp(dir); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(names(t, dir), []string{".hidden", "f", "f.tmp~"}); diff != "" {
		t.Errorf("folder (-got +want):\n%s", diff)
	}
	got, err := os.ReadFile(path)
	if err != nil || string(got) != "whole" {
		t.Errorf("file = %q, %v, want it untouched", got, err)
	}
}

// TestConcurrentWriters reads while several write: every read must see one whole
// version.
func TestConcurrentWriters(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	version := func(b byte) []byte { return bytes.Repeat([]byte{b}, 50_000) }
	if err := durable.WriteFile(path, version('a'), 0o644); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	var done atomic.Bool
	errs := make(chan error, 10)
	for i := range 4 {
		wg.Go(func() {
			for range 5 {
				if err := durable.WriteFile(path, version(byte('b'+i)), 0o644); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	var reader sync.WaitGroup
	reader.Go(func() {
		for !done.Load() {
			got, err := os.ReadFile(path)
			if err != nil {
				errs <- err
				return
			}
			if len(got) != 50_000 || !bytes.Equal(got, version(got[0])) {
				errs <- fmt.Errorf("read a torn file of %d bytes", len(got))
				return
			}
		}
	})
	wg.Wait()
	done.Store(true)
	reader.Wait()
	close(errs)
	for err := range errs {
		t.Error(err)
	}
	if diff := cmp.Diff(names(t, dir), []string{"f"}); diff != "" {
		t.Errorf("folder (-got +want):\n%s", diff)
	}
}

func TestCreateFileOnce(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	var wg sync.WaitGroup
	var winners atomic.Int32
	for i := range 8 {
		wg.Go(func() {
			err := durable.CreateFile(path, []byte{byte(i)}, 0o600)
			switch {
			case err == nil:
				winners.Add(1)
			case !errors.Is(err, fs.ErrExist):
				t.Errorf("error = %v, want fs.ErrExist", err)
			}
		})
	}
	wg.Wait()
	if got := winners.Load(); got != 1 {
		t.Errorf("%d callers created the file, want 1", got)
	}
	if diff := cmp.Diff(names(t, dir), []string{"f"}); diff != "" {
		t.Errorf("folder (-got +want):\n%s", diff)
	}
}

func TestMkdirAll(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b", "c")
	for range 2 {
		if err := durable.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		t.Errorf("Stat = %v, %v, want a folder", info, err)
	}
}
