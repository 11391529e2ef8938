package ledger

import (
	"errors"
	"fmt"
	"io"
	"io/fs"

	"golang.org/x/mod/sumdb/tlog"
)

// readFile reads a regular file of least to most bytes. It never opens anything
// else (opening a named pipe would wait) and never reads more.
func readFile(fsys fs.FS, path string, least, most int64) ([]byte, error) {
	info, err := fs.Stat(fsys, path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("missing: %w", fs.ErrNotExist)
	}
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("not a regular file")
	}
	f, err := fsys.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil {
		return nil, err
	}
	size := int64(len(data))
	switch {
	case size > most:
		return nil, fmt.Errorf("longer than %d bytes", most)
	case size < least:
		return nil, fmt.Errorf("%d bytes, want at least %d", size, least)
	}
	return data, nil
}

// readTile reads exactly one hash tile.
func readTile(fsys fs.FS, name tileName) ([]tlog.Hash, error) {
	size := int64(name.width * tlog.HashSize)
	data, err := readFile(fsys, name.path(), size, size)
	if err != nil {
		return nil, err
	}
	return splitTile(data), nil
}

// readBundle reads the bytes of an entry bundle, whose width is 1 or more.
func readBundle(fsys fs.FS, name tileName) ([]byte, error) {
	return readFile(fsys, name.path(), int64(name.width)*2, maxBundleBytes)
}

// readEdge reads the partial tiles of a log of size entries.
func readEdge(fsys fs.FS, size int64) (*edge, error) {
	e := &edge{size: size}
	for l := range e.levels {
		name := edgeTile(l, size)
		if name.width == 0 {
			continue
		}
		hashes, err := readTile(fsys, name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name.path(), err)
		}
		e.levels[l] = hashes
	}
	return e, nil
}
