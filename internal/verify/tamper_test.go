package verify_test

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/verify"
)

// everyFile lists the files of a dossier, files.json too.
func everyFile(t *testing.T, dir string) []string {
	t.Helper()
	names := []string{dossier.FilesName}
	for _, f := range must(dossier.List(context.Background(), dir))(t) {
		names = append(names, f.Path)
	}
	return names
}

// wantNamed wants a dossier to fail, and one of the failures to name the file.
func wantNamed(t *testing.T, dir, how, name string) {
	t.Helper()
	r := check(t, dir, nil)
	if r.OK() || !strings.Contains(strings.Join(failed(r), "\n"), name) {
		t.Errorf("%s %s: failures are %q, want one that names it", name, how, failed(r))
	}
}

// TestOneFileAtATime changes every file of a dossier in every simple way. Each
// time the dossier fails and the file is named; undone, it verifies again.
func TestOneFileAtATime(t *testing.T) {
	run := honest(t)
	other := honest(t) // of another provider
	names := everyFile(t, run.dir)
	if len(names) < 10 {
		t.Fatalf("the dossier has only %q", names)
	}
	for _, name := range names {
		b := run.get(name)
		for _, at := range []int{0, 1, len(b) / 3, len(b) / 2, 2 * len(b) / 3, len(b) - 2, len(b) - 1} {
			for _, flip := range []byte{1, 0x20, 0x80} {
				wrong := bytes.Clone(b)
				wrong[at] ^= flip
				run.put(name, wrong)
				wantNamed(t, run.dir, "flipped", name)
			}
		}
		for how, wrong := range map[string][]byte{
			"truncated": b[:len(b)-1], "halved": b[:len(b)/2], "emptied": nil, "lengthened": append(bytes.Clone(b), '\n'),
			"zeroed": make([]byte, len(b)), "opened": []byte("{"), "nested": bytes.Repeat([]byte("["), 1<<16),
		} {
			run.put(name, wrong)
			wantNamed(t, run.dir, how, name)
		}
		if foreign, err := os.ReadFile(other.path(name)); err == nil && !bytes.Equal(foreign, b) {
			run.put(name, foreign)
			wantNamed(t, run.dir, "from another dossier", name)
		}
		if err := os.Remove(run.path(name)); err != nil {
			t.Fatal(err)
		}
		wantNamed(t, run.dir, "removed", name)
		run.put(name, b)
	}
	if got := failed(check(t, run.dir, nil)); got != nil {
		t.Fatalf("all undone, it still fails: %q", got)
	}
}

// TestAdded adds files in places where somebody could look for more.
func TestAdded(t *testing.T) {
	for _, name := range []string{"a", "evidence/" + strings.Repeat("0", 64), "log/tile/0/001", "log/tile/entries/000.p/1", "log/x", ".hidden", "dir/deep/er", "FILES.JSON"} {
		run := honest(t)
		run.put(name, []byte("x"))
		wantNamed(t, run.dir, "added", name)
	}
	run := honest(t)
	if err := os.Link(run.path(dossier.ReportName), run.path("again.html")); err != nil {
		t.Skipf("no hard links here: %v", err)
	}
	wantNamed(t, run.dir, "added as a hard link", "again.html")
}

// TestLinks puts a link in the place of every file and folder, leading to the
// very same bytes outside.
func TestLinks(t *testing.T) {
	run := honest(t)
	outside := t.TempDir()
	for _, name := range append(everyFile(t, run.dir), dossier.EvidenceName, dossier.LogName, "log/tile") {
		kept := filepath.Join(outside, strings.ReplaceAll(name, "/", "_"))
		if err := os.Rename(run.path(name), kept); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(kept, run.path(name)); err != nil {
			t.Skipf("no links here: %v", err)
		}
		wantNamed(t, run.dir, "behind a link", name)
		if err := os.Remove(run.path(name)); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(kept, run.path(name)); err != nil {
			t.Fatal(err)
		}
	}
	if got := failed(check(t, run.dir, nil)); got != nil {
		t.Fatalf("all undone, it still fails: %q", got)
	}
	// The dossier itself may stand behind a link: its owner put it there.
	link := filepath.Join(outside, "link")
	if err := os.Symlink(run.dir, link); err != nil {
		t.Fatal(err)
	}
	if got := failed(check(t, link, nil)); got != nil {
		t.Errorf("through a link to the folder: %q", got)
	}
}

// TestHugeFile grows files beyond what is ever read. They are sparse: nothing is written.
func TestHugeFile(t *testing.T) {
	for _, name := range []string{dossier.FilesName, dossier.MainName, "log/checkpoint", "evidence/x"} {
		run := honest(t)
		if _, err := os.Stat(run.path(name)); err != nil {
			run.put(name, nil)
		}
		if err := os.Truncate(run.path(name), 8<<40); err != nil {
			t.Skipf("no sparse files here: %v", err)
		}
		wantNamed(t, run.dir, "grown to 8 TiB", name)
	}
}

// TestListOfFiles signs lists of files that no honest program writes.
func TestListOfFiles(t *testing.T) {
	run := honest(t)
	list := run.get(dossier.FilesName)
	for _, tt := range []struct {
		name   string
		change func(*dossier.Files)
		check  string
		want   string
	}{
		{"path that leaves", func(f *dossier.Files) { f.Files[0].Path = "../" + f.Files[0].Path }, "list of files", "is unsafe"},
		{"path that leaves in the middle", func(f *dossier.Files) { f.Files[0].Path = "a/../../b" }, "list of files", "is unsafe"},
		{"absolute path", func(f *dossier.Files) { f.Files[0].Path = "/etc/passwd" }, "list of files", "is unsafe"},
		{"backslash", func(f *dossier.Files) { f.Files[0].Path = `..\x` }, "list of files", "is unsafe"},
		{"NUL", func(f *dossier.Files) { f.Files[0].Path = "a\x00b" }, "list of files", "is unsafe"},
		{"dot", func(f *dossier.Files) { f.Files[0].Path = "./a" }, "list of files", "is unsafe"},
		{"empty path", func(f *dossier.Files) { f.Files[0].Path = "" }, "list of files", "is unsafe"},
		{"doubled path", func(f *dossier.Files) { f.Files = slices.Insert(f.Files, 0, f.Files[0]) }, "list of files", "doubled"},
		{"out of order", func(f *dossier.Files) { f.Files[0], f.Files[1] = f.Files[1], f.Files[0] }, "list of files", "out of order"},
		{"format", func(f *dossier.Files) { f.Format = 2 }, "list of files", "format 2, this program reads 1"},
		{"key", func(f *dossier.Files) { f.Key = "assize/00+00+AA" }, "list of files", "public key"},
		{"a file left out", func(f *dossier.Files) { f.Files = f.Files[1:] }, "every file", "was added"},
		{"a file too many", func(f *dossier.Files) { f.Files = append(f.Files, dossier.File{Path: "zz"}) }, "every file", `"zz" is missing`},
		{"size", func(f *dossier.Files) { f.Files[0].Size++ }, "every file", "was changed"},
		{"digest", func(f *dossier.Files) { f.Files[0].Digest = "sha256:" }, "every file", "was changed"},
		{"no files", func(f *dossier.Files) { f.Files = nil }, "every file", "was added"},
		{"another run", func(f *dossier.Files) { f.Run = "r" }, "dossier.json", "another run or key"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			run.put(dossier.FilesName, list)
			f := must(dossier.ReadFiles(run.dir))(t)
			tt.change(f)
			run.signList(f)
			wantFailure(t, check(t, run.dir, nil), tt.check, tt.want)
		})
	}
}

// TestFolderInPlaceOfAFile puts folders in the place of files; fifos are in special_unix_test.go.
func TestFolderInPlaceOfAFile(t *testing.T) {
	run := honest(t)
	for _, name := range everyFile(t, run.dir) {
		b := run.get(name)
		if err := os.Remove(run.path(name)); err != nil {
			t.Fatal(err)
		}
		if err := os.Mkdir(run.path(name), 0o755); err != nil {
			t.Fatal(err)
		}
		wantNamed(t, run.dir, "is a folder", name)
		if err := os.Remove(run.path(name)); err != nil {
			t.Fatal(err)
		}
		run.put(name, b)
	}
}

// TestUnreadable shows that a file that cannot be read is named.
func TestUnreadable(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root reads every file")
	}
	run := honest(t)
	for _, name := range everyFile(t, run.dir) {
		if err := os.Chmod(run.path(name), 0); err != nil {
			t.Fatal(err)
		}
		r, err := verify.Dossier(context.Background(), run.dir, nil)
		if err != nil || r.OK() {
			t.Errorf("%s cannot be read: %v", name, err)
		}
		if err := os.Chmod(run.path(name), fs.FileMode(0o644)); err != nil {
			t.Fatal(err)
		}
	}
}
