package ort

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/assize/assize/internal/onnx"
)

// FromModel converts a tensor of a model file, such as an initializer, to
// one that a session takes.
func FromModel(t *onnx.Tensor) (*Tensor, error) {
	out := &Tensor{Type: t.Type, Shape: append([]int64{}, t.Dims...)}
	if t.Type == onnx.String {
		texts := make([]string, len(t.Texts))
		for i, s := range t.Texts {
			texts[i] = string(s)
		}
		out.Data = texts
		if n, err := t.Len(); err != nil || n != int64(len(texts)) {
			return nil, fmt.Errorf("read tensor %q: shape %v does not fit %d strings", t.Name, t.Dims, len(texts))
		}
		return out, nil
	}
	b, err := t.Bytes()
	if err != nil {
		return nil, err
	}
	le := binary.LittleEndian
	switch t.Type {
	case onnx.Float:
		out.Data = convert(b, 4, func(b []byte) float32 { return math.Float32frombits(le.Uint32(b)) })
	case onnx.Double:
		out.Data = convert(b, 8, func(b []byte) float64 { return math.Float64frombits(le.Uint64(b)) })
	case onnx.Int8:
		out.Data = convert(b, 1, func(b []byte) int8 { return int8(b[0]) })
	case onnx.Int16:
		out.Data = convert(b, 2, func(b []byte) int16 { return int16(le.Uint16(b)) })
	case onnx.Int32:
		out.Data = convert(b, 4, func(b []byte) int32 { return int32(le.Uint32(b)) })
	case onnx.Int64:
		out.Data = convert(b, 8, func(b []byte) int64 { return int64(le.Uint64(b)) })
	case onnx.Uint16:
		out.Data = convert(b, 2, le.Uint16)
	case onnx.Uint32:
		out.Data = convert(b, 4, le.Uint32)
	case onnx.Uint64:
		out.Data = convert(b, 8, le.Uint64)
	case onnx.Bool:
		out.Data = convert(b, 1, func(b []byte) bool { return b[0] != 0 })
	default:
		out.Data = b
	}
	return out, nil
}

func convert[T any](b []byte, width int, get func([]byte) T) []T {
	out := make([]T, len(b)/width)
	for i := range out {
		out[i] = get(b[i*width:])
	}
	return out
}
