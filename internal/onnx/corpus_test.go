package onnx_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// shared returns the path of the shared test data, or skips the test.
func shared(tb testing.TB) string {
	tb.Helper()
	dir, err := os.Getwd()
	if err != nil {
		tb.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			tb.Fatal("no go.mod above the test")
		}
		dir = filepath.Dir(dir)
	}
	data := filepath.Join(dir, "..", "shared", "data")
	if _, err := os.Stat(data); err != nil {
		tb.Skip("the shared test data are absent: ", err)
	}
	return data
}

// corpus reads every model of the shared data by its path there. Models of
// the operator tests are named by their folder under "conformance/".
func corpus(tb testing.TB) map[string][]byte {
	tb.Helper()
	root, out := shared(tb), map[string][]byte{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		name, _ := filepath.Rel(root, path)
		name = filepath.ToSlash(name)
		switch {
		case err != nil:
			return err
		case strings.HasSuffix(name, ".onnx"):
			out[name], err = os.ReadFile(path)
		case strings.HasSuffix(name, ".onnx.gz"):
			out[name], err = gunzip(path)
		case name == "onnx-conformance/onnx-node-tests.tgz":
			err = operatorTests(path, func(file string, b []byte) {
				if dir, ok := strings.CutSuffix(file, "/model.onnx"); ok {
					out["conformance/"+filepath.Base(dir)] = b
				}
			})
		}
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	return out
}

func gunzip(path string) ([]byte, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

func operatorTests(path string, each func(file string, b []byte)) error {
	b, err := gunzip(path)
	if err != nil {
		return err
	}
	for r := tar.NewReader(bytes.NewReader(b)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		content, err := io.ReadAll(r)
		if err != nil {
			return err
		}
		each(h.Name, content)
	}
}
