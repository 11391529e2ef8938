package onnx

import (
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// Bytes encodes the model, fields in the order of their numbers, unknown
// fields after them.
func (m *Model) Bytes() []byte {
	var b buffer
	b.varint(1, m.IRVersion)
	b.text(2, m.Producer)
	b.text(3, m.ProducerVersion)
	b.text(4, m.Domain)
	b.varint(5, m.Version)
	b.text(6, m.Doc)
	if m.Graph != nil {
		b.message(7, m.Graph.encode)
	}
	for _, o := range m.Opsets {
		b.message(8, o.encode)
	}
	b.entries(14, m.Metadata)
	for _, t := range m.Training {
		b.message(20, t.encode)
	}
	for _, f := range m.Functions {
		b.message(25, f.encode)
	}
	return append(b.b, m.Unknown...)
}

// buffer collects encoded fields. Scalars at their default are left out, as
// readers of protocol buffers put the default there.
type buffer struct{ b []byte }

func (b *buffer) varint(num protowire.Number, v int64) {
	if v != 0 {
		b.varintAlways(num, v)
	}
}

func (b *buffer) varintAlways(num protowire.Number, v int64) {
	b.b = protowire.AppendTag(b.b, num, protowire.VarintType)
	b.b = protowire.AppendVarint(b.b, uint64(v))
}

func (b *buffer) text(num protowire.Number, s string) {
	if s != "" {
		b.bytes(num, []byte(s))
	}
}

func (b *buffer) bytes(num protowire.Number, s []byte) {
	b.b = protowire.AppendTag(b.b, num, protowire.BytesType)
	b.b = protowire.AppendBytes(b.b, s)
}

func (b *buffer) texts(num protowire.Number, list []string) {
	for _, s := range list {
		b.bytes(num, []byte(s))
	}
}

func (b *buffer) blobs(num protowire.Number, list [][]byte) {
	for _, s := range list {
		b.bytes(num, s)
	}
}

func (b *buffer) varints(num protowire.Number, list []int64) {
	for _, v := range list {
		b.varintAlways(num, v)
	}
}

func (b *buffer) entries(num protowire.Number, list []Entry) {
	for _, e := range list {
		b.message(num, e.encode)
	}
}

// message encodes in place: the body is written after a gap that holds any
// length, then moved to its place.
func (b *buffer) message(num protowire.Number, encode func(*buffer)) {
	b.b = protowire.AppendTag(b.b, num, protowire.BytesType)
	const gap = 10
	at := len(b.b)
	b.b = append(b.b, make([]byte, gap)...)
	encode(b)
	size := len(b.b) - at - gap
	n := len(protowire.AppendVarint(b.b[at:at:at+gap], uint64(size)))
	copy(b.b[at+n:], b.b[at+gap:])
	b.b = b.b[:at+n+size]
}

func (b *buffer) unknown(u []byte) { b.b = append(b.b, u...) }

func (o Opset) encode(b *buffer) {
	b.bytes(1, []byte(o.Domain)) // exporters spell out the empty domain
	b.varint(2, o.Version)
	b.unknown(o.Unknown)
}

func (e Entry) encode(b *buffer) {
	b.text(1, e.Key)
	b.text(2, e.Value)
	b.unknown(e.Unknown)
}

func (t *Training) encode(b *buffer) {
	if t.Initialization != nil {
		b.message(1, t.Initialization.encode)
	}
	if t.Algorithm != nil {
		b.message(2, t.Algorithm.encode)
	}
	b.unknown(t.Unknown)
}

func (g *Graph) encode(b *buffer) {
	for _, n := range g.Nodes {
		b.message(1, n.encode)
	}
	b.text(2, g.Name)
	for _, t := range g.Initializers {
		b.message(5, t.encode)
	}
	b.text(10, g.Doc)
	for i, list := range [][]*ValueInfo{g.Inputs, g.Outputs, g.ValueInfos} {
		for _, v := range list {
			b.message(protowire.Number(11+i), v.encode)
		}
	}
	for _, s := range g.SparseInitializers {
		b.message(15, s.encode)
	}
	b.entries(16, g.Metadata)
	b.unknown(g.Unknown)
}

func (f *Function) encode(b *buffer) {
	b.text(1, f.Name)
	b.texts(4, f.Inputs)
	b.texts(5, f.Outputs)
	b.texts(6, f.AttributeNames)
	for _, n := range f.Nodes {
		b.message(7, n.encode)
	}
	b.text(8, f.Doc)
	for _, o := range f.Opsets {
		b.message(9, o.encode)
	}
	b.text(10, f.Domain)
	for _, a := range f.Attributes {
		b.message(11, a.encode)
	}
	for _, v := range f.ValueInfos {
		b.message(12, v.encode)
	}
	b.text(13, f.Overload)
	b.entries(14, f.Metadata)
	b.unknown(f.Unknown)
}

func (n *Node) encode(b *buffer) {
	b.texts(1, n.Inputs)
	b.texts(2, n.Outputs)
	b.text(3, n.Name)
	b.text(4, n.OpType)
	for _, a := range n.Attributes {
		b.message(5, a.encode)
	}
	b.text(6, n.Doc)
	b.text(7, n.Domain)
	b.text(8, n.Overload)
	b.entries(9, n.Metadata)
	b.unknown(n.Unknown)
}

func (a *Attribute) encode(b *buffer) {
	b.text(1, a.Name)
	// A value at its default is written where the type names it, because
	// checkers ask whether the field is present. A reference has no value.
	own := a.RefName == ""
	if math.Float32bits(a.Float) != 0 || own && a.Type == AttrFloat {
		b.b = protowire.AppendTag(b.b, 2, protowire.Fixed32Type)
		b.b = protowire.AppendFixed32(b.b, math.Float32bits(a.Float))
	}
	if a.Int != 0 || own && a.Type == AttrInt {
		b.varintAlways(3, a.Int)
	}
	if len(a.String) > 0 || own && a.Type == AttrString {
		b.bytes(4, a.String)
	}
	if a.Tensor != nil {
		b.message(5, a.Tensor.encode)
	}
	if a.Graph != nil {
		b.message(6, a.Graph.encode)
	}
	for _, v := range a.Floats {
		b.b = protowire.AppendTag(b.b, 7, protowire.Fixed32Type)
		b.b = protowire.AppendFixed32(b.b, math.Float32bits(v))
	}
	b.varints(8, a.Ints)
	b.blobs(9, a.Strings)
	for _, t := range a.Tensors {
		b.message(10, t.encode)
	}
	for _, g := range a.Graphs {
		b.message(11, g.encode)
	}
	b.text(13, a.Doc)
	if a.TypeValue != nil {
		b.message(14, a.TypeValue.encode)
	}
	for _, t := range a.Types {
		b.message(15, t.encode)
	}
	b.varint(20, int64(a.Type))
	b.text(21, a.RefName)
	if a.Sparse != nil {
		b.message(22, a.Sparse.encode)
	}
	for _, s := range a.Sparses {
		b.message(23, s.encode)
	}
	b.unknown(a.Unknown)
}

func (s *SparseTensor) encode(b *buffer) {
	if s.Values != nil {
		b.message(1, s.Values.encode)
	}
	if s.Indices != nil {
		b.message(2, s.Indices.encode)
	}
	b.varints(3, s.Dims)
	b.unknown(s.Unknown)
}

func (t *Tensor) encode(b *buffer) {
	typed := func(nums ...int32) {
		for _, num := range nums {
			if t.DataIn == num {
				b.bytes(protowire.Number(num), t.Data)
			}
		}
	}
	b.varints(1, t.Dims)
	b.varint(2, int64(t.Type))
	typed(inFloat, inInt32)
	b.blobs(6, t.Texts)
	typed(inInt64)
	b.text(8, t.Name)
	if t.HasRaw {
		b.bytes(9, t.Raw)
	}
	typed(inDouble, inUint64)
	b.text(12, t.Doc)
	b.entries(13, t.External)
	b.varint(14, int64(t.Location))
	b.entries(16, t.Metadata)
	b.unknown(t.Unknown)
}

func (v *ValueInfo) encode(b *buffer) {
	b.text(1, v.Name)
	if v.Type != nil {
		b.message(2, v.Type.encode)
	}
	b.text(3, v.Doc)
	b.entries(4, v.Metadata)
	b.unknown(v.Unknown)
}

func (t *Type) encode(b *buffer) {
	for _, num := range []protowire.Number{1, 4, 5} {
		if kinds[num] == t.Kind {
			b.message(num, t.encodeInner)
		}
	}
	b.text(6, t.Denotation)
	for _, num := range []protowire.Number{7, 8, 9} {
		if kinds[num] == t.Kind {
			b.message(num, t.encodeInner)
		}
	}
	b.unknown(t.Unknown)
}

func (t *Type) encodeInner(b *buffer) {
	elem := protowire.Number(1)
	switch t.Kind {
	case KindOpaque:
		b.text(1, t.Domain)
		b.text(2, t.Name)
	case KindMap:
		b.varint(1, int64(t.KeyType))
		elem = 2
	case KindTensor, KindSparse:
		b.varint(1, int64(t.ElemType))
		if t.HasShape {
			b.message(2, func(b *buffer) {
				for _, d := range t.Shape {
					b.message(1, d.encode)
				}
				b.unknown(t.UnknownShape)
			})
		}
	}
	if t.Elem != nil {
		b.message(elem, t.Elem.encode)
	}
	b.unknown(t.UnknownInner)
}

func (d Dim) encode(b *buffer) {
	if d.Fixed {
		b.varintAlways(1, d.Value)
	} else {
		b.text(2, d.Param)
	}
	b.text(3, d.Denotation)
	b.unknown(d.Unknown)
}
