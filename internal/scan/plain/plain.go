// Package plain recognises files that no loader runs and that hold no model:
// plain text, such as documents, tables and settings.
package plain

import (
	"context"
	"errors"
	"io"
	"unicode/utf8"

	"github.com/assize/assize/internal/scan"
)

// Text is a file of UTF-8 without control characters. What it says is not looked
// at: a loader that runs text runs it because somebody asked for that.
type Text struct{}

// Name is what reports call the format.
func (Text) Name() string { return "text" }

// Sniff thinks a file possible whose beginning is text.
func (Text) Sniff(head []byte, _ *scan.Input) scan.Confidence {
	if _, ok := text(head); ok {
		return scan.Possible
	}
	return scan.No
}

// Scan wants all of the file to be text.
func (Text) Scan(ctx context.Context, in *scan.Input, out *scan.Sink) error {
	buf := make([]byte, min(in.Size, 256<<10))
	for off := int64(0); off < in.Size; {
		n, err := in.ReadAt(buf[:min(int64(len(buf)), in.Size-off)], off)
		if err != nil && !errors.Is(err, io.EOF) || n == 0 {
			return err
		}
		if err := out.Spend(ctx, int64(n)); err != nil {
			return err
		}
		used, ok := text(buf[:n])
		if !ok || used == 0 || off+int64(n) == in.Size && used < n {
			return scan.ErrOther
		}
		off += int64(used)
	}
	out.Opaque(0, in.Size)
	return nil
}

// text tells whether b is text, perhaps cut within its last letter, and how many bytes are whole letters.
func text(b []byte) (used int, ok bool) {
	for used < len(b) {
		r, n := utf8.DecodeRune(b[used:])
		if r == utf8.RuneError && n == 1 {
			return used, len(b)-used < utf8.UTFMax && !utf8.FullRune(b[used:])
		}
		if r < ' ' && r != '\n' && r != '\r' && r != '\t' && r != '\f' || r == 0x7f {
			return used, false
		}
		used += n
	}
	return used, true
}
