package hdf5

import (
	"fmt"
	"math/bits"

	"github.com/assize/assize/internal/scan"
	"github.com/assize/assize/internal/scan/extent"
)

// heap is a fractal heap (III.G).
type heap struct {
	f                  *file
	idBytes            int
	offBytes, lenBytes int
	width              int
	start, most        uint64 // bytes of the first and of the largest direct blocks
	blocks             []heapBlock
	huge               map[uint64]part
}

// heapBlock is a direct block: bytes of the heap from that offset on.
type heapBlock struct{ offset, addr, size uint64 }

func (f *file) heap(addr uint64) (*heap, error) {
	r, err := f.mark(addr, "FRHP")
	if err != nil {
		return nil, err
	}
	b, err := r.Take(10)
	if err != nil {
		return nil, err
	}
	h := &heap{f: f, idBytes: int(b[1]) | int(b[2])<<8}
	filter := int(b[3]) | int(b[4])<<8
	managed := uint64(b[6]) | uint64(b[7])<<8 | uint64(b[8])<<16 | uint64(b[9])<<24
	if filter != 0 {
		return nil, scan.Problemf("hdf5/filtered-heap", r.Offset(), "compressed heaps are not supported")
	}
	widths := []int{f.sl, f.so, f.sl, f.so, f.sl, f.sl, f.sl, f.sl, f.sl, f.sl, f.sl, f.sl, 2, f.sl, f.sl, 2, 2, f.so, 2}
	v := make([]uint64, len(widths))
	for i, w := range widths {
		if v[i], err = r.Uint(w); err != nil {
			return nil, err
		}
	}
	if err := r.Skip(4); err != nil {
		return nil, err
	}
	if err := f.note(addr, r.Offset()-f.base-int64(addr), extent.Structured); err != nil {
		return nil, err
	}
	if !f.nowhere(v[3]) { // its manager of free space, whose sections follow
		if err := f.freeSpace(v[3]); err != nil {
			return nil, err
		}
	}
	h.width, h.start, h.most = int(v[12]), v[13], v[14]
	h.offBytes = (int(v[15]) + 7) / 8
	h.lenBytes = min(h.offBytes, (bits.Len64(min(managed, h.most))+7)/8)
	rows := int(v[18])
	if h.width == 0 || h.width > 1024 || h.start == 0 || h.start&(h.start-1) != 0 || h.most < h.start || v[15] > 64 || h.idBytes < 1+h.offBytes || h.idBytes > 4096 || h.lenBytes == 0 {
		return nil, fmt.Errorf("a heap of impossible sizes at %#x", addr)
	}
	if v[7] > 0 && !f.nowhere(v[1]) {
		h.huge = map[uint64]part{}
		err := f.tree2(v[1], func(b []byte) error {
			if len(b) < f.so+2*f.sl {
				return fmt.Errorf("a record of %d bytes", len(b))
			}
			r := reader(b)
			at, _ := f.addr(r)
			n, _ := f.length(r)
			id, _ := f.length(r)
			h.huge[id] = part{at, n}
			if n > uint64(f.in.Size) {
				return fmt.Errorf("an object of %d bytes", n)
			}
			return f.note(at, int64(n), extent.Structured)
		})
		if err != nil {
			return nil, err
		}
	}
	if f.nowhere(v[17]) {
		return h, nil
	}
	if rows == 0 {
		return h, h.direct(0, v[17], h.start)
	}
	return h, h.indirect(v[17], rows, 0, 0)
}

// freeSpace passes over a manager of free space (III.H) and its list.
func (f *file) freeSpace(addr uint64) error {
	r, err := f.mark(addr, "FSHD")
	if err != nil {
		return err
	}
	if err := r.Skip(uint64(2 + 4*f.sl + 8)); err != nil {
		return err
	}
	if err := r.Skip(uint64(f.sl)); err != nil {
		return err
	}
	list, err := f.addr(r)
	if err != nil {
		return err
	}
	used, err := f.length(r)
	if err != nil {
		return err
	}
	room, err := f.length(r)
	if err != nil {
		return err
	}
	if err := r.Skip(4); err != nil {
		return err
	}
	if err := f.note(addr, r.Offset()-f.base-int64(addr), extent.Structured); err != nil || f.nowhere(list) {
		return err
	}
	if max(used, room) > uint64(f.in.Size) {
		return fmt.Errorf("free space of %d bytes", room)
	}
	return f.note(list, int64(room), extent.Structured)
}

func (h *heap) direct(offset, addr, size uint64) error {
	if size > uint64(h.f.in.Size) {
		return fmt.Errorf("a heap block of %d bytes", size)
	}
	if _, err := h.f.mark(addr, "FHDB"); err != nil {
		return err
	}
	if err := h.f.hold(24); err != nil {
		return err
	}
	h.blocks = append(h.blocks, heapBlock{offset, addr, size})
	return h.f.note(addr, int64(size), extent.Structured)
}

// row is the size of the blocks in that row of a doubling table.
func (h *heap) row(i int) uint64 {
	if i < 2 {
		return h.start
	}
	if i-1 >= 63-bits.Len64(h.start) {
		return 1 << 62
	}
	return h.start << (i - 1)
}

func (h *heap) indirect(addr uint64, rows int, offset uint64, depth int) error {
	if depth > maxNesting || rows > 64 {
		return fmt.Errorf("a heap of %d rows, %d deep", rows, depth)
	}
	r, err := h.f.mark(addr, "FHIB")
	if err != nil {
		return err
	}
	if err := r.Skip(uint64(1 + h.f.so + h.offBytes)); err != nil {
		return err
	}
	for i := range rows {
		size := h.row(i)
		for range h.width {
			child, err := h.f.addr(r)
			if err != nil {
				return err
			}
			if !h.f.nowhere(child) {
				if size <= h.most {
					err = h.direct(offset, child, size)
				} else {
					// A block of that size is itself a table of as many rows as fit.
					err = h.indirect(child, bits.Len64(size/(h.start*uint64(h.width))), offset, depth+1)
				}
				if err != nil {
					return err
				}
			}
			offset += size
		}
	}
	if err := r.Skip(4); err != nil {
		return err
	}
	return h.f.note(addr, r.Offset()-h.f.base-int64(addr), extent.Structured)
}

// get returns an object of the heap by its id (III.G, "Fractal Heap ID").
func (h *heap) get(id []byte) ([]byte, int64, error) {
	r := reader(id[1:])
	switch id[0] >> 4 & 3 {
	case 0:
		off, err := r.Uint(h.offBytes)
		if err != nil {
			return nil, 0, err
		}
		n, err := r.Uint(h.lenBytes)
		if err != nil {
			return nil, 0, err
		}
		for _, b := range h.blocks {
			if off >= b.offset && off-b.offset < b.size {
				if n > b.size-(off-b.offset) {
					return nil, 0, fmt.Errorf("an object of %d bytes in a block of %d", n, b.size)
				}
				return h.bytes(b.addr+off-b.offset, n)
			}
		}
		return nil, 0, fmt.Errorf("no block of the heap holds byte %d", off)
	case 1:
		if h.idBytes >= 1+h.f.so+h.f.sl {
			at, _ := h.f.addr(r)
			n, err := h.f.length(r)
			if err != nil || n > uint64(h.f.in.Size) {
				return nil, 0, fmt.Errorf("an object of %d bytes", n)
			}
			return h.bytes(at, n)
		}
		key, err := r.Uint(min(h.idBytes-1, h.f.sl))
		if err != nil {
			return nil, 0, err
		}
		p, ok := h.huge[key]
		if !ok {
			return nil, 0, fmt.Errorf("no large object %d", key)
		}
		return h.bytes(p.from, p.n)
	case 2:
		n := int(id[0]&15) + 1
		if n > len(id)-1 {
			return nil, 0, fmt.Errorf("an object of %d bytes in %d", n, len(id)-1)
		}
		return id[1 : 1+n], 0, nil
	}
	return nil, 0, fmt.Errorf("an object of unknown kind")
}

func (h *heap) bytes(addr, n uint64) ([]byte, int64, error) {
	r, err := h.f.at(addr)
	if err != nil {
		return nil, 0, err
	}
	if err := h.f.out.Spend(h.f.ctx, int64(min(n, maxValue))); err != nil {
		return nil, 0, err
	}
	at := r.Offset()
	b, err := r.Bytes(n, maxValue)
	return b, at, err
}

// tree2 visits the records of a tree of the second kind (III.A.2).
func (f *file) tree2(addr uint64, visit func(record []byte) error) error {
	r, err := f.mark(addr, "BTHD")
	if err != nil {
		return err
	}
	b, err := r.Take(12)
	if err != nil {
		return err
	}
	node := int(b[2]) | int(b[3])<<8 | int(b[4])<<16 | int(b[5])<<24
	t := tree2{f: f, node: node, record: int(b[6]) | int(b[7])<<8, visit: visit}
	depth := int(b[8]) | int(b[9])<<8
	root, err := f.addr(r)
	if err != nil {
		return err
	}
	n, err := r.Uint16()
	if err != nil {
		return err
	}
	if err := r.Skip(uint64(f.sl + 4)); err != nil {
		return err
	}
	if err := f.note(addr, r.Offset()-f.base-int64(addr), extent.Structured); err != nil || f.nowhere(root) {
		return err
	}
	if t.record == 0 || node < 10+t.record || node > 1<<24 || depth > 16 {
		return fmt.Errorf("a tree of nodes of %d bytes, records of %d, %d deep", node, t.record, depth)
	}
	return t.walk(root, int(n), depth)
}

type tree2 struct {
	f            *file
	node, record int
	visit        func([]byte) error
}

// widths are the bytes that the numbers of records below a node at that depth take.
func (t *tree2) widths(depth int) (count, total int) {
	most := uint64(t.node-10) / uint64(t.record)
	count = (bits.Len64(most)-1)/8 + 1
	sum := most
	width := 0
	for d := 1; d < depth; d++ {
		pointer := t.f.so + count + width
		most = uint64(max(t.node-10-pointer, 0)) / uint64(t.record+pointer)
		high, low := bits.Mul64(most+1, sum)
		if high != 0 {
			low = 1 << 62
		}
		sum = low + most
		width = (bits.Len64(sum)-1)/8 + 1
	}
	return count, width
}

func (t *tree2) walk(addr uint64, n, depth int) error {
	mark := "BTLF"
	if depth > 0 {
		mark = "BTIN"
	}
	r, err := t.f.mark(addr, mark)
	if err != nil {
		return err
	}
	if n > (t.node-10)/t.record {
		return fmt.Errorf("a node of %d records", n)
	}
	if err := t.f.note(addr, int64(t.node), extent.Structured); err != nil {
		return err
	}
	if t.f.seen[addr] {
		return fmt.Errorf("a tree comes back to %#x", addr)
	}
	t.f.seen[addr] = true
	if err := r.Skip(2); err != nil {
		return err
	}
	for range n {
		b, err := r.Bytes(uint64(t.record), 1<<16)
		if err != nil {
			return err
		}
		if err := t.visit(b); err != nil {
			return err
		}
	}
	if depth == 0 {
		return nil
	}
	count, total := t.widths(depth)
	for range n + 1 {
		child, err := t.f.addr(r)
		if err != nil {
			return err
		}
		k, err := r.Uint(count)
		if err != nil {
			return err
		}
		if err := r.Skip(uint64(total)); err != nil {
			return err
		}
		if err := t.walk(child, int(min(k, 1<<20)), depth-1); err != nil {
			return err
		}
	}
	return nil
}
