package evasion_test

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/assize/assize/internal/dataset"
	"github.com/assize/assize/internal/domain"
	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/measure/measuretest"
	"github.com/assize/assize/internal/model"
	"github.com/assize/assize/internal/onnx"
	"github.com/assize/assize/internal/onnx/ort/orttest"
	"github.com/assize/assize/internal/result"
)

// planeModel writes a logistic regression over the features as ONNX and returns its weights.
// Steep multiplies its logit: far from the boundary a steep one gives 0 or 1 exactly.
func planeModel(t testing.TB, width int, steep float64) (path string, weights []float64) {
	t.Helper()
	w := make([]float32, width)
	offset := 0.0
	for i := range w {
		w[i] = float32((math.Sin(float64(i)*2.1) + 0.2) * steep)
		weights = append(weights, float64(w[i]))
		offset -= 0.5 * float64(w[i])
	}
	value := func(name string, n int64) *onnx.ValueInfo {
		return &onnx.ValueInfo{Name: name, Type: &onnx.Type{Kind: onnx.KindTensor, ElemType: onnx.Float, HasShape: true,
			Shape: []onnx.Dim{{Param: "N"}, {Fixed: true, Value: n}}}}
	}
	m := &onnx.Model{IRVersion: 8, Opsets: []onnx.Opset{{Version: 17}}, Graph: &onnx.Graph{
		Name: "g", Inputs: []*onnx.ValueInfo{value("x", int64(width))}, Outputs: []*onnx.ValueInfo{value("p", 1)},
		Initializers: []*onnx.Tensor{onnx.NewFloats("w", []int64{int64(width), 1}, w), onnx.NewFloats("b", []int64{1}, []float32{float32(offset)})},
		Nodes: []*onnx.Node{
			{OpType: "Gemm", Inputs: []string{"x", "w", "b"}, Outputs: []string{"z"}},
			{OpType: "Sigmoid", Inputs: []string{"z"}, Outputs: []string{"p"}},
		},
	}}
	path = filepath.Join(t.TempDir(), "model.onnx")
	if err := os.WriteFile(path, m.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path, weights
}

// opened is an ONNX model with a domain and rows.
type opened struct {
	model *model.Model
	data  *dataset.Table
}

func openONNX(t testing.TB, spec *model.Spec, data *dataset.Table) *opened {
	t.Helper()
	orttest.Load(t)
	m, _, err := model.Open(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	return &opened{m, data}
}

func (o *opened) run(t testing.TB, id string, over measure.Params, before map[string]*result.Result) *result.Result {
	t.Helper()
	p := find(t, id)
	c := &measure.Case{Params: params(p, over), Model: o.model, Domain: o.model.Domain(), Data: o.data, Index: o.data.Index, Seed: measure.Seed{7}, Results: before}
	shard, err := p.Run(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	r, err := p.Join(&measure.Joint{Params: c.Params, Rows: shard.Rows, Seed: c.Seed, Results: before})
	if err != nil {
		t.Fatal(err)
	}
	r.Rows = shard.Rows
	return r
}

// planeRows are rows of the unit box around its centre, labelled by the plane.
func planeRows(weights []float64, n int, whole int) *dataset.Table {
	d := &dataset.Table{Width: len(weights)}
	for i := range n {
		sum := 0.0
		for j, w := range weights {
			v := float32(0.35 + 0.3*math.Mod(float64(i*len(weights)+j+1)*0.6180339887, 1))
			if j < whole {
				v = float32((i + j) % 4)
			}
			d.X = append(d.X, v)
			sum += w * (float64(v) - 0.5)
		}
		label := 0
		if sum >= 0 {
			label = 1
		}
		d.Y, d.Index = append(d.Y, label), append(d.Index, i)
	}
	return d
}

// TestAutoAttackClosedForm compares which rows break, and how near, with the
// distance to a plane; also where the answers are 0 and 1 to the last bit.
func TestAutoAttackClosedForm(t *testing.T) {
	const width, rows = 10, 40
	for _, norm := range []string{"linf", "l2", "l1"} {
		for _, steep := range []float64{1, 1000} {
			path, weights := planeModel(t, width, steep)
			data := planeRows(weights, rows, 0)
			o := openONNX(t, &model.Spec{
				Path: path, Output: model.Output{Kind: model.PositiveProbability}, Rule: cutHalf,
				Domain: &model.Domain{Features: reals(width), Confirmed: true},
			}, data)
			over := measure.Params{"norm": norm, "epsilon": map[string]float64{"linf": 0.03, "l2": 0.08, "l1": 0.2}[norm], "steps": 40.0}
			noise := o.run(t, "evasion/noise", over, nil)
			r := o.run(t, "evasion/autoattack", over, map[string]*result.Result{"evasion/noise": noise})
			for _, v := range r.Validity {
				if !v.OK {
					t.Errorf("%s, steepness %g: check %s is not met: %s", norm, steep, v.Check, v.Note)
				}
			}
			one, two, most := 0.0, 0.0, 0.0
			for _, w := range weights {
				one, two, most = one+math.Abs(w), two+w*w, max(most, math.Abs(w))
			}
			dual := map[string]float64{"linf": one, "l2": math.Sqrt(two), "l1": most}[norm]
			broken, standing := 0, 0
			for i := range rows {
				sum := 0.0
				for j, w := range weights {
					sum += w * (float64(data.Row(i)[j]) - 0.5)
				}
				want := math.Abs(sum) / dual
				got := r.Rows.Column("distance")[i]
				if r.Rows.Column("gained")[i] != 1 || got < want*(1-1e-3) || got > 1.05*want+1e-4 {
					t.Errorf("%s, steepness %g, row %d: got distance %g, closed form %g", norm, steep, i, got, want)
				}
				switch is := r.Rows.Column("broken")[i] == 1; {
				case want < 0.98*over.Float("epsilon") && !is, want > 1.001*over.Float("epsilon") && is:
					t.Errorf("%s, steepness %g, row %d: broken %v at distance %g of %g", norm, steep, i, is, want, over.Float("epsilon"))
				case is:
					broken++
				default:
					standing++
				}
			}
			if broken < 5 || standing < 5 {
				t.Errorf("%s: %d rows broken and %d standing show too little", norm, broken, standing)
			}
		}
	}
}

// TestAutoAttackAccept runs the contract's harness on the digits example,
// with its solutions on, and on a plane over whole numbers with a relation.
func TestAutoAttackAccept(t *testing.T) {
	table, err := dataset.Select(t.Context(), dataset.Spec{Path: filepath.Join("..", "..", "..", "examples", "digits", "test.npz"), Input: "x", Label: "y"}, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10})
	if err != nil {
		t.Fatal(err)
	}
	table.Index = []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
	digits := openONNX(t, &model.Spec{
		Path: filepath.Join("..", "..", "..", "examples", "digits", "model.onnx"), Output: model.Output{Kind: model.Logits},
		Rule: model.Rule{Kind: model.Argmax}, Domain: &model.Domain{Features: reals(64)},
		Solutions: []model.Solution{{Name: "check", Type: model.InputValidation}, {Name: "round", Type: model.OutputRounding, Digits: 2}},
	}, table)
	if digits.model, err = digits.model.With([]string{"check", "round"}); err != nil {
		t.Fatal(err)
	}
	const width, whole = 8, 4
	path, weights := planeModel(t, width, 1)
	features := reals(width)
	for i := range whole {
		features[i].Type, features[i].Max = domain.Integer, 3
	}
	features[1].Mutable = domain.No
	loans := openONNX(t, &model.Spec{
		Path: path, Output: model.Output{Kind: model.PositiveProbability}, Rule: cutHalf,
		Domain: &model.Domain{Features: features, Relations: []string{"x.f0 + x.f5 <= orig.f0 + orig.f5 + 1"}},
	}, planeRows(weights, 11, whole))
	for name, o := range map[string]*opened{"digits": digits, "mixed": loans} {
		t.Run(name, func(t *testing.T) {
			over := measure.Params{"epsilon": 0.4, "steps": 10.0, "tested": 0.5}
			noise := o.run(t, "evasion/noise", over, nil)
			p := find(t, "evasion/autoattack")
			measuretest.Accept(t, p, measuretest.Target{
				Model: func() *model.Model { return o.model }, Domain: o.model.Domain(), Data: o.data,
				Facts:  measure.Facts{TestRows: len(o.data.Index), Width: o.model.Width(), Classes: o.model.Classes()},
				Params: over, Requires: map[string]*result.Result{"evasion/noise": noise},
			})
			r := o.run(t, "evasion/autoattack", over, map[string]*result.Result{"evasion/noise": noise})
			broken := 0
			for i := range o.data.Index {
				x := make([]float32, o.model.Width())
				for j, f := range o.model.Domain().Features() {
					x[j] = float32(r.Rows.Column("x." + f.Name)[i])
				}
				if !o.model.Domain().Feasible(x, o.data.Row(i)) {
					t.Errorf("row %d: the final row %v is not feasible", i, x)
				}
				broken += int(r.Rows.Column("broken")[i])
			}
			if broken < 4 {
				t.Errorf("only %d rows were broken", broken)
			}
		})
	}
}

// TestAutoAttackWithoutGradients says so.
func TestAutoAttackWithoutGradients(t *testing.T) {
	s := linear(4, 5, "linf", 100)
	m, _ := s.open(t)
	p := find(t, "evasion/autoattack")
	d := s.table()
	_, err := p.Run(t.Context(), &measure.Case{Params: params(p, nil), Model: m, Domain: s.domain(t), Data: d, Index: d.Index})
	if err == nil {
		t.Error("a function has gradients")
	}
}
