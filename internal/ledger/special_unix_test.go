//go:build unix

package ledger_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assize/assize/internal/ledger"
)

func TestFsckExtraFiles(t *testing.T) {
	key := newKey(t)
	files := sample(t, key)
	dir := t.TempDir()
	writeTree(t, dir, files)
	writeTree(t, dir, map[string]string{
		"notes.txt":               "x",
		"tile/0/003":              strings.Repeat("x", 8192),
		"tile/0/000.p/5":          files["tile/0/000"][:5*32], // harmless: a true part of the full tile
		"tile/0/000.p/6":          strings.Repeat("x", 6*32),
		"tile/0/.000.ABC.tmp~":    "part",
		"tile/2/000.p/1":          strings.Repeat("x", 32),
		"tile/entries/002.p/0088": "x",
	})
	want := []string{
		"checkpoint", "link", "notes.txt", "pipe", "tile/0/.000.ABC.tmp~", "tile/0/000.p/6", "tile/0/003",
		"tile/2/000.p/1", "tile/entries/002.p/0088", "tile/loop",
	}
	for name, err := range map[string]error{
		"link": os.Symlink("checkpoint", filepath.Join(dir, "link")),
		"loop": os.Symlink("..", filepath.Join(dir, "tile/loop")),
		"pipe": syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o644),
	} {
		if err != nil {
			t.Skipf("make %s: %v", name, err)
		}
	}
	if diff := cmp.Diff(problems(t, os.DirFS(dir), key), want); diff != "" {
		t.Errorf("named files (-got +want):\n%s", diff)
	}
}

// TestFsckLinkedTile puts a symbolic link, and a pipe that nobody writes to,
// where a file should be.
func TestFsckLinkedTile(t *testing.T) {
	key := newKey(t)
	for _, path := range []string{"checkpoint", "tile/0/001", "tile/entries/002.p/88"} {
		for what, put := range map[string]func(path string) error{
			"link": func(path string) error {
				if err := os.Rename(path, path+".moved"); err != nil {
					return err
				}
				return os.Symlink(filepath.Base(path)+".moved", path)
			},
			"pipe": func(path string) error {
				if err := os.Remove(path); err != nil {
					return err
				}
				return syscall.Mkfifo(path, 0o644)
			},
		} {
			dir := t.TempDir()
			writeTree(t, dir, sample(t, key))
			if err := put(filepath.Join(dir, path)); err != nil {
				t.Skipf("make a %s: %v", what, err)
			}
			if got := problems(t, os.DirFS(dir), key); !slices.Contains(got, path) {
				t.Errorf("%s for %s: named %v", what, path, got)
			}
		}
	}
}

// TestReaderPipe makes sure that nothing waits for a writer that never comes.
func TestReaderPipe(t *testing.T) {
	key := newKey(t)
	for _, path := range []string{"checkpoint", "tile/0/001", "tile/entries/001"} {
		dir := t.TempDir()
		files := sample(t, key)
		delete(files, path)
		writeTree(t, dir, files)
		if err := syscall.Mkfifo(filepath.Join(dir, path), 0o644); err != nil {
			t.Skipf("make a pipe: %v", err)
		}
		r, err := ledger.OpenReader(os.DirFS(dir), key.Verifier())
		if err == nil {
			_, err = r.Entry(300)
		}
		if err == nil || !strings.Contains(err.Error(), "not a regular file") {
			t.Errorf("pipe for %s: error = %v, want that it is not a regular file", path, err)
		}
	}
}
