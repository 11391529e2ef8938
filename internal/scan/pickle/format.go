package pickle

import (
	"bytes"
	"context"
	"errors"
	"io"

	"github.com/assize/assize/internal/scan"
	"github.com/assize/assize/internal/scan/rules"
)

// Format reads files that are pickles, one or several, with or without joblib's arrays.
type Format struct{ Rules *rules.Set }

// Name is what reports call the format.
func (Format) Name() string { return "pickle" }

// collector keeps what a trial run finds.
type collector struct {
	findings []scan.Finding
	held     int64
	spend    func(context.Context, int64) error
}

func (c *collector) Find(f scan.Finding) {
	if len(c.findings) < 100 {
		c.findings = append(c.findings, f)
	}
}

func (c *collector) Structured(int64, int64) {}

func (c *collector) Opaque(int64, int64) {}

func (c *collector) Spend(ctx context.Context, n int64) error { return c.spend(ctx, n) }

// trialMemory is what a trial run may keep.
const trialMemory = 16 << 20

func (c *collector) Hold(n int64) error {
	if c.held += n; c.held > trialMemory {
		return scan.Problemf("budget/memory", 0, "a trial run needs too much memory")
	}
	return nil
}

// trial is how the beginning of some data fares as a pickle.
type trial struct {
	stats
	stopped bool  // it ends with STOP
	ran     bool  // it does not break within what was given
	end     int64 // where it ended
	found   []scan.Finding
}

// try runs data as a pickle. more says that the data goes on.
func try(data []byte, more bool, set *rules.Set) trial {
	c := &collector{spend: func(context.Context, int64) error { return nil }}
	m := newMachine(context.Background(), bytes.NewReader(data), int64(len(data)), set, c)
	m.depth = maxInner
	err := m.run()
	var p *scan.Problem
	short := errors.As(err, &p) && p.Rule == "pickle/truncated"
	return trial{stats: m.stats, stopped: err == nil, ran: err == nil || short && more, end: m.r.offset(), found: c.findings}
}

// Sniff runs the beginning of the file. With the opcode PROTO in front, and no
// break, it is a pickle; without, it has to name something, as text may be opcodes too.
func (f Format) Sniff(head []byte, in *scan.Input) scan.Confidence {
	t := try(head, int64(len(head)) < in.Size, f.Rules)
	switch proto := len(head) > 1 && head[0] == 0x80 && head[1] <= 5; {
	case t.globals > 0 && (proto || t.ran || t.calls > 0), proto && t.ran:
		return scan.Sure
	case proto && t.ops > 0, t.ran && t.ops > 0:
		return scan.Possible
	}
	return scan.No
}

// Scan interprets the pickles of the file, one after another.
func (f Format) Scan(ctx context.Context, in *scan.Input, out *scan.Sink) error {
	m := f.machine(ctx, in, out)
	if ok, err := m.legacy(in, out); ok || err != nil {
		return err
	}
	return m.all(ctx, in, out, 0)
}

func (f Format) machine(ctx context.Context, in *scan.Input, out *scan.Sink) *machine {
	m := newMachine(ctx, in, in.Size, f.Rules, out)
	m.follow = func(off int64, r io.ReaderAt, size int64, loaded bool) error {
		return out.Embedded(ctx, off, r, size, loaded)
	}
	return m
}

// all interprets pickles from off up to the end of the file.
func (m *machine) all(ctx context.Context, in *scan.Input, out *scan.Sink, off int64) error {
	for n := 0; ; n++ {
		m.reset(off)
		err := m.run()
		if err != nil {
			var p *scan.Problem
			if !errors.As(err, &p) {
				return err
			}
			if n == 0 && off == 0 && m.stats.globals == 0 && !proto(in) {
				return scan.ErrOther
			}
			m.account(m.from)
			out.Incomplete(p)
			off = m.from + 1
		} else if off = m.r.offset(); off == in.Size {
			if m.stats.arrays > 0 {
				out.Format("joblib")
			}
			return nil
		}
		next, err := m.next(ctx, in, off)
		if err != nil || next < 0 {
			return err
		}
		if next > off {
			m.findAt(off, "junk", scan.Dangerous, "", "bytes between two pickles that belong to neither", "CWE-436", "CWE-502")
		}
		off = next
	}
}

func proto(in *scan.Input) bool {
	b := make([]byte, 2)
	_, err := in.ReadAt(b, 0)
	return err == nil && b[0] == 0x80 && b[1] <= 5
}

// next finds the next pickle at or after off, -1 where there is none.
func (m *machine) next(ctx context.Context, in *scan.Input, off int64) (int64, error) {
	if b, err := m.r.at(off, 2); err == nil && b[0] == 0x80 && b[1] >= 2 && b[1] <= 5 {
		return off, nil // no trial where it says what it is
	}
	head := make([]byte, 4096)
	buf := make([]byte, 256<<10)
	for at := off; at < in.Size; {
		n, err := in.ReadAt(buf[:min(int64(len(buf)), in.Size-at)], at)
		if n == 0 {
			return 0, err
		}
		if err := m.out.Spend(ctx, int64(n)); err != nil {
			return 0, err
		}
		for i := 0; i < n; i++ {
			here := at + int64(i)
			if here != off && !begins(buf[i:n]) {
				continue
			}
			h, err := in.ReadAt(head[:min(int64(len(head)), in.Size-here)], here)
			if err != nil && !errors.Is(err, io.EOF) {
				return 0, err
			}
			if err := m.out.Spend(ctx, int64(h)); err != nil {
				return 0, err
			}
			t := try(head[:h], here+int64(h) < in.Size, m.rules)
			if t.ran && (here == off && t.ops > 1 || t.globals > 0) || t.globals > 0 && t.calls > 0 {
				return here, nil
			}
		}
		if at += int64(n); at < in.Size {
			at -= 16 // a beginning may lie across
		}
	}
	return -1, nil
}

// begins tells bytes that a pickle may begin with, PROTO or a GLOBAL of a module of ours to fear.
func begins(b []byte) bool {
	switch {
	case len(b) > 1 && b[0] == 0x80:
		return b[1] >= 2 && b[1] <= 5
	case len(b) > 4 && (b[0] == 'c' || b[0] == '('):
		for _, m := range [...]string{"cos\n", "cposix\n", "cnt\n", "csys\n", "cbuiltins\n", "c__builtin__\n", "csubprocess\n", "(cos\n"} {
			if bytes.HasPrefix(b, []byte(m)) {
				return true
			}
		}
	}
	return false
}

// Hidden finds pickles in files of no known format: behind zeros, inside of
// something else. It comes last.
type Hidden struct{ Rules *rules.Set }

// Name is what reports call the format.
func (Hidden) Name() string { return "hidden-pickle" }

// Sniff thinks every file possible.
func (Hidden) Sniff([]byte, *scan.Input) scan.Confidence { return scan.Possible }

// Scan looks for a pickle that names something and interprets what follows.
func (h Hidden) Scan(ctx context.Context, in *scan.Input, out *scan.Sink) error {
	m := Format(h).machine(ctx, in, out)
	at, err := m.next(ctx, in, 0)
	if err != nil {
		return err
	}
	if at < 0 {
		return scan.ErrOther
	}
	m.findAt(0, "junk", scan.Dangerous, "", "bytes of no format before a pickle", "CWE-436", "CWE-502")
	return m.all(ctx, in, out, at)
}

// looksLikeFile tells bytes that may be a pickle, an archive or a compressed file.
func looksLikeFile(b []byte) bool {
	if len(b) < 8 {
		return false
	}
	switch b[0] {
	case 0x80:
		return b[1] >= 2 && b[1] <= 5
	case 'c', '(':
		return bytes.IndexByte(b[:min(len(b), 200)], '\n') > 0
	case 'P':
		return bytes.HasPrefix(b, []byte("PK\x03\x04"))
	case 0x1f:
		return b[1] == 0x8b
	case 0x78:
		return (int(b[0])<<8|int(b[1]))%31 == 0
	case 'B':
		return bytes.HasPrefix(b, []byte("BZh"))
	case 0xfd:
		return bytes.HasPrefix(b, []byte("\xfd7zXZ"))
	case 0x93:
		return bytes.HasPrefix(b, []byte("\x93NUMPY"))
	}
	return false
}
