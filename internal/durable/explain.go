package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Explain wraps err, met while doing verb to the file or folder at path, in a
// message of the form `verb "path": cause`, followed by a hint where the cause
// is one that a person can mend: a full disk, a folder that cannot be written, a
// file where a folder should be, a missing folder. It returns nil for nil.
func Explain(verb, path string, err error) error {
	if err == nil {
		return nil
	}
	cause := err
	if p, ok := errors.AsType[*fs.PathError](err); ok && err == error(p) {
		cause = p.Err
	} else if l, ok := errors.AsType[*os.LinkError](err); ok && err == error(l) {
		cause = l.Err
	}
	dir := filepath.Dir(path)
	hint := ""
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		hint = fmt.Sprintf("free some space on the disk that holds %q, then run again", dir)
	case errors.Is(err, syscall.EROFS):
		hint = fmt.Sprintf("%q is on a read-only file system; mount it for writing or choose another folder", dir)
	case errors.Is(err, fs.ErrPermission):
		hint = fmt.Sprintf("make the folder %q writable for this user, or choose another folder", dir)
	case errors.Is(err, syscall.ENOTDIR):
		hint = fmt.Sprintf("a part of %q is a file, not a folder; choose another folder or move that file away", dir)
	case errors.Is(err, fs.ErrNotExist):
		hint = fmt.Sprintf("the folder %q does not exist; create it first", dir)
	}
	if hint == "" {
		return fmt.Errorf("%s %q: %w", verb, path, cause)
	}
	return fmt.Errorf("%s %q: %w\nhint: %s", verb, path, cause, hint)
}
