package ledger_test

import (
	"bytes"
	"errors"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/google/go-cmp/cmp"
)

// TestFullDisk appends on a small file system until it is full.
func TestFullDisk(t *testing.T) {
	dir, key := t.TempDir(), newKey(t)
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=256k"); err != nil {
		t.Skipf("cannot mount a small file system here: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	logDir := dir + "/log"
	l := open(t, logDir, key)
	before := readTree(t, logDir)
	var err error
	for i := 0; err == nil; i++ {
		if i > 1000 {
			t.Fatal("the disk does not fill")
		}
		before = readTree(t, logDir)
		_, err = l.Append(t.Context(), bytes.Repeat([]byte{byte(i)}, 3000))
	}
	if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "\nhint: free some space") {
		t.Errorf("error = %v, want no space with a hint", err)
	}
	if diff := cmp.Diff(readTree(t, logDir), before); diff != "" {
		t.Errorf("log after the failed append (-got +want):\n%s", diff)
	}
	if err := fsck(t, logDir, key).Err(); err != nil {
		t.Error(err)
	}
	size := l.Size()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if got := open(t, logDir, key).Size(); got != size || size == 0 {
		t.Errorf("size after opening anew = %d, want %d", got, size)
	}
}
