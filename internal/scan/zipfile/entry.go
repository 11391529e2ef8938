package zipfile

import (
	"compress/bzip2"
	"context"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"strings"

	"github.com/klauspost/compress/flate"

	"github.com/assize/assize/internal/scan"
	"github.com/assize/assize/internal/scan/extent"
	"github.com/assize/assize/internal/scan/window"
)

// The bits of an entry's flags (4.4.4).
const (
	encrypted  = 1
	descriptor = 1 << 3
	strong     = 1 << 6
	masked     = 1 << 13
)

// The methods that are expanded (4.4.5).
const (
	stored   = 0
	deflated = 8
	bzipped  = 12
)

// entry is one file in an archive.
type entry struct {
	name, unicode      string // unicode: by an extra field (4.6.9)
	made               uint16
	flags, method      uint16
	crc, attributes    uint32
	packed, size       uint64
	offset             uint64 // of the local header, from the archive's base
	local, data, after int64  // where header, data and what follows begin in the file
	central            int64
	broken             error // why the data cannot be read
}

func (e *entry) folder() bool { return strings.HasSuffix(e.name, "/") && e.size == 0 }

// extra reads the extra fields that change what an entry is (4.5).
func (e *entry) extra(b []byte, central bool) {
	for len(b) >= 4 {
		id, n := u16(b, 0), int(u16(b, 2))
		if n > len(b)-4 {
			return
		}
		field := b[4 : 4+n]
		b = b[4+n:]
		switch id {
		case 0x0001:
			for _, to := range []*uint64{&e.size, &e.packed, &e.offset} {
				if *to == 0xffffffff && (to != &e.offset || central) && len(field) >= 8 {
					*to, field = u64(field, 0), field[8:]
				}
			}
		case 0x7075:
			if len(field) > 5 {
				e.unicode = string(field[5:])
			}
		}
	}
}

// compare reads the header before the data (4.3.7), tells where it disagrees with the
// directory, and notes the entry.
func (a *archive) compare(e entry) error {
	broken := func(format string, args ...any) error {
		e.broken = scan.Problemf("zip/entry", e.central, format, args...)
		return a.note(e)
	}
	if e.offset > uint64(a.in.Size-a.base) {
		return broken("the entry %q is said to be at %d, behind the end", e.name, e.offset)
	}
	e.local = a.base + int64(e.offset)
	l, err := a.localHeader(e.local)
	if err != nil {
		return broken("the entry %q has no header of its own: %v", e.name, err)
	}
	e.data = l.data
	differ := func(what string, local, central any) {
		a.deceive("headers-disagree", e.local, "CWE-436", "%s of entry %q: %v in its header, %v in the directory", what, e.name, local, central)
	}
	if l.name != e.name {
		differ("name", l.name, e.name)
	}
	if l.unicode != e.unicode && l.unicode != "" {
		differ("name in an extra field", l.unicode, e.unicode)
	}
	if l.method != e.method {
		differ("method", l.method, e.method)
	}
	if (l.flags^e.flags)&encrypted != 0 {
		differ("encryption", l.flags&encrypted, e.flags&encrypted)
	}
	if l.flags&descriptor == 0 || l.crc != 0 || l.size != 0 || l.packed != 0 {
		if l.crc != e.crc && (l.flags&descriptor == 0 || l.crc != 0) {
			differ("checksum", l.crc, e.crc)
		}
		if l.packed != e.packed || l.size != e.size {
			differ("size", fmt.Sprintf("%d of %d", l.packed, l.size), fmt.Sprintf("%d of %d", e.packed, e.size))
		}
	}
	if e.packed > uint64(a.in.Size-e.data) {
		e.packed = uint64(a.in.Size - e.data)
		e.broken = scan.Problemf("zip/truncated", e.data, "the entry %q goes on behind the end of the file", e.name)
	}
	e.after = e.data + int64(e.packed)
	a.account(&e, l.flags&descriptor != 0)
	return a.note(e)
}

// account adds an entry's bytes to what is used.
func (a *archive) account(e *entry, described bool) {
	to := e.after
	if described {
		to += a.descriptorBytes(e)
	}
	a.used.Add(e.local, to, extent.Structured)
	a.out.Structured(e.local, e.data-e.local)
	a.out.Opaque(e.data, e.after-e.data) // scanned as a member
	a.out.Structured(e.after, to-e.after)
}

// descriptorBytes is the length of the data descriptor (4.3.9), which has no fixed form.
func (a *archive) descriptorBytes(e *entry) int64 {
	b := window.New(a.in, e.after, a.in.Size).Peek(24)
	for _, n := range []struct{ mark, wide int }{{4, 8}, {4, 4}, {0, 8}, {0, 4}} {
		whole := n.mark + 4 + 2*n.wide
		if len(b) < whole || n.mark == 4 && string(b[:4]) != "PK\x07\x08" || u32(b, n.mark) != e.crc {
			continue
		}
		var packed, size uint64
		if at := n.mark + 4; n.wide == 8 {
			packed, size = u64(b, at), u64(b, at+8)
		} else {
			packed, size = uint64(u32(b, at)), uint64(u32(b, at+4))
		}
		if packed == e.packed && size == e.size {
			return int64(whole)
		}
	}
	return 0
}

func (a *archive) localHeader(at int64) (entry, error) {
	r := window.New(a.in, at, a.in.Size)
	b, err := r.Take(localBytes)
	if err != nil {
		return entry{}, err
	}
	if string(b[:4]) != localMark {
		return entry{}, fmt.Errorf("byte %d is no header of an entry", at)
	}
	e := entry{flags: u16(b, 6), method: u16(b, 8), crc: u32(b, 14), packed: uint64(u32(b, 18)), size: uint64(u32(b, 22)), local: at}
	nameLen, extraLen := int(u16(b, 26)), int(u16(b, 28))
	name, err := r.Take(nameLen)
	if err != nil {
		return e, err
	}
	e.name = string(name)
	extra, err := r.Take(extraLen)
	if err != nil {
		return e, err
	}
	e.extra(extra, false)
	e.data = r.Offset()
	return e, nil
}

// withoutEnd reads an archive whose directory is lost by the headers of its entries.
func (a *archive) withoutEnd(ctx context.Context) error {
	at := int64(0)
	for range maxEntries {
		if err := a.out.Spend(ctx, localBytes); err != nil {
			return err
		}
		e, err := a.localHeader(at)
		if err != nil {
			break
		}
		if e.flags&descriptor != 0 && e.packed == 0 && e.method == deflated {
			// Its length stands behind it: expand to find the end.
			r := window.New(a.in, e.data, a.in.Size)
			x, err := a.out.Expand(ctx, a.in.Size-e.data, func() (io.Reader, error) {
				r = window.New(a.in, e.data, a.in.Size)
				return flate.NewReader(r), nil
			})
			e.packed = uint64(r.Offset() - e.data)
			if x != nil {
				e.size = uint64(x.Size())
				x.Close()
			}
			if err != nil {
				e.broken = scan.Problemf("zip/truncated", e.data, "entry %q: %v", e.name, err)
			}
			if b := window.New(a.in, e.data+int64(e.packed), a.in.Size).Peek(8); len(b) == 8 && string(b[:4]) == "PK\x07\x08" {
				e.crc = u32(b, 4)
			}
		}
		if e.packed > uint64(a.in.Size-e.data) {
			e.packed = uint64(a.in.Size - e.data)
			e.broken = scan.Problemf("zip/truncated", e.data, "the entry %q goes on behind the end of the file", e.name)
		}
		e.after = e.data + int64(e.packed)
		a.account(&e, e.flags&descriptor != 0)
		if err := a.note(e); err != nil {
			return err
		}
		at = e.after
		if e.flags&descriptor != 0 {
			at += a.descriptorBytes(&e)
		}
	}
	return scan.Problemf("zip/no-directory", at, "the archive has no directory at its end")
}

// member is an entry as others read it.
func (a *archive) member(e entry) scan.Entry {
	return scan.Entry{Name: e.name, Size: int64(min(e.size, 1<<62)), Open: func(ctx context.Context) (io.ReaderAt, error) { return a.open(ctx, e) }}
}

func (a *archive) open(ctx context.Context, e entry) (io.ReaderAt, error) {
	if e.data == 0 {
		return nil, e.broken
	}
	if e.flags&(encrypted|strong|masked) != 0 {
		// Readers that ignore the bit read the bytes as they are.
		if e.method == stored && e.packed == e.size {
			return section(a.in, e.data, e.packed), scan.Problemf("zip/encrypted", e.local, "the entry %q is marked as encrypted", e.name)
		}
		return nil, scan.Problemf("zip/encrypted", e.local, "the entry %q is encrypted", e.name)
	}
	if e.method == stored {
		if e.size != e.packed {
			a.deceive("stored-size", e.local, "CWE-436", "the stored entry %q has %d bytes and says %d", e.name, e.packed, e.size)
		}
		raw := section(a.in, e.data, e.packed)
		sum, err := a.sum(ctx, raw)
		if err != nil {
			return raw, err
		}
		a.check(e, sum)
		return raw, e.broken
	}
	pack := map[uint16]func(io.Reader) io.Reader{
		deflated: func(r io.Reader) io.Reader { return flate.NewReader(r) },
		bzipped:  bzip2.NewReader,
	}[e.method]
	if pack == nil {
		return nil, scan.Problemf("zip/method", e.local, "the entry %q is compressed by method %d, which is not supported", e.name, e.method)
	}
	sum := crc32.NewIEEE()
	var from *window.Reader
	first := true
	x, err := a.out.Expand(ctx, int64(e.packed), func() (io.Reader, error) {
		from = window.New(a.in, e.data, e.after)
		if !first {
			return pack(from), nil
		}
		first = false
		return io.TeeReader(pack(from), sum), nil
	})
	if err != nil {
		return x, err
	}
	if left := from.Left(); left > 0 && e.method == deflated {
		a.deceive("hidden-bytes", e.after-left, "CWE-436", "%d bytes stand behind the data of entry %q", left, e.name)
	}
	if uint64(x.Size()) != e.size {
		a.deceive("expanded-size", e.local, "CWE-436", "the entry %q has %d bytes and says %d", e.name, x.Size(), e.size)
	}
	a.check(e, sum)
	return x, e.broken
}

func (a *archive) sum(ctx context.Context, r *io.SectionReader) (hash.Hash32, error) {
	sum := crc32.NewIEEE()
	buf := make([]byte, min(r.Size(), 1<<20))
	for {
		n, err := r.Read(buf)
		sum.Write(buf[:n])
		if err == io.EOF || n == 0 && len(buf) == 0 {
			return sum, nil
		}
		if err != nil {
			return sum, err
		}
		if err := a.out.Spend(ctx, int64(n)); err != nil {
			return sum, err
		}
	}
}

func (a *archive) check(e entry, sum hash.Hash32) {
	if got := sum.Sum32(); got != e.crc && e.broken == nil {
		a.deceive("checksum", e.local, "CWE-354", "the entry %q has checksum %08x and says %08x: some readers refuse it, others load it", e.name, got, e.crc)
	}
}
