// Package wire walks through messages of protocol buffers in place, field by
// field, so that a file of any size is read in the memory of its nesting.
package wire

import (
	"fmt"
	"io"

	"github.com/assize/assize/internal/scan/window"
)

// The wire types of fields.
const (
	Varint  = 0
	Fixed64 = 1
	Bytes   = 2
	Fixed32 = 5
)

// Field is one field of a message. From and To are its value's bytes in the file,
// Start its tag's. Value is that of a number.
type Field struct {
	Num             int
	Type            int
	Value           uint64
	Start, From, To int64
}

// Len is the number of bytes of the value.
func (f Field) Len() int64 { return f.To - f.From }

// Each calls visit for every field of the message that lies at bytes from to end.
// Groups, which nobody writes any more, are an error.
func Each(in io.ReaderAt, from, end int64, visit func(Field) error) error {
	r := window.New(in, from, end)
	for r.Left() > 0 {
		f, err := Next(r)
		if err == nil && f.Type == Bytes {
			err = r.Skip(uint64(f.Len()))
		}
		if err != nil {
			return err
		}
		if err := visit(f); err != nil {
			return err
		}
	}
	return nil
}

// Next reads a field, but of bytes only their length: r stands at their first one then.
// That they are all there is known.
func Next(r *window.Reader) (Field, error) {
	f := Field{Start: r.Offset()}
	tag, err := varint(r)
	if err != nil {
		return f, err
	}
	f.Num, f.Type = int(tag>>3), int(tag&7)
	if tag>>3 == 0 || tag>>3 >= 1<<29 {
		return f, fmt.Errorf("byte %d: no field has number %d", f.Start, tag>>3)
	}
	f.From = r.Offset()
	n := uint64(0)
	switch f.Type {
	case Varint:
		f.Value, err = varint(r)
	case Fixed64:
		f.Value, err = r.Uint64()
	case Fixed32:
		f.Value, err = r.Uint(4)
	case Bytes:
		if n, err = varint(r); err == nil {
			f.From = r.Offset()
			if n > uint64(r.Left()) {
				err = fmt.Errorf("byte %d: field %d claims %d bytes, %d are left: %w", f.Start, f.Num, n, r.Left(), io.ErrUnexpectedEOF)
			}
		}
	default:
		err = fmt.Errorf("byte %d: field %d is of wire type %d", f.Start, f.Num, f.Type)
	}
	f.To = r.Offset() + int64(n)
	return f, err
}

func varint(r *window.Reader) (uint64, error) {
	var v uint64
	at := r.Offset()
	for shift := 0; shift < 64; shift += 7 {
		c, err := r.ReadByte()
		if err != nil {
			return 0, fmt.Errorf("byte %d: a number that does not end: %w", at, io.ErrUnexpectedEOF)
		}
		v |= uint64(c&0x7f) << shift
		if c < 0x80 {
			if shift == 63 && c > 1 {
				break
			}
			return v, nil
		}
	}
	return 0, fmt.Errorf("byte %d: a number of more than 64 bits", at)
}

// Text is a field's value as text, of at most most bytes.
func Text(in io.ReaderAt, f Field, most int64) (string, error) {
	b, err := window.New(in, f.From, f.To).Bytes(uint64(f.Len()), most)
	return string(b), err
}
