package durable

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// lockFile locks a byte far past the owner's line, so that others can read it.
func lockFile(f *os.File) error {
	at := &windows.Overlapped{OffsetHigh: 1}
	err := windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, at)
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
		return ErrLocked
	}
	return err
}

// syncDir does nothing: Windows cannot sync a folder, and NTFS journals renames.
func syncDir(string) error { return nil }
