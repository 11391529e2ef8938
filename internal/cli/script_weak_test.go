package cli_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/assize/assize/internal/onnx"
)

const weakManifest = `assize: 1
target: {name: weak, version: 1.0.0, provider: p, intended_purpose: a target with a fault}
artefacts:
  - {name: train, kind: dataset, path: train.csv, label: y}
  - {name: test, kind: dataset, path: test.csv, label: y}
  - {name: model, kind: model, path: model.onnx, from: [train]}
interface:
  input: {tensor: x, layout: columns}
  output: {tensor: out, kind: %s, classes: [no, yes]}
decision: {rule: argmax}
domain:
  confirmed_by: {name: X, date: 2026-10-26}
  features: features.csv
threat_model:
  evasion: {norm: linf, epsilon: %s, unit: range, access: white-box, queries_per_row: 200}
`

// weakGraphs are what follows the logits of a linear model of two classes.
var weakGraphs = map[string][]*onnx.Node{
	"plain":    {node("Softmax", "out", "z")},
	"constant": {node("Mul", "k", "z", "zero"), node("Softmax", "out", "k")},
	"norule":   {node("Asinh", "k", "z"), node("Softmax", "out", "k")},
	"rounded":  {node("Round", "k", "z"), node("Softmax", "out", "k")},
	"label":    {argmax()},
	"kink":     {node("Relu", "r", "z"), node("Sqrt", "k", "r"), node("Softmax", "out", "k")}, // its slope is infinite where the root is 0
	"nan":      {node("Sqrt", "k", "z"), node("Softmax", "out", "k")},
}

func node(op, out string, in ...string) *onnx.Node {
	return &onnx.Node{OpType: op, Inputs: in, Outputs: []string{out}}
}

func argmax() *onnx.Node {
	n := node("ArgMax", "out", "z")
	n.Attributes = []*onnx.Attribute{{Name: "axis", Type: onnx.AttrInt, Int: 1}, {Name: "keepdims", Type: onnx.AttrInt, Int: 0}}
	return n
}

// weak writes the target that is its argument, "plain" with a fault: a graph of
// weakGraphs, or a fault of the manifest or of the rows.
func weak(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: weak NAME")
	}
	name, graph, epsilon, kind := args[0], args[0], "0.1", "probabilities"
	rows := func(r *rand.Rand, n int, fault func(i int, row []string)) string {
		var b strings.Builder
		b.WriteString("a,b,c,d,y\n")
		for i := range n {
			row, sum := make([]string, 5), -0.9
			for j, w := range []float64{4, -3, 2, -1} {
				v := r.Float64()
				row[j], sum = fmt.Sprintf("%.6f", v), sum+w*v
			}
			if row[4] = "no"; sum > 0 {
				row[4] = "yes"
			}
			if fault != nil {
				fault(i, row)
			}
			b.WriteString(strings.Join(row, ",") + "\n")
		}
		return b.String()
	}
	faults := map[string]func(int, []string){
		"oneclass": func(_ int, row []string) { row[4] = "yes" },
		"outside":  func(_ int, row []string) { row[0] = "3" },
		"nanrow": func(i int, row []string) {
			if i == 7 {
				row[2] = "nan"
			}
		},
		"infrow": func(i int, row []string) {
			if i == 7 {
				row[2] = "1e999"
			}
		},
	}
	switch {
	case faults[name] != nil:
		graph = "plain"
	case name == "narrow":
		graph, epsilon = "plain", "0"
	case name == "wide":
		graph, epsilon = "plain", "2"
	case name == "label":
		kind = "label"
	}
	if weakGraphs[graph] == nil {
		ts.Fatalf("no such target: %s", name)
	}
	value := func(name string, elem onnx.DataType, width int64) *onnx.ValueInfo {
		shape := []onnx.Dim{{Param: "N"}}
		if width > 0 {
			shape = append(shape, onnx.Dim{Fixed: true, Value: width})
		}
		return &onnx.ValueInfo{Name: name, Type: &onnx.Type{Kind: onnx.KindTensor, ElemType: elem, HasShape: true, Shape: shape}}
	}
	out := value("out", onnx.Float, 2)
	if graph == "label" {
		out = value("out", onnx.Int64, 0)
	}
	m := &onnx.Model{IRVersion: 8, Opsets: []onnx.Opset{{Version: 13}}, Graph: &onnx.Graph{
		Name: "g", Inputs: []*onnx.ValueInfo{value("x", onnx.Float, 4)}, Outputs: []*onnx.ValueInfo{out},
		Initializers: []*onnx.Tensor{
			onnx.NewFloats("w", []int64{4, 2}, []float32{-12, 12, 9, -9, -6, 6, 3, -3}), onnx.NewFloats("b", []int64{2}, []float32{2.7, -2.7}),
			onnx.NewFloats("zero", nil, []float32{0}),
		},
		Nodes: append([]*onnx.Node{node("Gemm", "z", "x", "w", "b")}, weakGraphs[graph]...),
	}}
	dir := ts.MkAbs(name)
	ts.Check(os.Mkdir(dir, 0o755))
	r := rand.New(rand.NewPCG(1, 2))
	write(ts, filepath.Join(dir, "model.onnx"), m.Bytes())
	write(ts, filepath.Join(dir, "train.csv"), []byte(rows(r, 20, nil)))
	write(ts, filepath.Join(dir, "test.csv"), []byte(rows(r, 80, faults[name])))
	write(ts, filepath.Join(dir, "features.csv"), []byte("name,type,min,max\na,real,0,1\nb,real,0,1\nc,real,0,1\nd,real,0,1\n"))
	write(ts, filepath.Join(dir, "assize.yaml"), fmt.Appendf(nil, weakManifest, kind, epsilon))
}
