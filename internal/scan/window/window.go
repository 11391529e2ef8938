// Package window reads parts of large files through a small buffer. Nothing is
// allocated by what a file claims: a length is checked against what is left
// before memory is taken for it.
package window

import (
	"encoding/binary"
	"fmt"
	"io"
)

// A Reader holds so many bytes of its file, and at first fewer.
const (
	bufferBytes = 64 << 10
	firstBytes  = 256
)

// Reader reads a range of a file forwards, and knows where it stands. It is
// also an io.Reader and an io.ByteReader. It is not safe for concurrent use.
type Reader struct {
	in       io.ReaderAt
	at, end  int64  // the next byte and the end of the range, in the file
	buf      []byte // bytes of the file from at on
	storage  []byte
	order    binary.ByteOrder
	lastRead error
}

// New returns a Reader of bytes from to end of a file. Numbers are little-endian.
func New(in io.ReaderAt, from, end int64) *Reader {
	return &Reader{in: in, at: from, end: max(from, end), order: binary.LittleEndian}
}

// BigEndian makes the Reader take numbers as big-endian, and returns it.
func (r *Reader) BigEndian() *Reader {
	r.order = binary.BigEndian
	return r
}

// Offset is where the next byte stands in the file.
func (r *Reader) Offset() int64 { return r.at }

// Left is how many bytes of the range are not read.
func (r *Reader) Left() int64 { return r.end - r.at }

// fill reads until the buffer holds n bytes, or the range or the file ends.
func (r *Reader) fill(n int) {
	if len(r.buf) >= n {
		return
	}
	have := len(r.buf)
	if size := max(n, min(bufferBytes, max(firstBytes, 4*len(r.storage)))); size > len(r.storage) {
		grown := make([]byte, size) // small at first: many ranges are read for a few bytes
		copy(grown, r.buf)
		r.storage = grown
	} else {
		copy(r.storage, r.buf)
	}
	want := min(int64(len(r.storage)), r.Left())
	for int64(have) < want {
		k, err := r.in.ReadAt(r.storage[have:want], r.at+int64(have))
		have += k
		if err != nil {
			r.lastRead = err
			break
		}
	}
	r.buf = r.storage[:have]
}

// Peek returns the next n bytes, or fewer at the end of the range, without
// taking them. n is at most 64 KiB. The slice is valid until the next call.
func (r *Reader) Peek(n int) []byte {
	n = int(min(int64(n), bufferBytes, r.Left()))
	r.fill(n)
	return r.buf[:min(n, len(r.buf))]
}

func (r *Reader) advance(n int) {
	r.buf = r.buf[n:]
	r.at += int64(n)
}

// short says that n bytes are claimed that are not there.
func (r *Reader) short(n uint64) error {
	if r.lastRead != nil && r.lastRead != io.EOF && uint64(len(r.buf)) < uint64(r.Left()) {
		return fmt.Errorf("read at byte %d: %w", r.at, r.lastRead)
	}
	return fmt.Errorf("byte %d: %d bytes are claimed, %d are left: %w", r.at, n, r.Left(), io.ErrUnexpectedEOF)
}

// Take returns the next n bytes, at most 64 KiB, valid until the next call.
func (r *Reader) Take(n int) ([]byte, error) {
	b := r.Peek(n)
	if len(b) < n {
		return nil, r.short(uint64(n))
	}
	r.advance(n)
	return b, nil
}

// Bytes returns the next n bytes in memory of their own. More than most is an error.
func (r *Reader) Bytes(n uint64, most int64) ([]byte, error) {
	switch {
	case n > uint64(r.Left()):
		return nil, r.short(n)
	case n > uint64(most):
		return nil, fmt.Errorf("byte %d: %d bytes are over the limit of %d", r.at, n, most)
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, r.short(n)
	}
	return b, nil
}

// Skip passes over n bytes without reading them.
func (r *Reader) Skip(n uint64) error {
	if n > uint64(r.Left()) {
		return r.short(n)
	}
	if n <= uint64(len(r.buf)) {
		r.advance(int(n))
		return nil
	}
	r.at, r.buf = r.at+int64(n), nil
	return nil
}

// Read implements io.Reader.
func (r *Reader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if r.Left() == 0 {
		return 0, io.EOF
	}
	if len(r.buf) == 0 && len(p) >= bufferBytes {
		n, err := r.in.ReadAt(p[:min(int64(len(p)), r.Left())], r.at)
		r.at += int64(n)
		if n > 0 {
			err = nil
		}
		return n, err
	}
	b := r.Peek(1)
	if len(b) == 0 {
		if r.lastRead != nil {
			return 0, r.lastRead
		}
		return 0, io.ErrUnexpectedEOF
	}
	n := copy(p, r.buf)
	r.advance(n)
	return n, nil
}

// ReadByte implements io.ByteReader.
func (r *Reader) ReadByte() (byte, error) {
	if len(r.buf) == 0 {
		if r.Left() == 0 {
			return 0, io.EOF
		}
		if r.fill(1); len(r.buf) == 0 {
			return 0, r.short(1)
		}
	}
	b := r.buf[0]
	r.advance(1)
	return b, nil
}

// Uint reads an unsigned number of 1 to 8 bytes.
func (r *Reader) Uint(width int) (uint64, error) {
	b, err := r.Take(width)
	if err != nil {
		return 0, err
	}
	var v uint64
	for i := range b {
		k := i
		if r.order == binary.LittleEndian {
			k = len(b) - 1 - i
		}
		v = v<<8 | uint64(b[k])
	}
	return v, nil
}

// Uint8 reads one byte as a number.
func (r *Reader) Uint8() (uint8, error) { return r.ReadByte() }

// Uint16 reads two bytes as a number.
func (r *Reader) Uint16() (uint16, error) { v, err := r.Uint(2); return uint16(v), err }

// Uint32 reads four bytes as a number.
func (r *Reader) Uint32() (uint32, error) { v, err := r.Uint(4); return uint32(v), err }

// Uint64 reads eight bytes as a number.
func (r *Reader) Uint64() (uint64, error) { return r.Uint(8) }
