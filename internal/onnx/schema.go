package onnx

import "google.golang.org/protobuf/encoding/protowire"

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
