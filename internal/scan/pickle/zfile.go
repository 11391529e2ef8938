package pickle

import (
	"bytes"
	"compress/zlib"
	"context"
	"io"

	"github.com/assize/assize/internal/scan"
)

// ZFile reads what joblib wrote with compression before 0.10: "ZF", the length in
// hexadecimal digits padded to 21 or 22 bytes in all, and a zlib stream.
type ZFile struct{}

// Name is what reports call the format.
func (ZFile) Name() string { return "joblib-zfile" }

// zHead is the length of the header of files that Python 3 wrote.
const zHead = 21

// Sniff looks for the mark and the digits.
func (ZFile) Sniff(head []byte, _ *scan.Input) scan.Confidence {
	if bytes.HasPrefix(head, []byte("ZF0x")) && len(head) > zHead+2 {
		return scan.Sure
	}
	return scan.No
}

// Scan expands the stream. The length that the header claims is not used.
func (ZFile) Scan(ctx context.Context, in *scan.Input, out *scan.Sink) error {
	at := int64(zHead)
	b := make([]byte, 1)
	if _, err := in.ReadAt(b, at); err != nil {
		return io.ErrUnexpectedEOF
	}
	if b[0] == ' ' { // Python 2 padded by one more
		at++
	}
	out.Structured(0, in.Size)
	return out.Members(ctx, []scan.Entry{{Name: "content", Open: func(ctx context.Context) (io.ReaderAt, error) {
		return out.Expand(ctx, in.Size-at, func() (io.Reader, error) {
			return zlib.NewReader(io.NewSectionReader(in, at, in.Size-at))
		})
	}}})
}
