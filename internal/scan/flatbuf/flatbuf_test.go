package flatbuf_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assize/assize/internal/scan"
	"github.com/assize/assize/internal/scan/flatbuf"
	"github.com/assize/assize/internal/scan/scantest"
)

// format reads a file that is one buffer, and keeps what it says.
type format struct{ texts *[]string }

func (format) Name() string                              { return "flat" }
func (format) Sniff([]byte, *scan.Input) scan.Confidence { return scan.Sure }
func (f format) Scan(ctx context.Context, in *scan.Input, out *scan.Sink) error {
	o, err := flatbuf.Read(ctx, in, out, 0, in.Size, schema(), "Root", "flat")
	if err != nil {
		return err
	}
	keep := func(at, n int64) error {
		b := make([]byte, n)
		_, err := in.ReadAt(b, at)
		*f.texts = append(*f.texts, string(b))
		return err
	}
	if at, n, err := o.Vector(0); err != nil {
		return err
	} else if n > 0 {
		if err := keep(at, n); err != nil {
			return err
		}
	}
	if err := o.Texts(1, keep); err != nil {
		return err
	}
	return o.Objects(3, func(o flatbuf.Object) error {
		_, err := o.Uint(0, 4, 7)
		return err
	})
}

func schema() flatbuf.Schema {
	return flatbuf.Schema{
		"Root": {{Kind: flatbuf.Text}, {Kind: flatbuf.Texts}, {Kind: flatbuf.Array, Size: 8}, {Kind: flatbuf.Tables, Of: "Leaf"}, {Kind: flatbuf.Value, Size: 1}, {Kind: flatbuf.Union, Of: "Leaf Root"}},
		"Leaf": {{Kind: flatbuf.Value, Size: 4}},
	}
}

// buffer is a table with a text, two texts, two numbers, two leaves that are one, and a leaf in a union.
func buffer() []byte {
	var b []byte
	u16 := func(n ...uint16) {
		for _, v := range n {
			b = binary.LittleEndian.AppendUint16(b, v)
		}
	}
	u32 := func(n ...uint32) {
		for _, v := range n {
			b = binary.LittleEndian.AppendUint32(b, v)
		}
	}
	refer := func(place int) { binary.LittleEndian.PutUint32(b[place:], uint32(len(b)-place)) }
	text := func(s string) {
		u32(uint32(len(s)))
		b = append(b, s...)
		b = append(b, make([]byte, 4-len(s)%4)...)
	}
	u32(20)                           // 0: the root
	u16(16, 28, 4, 8, 12, 16, 20, 24) // 4: its fields
	u32(16, 0, 0, 0, 0, 1, 0)         // 20: the root
	refer(24)
	text("one")
	refer(28)
	at := len(b)
	u32(2, 0, 0)
	refer(at + 4)
	text("two")
	refer(at + 8)
	text("three")
	refer(32)
	u32(2, 1, 2, 3, 4)
	refer(36)
	at = len(b)
	u32(2, 0, 0)
	u16(6, 8, 4, 0)
	refer(at + 4)
	refer(at + 8)
	refer(44)
	u32(8, 5)
	return b
}

func read(t testing.TB, b []byte) (scan.FileReport, []string) {
	var texts []string
	all := scantest.Scan(t, &scan.Scanner{Formats: []scan.Format{format{&texts}}}, b)
	return scantest.File(all), texts
}

func TestRead(t *testing.T) {
	got, texts := read(t, buffer())
	if got.Outcome != scan.Clean || got.Coverage.Opaque != 16 || got.Coverage.Unread != 0 {
		t.Errorf("%+v", got)
	}
	if diff := cmp.Diff(texts, []string{"one", "two", "three"}); diff != "" {
		t.Error(diff)
	}
}

func TestHostile(t *testing.T) {
	change := func(at int, v uint32) []byte {
		b := buffer()
		binary.LittleEndian.PutUint32(b[at:], v)
		return b
	}
	b := buffer()
	for _, test := range []struct {
		name string
		b    []byte
		want scan.Outcome
		rule string
	}{
		{"root outside", change(0, 1<<31), scan.Dangerous, "flat/offset"},
		{"root at itself", change(0, 0), scan.Dangerous, "flat/offset"},
		{"list of fields before the buffer", change(20, 1<<20), scan.Dangerous, "flat/offset"},
		{"text outside", change(24, 1<<20), scan.Dangerous, "flat/offset"},
		{"text of 4 GB", change(48, 1<<32-1), scan.Dangerous, "flat/offset"},
		{"text without an end", append(bytes.Replace(b, []byte("one\x00"), []byte("oneX"), 1), 0), scan.Dangerous, "flat/offset"},
		{"vector of 4 billion", change(bytes.Index(b, []byte("three"))+8, 1<<32-1), scan.Dangerous, "flat/offset"},
		{"two parts in one place", change(32, binary.LittleEndian.Uint32(b[24:])-8), scan.Dangerous, "flat/overlap"},
		{"bytes behind", append(buffer(), "something else in it"...), scan.Dangerous, "flat/hidden-bytes"},
		{"zeros behind", append(buffer(), make([]byte, 64)...), scan.Dangerous, "flat/hidden-bytes"},
		{"a choice that nobody knows", change(40, 3), scan.Incomplete, "flat/unknown-field"},
		{"short", b[:7], scan.Dangerous, "flat/offset"},
		{"empty", []byte("\x04\x00\x00"), scan.Dangerous, "flat/offset"},
	} {
		got, _ := read(t, test.b)
		if got.Outcome != test.want || !slices.ContainsFunc(got.Findings, func(f scan.Finding) bool { return f.Rule == test.rule }) {
			t.Errorf("%s: %+v, want %s by %s", test.name, got, test.want, test.rule)
		}
	}
	for n := range b {
		if got, _ := read(t, b[:n]); n > 0 && got.Outcome == scan.Clean {
			t.Errorf("the first %d bytes of %d are clean", n, len(b))
		}
	}
}

// TestOften: a buffer in which a million places refer to the same table is read in its own size.
func TestOften(t *testing.T) {
	var b []byte
	for _, v := range []uint32{12, 0x0008_000c, 0x0000_0000} {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	binary.LittleEndian.PutUint16(b[4:], 12)
	b = b[:4]
	for _, v := range []uint16{12, 8, 0, 0, 0, 4} {
		b = binary.LittleEndian.AppendUint16(b, v)
	}
	binary.LittleEndian.PutUint32(b, uint32(len(b)))
	b = binary.LittleEndian.AppendUint32(b, 12) // the root
	b = binary.LittleEndian.AppendUint32(b, 4)
	const n = 1_000_000
	b = binary.LittleEndian.AppendUint32(b, n)
	leaf := len(b) + 4*n + 4
	for len(b) < leaf-4 {
		b = binary.LittleEndian.AppendUint32(b, uint32(leaf-len(b)))
	}
	b = append(b, 4, 0, 4, 0) // no fields
	b = append(b, 4, 0, 0, 0)
	scantest.Bounded(t, func() {
		if got, _ := read(t, b); got.Outcome != scan.Clean {
			t.Errorf("%+v", got)
		}
	})
}

// FuzzRead: whatever the bytes, the walk ends, and what it allows can be read.
func FuzzRead(f *testing.F) {
	f.Add(buffer())
	f.Add([]byte(strings.Repeat("\x04\x00\x04\x00", 10)))
	f.Fuzz(func(t *testing.T, b []byte) { read(t, b) })
}
