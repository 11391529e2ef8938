// Package packed expands compressed files that hold one stream: gzip, bzip2, xz,
// lzma, lz4, zstd and zlib, several streams behind each other included. What
// they hold is scanned as a member, and so is what stands behind them.
package packed

import (
	"bytes"
	"compress/bzip2"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/ulikunitz/xz/lzma"

	"github.com/assize/assize/internal/scan"
	"github.com/assize/assize/internal/scan/window"
)

// maxWindow is how far back a stream may refer. Decoders hold as much; xz -9
// and zstd -19 need 64 MiB and 8 MiB.
const maxWindow = 64 << 20

// Formats are the formats of compressed streams.
func Formats() []scan.Format {
	return []scan.Format{
		Format{"gzip", 1 << 20, gzipHead, openGzip},
		Format{"bzip2", 8 << 20, bzip2Head, func(r *window.Reader) (io.Reader, error) { return bzip2.NewReader(r), nil }},
		Format{"xz", maxWindow + (2 << 20), xzHead, func(r *window.Reader) (io.Reader, error) { return &xzReader{r: r}, nil }},
		Format{"lzma", maxWindow + (2 << 20), lzmaHead, func(r *window.Reader) (io.Reader, error) {
			return lzma.ReaderConfig{DictCap: maxWindow}.NewReader(r)
		}},
		Format{"lz4", 16 << 20, lz4Head, func(r *window.Reader) (io.Reader, error) {
			z := lz4.NewReader(r)
			return z, z.Apply(lz4.ConcurrencyOption(1))
		}},
		Format{"zstd", maxWindow + (8 << 20), zstdHead, func(r *window.Reader) (io.Reader, error) {
			return zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderMaxMemory(maxWindow))
		}},
		Format{"zlib", 1 << 20, zlibHead, func(r *window.Reader) (io.Reader, error) { return zlib.NewReader(r) }},
	}
}

// Format reads one kind of compressed stream.
type Format struct {
	name string
	most int64 // bytes that the decoder holds
	head func([]byte) bool
	open func(*window.Reader) (io.Reader, error)
}

// Name implements scan.Format.
func (f Format) Name() string { return f.name }

// Sniff implements scan.Format.
func (f Format) Sniff(head []byte, _ *scan.Input) scan.Confidence {
	if f.head(head) {
		return scan.Sure
	}
	return scan.No
}

// Scan implements scan.Format.
func (f Format) Scan(ctx context.Context, in *scan.Input, out *scan.Sink) error {
	var last *frames
	content := scan.Entry{Name: "content", Open: func(ctx context.Context) (io.ReaderAt, error) {
		x, err := out.Expand(ctx, in.Size, func() (io.Reader, error) {
			last = &frames{f: f, r: window.New(in, 0, in.Size)}
			return last, nil
		})
		var p *scan.Problem
		if err != nil && ctx.Err() == nil && !errors.As(err, &p) {
			err = scan.Problemf(f.name+"/broken", last.r.Offset(), "%v", err)
		}
		out.Structured(0, last.r.Offset()) // a member tells of what is in it
		return x, err
	}}
	if err := out.Hold(f.most); err != nil {
		return err
	}
	err := out.Members(ctx, []scan.Entry{content})
	out.Hold(-f.most)
	if err != nil || last == nil || last.trailing == 0 {
		return err
	}
	return f.behind(ctx, in, out, last.trailing)
}

// behind scans what stands behind the last stream. Zeros are padding.
func (f Format) behind(ctx context.Context, in *scan.Input, out *scan.Sink, from int64) error {
	out.Structured(from, in.Size-from)
	r := window.New(in, from, in.Size)
	zero := true
	for zero && r.Left() > 0 {
		if err := out.Spend(ctx, 64<<10); err != nil {
			return err
		}
		b := r.Peek(64 << 10)
		zero = len(b) > 0 && len(bytes.TrimLeft(b, "\x00")) == 0
		if err := r.Skip(uint64(len(b))); err != nil || len(b) == 0 {
			return err
		}
	}
	if zero {
		return nil
	}
	out.Find(scan.Finding{
		Rule: f.name + "/trailing-bytes", Outcome: scan.Dangerous, Offset: from, Evidence: fmt.Sprintf("%d bytes stand behind the compressed stream", in.Size-from),
		Cites: []string{"CWE-436"}, Fix: "Do not load it: readers differ in whether they see these bytes. Ask for the model to be saved again.",
	})
	return out.Members(ctx, []scan.Entry{{
		Name: fmt.Sprintf("(bytes %d to %d)", from, in.Size), Size: in.Size - from,
		Open: func(context.Context) (io.ReaderAt, error) { return io.NewSectionReader(in, from, in.Size-from), nil },
	}})
}

// frames reads streams behind each other as one.
type frames struct {
	f        Format
	r        *window.Reader
	cur      io.Reader
	trailing int64 // where no further stream begins, 0 where nothing is left
}

// Read implements io.Reader.
func (s *frames) Read(p []byte) (int, error) {
	if s.cur == nil {
		if s.trailing > 0 {
			return 0, io.EOF
		}
		var err error
		if s.cur, err = s.f.open(s.r); err != nil {
			s.cur = nil
			return 0, fmt.Errorf("byte %d: %w", s.r.Offset(), err)
		}
	}
	n, err := s.cur.Read(p)
	if !errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return n, err
	}
	if c, ok := s.cur.(*zstd.Decoder); ok {
		c.Close()
	}
	if s.cur = nil; s.r.Left() == 0 {
		return n, io.EOF
	}
	if !s.f.head(s.r.Peek(4096)) || s.f.name == "zlib" || s.f.name == "lzma" { // readers of these take one stream
		s.trailing = s.r.Offset()
		return n, io.EOF
	}
	return n, nil
}

func openGzip(r *window.Reader) (io.Reader, error) {
	z, err := gzip.NewReader(r)
	if err == nil {
		z.Multistream(false)
	}
	return z, err
}

func gzipHead(b []byte) bool {
	return len(b) >= 3 && b[0] == 0x1f && b[1] == 0x8b && b[2] == 8
}

func bzip2Head(b []byte) bool {
	return len(b) >= 10 && string(b[:3]) == "BZh" && b[3] >= '1' && b[3] <= '9' &&
		(string(b[4:10]) == "\x31\x41\x59\x26\x53\x59" || string(b[4:10]) == "\x17\x72\x45\x38\x50\x90")
}

func xzHead(b []byte) bool { return bytes.HasPrefix(b, []byte(xzMark)) }

func lz4Head(b []byte) bool { return bytes.HasPrefix(b, []byte("\x04\x22\x4d\x18")) }

func zstdHead(b []byte) bool {
	return bytes.HasPrefix(b, []byte("\x28\xb5\x2f\xfd")) || len(b) >= 4 && b[0]>>4 == 5 && string(b[1:4]) == "\x2a\x4d\x18"
}

// lzmaHead knows the header of an lzma file, which has no mark: properties, a
// dictionary of a usual size, the length or -1, and the zero that every stream
// begins with.
func lzmaHead(b []byte) bool {
	if len(b) < 14 || b[0] >= 225 || b[13] != 0 {
		return false
	}
	dict := uint32(b[1]) | uint32(b[2])<<8 | uint32(b[3])<<16 | uint32(b[4])<<24
	usual := dict == 1<<32-1
	for i := 12; i < 32; i++ {
		usual = usual || dict == 1<<i || dict == 1<<i+1<<(i-1)
	}
	open := bytes.Equal(b[5:13], bytes.Repeat([]byte{0xff}, 8))
	return usual && b[0] == 0x5d && (open || b[10] == 0 && b[11] == 0 && b[12] == 0)
}

// zlibHead expands the first bytes: two of them alone would match any text that begins with x.
func zlibHead(b []byte) bool {
	if len(b) < 8 || b[0]&15 != 8 || b[0]>>4 > 7 || (uint(b[0])<<8|uint(b[1]))%31 != 0 || b[1]&32 != 0 {
		return false
	}
	z, err := zlib.NewReader(bytes.NewReader(b))
	if err != nil {
		return false
	}
	n, err := io.Copy(io.Discard, io.LimitReader(z, 64<<10))
	return err == nil || n > 0 && errors.Is(err, io.ErrUnexpectedEOF) && len(b) >= 4096
}
