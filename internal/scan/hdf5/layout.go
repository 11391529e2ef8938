package hdf5

import (
	"encoding/binary"
	"fmt"
	"math/bits"

	"github.com/assize/assize/internal/scan"
	"github.com/assize/assize/internal/scan/extent"
)

// The classes of layout (IV.A.2.i).
const (
	compact    = 0
	contiguous = 1
	chunked    = 2
	virtual    = 3
)

// dataset accounts for the data of an object that has some.
func (f *file) dataset(o object, c *content) error {
	if c.layout == nil {
		return nil
	}
	if f.visit.Dataset != nil {
		f.visit.Dataset(o.path)
	}
	b := c.layout
	if len(b) < 2 {
		return fmt.Errorf("a layout of %d bytes", len(b))
	}
	if c.external {
		return nil
	}
	r := reader(b)
	switch b[0] {
	case 1, 2:
		return f.oldLayout(o, c)
	case 3, 4:
	default:
		return scan.Problemf("hdf5/layout", c.offset, "a layout of version %d", b[0])
	}
	r.Skip(2)
	switch b[1] {
	case compact:
		return nil // inside the header
	case contiguous:
		addr, err := f.addr(r)
		if err != nil {
			return err
		}
		n, err := f.length(r)
		if err != nil || f.nowhere(addr) {
			return err
		}
		if err := f.data(addr, n); err != nil || len(c.typ) == 0 || c.typ[0]&15 != classVaries {
			return err
		}
		return f.pointed(o, c, addr, n)
	case chunked:
		if b[0] == 4 {
			return f.chunks4(o, c)
		}
		rank, err := r.Uint8()
		if err != nil {
			return err
		}
		tree, err := f.addr(r)
		if err != nil {
			return err
		}
		return f.chunks(tree, int(rank))
	case virtual:
		f.deceive("virtual", scan.Dangerous, scan.Read, c.offset, []string{"CWE-73"}, "Do not load it: loading reads other files of the machine. "+again, "the data of %q are put together from other files", o.path)
		return nil
	}
	return scan.Problemf("hdf5/layout", c.offset, "a layout of class %d", b[1])
}

// data notes the bytes of arrays.
func (f *file) data(addr, n uint64) error {
	if n > uint64(f.in.Size) {
		return scan.Problemf("hdf5/truncated", f.in.Size, "a dataset of %d bytes in a file of %d", n, f.in.Size)
	}
	return f.note(addr, int64(n), extent.Opaque)
}

// pointed reads what the elements of a dataset point to.
func (f *file) pointed(o object, c *content, addr, n uint64) error {
	count, _, err := f.elements(c.space)
	if err != nil {
		return err
	}
	r, err := f.at(addr)
	if err != nil {
		return err
	}
	if err := f.out.Hold(int64(n)); err != nil {
		return err
	}
	defer f.out.Hold(-int64(n))
	b, err := r.Bytes(n, maxValue)
	if err != nil {
		return scan.Problemf("hdf5/strings", r.Offset(), "%v", err)
	}
	return f.texts(o.path, "", c.typ, min(count, n), b, c.offset)
}

// oldLayout reads the layout of the first versions, whose data take what type and shape say.
func (f *file) oldLayout(o object, c *content) error {
	b := c.layout
	if len(b) < 8 {
		return fmt.Errorf("a layout of %d bytes", len(b))
	}
	rank, class := int(b[1]), b[2]
	if class == compact {
		return nil
	}
	addr, err := f.addr(reader(b[8:]))
	if err != nil || f.nowhere(addr) {
		return err
	}
	if class == chunked {
		return f.chunks(addr, rank)
	}
	n, _, err := f.elements(c.space)
	if err != nil {
		return err
	}
	if len(c.typ) < 8 {
		return fmt.Errorf("a datatype of %d bytes", len(c.typ))
	}
	high, size := bits.Mul64(n, uint64(binary.LittleEndian.Uint32(c.typ[4:])))
	if high != 0 {
		return fmt.Errorf("%q: a size that overflows", o.path)
	}
	return f.data(addr, size)
}

// chunks visits the chunks of a dataset through a tree; rank counts the element's size as one more dimension.
func (f *file) chunks(tree uint64, rank int) error {
	if f.nowhere(tree) {
		return nil
	}
	if rank < 1 || rank > 33 {
		return fmt.Errorf("chunks of %d dimensions", rank)
	}
	return f.tree1(tree, 1, 0, 8+8*rank, f.chunkK, func(child uint64, key []byte) error {
		return f.data(child, uint64(binary.LittleEndian.Uint32(key)))
	})
}

// chunks4 reads the layout of the fourth version where its index is simple.
func (f *file) chunks4(o object, c *content) error {
	r := reader(c.layout[2:])
	b, err := r.Take(3)
	if err != nil {
		return err
	}
	flags, rank, width := b[0], int(b[1]), int(b[2])
	if rank < 1 || rank > 33 || width < 1 || width > 8 {
		return fmt.Errorf("chunks of %d dimensions", rank)
	}
	size := uint64(1)
	for range rank {
		d, err := r.Uint(width)
		if err != nil {
			return err
		}
		high, low := bits.Mul64(size, d)
		if high != 0 {
			return fmt.Errorf("chunks whose size overflows")
		}
		size = low
	}
	index, err := r.Uint8()
	if err != nil {
		return err
	}
	if index != 1 {
		return scan.Problemf("hdf5/chunk-index", c.offset, "the data of %q are found by an index of kind %d, which is not supported", o.path, index)
	}
	if flags&2 != 0 {
		if size, err = f.length(r); err != nil {
			return err
		}
		if err := r.Skip(4); err != nil {
			return err
		}
	}
	addr, err := f.addr(r)
	if err != nil || f.nowhere(addr) {
		return err
	}
	return f.data(addr, size)
}
