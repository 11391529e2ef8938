package tabular_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/assize/assize/internal/dataset"
	"github.com/assize/assize/internal/domain"
	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/measure/measuretest"
	"github.com/assize/assize/internal/model"
	"github.com/assize/assize/internal/onnx"
	"github.com/assize/assize/internal/onnx/ort/orttest"
	"github.com/assize/assize/internal/probes/tabular"
	"github.com/assize/assize/internal/tree/cheapest"
)

// perceptron writes a network of one hidden layer with random weights that gives out a probability.
func perceptron(t *testing.T, r *rand.Rand, inputs, hidden int64) string {
	t.Helper()
	value := func(name string, width int64) *onnx.ValueInfo {
		shape := []onnx.Dim{{Param: "N"}, {Fixed: true, Value: width}}
		return &onnx.ValueInfo{Name: name, Type: &onnx.Type{Kind: onnx.KindTensor, ElemType: onnx.Float, HasShape: true, Shape: shape}}
	}
	weights := func(name string, rows, columns int64) *onnx.Tensor {
		v := make([]float32, rows*columns)
		for i := range v {
			v[i] = float32(r.NormFloat64() * 0.4)
		}
		return onnx.NewFloats(name, []int64{rows, columns}, v)
	}
	node := func(op, out string, in ...string) *onnx.Node {
		return &onnx.Node{OpType: op, Name: out, Inputs: in, Outputs: []string{out}}
	}
	m := &onnx.Model{IRVersion: 8, Opsets: []onnx.Opset{{Version: 13}}, Graph: &onnx.Graph{
		Name: "perceptron", Inputs: []*onnx.ValueInfo{value("x", inputs)}, Outputs: []*onnx.ValueInfo{value("y", 1)},
		Initializers: []*onnx.Tensor{weights("w1", inputs, hidden), weights("b1", 1, hidden), weights("w2", hidden, 1)},
		Nodes:        []*onnx.Node{node("MatMul", "a", "x", "w1"), node("Add", "b", "a", "b1"), node("Relu", "c", "b"), node("MatMul", "z", "c", "w2"), node("Sigmoid", "y", "z")},
	}}
	path := filepath.Join(t.TempDir(), "perceptron.onnx")
	if err := os.WriteFile(path, m.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// smallDomain has few inputs enough to try them all, which it lists.
func smallDomain(t *testing.T, r *rand.Rand) (*model.Domain, *domain.Domain, []float32) {
	t.Helper()
	d := &model.Domain{Confirmed: true, Relations: []string{"x.a + x.b <= 7", "abs(x.c - orig.c) <= 2", "x.d == 1 implies x.a >= x.c", "x.sum == x.a + x.c"}}
	for i, name := range []string{"a", "b", "c", "fixed"} {
		mutable := []domain.Mutability{domain.Yes, domain.Up, domain.Yes, domain.No}[i]
		d.Features = append(d.Features, domain.Feature{Name: name, Type: domain.Integer, Max: 5, Mutable: mutable, Cost: 0.5 + r.Float64()})
	}
	d.Features = append(d.Features, domain.Feature{Name: "d", Type: domain.Binary, Max: 1, Mutable: domain.Yes, Cost: 1}, domain.Feature{Name: "sum", Type: domain.Integer, Max: 10, Mutable: domain.Yes})
	for i := range 3 {
		d.Features = append(d.Features, domain.Feature{Name: fmt.Sprint("kind_", i), Type: domain.Binary, Max: 1, Mutable: domain.Yes, Group: "kind", Cost: 2})
	}
	built, err := d.Build()
	if err != nil {
		t.Fatal(err)
	}
	var every []float32
	for n := range 6 * 6 * 6 * 6 * 2 * 3 {
		x := make([]float32, 9)
		for i := range 4 {
			x[i] = float32(n % 6)
			n /= 6
		}
		x[4], x[5], x[6+n/2] = float32(n%2), x[0]+x[2], 1
		if built.Feasible(x, x) {
			every = append(every, x...)
		}
	}
	return d, built, every
}

// small is a random network with rows of its domain, and the price of the cheapest change of
// each that gains, found by trying every input; infinite where there is none.
func small(t *testing.T, seed uint64) (target measuretest.Target, least []float64) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 1))
	d, built, every := smallDomain(t, r)
	n := len(every) / 9
	spec := &model.Spec{
		Path: perceptron(t, r, 9, 12), Domain: d, Output: model.Output{Kind: model.PositiveProbability, Classes: []string{"no", "yes"}},
		Rule: model.Rule{Kind: model.Cutoff, Positive: 1, Outcomes: []string{"refuse", "refer", "accept"}, Favourable: []string{"accept"}},
	}
	open := func() *model.Model {
		m, _, err := model.Open(t.Context(), spec)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	var a model.Answers
	if err := open().Predict(t.Context(), every, n, &a); err != nil {
		t.Fatal(err)
	}
	scores := slices.Clone(a.Scores)
	slices.Sort(scores)
	spec.Rule.Cutoff = float64(scores[n-n/25]) // one input in 25 is accepted
	m := open()
	price := make([]float64, 9)
	for i, f := range d.Features {
		price[i] = f.Cost
	}
	data := &dataset.Table{Width: 9}
	for len(data.Index) < 25 {
		k := r.IntN(n)
		orig, best := every[9*k:9*k+9], math.Inf(1)
		data.X, data.Index = append(data.X, orig...), append(data.Index, len(data.Index))
		for o := range n {
			if x := every[9*o : 9*o+9]; m.Decision(&a, o) == model.Above && built.Feasible(x, orig) {
				best = min(best, cheapest.Cost(built, price, x, orig))
			}
		}
		least = append(least, best)
	}
	return measuretest.Target{
		Model: func() *model.Model { return m }, Domain: built, Data: data,
		Facts: measure.Facts{TestRows: data.Len(), Width: 9, Classes: 2, Rule: model.Cutoff, Favourable: []string{"accept"}},
	}, least
}

// Against trying every input of random networks: gradients find nearly every row that can gain, nearly
// all at the least price there is; with evolution behind them no fewer, and neither ever undercuts the truth.
func TestGradientsBrute(t *testing.T) {
	orttest.Load(t)
	type score struct{ flips, least int }
	var truth int
	found := map[string]*score{"gradients": {}, "evolution": {}, "both": {}}
	for seed := range uint64(8) {
		target, least := small(t, seed)
		for way, params := range map[string]measure.Params{"gradients": {"queries": 0.0}, "evolution": {"steps": 0.0, "queries": 300.0}, "both": {"queries": 300.0}} {
			got := whole(t, tabular.Probes()[0], target, params)
			for i, best := range least {
				flips, cost := got.Rows.Column("flips")[i], got.Rows.Column("cost")[i]
				if got.Rows.Column("attackable")[i] == 0 {
					continue
				}
				if flips == 1 && !(cost >= best-1e-6) {
					t.Errorf("network %d, row %d, %s: a price of %v, the least there is %v", seed, i, way, cost, best)
				}
				found[way].flips += int(flips)
				if flips == 1 && cost <= best+1e-6 {
					found[way].least++
				}
				if way == "both" && !math.IsInf(best, 1) {
					truth++
				}
			}
			if v := got.Metrics["infeasible"].Value; v != 0 {
				t.Errorf("network %d, %s: %v infeasible", seed, way, v)
			}
		}
	}
	for way, s := range found {
		t.Logf("%s: %d of %d rows that can gain, %d at the least price", way, s.flips, truth, s.least)
		if way != "evolution" && (100*s.flips < 98*truth || 100*s.least < 98*truth || s.flips < found["evolution"].flips) {
			t.Errorf("%s: %d of %d rows that can gain, %d at the least price", way, s.flips, truth, s.least)
		}
	}
	if truth < 100 {
		t.Errorf("only %d rows can gain", truth)
	}
}
