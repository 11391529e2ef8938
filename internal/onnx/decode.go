package onnx

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"

	"google.golang.org/protobuf/encoding/protowire"
)

// Limits bound what Read accepts.
type Limits struct {
	MaxBytes    int64 // size of the file
	MaxDepth    int   // nesting of messages; protobuf itself stops at 100
	MaxMessages int   // messages in all: nodes, attributes, tensors, dimensions
}

// DefaultLimits are wide enough for every model that ONNX Runtime loads from
// one file (a protocol buffer ends at 2 GiB).
func DefaultLimits() Limits {
	return Limits{MaxBytes: 2<<30 - 1, MaxDepth: 100, MaxMessages: 2_000_000}
}

// Read decodes a model. Tensor data and unknown fields alias b, which must
// not change while the model is in use. A file in another format is named,
// with how to export it.
func Read(b []byte, lim Limits) (*Model, error) { return read("model", b, lim) }

// ReadFile reads and decodes the model in a regular file. Errors start with
// the file's name.
func ReadFile(ctx context.Context, path string, lim Limits) (*Model, error) {
	name := filepath.Base(path)
	b, err := load(ctx, path, lim)
	if err != nil {
		return nil, err
	}
	return read(name, b, lim)
}

// ReadTensor decodes a TensorProto that stands alone, as the .pb files of
// ONNX's operator tests do.
func ReadTensor(b []byte, lim Limits) (*Tensor, error) {
	if int64(len(b)) > lim.MaxBytes {
		return nil, tooLarge("tensor", int64(len(b)), lim)
	}
	t, err := (&decoder{lim: lim}).tensor(b)
	if err != nil {
		return nil, fmt.Errorf("read tensor: %w", err)
	}
	return t, nil
}

func read(name string, b []byte, lim Limits) (*Model, error) {
	if err := recognise(name, b[:min(len(b), SniffBytes)]); err != nil {
		return nil, err
	}
	if int64(len(b)) > lim.MaxBytes {
		return nil, tooLarge(name, int64(len(b)), lim)
	}
	d := &decoder{lim: lim}
	m, err := d.model(b)
	if err != nil {
		return nil, fmt.Errorf("read %q: %w\nhint: the file is truncated, damaged or not ONNX; export or copy it again", name, err)
	}
	return m, nil
}

func tooLarge(name string, size int64, lim Limits) error {
	return fmt.Errorf("read %q: %d bytes are over the limit of %d\nhint: store the weights as external data, or convert them to float32 or smaller",
		name, size, lim.MaxBytes)
}

// load reads a file whole, after its first bytes were recognised, so that a
// large file in another format costs nothing.
func load(ctx context.Context, path string, lim Limits) (b []byte, err error) {
	name := filepath.Base(path)
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("read %q: %w", name, errors.Unwrap(err))
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("read %q: not a regular file\nhint: name the .onnx file itself", name)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read %q: %w", name, errors.Unwrap(err))
	}
	defer f.Close()
	head := make([]byte, SniffBytes)
	n, err := io.ReadFull(f, head)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return nil, fmt.Errorf("read %q: %w", name, err)
	}
	if err := recognise(name, head[:n]); err != nil {
		return nil, err
	}
	size := info.Size()
	if size > lim.MaxBytes {
		return nil, tooLarge(name, size, lim)
	}
	b = make([]byte, size)
	n = copy(b, head[:n])
	for n < len(b) {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("read %q: %w", name, err)
		}
		k, err := io.ReadFull(f, b[n:min(n+16<<20, len(b))])
		n += k
		if err != nil {
			return nil, fmt.Errorf("read %q: the file became shorter while it was read: %w", name, err)
		}
	}
	return b, nil
}

// decoder counts what one Read has decoded.
type decoder struct {
	lim      Limits
	depth    int
	messages int
	skimmed  bool // data of tensors are references into the file
}

// field is one field of a message: u holds a varint, fixed32 or fixed64, b
// the payload of a length-delimited field.
type field struct {
	num protowire.Number
	typ protowire.Type
	u   uint64
	b   []byte
}

// fields calls take for each field of message b. Fields that take refuses
// (false) are returned as they were encoded.
func (d *decoder) fields(b []byte, take func(field) (bool, error)) (unknown []byte, err error) {
	if d.depth++; d.depth > d.lim.MaxDepth {
		return nil, fmt.Errorf("messages nest deeper than %d", d.lim.MaxDepth)
	}
	defer func() { d.depth-- }()
	if d.messages++; d.messages > d.lim.MaxMessages {
		return nil, fmt.Errorf("more than %d messages", d.lim.MaxMessages)
	}
	return eachField(b, take)
}

// eachField is fields without the counting.
func eachField(b []byte, take func(field) (bool, error)) (unknown []byte, err error) {
	for len(b) > 0 {
		f, n, err := consume(b)
		if err != nil {
			return nil, err
		}
		known := false
		if f.typ != protowire.StartGroupType {
			if known, err = take(f); err != nil {
				return nil, err
			}
		}
		if !known {
			unknown = append(unknown, b[:n]...)
		}
		b = b[n:]
	}
	return unknown, nil
}

// consume decodes the first field of b and returns how many bytes it takes.
func consume(b []byte) (f field, n int, err error) {
	num, typ, n := protowire.ConsumeTag(b)
	if n < 0 {
		return f, 0, fmt.Errorf("no valid field tag: %w", protowire.ParseError(n))
	}
	f.num, f.typ = num, typ
	rest, k := b[n:], 0
	switch typ {
	case protowire.VarintType:
		f.u, k = protowire.ConsumeVarint(rest)
	case protowire.Fixed32Type:
		var v uint32
		v, k = protowire.ConsumeFixed32(rest)
		f.u = uint64(v)
	case protowire.Fixed64Type:
		f.u, k = protowire.ConsumeFixed64(rest)
	case protowire.BytesType:
		size, m := protowire.ConsumeVarint(rest)
		if m >= 0 && size > uint64(len(rest)-m) {
			return f, 0, fmt.Errorf("field %d claims %d bytes, %d are left", num, size, len(rest)-m)
		}
		f.b, k = protowire.ConsumeBytes(rest)
	default:
		k = protowire.ConsumeFieldValue(num, typ, rest)
	}
	if k < 0 {
		return f, 0, fmt.Errorf("field %d: %w", num, protowire.ParseError(k))
	}
	return f, n + k, nil
}

// The setters below store a field where its wire type fits and report
// whether it did.

func text(dst *string, f field) (bool, error) {
	if f.typ != protowire.BytesType {
		return false, nil
	}
	*dst = string(f.b)
	return true, nil
}

func texts(dst *[]string, f field) (bool, error) {
	if f.typ != protowire.BytesType {
		return false, nil
	}
	*dst = append(*dst, string(f.b))
	return true, nil
}

func blob(dst *[]byte, f field) (bool, error) {
	if f.typ != protowire.BytesType {
		return false, nil
	}
	*dst = f.b
	return true, nil
}

func blobs(dst *[][]byte, f field) (bool, error) {
	if f.typ != protowire.BytesType {
		return false, nil
	}
	*dst = append(*dst, f.b)
	return true, nil
}

func integer[T ~int32 | ~int64](dst *T, f field) (bool, error) {
	if f.typ != protowire.VarintType {
		return false, nil
	}
	*dst = T(f.u)
	return true, nil
}

// integers takes repeated integers, packed or not.
func integers(dst *[]int64, f field) (bool, error) {
	switch f.typ {
	case protowire.VarintType:
		*dst = append(*dst, int64(f.u))
		return true, nil
	case protowire.BytesType:
		for b := f.b; len(b) > 0; {
			v, n := protowire.ConsumeVarint(b)
			if n < 0 {
				return false, fmt.Errorf("field %d: %w", f.num, protowire.ParseError(n))
			}
			*dst = append(*dst, int64(v))
			b = b[n:]
		}
		return true, nil
	}
	return false, nil
}

// floats takes repeated float32s, packed or not.
func floats(dst *[]float32, f field) (bool, error) {
	switch f.typ {
	case protowire.Fixed32Type:
		*dst = append(*dst, math.Float32frombits(uint32(f.u)))
		return true, nil
	case protowire.BytesType:
		for b := f.b; len(b) > 0; {
			v, n := protowire.ConsumeFixed32(b)
			if n < 0 {
				return false, fmt.Errorf("field %d: %w", f.num, protowire.ParseError(n))
			}
			*dst = append(*dst, math.Float32frombits(v))
			b = b[n:]
		}
		return true, nil
	}
	return false, nil
}

// one decodes a field that may occur once. Protobuf would merge a second
// occurrence, which no exporter writes and parsers treat differently.
func one[T any](dst **T, f field, what string, decode func([]byte) (*T, error)) (bool, error) {
	if f.typ != protowire.BytesType {
		return false, nil
	}
	if *dst != nil {
		return false, fmt.Errorf("%s occurs twice", what)
	}
	v, err := decode(f.b)
	if err != nil {
		return false, fmt.Errorf("%s: %w", what, err)
	}
	*dst = v
	return true, nil
}

// many decodes one occurrence of a repeated field.
func many[T any](dst *[]T, f field, what string, decode func([]byte) (T, error)) (bool, error) {
	if f.typ != protowire.BytesType {
		return false, nil
	}
	v, err := decode(f.b)
	if err != nil {
		return false, fmt.Errorf("%s %d: %w", what, len(*dst), err)
	}
	*dst = append(*dst, v)
	return true, nil
}
