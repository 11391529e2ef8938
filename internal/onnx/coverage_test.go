package onnx_test

import (
	"testing"

	"github.com/assize/assize/internal/onnx"
)

func TestCoverageOfCorpus(t *testing.T) {
	for name, b := range corpus(t) {
		structured, opaque, unread, err := onnx.Coverage(b)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if unread != 0 || structured+opaque != int64(len(b)) {
			t.Errorf("%s: got %d structured, %d opaque and %d unread of %d, want all read", name, structured, opaque, unread, len(b))
		}
	}
}

// TestCoverageFindsHidden hides bytes in each place that no reader looks at.
func TestCoverageFindsHidden(t *testing.T) {
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
		structured, opaque, unread, err := onnx.Coverage(test.in)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		if unread != test.unread || structured+opaque+unread != int64(len(test.in)) {
			t.Errorf("%s: got %d+%d and %d unread of %d, want %d unread", test.name, structured, opaque, unread, len(test.in), test.unread)
		}
	}
	if _, _, _, err := onnx.Coverage([]byte{0x3a, 0x7f}); err == nil {
		t.Error("a truncated file was accounted for")
	}
}
