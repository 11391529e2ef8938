package ort

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Pack writes the library at path, whose digest must be the pinned one of the
// platform, gzipped to w. The same library always becomes the same bytes. A release embeds them.
func Pack(w io.Writer, path, goos, goarch string) error {
	b, ok := pinned(goos, goarch)
	if !ok {
		return fmt.Errorf("pack ONNX Runtime: no build is pinned for %s/%s", goos, goarch)
	}
	if err := b.check(path); err != nil {
		return fmt.Errorf("pack ONNX Runtime: %s: %w", filepath.Base(path), err)
	}
	in, err := os.Open(path)
	if err != nil {
		return err
	}
	defer in.Close()
	z, err := gzip.NewWriterLevel(w, gzip.BestCompression)
	if err != nil {
		return err
	}
	_, err = io.Copy(z, in)
	return errors.Join(err, z.Close())
}

// unpack writes the library that the build carries into the cache, once, and
// where there is no cache into a folder of this user's among the temporary files.
func (s Source) unpack(b build, packed []byte) (string, error) {
	home := s.Cache
	if home == "" {
		var err error
		if home, err = private(filepath.Join(os.TempDir(), fmt.Sprintf("assize-%d", os.Geteuid()))); err != nil {
			return "", err
		}
	}
	home = filepath.Join(home, PinnedVersion)
	path := filepath.Join(home, b.file)
	if b.check(path) == nil {
		return path, nil
	}
	if err := os.MkdirAll(home, 0o700); err != nil {
		return "", err
	}
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return "", err
	}
	out, err := os.CreateTemp(home, ".unpack-*")
	if err != nil {
		return "", err
	}
	defer os.Remove(out.Name())
	_, err = io.Copy(out, io.LimitReader(z, b.bytes+1))
	if err := errors.Join(err, out.Chmod(0o755), out.Sync(), out.Close()); err != nil {
		return "", err
	}
	if err := b.check(out.Name()); err != nil {
		return "", fmt.Errorf("the library in the program is refused: %w", err)
	}
	return path, os.Rename(out.Name(), path)
}

// private makes a folder that this user alone can write to, or refuses one that others could have made.
func private(dir string) (string, error) {
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return "", err
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return "", err
	}
	if !info.IsDir() || info.Mode().Perm() != 0o700 || !owned(info) {
		return "", fmt.Errorf("%s is not a folder that only this user can reach\nhint: remove it, or set HOME", dir)
	}
	return dir, nil
}
