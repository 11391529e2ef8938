package zipfile

import (
	"context"

	"github.com/assize/assize/internal/scan"
	"github.com/assize/assize/internal/scan/window"
)

// Behind tells whether a file is of a format that keeps an archive behind its own bytes and
// reads it itself, by ScanFrom: a model of TensorFlow Lite with its metadata.
func Behind(head []byte) bool { return len(head) >= 8 && string(head[4:8]) == "TFL3" }

// Start is where the first entry of the archive at the end of a file begins, -1 where there is none.
func Start(ctx context.Context, in *scan.Input, out *scan.Sink) (int64, error) {
	ends, err := findEnds(in)
	if err != nil {
		return -1, err
	}
	for _, e := range ends {
		first, base := e.start(), int64(0)
		if e.offset <= uint64(first) {
			base = first - int64(e.offset)
		}
		r := window.New(in, first, e.first)
		a := &archive{in: in, out: out}
		n := 0
		for ; string(r.Peek(4)) == centralMark && n < maxEntries; n++ {
			if err := out.Spend(ctx, centralBytes); err != nil {
				return -1, err
			}
			one, err := a.centralEntry(r)
			if err != nil {
				break
			}
			if one.offset <= uint64(first-base) {
				first = min(first, base+int64(one.offset))
			}
		}
		if n > 0 {
			return first, nil
		}
	}
	return -1, nil
}
