// Package durable writes files so that a crash at any moment leaves either the
// old file or the new one, never a part of it, and locks folders against a
// second writer. Errors that a person can mend say how.
package durable

import (
	"crypto/rand"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

const tempSuffix = ".tmp~"

// WriteFile puts data at path with the permissions perm (before the umask),
// replacing what is there. The bytes go to a temporary file in the same folder,
// which is synced and renamed, and the folder is synced: when WriteFile returns
// nil the file survives a power cut. After an error path holds what it held
// before, except where only the last sync failed: then it holds the new data,
// which a power cut may still undo. The folder must exist. A symbolic link at
// path is replaced, not followed.
func WriteFile(path string, data []byte, perm fs.FileMode) error {
	if err := write(path, data, perm, os.Rename); err != nil {
		return Explain("write", path, err)
	}
	return nil
}

// CreateFile is WriteFile for a path that must not exist yet. Of several
// concurrent callers exactly one succeeds; the error of the others is
// fs.ErrExist. It needs a file system with hard links.
func CreateFile(path string, data []byte, perm fs.FileMode) error {
	publish := func(temp, path string) error {
		if err := os.Link(temp, path); err != nil {
			return err
		}
		return os.Remove(temp)
	}
	if err := write(path, data, perm, publish); err != nil {
		return Explain("create", path, err)
	}
	return nil
}

func write(path string, data []byte, perm fs.FileMode, publish func(temp, path string) error) (err error) {
	dir, base := filepath.Split(path)
	temp := filepath.Join(dir, "."+base+"."+rand.Text()+tempSuffix)
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(temp)
		}
	}()
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	if err := publish(temp, path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// MkdirAll makes the folder dir and the folders above it that are missing, with
// the permissions perm (before the umask), and syncs the folder that holds each
// new one.
func MkdirAll(dir string, perm fs.FileMode) error {
	info, err := os.Stat(dir)
	switch {
	case err == nil && info.IsDir():
		return nil
	case err == nil:
		return Explain("make folder", dir, fmt.Errorf("a file of that name is in the way"))
	case !os.IsNotExist(err):
		return Explain("make folder", dir, err)
	}
	parent := filepath.Dir(dir)
	if parent != dir {
		if err := MkdirAll(parent, perm); err != nil {
			return err
		}
	}
	if err := os.Mkdir(dir, perm); err != nil && !os.IsExist(err) {
		return Explain("make folder", dir, err)
	}
	if err := syncDir(parent); err != nil {
		return Explain("make folder", dir, err)
	}
	return nil
}

// IsTemp reports whether name, without its folder, is that of a temporary file
// of this package. Such a file is found only after a crash and holds nothing of
// value.
func IsTemp(name string) bool {
	return strings.HasPrefix(name, ".") && strings.HasSuffix(name, tempSuffix)
}

// RemoveTemp removes the temporary files that a crash left directly in dir. Call
// it only while holding the lock under which dir is written: it cannot tell a
// leftover from a write in progress.
func RemoveTemp(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return Explain("clean folder", dir, err)
	}
	for _, e := range entries {
		if !IsTemp(e.Name()) || !e.Type().IsRegular() {
			continue
		}
		if err := os.Remove(filepath.Join(dir, e.Name())); err != nil && !os.IsNotExist(err) {
			return Explain("clean folder", dir, err)
		}
	}
	return nil
}
