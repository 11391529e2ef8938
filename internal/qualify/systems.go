package qualify

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/assize/assize/internal/onnx"
)

// system is a small target: rows of two inputs between 0 and 1, and a model whose
// score depends on the first alone.
type system struct {
	model    []byte
	name     string // of the model's file
	rows     int    // 0 is attacked
	labels   func(i int) int
	declared string // lines under "declared:"
	served   func(i int) float64
	train    bool // half of it is the test data again
	claims   string
}

// attacked is how many rows a system has where nothing else is said: what the attacks take at depth quick, so that all are attacked.
const attacked = 50

// at is the first input of row i of n: the middle of the i-th of n equal parts.
func at(i, n int) float64 { return (float64(i) + 0.5) / float64(n) }

// above is the class on the far side of one half.
func above(i int) int {
	if at(i, attacked) >= 0.5 {
		return 1
	}
	return 0
}

// write makes the target's folder.
func (b *bench) write(s system) (string, error) {
	if s.rows == 0 {
		s.rows = attacked
	}
	dir := filepath.Join(b.work, fmt.Sprintf("case-%d", b.number))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	files := map[string]string{s.name: string(s.model), "assize.yaml": s.manifest(), "test.csv": s.table(0, s.rows)}
	if s.train {
		// Five rows of the test data, one of them twice with both labels, and some of its own.
		files["train.csv"] = s.table(0, 5) + fmt.Sprintf("%g,0.25,%d\n", at(0, s.rows), 1-s.labels(0)) + strings.TrimPrefix(s.table(other, other+20), header)
	}
	if s.served != nil {
		var served strings.Builder
		served.WriteString("probability\n")
		for i := range s.rows {
			fmt.Fprintf(&served, "%g\n", s.served(i))
		}
		files["served.csv"] = served.String()
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			return "", err
		}
	}
	return dir, nil
}

// other is the first of rows that are not in the test data.
const other = 1000

const header = "first,second,label\n"

func (s system) table(from, to int) string {
	var t strings.Builder
	t.WriteString(header)
	for i := from; i < to; i++ {
		first := at(i, s.rows)
		if i >= other {
			first = (float64(i-other) + 0.13) / 20
		}
		fmt.Fprintf(&t, "%g,0.25,%d\n", first, s.labels(i))
	}
	return t.String()
}

func (s system) manifest() string {
	m := "assize: 1\ntarget: {name: known-answer, version: \"1\"}\nartefacts:\n"
	from := ""
	if s.train {
		m += "  - {name: train, kind: dataset, path: train.csv, label: label}\n"
		from = ", from: [train]"
	}
	m += "  - {name: test, kind: dataset, path: test.csv, label: label}\n"
	m += fmt.Sprintf("  - {name: model, kind: model, path: %s%s}\n", s.name, from)
	if s.served != nil {
		m += "  - {name: served, kind: recorded-outputs, path: served.csv, of: model, on: test}\n"
	}
	m += `interface:
  input: {layout: columns}
  output: {kind: positive-probability, classes: ["0", "1"]}
decision: {rule: cutoff, positive: "1", cutoff: 0.5, outcomes: {below: refuse, above: accept}}
domain:
  confirmed_by: {name: known-answer suite, date: 2026-11-22}
  features:
    - {name: first, type: real, min: 0, max: 1}
    - {name: second, type: real, min: 0, max: 1}
threat_model:
  evasion: {norm: linf, epsilon: 0.1, unit: raw, access: black-box, queries_per_row: 500}
`
	if s.declared != "" {
		m += "declared:\n" + s.declared
	}
	return m + "claims: [" + s.claims + "]\ndepth: quick\n"
}

// slope is a network that gives the sigmoid of slope·(first - 1/2), with an operator behind it where one is named.
func slope(by float32, behind ...*onnx.Node) []byte {
	batch := onnx.Dim{Param: "N"}
	value := func(name string, width int64) *onnx.ValueInfo {
		return &onnx.ValueInfo{Name: name, Type: &onnx.Type{Kind: onnx.KindTensor, ElemType: onnx.Float, HasShape: true, Shape: []onnx.Dim{batch, {Fixed: true, Value: width}}}}
	}
	last := "p"
	nodes := []*onnx.Node{
		{OpType: "Gemm", Inputs: []string{"x", "w", "b"}, Outputs: []string{"z"}},
		{OpType: "Sigmoid", Inputs: []string{"z"}, Outputs: []string{"p"}},
	}
	for _, n := range behind {
		nodes = append(nodes, n)
		last = n.Outputs[0]
	}
	m := &onnx.Model{IRVersion: 8, Producer: "assize", Opsets: []onnx.Opset{{Version: 13}}, Graph: &onnx.Graph{
		Name: "slope", Nodes: nodes, Inputs: []*onnx.ValueInfo{value("x", 2)}, Outputs: []*onnx.ValueInfo{value(last, 1)},
		Initializers: []*onnx.Tensor{onnx.NewFloats("w", []int64{2, 1}, []float32{by, 0}), onnx.NewFloats("b", []int64{1}, []float32{-by / 2})},
	}}
	return m.Bytes()
}

// stump is one tree that says class 1 from one half on, as XGBoost writes it.
const stump = `{"learner":{"attributes":{},"feature_names":[],"feature_types":[],"gradient_booster":{"model":{"gbtree_model_param":{"num_parallel_tree":"1","num_trees":"1"},"tree_info":[0],"trees":[{"base_weights":[0,-2,2],"categories":[],"categories_nodes":[],"categories_segments":[],"categories_sizes":[],"default_left":[0,0,0],"id":0,"left_children":[1,-1,-1],"loss_changes":[1,0,0],"parents":[2147483647,0,0],"right_children":[2,-1,-1],"split_conditions":[0.5,-2,2],"split_indices":[0,0,0],"split_type":[0,0,0],"sum_hessian":[1,1,1],"tree_param":{"num_deleted":"0","num_feature":"2","num_nodes":"3","size_leaf_vector":"1"}}]},"name":"gbtree"},"learner_model_param":{"base_score":"5E-1","boost_from_average":"1","num_class":"0","num_feature":"2","num_target":"1"},"objective":{"name":"binary:logistic","reg_loss_param":{"scale_pos_weight":"1"}}},"version":[2,0,3]}`
