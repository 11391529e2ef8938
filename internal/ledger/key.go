package ledger

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"github.com/assize/assize/internal/durable"
)

const (
	keyFile = "key"
	// maxKeyBytes bounds a key file: one line of about 150 bytes.
	maxKeyBytes = 1024
	algEd25519  = 1
)

// A Key signs checkpoints and other payloads with Ed25519. Its name is "assize/"
// and the first eight bytes of the public key's SHA-256 in hexadecimal.
type Key struct {
	private ed25519.PrivateKey
	signer  note.Signer
	public  *Verifier
}

// KeyFolder returns the folder under the user's configuration directory that
// holds the signing key.
func KeyFolder() (string, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("find key folder: %w\nhint: set HOME or XDG_CONFIG_HOME", err)
	}
	return filepath.Join(dir, "assize"), nil
}

// LoadOrCreateKey reads the key in the folder configDir, or makes one on first
// use: the file key holds the private half and is for its owner alone, key.pub
// beside it the public half for handing out. Of several processes that start at
// once one makes the key and all use it. Never call it with a folder inside a
// target: a project that is shared would share the key.
func LoadOrCreateKey(configDir string) (*Key, error) {
	path := filepath.Join(configDir, keyFile)
	key, err := loadKey(path)
	if errors.Is(err, fs.ErrNotExist) {
		key, err = createKey(path)
	}
	if err != nil {
		return nil, err
	}
	public := path + ".pub"
	want := key.public.fileBytes()
	if got, err := readKeyFile(public); err == nil && bytes.Equal(got, want) {
		return key, nil
	}
	return key, durable.WriteFile(public, want, 0o644)
}

// LoadKey reads the key in the folder configDir and makes none.
func LoadKey(configDir string) (*Key, error) {
	return loadKey(filepath.Join(configDir, keyFile))
}

func createKey(path string) (*Key, error) {
	if err := durable.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("create key: %w", err)
	}
	err = durable.CreateFile(path, []byte(encodePrivate(private)+"\n"), 0o600)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return loadKey(path)
}

// encodePrivate returns the text form of package note: PRIVATE+KEY+name+hash+base64.
func encodePrivate(private ed25519.PrivateKey) string {
	v := verifierOf(private.Public().(ed25519.PublicKey))
	secret := append([]byte{algEd25519}, private.Seed()...)
	return fmt.Sprintf("PRIVATE+KEY+%s+%08x+%s", v.Name(), v.verifier.KeyHash(), base64.StdEncoding.EncodeToString(secret))
}

func loadKey(path string) (*Key, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return nil, fmt.Errorf("read key: %w", err)
	}
	if runtime.GOOS != "windows" && info.Mode().IsRegular() && info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("read key %q: others may read it (permissions %v)\nhint: chmod 600 %q", path, info.Mode().Perm(), path)
	}
	data, err := readKeyFile(path)
	if err != nil {
		return nil, err
	}
	text := strings.TrimSuffix(string(data), "\n")
	signer, err := note.NewSigner(text)
	if err != nil {
		return nil, malformedKey(path)
	}
	// note.NewSigner accepted the text, so it has five fields; the last, base64,
	// may itself hold plus signs.
	secret, err := base64.StdEncoding.DecodeString(strings.SplitN(text, "+", 5)[4])
	if err != nil || len(secret) != 1+ed25519.SeedSize {
		return nil, malformedKey(path)
	}
	private := ed25519.NewKeyFromSeed(secret[1:])
	if encodePrivate(private) != text {
		return nil, malformedKey(path)
	}
	return &Key{private: private, signer: signer, public: verifierOf(private.Public().(ed25519.PublicKey))}, nil
}

func malformedKey(path string) error {
	return fmt.Errorf("read key %q: not a signing key of this program\nhint: restore it from a backup; if there is none, move it away and a new key is made, which starts new logs", path)
}

// Verifier returns the public half.
func (k *Key) Verifier() *Verifier { return k.public }

// Sign signs msg for one purpose, which domain names ("dossier-files"); the
// signature is valid for no other domain and never as a checkpoint's. The domain
// is a constant of the caller without NUL bytes.
func (k *Key) Sign(domain string, msg []byte) ([]byte, error) {
	payload, err := separated(domain, msg)
	if err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	return ed25519.Sign(k.private, payload), nil
}

// separated prefixes msg with the domain. No signed note can equal the result:
// notes hold no NUL bytes. No other domain's payload can: a domain holds none
// either.
func separated(domain string, msg []byte) ([]byte, error) {
	if domain == "" || strings.ContainsRune(domain, 0) {
		return nil, fmt.Errorf("domain %q is empty or holds a NUL byte", domain)
	}
	return append([]byte("assize signature v1\x00"+domain+"\x00"), msg...), nil
}
