package ort_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/assize/assize/internal/onnx"
	"github.com/assize/assize/internal/onnx/ort"
)

// session starts a session that ends with the test.
func session(tb testing.TB, model []byte, opts ort.Options) *ort.Session {
	tb.Helper()
	s, err := ort.NewSession(model, opts)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return s
}

// shared returns the path of a file of the shared test data, or skips.
func shared(tb testing.TB, name string) string {
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
	path := filepath.Join(dir, "..", "shared", "data", filepath.FromSlash(name))
	if _, err := os.Stat(path); err != nil {
		tb.Skip("the shared test data are absent: ", err)
	}
	return path
}

// read returns the content of a file of the shared data, unpacked.
func read(tb testing.TB, name string) []byte {
	tb.Helper()
	b, err := os.ReadFile(shared(tb, name))
	if err != nil {
		tb.Fatal(err)
	}
	if strings.HasSuffix(name, "gz") {
		z, err := gzip.NewReader(bytes.NewReader(b))
		if err != nil {
			tb.Fatal(err)
		}
		if b, err = io.ReadAll(z); err != nil {
			tb.Fatal(err)
		}
	}
	return b
}

// freed reads a model and frees its batch.
func freed(tb testing.TB, name string) []byte {
	tb.Helper()
	m, err := onnx.Read(read(tb, name), onnx.DefaultLimits())
	if err != nil {
		tb.Fatal(err)
	}
	m, _, err = onnx.FreeBatch(m)
	if err != nil {
		tb.Fatal(err)
	}
	return m.Bytes()
}

// mnist returns the 10,000 test images, scaled to 0..1, and their labels.
func mnist(tb testing.TB) (x []float32, y []byte) {
	tb.Helper()
	images, labels := read(tb, "mnist/t10k-images-idx3-ubyte.gz"), read(tb, "mnist/t10k-labels-idx1-ubyte.gz")
	if binary.BigEndian.Uint32(images[4:]) != 10000 {
		tb.Fatal("not the MNIST test set")
	}
	for _, p := range images[16:] {
		x = append(x, float32(p)/255)
	}
	return x, labels[8:]
}

// archive calls each for every file of the operator tests.
func archive(tb testing.TB, each func(name string, b []byte)) {
	tb.Helper()
	r := tar.NewReader(bytes.NewReader(read(tb, "onnx-conformance/onnx-node-tests.tgz")))
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			tb.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			tb.Fatal(err)
		}
		each(h.Name, b)
	}
}
