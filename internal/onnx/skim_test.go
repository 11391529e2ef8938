package onnx_test

import (
	"bytes"
	"fmt"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/assize/assize/internal/onnx"
)

// meter counts the memory of a Skim and refuses more than most.
type meter struct{ held, peak, most int64 }

func (m *meter) take() onnx.Meter {
	return onnx.Meter{
		Hold: func(n int64) error {
			if m.held += n; m.held > m.most {
				return fmt.Errorf("more than %d bytes", m.most)
			}
			m.peak = max(m.peak, m.held)
			return nil
		},
		Spend: func(int64) error { return nil },
	}
}

func skim(b []byte) (*onnx.Skimmed, error) {
	m := &meter{most: 1 << 30}
	return onnx.Skim(bytes.NewReader(b), int64(len(b)), onnx.DefaultLimits(), m.take())
}

// TestSkimOfCorpus: a skimmed model is the model that Read gives, with its data where they are in the file.
func TestSkimOfCorpus(t *testing.T) {
	for name, b := range corpus(t) {
		got, err := skim(b)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got.Unread != 0 || got.End != int64(len(b)) || got.Structured+got.Opaque != int64(len(b)) {
			t.Errorf("%s: got %d structured, %d opaque and %d unread of %d, want all read", name, got.Structured, got.Opaque, got.Unread, len(b))
		}
		want, err := onnx.Read(b, onnx.DefaultLimits())
		if err != nil {
			t.Fatal(err)
		}
		fill := cmp.Transformer("data", func(x onnx.Tensor) string {
			raw, data := x.Raw, x.Data
			if x.RawAt.Len() > 0 {
				raw = b[x.RawAt.From:x.RawAt.To]
			}
			if x.PackedBytes > 0 {
				data = b[x.PackedAt.From:x.PackedAt.To]
			}
			return fmt.Sprintf("%q %v %v %v %x %x %d %q %d %v %v %x", x.Name, x.Type, x.Dims, x.HasRaw, raw, data, x.DataIn, x.Texts, x.Location, x.External, x.Metadata, x.Unknown)
		})
		if d := cmp.Diff(got.Model, want, fill, cmpopts.EquateEmpty(), cmpopts.IgnoreFields(onnx.Attribute{}, "Ints", "Floats")); d != "" {
			t.Errorf("%s: (-skimmed +read)\n%.2000s", name, d)
		}
	}
}

// TestSkimFindsHidden hides bytes in each place that no reader looks at.
func TestSkimFindsHidden(t *testing.T) {
	secret := make([]byte, 100)
	tensor := &onnx.Tensor{Name: "w", Type: onnx.Float, Dims: []int64{2}, HasRaw: true, Raw: make([]byte, 8)}
	graph := func(x *onnx.Tensor) []byte {
		return (&onnx.Model{Graph: &onnx.Graph{Initializers: []*onnx.Tensor{x}}}).Bytes()
	}
	with := func(change func(*onnx.Tensor)) []byte {
		x := *tensor
		change(&x)
		return graph(&x)
	}
	plain := graph(tensor)
	for _, test := range []struct {
		name   string
		in     []byte
		unread int64
	}{
		{"nothing hidden", plain, 0},
		{"unknown field", append(tag(99, secret), plain...), 103},
		{"unknown field in a tensor", with(func(x *onnx.Tensor) { x.Unknown = tag(99, secret) }), 103},
		{"raw data beyond the shape", with(func(x *onnx.Tensor) { x.Raw = make([]byte, 108) }), 100},
		{"typed data beside raw data", with(func(x *onnx.Tensor) { x.Data, x.DataIn = secret, 4 }), 100},
		{"data beside a file", with(func(x *onnx.Tensor) { x.Location = 1 }), 8},
		{"a string that is replaced", append(append(tag(2, secret), tag(2, []byte("me"))...), plain...), 100},
		{"bytes for a number", append(tag(1, secret), plain...), 102},
		{"numbers that are replaced", append([]byte{8, 1, 8, 2, 8, 3}, plain...), 4},
	} {
		got, err := skim(test.in)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		if got.Unread != test.unread || got.Structured+got.Opaque+got.Unread != int64(len(test.in)) {
			t.Errorf("%s: got %d+%d and %d unread of %d, want %d unread", test.name, got.Structured, got.Opaque, got.Unread, len(test.in), test.unread)
		}
	}
	if _, err := skim([]byte{0x3a, 0x7f}); err == nil {
		t.Error("a truncated file was accounted for")
	}
}

// holes is a file of zeros with some bytes at places.
type holes struct {
	size int64
	at   map[int64][]byte
}

func (h holes) ReadAt(p []byte, off int64) (int, error) {
	n := int(min(int64(len(p)), max(0, h.size-off)))
	clear(p[:n])
	for at, b := range h.at {
		if from, to := max(at, off), min(at+int64(len(b)), off+int64(n)); from < to {
			copy(p[from-off:to-off], b[from-at:])
		}
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// TestSkimOfGigabytes: 1.9 GB of raw data, and of packed floats, take the memory of what is around them.
func TestSkimOfGigabytes(t *testing.T) {
	const data = 1_900_000_000
	for _, field := range []protowire.Number{9, 4} {
		inner := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), data/4)
		inner = protowire.AppendVarint(protowire.AppendTag(inner, 2, protowire.VarintType), 1)
		inner = append(inner, "\x42\x01w"...) // its name
		inner = protowire.AppendVarint(protowire.AppendTag(inner, field, protowire.BytesType), data)
		tensor := protowire.AppendVarint(protowire.AppendTag(nil, 5, protowire.BytesType), uint64(len(inner)+data))
		graph := protowire.AppendVarint(protowire.AppendTag([]byte{8, 10}, 7, protowire.BytesType), uint64(len(tensor)+len(inner)+data))
		head := append(append(graph, tensor...), inner...)
		in := holes{int64(len(head)) + data, map[int64][]byte{0: head}}
		m := &meter{most: 1 << 20}
		got, err := onnx.Skim(in, in.size, onnx.DefaultLimits(), m.take())
		if err != nil {
			t.Errorf("field %d: %v", field, err)
			continue
		}
		w := got.Model.Graph.Initializers[0]
		if w.RawBytes()+w.DataBytes() != data || w.Fits() != nil || got.Unread != 0 || got.Structured+got.Opaque != in.size {
			t.Errorf("field %d: %+v, %v, %d unread", field, w, w.Fits(), got.Unread)
		}
		if _, err := w.Bytes(); err == nil {
			t.Errorf("field %d: data that were left out are given as if they were there", field)
		}
	}
}

// TestSkimIsMetered: what is kept is counted, and a file that keeps too much is refused.
func TestSkimIsMetered(t *testing.T) {
	var nodes, ints []byte
	for range 10_000 {
		nodes = append(nodes, tag(1, tag(4, []byte("Relu")))...)
	}
	ints = tag(1, tag(5, tag(8, make([]byte, 10<<20)))) // numbers of an attribute
	for _, test := range []struct {
		name string
		in   []byte
		fits bool
	}{
		{"many nodes", tag(7, nodes), false},
		{"dimensions", tag(7, tag(5, tag(1, make([]byte, 1<<20)))), false},
		{"a long name", tag(7, tag(2, make([]byte, 1<<20))), false},
		{"numbers of an attribute", tag(7, ints), true},
	} {
		m := &meter{most: 1 << 20}
		if _, err := onnx.Skim(bytes.NewReader(test.in), int64(len(test.in)), onnx.DefaultLimits(), m.take()); (err == nil) != test.fits {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}
