package remote

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// value is one field of a message: number for varints and fixed ones, bytes for the rest.
type value struct {
	kind   protowire.Type
	number uint64
	bytes  []byte // part of the message
}

// fields calls fn for every field of a message, in order.
func fields(b []byte, fn func(protowire.Number, value) error) error {
	for len(b) > 0 {
		n, kind, size := protowire.ConsumeTag(b)
		if size < 0 {
			return errors.New("it is not a message of protobuf")
		}
		b = b[size:]
		v := value{kind: kind}
		switch kind {
		case protowire.VarintType:
			v.number, size = protowire.ConsumeVarint(b)
		case protowire.Fixed32Type:
			var u uint32
			u, size = protowire.ConsumeFixed32(b)
			v.number = uint64(u)
		case protowire.Fixed64Type:
			v.number, size = protowire.ConsumeFixed64(b)
		case protowire.BytesType:
			v.bytes, size = protowire.ConsumeBytes(b)
		default:
			size = protowire.ConsumeFieldValue(n, kind, b)
		}
		if size < 0 {
			return errors.New("it is not a message of protobuf")
		}
		b = b[size:]
		if err := fn(n, v); err != nil {
			return err
		}
	}
	return nil
}

// wireTensor is an output with its numbers.
type wireTensor struct {
	restTensor
	contents []byte // the message with the numbers; nil where they lie outside
	values   []float32
}

// readTensor reads name, type, shape and contents of TensorMetadata, InferInputTensor and InferOutputTensor.
func readTensor(b []byte) (*wireTensor, error) {
	t := &wireTensor{}
	err := fields(b, func(n protowire.Number, v value) error {
		switch n {
		case 1:
			t.Name = string(v.bytes)
		case 2:
			t.Datatype = string(v.bytes)
		case 3:
			return varints(v, func(u uint64) error {
				if t.Shape = append(t.Shape, int64(u)); len(t.Shape) > 16 {
					return errors.New("it has a tensor of more than 16 dimensions")
				}
				return nil
			})
		case 5:
			t.contents = v.bytes
		}
		return nil
	})
	return t, err
}

// varints calls fn for the numbers of a repeated field, packed or not.
func varints(v value, fn func(uint64) error) error {
	if v.kind == protowire.VarintType {
		return fn(v.number)
	}
	for b := v.bytes; len(b) > 0; {
		u, size := protowire.ConsumeVarint(b)
		if size < 0 {
			return errors.New("it holds a number that is cut off")
		}
		if err := fn(u); err != nil {
			return err
		}
		b = b[size:]
	}
	return nil
}

// output finds the output in a ModelInferResponse and reads its numbers.
func (c *Client) output(b []byte) (*wireTensor, error) {
	var found *wireTensor
	tensors, at := 0, 0
	var outside [][]byte
	err := fields(b, func(n protowire.Number, v value) error {
		switch n {
		case 5:
			t, err := readTensor(v.bytes)
			if err != nil {
				return err
			}
			if t.Name == c.cfg.Output || c.cfg.Output == "" && found == nil {
				found, at = t, tensors
			}
			tensors++
		case 6:
			outside = append(outside, v.bytes)
		}
		return nil
	})
	switch {
	case err != nil:
		return nil, err
	case found == nil:
		return nil, fmt.Errorf("it holds %d outputs and none is named %q", tensors, c.cfg.Output)
	case len(outside) > 0 && len(outside) != tensors:
		return nil, fmt.Errorf("it holds %d outputs and the numbers of %d", tensors, len(outside))
	case len(outside) > 0:
		found.values, err = c.loose(found.Datatype, outside[at])
	default:
		found.values, err = c.packed(found.contents)
	}
	return found, err
}

// loose reads numbers that follow one another, little-endian, in the type's own width.
func (c *Client) loose(datatype string, b []byte) ([]float32, error) {
	le := binary.LittleEndian
	kinds := map[string]struct {
		size int
		read func([]byte) float64
	}{
		"FP32":   {4, func(b []byte) float64 { return float64(math.Float32frombits(le.Uint32(b))) }},
		"FP64":   {8, func(b []byte) float64 { return math.Float64frombits(le.Uint64(b)) }},
		"INT64":  {8, func(b []byte) float64 { return float64(int64(le.Uint64(b))) }},
		"INT32":  {4, func(b []byte) float64 { return float64(int32(le.Uint32(b))) }},
		"INT16":  {2, func(b []byte) float64 { return float64(int16(le.Uint16(b))) }},
		"INT8":   {1, func(b []byte) float64 { return float64(int8(b[0])) }},
		"UINT64": {8, func(b []byte) float64 { return float64(le.Uint64(b)) }},
		"UINT32": {4, func(b []byte) float64 { return float64(le.Uint32(b)) }},
		"UINT16": {2, func(b []byte) float64 { return float64(le.Uint16(b)) }},
		"UINT8":  {1, func(b []byte) float64 { return float64(b[0]) }},
		"BOOL":   {1, func(b []byte) float64 { return float64(min(1, b[0])) }},
	}
	if datatype == "BYTES" {
		var out []float32
		for len(b) > 0 {
			if len(b) < 4 || uint64(le.Uint32(b)) > uint64(len(b)-4) {
				return nil, errors.New("it holds a text that is cut off")
			}
			n := le.Uint32(b)
			v, err := c.class(string(b[4 : 4+n]))
			if err != nil {
				return nil, err
			}
			out, b = append(out, v), b[4+n:]
		}
		return out, nil
	}
	k, ok := kinds[datatype]
	if !ok || len(b)%k.size != 0 {
		return nil, fmt.Errorf("it holds %d bytes of type %.20q", len(b), datatype)
	}
	out := make([]float32, 0, len(b)/k.size)
	for ; len(b) > 0; b = b[k.size:] {
		out = append(out, float32(k.read(b)))
	}
	return out, nil
}

// packed reads InferTensorContents, in which every type has a field of its own.
func (c *Client) packed(b []byte) ([]float32, error) {
	var out []float32
	err := fields(b, func(n protowire.Number, v value) error {
		switch n {
		case 1, 2, 3, 4, 5: // truth values and whole numbers
			return varints(v, func(u uint64) error {
				f := float32(int64(u))
				switch n {
				case 2:
					f = float32(int32(u))
				case 4, 5:
					f = float32(u)
				}
				out = append(out, f)
				return nil
			})
		case 6:
			return c.floats("FP32", v, &out)
		case 7:
			return c.floats("FP64", v, &out)
		case 8:
			f, err := c.class(string(v.bytes))
			out = append(out, f)
			return err
		}
		return nil
	})
	return out, err
}

// floats reads a repeated field of floats, packed or not.
func (c *Client) floats(datatype string, v value, out *[]float32) error {
	switch v.kind {
	case protowire.Fixed32Type:
		*out = append(*out, math.Float32frombits(uint32(v.number)))
		return nil
	case protowire.Fixed64Type:
		*out = append(*out, float32(math.Float64frombits(v.number)))
		return nil
	}
	more, err := c.loose(datatype, v.bytes)
	*out = append(*out, more...)
	return err
}
