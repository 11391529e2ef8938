package onnx

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// message names a message of onnx-ml.proto in the schema below.
type message string

// The kinds of field that hold no message.
const (
	number  message = "number"  // a varint or a fixed number
	numbers message = "numbers" // a list of varints, packed or not
	opaque  message = "opaque"  // a string, or bytes: content that no reader of the structure interprets
	opaques message = "opaques" // the same, repeated
)

// schema tells, by field number, what each message of onnx-ml.proto (IR
// version 13) holds. Fields that it does not name are unread.
var schema = map[message]map[protowire.Number]message{
	"Model": {1: number, 2: opaque, 3: opaque, 4: opaque, 5: number, 6: opaque, 7: "Graph", 8: "Opset", 14: "Entry",
		20: "Training", 25: "Function", 26: "Device"},
	"Opset":    {1: opaque, 2: number},
	"Entry":    {1: opaque, 2: opaque},
	"Training": {1: "Graph", 2: "Graph", 3: "Entry", 4: "Entry"},
	"Device":   {1: opaque, 2: number, 3: opaques},
	"Function": {1: opaque, 4: opaques, 5: opaques, 6: opaques, 7: "Node", 8: opaque, 9: "Opset", 10: opaque,
		11: "Attribute", 12: "ValueInfo", 13: opaque, 14: "Entry"},
	"Graph": {1: "Node", 2: opaque, 5: "Tensor", 10: opaque, 11: "ValueInfo", 12: "ValueInfo", 13: "ValueInfo",
		14: "Annotation", 15: "Sparse", 16: "Entry"},
	"Annotation": {1: opaque, 2: "Entry"},
	"Node": {1: opaques, 2: opaques, 3: opaque, 4: opaque, 5: "Attribute", 6: opaque, 7: opaque, 8: opaque, 9: "Entry",
		10: "NodeDevice"},
	"NodeDevice": {1: opaque, 2: "Sharding", 3: number},
	"Sharding":   {1: opaque, 2: numbers, 3: "IntIntList", 4: "ShardedDim"},
	"IntIntList": {1: number, 2: numbers},
	"ShardedDim": {1: number, 2: "SimpleDim"},
	"SimpleDim":  {1: number, 2: opaque, 3: number},
	"Attribute": {1: opaque, 2: number, 3: number, 4: opaque, 5: "Tensor", 6: "Graph", 7: opaques, 8: opaques, 9: opaques,
		10: "Tensor", 11: "Graph", 13: opaque, 14: "Type", 15: "Type", 20: number, 21: opaque, 22: "Sparse", 23: "Sparse"},
	"Sparse": {1: "Tensor", 2: "Tensor", 3: numbers},
	"Tensor": {1: numbers, 2: number, 3: "Segment", 4: opaques, 5: opaques, 6: opaques, 7: opaques, 8: opaque, 9: opaque,
		10: opaques, 11: opaques, 12: opaque, 13: "Entry", 14: number, 16: "Entry"},
	"Segment":   {1: number, 2: number},
	"ValueInfo": {1: opaque, 2: "Type", 3: opaque, 4: "Entry"},
	"Type": {1: "TensorType", 4: "ElemType", 5: "MapType", 6: opaque, 7: "OpaqueType", 8: "TensorType",
		9: "ElemType"},
	"TensorType": {1: number, 2: "Shape"},
	"ElemType":   {1: "Type"},
	"MapType":    {1: number, 2: "Type"},
	"OpaqueType": {1: opaque, 2: opaque},
	"Shape":      {1: "Dim"},
	"Dim":        {1: number, 2: opaque, 3: opaque},
}

// Coverage accounts for every byte of a model file, so that bytes which no
// reader looks at, where something can be hidden, show as a number. The three
// counts add up to len(b):
//
//   - structured: tags, lengths and numbers of known messages;
//   - opaque: the content of known strings and tensor data;
//   - unread: fields that onnx-ml.proto does not know, strings and data that
//     a later occurrence of the same field replaces, and tensor data beyond
//     what shape and type call for or beside data that are in another file.
func Coverage(b []byte) (structured, opaque, unread int64, err error) {
	c := &coverage{}
	if err := c.message("Model", b, DefaultLimits().MaxDepth); err != nil {
		return 0, 0, 0, fmt.Errorf("account for the bytes of the model: %w", err)
	}
	return c.structured, c.opaque, c.unread, nil
}

type coverage struct{ structured, opaque, unread int64 }

func (c *coverage) message(name message, b []byte, depth int) error {
	if depth == 0 {
		return fmt.Errorf("messages nest too deep")
	}
	fields, whole := schema[name], b
	last := map[protowire.Number]int64{} // bytes of the last occurrence of a single string or number
	for len(b) > 0 {
		f, n, err := consume(b)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		b = b[n:]
		size, content, kind := int64(n), int64(len(f.b)), fields[f.num]
		isBytes := f.typ == protowire.BytesType
		switch {
		case f.typ == protowire.StartGroupType || f.typ == protowire.Fixed64Type && kind != opaques,
			kind == "", kind == number && isBytes, kind == opaque && !isBytes:
			c.unread += size
		case kind == number:
			c.structured, c.unread = c.structured+size-last[f.num], c.unread+last[f.num]
			last[f.num] = size
		case kind == opaque:
			c.opaque, c.unread = c.opaque+content-last[f.num], c.unread+last[f.num]
			c.structured += size - content
			last[f.num] = content
		case kind == numbers:
			c.structured += size
		case kind == opaques:
			c.structured += size - content
			c.opaque += content
		case !isBytes: // a message's field with a number in it
			c.unread += size
		default:
			c.structured += size - content
			if err := c.message(kind, f.b, depth-1); err != nil {
				return err
			}
		}
	}
	if name == "Tensor" {
		c.surplus(whole)
	}
	return nil
}

// surplus moves the data that a tensor does not use from opaque to unread:
// raw data beyond the shape, typed data beside raw data, and either beside
// data in another file.
func (c *coverage) surplus(b []byte) {
	t, err := (&decoder{lim: DefaultLimits()}).tensor(b)
	if err != nil {
		return // Read refuses such a file
	}
	raw, typed := int64(len(t.Raw)), int64(len(t.Data))
	extra := int64(0)
	if n, err := t.Len(); err == nil && t.Type.Bits() > 0 && n/64 <= raw {
		extra = max(0, raw-(n*t.Type.Bits()+7)/8)
	}
	if t.HasRaw {
		extra += typed
	}
	if t.Location != 0 {
		extra = raw + typed
	}
	c.opaque -= extra
	c.unread += extra
}
