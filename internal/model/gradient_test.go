package model_test

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assize/assize/internal/model"
	"github.com/assize/assize/internal/onnx"
	"github.com/assize/assize/internal/onnx/grad"
	"github.com/assize/assize/internal/onnx/ort/orttest"
)

// dense is a network of 3 inputs, 5 hidden units and k logits, with nodes
// behind the logits z that make y.
func dense(t *testing.T, k int64, batch onnx.Dim, typ onnx.DataType, tail ...*onnx.Node) string {
	t.Helper()
	value := func(name string, dims ...onnx.Dim) *onnx.ValueInfo {
		return &onnx.ValueInfo{Name: name, Type: &onnx.Type{Kind: onnx.KindTensor, ElemType: typ, HasShape: true, Shape: dims}}
	}
	weights := func(n int64, seed float64) []float32 {
		out := make([]float32, n)
		for i := range out {
			out[i] = float32(math.Sin(seed+float64(i)*1.7) * 1.3)
		}
		return out
	}
	m := &onnx.Model{IRVersion: 8, Opsets: []onnx.Opset{{Version: 13}}, Graph: &onnx.Graph{
		Name:    "g",
		Inputs:  []*onnx.ValueInfo{value("x", batch, onnx.Dim{Fixed: true, Value: 3})},
		Outputs: []*onnx.ValueInfo{value("y", batch, onnx.Dim{Fixed: true, Value: k})},
		Initializers: []*onnx.Tensor{
			onnx.NewFloats("w1", []int64{3, 5}, weights(15, 1)), onnx.NewFloats("b1", []int64{5}, weights(5, 2)),
			onnx.NewFloats("w2", []int64{5, k}, weights(5*k, 3)), onnx.NewFloats("b2", []int64{k}, weights(k, 4)),
		},
	}}
	node := func(op string, out string, in ...string) *onnx.Node {
		return &onnx.Node{OpType: op, Name: out, Inputs: in, Outputs: []string{out}}
	}
	cast := func(from, to string, typ onnx.DataType) *onnx.Node {
		n := node("Cast", to, from)
		n.Attributes = []*onnx.Attribute{grad.Int("to", int64(typ))}
		return n
	}
	m.Graph.Nodes = append([]*onnx.Node{cast("x", "x32", onnx.Float), node("Gemm", "h", "x32", "w1", "b1"), node("Tanh", "a", "h"), node("Gemm", "z", "a", "w2", "b2")}, tail...)
	if len(tail) == 0 {
		m.Graph.Nodes = append(m.Graph.Nodes, cast("z", "y", typ))
	}
	path := filepath.Join(t.TempDir(), "model.onnx")
	if err := os.WriteFile(path, m.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func tail(op string, in ...string) *onnx.Node {
	return &onnx.Node{OpType: op, Name: op, Inputs: in, Outputs: []string{"y"}}
}

// TestGradient compares losses with what the answers say and gradients with
// central differences of the losses, for every output kind and rule.
func TestGradient(t *testing.T) {
	orttest.Load(t)
	free, one, two := onnx.Dim{Param: "N"}, onnx.Dim{Fixed: true, Value: 1}, onnx.Dim{Fixed: true, Value: 2}
	argmax := model.Rule{Kind: model.Argmax, Positive: 1}
	cut := model.Rule{Kind: model.Cutoff, Positive: 1, Cutoff: 0.4, Band: &[2]float64{0.3, 0.4}, Outcomes: []string{"accept", "refer", "refuse"}, Favourable: []string{"accept"}}
	low := cut
	low.Cutoff, low.Band = 0.1, &[2]float64{0.05, 0.1}
	score := cut
	score.Cutoff, score.Band, score.Favourable = 0.5, nil, nil
	perClass := model.Rule{Kind: model.PerClass, Cutoffs: []float64{0.3, 0.5, 0.4, 0.35}, Outcomes: []string{"a", "b", "c", "d", "refer"}}
	softmax, sigmoid := tail("Softmax", "z"), tail("Sigmoid", "z")
	for _, tt := range []struct {
		name     string
		k        int64
		batch    onnx.Dim
		typ      onnx.DataType
		nodes    []*onnx.Node
		kind     model.Kind
		rule     model.Rule
		outcomes int
		dlr      bool
	}{
		{"logits", 4, free, onnx.Float, nil, model.Logits, argmax, 4, true},
		{"logits, fixed batch", 4, one, onnx.Float, nil, model.Logits, argmax, 4, true},
		{"softmax", 4, free, onnx.Float, []*onnx.Node{softmax}, model.Probabilities, argmax, 4, true},
		{"softmax, batches of two", 3, two, onnx.Float, []*onnx.Node{softmax, tail("Identity", "y")}[:1], model.Probabilities, argmax, 3, true},
		{"double", 3, free, onnx.Double, nil, model.Logits, argmax, 3, true},
		{"two classes", 2, free, onnx.Float, []*onnx.Node{softmax}, model.Probabilities, argmax, 2, false},
		{"one logit", 1, free, onnx.Float, nil, model.Logits, argmax, 2, false},
		{"sigmoid", 1, free, onnx.Float, []*onnx.Node{sigmoid}, model.PositiveProbability, argmax, 2, false},
		{"sigmoid, cut-off with band", 1, free, onnx.Float, []*onnx.Node{sigmoid}, model.PositiveProbability, cut, 3, false},
		{"one logit, cut-off", 1, free, onnx.Float, nil, model.Logits, cut, 3, false},
		{"two classes, cut-off", 2, free, onnx.Float, []*onnx.Node{softmax}, model.Probabilities, cut, 3, false},
		{"four classes, cut-off", 4, free, onnx.Float, []*onnx.Node{softmax}, model.Probabilities, low, 3, false},
		{"score, cut-off", 1, free, onnx.Float, nil, model.Score, score, 2, false},
		{"cut-off for each class", 4, free, onnx.Float, []*onnx.Node{softmax}, model.Probabilities, perClass, 5, false},
		{"cut-off for each class, logits", 4, free, onnx.Float, nil, model.Logits, perClass, 5, false},
		{"probabilities without logits", 2, free, onnx.Float, []*onnx.Node{
			{OpType: "Softmax", Inputs: []string{"z"}, Outputs: []string{"p"}}, {OpType: "Mul", Inputs: []string{"p", "p"}, Outputs: []string{"q"}},
			tail("Sqrt", "q")}, model.Probabilities, cut, 3, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			spec := &model.Spec{
				Path:   dense(t, tt.k, tt.batch, tt.typ, tt.nodes...),
				Input:  model.Input{Mean: []float64{0.3, 0.5, 0.1}, Std: []float64{0.5, 0.25, 2}},
				Output: model.Output{Kind: tt.kind}, Rule: tt.rule,
			}
			m, _, err := model.Open(t.Context(), spec)
			if err != nil {
				t.Fatal(err)
			}
			if err := m.Differentiable(); err != nil {
				t.Error(err)
			}
			g, err := m.Gradient(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if got := g.Outcomes(); got != tt.outcomes {
				t.Errorf("got %d outcomes, want %d", got, tt.outcomes)
			}
			if got := g.Defined(model.DLR); got != tt.dlr {
				t.Errorf("DLR is defined: got %v, want %v", got, tt.dlr)
			}
			checkGradient(t, m, g)
		})
	}
}

func checkGradient(t *testing.T, m *model.Model, g *model.Gradient) {
	t.Helper()
	const rows, step = 7, 2e-3
	w := m.Width()
	x := make([]float32, rows*w)
	for i := range x {
		x[i] = float32(math.Mod(float64(i)*0.618, 1))
	}
	decided := make([]model.Decision, rows)
	if err := m.Decide(context.Background(), x, rows, decided); err != nil {
		t.Fatal(err)
	}
	aims := make([]model.Aim, rows)
	for i := range aims {
		aims[i] = model.Aim{From: decided[i], Target: -1}
		if targets := g.Targets(decided[i]); i%2 == 1 && len(targets) > 0 {
			aims[i].Target = targets[i%len(targets)]
		}
	}
	evaluate := func(loss model.Loss, x []float32, aims []model.Aim) *model.Slopes {
		s := &model.Slopes{}
		if err := g.Evaluate(context.Background(), loss, x, aims, s); err != nil {
			t.Fatal(err)
		}
		return s
	}
	moved := 0
	for _, loss := range []model.Loss{model.CrossEntropy, model.Margin, model.DLR, model.TargetedDLR} {
		s := evaluate(loss, x, aims)
		if slices.Contains(s.Won, true) {
			t.Errorf("loss %d: rows that are not changed have won: %v", loss, s.Won)
		}
		for i, d := range decided {
			if scores := s.Scores[i*g.Outcomes() : (i+1)*g.Outcomes()]; len(g.Targets(d)) > 0 && slices.Contains(g.Targets(d), slices.Index(scores, slices.Max(scores))) {
				t.Errorf("loss %d, row %d: the scores %v say that it gains", loss, i, scores)
			}
		}
		for j := range w {
			up, down := slices.Clone(x), slices.Clone(x)
			for i := range rows {
				up[i*w+j] += step
				down[i*w+j] -= step
			}
			high, low := evaluate(loss, up, aims), evaluate(loss, down, aims)
			for i := range rows {
				want := (high.Loss[i] - low.Loss[i]) / float64(up[i*w+j]-down[i*w+j])
				got := float64(s.Gradient[i*w+j])
				bend := math.Abs(high.Loss[i]+low.Loss[i]-2*s.Loss[i]) / step // a kink between the points
				if len(g.Targets(decided[i])) > 0 && math.Abs(got-want) > 0.02*(1+math.Abs(want))+2*bend {
					t.Errorf("loss %d, row %d, feature %d: got %g, central difference %g", loss, i, j, got, want)
				}
				if got != 0 {
					moved++
				}
			}
		}
	}
	if moved < rows*w {
		t.Errorf("only %d numbers of the gradients are not 0", moved)
	}
}

// TestGradientRounds lets a rounded output move what wins, not the gradient.
func TestGradientRounds(t *testing.T) {
	orttest.Load(t)
	spec := &model.Spec{
		Path:   dense(t, 1, onnx.Dim{Param: "N"}, onnx.Float, tail("Sigmoid", "z")),
		Output: model.Output{Kind: model.PositiveProbability}, Solutions: []model.Solution{{Name: "round", Type: model.OutputRounding}},
		Rule: model.Rule{Kind: model.Cutoff, Positive: 1, Cutoff: 0.9, Outcomes: []string{"no", "", "yes"}},
	}
	plain, _, err := model.Open(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	rounded, err := plain.With([]string{"round"})
	if err != nil {
		t.Fatal(err)
	}
	var s [2]model.Slopes
	x := []float32{0.9, 0.8, 0.2, 0.1, 0.2, 0.3, 0.5, 0.1, 0.9}
	for i, m := range []*model.Model{plain, rounded} {
		g, err := m.Gradient(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := g.Evaluate(t.Context(), model.Margin, x, []model.Aim{{From: model.Below, Target: -1}, {From: model.Below, Target: -1}, {From: model.Below, Target: -1}}, &s[i]); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(s[1].Gradient, s[0].Gradient); diff != "" {
		t.Errorf("rounding changes the gradient (-got +want):\n%s", diff)
	}
	if slices.Contains(s[0].Won, true) || !slices.Contains(s[1].Won, true) {
		t.Errorf("won: got %v plain and %v rounded", s[0].Won, s[1].Won)
	}
}

// TestGradientRefuses names what cannot be differentiated.
func TestGradientRefuses(t *testing.T) {
	m, _ := open(t, cutoff(model.PositiveProbability), 2, 1)
	if _, err := m.Gradient(t.Context()); !errors.Is(err, model.ErrNoGradient) {
		t.Errorf("got the error %v for a function, want ErrNoGradient", err)
	}
	orttest.Load(t)
	spec := &model.Spec{
		Path: filepath.Join("..", "..", "examples", "credit", "model.onnx"), Output: model.Output{Tensor: "probabilities", Kind: model.Probabilities},
		Rule: model.Rule{Kind: model.Argmax},
	}
	trees, _, err := model.Open(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	var unsupported *grad.UnsupportedError
	if _, err := trees.Gradient(t.Context()); !errors.As(err, &unsupported) || unsupported.Nodes[0].OpType != "ai.onnx.ml.TreeEnsembleClassifier" {
		t.Errorf("got the error %v for trees, want an UnsupportedError that names them", err)
	}
	if err := trees.Differentiable(); !errors.As(err, &unsupported) {
		t.Errorf("got the error %v for trees, want an UnsupportedError", err)
	}
	spec.Output = model.Output{Tensor: "label", Kind: model.Label, Classes: []string{"paid", "default"}}
	labels, _, err := model.Open(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := labels.Gradient(t.Context()); err == nil {
		t.Error("labels alone have a gradient")
	}
	if labels.Differentiable() == nil {
		t.Error("labels alone are said to have a gradient")
	}
}

// TestGradientOfPartsOfABatch wants the same bits for a row whatever shares its batch.
func TestGradientOfPartsOfABatch(t *testing.T) {
	orttest.Load(t)
	spec := &model.Spec{
		Path:   filepath.Join("..", "..", "examples", "digits", "model.onnx"),
		Output: model.Output{Kind: model.Logits}, Rule: model.Rule{Kind: model.Argmax},
	}
	m, _, err := model.Open(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	g, err := m.Gradient(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	const rows = 67
	w := m.Width()
	x, aims := make([]float32, rows*w), make([]model.Aim, rows)
	for i := range x {
		x[i] = float32(math.Mod(float64(i)*0.618, 1))
	}
	for i := range aims {
		aims[i] = model.Aim{From: model.Decision(i % 10), Target: -1}
	}
	var whole, part model.Slopes
	if err := g.Evaluate(t.Context(), model.DLR, x, aims, &whole); err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{1, 2, 3, 13, 64} {
		for from := 0; from < rows; from += size {
			to := min(rows, from+size)
			if err := g.Evaluate(t.Context(), model.DLR, x[from*w:to*w], aims[from:to], &part); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(part.Gradient, whole.Gradient[from*w:to*w]) || !slices.Equal(part.Loss, whole.Loss[from:to]) {
				t.Fatalf("rows %d to %d alone: other bits than in a batch of %d", from, to, rows)
			}
		}
	}
}

// TestGradientByRule wants the scores of the rule that holds, whichever was asked for first.
func TestGradientByRule(t *testing.T) {
	orttest.Load(t)
	spec := &model.Spec{
		Path:   dense(t, 1, onnx.Dim{Param: "N"}, onnx.Float, tail("Sigmoid", "z")),
		Output: model.Output{Kind: model.PositiveProbability}, Solutions: []model.Solution{{Name: "band", Type: model.ReferBand, Switchable: true}},
		Rule: model.Rule{Kind: model.Cutoff, Positive: 1, Cutoff: 0.5, Band: &[2]float64{0.3, 0.5}, Outcomes: []string{"no", "refer", "yes"}},
	}
	m, _, err := model.Open(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	for _, on := range [][]string{{"band"}, nil, {"band"}} {
		with, err := m.With(on)
		if err != nil {
			t.Fatal(err)
		}
		g, err := with.Gradient(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got, want := g.Outcomes(), 2+len(on); got != want {
			t.Errorf("with %q: got %d outcomes, want %d", on, got, want)
		}
		checkGradient(t, with, g)
	}
}
