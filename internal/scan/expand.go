package scan

import (
	"context"
	"errors"
	"fmt"
	"io"
)

const (
	keptExpanded = 32 << 20 // expanded data up to here is kept in memory
	window       = 1 << 20  // of longer data, so much before the reading place is kept
)

// Expanded is the plain bytes of a compressed stream, readable at any place.
// Short ones lie in memory; longer ones are expanded again from the start when a
// reader goes back, so that nothing is written to disk. It serves one goroutine.
type Expanded struct {
	ctx   context.Context // of the scan that made it; ReadAt has no other way to it
	sink  *Sink
	open  func() (io.Reader, error)
	limit int64
	size  int64
	kept  []byte
	from  io.Reader
	at    int64  // what from gives next
	last  []byte // the bytes before at
}

// Expand expands a stream whose packed form has the given number of bytes. What it
// returns with an error is the bytes before the place where the stream broke or the
// budget ended, perhaps none.
func (s *Sink) Expand(ctx context.Context, packed int64, open func() (io.Reader, error)) (*Expanded, error) {
	p := s.run.purse
	x := &Expanded{ctx: ctx, sink: s, open: open, limit: p.Floor + packed*p.Ratio}
	from, err := open()
	if err != nil {
		return x, err
	}
	buf := make([]byte, 64<<10)
	keep := true
	for {
		n, err := from.Read(buf)
		x.size += int64(n)
		if x.size > x.limit {
			x.size = x.limit
			return x, Problemf("budget/ratio", 0, "%d packed bytes give more than %d", packed, x.limit)
		}
		if keep = keep && x.size <= keptExpanded; keep {
			if err := s.grow(&x.kept, buf[:n]); err != nil {
				return x, err
			}
		}
		if errSpend := s.Spend(ctx, int64(n)); errSpend != nil {
			return x, errSpend
		}
		if err != nil {
			if !keep {
				x.drop()
			}
			if errors.Is(err, io.EOF) {
				return x, nil
			}
			return x, fmt.Errorf("expand after %d bytes: %w", x.size, err)
		}
	}
}

// grow appends to b and counts the memory.
func (s *Sink) grow(b *[]byte, more []byte) error {
	if need := len(*b) + len(more); need > cap(*b) {
		next := max(2*cap(*b), need, 512)
		if err := s.Hold(int64(next - cap(*b))); err != nil {
			return err
		}
		*b = append(make([]byte, 0, next), *b...)
	}
	*b = append(*b, more...)
	return nil
}

func (x *Expanded) drop() {
	x.sink.run.purse.memory.Add(-int64(cap(x.kept)))
	x.kept = nil
}

// Size is the number of expanded bytes.
func (x *Expanded) Size() int64 { return x.size }

// Close gives the memory back.
func (x *Expanded) Close() error {
	x.drop()
	x.from, x.last = nil, nil
	return nil
}

// ReadAt reads expanded bytes.
func (x *Expanded) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 || off >= x.size {
		return 0, io.EOF
	}
	want := p[:min(int64(len(p)), x.size-off)]
	var n int
	var err error
	if int64(len(x.kept)) == x.size {
		n = copy(want, x.kept[off:])
	} else {
		n, err = x.stream(want, off)
	}
	if err == nil && n < len(p) {
		err = io.EOF
	}
	return n, err
}

// stream reads forward from the last place, from the start where off lies before what is kept.
func (x *Expanded) stream(p []byte, off int64) (int, error) {
	if x.from == nil || off < x.at-int64(len(x.last)) {
		from, err := x.open()
		if err != nil {
			return 0, err
		}
		x.from, x.at, x.last = from, 0, make([]byte, 0, 2*window)
	}
	buf := make([]byte, 64<<10)
	done := 0
	for done < len(p) {
		if back := x.at - (off + int64(done)); back > 0 {
			done += copy(p[done:], x.last[int64(len(x.last))-back:])
			continue
		}
		n, err := x.from.Read(buf)
		if len(x.last)+n > cap(x.last) {
			keep := copy(x.last, x.last[len(x.last)-min(len(x.last), window-n):])
			x.last = x.last[:keep]
		}
		x.last = append(x.last, buf[:n]...)
		x.at += int64(n)
		if err := x.sink.Spend(x.ctx, int64(n)); err != nil {
			return done, err
		}
		if err != nil && (n == 0 || x.at < off+int64(done)) {
			return done, err
		}
	}
	return done, nil
}
