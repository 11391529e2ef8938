package onnx_test

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/assize/assize/internal/onnx"
)

func TestTensorValues(t *testing.T) {
	inf := math.Inf(1)
	for _, test := range []struct {
		name   string
		tensor onnx.Tensor
		floats []float64
		ints   []int64
		err    string
	}{
		{name: "float16", tensor: onnx.Tensor{Type: onnx.Float16, Dims: []int64{6}, HasRaw: true,
			// 1, -2, largest 65504, smallest 2^-24, infinity, third: IEEE 754 binary16
			Raw: []byte{0, 0x3c, 0, 0xc0, 0xff, 0x7b, 1, 0, 0, 0x7c, 0x55, 0x35}},
			floats: []float64{1, -2, 65504, math.Ldexp(1, -24), inf, 0.333251953125}},
		{name: "bfloat16", tensor: onnx.Tensor{Type: onnx.BFloat16, Dims: []int64{2}, HasRaw: true, Raw: []byte{0x80, 0x3f, 0x49, 0x40}},
			floats: []float64{1, 3.140625}},
		{name: "float16 in int32_data", tensor: onnx.Tensor{Type: onnx.Float16, Dims: []int64{1}, DataIn: 5, Data: []byte{0x80, 0x78}}, // 15360
			floats: []float64{1}},
		{name: "int64_data", tensor: onnx.Tensor{Type: onnx.Int64, Dims: []int64{2}, DataIn: 7,
			Data: []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 5}}, ints: []int64{-1, 5}},
		{name: "uint32 in uint64_data", tensor: onnx.Tensor{Type: onnx.Uint32, Dims: []int64{1}, DataIn: 11,
			Data: []byte{0xff, 0xff, 0xff, 0xff, 0x0f}}, ints: []int64{math.MaxUint32}},
		{name: "int8 raw", tensor: onnx.Tensor{Type: onnx.Int8, Dims: []int64{2}, HasRaw: true, Raw: []byte{0xff, 1}}, ints: []int64{-1, 1}},
		{name: "rank 0", tensor: onnx.Tensor{Type: onnx.Bool, HasRaw: true, Raw: []byte{1}}, ints: []int64{1}},
		{name: "empty", tensor: onnx.Tensor{Type: onnx.Float, Dims: []int64{0, 5}}, floats: []float64{}},
		{name: "wrong field", tensor: onnx.Tensor{Type: onnx.Float, Dims: []int64{1}, DataIn: 5, Data: []byte{1}}, err: "instead of 4"},
		{name: "short", tensor: onnx.Tensor{Type: onnx.Float, Dims: []int64{2}, HasRaw: true, Raw: make([]byte, 4)}, err: "takes 8 bytes, the file holds 4"},
		{name: "overflow", tensor: onnx.Tensor{Type: onnx.Float, Dims: []int64{1 << 40, 1 << 40}}, err: "overflow"},
		{name: "negative", tensor: onnx.Tensor{Type: onnx.Float, Dims: []int64{-1}}, err: "negative dimension"},
		{name: "outside", tensor: onnx.Tensor{Type: onnx.Float, Location: 1}, err: "another file"},
		{name: "strings", tensor: onnx.Tensor{Type: onnx.String}, err: "have no bytes"},
	} {
		var err error
		var floats []float64
		var ints []int64
		if test.ints != nil {
			ints, err = test.tensor.Int64s()
		} else {
			floats, err = test.tensor.Float64s()
		}
		if (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) {
			t.Errorf("%s: got error %v, want %q", test.name, err, test.err)
		}
		if diff := cmp.Diff(floats, test.floats, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-got +want):\n%s", test.name, diff)
		}
		if diff := cmp.Diff(ints, test.ints); diff != "" {
			t.Errorf("%s (-got +want):\n%s", test.name, diff)
		}
	}
}
