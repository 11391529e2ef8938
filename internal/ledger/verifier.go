package ledger

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"github.com/assize/assize/internal/durable"
)

// A Verifier is the public half of a Key.
type Verifier struct {
	public   ed25519.PublicKey
	verifier note.Verifier
	text     string
}

// verifierOf returns the verifier of a key under the name that this program
// gives to it.
func verifierOf(public ed25519.PublicKey) *Verifier {
	fingerprint := sha256.Sum256(public)
	text, err := note.NewEd25519VerifierKey(fmt.Sprintf("assize/%x", fingerprint[:8]), public)
	if err != nil {
		panic("ledger: a public key of the wrong length: " + err.Error())
	}
	v, err := ParseVerifier(text)
	if err != nil {
		panic("ledger: a key of ours does not parse: " + err.Error())
	}
	return v
}

// ParseVerifier reads the text form of a public key: name+hash+base64, as in
// package golang.org/x/mod/sumdb/note. Keys of other programs are accepted under
// the name they have.
func ParseVerifier(text string) (*Verifier, error) {
	verifier, err := note.NewVerifier(text)
	if err != nil {
		return nil, fmt.Errorf("parse public key: %w", err)
	}
	// note.NewVerifier accepted the text, so it has three fields; the last,
	// base64, may itself hold plus signs.
	raw, err := base64.StdEncoding.DecodeString(strings.SplitN(text, "+", 3)[2])
	if err != nil || len(raw) != 1+ed25519.PublicKeySize {
		return nil, errors.New("parse public key: not an Ed25519 key")
	}
	public := ed25519.PublicKey(raw[1:])
	if again, err := note.NewEd25519VerifierKey(verifier.Name(), public); err != nil || again != text {
		return nil, errors.New("parse public key: not in the one canonical form")
	}
	return &Verifier{public: public, verifier: verifier, text: text}, nil
}

// ReadVerifier reads a public key from a file that holds its text form on one
// line.
func ReadVerifier(path string) (*Verifier, error) {
	data, err := readKeyFile(path)
	if err != nil {
		return nil, err
	}
	v, err := ParseVerifier(strings.TrimSpace(string(data)))
	if err != nil {
		return nil, fmt.Errorf("read public key %q: %w\nhint: the file holds one line of the form name+hash+base64, as in the signer's key.pub", path, err)
	}
	return v, nil
}

// WriteVerifier writes the file that ReadVerifier reads.
func WriteVerifier(path string, v *Verifier) error {
	return durable.WriteFile(path, v.fileBytes(), 0o644)
}

// Name returns the name of the key as it stands in signatures.
func (v *Verifier) Name() string { return v.verifier.Name() }

// String returns the text form name+hash+base64.
func (v *Verifier) String() string { return v.text }

// Verify checks a signature that Key.Sign made over msg for domain. The error is
// ErrSignature if it does not hold.
func (v *Verifier) Verify(domain string, msg, sig []byte) error {
	payload, err := separated(domain, msg)
	if err != nil {
		return fmt.Errorf("verify: %w", err)
	}
	if !ed25519.Verify(v.public, payload, sig) {
		return fmt.Errorf("verify %s: %w", domain, ErrSignature)
	}
	return nil
}

// ErrSignature means that a signature is not one by this key over these bytes.
var ErrSignature = errors.New("the signature does not match")

func (v *Verifier) fileBytes() []byte { return []byte(v.text + "\n") }

// readKeyFile reads a small regular file.
func readKeyFile(path string) ([]byte, error) {
	dir, name := filepath.Split(filepath.Clean(path))
	data, err := readFile(os.DirFS(filepath.Clean(dir)), name, 1, maxKeyBytes)
	if err != nil {
		return nil, fmt.Errorf("read key %q: %w", path, err)
	}
	return data, nil
}
