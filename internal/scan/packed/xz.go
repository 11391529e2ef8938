package packed

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"io"

	"github.com/ulikunitz/xz/lzma"

	"github.com/assize/assize/internal/scan/window"
)

const (
	xzMark      = "\xfd7zXZ\x00"
	xzLZMA2     = 0x21
	xzMaxBlocks = 1 << 20
)

// xzReader reads one stream of the xz format (The .xz File Format 1.2.1). It is
// here because it checks how much memory a block asks for before it is taken.
type xzReader struct {
	r       *window.Reader
	started bool
	check   byte
	block   io.Reader // nil between blocks
	from    int64     // where the block's data begin
	sum     hash.Hash
	blocks  int
}

// Read implements io.Reader.
func (x *xzReader) Read(p []byte) (int, error) {
	if !x.started {
		if err := x.header(); err != nil {
			return 0, err
		}
		x.started = true
	}
	if x.block == nil {
		more, err := x.blockHeader()
		if err != nil {
			return 0, err
		}
		if !more {
			return 0, x.index()
		}
	}
	n, err := x.block.Read(p)
	x.sum.Write(p[:n])
	if errors.Is(err, io.EOF) {
		x.block, err = nil, x.blockEnd()
	}
	return n, err
}

func (x *xzReader) header() error {
	b, err := x.r.Take(12)
	if err != nil {
		return err
	}
	if string(b[:6]) != xzMark || b[6] != 0 || b[7] > 15 || crc32.ChecksumIEEE(b[6:8]) != le32(b[8:]) {
		return errors.New("the header of the stream is damaged")
	}
	x.check = b[7]
	return nil
}

// blockHeader reads a block's header; false means that the index begins here.
func (x *xzReader) blockHeader() (bool, error) {
	first := x.r.Peek(1)
	if len(first) == 0 {
		return false, io.ErrUnexpectedEOF
	}
	if first[0] == 0 {
		return false, nil
	}
	if x.blocks++; x.blocks > xzMaxBlocks {
		return false, fmt.Errorf("more than %d blocks", xzMaxBlocks)
	}
	size := (int(first[0]) + 1) * 4
	b, err := x.r.Take(size)
	if err != nil {
		return false, err
	}
	if crc32.ChecksumIEEE(b[:size-4]) != le32(b[size-4:]) {
		return false, errors.New("the header of a block is damaged")
	}
	flags, b := b[1], b[2:size-4]
	for bit := byte(0x40); bit != 0; bit <<= 1 { // sizes, which the data tell again
		if flags&bit != 0 {
			if _, b, err = xzInt(b); err != nil {
				return false, err
			}
		}
	}
	if flags&3 != 0 || len(b) < 3 || b[0] != xzLZMA2 || b[1] != 1 || b[2] > 40 {
		return false, errors.New("filters other than LZMA2 are not supported")
	}
	dict := int64(2|b[2]&1) << (b[2]/2 + 11)
	if dict > maxWindow {
		return false, fmt.Errorf("a block asks for %d bytes of memory, over the limit of %d", dict, int64(maxWindow))
	}
	switch x.check {
	case 0:
		x.sum = none{}
	case 1:
		x.sum = crc32.NewIEEE()
	case 4:
		x.sum = crc64.New(crc64.MakeTable(crc64.ECMA))
	case 10:
		x.sum = sha256.New()
	default:
		return false, fmt.Errorf("checksum of kind %d is not supported", x.check)
	}
	x.from = x.r.Offset()
	x.block, err = lzma.Reader2Config{DictCap: int(dict)}.NewReader2(x.r)
	return err == nil, err
}

// blockEnd reads padding and checksum.
func (x *xzReader) blockEnd() error {
	if _, err := x.r.Take(int(-(x.r.Offset() - x.from) & 3)); err != nil {
		return err
	}
	want, err := x.r.Take(x.sum.Size())
	if err != nil {
		return err
	}
	got := x.sum.Sum(nil)
	if x.check != 10 { // the others are little-endian
		for i, j := 0, len(got)-1; i < j; i, j = i+1, j-1 {
			got[i], got[j] = got[j], got[i]
		}
	}
	if string(got) != string(want) {
		return errors.New("the checksum of a block is wrong")
	}
	return nil
}

// index passes over the index and the footer and ends the stream.
func (x *xzReader) index() error {
	from := x.r.Offset()
	x.r.Take(1)
	n, err := x.varint()
	if err != nil {
		return err
	}
	if n != uint64(x.blocks) {
		return fmt.Errorf("the index has %d blocks, the stream %d", n, x.blocks)
	}
	for range 2 * n {
		if _, err := x.varint(); err != nil {
			return err
		}
	}
	if _, err := x.r.Take(int(-(x.r.Offset()-from)&3) + 4); err != nil {
		return err
	}
	b, err := x.r.Take(12)
	if err != nil {
		return err
	}
	if string(b[10:]) != "YZ" || crc32.ChecksumIEEE(b[4:10]) != le32(b) {
		return errors.New("the footer of the stream is damaged")
	}
	return io.EOF
}

func (x *xzReader) varint() (uint64, error) {
	var v uint64
	for i := range 9 {
		c, err := x.r.ReadByte()
		if err != nil {
			return 0, io.ErrUnexpectedEOF
		}
		v |= uint64(c&0x7f) << (7 * i)
		if c < 0x80 {
			return v, nil
		}
	}
	return 0, errors.New("a number of more than nine bytes")
}

// xzInt reads a number of the format's variable length.
func xzInt(b []byte) (uint64, []byte, error) {
	var v uint64
	for i := 0; i < min(len(b), 9); i++ {
		v |= uint64(b[i]&0x7f) << (7 * i)
		if b[i] < 0x80 {
			return v, b[i+1:], nil
		}
	}
	return 0, nil, errors.New("a number that does not end")
}

func le32(b []byte) uint32 {
	return uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24
}

// none is the checksum of a stream without one.
type none struct{}

func (none) Write(p []byte) (int, error) { return len(p), nil }
func (none) Sum(b []byte) []byte         { return b }
func (none) Reset()                      {}
func (none) Size() int                   { return 0 }
func (none) BlockSize() int              { return 1 }
