package onnx_test

import (
	"bytes"
	"os"
	"testing"

	"github.com/assize/assize/internal/onnx"
)

// FuzzRead reads, writes and reads again; what is read the second time is
// written alike, every byte is accounted for, and nothing panics.
func FuzzRead(f *testing.F) {
	seed, err := os.ReadFile("testdata/zipmap.onnx")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Add(nested(20))
	f.Add([]byte{0x3a, 0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Add(append([]byte{0x7b, 0x08, 1, 0x7c}, nested(1)...)) // a group before the graph
	f.Add(tag(7, tag(5, append(tag(1, []byte{2, 3}), tag(4, make([]byte, 24))...))))
	lim := onnx.Limits{MaxBytes: 1 << 20, MaxDepth: 100, MaxMessages: 10_000}
	f.Fuzz(func(t *testing.T, b []byte) {
		if s, err := skim(b); err == nil {
			if min(s.Structured, s.Opaque, s.Unread) < 0 || s.Structured+s.Opaque+s.Unread != s.End || s.End > int64(len(b)) {
				t.Fatalf("got %d, %d and %d bytes of %d", s.Structured, s.Opaque, s.Unread, s.End)
			}
			whole, err := onnx.Read(b[:s.End], lim)
			for i, tensor := range s.Model.Graph.Initializers {
				if at := tensor.RawAt; at.From < 0 || at.To < at.From || at.To > s.End {
					t.Fatalf("data at %+v of %d", at, s.End)
				}
				if err == nil && (tensor.RawBytes() != whole.Graph.Initializers[i].RawBytes() || tensor.DataBytes() != whole.Graph.Initializers[i].DataBytes()) {
					t.Fatalf("tensor %d: %+v and %+v", i, tensor, whole.Graph.Initializers[i])
				}
			}
		}
		m, err := onnx.Read(b, lim)
		if err != nil {
			return
		}
		m.Operators()
		m.ExternalData()
		for _, tensor := range m.Graph.Initializers {
			_, _ = tensor.Float64s()
			_, _ = tensor.Int64s()
		}
		onnx.DropZipMap(m)
		if free, _, err := onnx.FreeBatch(m); err == nil {
			free.Bytes()
		}
		written := m.Bytes()
		again, err := onnx.Read(written, lim)
		if err != nil {
			t.Fatalf("read what was written: %v", err)
		}
		if !bytes.Equal(again.Bytes(), written) {
			t.Fatal("written and read again differs")
		}
	})
}
