package ort

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// fetch gets the pinned npm package, takes the library out of it, checks its
// digest and moves it into the cache in one step.
func (s Source) fetch(ctx context.Context, b build) (string, error) {
	npm, err := exec.LookPath("npm")
	if err != nil {
		return "", errors.New("npm is not installed")
	}
	if s.Cache == "" {
		return "", errors.New("there is no cache folder")
	}
	home := filepath.Join(s.Cache, PinnedVersion)
	if err := os.MkdirAll(home, 0o755); err != nil {
		return "", err
	}
	tmp, err := os.MkdirTemp(s.Cache, ".fetch-*")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(tmp)
	s.logf("fetching ONNX Runtime %s with npm (onnxruntime-node, 113 MB, once) into %s", PinnedVersion, home)
	cmd := exec.CommandContext(ctx, npm, "pack", "onnxruntime-node@"+PinnedVersion, "--ignore-scripts", "--loglevel=error")
	cmd.Dir = tmp
	if out, err := cmd.CombinedOutput(); err != nil {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		return "", fmt.Errorf("npm pack: %s", firstLine(string(out), err))
	}
	packed, err := filepath.Glob(filepath.Join(tmp, "*.tgz"))
	if err != nil || len(packed) != 1 {
		return "", errors.New("npm pack left no package")
	}
	lib := filepath.Join(tmp, b.file)
	if err := b.extract(packed[0], lib); err != nil {
		return "", err
	}
	if err := b.check(lib); err != nil {
		return "", fmt.Errorf("the library in the package is refused: %w", err)
	}
	path := filepath.Join(home, b.file)
	return path, os.Rename(lib, path)
}

// firstLine returns the first line of npm's output that says something.
func firstLine(out string, err error) string {
	for line := range strings.Lines(out) {
		line = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(line), "npm error"))
		if line != "" {
			return line
		}
	}
	return err.Error()
}

// extract writes the build's file from the packed npm package to path.
func (b build) extract(packed, path string) error {
	f, err := os.Open(packed)
	if err != nil {
		return err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return fmt.Errorf("unpack: %w", err)
	}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return fmt.Errorf("unpack: no %s in the package", b.path)
		}
		if err != nil {
			return fmt.Errorf("unpack: %w", err)
		}
		if h.Name != b.path || h.Typeflag != tar.TypeReg {
			continue
		}
		out, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755)
		if err != nil {
			return err
		}
		_, err = io.Copy(out, io.LimitReader(r, b.bytes+1))
		return errors.Join(err, out.Sync(), out.Close())
	}
}
