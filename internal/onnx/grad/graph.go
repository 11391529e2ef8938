package grad

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"github.com/assize/assize/internal/onnx"
)

// Graph is a model under construction: the forward part, and what Extend and
// the callers' Loss and Step add to it. Names are of values. Nodes must be
// added after the nodes whose outputs they read, and be valid in operator set
// 17 and later.
type Graph struct {
	base    *onnx.Model
	opset   int64
	ir      int64
	opsets  []onnx.Opset
	inputs  []*onnx.ValueInfo
	outputs []*onnx.ValueInfo
	told    []*onnx.ValueInfo // of other values
	nodes   []*onnx.Node
	initial []*onnx.Tensor
	count   int
	made    map[string]string // constants by content

	rules   map[string]rule
	types   map[string]onnx.DataType
	shapes  map[string]shape
	ints    map[string][]dim // small integer values that are known in part
	consts  map[string]*onnx.Tensor
	symbols map[string]int32
	varying map[string]bool // depends on a graph input
}

// Op adds a node of the default operator domain with one output and returns
// the output's name. Attributes are made by Ints, Int and Num.
func (g *Graph) Op(op string, inputs []string, attributes ...*onnx.Attribute) string {
	return g.Ops(1, op, inputs, attributes...)[0]
}

// Ops is Op for an operator with several outputs.
func (g *Graph) Ops(outputs int, op string, inputs []string, attributes ...*onnx.Attribute) []string {
	out := make([]string, outputs)
	for i := range out {
		out[i] = g.fresh()
	}
	g.nodes = append(g.nodes, &onnx.Node{OpType: op, Inputs: inputs, Outputs: out, Attributes: attributes})
	return out
}

// Alias gives a value the name by which callers know an output, and returns it. What the node
// added last made is renamed; other values get it as a second name.
func (g *Graph) Alias(name, of string) string {
	if last := len(g.nodes) - 1; last >= 0 && slices.Equal(g.nodes[last].Outputs, []string{of}) && g.shapes[of] == nil {
		g.nodes[last].Outputs = []string{name}
		return name
	}
	g.nodes = append(g.nodes, &onnx.Node{OpType: "Identity", Inputs: []string{of}, Outputs: []string{name}})
	return name
}

// op is Op without attributes.
func (g *Graph) op(op string, inputs ...string) string { return g.Op(op, inputs) }

func (g *Graph) fresh() string {
	g.count++
	return fmt.Sprintf("%s%d", prefix, g.count)
}

// Ints makes an attribute that holds integers.
func Ints(name string, values ...int64) *onnx.Attribute {
	return &onnx.Attribute{Name: name, Type: onnx.AttrInts, Ints: values}
}

// Int makes an attribute that holds one integer.
func Int(name string, value int64) *onnx.Attribute {
	return &onnx.Attribute{Name: name, Type: onnx.AttrInt, Int: value}
}

// Num makes an attribute that holds one float.
func Num(name string, value float32) *onnx.Attribute {
	return &onnx.Attribute{Name: name, Type: onnx.AttrFloat, Float: value}
}

func text(name, value string) *onnx.Attribute {
	return &onnx.Attribute{Name: name, Type: onnx.AttrString, String: []byte(value)}
}

// Input declares one more input of the model, of that type and shape.
func (g *Graph) Input(name string, typ onnx.DataType, dims ...onnx.Dim) {
	g.inputs = append(g.inputs, value(name, typ, dims))
	g.types[name] = typ
}

// Output declares the value as one more output of the model. No dimensions
// at all leave the shape open.
func (g *Graph) Output(name string, typ onnx.DataType, dims ...onnx.Dim) {
	g.outputs = append(g.outputs, value(name, typ, dims))
}

func value(name string, typ onnx.DataType, dims []onnx.Dim) *onnx.ValueInfo {
	return &onnx.ValueInfo{Name: name, Type: &onnx.Type{Kind: onnx.KindTensor, ElemType: typ, HasShape: dims != nil, Shape: dims}}
}

// Integers adds a one-dimensional int64 constant and returns its name.
func (g *Graph) Integers(values ...int64) string {
	return g.constant(onnx.NewInts("", []int64{int64(len(values))}, values))
}

// Integer adds an int64 constant of rank 0 and returns its name.
func (g *Graph) Integer(v int64) string { return g.constant(onnx.NewInts("", nil, []int64{v})) }

// Number adds a constant of rank 0 in the type of the value like.
func (g *Graph) Number(v float64, like string) string {
	return g.Numbers([]float64{v}, nil, like)
}

// Numbers adds a constant of that shape in the type of the value like.
func (g *Graph) Numbers(values []float64, dims []int64, like string) string {
	t := g.Type(like)
	if t == onnx.Double {
		raw := make([]byte, 0, 8*len(values))
		for _, v := range values {
			raw = binary.LittleEndian.AppendUint64(raw, math.Float64bits(v))
		}
		return g.constant(&onnx.Tensor{Type: t, Dims: dims, HasRaw: true, Raw: raw})
	}
	narrow := make([]float32, len(values))
	for i, v := range values {
		narrow[i] = float32(v)
	}
	name := g.constant(onnx.NewFloats("", dims, narrow))
	if t == onnx.Float16 {
		return g.Op("Cast", []string{name}, Int("to", int64(t)))
	}
	return name
}

// declareLike tells the runtime that a value has the shape of another, where it cannot tell
// itself: it keeps its layout of channels only between values of shapes that it knows.
func (g *Graph) declareLike(name, like string) {
	if dims := g.Dims(like); dims != nil {
		g.told = append(g.told, value(name, g.Type(like), dims))
	}
}

// constant adds a tensor, or returns the name of an equal one.
func (g *Graph) constant(t *onnx.Tensor) string {
	key := fmt.Sprint(t.Type, t.Dims, " ", string(t.Raw))
	if name, ok := g.made[key]; ok {
		return name
	}
	t.Name = g.fresh()
	g.made[key] = t.Name
	g.initial = append(g.initial, t)
	g.remember(t.Name, t)
	return t.Name
}

// Type returns the element type of a value of the model; float where unknown.
func (g *Graph) Type(name string) onnx.DataType {
	if t := g.types[name]; t != onnx.Undefined {
		return t
	}
	return onnx.Float
}

// Dims returns the shape of a value of the model, for a declaration; nil where
// its rank is unknown.
func (g *Graph) Dims(name string) []onnx.Dim {
	s := g.shapes[name]
	if s == nil {
		return nil
	}
	out := make([]onnx.Dim, len(s))
	for i, d := range s {
		switch {
		case d.known():
			out[i] = onnx.Dim{Fixed: true, Value: d.n}
		case d.sym > 0 && d.n == 1:
			for param, id := range g.symbols {
				if id == d.sym {
					out[i] = onnx.Dim{Param: param}
				}
			}
		}
	}
	return out
}

// Widest is the number of elements that a row of the model's widest value has, of those
// whose shape is known.
func (g *Graph) Widest() int64 {
	most := int64(0)
	for name, s := range g.shapes {
		if len(s) < 2 || !g.varying[name] {
			continue
		}
		if n := s[1:].size(); n.known() {
			most = max(most, n.n)
		}
	}
	return most
}

// model returns what was built, without what no output needs.
func (g *Graph) model() *onnx.Model {
	need := map[string]bool{}
	for _, v := range g.outputs {
		need[v.Name] = true
	}
	var nodes []*onnx.Node
	for _, n := range slices.Backward(g.nodes) {
		if slices.ContainsFunc(n.Outputs, func(o string) bool { return need[o] }) {
			nodes = append(nodes, n)
			for _, in := range reads(n) {
				need[in] = true
			}
		}
	}
	slices.Reverse(nodes)
	c, gr := *g.base, *g.base.Graph
	gr.Nodes, gr.Inputs, gr.Outputs, gr.ValueInfos = nodes, g.inputs, g.outputs, g.told
	gr.Initializers = slices.DeleteFunc(slices.Clone(g.initial), func(t *onnx.Tensor) bool { return !need[t.Name] })
	c.Graph, c.Opsets, c.IRVersion, c.Training = &gr, g.opsets, g.ir, nil
	return &c
}

// reads lists the values that a node reads, also inside its subgraphs.
func reads(n *onnx.Node) []string {
	out := slices.Clone(n.Inputs)
	for _, a := range n.Attributes {
		for _, sub := range append(slices.Clone(a.Graphs), a.Graph) {
			if sub == nil {
				continue
			}
			for _, inner := range sub.Nodes {
				out = append(out, reads(inner)...)
			}
			for _, v := range sub.Outputs {
				out = append(out, v.Name)
			}
		}
	}
	return out
}

// replace puts a changed copy of a forward node in its place.
func (g *Graph) replace(old, changed *onnx.Node) {
	g.nodes[slices.Index(g.nodes, old)] = changed
}
