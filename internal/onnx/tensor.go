package onnx

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
)

// DataType is the type of a tensor's elements.
type DataType int32

// The types of element, numbered as TensorProto.DataType.
const (
	Undefined  DataType = 0
	Float      DataType = 1
	Uint8      DataType = 2
	Int8       DataType = 3
	Uint16     DataType = 4
	Int16      DataType = 5
	Int32      DataType = 6
	Int64      DataType = 7
	String     DataType = 8
	Bool       DataType = 9
	Float16    DataType = 10
	Double     DataType = 11
	Uint32     DataType = 12
	Uint64     DataType = 13
	Complex64  DataType = 14
	Complex128 DataType = 15
	BFloat16   DataType = 16
)

// typeFacts holds name and element width in bits by DataType, after the
// comments of onnx-ml.proto.
var typeFacts = [...]struct {
	name string
	bits int64
}{
	{"undefined", 0}, {"float", 32}, {"uint8", 8}, {"int8", 8}, {"uint16", 16}, {"int16", 16}, {"int32", 32},
	{"int64", 64}, {"string", 0}, {"bool", 8}, {"float16", 16}, {"double", 64}, {"uint32", 32}, {"uint64", 64},
	{"complex64", 64}, {"complex128", 128}, {"bfloat16", 16}, {"float8e4m3fn", 8}, {"float8e4m3fnuz", 8},
	{"float8e5m2", 8}, {"float8e5m2fnuz", 8}, {"uint4", 4}, {"int4", 4}, {"float4e2m1", 4}, {"float8e8m0", 8},
	{"uint2", 2}, {"int2", 2},
}

// String returns the type's name in ONNX's spelling, such as "float".
func (d DataType) String() string {
	if d < 0 || int(d) >= len(typeFacts) {
		return fmt.Sprintf("type %d", int32(d))
	}
	return typeFacts[d].name
}

// Bits returns the width of one element in bits; 0 for strings and types
// that the package does not know.
func (d DataType) Bits() int64 {
	if d < 0 || int(d) >= len(typeFacts) {
		return 0
	}
	return typeFacts[d].bits
}

// Tensor is a TensorProto. Its data are raw little-endian bytes, or packed
// in one of the typed fields, or in another file (Location external). Both
// raw and packed data alias the slice that the model was read from; do not
// change them.
type Tensor struct {
	Name     string
	Doc      string
	Type     DataType
	Dims     []int64
	HasRaw   bool
	Raw      []byte
	Data     []byte   // elements of the typed field, encoded packed as protobuf does
	DataIn   int32    // number of that field: 4 float, 5 int32, 7 int64, 10 double, 11 uint64; 0 none
	Texts    [][]byte // string_data
	Location int32    // 0 here, 1 external
	External []Entry  // location, offset, length, checksum
	Metadata []Entry
	Unknown  []byte

	// Of a skimmed model raw data and packed floats and doubles stay in the file.
	RawAt       Span  // where raw data are
	PackedAt    Span  // where the first packed run is
	PackedBytes int64 // of all runs; exporters write one
}

// RawBytes is the length of the raw data, wherever they are.
func (t *Tensor) RawBytes() int64 { return int64(len(t.Raw)) + t.RawAt.Len() }

// DataBytes is the length of the typed data as they are encoded, wherever they are.
func (t *Tensor) DataBytes() int64 { return int64(len(t.Data)) + t.PackedBytes }

// The field numbers of TensorProto's typed data.
const (
	inFloat  = 4
	inInt32  = 5
	inInt64  = 7
	inDouble = 10
	inUint64 = 11
)

// NewFloats returns a float32 tensor. The values are copied.
func NewFloats(name string, dims []int64, values []float32) *Tensor {
	raw := make([]byte, 0, 4*len(values))
	for _, v := range values {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	return &Tensor{Name: name, Type: Float, Dims: slices.Clone(dims), HasRaw: true, Raw: raw}
}

// NewInts returns an int64 tensor. The values are copied.
func NewInts(name string, dims []int64, values []int64) *Tensor {
	raw := make([]byte, 0, 8*len(values))
	for _, v := range values {
		raw = binary.LittleEndian.AppendUint64(raw, uint64(v))
	}
	return &Tensor{Name: name, Type: Int64, Dims: slices.Clone(dims), HasRaw: true, Raw: raw}
}

// Len returns the number of elements that the dimensions call for; it
// refuses a negative dimension and a product over 2^62.
func (t *Tensor) Len() (int64, error) { return product(t.Dims) }

func product(dims []int64) (int64, error) {
	n := uint64(1)
	if slices.Contains(dims, 0) {
		n = 0
	}
	for _, d := range dims {
		if d < 0 {
			return 0, fmt.Errorf("negative dimension %d", d)
		}
		hi, lo := bits.Mul64(n, uint64(d))
		if hi != 0 || lo > 1<<62 {
			return 0, fmt.Errorf("dimensions %v overflow", dims)
		}
		n = lo
	}
	return int64(n), nil
}

// Bytes returns the elements as little-endian bytes, aliased where the file
// holds them so, else decoded from the typed field. It refuses strings,
// external data, data that a Skim left in the file, and data whose length
// differs from what the dimensions and the type call for.
func (t *Tensor) Bytes() ([]byte, error) {
	if t.RawAt.Len()+t.PackedBytes > 0 {
		return nil, fmt.Errorf("read tensor %q: its data were left in the file", t.Name)
	}
	if err := t.Fits(); err != nil {
		return nil, err
	}
	if t.HasRaw {
		return t.Raw, nil
	}
	return t.unpack(int(t.Type.Bits()))
}

// Fits tells whether the data, wherever in the file, have the length that the
// dimensions and the type call for. It refuses what Bytes refuses.
func (t *Tensor) Fits() error {
	fail := func(format string, a ...any) error {
		return fmt.Errorf("read tensor %q: %s", t.Name, fmt.Sprintf(format, a...))
	}
	if t.Location != 0 {
		return fail("its data are in another file")
	}
	width := t.Type.Bits()
	if width == 0 {
		return fail("elements of type %v have no bytes", t.Type)
	}
	n, err := t.Len()
	if err != nil {
		return fail("%v", err)
	}
	have := t.DataBytes()
	if t.HasRaw {
		have = t.RawBytes()
	}
	if have < n/64 { // at least two bits an element: guards the products below
		return fail("shape %v holds %d elements, the file %d bytes", t.Dims, n, have)
	}
	if n > math.MaxInt64/width-7 {
		return fail("dimensions %v overflow", t.Dims)
	}
	if !t.HasRaw {
		if have, err = t.unpacked(width); err != nil {
			return fail("%v", err)
		}
	}
	if want := (n*width + 7) / 8; have != want {
		return fail("shape %v of %v takes %d bytes, the file holds %d", t.Dims, t.Type, want, have)
	}
	return nil
}

// unpacked is how many bytes the elements of typed data take at that width.
func (t *Tensor) unpacked(width int64) (int64, error) {
	if t.DataIn == 0 {
		return 0, nil
	}
	wanted := map[DataType]int32{Float: inFloat, Complex64: inFloat, Double: inDouble, Complex128: inDouble,
		Int64: inInt64, Uint32: inUint64, Uint64: inUint64}[t.Type]
	if wanted == 0 {
		wanted = inInt32
	}
	if t.DataIn != wanted {
		return 0, fmt.Errorf("data of type %v are in field %d instead of %d", t.Type, t.DataIn, wanted)
	}
	if wanted == inFloat || wanted == inDouble {
		return t.DataBytes(), nil
	}
	count := int64(0)
	for b := t.Data; len(b) > 0; count++ {
		_, n := protowire.ConsumeVarint(b)
		if n < 0 {
			return 0, fmt.Errorf("typed data end inside a number")
		}
		b = b[n:]
	}
	return count * max(1, width/8), nil // types narrower than a byte are packed into bytes already
}

// unpack turns packed typed data that fit into little-endian elements of that width.
func (t *Tensor) unpack(width int) ([]byte, error) {
	if t.DataIn == 0 || t.DataIn == inFloat || t.DataIn == inDouble {
		return t.Data, nil
	}
	var out []byte
	for b := t.Data; len(b) > 0; {
		v, n := protowire.ConsumeVarint(b)
		if n < 0 {
			return nil, fmt.Errorf("read tensor %q: typed data end inside a number", t.Name)
		}
		b = b[n:]
		switch {
		case width <= 8:
			out = append(out, byte(v))
		case width == 16:
			out = binary.LittleEndian.AppendUint16(out, uint16(v))
		case width == 32:
			out = binary.LittleEndian.AppendUint32(out, uint32(v))
		default:
			out = binary.LittleEndian.AppendUint64(out, v)
		}
	}
	return out, nil
}

// Float32s returns the elements of a float tensor in row-major order.
func (t *Tensor) Float32s() ([]float32, error) {
	if t.Type != Float {
		return nil, fmt.Errorf("read tensor %q: elements are %v, not float", t.Name, t.Type)
	}
	b, err := t.Bytes()
	if err != nil {
		return nil, err
	}
	out := make([]float32, len(b)/4)
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return out, nil
}

// Float64s returns the elements of a float, double, float16 or bfloat16
// tensor in row-major order.
func (t *Tensor) Float64s() ([]float64, error) {
	b, err := t.Bytes()
	if err != nil {
		return nil, err
	}
	var get func(i int) float64
	le := binary.LittleEndian
	switch t.Type {
	case Float:
		get = func(i int) float64 { return float64(math.Float32frombits(le.Uint32(b[4*i:]))) }
	case Double:
		get = func(i int) float64 { return math.Float64frombits(le.Uint64(b[8*i:])) }
	case BFloat16:
		get = func(i int) float64 { return float64(math.Float32frombits(uint32(le.Uint16(b[2*i:])) << 16)) }
	case Float16:
		get = func(i int) float64 { return half(le.Uint16(b[2*i:])) }
	default:
		return nil, fmt.Errorf("read tensor %q: elements are %v, not floating point", t.Name, t.Type)
	}
	out := make([]float64, int64(len(b))*8/t.Type.Bits())
	for i := range out {
		out[i] = get(i)
	}
	return out, nil
}

// half converts an IEEE 754 binary16 number.
func half(h uint16) float64 {
	sign, exp, frac := 1.0, int(h>>10&31), float64(h&1023)
	if h>>15 != 0 {
		sign = -1
	}
	switch exp {
	case 0:
		return sign * math.Ldexp(frac, -24)
	case 31:
		if frac != 0 {
			return math.NaN()
		}
		return math.Inf(int(sign))
	}
	return sign * math.Ldexp(1024+frac, exp-25)
}

// Int64s returns the elements of an integer or bool tensor in row-major
// order; uint64 values over the range of int64 wrap.
func (t *Tensor) Int64s() ([]int64, error) {
	b, err := t.Bytes()
	if err != nil {
		return nil, err
	}
	var get func(i int) int64
	le := binary.LittleEndian
	switch t.Type {
	case Int64, Uint64:
		get = func(i int) int64 { return int64(le.Uint64(b[8*i:])) }
	case Int32:
		get = func(i int) int64 { return int64(int32(le.Uint32(b[4*i:]))) }
	case Uint32:
		get = func(i int) int64 { return int64(le.Uint32(b[4*i:])) }
	case Int16:
		get = func(i int) int64 { return int64(int16(le.Uint16(b[2*i:]))) }
	case Uint16:
		get = func(i int) int64 { return int64(le.Uint16(b[2*i:])) }
	case Int8:
		get = func(i int) int64 { return int64(int8(b[i])) }
	case Uint8, Bool:
		get = func(i int) int64 { return int64(b[i]) }
	default:
		return nil, fmt.Errorf("read tensor %q: elements are %v, not integers", t.Name, t.Type)
	}
	out := make([]int64, int64(len(b))*8/t.Type.Bits())
	for i := range out {
		out[i] = get(i)
	}
	return out, nil
}
