package artefactscan_test

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

	"github.com/assize/assize/internal/result"
)

// root is the folder of the module.
func root(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the package")
		}
		dir = filepath.Dir(dir)
	}
}

// innocent fails where a file has a serious finding or an unread byte.
func innocent(t *testing.T, name string, b []byte) *result.Result {
	t.Helper()
	res := scan(t, folder{model: b}.files(t))
	if res.Metrics["serious_findings"].Value != 0 || res.Metrics["unread_bytes"].Value != 0 {
		t.Errorf("%s: %v serious findings, %v unread bytes: %+v", name, res.Metrics["serious_findings"].Value, res.Metrics["unread_bytes"].Value, res.Findings)
	}
	return res
}

func TestExamplesAreClean(t *testing.T) {
	for _, name := range []string{"credit", "digits"} {
		b, err := os.ReadFile(filepath.Join(root(t), "examples", name, "model.onnx"))
		if err != nil {
			t.Fatal(err)
		}
		res := innocent(t, name, b)
		t.Logf("%s: structured %v, opaque %v, findings %+v", name, res.Metrics["structured_bytes"].Value, res.Metrics["opaque_bytes"].Value, res.Findings)
	}
}

// TestCorpusIsClean: models that others made in good faith have no serious finding.
func TestCorpusIsClean(t *testing.T) {
	data := filepath.Join(root(t), "..", "shared", "data")
	if _, err := os.Stat(data); err != nil {
		t.Skip("needs the shared test data: ", err)
	}
	models := 0
	err := filepath.WalkDir(data, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".onnx") && !strings.HasSuffix(path, ".onnx.gz") && !strings.HasSuffix(path, "node-tests.tgz") {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if strings.HasSuffix(path, "z") {
			z, err := gzip.NewReader(bytes.NewReader(b))
			if err != nil {
				return err
			}
			if b, err = io.ReadAll(z); err != nil {
				return err
			}
		}
		if !strings.HasSuffix(path, ".tgz") {
			models++
			innocent(t, filepath.Base(path), b)
			return nil
		}
		return members(b, func(name string, b []byte) {
			models++
			innocent(t, name, b)
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	if models < 600 {
		t.Errorf("%d models were scanned, want over 600", models)
	}
}

func members(b []byte, each func(name string, b []byte)) error {
	for r := tar.NewReader(bytes.NewReader(b)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if !strings.HasSuffix(h.Name, "/model.onnx") {
			continue
		}
		content, err := io.ReadAll(r)
		if err != nil {
			return err
		}
		each(h.Name, content)
	}
}
