package onnx

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
)

// Inputs returns the graph inputs that a caller must feed: those without an
// initializer of the same name.
func (m *Model) Inputs() []*ValueInfo {
	initial := map[string]bool{}
	for _, t := range m.Graph.Initializers {
		initial[t.Name] = true
	}
	for _, s := range m.Graph.SparseInitializers {
		if s.Values != nil {
			initial[s.Values.Name] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(m.Graph.Inputs), func(v *ValueInfo) bool { return initial[v.Name] })
}

// Outputs returns the outputs of the graph.
func (m *Model) Outputs() []*ValueInfo { return m.Graph.Outputs }

// Opset returns the imported version of that operator domain, 0 where the
// model does not import it. The empty domain and "ai.onnx" are one.
func (m *Model) Opset(domain string) int64 {
	for _, o := range m.Opsets {
		if canonical(o.Domain) == canonical(domain) {
			return o.Version
		}
	}
	return 0
}

// canonical spells the default operator domain as the empty string.
func canonical(domain string) string {
	if domain == "ai.onnx" {
		return ""
	}
	return domain
}

// Operator says how often a model calls one operator.
type Operator struct {
	Domain, OpType string
	Count          int
}

// Operators counts the operators of the graph, its subgraphs, functions and
// training graphs, sorted by domain and name. Domain is empty for ai.onnx.
func (m *Model) Operators() []Operator {
	counts := map[Operator]int{}
	m.walk(visitor{node: func(n *Node) { counts[Operator{Domain: canonical(n.Domain), OpType: n.OpType}]++ }})
	out := make([]Operator, 0, len(counts))
	for op, n := range counts {
		op.Count = n
		out = append(out, op)
	}
	slices.SortFunc(out, func(a, b Operator) int {
		return cmp.Or(cmp.Compare(a.Domain, b.Domain), cmp.Compare(a.OpType, b.OpType))
	})
	return out
}

// ExternalRef is a tensor whose data lie in another file. Location is the
// path as the model states it, unchecked. Offset and Length are in bytes;
// Length -1 means to the end of the file. Problem says what is wrong with
// the reference as written, and is empty where nothing is.
type ExternalRef struct {
	Tensor   string
	Location string
	Offset   int64
	Length   int64
	Problem  string
}

// ExternalData lists every tensor stored outside the model file, also in
// attributes, subgraphs, functions and training graphs, in file order. A
// tensor with entries of external data counts even where it does not say
// that its data are outside.
func (m *Model) ExternalData() []ExternalRef {
	var out []ExternalRef
	m.walk(visitor{tensor: func(t *Tensor) {
		if t.Location != 0 || len(t.External) > 0 {
			out = append(out, external(t))
		}
	}})
	return out
}

func external(t *Tensor) ExternalRef {
	r := ExternalRef{Tensor: t.Name, Length: -1}
	note := func(problem string) {
		if r.Problem == "" {
			r.Problem = problem
		}
	}
	seen := map[string]bool{}
	for _, e := range t.External {
		if seen[e.Key] {
			note(fmt.Sprintf("%s is given twice", e.Key))
		}
		seen[e.Key] = true
		var dst *int64
		switch e.Key {
		case "location":
			r.Location = e.Value
			continue
		case "offset":
			dst = &r.Offset
		case "length":
			dst = &r.Length
		default:
			continue
		}
		v, err := strconv.ParseInt(e.Value, 10, 64)
		if err != nil || v < 0 {
			note(fmt.Sprintf("%s %q is not a size", e.Key, e.Value))
			continue
		}
		*dst = v
	}
	if !seen["location"] {
		note("no location")
	}
	switch {
	case t.Location == 0:
		note("it names a file but says that its data are inside the model")
	case t.Location != 1:
		note(fmt.Sprintf("data location %d does not exist", t.Location))
	}
	return r
}

// visitor holds what a walk calls; either may be nil.
type visitor struct {
	node   func(*Node)
	tensor func(*Tensor)
}

func (m *Model) walk(v visitor) {
	v.graph(m.Graph)
	for _, t := range m.Training {
		v.graph(t.Initialization)
		v.graph(t.Algorithm)
	}
	for _, f := range m.Functions {
		v.nodes(f.Nodes)
		v.attributes(f.Attributes)
	}
}

func (v visitor) graph(g *Graph) {
	if g == nil {
		return
	}
	for _, t := range g.Initializers {
		v.tensors(t)
	}
	for _, s := range g.SparseInitializers {
		v.sparse(s)
	}
	v.nodes(g.Nodes)
}

func (v visitor) nodes(nodes []*Node) {
	for _, n := range nodes {
		if v.node != nil {
			v.node(n)
		}
		v.attributes(n.Attributes)
	}
}

func (v visitor) attributes(attributes []*Attribute) {
	for _, a := range attributes {
		v.tensors(a.Tensor)
		v.tensors(a.Tensors...)
		v.sparse(a.Sparse)
		for _, s := range a.Sparses {
			v.sparse(s)
		}
		v.graph(a.Graph)
		for _, g := range a.Graphs {
			v.graph(g)
		}
	}
}

func (v visitor) sparse(s *SparseTensor) {
	if s != nil {
		v.tensors(s.Values, s.Indices)
	}
}

func (v visitor) tensors(list ...*Tensor) {
	for _, t := range list {
		if t != nil && v.tensor != nil {
			v.tensor(t)
		}
	}
}
