package ledger_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/assize/assize/internal/ledger"
)

// FuzzCheckpoint: what parses must be the very bytes that signing it again
// gives, since Ed25519 signatures are deterministic.
func FuzzCheckpoint(f *testing.F) {
	key := newKey(f)
	for _, size := range []int64{0, 1, 1 << 40} {
		msg, err := ledger.SignCheckpoint(ledger.Checkpoint{Origin: "example.org/log", Size: size}, key)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(msg)
		f.Add(bytes.ReplaceAll(msg, []byte("\n"), []byte("\r\n")))
		f.Add([]byte(strings.Replace(string(msg), "\n\n", "\nextension\n\n", 1)))
	}
	f.Add([]byte("\n\n\n\n— a AAAAAAAA\n"))
	f.Fuzz(func(t *testing.T, msg []byte) {
		c, err := ledger.ParseCheckpoint(msg, key.Verifier())
		if err != nil {
			return
		}
		again, err := ledger.SignCheckpoint(c, key)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(msg, again) {
			t.Errorf("checkpoint %q was accepted for %q", msg, again)
		}
	})
}

// FuzzBundle: what parses must be the very bytes that its entries encode to.
func FuzzBundle(f *testing.F) {
	f.Add([]byte{}, 1)
	f.Add([]byte{0, 0}, 1)
	f.Add([]byte{0, 1, 'a', 0, 2, 'b', 'c'}, 2)
	f.Add([]byte{255, 255, 0}, 1)
	f.Add(make([]byte, 512), 256)
	f.Fuzz(func(t *testing.T, bundle []byte, width int) {
		if width < 1 || width > 256 {
			t.Skip("not a width")
		}
		list, err := ledger.SplitBundle(bundle, width)
		if err != nil {
			return
		}
		if len(list) != width {
			t.Errorf("%d entries, want %d", len(list), width)
		}
		var again []byte
		for _, e := range list {
			again = ledger.AppendEntry(again, e)
		}
		if !bytes.Equal(bundle, again) {
			t.Errorf("bundle %x was accepted for %x", bundle, again)
		}
	})
}

// FuzzPath: what parses must be the one spelling of a path.
func FuzzPath(f *testing.F) {
	for _, path := range []string{"tile/0/000", "tile/entries/x001/234.p/7", "tile/data/000", "tile/5/x999/x999/999"} {
		f.Add(path)
	}
	f.Fuzz(func(t *testing.T, path string) {
		level, n, width, ok := ledger.ParseTilePath(path)
		if ok && ledger.TilePath(level, n, width) != path {
			t.Errorf("path %q was accepted for %q", path, ledger.TilePath(level, n, width))
		}
	})
}
