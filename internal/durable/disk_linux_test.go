package durable_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/assize/assize/internal/durable"
)

// mount puts a small in-memory file system of its own on a new folder.
func mount(t *testing.T, flags uintptr) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", flags, "size=64k"); err != nil {
		t.Skipf("cannot mount a small file system here: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func TestFullDisk(t *testing.T) {
	dir := mount(t, 0)
	path := filepath.Join(dir, "f")
	if err := durable.WriteFile(path, []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	err := durable.WriteFile(path, bytes.Repeat([]byte("x"), 1<<20), 0o644)
	if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "\nhint: free some space") {
		t.Errorf("error = %v, want no space with a hint", err)
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != "old" {
		t.Errorf("file = %q, %v, want the old content", got, err)
	}
	if diff := cmp.Diff(names(t, dir), []string{"f"}); diff != "" {
		t.Errorf("folder (-got +want):\n%s", diff)
	}
}

func TestReadOnlyDisk(t *testing.T) {
	dir := mount(t, unix.MS_RDONLY)
	err := durable.WriteFile(filepath.Join(dir, "f"), []byte("x"), 0o644)
	if !errors.Is(err, syscall.EROFS) || !strings.Contains(err.Error(), "\nhint: ") {
		t.Errorf("error = %v, want read-only with a hint", err)
	}
}
