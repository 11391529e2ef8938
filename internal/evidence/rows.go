package evidence

import (
	"errors"
	"fmt"
	"io"

	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/result"
)

// Salted begins the digest of a file of rows.
const Salted = "salted:"

// saltBytes is the length of a salt.
const saltBytes = 32

// rowsFile is a file of per-row outcomes. The salt is inside, so that whoever
// removes the file removes both.
type rowsFile struct {
	Salt []byte       `json:"salt"`
	Rows *result.Rows `json:"rows"`
}

// SealRows encodes rows behind 32 random bytes and returns the file's bytes and its salted digest.
func SealRows(rows *result.Rows, random io.Reader) (file []byte, salted string, err error) {
	salt := make([]byte, saltBytes)
	if _, err := io.ReadFull(random, salt); err != nil {
		return nil, "", fmt.Errorf("draw salt: %w", err)
	}
	if file, err = Canonical(rowsFile{Salt: salt, Rows: rows}); err != nil {
		return nil, "", err
	}
	return file, Salted + artefact.DigestBytes(file).Hex(), nil
}

// UnsealRows reads a file that SealRows made. The caller compares the digest.
func UnsealRows(file []byte) (*result.Rows, error) {
	var f rowsFile
	if err := Decode(file, &f); err != nil {
		return nil, err
	}
	switch {
	case f.Rows == nil:
		return nil, errors.New("read rows: the file holds none")
	case len(f.Salt) != saltBytes:
		return nil, fmt.Errorf("read rows: a salt of %d bytes, want %d", len(f.Salt), saltBytes)
	}
	if err := f.Rows.Validate(); err != nil {
		return nil, fmt.Errorf("read rows: %w", err)
	}
	return f.Rows, nil
}
