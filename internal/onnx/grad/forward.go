package grad

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/assize/assize/internal/onnx"
)

// forward starts a Graph with the nodes of m, raised and lowered where
// needed, and notes what it can tell of types, shapes and small integers.
func forward(m *onnx.Model, opts Options) (*Graph, error) {
	m, _ = onnx.DropZipMap(m)
	version := m.Opset("")
	if version != 0 && version < lowest {
		return nil, fmt.Errorf("the model uses operator set %d\nhint: export it with opset %d or newer", version, lowest)
	}
	g := &Graph{base: m, opset: max(version, raised), ir: max(m.IRVersion, 8), inputs: m.Inputs(), outputs: slices.Clone(m.Outputs()),
		initial: slices.Clone(m.Graph.Initializers), made: map[string]string{}, rules: rules(),
		types: map[string]onnx.DataType{}, shapes: map[string]shape{}, ints: map[string][]dim{},
		consts: map[string]*onnx.Tensor{}, symbols: map[string]int32{}, varying: map[string]bool{}}
	g.opsets = slices.DeleteFunc(slices.Clone(m.Opsets), func(o onnx.Opset) bool { return o.Domain == "" || o.Domain == "ai.onnx" })
	g.opsets = append(g.opsets, onnx.Opset{Version: g.opset})
	for _, v := range m.Graph.ValueInfos {
		g.declare(v)
	}
	for _, v := range slices.Concat(g.outputs, g.inputs) {
		g.declare(v)
	}
	if err := g.row(opts); err != nil {
		return nil, err
	}
	for _, v := range g.inputs {
		g.varying[v.Name] = true
	}
	for _, t := range g.initial {
		g.remember(t.Name, t)
	}
	for _, n := range m.Graph.Nodes {
		if slices.ContainsFunc(slices.Concat(n.Inputs, n.Outputs), func(s string) bool { return strings.HasPrefix(s, prefix) }) {
			return nil, errors.New("the model has been extended before\nhint: extend the original model")
		}
		nodes := []*onnx.Node{n}
		if version != 0 && version < raised {
			var err error
			if nodes, err = g.raise(n, version); err != nil {
				return nil, fmt.Errorf("raise the model from operator set %d: %w", version, err)
			}
		}
		for _, n := range nodes {
			lowered, err := g.lower(n)
			if err != nil {
				return nil, err
			}
			for _, n := range lowered {
				g.add(n)
			}
		}
	}
	return g, nil
}

// declare notes a declared type and shape.
func (g *Graph) declare(v *onnx.ValueInfo) {
	if v.Type == nil || v.Type.Kind != onnx.KindTensor {
		return
	}
	g.types[v.Name] = v.Type.ElemType
	if !v.Type.HasShape {
		return
	}
	s := make(shape, len(v.Type.Shape))
	for i, d := range v.Type.Shape {
		switch {
		case d.Fixed:
			s[i] = fixed(d.Value)
		case d.Param != "":
			s[i] = dim{1, g.symbol(d.Param)}
		default:
			s[i] = unknown()
		}
	}
	g.shapes[v.Name] = s
}

// symbol returns the number of a symbolic dimension.
func (g *Graph) symbol(param string) int32 {
	if _, ok := g.symbols[param]; !ok {
		g.symbols[param] = int32(len(g.symbols) + 1)
	}
	return g.symbols[param]
}

// row completes the shape of the input that is differentiated: the batch
// gets a symbol where it has no name, and the rest is that of opts.Row.
func (g *Graph) row(opts Options) error {
	name, err := pick("input", opts.Input, g.inputs)
	if err != nil {
		return err
	}
	s := slices.Clone(g.shapes[name])
	if len(opts.Row) > 0 {
		if s == nil {
			s = open(1 + len(opts.Row))
		}
		if len(s) != 1+len(opts.Row) {
			return fmt.Errorf("rows of shape %v do not fit input %q of rank %d", opts.Row, name, len(s))
		}
		for i, n := range opts.Row {
			if d := s[i+1]; d.known() && d.n != n {
				return fmt.Errorf("rows of shape %v do not fit input %q, whose dimension %d is %d", opts.Row, name, i+1, d.n)
			}
			s[i+1] = fixed(n)
		}
	}
	if len(s) > 0 && s[0].sym == -1 {
		s[0] = dim{1, g.symbol(prefix + "batch")}
		g.named(name, s)
	}
	g.shapes[name] = s
	return nil
}

// named declares the batch of an input by its symbol: the runtime then knows that what is
// made of it has as many rows, and keeps its layout of channels between more operators.
func (g *Graph) named(input string, s shape) {
	g.inputs = slices.Clone(g.inputs)
	for i, v := range g.inputs {
		if v.Name != input || len(v.Type.Shape) != len(s) {
			continue
		}
		c, t := *v, *v.Type
		t.Shape = slices.Clone(t.Shape)
		t.Shape[0] = onnx.Dim{Param: prefix + "batch"}
		c.Type = &t
		g.inputs[i] = &c
	}
}

// small is the largest number of integers that are followed.
const small = 64

// remember notes a constant.
func (g *Graph) remember(name string, t *onnx.Tensor) {
	if t == nil {
		return
	}
	g.consts[name], g.types[name] = t, t.Type
	s := make(shape, len(t.Dims))
	for i, d := range t.Dims {
		s[i] = fixed(d)
	}
	g.shapes[name] = s
	if n, err := t.Len(); err != nil || n > small || len(t.Dims) > 1 || t.Type != onnx.Int64 && t.Type != onnx.Int32 && t.Type != onnx.Bool {
		return
	}
	if values, err := t.Int64s(); err == nil {
		g.ints[name] = numbers(values)
	}
}

func numbers(values []int64) []dim {
	out := make([]dim, len(values))
	for i, v := range values {
		out[i] = fixed(v)
	}
	return out
}

// add appends a forward node and notes what is known of its outputs.
func (g *Graph) add(n *onnx.Node) {
	g.nodes = append(g.nodes, n)
	if len(n.Outputs) == 0 {
		return
	}
	varies := slices.ContainsFunc(reads(n), func(in string) bool { return g.varying[in] })
	for _, out := range n.Outputs {
		g.varying[out] = g.varying[out] || varies
	}
	c := &call{g: g, n: n}
	c.infer()
	if len(n.Outputs) == 1 && n.Domain == "" {
		if v := c.evaluate(); v != nil && len(v) <= small {
			g.ints[n.Outputs[0]] = v
			if len(g.shapes[n.Outputs[0]]) == 1 {
				g.shapes[n.Outputs[0]] = shape{fixed(int64(len(v)))}
			}
		}
	}
}

// call is one node while it is looked at: forward, or backward with the
// cotangents dy of its outputs (empty where there is none), for which a rule
// fills in dx, the cotangents of its inputs.
type call struct {
	g      *Graph
	n      *onnx.Node
	dy, dx []string
}

// has reports whether input i is given.
func (c *call) has(i int) bool { return i < len(c.n.Inputs) && c.n.Inputs[i] != "" }

// in returns the name of input i, empty where it is not given.
func (c *call) in(i int) string {
	if !c.has(i) {
		return ""
	}
	return c.n.Inputs[i]
}

func (c *call) out() string { return c.n.Outputs[0] }

// wants reports whether a cotangent of input i is of use.
func (c *call) wants(i int) bool {
	return c.has(i) && c.g.varying[c.in(i)] && floating(c.g.Type(c.in(i)))
}

// shape returns the shape of input i.
func (c *call) shape(i int) shape { return c.g.shapes[c.in(i)] }

// integers returns the value of input i where it is known, or the attribute.
func (c *call) integers(i int, attribute string) ([]int64, bool) {
	if a := c.n.Attribute(attribute); attribute != "" && a != nil {
		return a.Ints, true
	}
	v := c.g.ints[c.in(i)]
	if !c.has(i) || v == nil {
		return nil, false
	}
	return shape(v).static()
}

// float returns a float attribute.
func (c *call) float(name string, def float64) float64 {
	if a := c.n.Attribute(name); a != nil {
		return float64(a.Float)
	}
	return def
}

// text returns a string attribute.
func (c *call) text(name, def string) string {
	if a := c.n.Attribute(name); a != nil {
		return string(a.String)
	}
	return def
}

// list returns an attribute that holds integers, def repeated n times where
// it is absent.
func (c *call) list(name string, n int, def int64) []int64 {
	if a := c.n.Attribute(name); a != nil && len(a.Ints) > 0 {
		return a.Ints
	}
	return slices.Repeat([]int64{def}, n)
}
