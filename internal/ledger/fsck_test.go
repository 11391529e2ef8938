package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/assize/assize/internal/ledger"
)

// sample returns the files of a log of 600 entries with three kinds of tiles:
// full, partial, and partial ones of earlier checkpoints; and two levels.
func sample(t testing.TB, key *ledger.Key) map[string]string {
	t.Helper()
	dir := t.TempDir()
	l := open(t, dir, key)
	appendAll(t, l, entries(0, 530))
	appendAll(t, l, entries(530, 590))
	appendAll(t, l, entries(590, 600))
	return readTree(t, dir)
}

func mapFS(files map[string]string) fstest.MapFS {
	fsys := make(fstest.MapFS)
	for path, data := range files {
		fsys[path] = &fstest.MapFile{Data: []byte(data)}
	}
	return fsys
}

// problems returns the paths that Fsck names.
func problems(t testing.TB, fsys fs.FS, key *ledger.Key) []string {
	t.Helper()
	r, err := ledger.Fsck(t.Context(), fsys, key.Verifier())
	if err != nil {
		t.Fatal(err)
	}
	paths := []string{}
	for _, p := range r.Problems {
		paths = append(paths, p.Path)
	}
	slices.Sort(paths)
	return paths
}

func TestFsckSample(t *testing.T) {
	key := newKey(t)
	files := sample(t, key)
	r, err := ledger.Fsck(t.Context(), mapFS(files), key.Verifier())
	if err != nil || !r.OK() {
		t.Fatalf("Fsck = %v, %v, want no problem", r.Err(), err)
	}
	if r.Files != len(files) || r.Checkpoint.Size != 600 {
		t.Errorf("Files, Size = %d, %d, want %d, 600", r.Files, r.Checkpoint.Size, len(files))
	}
	// The test means something only if all kinds of files are there.
	for _, path := range []string{
		"checkpoint", "tile/0/000", "tile/0/002.p/18", "tile/0/002.p/78", "tile/0/002.p/88",
		"tile/1/000.p/2", "tile/entries/001", "tile/entries/002.p/18", "tile/entries/002.p/88",
	} {
		if _, ok := files[path]; !ok {
			t.Errorf("the sample has no %s", path)
		}
	}
}

// TestFsckNamesTheFile changes every file of a log in many ways. The file that
// was changed, and no other, must be named.
func TestFsckNamesTheFile(t *testing.T) {
	key := newKey(t)
	files := sample(t, key)
	random := rand.New(rand.NewPCG(1, 2))
	check := func(path, what, data string) {
		t.Helper()
		changed := mapFS(files)
		changed[path] = &fstest.MapFile{Data: []byte(data)}
		if diff := cmp.Diff(problems(t, changed, key), []string{path}); diff != "" {
			t.Errorf("%s in %s: named files (-got +want):\n%s", what, path, diff)
		}
	}
	flip := func(data string, at int, mask byte) string {
		b := []byte(data)
		b[at] ^= mask
		return string(b)
	}
	for path, data := range files {
		if path == "checkpoint" {
			for at := range data {
				for _, mask := range []byte{0x01, 0x20, 0x80} {
					check(path, fmt.Sprintf("byte %d flipped by %#x", at, mask), flip(data, at, mask))
				}
			}
		}
		for _, at := range []int{0, 1, 2, len(data) - 1, random.IntN(len(data)), random.IntN(len(data))} {
			check(path, fmt.Sprintf("byte %d flipped", at), flip(data, at, 1<<random.IntN(8)))
		}
		check(path, "appended byte", data+"\x00")
		check(path, "appended line", data+"\n")
		check(path, "removed byte", data[:len(data)-1])
		check(path, "removed half", data[:len(data)/2])
		check(path, "nothing left", "")
	}
}

func TestFsckMissing(t *testing.T) {
	key := newKey(t)
	files := sample(t, key)
	for path := range files {
		changed := mapFS(files)
		delete(changed, path)
		want := []string{path}
		if strings.HasSuffix(path, ".p/18") || strings.HasSuffix(path, ".p/78") {
			want = []string{} // of an earlier checkpoint: need not be there
		}
		if diff := cmp.Diff(problems(t, changed, key), want); diff != "" {
			t.Errorf("without %s: named files (-got +want):\n%s", path, diff)
		}
	}
}

func TestFsckSwappedEntries(t *testing.T) {
	key := newKey(t)
	files := sample(t, key)
	for path, width := range map[string]int{"tile/entries/000": 256, "tile/entries/002.p/88": 88} {
		list, err := ledger.SplitBundle([]byte(files[path]), width)
		if err != nil {
			t.Fatal(err)
		}
		list[3], list[4] = list[4], list[3]
		var bundle []byte
		for _, e := range list {
			bundle = ledger.AppendEntry(bundle, e)
		}
		changed := mapFS(files)
		changed[path] = &fstest.MapFile{Data: bundle}
		got := problems(t, changed, key)
		if !slices.Contains(got, path) || slices.Contains(got, "checkpoint") || slices.Contains(got, strings.Replace(path, "entries", "0", 1)) {
			t.Errorf("swapped entries in %s: named %v", path, got)
		}
	}
}

// TestFsckRewritten changes bundle and tile together, as one would who does not
// hold the key.
func TestFsckRewritten(t *testing.T) {
	key := newKey(t)
	other := t.TempDir()
	l := open(t, other, key)
	list := entries(0, 600)
	list[300] = []byte("another")
	appendAll(t, l, list)
	forged := readTree(t, other)
	tests := []struct {
		name, replaced string
		want           []string
	}{
		{"bundle and its tile", "tile/entries/001 tile/0/001", []string{"tile/0/001", "tile/entries/001"}},
		{"and the tile above", "tile/entries/001 tile/0/001 tile/1/000.p/2", []string{"checkpoint"}},
	}
	for _, tt := range tests {
		changed := mapFS(sample(t, key))
		for _, path := range strings.Fields(tt.replaced) {
			changed[path] = &fstest.MapFile{Data: []byte(forged[path])}
		}
		if diff := cmp.Diff(problems(t, changed, key), tt.want); diff != "" {
			t.Errorf("%s: named files (-got +want):\n%s", tt.name, diff)
		}
	}
}

func TestFsckCheckpoint(t *testing.T) {
	key, stranger := newKey(t), newKey(t)
	dir := t.TempDir()
	l := open(t, dir, key)
	appendAll(t, l, entries(0, 40))
	old := string(l.Checkpoint())
	appendAll(t, l, entries(40, 50))
	files := readTree(t, dir)
	now, err := ledger.ParseCheckpoint([]byte(files["checkpoint"]), key.Verifier())
	if err != nil {
		t.Fatal(err)
	}
	sign := func(key *ledger.Key, change func(*ledger.Checkpoint)) string {
		c := now
		change(&c)
		msg, err := ledger.SignCheckpoint(c, key)
		if err != nil {
			t.Fatal(err)
		}
		return string(msg)
	}
	same := func(*ledger.Checkpoint) {}
	_, signature, _ := strings.Cut(files["checkpoint"], "\n\n")
	_, strangers, _ := strings.Cut(sign(stranger, same), "\n\n")
	newer := []string{"checkpoint", "tile/0/000.p/50", "tile/entries/000.p/50"}
	tests := []struct {
		name, checkpoint string
		want             []string
	}{
		{"another key", sign(stranger, same), []string{"checkpoint"}},
		{"an older size", old, newer},
		{"another root", sign(key, func(c *ledger.Checkpoint) { c.Root[5]++ }), []string{"checkpoint"}},
		{"the empty log", sign(key, func(c *ledger.Checkpoint) { c.Size = 0 }), append(newer, "tile/0/000.p/40", "tile/entries/000.p/40")},
		{"a later size", sign(key, func(c *ledger.Checkpoint) { c.Size = 51 }), []string{"tile/0/000.p/51", "tile/entries/000.p/51"}},
		{"an enormous size", sign(key, func(c *ledger.Checkpoint) { c.Size = 1 << 40 }), nil},
		{"a size beyond the limit", sign(key, func(c *ledger.Checkpoint) { c.Size = 1<<40 + 1 }), []string{"checkpoint"}},
		{"trailing bytes", files["checkpoint"] + "x", []string{"checkpoint"}},
		{"its signature twice", files["checkpoint"] + signature, []string{"checkpoint"}},
		{"a second signature", files["checkpoint"] + strangers, []string{"checkpoint"}},
		{"an empty line", strings.Replace(files["checkpoint"], "\n\n", "\n\n\n", 1), []string{"checkpoint"}},
		{"carriage returns", strings.ReplaceAll(files["checkpoint"], "\n", "\r\n"), []string{"checkpoint"}},
		{"no signature", strings.TrimSuffix(files["checkpoint"], signature), []string{"checkpoint"}},
		{"nothing but a lot", strings.Repeat("a", 1<<20), []string{"checkpoint"}},
	}
	for _, tt := range tests {
		changed := mapFS(files)
		changed["checkpoint"] = &fstest.MapFile{Data: []byte(tt.checkpoint)}
		got := problems(t, changed, key)
		if tt.want == nil {
			if len(got) != 100 {
				t.Errorf("%s: %d problems, want 100 and no more", tt.name, len(got))
			}
			continue
		}
		slices.Sort(tt.want)
		if diff := cmp.Diff(got, tt.want); diff != "" {
			t.Errorf("%s: named files (-got +want):\n%s", tt.name, diff)
		}
	}
}

func TestFsckCannot(t *testing.T) {
	key := newKey(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if r, err := ledger.Fsck(ctx, mapFS(sample(t, key)), key.Verifier()); !errors.Is(err, context.Canceled) {
		t.Errorf("Fsck after cancel = %v, %v, want context.Canceled", r, err)
	}
	if r, err := ledger.Fsck(t.Context(), os.DirFS(filepath.Join(t.TempDir(), "none")), key.Verifier()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Fsck of a missing folder = %v, %v, want fs.ErrNotExist", r, err)
	}
	if got, want := problems(t, fstest.MapFS{}, key), []string{"checkpoint"}; !slices.Equal(got, want) {
		t.Errorf("Fsck of an empty folder names %v, want %v", got, want)
	}
}

// TestReaderRefusesChanges makes sure that a reader hands out nothing unsigned.
func TestReaderRefusesChanges(t *testing.T) {
	key := newKey(t)
	files := sample(t, key)
	for path, data := range files {
		if strings.HasSuffix(path, ".p/18") || strings.HasSuffix(path, ".p/78") {
			continue
		}
		changed := mapFS(files)
		b := []byte(data)
		b[len(b)/2] ^= 1
		changed[path] = &fstest.MapFile{Data: b}
		r, err := ledger.OpenReader(changed, key.Verifier())
		if err == nil {
			err = r.Entries(t.Context(), func(i int64, e []byte) error {
				if string(e) != string(entry(int(i))) {
					t.Errorf("%s changed: entry %d = %q was handed out", path, i, e)
				}
				return nil
			})
		}
		if err == nil {
			t.Errorf("%s changed: no error", path)
		}
	}
}
