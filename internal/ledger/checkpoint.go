package ledger

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// maxCheckpointBytes bounds a signed checkpoint: three short lines and one
// signature line.
const maxCheckpointBytes = 4096

// A Checkpoint is what a log's key signs: which log, how many entries, and the
// hash over all of them in order (C2SP tlog-checkpoint).
type Checkpoint struct {
	// Origin names the log. It never changes in the life of a log and no two
	// logs have the same.
	Origin string
	// Size is the number of entries.
	Size int64
	// Root is the RFC 6962 Merkle tree hash over the entries.
	Root tlog.Hash
}

func (c Checkpoint) text() string {
	return fmt.Sprintf("%s\n%d\n%s\n", c.Origin, c.Size, c.Root)
}

// sign returns the signed note of the checkpoint.
func (c Checkpoint) sign(key *Key) ([]byte, error) {
	return note.Sign(&note.Note{Text: c.text()}, key.signer)
}

// ParseCheckpoint reads a signed checkpoint and verifies its signature. It is
// stricter than the specification of signed notes: there must be exactly one
// signature, by the verifier's key, no extension line, and the bytes must be
// those that encoding the same checkpoint again gives, so that no byte can be
// changed unnoticed. Cosignatures of witnesses are therefore refused.
func ParseCheckpoint(msg []byte, v *Verifier) (Checkpoint, error) {
	c, err := parseCheckpoint(msg, v)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("parse checkpoint: %w", err)
	}
	return c, nil
}

func parseCheckpoint(msg []byte, v *Verifier) (Checkpoint, error) {
	if len(msg) > maxCheckpointBytes {
		return Checkpoint{}, fmt.Errorf("longer than %d bytes", maxCheckpointBytes)
	}
	n, err := note.Open(msg, note.VerifierList(v.verifier))
	if err != nil {
		return Checkpoint{}, signatureError(err, v)
	}
	c, err := parseText(n.Text)
	if err != nil {
		return Checkpoint{}, err
	}
	sig, err := base64.StdEncoding.DecodeString(n.Sigs[0].Base64)
	if err != nil || len(sig) < 4 || binary.BigEndian.Uint32(sig) != v.verifier.KeyHash() {
		return Checkpoint{}, errors.New("malformed signature")
	}
	again := c.text() + "\n— " + v.Name() + " " + base64.StdEncoding.EncodeToString(sig) + "\n"
	if again != string(msg) {
		return Checkpoint{}, errors.New("not in the one canonical form: it holds bytes that no signature covers")
	}
	return c, nil
}

// signatureError says in plain words why a note was not accepted.
func signatureError(err error, v *Verifier) error {
	if unknown, ok := errors.AsType[*note.UnverifiedNoteError](err); ok {
		by := "nobody"
		if sigs := unknown.Note.UnverifiedSigs; len(sigs) > 0 {
			by = fmt.Sprintf("%s+%08x", sigs[0].Name, sigs[0].Hash)
		}
		return fmt.Errorf("signed by %q, not by %s+%08x: %w", by, v.Name(), v.verifier.KeyHash(), ErrKey)
	}
	if _, ok := errors.AsType[*note.InvalidSignatureError](err); ok {
		return errors.New("the signature does not match the text")
	}
	return err
}

// ErrKey is the cause of errors about a log or a message that another key signed.
var ErrKey = errors.New("another key")

// parseText reads the three lines of a checkpoint.
func parseText(text string) (Checkpoint, error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 4 || lines[3] != "" {
		return Checkpoint{}, fmt.Errorf("text has %d lines, want 3", len(lines)-1)
	}
	origin := lines[0]
	if origin == "" || strings.ContainsFunc(origin, unicode.IsSpace) {
		return Checkpoint{}, errors.New("line 1: the origin is empty or holds a space")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 || size > maxSize || strconv.FormatInt(size, 10) != lines[1] {
		return Checkpoint{}, fmt.Errorf("line 2: size is not a plain number up to %d", int64(maxSize))
	}
	root, err := tlog.ParseHash(lines[2])
	if err != nil || root.String() != lines[2] {
		return Checkpoint{}, errors.New("line 3: root is not the base64 form of a SHA-256 hash")
	}
	return Checkpoint{Origin: origin, Size: size, Root: root}, nil
}
