package hdf5

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/assize/assize/internal/scan"
	"github.com/assize/assize/internal/scan/extent"
	"github.com/assize/assize/internal/scan/window"
)

func reader(b []byte) *window.Reader { return window.New(bytes.NewReader(b), 0, int64(len(b))) }

func join(path, name string) string {
	if len(path) > 2000 {
		return path
	}
	return strings.TrimSuffix(path, "/") + "/" + name
}

// symbols reads a group of the first form: a tree of nodes that name objects (III.A.1, III.B, III.D).
func (f *file) symbols(o object, m message) error {
	r := reader(m.data)
	tree, err := f.addr(r)
	if err != nil {
		return err
	}
	heap, err := f.addr(r)
	if err != nil || f.nowhere(heap) {
		return err
	}
	h, err := f.mark(heap, "HEAP")
	if err != nil {
		return err
	}
	if err := h.Skip(4); err != nil {
		return err
	}
	var part [3]uint64 // length, first free block, address
	for i := range part {
		if part[i], err = h.Uint([]int{f.sl, f.sl, f.so}[i]); err != nil {
			return err
		}
	}
	if err := f.note(heap, h.Offset()-f.base-int64(heap), extent.Structured); err != nil {
		return err
	}
	if part[0] > uint64(f.in.Size) {
		return fmt.Errorf("a heap of %d bytes", part[0])
	}
	if err := f.note(part[2], int64(part[0]), extent.Structured); err != nil {
		return err
	}
	names := func(at uint64) (string, error) {
		if at >= part[0] {
			return "", fmt.Errorf("a name at %d of %d bytes", at, part[0])
		}
		b := window.New(f.in, f.base+int64(part[2]+at), f.base+int64(part[2]+part[0])).Peek(4096)
		name, _, ok := bytes.Cut(b, []byte{0})
		if !ok {
			return "", fmt.Errorf("a name without an end")
		}
		return string(name), nil
	}
	if f.nowhere(tree) {
		return nil
	}
	return f.tree1(tree, 0, 0, f.sl, f.boxK, func(child uint64, _ []byte) error { return f.symbolNode(o, child, names) })
}

// tree1 visits the leaves of a tree of the first kind (III.A.1).
func (f *file) tree1(addr uint64, kind byte, depth, key, k int, leaf func(child uint64, key []byte) error) error {
	if depth > maxNesting {
		return fmt.Errorf("trees nest deeper than %d", maxNesting)
	}
	r, err := f.mark(addr, "TREE")
	if err != nil {
		return err
	}
	b, err := r.Take(4 + 2*f.so)
	if err != nil {
		return err
	}
	level, n := b[1], int(b[2])|int(b[3])<<8
	if b[0] != kind || n > 2*k {
		return fmt.Errorf("a tree of kind %d with %d entries", b[0], n)
	}
	if err := f.note(addr, int64(8+2*f.so+(2*k+1)*key+2*k*f.so), extent.Structured); err != nil {
		return err
	}
	for range n {
		b, err := r.Take(key)
		if err != nil {
			return err
		}
		b = bytes.Clone(b)
		child, err := f.addr(r)
		if err != nil {
			return err
		}
		if level == 0 {
			err = leaf(child, b)
		} else {
			err = f.tree1(child, kind, depth+1, key, k, leaf)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (f *file) symbolNode(o object, addr uint64, names func(uint64) (string, error)) error {
	r, err := f.mark(addr, "SNOD")
	if err != nil {
		return err
	}
	b, err := r.Take(4)
	if err != nil {
		return err
	}
	n := int(b[2]) | int(b[3])<<8
	entry := 2*f.so + 24
	if n > 2*f.leafK {
		return fmt.Errorf("a node of %d symbols", n)
	}
	if err := f.note(addr, int64(8+2*f.leafK*entry), extent.Structured); err != nil {
		return err
	}
	for range n {
		at, err := f.addr(r)
		if err != nil {
			return err
		}
		child, err := f.addr(r)
		if err != nil {
			return err
		}
		if err := r.Skip(24); err != nil {
			return err
		}
		name, err := names(at)
		if err != nil {
			return err
		}
		if err := f.push(join(o.path, name), child); err != nil {
			return err
		}
	}
	return nil
}

// link reads a link of the second form (IV.A.2.g).
func (f *file) link(o object, b []byte, offset int64) error {
	r := reader(b)
	head, err := r.Take(2)
	if err != nil {
		return err
	}
	flags, kind := head[1], byte(0)
	if head[0] != 1 {
		return scan.Problemf("hdf5/message", offset, "a link of version %d", head[0])
	}
	if flags&8 != 0 {
		if kind, err = r.Uint8(); err != nil {
			return err
		}
	}
	skip := 0
	if flags&4 != 0 {
		skip += 8
	}
	if flags&16 != 0 {
		skip++
	}
	if _, err := r.Take(skip); err != nil {
		return err
	}
	n, err := r.Uint(1 << (flags & 3))
	if err != nil {
		return err
	}
	text, err := r.Bytes(n, 1<<16)
	if err != nil {
		return err
	}
	name := join(o.path, string(text))
	switch kind {
	case 0:
		to, err := f.addr(r)
		if err != nil {
			return err
		}
		return f.push(name, to)
	case 1: // a path in the same file
		return nil
	}
	rest := printable(r.Peek(4096))
	if kind == 64 {
		f.deceive("external-link", scan.Dangerous, scan.Read, offset, []string{"CWE-73", "CWE-59"},
			"Do not load it: loading reads another file of the machine. "+again, "%q is a link into another file: %s", name, rest)
		return nil
	}
	f.deceive("user-link", scan.Dangerous, scan.Native, offset, []string{"CWE-73"}, again, "%q is a link of kind %d, which a program defines: %s", name, kind, rest)
	return nil
}

// dense reads links or attributes that are stored in a heap (IV.A.2.c, IV.A.2.v).
func (f *file) dense(o object, m message, links bool) error {
	r := reader(m.data)
	head, err := r.Take(2)
	if err != nil {
		return err
	}
	if head[1]&1 != 0 {
		skip := 2
		if links {
			skip = 8
		}
		if _, err := r.Take(skip); err != nil {
			return err
		}
	}
	heap, err := f.addr(r)
	if err != nil || f.nowhere(heap) {
		return err
	}
	tree, err := f.addr(r)
	if err != nil || f.nowhere(tree) {
		return err
	}
	h, err := f.heap(heap)
	if err != nil {
		return err
	}
	if head[1]&2 != 0 { // an index by order of creation says the same
		order, err := f.addr(r)
		if err == nil && !f.nowhere(order) {
			err = f.tree2(order, func([]byte) error { return nil })
		}
		if err != nil {
			return err
		}
	}
	return f.tree2(tree, func(record []byte) error {
		skip := 0
		if links {
			skip = 4 // a hash of the name
		}
		if len(record) < skip+h.idBytes {
			return fmt.Errorf("a record of %d bytes", len(record))
		}
		b, at, err := h.get(record[skip : skip+h.idBytes])
		if err != nil {
			return err
		}
		if links {
			return f.link(o, b, at)
		}
		return f.attribute(o, b, at)
	})
}
