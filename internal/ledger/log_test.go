package ledger_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/assize/assize/internal/durable"
	"github.com/assize/assize/internal/ledger"
)

func newKey(t testing.TB) *ledger.Key {
	t.Helper()
	key, err := ledger.LoadOrCreateKey(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func open(t testing.TB, dir string, key *ledger.Key) *ledger.Log {
	t.Helper()
	l, err := ledger.Open(dir, key)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// entry is the content of the i-th entry of the tests' logs; lengths differ.
func entry(i int) []byte {
	return fmt.Appendf(nil, "entry %d %s", i, strings.Repeat("-", i%7))
}

func entries(from, to int) [][]byte {
	var list [][]byte
	for i := from; i < to; i++ {
		list = append(list, entry(i))
	}
	return list
}

func appendAll(t testing.TB, l *ledger.Log, list [][]byte) {
	t.Helper()
	if _, err := l.AppendAll(t.Context(), list); err != nil {
		t.Fatal(err)
	}
}

// readTree returns the files of a folder by path.
func readTree(t testing.TB, dir string) map[string]string {
	t.Helper()
	files := make(map[string]string)
	fsys := os.DirFS(dir)
	err := fs.WalkDir(fsys, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(fsys, path)
		files[path] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func writeTree(t testing.TB, dir string, files map[string]string) {
	t.Helper()
	for path, data := range files {
		full := filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func fsck(t testing.TB, dir string, key *ledger.Key) *ledger.Report {
	t.Helper()
	r, err := ledger.Fsck(t.Context(), os.DirFS(dir), key.Verifier())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// wantEntries reads the log back and compares it with the test's entries.
func wantEntries(t testing.TB, dir string, key *ledger.Key, n int) {
	t.Helper()
	r, err := ledger.OpenReader(os.DirFS(dir), key.Verifier())
	if err != nil {
		t.Fatal(err)
	}
	next := 0
	err = r.Entries(t.Context(), func(i int64, e []byte) error {
		if i != int64(next) || !bytes.Equal(e, entry(next)) {
			t.Fatalf("entry %d = %q, want number %d, %q", i, e, next, entry(next))
		}
		next++
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if next != n {
		t.Errorf("log has %d entries, want %d", next, n)
	}
}

// The leaves and roots are those of the Certificate Transparency reference
// implementation (merkle_tree_test.cc), which implements RFC 6962.
func TestRootVectors(t *testing.T) {
	leaves := []string{"", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"}
	roots := []string{
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
		"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
		"aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
		"d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
		"4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
		"76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
		"ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
		"5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
	}
	dir, key := t.TempDir(), newKey(t)
	l := open(t, dir, key)
	for i := 0; ; i++ {
		root := l.Root()
		if got, want := hex.EncodeToString(root[:]), roots[i]; got != want {
			t.Errorf("root of %d leaves = %s, want %s", i, got, want)
		}
		if i == len(leaves) {
			break
		}
		leaf, err := hex.DecodeString(leaves[i])
		if err != nil {
			t.Fatal(err)
		}
		index, err := l.Append(t.Context(), leaf)
		if err != nil || index != int64(i) {
			t.Fatalf("Append = %d, %v, want %d", index, err, i)
		}
	}
	if err := fsck(t, dir, key).Err(); err != nil {
		t.Error(err)
	}
	r, err := ledger.OpenReader(os.DirFS(dir), key.Verifier())
	if err != nil {
		t.Fatal(err)
	}
	inclusion, err := r.ProveInclusion(5)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(hexes(inclusion), []string{
		"bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
		"ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
		"d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
	}); diff != "" {
		t.Errorf("inclusion of leaf 5 in 8 (-got +want):\n%s", diff)
	}
	consistency, err := r.ProveConsistency(6)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(hexes(consistency), []string{
		"0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
		"ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
		"d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
	}); diff != "" {
		t.Errorf("consistency of 6 with 8 (-got +want):\n%s", diff)
	}
}

func hexes[T ~[]tlog.Hash](hashes T) []string {
	var list []string
	for _, h := range hashes {
		list = append(list, hex.EncodeToString(h[:]))
	}
	return list
}

// TestAgainstTlog grows a log in uneven batches over the borders of tiles and
// compares roots, files and proofs with package tlog's own, computed from a
// plain list of hashes.
func TestAgainstTlog(t *testing.T) {
	dir, key := t.TempDir(), newKey(t)
	l := open(t, dir, key)
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		hashes := make([]tlog.Hash, len(indexes))
		for i, x := range indexes {
			hashes[i] = stored[x]
		}
		return hashes, nil
	})
	var old []ledger.Checkpoint
	size := 0
	for _, next := range []int{1, 2, 255, 256, 257, 511, 513, 1000, 65_535, 65_536, 65_537, 66_100} {
		appendAll(t, l, entries(size, next))
		for ; size < next; size++ {
			hashes, err := tlog.StoredHashes(int64(size), entry(size), reader)
			if err != nil {
				t.Fatal(err)
			}
			stored = append(stored, hashes...)
		}
		want, err := tlog.TreeHash(int64(size), reader)
		if err != nil {
			t.Fatal(err)
		}
		if got := l.Root(); got != want {
			t.Fatalf("root of %d entries = %v, want %v", size, got, want)
		}
		for _, tile := range tlog.NewTiles(8, 0, int64(size)) {
			want, err := tlog.ReadTileData(tile, reader)
			if err != nil {
				t.Fatal(err)
			}
			got, err := os.ReadFile(filepath.Join(dir, ledger.TilePath(tile.L, tile.N, tile.W)))
			if err != nil || !bytes.Equal(got, want) {
				t.Fatalf("size %d: tile %v differs from tlog's: %v", size, tile, err)
			}
		}
		r, err := ledger.OpenReader(os.DirFS(dir), key.Verifier())
		if err != nil {
			t.Fatal(err)
		}
		now := r.Checkpoint()
		for _, i := range []int{0, size / 2, size - 1} {
			got, err := r.ProveInclusion(int64(i))
			if err != nil {
				t.Fatal(err)
			}
			want, err := tlog.ProveRecord(int64(size), int64(i), reader)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(got, want); diff != "" {
				t.Errorf("inclusion of %d in %d (-got +want):\n%s", i, size, diff)
			}
			if err := ledger.CheckInclusion(got, now, int64(i), entry(i)); err != nil {
				t.Error(err)
			}
			if err := ledger.CheckInclusion(got, now, int64(i), entry(i+1)); err == nil {
				t.Errorf("inclusion of another entry at %d in %d was accepted", i, size)
			}
			if e, err := r.Entry(int64(i)); err != nil || !bytes.Equal(e, entry(i)) {
				t.Errorf("Entry(%d) = %q, %v", i, e, err)
			}
		}
		for _, o := range old {
			proof, err := r.ProveConsistency(o.Size)
			if err != nil {
				t.Fatal(err)
			}
			if err := ledger.CheckConsistency(proof, now, o); err != nil {
				t.Error(err)
			}
			if err := ledger.CheckConsistency(proof, o, now); err == nil || !strings.Contains(err.Error(), "shrank") {
				t.Errorf("consistency of a log that shrank = %v", err)
			}
			o.Root[0] ^= 1
			if err := ledger.CheckConsistency(proof, now, o); err == nil {
				t.Errorf("consistency of %d with a changed %d was accepted", size, o.Size)
			}
		}
		old = append(old, now)
	}
	if err := fsck(t, dir, key).Err(); err != nil {
		t.Error(err)
	}
	wantEntries(t, dir, key, size)
}

func TestCopyTo(t *testing.T) {
	dir, key := t.TempDir(), newKey(t)
	l := open(t, dir, key)
	appendAll(t, l, entries(0, 300))
	appendAll(t, l, entries(300, 310))
	out := filepath.Join(t.TempDir(), "dossier", "log")
	if err := l.CopyTo(t.Context(), out); err != nil {
		t.Fatal(err)
	}
	want := readTree(t, dir)
	for _, earlier := range []string{"tile/0/001.p/44", "tile/entries/001.p/44"} {
		if _, ok := want[earlier]; !ok {
			t.Errorf("the log has lost %s, which an earlier checkpoint needs", earlier)
		}
		delete(want, earlier)
	}
	if diff := cmp.Diff(readTree(t, out), want); diff != "" {
		t.Errorf("copy (-got +want):\n%s", diff)
	}
	if err := fsck(t, out, key).Err(); err != nil {
		t.Error(err)
	}
	if err := l.CopyTo(t.Context(), out); err == nil {
		t.Error("a copy onto a copy was accepted")
	}
	wantEntries(t, out, key, 310)
}

func TestAppendRefuses(t *testing.T) {
	dir, key := t.TempDir(), newKey(t)
	l := open(t, dir, key)
	appendAll(t, l, entries(0, 3))
	before := readTree(t, dir)
	_, err := l.AppendAll(t.Context(), [][]byte{[]byte("fits"), make([]byte, ledger.MaxEntryBytes+1)})
	if err == nil || !strings.Contains(err.Error(), "\nhint: ") {
		t.Errorf("error for a large entry = %v, want one with a hint", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.Append(ctx, entry(3)); !errors.Is(err, context.Canceled) {
		t.Errorf("error after cancel = %v, want context.Canceled", err)
	}
	if first, err := l.AppendAll(t.Context(), nil); first != 3 || err != nil {
		t.Errorf("AppendAll of nothing = %d, %v, want 3", first, err)
	}
	if diff := cmp.Diff(readTree(t, dir), before); diff != "" {
		t.Errorf("log changed (-got +want):\n%s", diff)
	}
	if _, err := l.Append(t.Context(), make([]byte, ledger.MaxEntryBytes)); err != nil {
		t.Errorf("largest entry: %v", err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if _, err := l.Append(t.Context(), entry(3)); !errors.Is(err, ledger.ErrClosed) {
		t.Errorf("error after Close = %v, want ErrClosed", err)
	}
}

func TestOpenTwice(t *testing.T) {
	dir, key := t.TempDir(), newKey(t)
	l := open(t, dir, key)
	if _, err := ledger.Open(dir, key); !errors.Is(err, durable.ErrLocked) {
		t.Errorf("second Open = %v, want ErrLocked", err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, dir, key)
}

func TestConcurrentAppends(t *testing.T) {
	dir, key := t.TempDir(), newKey(t)
	l := open(t, dir, key)
	var wg sync.WaitGroup
	var mu sync.Mutex
	got := make(map[int64]string)
	for w := range 4 {
		wg.Go(func() {
			for i := range 10 {
				text := fmt.Sprintf("writer %d entry %d", w, i)
				index, err := l.Append(t.Context(), []byte(text))
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				got[index] = text
				mu.Unlock()
			}
		})
	}
	// A reader without a lock sees a whole log at every moment.
	for range 20 {
		r, err := ledger.OpenReader(os.DirFS(dir), key.Verifier())
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Entries(t.Context(), func(int64, []byte) error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
	wg.Wait()
	want := make(map[int64]string)
	r, err := ledger.OpenReader(os.DirFS(dir), key.Verifier())
	if err != nil {
		t.Fatal(err)
	}
	err = r.Entries(t.Context(), func(i int64, e []byte) error {
		want[i] = string(e)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("indices returned against the log (-got +want):\n%s", diff)
	}
	if got, want := len(want), 40; got != want {
		t.Errorf("log has %d entries, want %d", got, want)
	}
}

// TestReaderKeepsItsCheckpoint reads an old state after the tiles that it needs
// were filled up and their partial form removed.
func TestReaderKeepsItsCheckpoint(t *testing.T) {
	dir, key := t.TempDir(), newKey(t)
	l := open(t, dir, key)
	appendAll(t, l, entries(0, 100))
	r, err := ledger.OpenReader(os.DirFS(dir), key.Verifier())
	if err != nil {
		t.Fatal(err)
	}
	appendAll(t, l, entries(100, 300))
	if _, err := os.Stat(filepath.Join(dir, "tile/0/000.p")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("partial tiles of a full one: %v, want them removed", err)
	}
	n := 0
	err = r.Entries(t.Context(), func(i int64, e []byte) error {
		n++
		if !bytes.Equal(e, entry(int(i))) {
			t.Errorf("entry %d = %q", i, e)
		}
		return nil
	})
	if err != nil || n != 100 {
		t.Errorf("Entries = %d entries, %v, want 100", n, err)
	}
}
