package evidence

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// maxDepth bounds the nesting of any JSON that comes from somebody else.
const maxDepth = 64

// maxValues bounds the keys, values and brackets of any JSON but tables of rows: a few
// bytes of text can become hundreds of a structure. An assessment has some ten thousand.
const maxValues = 200_000

// Decode reads JSON from an enemy into v: unknown fields, doubled keys, deep
// nesting and anything behind the value are refused, and the bytes must be the
// canonical encoding of what was read.
func Decode(b []byte, v any) error {
	return decode(b, v, b)
}

// DecodeReadable is Decode for JSON that may be laid out for people: its
// canonical form must be that of what was read. So a key in other letter case, which Go
// takes for the field, cannot show another reader something else.
func DecodeReadable(b []byte, v any) error {
	return decode(b, v, nil)
}

// decode reads b into v, whose canonical encoding must be want, or b's own if that is nil.
func decode(b []byte, v any, want []byte) error {
	if err := strictKeys(b, maxValues); err != nil {
		return fmt.Errorf("read evidence: %w", err)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("read evidence: %w", err)
	}
	if want == nil {
		var err error
		if want, err = Canonical(json.RawMessage(b)); err != nil {
			return fmt.Errorf("read evidence: %w", err)
		}
	}
	again, err := Canonical(v)
	if err != nil {
		return fmt.Errorf("read evidence: %w", err)
	}
	if !bytes.Equal(again, want) {
		return fmt.Errorf("read evidence: %w", errNotCanonical)
	}
	return nil
}

// strictKeys refuses doubled keys, which JSON decoders resolve each in their own way,
// nesting over maxDepth, and more than most values.
func strictKeys(b []byte, most int) error {
	d := json.NewDecoder(bytes.NewReader(b))
	type level struct {
		object bool
		key    bool // the next string is a key
		seen   map[string]bool
	}
	var stack []level
	values, all := 0, 0
	for {
		if len(stack) == 0 {
			values++
		}
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if values > 1 {
			return fmt.Errorf("offset %d: more than one value", d.InputOffset())
		}
		if all++; all > most {
			return fmt.Errorf("offset %d: more than %d values", d.InputOffset(), most)
		}
		if n := len(stack); n > 0 && stack[n-1].object && stack[n-1].key {
			if key, ok := token.(string); ok {
				if stack[n-1].seen[key] {
					return fmt.Errorf("offset %d: key %q stands twice", d.InputOffset(), key)
				}
				stack[n-1].seen[key] = true
				stack[n-1].key = false
				continue
			}
		}
		switch token {
		case json.Delim('{'):
			stack = append(stack, level{object: true, key: true, seen: map[string]bool{}})
		case json.Delim('['):
			stack = append(stack, level{})
		case json.Delim('}'), json.Delim(']'):
			stack = stack[:len(stack)-1]
			if n := len(stack); n > 0 {
				stack[n-1].key = true
			}
			continue
		default:
			if n := len(stack); n > 0 {
				stack[n-1].key = true
			}
		}
		if len(stack) > maxDepth {
			return fmt.Errorf("offset %d: nested deeper than %d levels", d.InputOffset(), maxDepth)
		}
	}
}
