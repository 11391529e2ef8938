package hdf5

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/bits"

	"github.com/assize/assize/internal/scan"
	"github.com/assize/assize/internal/scan/extent"
	"github.com/assize/assize/internal/scan/window"
)

// The classes of datatypes that hold text or point to it (IV.A.2.d).
const (
	classString = 3
	classVaries = 9
)

// elements is the number of elements of a dataspace (IV.A.2.b), and its rank.
func (f *file) elements(b []byte) (n uint64, rank int, err error) {
	if len(b) < 4 {
		return 0, 0, fmt.Errorf("a dataspace of %d bytes", len(b))
	}
	rank = int(b[1])
	skip := 8
	if b[0] == 2 {
		skip = 4
		if b[3] == 2 {
			return 0, 0, nil // no elements
		}
	}
	if rank > 32 || len(b) < skip+rank*f.sl {
		return 0, 0, fmt.Errorf("a dataspace of %d dimensions", rank)
	}
	n = 1
	r := reader(b[skip:])
	for range rank {
		d, err := f.length(r)
		if err != nil {
			return 0, 0, err
		}
		high, low := bits.Mul64(n, d)
		if high != 0 {
			return 0, 0, fmt.Errorf("dimensions whose product overflows")
		}
		n = low
	}
	return n, rank, nil
}

// attribute reads one (IV.A.2.m) and hands over its text.
func (f *file) attribute(o object, b []byte, offset int64) error {
	if len(b) < 8 {
		return fmt.Errorf("an attribute of %d bytes", len(b))
	}
	version, flags := b[0], b[1]
	sizes := [3]int{}
	for i := range sizes {
		sizes[i] = int(binary.LittleEndian.Uint16(b[2+2*i:]))
	}
	at := 8
	if version == 3 {
		at = 9
	}
	if version < 1 || version > 3 {
		return scan.Problemf("hdf5/message", offset, "an attribute of version %d", version)
	}
	var parts [3][]byte
	for i, n := range sizes {
		if at+n > len(b) {
			return fmt.Errorf("an attribute that ends in the middle")
		}
		parts[i] = b[at : at+n]
		if at += n; version == 1 {
			at += -n & 7
		}
	}
	name := string(bytes.TrimRight(parts[0], "\x00"))
	typ := parts[1]
	if version > 1 && flags&2 != 0 {
		return scan.Problemf("hdf5/shared-message", offset, "a shared dataspace is not supported")
	}
	if version > 1 && flags&1 != 0 {
		var err error
		if typ, err = f.shared(message{data: typ, offset: offset}); err != nil {
			return err
		}
	}
	n, _, err := f.elements(parts[2])
	if err != nil {
		return fmt.Errorf("attribute %.100q: %w", name, err)
	}
	return f.texts(o.path, name, typ, n, b[min(at, len(b)):], offset)
}

// texts hands over the strings of n elements of a type.
func (f *file) texts(path, name string, typ []byte, n uint64, data []byte, offset int64) error {
	if len(typ) < 8 {
		return fmt.Errorf("a datatype of %d bytes", len(typ))
	}
	size := uint64(binary.LittleEndian.Uint32(typ[4:]))
	switch typ[0] & 15 {
	case classString:
		for i := range n {
			if size == 0 || (i+1)*size > uint64(len(data)) {
				break
			}
			if err := f.text(path, name, bytes.TrimRight(data[i*size:(i+1)*size], "\x00"), offset); err != nil {
				return err
			}
		}
	case classVaries:
		r := reader(data)
		for range n {
			count, err := r.Uint32()
			if err != nil {
				return err
			}
			addr, err := f.addr(r)
			if err != nil {
				return err
			}
			index, err := r.Uint32()
			if err != nil {
				return err
			}
			if count == 0 || f.nowhere(addr) || addr == 0 {
				continue
			}
			b, at, err := f.global(addr, index)
			if err != nil {
				return err
			}
			if typ[1]&15 == 1 { // of characters
				if err := f.text(path, name, b, at); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (f *file) text(path, name string, b []byte, offset int64) error {
	if err := f.out.Spend(f.ctx, int64(len(b))); err != nil {
		return err
	}
	if f.visit.Text == nil {
		return nil
	}
	return f.visit.Text(path, name, b, offset)
}

// global returns an object of a global heap collection (III.E).
func (f *file) global(addr uint64, index uint32) ([]byte, int64, error) {
	r, err := f.mark(addr, "GCOL")
	if err != nil {
		return nil, 0, err
	}
	if err := r.Skip(4); err != nil {
		return nil, 0, err
	}
	size, err := f.length(r)
	if err != nil {
		return nil, 0, err
	}
	if size > uint64(f.in.Size) {
		return nil, 0, fmt.Errorf("a heap of %d bytes", size)
	}
	if !f.seen[addr] {
		f.seen[addr] = true
		if err := f.note(addr, int64(size), extent.Structured); err != nil {
			return nil, 0, err
		}
	}
	r = window.New(f.in, r.Offset(), f.base+int64(addr+size))
	for r.Left() >= int64(8+f.sl) {
		if err := f.out.Spend(f.ctx, 16); err != nil {
			return nil, 0, err
		}
		b, err := r.Take(8)
		if err != nil {
			return nil, 0, err
		}
		id := binary.LittleEndian.Uint16(b)
		n, err := f.length(r)
		if err != nil {
			return nil, 0, err
		}
		if id == 0 {
			break
		}
		if uint32(id) == index {
			at := r.Offset()
			b, err := r.Bytes(n, maxValue)
			return b, at, err
		}
		if n > uint64(r.Left()) {
			return nil, 0, fmt.Errorf("an object of %d bytes", n)
		}
		if err := r.Skip(min(n+(-n&7), uint64(r.Left()))); err != nil {
			return nil, 0, err
		}
	}
	return nil, 0, fmt.Errorf("no object %d in the heap at %#x", index, addr)
}
