package scan

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
)

const (
	keptExpanded = 32 << 20 // expanded data up to here is kept in memory
	window       = 1 << 20  // of longer data, so much at both ends and before the reading place is kept
)

// Expanded is the plain bytes of a compressed stream, readable at any place.
// Short ones lie in memory; longer ones are expanded again from the start when a
// reader goes back, so that nothing is written to disk. Both ends of those are kept,
// where formats have their marks. It serves one goroutine.
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
	head  []byte // the first ones, where not all are kept
	tail  []byte // the last ones
	sum   string // the digest, where it was made
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
	var digest *hasher
	defer func() {
		if digest != nil {
			x.sum = digest.close()
		}
	}()
	for {
		n, err := from.Read(buf)
		x.size += int64(n)
		if x.size > x.limit {
			digest = x.cut(digest)
			return x, Problemf("budget/ratio", 0, "%d packed bytes give more than %d", packed, x.limit)
		}
		if keep && x.size > keptExpanded {
			keep = false
			x.last = append(make([]byte, 0, 2*window), x.kept[len(x.kept)-window:]...)
			if !s.run.scanner.NoDigest {
				digest = newHasher()
				digest.Write(x.kept)
			}
		}
		if keep {
			if err := s.grow(&x.kept, buf[:n]); err != nil {
				return x, err
			}
		} else {
			x.remember(buf[:n])
			if digest != nil {
				digest.Write(buf[:n])
			}
		}
		if errSpend := s.Spend(ctx, int64(n)); errSpend != nil {
			return x, errSpend
		}
		if err != nil {
			if !keep {
				x.head, x.tail = slices.Clone(x.kept[:window]), slices.Clone(x.last[len(x.last)-window:])
				x.last = nil
				x.drop()
			}
			if errors.Is(err, io.EOF) {
				return x, nil
			}
			return x, fmt.Errorf("expand after %d bytes: %w", x.size, err)
		}
	}
}

// cut leaves what is kept of a bomb: to expand it all once more for the readers
// would do it the service that it asks for.
func (x *Expanded) cut(digest *hasher) *hasher {
	if digest != nil {
		digest.close()
	}
	x.size = int64(len(x.kept))
	return nil
}

// digest is that of all bytes, "" where nobody made it yet.
func (x *Expanded) digest() string { return x.sum }

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
	x.from, x.last, x.head, x.tail = nil, nil, nil, nil
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
	buf := make([]byte, 64<<10)
	done := 0
	for done < len(p) {
		at := off + int64(done)
		if at < int64(len(x.head)) {
			done += copy(p[done:], x.head[at:])
			continue
		}
		if tail := x.size - int64(len(x.tail)); at >= tail {
			done += copy(p[done:], x.tail[at-tail:])
			continue
		}
		if x.from == nil || at < x.at-int64(len(x.last)) {
			from, err := x.open()
			if err != nil {
				return done, err
			}
			x.from, x.at, x.last = from, 0, make([]byte, 0, 2*window)
		}
		if back := x.at - at; back > 0 {
			done += copy(p[done:], x.last[int64(len(x.last))-back:])
			continue
		}
		n, err := x.from.Read(buf)
		x.remember(buf[:n])
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

// remember keeps the last bytes, a window of them at least.
func (x *Expanded) remember(b []byte) {
	if len(x.last)+len(b) > cap(x.last) {
		keep := copy(x.last, x.last[len(x.last)-min(len(x.last), window):])
		x.last = x.last[:keep]
	}
	x.last = append(x.last, b...)
}
