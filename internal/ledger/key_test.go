package ledger_test

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/mod/sumdb/note"

	"github.com/assize/assize/internal/ledger"
)

func TestLoadOrCreateKey(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "config", "assize")
	var wg sync.WaitGroup
	verifiers := make([]string, 8)
	for i := range verifiers {
		wg.Go(func() {
			key, err := ledger.LoadOrCreateKey(dir)
			if err != nil {
				t.Error(err)
				return
			}
			verifiers[i] = key.Verifier().String()
		})
	}
	wg.Wait()
	for _, v := range verifiers {
		if v != verifiers[0] {
			t.Errorf("two keys were made at once: %s and %s", v, verifiers[0])
		}
	}
	info, err := os.Stat(filepath.Join(dir, "key"))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := info.Mode().Perm(), fs.FileMode(0o600); got != want {
		t.Errorf("permissions of the key = %v, want %v", got, want)
	}
	public := filepath.Join(dir, "key.pub")
	v, err := ledger.ReadVerifier(public)
	if err != nil || v.String() != verifiers[0] {
		t.Errorf("key.pub = %v, %v, want %s", v, err, verifiers[0])
	}
	if err := os.Remove(public); err != nil {
		t.Fatal(err)
	}
	if _, err := ledger.LoadOrCreateKey(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := ledger.ReadVerifier(public); err != nil {
		t.Errorf("the public half was not written again: %v", err)
	}
}

func TestKeyFilesRefused(t *testing.T) {
	dir := t.TempDir()
	if _, err := ledger.LoadOrCreateKey(dir); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "key")
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	foreign, _, err := note.GenerateKey(rand.Reader, "example.org/log")
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"empty": "", "text": "hello\n", "cut": string(good[:len(good)-9]), "twice": string(good) + string(good),
		"another name": foreign + "\n", "large": strings.Repeat("x", 1<<20),
	} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if key, err := ledger.LoadOrCreateKey(dir); err == nil {
			t.Errorf("%s: key %v was accepted", name, key.Verifier())
		} else if strings.Contains(err.Error(), "PRIVATE") {
			t.Errorf("%s: the error shows the key: %v", name, err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != content {
			t.Errorf("%s: the key file was changed", name)
		}
	}
	if err := os.WriteFile(path, good, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := ledger.LoadOrCreateKey(dir); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("error for a key that all may read = %v, want one with chmod 600", err)
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := ledger.LoadOrCreateKey(filepath.Join(file, "assize")); err == nil {
		t.Error("a key folder below a file was accepted")
	}
}

func TestSignAndVerify(t *testing.T) {
	key, other := newKey(t), newKey(t)
	msg := []byte("the message")
	sig, err := key.Sign("dossier", msg)
	if err != nil {
		t.Fatal(err)
	}
	if err := key.Verifier().Verify("dossier", msg, sig); err != nil {
		t.Error(err)
	}
	flipped := append([]byte{sig[0] ^ 1}, sig[1:]...)
	for name, err := range map[string]error{
		"another key":       other.Verifier().Verify("dossier", msg, sig),
		"another domain":    key.Verifier().Verify("dossie", append([]byte("r"), msg...), sig),
		"another message":   key.Verifier().Verify("dossier", msg[1:], sig),
		"a flipped bit":     key.Verifier().Verify("dossier", msg, flipped),
		"a short signature": key.Verifier().Verify("dossier", msg, sig[1:]),
		"no signature":      key.Verifier().Verify("dossier", msg, nil),
	} {
		if !errors.Is(err, ledger.ErrSignature) {
			t.Errorf("%s: Verify = %v, want ErrSignature", name, err)
		}
	}
	for _, domain := range []string{"", "a\x00b"} {
		if _, err := key.Sign(domain, msg); err == nil {
			t.Errorf("domain %q was accepted", domain)
		}
	}
	// Package note must agree that the text form is a key, and that a payload
	// signature is not one of a note.
	v, err := note.NewVerifier(key.Verifier().String())
	if err != nil {
		t.Fatal(err)
	}
	if v.Verify(msg, sig) {
		t.Error("a payload's signature is valid without its domain")
	}
}

func TestVerifierFile(t *testing.T) {
	v := newKey(t).Verifier()
	path := filepath.Join(t.TempDir(), "key.pub")
	if err := ledger.WriteVerifier(path, v); err != nil {
		t.Fatal(err)
	}
	got, err := ledger.ReadVerifier(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(got.String(), v.String()); diff != "" {
		t.Errorf("verifier (-got +want):\n%s", diff)
	}
	for _, content := range []string{"", "x", v.String() + "x", v.String() + "\n" + v.String(), strings.Repeat("x", 1<<20)} {
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		if v, err := ledger.ReadVerifier(path); err == nil {
			t.Errorf("file %.20q was read as %v", content, v)
		}
	}
	if _, err := ledger.ReadVerifier(path + ".none"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error for a missing file = %v, want fs.ErrNotExist", err)
	}
}
