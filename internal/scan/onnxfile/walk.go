package onnxfile

import (
	"fmt"

	"github.com/assize/assize/internal/onnx"
)

// visitor is what a walk through a model calls. Every part of the model is
// visited once, before what is inside it.
type visitor struct {
	graph   func(where string, g *onnx.Graph)
	node    func(where string, n *onnx.Node)
	tensor  func(where string, t *onnx.Tensor)
	text    func(where, s string)        // documentation and metadata
	blob    func(where string, b []byte) // strings of attributes and tensors
	entries func(where string, e []onnx.Entry)
	unknown func(where string, b []byte)
}

func (v *visitor) model(m *onnx.Model) {
	v.unknown("model", m.Unknown)
	v.text("model", m.Doc)
	for _, s := range []string{m.Producer, m.ProducerVersion, m.Domain} {
		v.text("model", s)
	}
	v.entry("model", m.Metadata)
	for i := range m.Opsets {
		v.unknown("opset import", m.Opsets[i].Unknown)
	}
	v.enter("graph", m.Graph)
	for i, t := range m.Training {
		where := fmt.Sprintf("training info %d", i)
		v.unknown(where, t.Unknown)
		v.enter(where+", initialisation", t.Initialization)
		v.enter(where+", algorithm", t.Algorithm)
	}
	for _, f := range m.Functions {
		where := "function " + Quote(f.Domain+"."+f.Name)
		v.unknown(where, f.Unknown)
		v.text(where, f.Doc)
		v.entry(where, f.Metadata)
		v.values(where, f.ValueInfos)
		v.attributes(where, f.Attributes)
		v.nodes(where, f.Nodes)
	}
}

func (v *visitor) enter(where string, g *onnx.Graph) {
	if g == nil {
		return
	}
	v.graph(where, g)
	v.unknown(where, g.Unknown)
	v.text(where, g.Doc)
	v.entry(where, g.Metadata)
	v.values(where, g.Inputs)
	v.values(where, g.Outputs)
	v.values(where, g.ValueInfos)
	for _, t := range g.Initializers {
		v.one(where, t)
	}
	for _, t := range g.SparseInitializers {
		v.sparse(where, t)
	}
	v.nodes(where, g.Nodes)
}

func (v *visitor) nodes(where string, nodes []*onnx.Node) {
	for i, n := range nodes {
		at := fmt.Sprintf("%s, node %d %s", where, i, Quote(n.OpType))
		v.node(at, n)
		v.unknown(at, n.Unknown)
		v.text(at, n.Doc)
		v.entry(at, n.Metadata)
		v.attributes(at, n.Attributes)
	}
}

func (v *visitor) attributes(where string, attributes []*onnx.Attribute) {
	for _, a := range attributes {
		at := where + ", attribute " + Quote(a.Name)
		v.unknown(at, a.Unknown)
		v.text(at, a.Doc)
		v.blob(at, a.String)
		for _, s := range a.Strings {
			v.blob(at, s)
		}
		for _, t := range append([]*onnx.Tensor{a.Tensor}, a.Tensors...) {
			v.one(at, t)
		}
		for _, s := range append([]*onnx.SparseTensor{a.Sparse}, a.Sparses...) {
			v.sparse(at, s)
		}
		for _, t := range append([]*onnx.Type{a.TypeValue}, a.Types...) {
			v.typ(at, t)
		}
		for _, g := range append([]*onnx.Graph{a.Graph}, a.Graphs...) {
			v.enter(at, g)
		}
	}
}

func (v *visitor) one(where string, t *onnx.Tensor) {
	if t == nil {
		return
	}
	at := where + ", tensor " + Quote(t.Name)
	v.tensor(at, t)
	v.unknown(at, t.Unknown)
	v.text(at, t.Doc)
	v.entry(at, t.Metadata)
	for i := range t.External {
		v.unknown(at, t.External[i].Unknown)
	}
	for _, s := range t.Texts {
		v.blob(at, s)
	}
}

func (v *visitor) sparse(where string, s *onnx.SparseTensor) {
	if s != nil {
		v.unknown(where, s.Unknown)
		v.one(where, s.Values)
		v.one(where, s.Indices)
	}
}

func (v *visitor) values(where string, list []*onnx.ValueInfo) {
	for _, i := range list {
		at := where + ", value " + Quote(i.Name)
		v.unknown(at, i.Unknown)
		v.text(at, i.Doc)
		v.entry(at, i.Metadata)
		v.typ(at, i.Type)
	}
}

func (v *visitor) typ(where string, t *onnx.Type) {
	for ; t != nil; t = t.Elem {
		v.unknown(where, t.Unknown)
		v.unknown(where, t.UnknownInner)
		v.unknown(where, t.UnknownShape)
		v.text(where, t.Denotation)
		for _, d := range t.Shape {
			v.unknown(where, d.Unknown)
			v.text(where, d.Denotation)
		}
	}
}

func (v *visitor) entry(where string, entries []onnx.Entry) {
	if len(entries) > 0 {
		v.entries(where, entries)
	}
	for _, e := range entries {
		v.unknown(where, e.Unknown)
		v.text(where+", metadata "+Quote(e.Key), e.Value)
	}
}

// Quote is a name of the file's in a finding.
func Quote(s string) string { return `"` + Escape(s) + `"` }
