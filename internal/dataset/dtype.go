package dataset

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// dtype decodes one element of an array. Whole numbers of 64 bits are exact up
// to 2^53.
type dtype struct {
	size   int
	whole  bool // holds whole numbers only
	decode func([]byte) float64
}

// parseDtype understands the type strings of NumPy for real numbers.
func parseDtype(descr string) (dtype, error) {
	if len(descr) < 2 {
		return dtype{}, fmt.Errorf("element type %q is not known", clip(descr))
	}
	var order binary.ByteOrder = binary.LittleEndian
	switch descr[0] {
	case '<', '|':
	case '>':
		order = binary.BigEndian
	default:
		return dtype{}, fmt.Errorf("element type %q is not known", clip(descr))
	}
	switch descr[1:] {
	case "b1":
		return dtype{1, true, func(b []byte) float64 { return float64(min(b[0], 1)) }}, nil
	case "i1":
		return dtype{1, true, func(b []byte) float64 { return float64(int8(b[0])) }}, nil
	case "u1":
		return dtype{1, true, func(b []byte) float64 { return float64(b[0]) }}, nil
	case "i2":
		return dtype{2, true, func(b []byte) float64 { return float64(int16(order.Uint16(b))) }}, nil
	case "u2":
		return dtype{2, true, func(b []byte) float64 { return float64(order.Uint16(b)) }}, nil
	case "i4":
		return dtype{4, true, func(b []byte) float64 { return float64(int32(order.Uint32(b))) }}, nil
	case "u4":
		return dtype{4, true, func(b []byte) float64 { return float64(order.Uint32(b)) }}, nil
	case "i8":
		return dtype{8, true, func(b []byte) float64 { return float64(int64(order.Uint64(b))) }}, nil
	case "u8":
		return dtype{8, true, func(b []byte) float64 { return float64(order.Uint64(b)) }}, nil
	case "f2":
		return dtype{2, false, func(b []byte) float64 { return half(order.Uint16(b)) }}, nil
	case "f4":
		return dtype{4, false, func(b []byte) float64 { return float64(math.Float32frombits(order.Uint32(b))) }}, nil
	case "f8":
		return dtype{8, false, func(b []byte) float64 { return math.Float64frombits(order.Uint64(b)) }}, nil
	}
	switch descr[1] {
	case 'O':
		return dtype{}, errors.New("the array holds Python objects, which are pickles and never opened\nhint: save numbers: numpy.savez(path, x=x.astype(numpy.float32))")
	case 'U', 'S', 'a':
		return dtype{}, errors.New("the array holds text\nhint: save the index of each class as a whole number")
	}
	return dtype{}, fmt.Errorf("element type %q is not read\nhint: save it as float32, float64 or a whole number type", clip(descr))
}

// half widens an IEEE 754 binary16.
func half(h uint16) float64 {
	sign, exponent, fraction := 1.0, int(h>>10&0x1f), float64(h&0x3ff)
	if h&0x8000 != 0 {
		sign = -1
	}
	switch {
	case exponent == 0x1f && fraction != 0:
		return math.NaN()
	case exponent == 0x1f:
		return math.Inf(int(sign))
	case exponent == 0:
		return sign * math.Ldexp(fraction, -24)
	}
	return sign * math.Ldexp(fraction+1024, exponent-25)
}
