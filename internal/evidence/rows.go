package evidence

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/result"
)

// Salted begins the digest of a file of rows.
const Salted = "salted:"

// MaxRowsBytes bounds a file of rows, maxRowValues all that stands in it, maxRows its rows. SealRows
// writes none that is larger, because nobody would read it.
const (
	MaxRowsBytes = 96 << 20
	maxRowValues = 12 << 20
	maxRows      = 2 << 20
	chunk        = 1 << 14 // numbers that are encoded at a time
)

var errNotCanonical = errors.New("the bytes are not the canonical encoding of what they say")

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
	if values := (len(rows.Columns) + 1) * (rows.Len() + 12); len(file) > MaxRowsBytes || values > maxRowValues || rows.Len() > maxRows {
		return nil, "", fmt.Errorf("seal rows: %d rows, %d numbers and %d bytes, of which at most %d, %d and %d are read\nhint: measure fewer rows, with a smaller depth", rows.Len(), values, len(file), maxRows, maxRowValues, MaxRowsBytes)
	}
	return file, Salted + artefact.DigestBytes(file).Hex(), nil
}

// UnsealRows reads a file that SealRows made, column by column, so that a
// hostile one takes little more memory than its bytes and its numbers. The caller compares the digest.
func UnsealRows(file []byte) (*result.Rows, error) {
	if err := strictKeys(file, maxRowValues); err != nil {
		return nil, fmt.Errorf("read rows: %w", err)
	}
	r := &rowsReader{file: file, d: json.NewDecoder(bytes.NewReader(file)), rows: &result.Rows{}}
	if err := r.read(); err != nil {
		return nil, fmt.Errorf("read evidence: %w", err)
	}
	if err := r.rows.Validate(); err != nil {
		return nil, fmt.Errorf("read rows: %w", err)
	}
	return r.rows, nil
}

// rowsReader decodes a table and holds the bytes against the canonical encoding
// of what it has read, a piece at a time.
type rowsReader struct {
	file []byte
	at   int // so much of file is canonical
	d    *json.Decoder
	rows *result.Rows
}

func (r *rowsReader) read() error {
	if err := r.literal(`{"rows":{"columns":[`, 5); err != nil {
		return err
	}
	for r.d.More() {
		if len(r.rows.Columns) > 0 {
			if err := r.literal(",", 0); err != nil {
				return err
			}
		}
		var c result.Column
		if err := r.value(&c); err != nil {
			return err
		}
		r.rows.Columns = append(r.rows.Columns, c)
	}
	if err := r.literal(`],"index":`, 2); err != nil {
		return err
	}
	if err := r.value(&r.rows.Index); err != nil {
		return err
	}
	if tables := `,"tables":`; bytes.HasPrefix(r.file[r.at:], []byte(tables)) {
		if err := r.literal(tables, 1); err != nil {
			return err
		}
		if err := r.value(&r.rows.Tables); err != nil {
			return err
		}
	}
	if err := r.literal(`},"salt":`, 2); err != nil {
		return err
	}
	var salt []byte
	if err := r.value(&salt); err != nil {
		return err
	}
	if len(salt) != saltBytes {
		return fmt.Errorf("a salt of %d bytes, want %d", len(salt), saltBytes)
	}
	if err := r.literal("}", 1); err != nil {
		return err
	}
	if r.at != len(r.file) {
		return errNotCanonical
	}
	return nil
}

// literal wants text next and skips so many tokens of it.
func (r *rowsReader) literal(text string, tokens int) error {
	if !bytes.HasPrefix(r.file[r.at:], []byte(text)) {
		return errNotCanonical
	}
	r.at += len(text)
	for range tokens {
		if _, err := r.d.Token(); err != nil {
			return err
		}
	}
	return nil
}

// value decodes the next value into v and wants its canonical encoding.
func (r *rowsReader) value(v any) error {
	r.d.DisallowUnknownFields()
	if err := r.d.Decode(v); err != nil {
		return err
	}
	switch v := v.(type) {
	case *[]int:
		return canonicalNumbers(r, "[", *v, "]")
	case *result.Column:
		head := *v
		head.Values = []float64{}
		want, err := Canonical(head) // the values come last
		if err != nil {
			return err
		}
		return canonicalNumbers(r, strings.TrimSuffix(string(want), "]}"), v.Values, "]}")
	}
	want, err := Canonical(v)
	if err != nil {
		return err
	}
	return r.literal(string(want), 0)
}

// canonicalNumbers wants a list of numbers between two texts next, and encodes some
// at a time: the encoder takes many times the memory of what it encodes.
func canonicalNumbers[T any](r *rowsReader, before string, all []T, after string) error {
	if len(all) > maxRows {
		return fmt.Errorf("%d rows, more than %d", len(all), maxRows)
	}
	if all == nil {
		return errNotCanonical
	}
	if err := r.literal(before, 0); err != nil {
		return err
	}
	for at := 0; at < len(all); at += chunk {
		want, err := Canonical(all[at:min(at+chunk, len(all))])
		if err != nil {
			return err
		}
		if at > 0 {
			want[0] = ','
		} else {
			want = want[1:]
		}
		if err := r.literal(string(want[:len(want)-1]), 0); err != nil {
			return err
		}
	}
	return r.literal(after, 0)
}
