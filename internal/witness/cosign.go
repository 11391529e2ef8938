// Package witness checks what witnesses say of a ledger's checkpoint:
// cosignatures (C2SP tlog-cosignature). It works offline and links no network;
// witness/stamp checks time stamps, witness/ask gets both.
package witness

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode"
)

const (
	// cosignatureType is the signature type of an Ed25519 cosignature, version 1.
	cosignatureType = 0x04
	maxName         = 255
)

// Key is a witness's public key: its name and what it signs cosignatures with.
type Key struct {
	name   string
	id     [4]byte
	public ed25519.PublicKey
}

// ParseKey reads a key in the form of C2SP signed-note: name+id+base64, of
// signature type 4 (Ed25519 cosignatures).
func ParseKey(text string) (*Key, error) {
	part := strings.SplitN(text, "+", 3)
	if len(part) != 3 {
		return nil, errors.New("parse witness key: want name+id+base64")
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(part[2])
	if err != nil || len(raw) != 1+ed25519.PublicKeySize || raw[0] != cosignatureType {
		return nil, errors.New("parse witness key: not an Ed25519 key for cosignatures (type 4)")
	}
	if part[0] == "" || len(part[0]) > maxName || strings.ContainsFunc(part[0], func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }) {
		return nil, errors.New("parse witness key: the name is empty, too long or holds a space")
	}
	k := &Key{name: part[0], public: raw[1:]}
	sum := sha256.Sum256([]byte(k.name + "\n" + string(raw)))
	copy(k.id[:], sum[:])
	if fmt.Sprintf("%08x", k.id) != part[1] {
		return nil, errors.New("parse witness key: the id does not follow from name and key")
	}
	return k, nil
}

// ReadKeys reads a file of witness keys, one a line.
func ReadKeys(path string) ([]*Key, error) {
	b, err := ReadSmall(path)
	if err != nil {
		return nil, fmt.Errorf("read witness keys: %w", err)
	}
	keys, err := ParseKeys(b)
	if err != nil {
		return nil, fmt.Errorf("read witness keys %q: %w\nhint: one line a witness, name+id+base64, as the witness publishes it", path, err)
	}
	return keys, nil
}

// ParseKeys reads keys, one a line.
func ParseKeys(b []byte) ([]*Key, error) {
	var keys []*Key
	for line := range strings.Lines(string(b)) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		k, err := ParseKey(line)
		if err != nil {
			return nil, err
		}
		keys = append(keys, k)
	}
	if len(keys) == 0 {
		return nil, errors.New("there is no key")
	}
	return keys, nil
}

// String is the key in the form that ParseKey reads.
func (k *Key) String() string {
	return fmt.Sprintf("%s+%08x+%s", k.name, k.id, base64.StdEncoding.EncodeToString(append([]byte{cosignatureType}, k.public...)))
}

// Name is the witness's name.
func (k *Key) Name() string { return k.name }

// Cosignature is what a witness says of a checkpoint: that at this time it was
// the largest of its log that the witness had seen, and consistent with all before.
type Cosignature struct {
	Witness string
	Time    time.Time
	Key     *Key
	Line    string // as it stands in a signed note, without the newline
}

// Message is what a witness signs of a checkpoint at a time: text is the
// checkpoint's note text, its final newline included (C2SP tlog-cosignature, version 1).
func Message(text string, at int64) []byte {
	return fmt.Appendf(nil, "cosignature/v1\ntime %d\n%s", at, text)
}

// Text is the note text of a signed checkpoint, without signatures.
func Text(checkpoint []byte) (string, error) {
	text, _, ok := bytes.Cut(checkpoint, []byte("\n\n"))
	if !ok {
		return "", errors.New("read checkpoint: no empty line before the signatures")
	}
	return string(text) + "\n", nil
}

// CheckCosignatures checks lines of signatures over a signed checkpoint. Lines
// of keys that are not among keys are left out, as the specification wants; a line of a
// known key that does not hold is an error.
func CheckCosignatures(lines, checkpoint []byte, keys []*Key) ([]Cosignature, error) {
	text, err := Text(checkpoint)
	if err != nil {
		return nil, err
	}
	var all []Cosignature
	seen := map[*Key]bool{}
	for line := range strings.Lines(string(lines)) {
		full, ok := strings.CutSuffix(line, "\n")
		rest, dash := strings.CutPrefix(full, "— ")
		name, encoded, two := strings.Cut(rest, " ")
		if !ok || !dash || !two {
			return nil, fmt.Errorf("check cosignatures: %.80q is no line of a signature", full)
		}
		sig, err := base64.StdEncoding.Strict().DecodeString(encoded)
		if err != nil || len(sig) < 4 {
			return nil, fmt.Errorf("check cosignatures: the signature of %.80q is not base64", name)
		}
		for _, k := range keys {
			if k.name != name || !bytes.Equal(k.id[:], sig[:4]) {
				continue
			}
			if len(sig) != 4+8+ed25519.SignatureSize || seen[k] {
				return nil, fmt.Errorf("check cosignatures: that of %s has the wrong length or stands twice", k.name)
			}
			at := binary.BigEndian.Uint64(sig[4:])
			if at > math.MaxInt64 || !ed25519.Verify(k.public, Message(text, int64(at)), sig[12:]) {
				return nil, fmt.Errorf("check cosignatures: that of %s does not hold for this checkpoint", k.name)
			}
			seen[k] = true
			all = append(all, Cosignature{Witness: k.name, Time: time.Unix(int64(at), 0).UTC(), Key: k, Line: full})
		}
	}
	return all, nil
}

// Request is the body of the call add-checkpoint of C2SP tlog-witness: proof
// shows that the log of the checkpoint begins with what it held at size old.
func Request(old int64, proof [][]byte, checkpoint []byte) []byte {
	var b bytes.Buffer
	b.WriteString("old " + strconv.FormatInt(old, 10) + "\n")
	for _, h := range proof {
		b.WriteString(base64.StdEncoding.EncodeToString(h) + "\n")
	}
	b.WriteByte('\n')
	b.Write(checkpoint)
	return b.Bytes()
}

// MaxStampBytes bounds the answer of a time stamping authority, certificates included.
const MaxStampBytes = 64 << 10

// CheckStamp checks a time stamping authority's answer over message and returns
// the time and who stamped; see witness/stamp.
type CheckStamp func(answer, message []byte) (at time.Time, authority string, err error)

// maxSmall bounds files of keys and certificates.
const maxSmall = 1 << 20

// ReadSmall reads a regular file of keys or certificates, of at most 1 MiB.
func ReadSmall(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxSmall {
		return nil, fmt.Errorf("%q is no regular file of at most %d bytes", path, maxSmall)
	}
	return os.ReadFile(path)
}
