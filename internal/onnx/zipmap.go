package onnx

import "slices"

// DropZipMap replaces each graph output made by the operator ZipMap of
// ai.onnx.ml, a sequence of one map per row from class to probability, by
// the N×classes float tensor that ZipMap was given. The output keeps its
// name; columns are in the order of ZipMap's class labels. It returns the
// model itself and false where there is none, else a changed copy.
func DropZipMap(m *Model) (*Model, bool) {
	g := *m.Graph
	g.Nodes = slices.Clone(g.Nodes)
	g.Outputs = slices.Clone(g.Outputs)
	changed := false
	for i, out := range g.Outputs {
		at := slices.IndexFunc(g.Nodes, func(n *Node) bool {
			return n.OpType == "ZipMap" && n.Domain == "ai.onnx.ml" && len(n.Inputs) == 1 && slices.Contains(n.Outputs, out.Name)
		})
		if at < 0 {
			continue
		}
		zip := g.Nodes[at]
		classes := 0
		for _, a := range zip.Attributes {
			classes += len(a.Strings) + len(a.Ints)
		}
		g.Nodes[at] = &Node{OpType: "Identity", Name: zip.Name, Inputs: zip.Inputs, Outputs: zip.Outputs}
		g.Outputs[i] = &ValueInfo{Name: out.Name, Doc: out.Doc, Type: &Type{Kind: KindTensor, ElemType: Float, HasShape: true,
			Shape: []Dim{{}, {Fixed: classes > 0, Value: int64(classes)}}}}
		changed = true
	}
	if !changed {
		return m, false
	}
	c := *m
	c.Graph = &g
	if c.Opset("") == 0 { // Identity belongs to ai.onnx
		c.Opsets = append(slices.Clone(c.Opsets), Opset{Version: 13})
	}
	return &c, true
}
