package stamp_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/assize/assize/internal/witness/stamp"
)

func read(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestStampOfOpenSSL checks an answer that OpenSSL made, and that no byte of it
// or of what it is about can be changed.
func TestStampOfOpenSSL(t *testing.T) {
	response, checkpoint := read(t, "openssl.tsr"), read(t, "checkpoint")
	roots, err := stamp.ReadRoots(filepath.Join("testdata", "root.pem"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := stamp.Check(response, checkpoint, roots)
	if err != nil {
		t.Fatal(err)
	}
	if want := time.Date(2026, 11, 22, 19, 21, 55, 0, time.UTC); !got.Time.Equal(want) || got.Authority != "CN=Example Time Stamping,O=Example" || !got.Trusted {
		t.Errorf("got %+v", got)
	}
	if got, err := stamp.Check(response, checkpoint, nil); err != nil || got.Trusted {
		t.Errorf("without roots: got %+v, %v", got, err)
	}
	if _, err := stamp.Check(response, append(bytes.Clone(checkpoint), '\n'), nil); err == nil || !strings.Contains(err.Error(), "of something else than this checkpoint") {
		t.Errorf("another checkpoint: got %v", err)
	}
	if _, err := stamp.Check(make([]byte, stamp.MaxBytes+1), checkpoint, nil); err == nil || !strings.Contains(err.Error(), "longer than") {
		t.Errorf("a huge answer: got %v", err)
	}
	loose := 0
	for i := range response {
		changed := bytes.Clone(response)
		changed[i] ^= 1
		if s, err := stamp.Check(changed, checkpoint, roots); err == nil && (!s.Time.Equal(got.Time) || s.Authority != got.Authority) {
			t.Errorf("byte %d changed: it holds and says %+v", i, s)
		} else if err == nil {
			loose++ // of the root's certificate, which is not looked at; files.json covers it
		}
	}
	if loose > len(response)/4 {
		t.Errorf("%d of %d bytes can be changed unnoticed", loose, len(response))
	}
}

func TestRootsThatAreNone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.pem")
	if err := os.WriteFile(path, []byte("nothing"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{path, filepath.Join(t.TempDir(), "absent"), t.TempDir()} {
		if _, err := stamp.ReadRoots(name); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
}

func FuzzCheck(f *testing.F) {
	checkpoint := read(f, "checkpoint")
	f.Add(read(f, "openssl.tsr"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if s, err := stamp.Check(b, checkpoint, nil); err == nil && (s.Time.IsZero() || s.Authority == "") {
			t.Errorf("got %+v", s)
		}
	})
}
