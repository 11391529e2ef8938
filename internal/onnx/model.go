// Package onnx reads, inspects, rewrites and writes ONNX models. It decodes
// the protocol-buffer messages of onnx-ml.proto over protowire within limits,
// because a model file is untrusted: nothing is allocated by what a length
// field claims, nesting is bounded, and every failure is one error. It runs
// nothing; package ort does.
package onnx

// Model is a decoded ModelProto. Messages and fields that the package does
// not interpret are kept in the Unknown fields as they were encoded and are
// written again, so that Read followed by Bytes loses nothing but the order
// of fields and scalars that were spelled out at their default. Tensor data
// alias the slice that was read.
type Model struct {
	IRVersion       int64
	Opsets          []Opset
	Producer        string
	ProducerVersion string
	Domain          string
	Version         int64
	Doc             string
	Graph           *Graph
	Metadata        []Entry
	Training        []*Training
	Functions       []*Function
	Unknown         []byte
}

// Opset is one imported operator set. An empty domain is ai.onnx.
type Opset struct {
	Domain  string
	Version int64
	Unknown []byte
}

// Entry is a key with a value (StringStringEntryProto).
type Entry struct {
	Key, Value string
	Unknown    []byte
}

// Training is a TrainingInfoProto. Inference never runs it, but its graphs
// may hold operators and tensors, so they are decoded too.
type Training struct {
	Initialization, Algorithm *Graph
	Unknown                   []byte
}

// Graph is a GraphProto: the graph of a model or of a control-flow attribute.
type Graph struct {
	Name               string
	Doc                string
	Nodes              []*Node
	Inputs             []*ValueInfo
	Outputs            []*ValueInfo
	ValueInfos         []*ValueInfo
	Initializers       []*Tensor
	SparseInitializers []*SparseTensor
	Metadata           []Entry
	Unknown            []byte
}

// Function is a FunctionProto: an operator that the model defines itself.
type Function struct {
	Domain, Name, Overload string
	Doc                    string
	Inputs, Outputs        []string
	AttributeNames         []string     // attributes without a default
	Attributes             []*Attribute // attributes with a default
	Nodes                  []*Node
	Opsets                 []Opset
	ValueInfos             []*ValueInfo
	Metadata               []Entry
	Unknown                []byte
}

// Node is a NodeProto: one call of an operator. An empty input name is an
// optional input that is left out.
type Node struct {
	OpType, Domain, Name, Overload string
	Doc                            string
	Inputs, Outputs                []string
	Attributes                     []*Attribute
	Metadata                       []Entry
	Unknown                        []byte
}

// Attribute returns the attribute of that name, or nil.
func (n *Node) Attribute(name string) *Attribute {
	for _, a := range n.Attributes {
		if a.Name == name {
			return a
		}
	}
	return nil
}

// Int returns the integer attribute of that name, or def where it is absent.
func (n *Node) Int(name string, def int64) int64 {
	if a := n.Attribute(name); a != nil {
		return a.Int
	}
	return def
}

// AttributeType says which field of an Attribute holds its value.
type AttributeType int32

// The types of attribute, numbered as AttributeProto.AttributeType.
const (
	AttrUndefined     AttributeType = 0
	AttrFloat         AttributeType = 1
	AttrInt           AttributeType = 2
	AttrString        AttributeType = 3
	AttrTensor        AttributeType = 4
	AttrGraph         AttributeType = 5
	AttrFloats        AttributeType = 6
	AttrInts          AttributeType = 7
	AttrStrings       AttributeType = 8
	AttrTensors       AttributeType = 9
	AttrGraphs        AttributeType = 10
	AttrSparseTensor  AttributeType = 11
	AttrSparseTensors AttributeType = 12
	AttrType          AttributeType = 13
	AttrTypes         AttributeType = 14
)

// Attribute is an AttributeProto. Files of the first IR versions leave Type
// undefined; the value is then in whichever field is set.
type Attribute struct {
	Name, RefName string
	Doc           string
	Type          AttributeType
	Float         float32
	Int           int64
	String        []byte
	Tensor        *Tensor
	Graph         *Graph
	Sparse        *SparseTensor
	TypeValue     *Type
	Floats        []float32
	Ints          []int64
	Strings       [][]byte
	Tensors       []*Tensor
	Graphs        []*Graph
	Sparses       []*SparseTensor
	Types         []*Type
	Unknown       []byte
}

// SparseTensor is a SparseTensorProto: values at indices of a dense shape.
type SparseTensor struct {
	Values, Indices *Tensor
	Dims            []int64
	Unknown         []byte
}

// ValueInfo names a value of a graph and tells its type, which is nil where
// the file does not say.
type ValueInfo struct {
	Name     string
	Doc      string
	Type     *Type
	Metadata []Entry
	Unknown  []byte
}

// Kind says what kind of value a Type describes.
type Kind string

// The kinds of value. KindNone is a type without a value.
const (
	KindNone     Kind = ""
	KindTensor   Kind = "tensor"
	KindSparse   Kind = "sparse tensor"
	KindSequence Kind = "sequence"
	KindMap      Kind = "map"
	KindOptional Kind = "optional"
	KindOpaque   Kind = "opaque"
)

// Type is a TypeProto.
type Type struct {
	Kind       Kind
	ElemType   DataType // of a tensor
	KeyType    DataType // of a map
	Elem       *Type    // of a sequence or an optional; the values of a map
	HasShape   bool     // a tensor whose rank is known; false differs from rank 0
	Shape      []Dim
	Domain     string // of an opaque type
	Name       string // of an opaque type
	Denotation string
	Unknown    []byte
	// UnknownInner and UnknownShape belong to the type's inner message and
	// to its shape.
	UnknownInner, UnknownShape []byte
}

// Dim is one dimension: a fixed Value where Fixed, else a symbol, else
// unknown (empty Param).
type Dim struct {
	Value      int64
	Fixed      bool
	Param      string
	Denotation string
	Unknown    []byte
}
