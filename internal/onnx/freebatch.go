package onnx

import (
	"fmt"
	"slices"
)

// FreeBatch returns a copy of the model whose first dimension, the batch, is
// symbolic where the file fixes it (exporters that traced one example write
// 1×3×32×32). It says whether anything changed; m itself is not changed.
//
// The batch is the first dimension of the first input that must be fed and
// has at least two dimensions. Shapes of inputs and outputs that start with
// it get a symbol; intermediate shapes that mention it become unknown there;
// constant targets of Reshape on values that depend on the input get -1 (or
// 0, the input's own, where -1 is taken) in place of it.
//
// An error says why the batch cannot be freed; the model then runs one batch
// of that size only. Operators that fix a batch by other means (the initial
// state of an LSTM, Expand to a constant shape) are not looked for: callers
// compare a batch with its rows one by one.
func FreeBatch(m *Model) (*Model, bool, error) {
	f := &freer{m: m, g: *m.Graph, initial: map[string]*Tensor{}}
	at := slices.IndexFunc(m.Inputs(), func(v *ValueInfo) bool { return rank(v) >= 2 })
	if at < 0 || !m.Inputs()[at].Type.Shape[0].Fixed {
		return m, false, nil
	}
	f.batch = m.Inputs()[at].Type.Shape[0].Value
	f.symbol = Dim{Param: f.freshSymbol()}
	if err := f.signature(); err != nil {
		return m, false, fmt.Errorf("free the batch of the model: %w", err)
	}
	if err := f.reshapes(); err != nil {
		return m, false, fmt.Errorf("free the batch of the model: %w", err)
	}
	c := *m
	c.Graph = &f.g
	return &c, true, nil
}

// freer is one FreeBatch. g is the graph that it builds.
type freer struct {
	m       *Model
	g       Graph
	batch   int64
	symbol  Dim
	initial map[string]*Tensor // constants by name: initializers and Constant nodes
	onBatch map[string]bool    // values that depend on an input with the batch
}

func rank(v *ValueInfo) int {
	if v.Type == nil || v.Type.Kind != KindTensor {
		return 0
	}
	return len(v.Type.Shape)
}

// freshSymbol returns "N" or the first N_i that the inputs and outputs do
// not use.
func (f *freer) freshSymbol() string {
	used := map[string]bool{}
	for _, v := range slices.Concat(f.g.Inputs, f.g.Outputs) {
		if v.Type != nil {
			for _, d := range v.Type.Shape {
				used[d.Param] = true
			}
		}
	}
	name := "N"
	for i := 1; used[name]; i++ {
		name = fmt.Sprintf("N_%d", i)
	}
	return name
}

// signature frees inputs, outputs and recorded intermediate shapes.
func (f *freer) signature() error {
	f.onBatch = map[string]bool{}
	fed := map[*ValueInfo]bool{}
	for _, v := range f.m.Inputs() {
		fed[v] = true
	}
	f.g.Inputs = slices.Clone(f.g.Inputs)
	for i, v := range f.g.Inputs {
		if fed[v] && rank(v) > 0 && v.Type.Shape[0].Fixed && v.Type.Shape[0].Value == f.batch {
			f.onBatch[v.Name] = true
			f.g.Inputs[i] = withDim(v, 0, f.symbol)
		}
	}
	f.g.Outputs = slices.Clone(f.g.Outputs)
	for i, v := range f.g.Outputs {
		if v.Type == nil || v.Type.Kind != KindTensor || !v.Type.HasShape {
			continue
		}
		if len(v.Type.Shape) == 0 {
			return fmt.Errorf("output %q is one number for the whole batch", v.Name)
		}
		switch d := v.Type.Shape[0]; {
		case !d.Fixed:
		case d.Value != f.batch:
			return fmt.Errorf("output %q has first dimension %d instead of the batch %d", v.Name, d.Value, f.batch)
		default:
			f.g.Outputs[i] = withDim(v, 0, f.symbol)
		}
	}
	f.g.ValueInfos = slices.Clone(f.g.ValueInfos)
	for i, v := range f.g.ValueInfos {
		for k := range rank(v) {
			if d := v.Type.Shape[k]; d.Fixed && d.Value == f.batch {
				v = withDim(v, k, Dim{})
			}
		}
		f.g.ValueInfos[i] = v
	}
	return nil
}

// withDim returns a copy of v with dimension k replaced.
func withDim(v *ValueInfo, k int, d Dim) *ValueInfo {
	c, t := *v, *v.Type
	t.Shape = slices.Clone(t.Shape)
	d.Denotation = t.Shape[k].Denotation
	t.Shape[k] = d
	c.Type = &t
	return &c
}

// reshapes walks the nodes in order, which is topological in a valid model,
// and rewrites what fixes the batch.
func (f *freer) reshapes() error {
	for _, t := range f.g.Initializers {
		f.initial[t.Name] = t
	}
	f.g.Nodes = slices.Clone(f.g.Nodes)
	f.g.Initializers = slices.Clone(f.g.Initializers)
	for i, n := range f.g.Nodes {
		if n.OpType == "Constant" && len(n.Outputs) == 1 {
			f.initial[n.Outputs[0]] = constant(n)
		}
		if !slices.ContainsFunc(n.Inputs, func(in string) bool { return f.onBatch[in] }) && !f.captures(n) {
			continue
		}
		// Shape and Size of a batch are no rows of it, but what is computed
		// from them moves with the batch.
		for _, out := range n.Outputs {
			f.onBatch[out] = true
		}
		if canonical(n.Domain) != "" || len(n.Inputs) == 0 || !f.onBatch[n.Inputs[0]] {
			continue
		}
		var err error
		switch n.OpType {
		case "Reshape":
			f.g.Nodes[i], err = f.reshape(n)
		case "Flatten":
			if n.Int("axis", 1) == 0 {
				err = fmt.Errorf("Flatten joins the rows of the batch")
			}
		case "Squeeze":
			err = f.squeeze(n)
		}
		if err != nil {
			return fmt.Errorf("node %q: %w", label(n), err)
		}
	}
	f.dropUnused()
	return nil
}

// captures reports whether a subgraph of n reads a value of the batch.
func (f *freer) captures(n *Node) bool {
	found := false
	visitor{node: func(inner *Node) {
		found = found || slices.ContainsFunc(inner.Inputs, func(in string) bool { return f.onBatch[in] })
	}}.attributes(n.Attributes)
	return found
}

func label(n *Node) string {
	if n.Name != "" {
		return n.Name
	}
	return n.OpType
}

// constant returns the tensor of a Constant node, or nil.
func constant(n *Node) *Tensor {
	if a := n.Attribute("value"); a != nil {
		return a.Tensor
	}
	if a := n.Attribute("value_ints"); a != nil {
		return NewInts(n.Outputs[0], []int64{int64(len(a.Ints))}, a.Ints)
	}
	return nil
}

// reshape frees the target of a Reshape: its second input, or its attribute
// before opset 5.
func (f *freer) reshape(n *Node) (*Node, error) {
	c := *n
	if a := n.Attribute("shape"); a != nil {
		target, err := f.target(n, a.Ints)
		if err != nil || target == nil {
			return n, err
		}
		free := *a
		free.Ints = target
		c.Attributes = slices.Clone(n.Attributes)
		c.Attributes[slices.Index(n.Attributes, a)] = &free
		return &c, nil
	}
	if len(n.Inputs) < 2 || f.initial[n.Inputs[1]] == nil {
		return n, nil // computed at run time
	}
	old, err := f.initial[n.Inputs[1]].Int64s()
	if err != nil {
		return n, err
	}
	target, err := f.target(n, old)
	if err != nil || target == nil {
		return n, err
	}
	name := f.freshValue(n.Inputs[1] + "_free")
	free := NewInts(name, []int64{int64(len(target))}, target)
	f.initial[name] = free
	f.g.Initializers = append(f.g.Initializers, free)
	c.Inputs = slices.Clone(n.Inputs)
	c.Inputs[1] = name
	return &c, nil
}

// target returns the freed target of a Reshape, or nil where it is free.
func (f *freer) target(n *Node, old []int64) ([]int64, error) {
	keep := n.Int("allowzero", 0) == 0 // 0 means the input's own dimension
	inferred := slices.Contains(old, -1)
	if inferred && (len(old) == 0 || old[0] != f.batch) || len(old) > 0 && old[0] == 0 && keep {
		return nil, nil
	}
	if len(old) == 0 || old[0] != f.batch {
		return nil, fmt.Errorf("Reshape to %v leaves no place for the batch %d", old, f.batch)
	}
	free := slices.Clone(old)
	switch {
	case !inferred:
		free[0] = -1
	case keep:
		free[0] = 0
	default:
		return nil, fmt.Errorf("Reshape to %v has no free dimension for the batch", old)
	}
	return free, nil
}

func (f *freer) squeeze(n *Node) error {
	var axes []int64
	if a := n.Attribute("axes"); a != nil {
		axes = a.Ints
	} else if len(n.Inputs) > 1 && f.initial[n.Inputs[1]] != nil {
		axes, _ = f.initial[n.Inputs[1]].Int64s()
	}
	if slices.Contains(axes, 0) && f.batch == 1 {
		return fmt.Errorf("Squeeze removes the batch")
	}
	return nil
}

// freshValue returns name, made unique among the values of the graph.
func (f *freer) freshValue(name string) string {
	used := map[string]bool{}
	for _, n := range f.g.Nodes {
		for _, v := range slices.Concat(n.Inputs, n.Outputs) {
			used[v] = true
		}
	}
	for _, t := range f.g.Initializers {
		used[t.Name] = true
	}
	for used[name] {
		name += "_"
	}
	return name
}

// dropUnused removes initializers that lost their last reader to a freed
// copy. Those that the model itself never read stay.
func (f *freer) dropUnused() {
	before, after := readers(f.m.Graph), readers(&f.g)
	f.g.Initializers = slices.DeleteFunc(f.g.Initializers, func(t *Tensor) bool {
		return before[t.Name] && !after[t.Name]
	})
	f.g.Inputs = slices.DeleteFunc(f.g.Inputs, func(v *ValueInfo) bool {
		_, constant := f.initial[v.Name]
		return constant && before[v.Name] && !after[v.Name]
	})
}

// readers names every value that a node of the graph or of its subgraphs, or
// an output of the graph, reads.
func readers(g *Graph) map[string]bool {
	read := map[string]bool{}
	visitor{node: func(n *Node) {
		for _, in := range n.Inputs {
			read[in] = true
		}
		for _, a := range n.Attributes {
			for _, sub := range append(slices.Clone(a.Graphs), a.Graph) {
				if sub != nil {
					for _, out := range sub.Outputs {
						read[out.Name] = true
					}
				}
			}
		}
	}}.graph(g)
	for _, out := range g.Outputs {
		read[out.Name] = true
	}
	return read
}
