// Package hdf5 reads the structure of HDF5 files that may be hostile: superblocks
// 0 to 3, object headers 1 and 2, groups in every form, attributes, and where the
// data of datasets lie. It expands no data. After the HDF5 File Format
// Specification 3.0; the numbers of sections are its own.
package hdf5

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/assize/assize/internal/scan"
	"github.com/assize/assize/internal/scan/extent"
	"github.com/assize/assize/internal/scan/window"
)

// Mark is what every HDF5 file holds at byte 0, 512, 1024 and so on.
const Mark = "\x89HDF\r\n\x1a\n"

// The most that is read of one file.
const (
	maxObjects = 200_000
	maxValue   = 64 << 20 // bytes of one attribute
	maxNesting = 40       // levels of trees
)

// Visitor is told what a file holds.
type Visitor struct {
	// Text is called with every string of an attribute. Path is that of the object
	// from the root, which is "/".
	Text func(path, name string, value []byte, offset int64) error
	// Dataset is called with the path of every dataset.
	Dataset func(path string)
}

// file is one file while it is read.
type file struct {
	ctx         context.Context
	in          *scan.Input
	out         *scan.Sink
	visit       Visitor
	base        int64 // of addresses
	so, sl      int   // bytes of an address and of a length
	leafK, boxK int   // entries of symbol nodes; of trees of groups
	chunkK      int
	used        extent.Set
	held        int64
	seen        map[uint64]bool // objects and heaps
	queue       []object
}

// object is one that is to be read.
type object struct {
	path string
	addr uint64
}

// Base is where an HDF5 file begins, -1 where in is none. Bytes before it belong to nobody.
func Base(in *scan.Input) int64 {
	b := make([]byte, len(Mark))
	for at := int64(0); at < in.Size; at = max(512, 2*at) {
		if _, err := in.ReadAt(b, at); err == nil && string(b) == Mark {
			return at
		}
	}
	return -1
}

// Read reads a file, tells v what it holds, and out what is wrong and which bytes were understood.
func Read(ctx context.Context, in *scan.Input, out *scan.Sink, v Visitor) error {
	f := &file{ctx: ctx, in: in, out: out, visit: v, base: Base(in), seen: map[uint64]bool{}, chunkK: 32}
	defer func() { out.Hold(-f.held) }()
	if f.base < 0 {
		return scan.Problemf("hdf5/no-superblock", 0, "no superblock is there")
	}
	err := f.superblock()
	for err == nil && len(f.queue) > 0 {
		next := f.queue[len(f.queue)-1]
		f.queue = f.queue[:len(f.queue)-1]
		err = f.object(next)
	}
	if err == nil {
		err = f.account()
	}
	var p *scan.Problem
	if err == nil || errors.As(err, &p) || ctx.Err() != nil {
		return err
	}
	return scan.Problemf("hdf5/broken", 0, "%v", err)
}

// deceive reports a structure that no writer makes.
func (f *file) deceive(rule string, outcome scan.Outcome, capability string, at int64, cites []string, fix, evidence string, args ...any) {
	f.out.Find(scan.Finding{Rule: "hdf5/" + rule, Outcome: outcome, Capability: capability, Offset: at, Evidence: fmt.Sprintf(evidence, args...), Cites: cites, Fix: fix})
}

const again = "Ask for the model to be saved again."

// hold counts memory that stays until the file is read.
func (f *file) hold(n int64) error {
	if err := f.out.Hold(n); err != nil {
		return err
	}
	f.held += n
	return nil
}

// at is a reader from an address on, which must lie in the file.
func (f *file) at(addr uint64) (*window.Reader, error) {
	if err := f.out.Spend(f.ctx, 64); err != nil {
		return nil, err
	}
	if addr >= uint64(f.in.Size-f.base) {
		return nil, fmt.Errorf("address %#x lies behind the end of the file", addr)
	}
	return window.New(f.in, f.base+int64(addr), f.in.Size), nil
}

// mark reads a signature of four bytes.
func (f *file) mark(addr uint64, want string) (*window.Reader, error) {
	r, err := f.at(addr)
	if err != nil {
		return nil, err
	}
	b, err := r.Take(4)
	if err != nil {
		return nil, err
	}
	if string(b) != want {
		return nil, fmt.Errorf("byte %d: %q where %q belongs", r.Offset()-4, b, want)
	}
	return r, nil
}

func (f *file) note(addr uint64, n int64, use extent.Use) error {
	if n <= 0 {
		return nil
	}
	if addr > uint64(f.in.Size-f.base) || uint64(n) > uint64(f.in.Size-f.base)-addr {
		return scan.Problemf("hdf5/truncated", f.in.Size, "bytes %d to %d of the file are missing", f.in.Size, addr+uint64(n))
	}
	if err := f.hold(24); err != nil {
		return err
	}
	f.used.Add(f.base+int64(addr), f.base+int64(addr)+n, use)
	if use == extent.Opaque {
		f.out.Opaque(f.base+int64(addr), n)
	} else {
		f.out.Structured(f.base+int64(addr), n)
	}
	return nil
}

func (f *file) addr(r *window.Reader) (uint64, error)   { return r.Uint(f.so) }
func (f *file) length(r *window.Reader) (uint64, error) { return r.Uint(f.sl) }

// nowhere is the address of what is not there.
func (f *file) nowhere(addr uint64) bool {
	return addr == 1<<(8*f.so)-1 || f.so == 8 && addr == 1<<64-1
}

func (f *file) push(path string, addr uint64) error {
	if f.nowhere(addr) || f.seen[addr] {
		return nil
	}
	if len(f.seen) >= maxObjects {
		return scan.Problemf("budget/entries", 0, "more than %d objects", maxObjects)
	}
	if err := f.hold(100 + int64(len(path))); err != nil {
		return err
	}
	f.seen[addr] = true
	f.queue = append(f.queue, object{path, addr})
	return nil
}

// superblock reads what everything begins with (II.A).
func (f *file) superblock() error {
	r := window.New(f.in, f.base+8, f.in.Size)
	version, err := r.Uint8()
	if err != nil {
		return err
	}
	skip, tail := uint64(4), true
	switch version {
	case 0, 1:
	case 2, 3:
		skip, tail = 0, false
	default:
		return scan.Problemf("hdf5/version", f.base+8, "superblock of version %d is not supported", version)
	}
	if err := r.Skip(skip); err != nil {
		return err
	}
	b, err := r.Take(2)
	if err != nil {
		return err
	}
	f.so, f.sl = int(b[0]), int(b[1])
	if f.so != 2 && f.so != 4 && f.so != 8 || f.sl != 2 && f.sl != 4 && f.sl != 8 {
		return fmt.Errorf("addresses of %d bytes and lengths of %d", f.so, f.sl)
	}
	if !tail {
		return f.superblock2(r)
	}
	if b, err = r.Take(9); err != nil {
		return err
	}
	f.leafK, f.boxK = int(b[1])|int(b[2])<<8, int(b[3])|int(b[4])<<8
	if version == 1 {
		if b, err = r.Take(4); err != nil {
			return err
		}
		f.chunkK = int(b[0]) | int(b[1])<<8
	}
	var place [4]uint64 // base, free space, end, driver
	for i := range place {
		if place[i], err = f.addr(r); err != nil {
			return err
		}
	}
	if err := f.ends(place[0], place[2], place[3]); err != nil {
		return err
	}
	if _, err = f.addr(r); err != nil { // the root's name
		return err
	}
	root, err := f.addr(r)
	if err != nil {
		return err
	}
	if err := r.Skip(24); err != nil {
		return err
	}
	if err := f.note(0, r.Offset()-f.base, extent.Structured); err != nil {
		return err
	}
	return f.push("/", root)
}

func (f *file) superblock2(r *window.Reader) error {
	if _, err := r.Take(1); err != nil {
		return err
	}
	var place [4]uint64 // base, extension, end, root
	var err error
	for i := range place {
		if place[i], err = f.addr(r); err != nil {
			return err
		}
	}
	if err := f.ends(place[0], place[2], 1<<(8*f.so)-1); err != nil {
		return err
	}
	if err := r.Skip(4); err != nil {
		return err
	}
	if err := f.note(0, r.Offset()-f.base, extent.Structured); err != nil {
		return err
	}
	if err := f.push("(superblock)", place[1]); err != nil {
		return err
	}
	return f.push("/", place[3])
}

// ends checks where the superblock says that the file begins and ends.
func (f *file) ends(base, end, driver uint64) error {
	if base != uint64(f.base) && base != 0 {
		f.deceive("base", scan.Dangerous, "", f.base, []string{"CWE-436"}, again, "addresses count from %d, the superblock stands at %d", base, f.base)
	}
	if f.so == 8 && driver != 1<<64-1 || f.so < 8 && !f.nowhere(driver) {
		return scan.Problemf("hdf5/driver", f.base, "the file is one of several that belong together")
	}
	if end > uint64(f.in.Size) {
		return scan.Problemf("hdf5/truncated", f.in.Size, "the file has %d bytes and says %d", f.in.Size, end)
	}
	return nil
}

// account tells which bytes were understood. Between structures files have free
// space, of zeros or of what was there before; anything else that is hidden there would be data too.
func (f *file) account() error {
	sum := f.used.Sum(0, f.in.Size)
	for _, o := range sum.Overlaps {
		f.deceive("overlap", scan.Dangerous, "", o.From, []string{"CWE-436"}, again, "bytes %d to %d belong to two structures", o.From, o.To)
		break
	}
	for _, g := range sum.Gaps {
		zero, err := f.free(g)
		if err != nil {
			return err
		}
		if zero {
			f.out.Structured(g.From, g.Len())
		} else if g.From == 0 && f.base > 0 {
			f.deceive("prefix", scan.Dangerous, "", 0, []string{"CWE-436"}, again, "%d bytes stand before the superblock", f.base)
		}
	}
	return nil
}

// free tells whether a gap is free space: zeros, a heap of the file, or what is left of a structure that was moved.
func (f *file) free(g extent.Range) (bool, error) {
	r := window.New(f.in, g.From, g.To)
	for first := true; r.Left() > 0; first = false {
		if err := f.out.Spend(f.ctx, 64<<10); err != nil {
			return false, err
		}
		b := r.Peek(64 << 10)
		if len(b) == 0 {
			return false, io.ErrUnexpectedEOF
		}
		if first && g.Len() < 1<<20 && len(b) > 4 {
			for _, mark := range []string{"GCOL", "TREE", "SNOD", "HEAP", "OHDR", "OCHK", "FRHP", "FHDB", "FHIB", "BTHD", "BTLF", "BTIN"} {
				if string(b[:4]) == mark {
					return true, nil
				}
			}
		}
		if len(bytes.TrimLeft(b, "\x00")) > 0 {
			return false, nil
		}
		r.Skip(uint64(len(b)))
	}
	return true, nil
}
