package draft

import (
	"fmt"
	"strings"

	"github.com/assize/assize/internal/manifest"
	"github.com/assize/assize/internal/onnx"
)

// onnxModel reads the interface off a graph.
func onnxModel(file *onnx.Model, rel string) Model {
	m := Model{Path: rel, Format: "ONNX", Layout: manifest.Columns}
	file, _ = onnx.DropZipMap(file)
	inputs := file.Inputs()
	switch {
	case len(inputs) != 1:
		m.Problem = fmt.Sprintf("it has %d inputs; export it with its features in one tensor", len(inputs))
		return m
	case inputs[0].Type == nil || inputs[0].Type.ElemType != onnx.Float && inputs[0].Type.ElemType != onnx.Double:
		m.Problem = "its input holds no numbers; export it with numeric features"
		return m
	}
	m.Input = inputs[0].Name
	shape := inputs[0].Type.Shape
	m.Width, m.Layout = width(shape), layout(shape)
	out := answer(file.Outputs())
	if out == nil {
		m.Problem = "it has no output of numbers"
		return m
	}
	m.Output = out.Name
	if s := out.Type.Shape; len(s) == 2 && s[1].Fixed {
		m.Columns = int(s[1].Value)
	} else if len(s) == 1 {
		m.Columns = 1
	}
	m.Kinds = kinds(file, out.Name, m.Columns)
	return m
}

// width is the number of values a row, or 0 where a dimension is open.
func width(shape []onnx.Dim) int {
	if len(shape) < 2 {
		return 0
	}
	w := 1
	for _, d := range shape[1:] {
		if !d.Fixed || d.Value < 1 || d.Value > 1<<24 || w > 1<<24 {
			return 0
		}
		w *= int(d.Value)
	}
	return w
}

// layout tells pictures by the place of their one, three or four channels.
func layout(shape []onnx.Dim) manifest.Layout {
	few := func(d onnx.Dim) bool { return d.Fixed && (d.Value == 1 || d.Value == 3 || d.Value == 4) }
	switch {
	case len(shape) == 4 && few(shape[1]):
		return manifest.NCHW
	case len(shape) == 4 && few(shape[3]):
		return manifest.NHWC
	}
	return manifest.Columns
}

// answer is the output that holds scores: the one named so, else the first of real numbers, else the label.
func answer(outputs []*onnx.ValueInfo) *onnx.ValueInfo {
	var real, whole *onnx.ValueInfo
	for _, o := range outputs {
		if o.Type == nil {
			continue
		}
		switch o.Type.ElemType {
		case onnx.Float, onnx.Double:
			if real == nil || strings.Contains(strings.ToLower(o.Name), "prob") {
				real = o
			}
		case onnx.Int64, onnx.Int32:
			whole = o
		}
	}
	if real != nil {
		return real
	}
	return whole
}

// kinds tells what an output is by the operator that makes it.
func kinds(file *onnx.Model, output string, columns int) []manifest.OutputKind {
	last := ""
	for _, n := range file.Graph.Nodes {
		for _, o := range n.Outputs {
			if o == output {
				last = n.OpType
			}
		}
	}
	const positive, several, logits, score, label = manifest.PositiveProbability, manifest.Probabilities, manifest.Logits, manifest.Score, manifest.Label
	named := strings.Contains(strings.ToLower(output), "prob")
	switch {
	case last == "ArgMax":
		return []manifest.OutputKind{label}
	case last == "Sigmoid" && columns == 1:
		return []manifest.OutputKind{positive}
	case last == "Softmax":
		return []manifest.OutputKind{several}
	case last == "LogSoftmax":
		return []manifest.OutputKind{logits}
	case columns == 1 && named:
		return []manifest.OutputKind{positive, score}
	case columns == 1:
		return []manifest.OutputKind{score, positive, logits}
	case named || last == "Normalizer" || strings.HasSuffix(last, "Classifier"):
		return []manifest.OutputKind{several, logits}
	}
	return []manifest.OutputKind{logits, several}
}
