package zipfile

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"github.com/assize/assize/internal/scan"
	"github.com/assize/assize/internal/scan/extent"
	"github.com/assize/assize/internal/scan/window"
)

// The marks that records begin with, and the sizes of their fixed parts.
const (
	localMark   = "PK\x03\x04"
	centralMark = "PK\x01\x02"
	endMark     = "PK\x05\x06"
	end64Mark   = "PK\x06\x06"
	locatorMark = "PK\x06\x07"

	localBytes   = 30
	centralBytes = 46
	endBytes     = 22
	end64Bytes   = 56
	locatorBytes = 20

	maxComment = 1<<16 - 1
)

// end is the record at the end of an archive (4.3.16), or both of them (4.3.14).
type end struct {
	at           int64 // of the record
	to           int64 // its end, comment included
	entries      uint64
	size, offset uint64 // of the directory
	first        int64  // of the records at the end: where the directory ends
	conflict     string // what the two records disagree on
	disks        bool
}

// start is where the directory begins in the file: it lies before the records at the end.
func (e *end) start() int64 {
	if e.size > uint64(e.first) {
		return -1
	}
	return e.first - int64(e.size)
}

// findEnds returns all end records in the last 64 KiB, the last one first.
func findEnds(in *scan.Input) ([]*end, error) {
	from := max(0, in.Size-endBytes-maxComment)
	tail := make([]byte, in.Size-from)
	if n, err := in.ReadAt(tail, from); n < len(tail) {
		return nil, fmt.Errorf("read the end of the archive: %w", err)
	}
	var ends []*end
	for i := len(tail); len(ends) < 8; {
		if i = bytes.LastIndex(tail[:i], []byte(endMark)); i < 0 {
			break
		}
		if len(tail)-i < endBytes {
			continue
		}
		b := tail[i:]
		e := &end{
			at: from + int64(i), to: from + int64(i) + endBytes + int64(u16(b, 20)), entries: uint64(u16(b, 10)),
			size: uint64(u32(b, 12)), offset: uint64(u32(b, 16)), first: from + int64(i),
			disks: u16(b, 4) != 0 && u16(b, 4) != 0xffff || u16(b, 6) != u16(b, 4) || u16(b, 8) != u16(b, 10),
		}
		if e.to > in.Size {
			continue // its comment would end behind the file
		}
		if err := e.zip64(in); err != nil {
			return nil, err
		}
		if e.start() >= 0 {
			ends = append(ends, e)
		}
	}
	return ends, nil
}

// zip64 reads the larger end record where there is one.
func (e *end) zip64(in *scan.Input) error {
	if e.at < locatorBytes+end64Bytes {
		return nil
	}
	locator := make([]byte, locatorBytes)
	if _, err := in.ReadAt(locator, e.at-locatorBytes); err != nil {
		return err
	}
	if string(locator[:4]) != locatorMark {
		return nil
	}
	b := make([]byte, end64Bytes)
	at := e.at - locatorBytes - end64Bytes
	if _, err := in.ReadAt(b, at); err != nil {
		return err
	}
	if string(b[:4]) != end64Mark || u64(b, 4) != end64Bytes-12 {
		e.conflict = "the larger end record does not stand before its locator"
		return nil
	}
	entries, size, offset := u64(b, 32), u64(b, 40), u64(b, 48)
	switch {
	case e.entries != 0xffff && e.entries != entries:
		e.conflict = fmt.Sprintf("%d entries and %d", e.entries, entries)
	case e.size != 0xffffffff && e.size != size:
		e.conflict = fmt.Sprintf("a directory of %d bytes and of %d", e.size, size)
	case e.offset != 0xffffffff && e.offset != offset:
		e.conflict = fmt.Sprintf("a directory at %d and at %d", e.offset, offset)
	case u64(locator, 8) > uint64(at) || u64(locator, 8)+end64Bytes > uint64(e.at):
		e.conflict = fmt.Sprintf("a larger record at %d and at %d", at, u64(locator, 8))
	}
	e.entries, e.size, e.offset, e.first = entries, size, offset, at
	return nil
}

// directory reads the archive by the last end record whose directory is there.
func (a *archive) directory(ctx context.Context, ends []*end) error {
	var chosen *end
	var within int64 = -1 // where an end record lies in the comment of another
	for _, e := range ends {
		mark := make([]byte, 4)
		if e.entries > 0 {
			if _, err := a.in.ReadAt(mark, e.start()); err != nil || string(mark) != centralMark {
				continue
			}
		}
		for _, other := range ends {
			if other.at > e.at && other.at < e.to {
				within = other.at
			}
		}
		if chosen == nil || chosen.to != a.in.Size && e.to == a.in.Size {
			chosen = e
		}
	}
	if chosen == nil {
		a.deceive("no-directory", ends[0].at, "CWE-436", "the end record names a directory that is not there")
		return a.withoutEnd(ctx)
	}
	if within >= 0 {
		a.deceive("second-end", within, "CWE-436", "the comment of an archive holds the end of another")
	}
	if chosen.conflict != "" {
		a.deceive("two-sizes", chosen.first, "CWE-436", "the two end records disagree: %s", chosen.conflict)
	}
	if chosen.disks {
		a.deceive("disks", chosen.at, "CWE-436", "the archive says that it continues on another disk")
	}
	start := chosen.start()
	if chosen.offset > uint64(start) {
		a.deceive("directory-offset", chosen.at, "CWE-436", "the directory is said to be at %d and lies at %d", chosen.offset, start)
	} else {
		a.base = start - int64(chosen.offset)
	}
	a.used.Add(start, chosen.to, extent.Structured)
	a.out.Structured(start, chosen.to-start)
	return a.central(ctx, chosen, start)
}

// central reads the directory's entries (4.3.12).
func (a *archive) central(ctx context.Context, e *end, start int64) error {
	r := window.New(a.in, start, e.first)
	n := uint64(0)
	for ; r.Left() > 0; n++ {
		if err := a.out.Spend(ctx, centralBytes); err != nil {
			return err
		}
		if mark := r.Peek(4); string(mark) != centralMark {
			if string(mark) == "PK\x05\x05" { // a signature of the directory
				break
			}
			a.deceive("directory", r.Offset(), "CWE-436", "the directory holds what is no entry")
			break
		}
		if n >= maxEntries {
			return scan.Problemf("budget/entries", r.Offset(), "more than %d entries", maxEntries)
		}
		one, err := a.centralEntry(r)
		if err != nil {
			return err
		}
		if err := a.compare(one); err != nil {
			return err
		}
	}
	if n != e.entries && (n&0xffff != e.entries || e.first != e.at) {
		a.deceive("count", e.at, "CWE-436", "%d entries are announced and %d are there", e.entries, n)
	}
	return nil
}

// maxEntries bounds what is kept of a directory; the budget may be lower.
const maxEntries = 500_000

func (a *archive) centralEntry(r *window.Reader) (entry, error) {
	at := r.Offset()
	b, err := r.Take(centralBytes)
	if err != nil {
		return entry{}, scan.Problemf("zip/truncated", at, "%v", err)
	}
	e := entry{
		made: u16(b, 4), flags: u16(b, 8), method: u16(b, 10), crc: u32(b, 16), packed: uint64(u32(b, 20)), size: uint64(u32(b, 24)),
		attributes: u32(b, 38), offset: uint64(u32(b, 42)), central: at,
	}
	nameLen, extraLen, commentLen := int(u16(b, 28)), int(u16(b, 30)), int(u16(b, 32))
	name, err := r.Take(nameLen)
	if err == nil {
		e.name = string(name)
		var extra []byte
		if extra, err = r.Take(extraLen); err == nil {
			e.extra(extra, true)
			err = r.Skip(uint64(commentLen))
		}
	}
	if err != nil {
		return e, scan.Problemf("zip/truncated", at, "%v", err)
	}
	return e, nil
}

// section is the bytes of a file that an entry takes.
func section(in io.ReaderAt, from int64, n uint64) *io.SectionReader {
	return io.NewSectionReader(in, from, int64(n))
}
