package catalogue

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/assize/assize/internal/artefact"
)

// SignatureDomain is what signatures of catalogues are made for; none of them is
// valid for anything else.
const SignatureDomain = "assize catalogue v1"

// SignatureSuffix makes the name of a pack's signature of the pack's.
const SignatureSuffix = ".sig"

const (
	signatureFormat   = 1
	maxSignatureBytes = 4 << 10
)

// Signature is one key's word for a catalogue, in a file beside its pack. It
// covers the catalogue's digest, and so every byte of every table, not how the
// pack was compressed: it stays with a catalogue that is packed again, and
// speaks for the digest that a dossier names.
type Signature struct {
	Format    int             `json:"format"`
	Catalogue artefact.Digest `json:"catalogue"`
	Key       string          `json:"key"` // verifier key in note form: name+hash+base64
	Signature []byte          `json:"signature"`
}

// NewSignature is a signature yet to be made, by the key whose public half is
// given: sign its Payload.
func NewSignature(of artefact.Digest, key string) *Signature {
	return &Signature{Format: signatureFormat, Catalogue: of, Key: key}
}

// Payload is what is signed for SignatureDomain.
func (s *Signature) Payload() []byte { return []byte(string(s.Catalogue) + "\n") }

// Encode is the file.
func (s *Signature) Encode() ([]byte, error) {
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write signature: %w", err)
	}
	return append(b, '\n'), nil
}

// ReadSignature reads what Encode wrote, in that form alone. It verifies nothing.
func ReadSignature(r io.Reader) (*Signature, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxSignatureBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read signature: %w", err)
	}
	if len(b) > maxSignatureBytes {
		return nil, fmt.Errorf("read signature: more than %d bytes", maxSignatureBytes)
	}
	var s Signature
	if err := json.Unmarshal(b, &s); err != nil {
		return nil, fmt.Errorf("read signature: %w\nhint: it is what \"assize catalogue pack\" writes beside a pack", err)
	}
	again, err := s.Encode()
	switch {
	case err != nil:
		return nil, err
	case s.Format != signatureFormat:
		return nil, fmt.Errorf("read signature: format %d, this program reads %d", s.Format, signatureFormat)
	case !bytes.Equal(again, b):
		return nil, errors.New("read signature: not in the one form that \"assize catalogue pack\" writes")
	}
	return &s, nil
}
