package window_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/assize/assize/internal/scan/window"
)

// TestReader reads a long file in every way and keeps its place.
func TestReader(t *testing.T) {
	b := make([]byte, 300_000)
	for i := range b {
		b[i] = byte(i * 7 / 3)
	}
	r := window.New(bytes.NewReader(b), 10, int64(len(b)))
	if v, err := r.Uint32(); err != nil || v != uint32(b[10])|uint32(b[11])<<8|uint32(b[12])<<16|uint32(b[13])<<24 {
		t.Errorf("Uint32 = %#x, %v", v, err)
	}
	if v, err := window.New(bytes.NewReader(b), 10, 20).BigEndian().Uint16(); err != nil || v != uint16(b[10])<<8|uint16(b[11]) {
		t.Errorf("Uint16, big-endian = %#x, %v", v, err)
	}
	if got := r.Peek(1 << 20); len(got) != 64<<10 || !bytes.Equal(got, b[14:14+64<<10]) {
		t.Errorf("Peek gave %d bytes", len(got))
	}
	if got, err := r.Bytes(100_000, 1<<20); err != nil || !bytes.Equal(got, b[14:100_014]) {
		t.Errorf("Bytes gave %d bytes, %v", len(got), err)
	}
	if err := r.Skip(50_000); err != nil || r.Offset() != 150_014 || r.Left() != 149_986 {
		t.Errorf("at %d, %d left, %v", r.Offset(), r.Left(), err)
	}
	if rest, err := io.ReadAll(r); err != nil || !bytes.Equal(rest, b[150_014:]) {
		t.Errorf("the rest has %d bytes, %v", len(rest), err)
	}
	if err := iotest.TestReader(window.New(bytes.NewReader(b), 1000, 200_000), b[1000:200_000]); err != nil {
		t.Error(err)
	}
}

// TestClaims refuses lengths that the range does not hold, without taking memory for them.
func TestClaims(t *testing.T) {
	r := window.New(strings.NewReader("0123456789"), 0, 8)
	for name, err := range map[string]error{
		"skip":  r.Skip(9),
		"bytes": second(r.Bytes(1<<63, 1<<62)),
		"take":  second(r.Take(9)),
	} {
		if !errors.Is(err, io.ErrUnexpectedEOF) || !strings.Contains(err.Error(), "8 are left") {
			t.Errorf("%s: error %v", name, err)
		}
	}
	if _, err := r.Bytes(6, 5); err == nil || !strings.Contains(err.Error(), "limit of 5") {
		t.Errorf("over the limit: error %v", err)
	}
	if _, err := window.New(strings.NewReader("01"), 0, 8).Uint64(); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a file shorter than its range: error %v", err)
	}
	broken := window.New(brokenFile{}, 0, 8)
	if _, err := broken.ReadByte(); err == nil || !strings.Contains(err.Error(), "disk") {
		t.Errorf("a disk error: %v", err)
	}
}

func second[T any](_ T, err error) error { return err }

type brokenFile struct{}

func (brokenFile) ReadAt([]byte, int64) (int, error) { return 0, errors.New("disk on fire") }
