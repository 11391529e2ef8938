package grad

import (
	"fmt"
	"slices"

	"github.com/assize/assize/internal/onnx"
)

// Models of operator sets from lowest are raised to raised; from there on
// what the package emits is valid in every version.
const (
	lowest = 7
	raised = 17
)

// raise rewrites a node of an older operator set for version 17. After
// version 6 these operators changed in more than what they accept: attributes
// became inputs (Clip, Pad, ReduceSum, Slice, Split, Squeeze, TopK,
// Unsqueeze), Softmax and its kin stopped flattening, Dropout and
// BatchNormalization lost their training outputs.
func (g *Graph) raise(n *onnx.Node, version int64) ([]*onnx.Node, error) {
	if n.Domain != "" && n.Domain != "ai.onnx" || len(n.Inputs) == 0 || len(n.Outputs) == 0 {
		return []*onnx.Node{n}, nil
	}
	c := *n
	c.Inputs, c.Attributes = slices.Clone(n.Inputs), slices.Clone(n.Attributes)
	switch op := n.OpType; {
	case version < 13 && slices.Contains([]string{"If", "Loop", "Scan"}, op),
		version < 11 && slices.Contains([]string{"Resize", "Upsample", "NonMaxSuppression"}, op):
		return nil, fmt.Errorf("%s has changed since\nhint: export the model with opset 13 or newer", op)
	case version < 13 && slices.Contains([]string{"Squeeze", "Unsqueeze", "ReduceSum"}, op):
		g.move(&c, "axes", 1)
	case version < 13 && op == "Split":
		g.move(&c, "split", 1)
	case version < 11 && op == "Pad":
		g.move(&c, "pads", 1)
		g.move(&c, "value", 2)
	case version < 11 && op == "Clip":
		g.move(&c, "min", 1)
		g.move(&c, "max", 2)
	case version < 10 && op == "Slice":
		for i, name := range []string{"starts", "ends", "axes"} {
			g.move(&c, name, i+1)
		}
	case version < 10 && op == "TopK":
		if a := n.Attribute("k"); a != nil {
			c.Attributes = slices.DeleteFunc(c.Attributes, func(a *onnx.Attribute) bool { return a.Name == "k" })
			c.Inputs = append(c.Inputs[:1], g.Integers(a.Int))
		}
	case version < 11 && op == "Scatter":
		c.OpType = "ScatterElements"
	case version < 12 && op == "Dropout":
		c.Attributes = nil
	case version < 14 && op == "BatchNormalization":
		c.Outputs = n.Outputs[:1]
		c.Attributes = slices.DeleteFunc(c.Attributes, func(a *onnx.Attribute) bool { return a.Name == "spatial" })
		if n.Int("spatial", 1) == 0 {
			return nil, fmt.Errorf("BatchNormalization with spatial=0 exists no more")
		}
	case version < 13 && slices.Contains([]string{"Softmax", "LogSoftmax", "Hardmax"}, op):
		return g.flattening(&c), nil
	}
	return []*onnx.Node{&c}, nil
}

// move turns an attribute into input i.
func (g *Graph) move(n *onnx.Node, name string, i int) {
	a := n.Attribute(name)
	if a == nil {
		return
	}
	n.Attributes = slices.DeleteFunc(n.Attributes, func(b *onnx.Attribute) bool { return b == a })
	for len(n.Inputs) <= i {
		n.Inputs = append(n.Inputs, "")
	}
	if a.Type == onnx.AttrFloat || a.Type == onnx.AttrUndefined && len(a.Ints) == 0 {
		n.Inputs[i] = g.Number(float64(a.Float), n.Inputs[0])
	} else {
		n.Inputs[i] = g.Integers(a.Ints...)
	}
}

// flattening spells a Softmax of before version 13, which joined all
// dimensions from its axis on.
func (g *Graph) flattening(n *onnx.Node) []*onnx.Node {
	at, s := n.Int("axis", 1), g.shapes[n.Inputs[0]]
	if at == -1 || s != nil && (at == int64(len(s))-1 || at == 0 && len(s) == 1) {
		n.Attributes = []*onnx.Attribute{Int("axis", -1)}
		return []*onnx.Node{n}
	}
	flat, soft, shape := prefix+"flat:"+n.Outputs[0], g.fresh(), g.fresh() // Logits returns flat
	return []*onnx.Node{
		{OpType: "Flatten", Inputs: n.Inputs, Outputs: []string{flat}, Attributes: []*onnx.Attribute{Int("axis", at)}},
		{OpType: n.OpType, Inputs: []string{flat}, Outputs: []string{soft}, Attributes: []*onnx.Attribute{Int("axis", -1)}},
		{OpType: "Shape", Inputs: n.Inputs, Outputs: []string{shape}},
		{OpType: "Reshape", Name: n.Name, Inputs: []string{soft, shape}, Outputs: n.Outputs},
	}
}
