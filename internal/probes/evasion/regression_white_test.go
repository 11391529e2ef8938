package evasion_test

import (
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/assize/assize/internal/domain"
	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/measure/measuretest"
	"github.com/assize/assize/internal/model"
	"github.com/assize/assize/internal/onnx"
	"github.com/assize/assize/internal/onnx/ort/orttest"
)

// scoreModel writes a graph that gives one number: linear where hidden is 0, else a layer of rectified units and a sum.
func scoreModel(t testing.TB, width, hidden int) (path string, weights []float64) {
	t.Helper()
	rng := rand.New(rand.NewPCG(3, 4))
	draw := func(n int) []float32 {
		out := make([]float32, n)
		for i := range out {
			out[i] = float32(rng.NormFloat64())
		}
		return out
	}
	value := func(name string, n int64) *onnx.ValueInfo {
		return &onnx.ValueInfo{Name: name, Type: &onnx.Type{Kind: onnx.KindTensor, ElemType: onnx.Float, HasShape: true, Shape: []onnx.Dim{{Param: "N"}, {Fixed: true, Value: n}}}}
	}
	g := &onnx.Graph{Name: "g", Inputs: []*onnx.ValueInfo{value("x", int64(width))}, Outputs: []*onnx.ValueInfo{value("y", 1)}}
	if hidden == 0 {
		w := draw(width)
		for _, v := range w {
			weights = append(weights, float64(v))
		}
		g.Initializers = []*onnx.Tensor{onnx.NewFloats("w", []int64{int64(width), 1}, w)}
		g.Nodes = []*onnx.Node{{OpType: "MatMul", Inputs: []string{"x", "w"}, Outputs: []string{"y"}}}
	} else {
		g.Initializers = []*onnx.Tensor{
			onnx.NewFloats("w", []int64{int64(width), int64(hidden)}, draw(width*hidden)), onnx.NewFloats("b", []int64{int64(hidden)}, draw(hidden)),
			onnx.NewFloats("v", []int64{int64(hidden), 1}, draw(hidden)),
		}
		g.Nodes = []*onnx.Node{
			{OpType: "Gemm", Inputs: []string{"x", "w", "b"}, Outputs: []string{"h"}}, {OpType: "Relu", Inputs: []string{"h"}, Outputs: []string{"r"}},
			{OpType: "MatMul", Inputs: []string{"r", "v"}, Outputs: []string{"y"}},
		}
	}
	path = filepath.Join(t.TempDir(), "model.onnx")
	m := &onnx.Model{IRVersion: 8, Opsets: []onnx.Opset{{Version: 17}}, Graph: g}
	if err := os.WriteFile(path, m.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path, weights
}

// scored is a regression target with a graph, and some solutions on.
func scored(t testing.TB, path string, fs []domain.Feature, rows [][]float32, over measure.Params, on ...model.Solution) measuretest.Target {
	t.Helper()
	orttest.Load(t)
	g := number(t, fs, nil, rows, over)
	g.Model = func() *model.Model {
		m, _, err := model.Open(t.Context(), &model.Spec{
			Path: path, Output: model.Output{Kind: model.Score}, Rule: model.Rule{Kind: model.NoRule, Outcomes: []string{"a number"}},
			Domain: &model.Domain{Features: fs}, Solutions: on,
		})
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, s := range on {
			names = append(names, s.Name)
		}
		if m, err = m.With(names); err != nil {
			t.Fatal(err)
		}
		return m
	}
	return g
}

// TestGradientsReachTheDualNorm follows gradients of a linear function with hardly a question left for the search by asking.
func TestGradientsReachTheDualNorm(t *testing.T) {
	const width = 12
	path, weights := scoreModel(t, width, 0)
	one, two, most := 0.0, 0.0, 0.0
	for _, w := range weights {
		one, two, most = one+math.Abs(w), two+w*w, max(most, math.Abs(w))
	}
	for norm, dual := range map[string]float64{"linf": one, "l2": math.Sqrt(two), "l1": most} {
		r := moved(t, scored(t, path, reals(width), middles(35, width), measure.Params{"norm": norm, "epsilon": 0.1, "queries": 8.0, "steps": 40.0}))
		for i, got := range r.Rows.Column("followed") {
			if want := 0.1 * dual; got < (1-2e-3)*want || got > want*(1+1e-5) || r.Rows.Column("change")[i] != max(got, r.Rows.Column("searched")[i], r.Rows.Column("noise")[i]) {
				t.Errorf("%s: row %d: got %v and %v in all, closed form %v", norm, i, got, r.Rows.Column("change")[i], want)
			}
		}
		if !r.Valid() {
			t.Errorf("%s: got validity %+v", norm, r.Validity)
		}
	}
}

// TestGradientsNeverTakeAway compares with the search that knows no gradients, on a network and over whole numbers.
func TestGradientsNeverTakeAway(t *testing.T) {
	const width = 20
	path, _ := scoreModel(t, width, 32)
	mixed := reals(width)
	for i := range 6 {
		mixed[i].Type, mixed[i].Max = domain.Integer, 5
	}
	rows := middles(30, width)
	whole := middles(30, width)
	for _, row := range whole {
		for i := range 6 {
			row[i] = float32(int(10 * row[i] / 2))
		}
	}
	for name, tt := range map[string]struct {
		fs   []domain.Feature
		rows [][]float32
	}{"numbers": {reals(width), rows}, "mixed": {mixed, whole}} {
		over := measure.Params{"norm": "linf", "epsilon": 0.2, "unit": "range", "queries": 300.0}
		g := scored(t, path, tt.fs, tt.rows, over)
		r := moved(t, g)
		plain := g
		var of func(x []float32) float32
		{
			m := g.Model()
			var a model.Answers
			of = func(x []float32) float32 {
				if err := m.Predict(t.Context(), x, 1, &a); err != nil {
					t.Fatal(err)
				}
				return a.Scores[0]
			}
		}
		plain.Model = number(t, tt.fs, of, tt.rows, over).Model
		asked := moved(t, plain)
		further := 0
		for i, got := range r.Rows.Column("change") {
			if want := asked.Rows.Column("change")[i]; got < want*(1-1e-5) {
				t.Errorf("%s: row %d: moved by %v, without gradients by %v", name, i, got, want)
			} else if got > want*(1+1e-4) {
				further++
			}
			if asked.Rows.Column("followed")[i] != -1 {
				t.Errorf("%s: row %d: a function was followed", name, i)
			}
		}
		if name == "numbers" && further < 10 {
			t.Errorf("%s: gradients led further on %d rows of 30 alone", name, further)
		}
	}
}

// TestGradientsAccept runs the contract's harness with gradients, and behind noise.
func TestGradientsAccept(t *testing.T) {
	path, _ := scoreModel(t, 6, 8)
	over := measure.Params{"queries": 60.0, "steps": 5.0}
	measuretest.Accept(t, find(t, "evasion/regression"), scored(t, path, reals(6), middles(9, 6), over))
	measuretest.Accept(t, find(t, "evasion/regression"), scored(t, path, reals(6), middles(9, 6), over, model.Solution{Name: "noise", Type: model.InputNoise, Sigma: 0.02, Draws: 2}))
}
