package durable

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// ErrLocked is the cause of the error of Lock when another holder has the lock.
var ErrLocked = errors.New("in use")

// maxOwner bounds in bytes what is read of the line that names a holder.
const maxOwner = 256

// A FolderLock is a held advisory lock on a folder.
type FolderLock struct {
	file *os.File
}

// Lock takes the advisory lock on the folder dir without waiting, so that no
// other user of Lock, in this process or another, writes there at the same time.
// The lock is on the file dir+".lock" beside the folder, which stays and names
// the holder; the operating system releases the lock when its process ends,
// however it ends. If the lock is held the error is ErrLocked and says by whom.
func Lock(dir string) (*FolderLock, error) {
	path := strings.TrimRight(dir, string(os.PathSeparator)) + ".lock"
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, Explain("lock", path, err)
	}
	if err := lockFile(f); err != nil {
		defer f.Close()
		if !errors.Is(err, ErrLocked) {
			return nil, Explain("lock", path, err)
		}
		owner := "another process"
		if line, err := io.ReadAll(io.NewSectionReader(f, 0, maxOwner)); err == nil && len(line) > 0 {
			owner = strings.TrimSpace(string(line))
		}
		return nil, fmt.Errorf("lock %q: %w by %q\nhint: wait until it has finished, or stop it, then run again", dir, ErrLocked, owner)
	}
	// The line only helps people: the lock holds without it, even on a full disk.
	host, _ := os.Hostname()
	if f.Truncate(0) == nil {
		_, _ = fmt.Fprintf(f, "process %d on %s\n", os.Getpid(), host)
	}
	return &FolderLock{file: f}, nil
}

// Unlock gives the lock back. A second call does nothing.
func (l *FolderLock) Unlock() error {
	if l.file == nil {
		return nil
	}
	f := l.file
	l.file = nil
	_ = f.Truncate(0)
	return f.Close()
}
