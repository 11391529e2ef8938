package hdf5

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/assize/assize/internal/scan"
	"github.com/assize/assize/internal/scan/extent"
	"github.com/assize/assize/internal/scan/window"
)

// The kinds of message of an object's header (IV.A.2).
const (
	msgSpace        = 0x01
	msgLinkInfo     = 0x02
	msgType         = 0x03
	msgLink         = 0x06
	msgExternal     = 0x07
	msgLayout       = 0x08
	msgAttribute    = 0x0c
	msgSharedTable  = 0x0f
	msgContinuation = 0x10
	msgSymbols      = 0x11
	msgAttributes   = 0x15
	msgLast         = 0x18
)

// message is one of an object's header. The data are its own.
type message struct {
	kind   int
	flags  byte
	data   []byte
	offset int64
}

// object reads one object's header and what it leads to (IV.A.1).
func (f *file) object(o object) error {
	r, err := f.at(o.addr)
	if err != nil {
		return fmt.Errorf("object %.200q: %w", o.path, err)
	}
	if string(r.Peek(4)) == "OHDR" {
		err = f.header2(o, r)
	} else {
		err = f.header1(o, r)
	}
	if err != nil {
		return fmt.Errorf("object %.200q: %w", o.path, err)
	}
	return nil
}

// part is a range of messages.
type part struct{ from, n uint64 }

func (f *file) header1(o object, r *window.Reader) error {
	b, err := r.Take(16)
	if err != nil {
		return err
	}
	if b[0] != 1 {
		return fmt.Errorf("byte %d: no header of an object", r.Offset()-16)
	}
	size := uint64(binary.LittleEndian.Uint32(b[8:]))
	if err := f.note(o.addr, 16+int64(size), extent.Structured); err != nil {
		return err
	}
	return f.messages(o, []part{{o.addr + 16, size}}, false, 0)
}

func (f *file) header2(o object, r *window.Reader) error {
	b, err := r.Take(6)
	if err != nil {
		return err
	}
	flags := b[5]
	skip := 0
	if flags&0x20 != 0 {
		skip += 16
	}
	if flags&0x10 != 0 {
		skip += 4
	}
	if _, err := r.Take(skip); err != nil {
		return err
	}
	size, err := r.Uint(1 << (flags & 3))
	if err != nil {
		return err
	}
	if size > uint64(r.Left()) {
		return fmt.Errorf("a header of %d bytes, %d are left", size, r.Left())
	}
	start := uint64(r.Offset() - f.base)
	if err := f.note(o.addr, int64(start-o.addr+size+4), extent.Structured); err != nil {
		return err
	}
	return f.messages(o, []part{{start, size}}, true, flags)
}

// content is what the messages of one object say together.
type content struct {
	typ, space, layout []byte
	external           bool
	offset             int64
}

// messages reads those of an object, part by part.
func (f *file) messages(o object, parts []part, second bool, flags byte) error {
	var c content
	for i := 0; i < len(parts); i++ {
		if i > 10_000 {
			return fmt.Errorf("a header of more than 10000 parts")
		}
		r, err := f.at(parts[i].from)
		if err != nil {
			return err
		}
		if parts[i].n > uint64(r.Left()) {
			return scan.Problemf("hdf5/truncated", f.in.Size, "a header goes on behind the end")
		}
		r = window.New(f.in, r.Offset(), r.Offset()+int64(parts[i].n))
		least := int64(8)
		if second {
			least = 4
		}
		for r.Left() >= least {
			if err := f.out.Spend(f.ctx, 8); err != nil {
				return err
			}
			m, err := f.message(r, second, flags)
			if err != nil {
				return err
			}
			if m.kind == msgContinuation {
				next, err := f.continuation(m, second)
				if err != nil {
					return err
				}
				parts = append(parts, next)
				continue
			}
			if err := f.read(o, m, &c); err != nil {
				return err
			}
		}
	}
	return f.dataset(o, &c)
}

func (f *file) message(r *window.Reader, second bool, header byte) (message, error) {
	m := message{}
	n := 0
	if second {
		b, err := r.Take(4)
		if err != nil {
			return m, err
		}
		m.kind, n, m.flags = int(b[0]), int(b[1])|int(b[2])<<8, b[3]
		if header&4 != 0 {
			if _, err := r.Take(2); err != nil {
				return m, err
			}
		}
	} else {
		b, err := r.Take(8)
		if err != nil {
			return m, err
		}
		m.kind, n, m.flags = int(b[0])|int(b[1])<<8, int(b[2])|int(b[3])<<8, b[4]
	}
	m.offset = r.Offset()
	b, err := r.Take(n)
	m.data = bytes.Clone(b)
	return m, err
}

func (f *file) continuation(m message, second bool) (part, error) {
	r := window.New(bytes.NewReader(m.data), 0, int64(len(m.data)))
	addr, err := f.addr(r)
	if err != nil {
		return part{}, err
	}
	n, err := f.length(r)
	if err != nil {
		return part{}, err
	}
	if f.seen[addr] {
		return part{}, fmt.Errorf("a header continues at %#x, which was read", addr)
	}
	f.seen[addr] = true
	if n > uint64(f.in.Size) {
		return part{}, scan.Problemf("hdf5/truncated", f.in.Size, "a header goes on behind the end")
	}
	if err := f.note(addr, int64(n), extent.Structured); err != nil {
		return part{}, err
	}
	if !second {
		return part{addr, n}, nil
	}
	if _, err := f.mark(addr, "OCHK"); err != nil {
		return part{}, err
	}
	return part{addr + 4, max(n, 8) - 8}, nil // signature before, checksum behind
}

// shared follows a message that is stored elsewhere (IV.A.1.a).
func (f *file) shared(m message) ([]byte, error) {
	b := m.data
	skip := 2
	if len(b) > 0 && b[0] == 1 {
		skip = 8
	}
	if len(b) < skip+f.so || b[0] == 3 && b[1] == 1 {
		return nil, scan.Problemf("hdf5/shared-message", m.offset, "messages in a heap of the file are not supported")
	}
	addr, err := window.New(bytes.NewReader(b), int64(skip), int64(len(b))).Uint(f.so)
	if err != nil {
		return nil, err
	}
	return f.committed(addr)
}

// committed reads the datatype of an object that is one.
func (f *file) committed(addr uint64) ([]byte, error) {
	r, err := f.at(addr)
	if err != nil {
		return nil, err
	}
	if err := f.push("(datatype)", addr); err != nil {
		return nil, err
	}
	second := string(r.Peek(4)) == "OHDR"
	skip, flags := 16, byte(0)
	if second {
		b := r.Peek(6)
		if len(b) < 6 {
			return nil, fmt.Errorf("no header at %#x", addr)
		}
		flags = b[5]
		skip = 6 + 1<<(flags&3)
		if flags&0x20 != 0 {
			skip += 16
		}
		if flags&0x10 != 0 {
			skip += 4
		}
	}
	if _, err := r.Take(skip); err != nil {
		return nil, err
	}
	for range 16 {
		m, err := f.message(r, second, flags)
		if err != nil {
			return nil, err
		}
		if m.kind == msgType && m.flags&2 == 0 {
			return m.data, nil
		}
	}
	return nil, fmt.Errorf("no datatype at %#x", addr)
}

// read takes one message of an object.
func (f *file) read(o object, m message, c *content) (err error) {
	if m.flags&2 != 0 && m.kind != 0 {
		if m.kind != msgType {
			return scan.Problemf("hdf5/shared-message", m.offset, "a shared message of kind %#x is not supported", m.kind)
		}
		if m.data, err = f.shared(m); err != nil {
			return err
		}
	}
	switch m.kind {
	case msgSpace:
		c.space = m.data
	case msgType:
		c.typ = m.data
	case msgLayout:
		c.layout, c.offset = m.data, m.offset
	case msgLinkInfo:
		return f.dense(o, m, true)
	case msgAttributes:
		return f.dense(o, m, false)
	case msgLink:
		return f.link(o, m.data, m.offset)
	case msgSymbols:
		return f.symbols(o, m)
	case msgAttribute:
		return f.attribute(o, m.data, m.offset)
	case msgExternal:
		c.external = true
		f.deceive("external-storage", scan.Dangerous, scan.Read, m.offset, []string{"CWE-73", "CVE-2026-1669"},
			"Do not load it: loading reads other files of the machine. "+again, "the data of %q are said to lie in other files: %s", o.path, printable(m.data))
	case msgSharedTable:
		return scan.Problemf("hdf5/shared-message", m.offset, "messages in a heap of the file are not supported")
	default:
		if m.kind > msgLast {
			return scan.Problemf("hdf5/message", m.offset, "a message of unknown kind %#x", m.kind)
		}
	}
	return nil
}

// printable is the runs of letters in b.
func printable(b []byte) string {
	return string(bytes.Map(func(r rune) rune {
		if r < ' ' || r > 126 {
			return '.'
		}
		return r
	}, b[:min(len(b), 200)]))
}
