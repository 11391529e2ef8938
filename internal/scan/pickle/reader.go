package pickle

import (
	"bytes"
	"context"
	"errors"
	"io"

	"github.com/assize/assize/internal/scan"
)

const (
	bufferSize = 256 << 10
	maxLine    = 64 << 10 // of protocol 0; longer ones are numbers that nobody writes
)

// reader reads a pickle forward through a window, and looks back at single places.
type reader struct {
	ctx   context.Context // of the one scan that the reader serves
	in    io.ReaderAt
	size  int64
	spend func(context.Context, int64) error
	buf   []byte
	base  int64 // offset of buf[0]
	pos   int   // next byte in buf
	old   []byte
}

var errShort = errors.New("the file ends in the middle of an opcode")

func (r *reader) offset() int64 { return r.base + int64(r.pos) }

// seek goes to a place, without reading what lies between.
func (r *reader) seek(off int64) {
	if off >= r.base && off <= r.base+int64(len(r.buf)) {
		r.pos = int(off - r.base)
		return
	}
	r.base, r.pos, r.buf = off, 0, r.buf[:0]
}

// fill makes at least n bytes available from pos; n is at most bufferSize/2.
func (r *reader) fill(n int) error {
	if len(r.buf)-r.pos >= n {
		return nil
	}
	if r.size-r.offset() < int64(n) {
		return errShort
	}
	if cap(r.buf) == 0 {
		r.buf = make([]byte, 0, min(bufferSize, max(r.size, 64)))
	}
	keep := copy(r.buf[:cap(r.buf)], r.buf[r.pos:])
	r.base, r.pos = r.offset(), 0
	want := min(int64(cap(r.buf)), r.size-r.base)
	got, err := r.in.ReadAt(r.buf[keep:want], r.base+int64(keep))
	r.buf = r.buf[:keep+got]
	if err := r.spend(r.ctx, int64(got)); err != nil {
		return err
	}
	if len(r.buf) >= n {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		return errShort
	}
	return err
}

// line returns the bytes up to a newline, which is read and not returned.
func (r *reader) line() ([]byte, error) {
	for n := 64; ; n = min(2*n, maxLine) {
		err := r.fill(int(min(int64(n), r.size-r.offset())))
		if err != nil {
			return nil, err
		}
		have := r.buf[r.pos:]
		if i := bytes.IndexByte(have[:min(len(have), maxLine)], '\n'); i >= 0 {
			r.pos += i + 1
			return have[:i], nil
		}
		switch {
		case r.base+int64(len(r.buf)) >= r.size:
			return nil, errShort
		case len(have) >= maxLine:
			return nil, scan.Problemf("pickle/value", r.offset(), "a line of more than %d bytes", maxLine)
		}
	}
}

// at returns n bytes at an earlier place. They are valid until the next call.
func (r *reader) at(off int64, n int) ([]byte, error) {
	if off >= r.base && off+int64(n) <= r.base+int64(len(r.buf)) {
		return r.buf[off-r.base:][:n], nil
	}
	if off < 0 || off+int64(n) > r.size {
		return nil, errShort
	}
	if cap(r.old) < n {
		r.old = make([]byte, n, max(n, 512))
	}
	got, err := r.in.ReadAt(r.old[:n], off)
	if got < n {
		return nil, err
	}
	return r.old[:n], r.spend(r.ctx, int64(n))
}
