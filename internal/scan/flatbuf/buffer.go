package flatbuf

import (
	"encoding/binary"
	"fmt"
	"io"
)

// A Buffer keeps so many pages of so many bytes of its file.
const (
	pageBytes = 4 << 10
	pages     = 64
)

// Buffer reads numbers anywhere in a range of a file, through a few pages.
type Buffer struct {
	in       io.ReaderAt
	from, to int64
	page     *[pages][]byte
	place    *[pages]int64
}

// outsideError says that an offset leads out of what it may refer to.
type outsideError struct {
	at     int64
	reason string
}

// Error implements error.
func (e *outsideError) Error() string { return e.reason }

func (b *Buffer) outside(at int64, reason string, args ...any) error {
	return &outsideError{max(at, 0), fmt.Sprintf(reason, args...)}
}

// uint reads an unsigned number of 1 to 8 bytes.
func (b *Buffer) uint(at int64, width int) (uint64, error) {
	if at < b.from || at > b.to-int64(width) {
		return 0, b.outside(at, "byte %d is referred to, the buffer is bytes %d to %d", at, b.from, b.to)
	}
	var raw [8]byte
	for have := 0; have < width; {
		p, err := b.bytes(at + int64(have))
		if err != nil {
			return 0, err
		}
		have += copy(raw[have:width], p)
	}
	return binary.LittleEndian.Uint64(raw[:]), nil
}

// bytes returns what a page holds from byte at on, one at least.
func (b *Buffer) bytes(at int64) ([]byte, error) {
	if b.page == nil {
		b.page, b.place = new([pages][]byte), new([pages]int64)
	}
	start := at - at%pageBytes
	i := start / pageBytes % pages
	if b.page[i] == nil || b.place[i] != start {
		p := b.page[i][:0]
		if cap(p) == 0 {
			p = make([]byte, 0, pageBytes)
		}
		n, err := b.in.ReadAt(p[:min(pageBytes, b.to-start)], start)
		b.page[i], b.place[i] = p[:n], start
		if int64(n) <= at-start {
			return nil, fmt.Errorf("read at byte %d: %w", at, err)
		}
	}
	if int64(len(b.page[i])) <= at-start {
		return nil, fmt.Errorf("read at byte %d: %w", at, io.ErrUnexpectedEOF)
	}
	return b.page[i][at-start:], nil
}

// follow is where the offset that stands at a place leads.
func (b *Buffer) follow(place int64) (int64, error) {
	n, err := b.uint(place, 4)
	if err != nil {
		return 0, err
	}
	at := place + int64(n)
	if n == 0 || at > b.to-4 {
		return 0, b.outside(place, "an offset of %d, %d bytes are left", n, b.to-place)
	}
	return at, nil
}

// Object is one table of a buffer that was checked.
type Object struct {
	*Buffer
	at, size int64
	vtable   int64
	fields   int
}

// object finds the table at a place and its list of fields.
func (b *Buffer) object(at int64) (Object, error) {
	back, err := b.uint(at, 4)
	if err != nil {
		return Object{}, err
	}
	o := Object{Buffer: b, at: at, vtable: at - int64(int32(back))}
	bytes, err := b.uint(o.vtable, 2)
	if err != nil {
		return o, err
	}
	size, err := b.uint(o.vtable+2, 2)
	if err != nil {
		return o, err
	}
	o.size, o.fields = int64(size), int(bytes-4)/2
	if bytes < 4 || bytes%2 != 0 || size < 4 || o.vtable+int64(bytes) > b.to || at+o.size > b.to {
		return o, b.outside(at, "a table of %d bytes with a list of fields of %d", size, bytes)
	}
	return o, nil
}

// field is where the content of field i stands in the file, 0 where the table has none.
func (o Object) field(i int) (int64, error) {
	if i >= o.fields {
		return 0, nil
	}
	n, err := o.uint(o.vtable+4+2*int64(i), 2)
	if err != nil || n == 0 {
		return 0, err
	}
	if n < 4 || int64(n) >= o.size {
		return 0, o.outside(o.vtable, "field %d at byte %d of a table of %d", i, n, o.size)
	}
	return o.at + int64(n), nil
}

// Offset is where the table begins in the file.
func (o Object) Offset() int64 { return o.at }

// Uint is the number of width bytes in field i, or other where the table has none.
func (o Object) Uint(i, width int, other uint64) (uint64, error) {
	at, err := o.field(i)
	if err != nil || at == 0 {
		return other, err
	}
	return o.uint(at, width)
}

// Vector is where the values of field i begin in the file, a Text or an Array, and how many there are.
func (o Object) Vector(i int) (at, n int64, err error) {
	place, err := o.field(i)
	if err != nil || place == 0 {
		return 0, 0, err
	}
	if at, err = o.follow(place); err != nil {
		return 0, 0, err
	}
	count, err := o.uint(at, 4)
	return at + 4, int64(count), err
}

// Object is the table that field i refers to; ok says that there is one.
func (o Object) Object(i int) (inner Object, ok bool, err error) {
	place, err := o.field(i)
	if err != nil || place == 0 {
		return Object{}, false, err
	}
	at, err := o.follow(place)
	if err != nil {
		return Object{}, false, err
	}
	inner, err = o.object(at)
	return inner, err == nil, err
}

// Objects calls visit with every table of field i.
func (o Object) Objects(i int, visit func(Object) error) error {
	at, n, err := o.Vector(i)
	for k := range n {
		if err != nil {
			return err
		}
		to, errTo := o.follow(at + 4*k)
		if errTo != nil {
			return errTo
		}
		inner, errIn := o.object(to)
		if errIn != nil {
			return errIn
		}
		err = visit(inner)
	}
	return err
}

// Texts calls visit with the place and the length of every string of field i.
func (o Object) Texts(i int, visit func(at, n int64) error) error {
	at, n, err := o.Vector(i)
	for k := range n {
		if err != nil {
			return err
		}
		to, errTo := o.follow(at + 4*k)
		if errTo != nil {
			return errTo
		}
		size, errIn := o.uint(to, 4)
		if errIn != nil {
			return errIn
		}
		err = visit(to+4, int64(size))
	}
	return err
}
