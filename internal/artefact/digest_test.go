package artefact_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/assize/assize/internal/artefact"
	"github.com/google/go-cmp/cmp"
)

func put(t testing.TB, root, name, content string) {
	t.Helper()
	path := filepath.Join(root, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestDigestsOfTheStandard meets the examples of FIPS 180-4 that NIST
// publishes, and the million times "a" that spans several blocks of reading.
func TestDigestsOfTheStandard(t *testing.T) {
	tests := []struct {
		content string
		want    artefact.Digest
	}{
		{"", "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
		{"abc", "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
		{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "sha256:248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
		{strings.Repeat("a", 1_000_000), "sha256:cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
	}
	for _, test := range tests {
		root := t.TempDir()
		put(t, root, "f", test.content)
		got, size, err := artefact.DigestOf(context.Background(), filepath.Join(root, "f"))
		if err != nil {
			t.Fatal(err)
		}
		if got != test.want || size != int64(len(test.content)) {
			t.Errorf("DigestOf(%d bytes) = %s, %d, want %s", len(test.content), got, size, test.want)
		}
		if got := artefact.DigestBytes([]byte(test.content)); got != test.want {
			t.Errorf("DigestBytes(%d bytes) = %s, want %s", len(test.content), got, test.want)
		}
	}
}

func TestDigestOfFolder(t *testing.T) {
	root := t.TempDir()
	put(t, root, "b", "abc")
	put(t, root, "a/z", "")
	put(t, root, "a.txt", "abc")
	got, size, err := artefact.DigestOf(context.Background(), root)
	if err != nil {
		t.Fatal(err)
	}
	// The manifest that the documentation promises, sorted by path.
	want := artefact.DigestBytes([]byte("" +
		"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  3  a.txt\n" +
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  0  a/z\n" +
		"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  3  b\n"))
	if got != want || size != 6 {
		t.Errorf("got %s of %d bytes, want %s of 6", got, size, want)
	}
	for _, change := range []func(){
		func() { put(t, root, "c", "") },
		func() { os.Rename(filepath.Join(root, "b"), filepath.Join(root, "B")) },
		func() { put(t, root, "a/z", "x") },
	} {
		change()
		after, _, err := artefact.DigestOf(context.Background(), root)
		if err != nil {
			t.Fatal(err)
		}
		if after == got {
			t.Errorf("the digest is still %s after a change", got)
		}
		got = after
	}
}

func TestDigestRefusals(t *testing.T) {
	ctx := context.Background()
	tests := []struct {
		name string
		make func(root string) error
		want string
	}{
		{"link in a folder", func(root string) error { return os.Symlink("/etc/passwd", filepath.Join(root, "l")) }, "only regular files can be digested"},
		{"pipe in a folder", func(root string) error { return syscall.Mkfifo(filepath.Join(root, "p"), 0o600) }, "only regular files can be digested"},
		{"line break in a name", func(root string) error { return os.WriteFile(filepath.Join(root, "a\nb"), nil, 0o600) }, "holds a line break"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			root := t.TempDir()
			if err := test.make(root); err != nil {
				t.Skip(err)
			}
			_, _, err := artefact.DigestOf(ctx, root)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
	root := t.TempDir()
	pipe := filepath.Join(root, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err == nil {
		if _, _, err := artefact.DigestOf(ctx, pipe); err == nil || !strings.Contains(err.Error(), "neither a regular file nor a folder") {
			t.Errorf("pipe: got %v", err)
		}
	}
	if _, _, err := artefact.DigestOf(ctx, filepath.Join(root, "gone")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("absent file: got %v, want %v", err, os.ErrNotExist)
	}
	put(t, root, "f", "abc")
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if _, _, err := artefact.DigestOf(ended, filepath.Join(root, "f")); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got %v, want %v", err, context.Canceled)
	}
}

func TestParseDigest(t *testing.T) {
	const hex = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
	got, err := artefact.ParseDigest("sha256:" + hex)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{got.Hex(), got.Short()}, []string{hex, "ba7816bf8f01"}); diff != "" {
		t.Errorf("Hex, Short (-got +want):\n%s", diff)
	}
	for _, bad := range []string{"", hex, "sha256:", "sha512:" + hex, "sha256:" + hex[1:], "sha256:" + strings.ToUpper(hex), "sha256:" + hex[1:] + "g", "sha256:" + hex + "\n"} {
		if got, err := artefact.ParseDigest(bad); err == nil {
			t.Errorf("ParseDigest(%q) = %q, want an error", bad, got)
		}
	}
	if got := artefact.Digest("sha256:ab").Short(); got != "ab" {
		t.Errorf("Short of a short digest = %q, want %q", got, "ab")
	}
}
