package availability_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/measure/measuretest"
	"github.com/assize/assize/internal/model"
	"github.com/assize/assize/internal/onnx"
	"github.com/assize/assize/internal/onnx/ort/orttest"
	"github.com/assize/assize/internal/probes/availability"
	"github.com/assize/assize/internal/result"
)

// sum writes a model that adds up 4 values a row, of this type, and opens it
// in the test's process; fixed is its batch, 0 a free one.
func sum(t *testing.T, typ onnx.DataType, nodes ...*onnx.Node) *model.Model {
	t.Helper()
	if _, err := model.LoadRuntime(orttest.Library(t)); err != nil {
		t.Skip("needs ONNX Runtime: ", err)
	}
	if nodes == nil {
		nodes = []*onnx.Node{{OpType: "ReduceSum", Inputs: []string{"x", "axes"}, Outputs: []string{"y"}}}
	}
	file := &onnx.Model{IRVersion: 8, Opsets: []onnx.Opset{{Version: 17}}, Graph: &onnx.Graph{
		Name: "sum", Nodes: nodes, Initializers: []*onnx.Tensor{onnx.NewInts("axes", []int64{1}, []int64{1})},
		Inputs:  []*onnx.ValueInfo{{Name: "x", Type: tensor(typ, onnx.Dim{Param: "n"}, onnx.Dim{Fixed: true, Value: 4})}},
		Outputs: []*onnx.ValueInfo{{Name: "y", Type: tensor(typ, onnx.Dim{Param: "n"}, onnx.Dim{Fixed: true, Value: 1})}},
	}}
	path := filepath.Join(t.TempDir(), "sum.onnx")
	if err := os.WriteFile(path, file.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	m, _, err := model.Open(context.Background(), &model.Spec{
		Path: path, Output: model.Output{Kind: model.Score},
		Rule: model.Rule{Kind: model.Cutoff, Positive: 1, Outcomes: []string{"below", "band", "above"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func tensor(typ onnx.DataType, dims ...onnx.Dim) *onnx.Type {
	return &onnx.Type{Kind: onnx.KindTensor, ElemType: typ, HasShape: true, Shape: dims}
}

// outcomesOf runs every case in the test's process.
func outcomesOf(t *testing.T, m *model.Model) *result.Result {
	t.Helper()
	p := availability.Probes()[0]
	c := &measure.Case{Model: m, Params: measure.Params{"largest_batch_mib": 1.0}}
	for i := range p.Rows(measure.Scope{}) {
		c.Index = append(c.Index, i)
	}
	r, err := p.Run(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	res, err := p.Join(&measure.Joint{Rows: r.Rows})
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// TestSum follows the arithmetic of a sum: what is not finite goes through, and so does an overflow.
func TestSum(t *testing.T) {
	for _, typ := range []onnx.DataType{onnx.Float, onnx.Double} {
		t.Run(typ.String(), func(t *testing.T) {
			res := outcomesOf(t, sum(t, typ))
			var bad []string
			for _, f := range res.Findings {
				// Case 22 alternates the signs: there it depends on the order of additions.
				if f.Rule == "malformed/non-finite-answer" && !strings.HasPrefix(f.Where, "case 22") {
					bad = append(bad, f.Where)
				}
			}
			want := []string{"case 14: one NaN", "case 15: NaN in every value", "case 16: one positive infinity", "case 17: one negative infinity", "case 18: infinities of both signs"}
			if typ == onnx.Float { // four times the largest float32 is finite as float64
				want = append(want, "case 20: the largest float32 in every value", "case 21: the lowest float32 in every value")
			}
			if diff := cmp.Diff(bad, want); diff != "" {
				t.Errorf("answers that are no numbers (-got +want):\n%s", diff)
			}
			if got := res.Metrics["handled"].N; got != 29 {
				t.Errorf("%d cases apply without a domain, want 29: 6 of 35 need one", got)
			}
			if got := res.Metrics["refused"].Value; got != 13 || res.Metrics["wrong_form_answered"].Value != 0 || !res.Valid() {
				t.Errorf("refused = %v of the 13 wrong forms, metrics %+v", got, res.Metrics)
			}
		})
	}
}

// TestAnswersAnything: a model that takes any width shows up as one that answers the wrong form, and a constant one as deciding on NaN.
func TestAnswersAnything(t *testing.T) {
	m := sum(t, onnx.Float,
		&onnx.Node{OpType: "IsNaN", Inputs: []string{"x"}, Outputs: []string{"nan"}},
		&onnx.Node{OpType: "Cast", Inputs: []string{"nan"}, Outputs: []string{"zero"}, Attributes: []*onnx.Attribute{{Name: "to", Type: onnx.AttrInt, Int: int64(onnx.Float)}}},
		&onnx.Node{OpType: "ReduceSum", Inputs: []string{"zero", "axes"}, Outputs: []string{"y"}})
	res := outcomesOf(t, m)
	if got := res.Metrics["nan_answered"].Value; got != 2 || res.Metrics["non_finite_accepted"].Value != 0 || res.Metrics["handled"].Value != 1 {
		t.Errorf("NaN answered = %v, metrics %+v", got, res.Metrics)
	}
	if !slices.ContainsFunc(res.Findings, func(f result.Finding) bool { return f.Rule == "malformed/nan-answered" && f.Severity == result.Low }) {
		t.Errorf("findings %+v, want one of a decision on missing data", res.Findings)
	}
}

func TestAccept(t *testing.T) {
	m := sum(t, onnx.Float)
	measuretest.Accept(t, availability.Probes()[0], measuretest.Target{
		Model: func() *model.Model { return m }, Params: measure.Params{"largest_batch_mib": 1.0},
	})
}

// TestLost: a case whose process died counts by the way in which it died, and joins the table.
func TestLost(t *testing.T) {
	p := availability.Probes()[0]
	rows := result.NewRows([]int{0, 1, 33}, "outcome", "handled", "outside")
	copy(rows.Columns[0].Values, []float64{2, 1, 6})
	copy(rows.Columns[1].Values, []float64{1, 1, 1})
	res, err := p.Join(&measure.Joint{Rows: rows, Lost: []measure.Lost{
		{Row: 14, Kind: "crashed", Cause: "it crashed (SIGSEGV)"},
		{Row: 27, Kind: "out-of-memory", Cause: "it asked for more memory than its limit"},
		{Row: 28, Kind: "time-limit", Cause: "it did not finish within its time and was ended"},
		{Row: 29, Kind: "exited", Cause: "it ended with exit status 3"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for name, m := range res.Metrics {
		got[name] = m.Value
		if m.N != 6 || m.Method != result.Exhaustive {
			t.Errorf("%s = %+v, want counted over the 6 cases that apply", name, m)
		}
	}
	want := map[string]float64{"crashes": 2, "over_limit": 2, "non_finite_accepted": 0, "finite": 1, "refused": 1, "refused_by_solution": 0,
		"nan_answered": 0, "wrong_form_answered": 0, "accepted_out_of_domain": 0, "handled": 2.0 / 6}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("metrics (-got +want):\n%s", diff)
	}
	if diff := cmp.Diff(res.Rows.Index, []int{0, 1, 14, 27, 28, 29, 33}); diff != "" {
		t.Errorf("rows (-got +want):\n%s", diff)
	}
	if diff := cmp.Diff(res.Rows.Column("handled"), []float64{1, 1, 0, 0, 0, 0, 1}); diff != "" {
		t.Errorf("handled (-got +want):\n%s", diff)
	}
	if len(res.Findings) != 4 || res.Findings[0].Severity != result.High || res.Findings[0].Evidence != "it crashed (SIGSEGV)" {
		t.Errorf("findings = %+v", res.Findings)
	}
	if diff := cmp.Diff(res.Pictures[0].Series[0].Y, []float64{0, 1, 1, 0, 2, 2}); diff != "" {
		t.Errorf("bars (-got +want):\n%s", diff)
	}
	all := make([]measure.Lost, p.Rows(measure.Scope{}))
	for i := range all {
		all[i] = measure.Lost{Row: i, Kind: "crashed", Cause: "gone"}
	}
	res, err = p.Join(&measure.Joint{Lost: all})
	if err != nil || res.Metrics["crashes"].Value != float64(len(all)) {
		t.Errorf("with every case lost: %+v, %v; want that many crashes", res, err)
	}
	rows.Columns[0].Values[0] = 1 // the well-formed row is refused too
	if res, err = p.Join(&measure.Joint{Rows: rows}); err != nil || res.Valid() {
		t.Errorf("where everything is refused: %+v, %v; want a failed check", res, err)
	}
}

func TestJoinRefusesForeignRows(t *testing.T) {
	p := availability.Probes()[0]
	for _, rows := range []*result.Rows{
		{Index: []int{99}, Columns: []result.Column{{Name: "outcome", Values: []float64{0}}, {Name: "handled", Values: []float64{1}}, {Name: "outside", Values: []float64{0}}}},
		{Index: []int{1}, Columns: []result.Column{{Name: "outcome", Values: []float64{77}}, {Name: "handled", Values: []float64{1}}, {Name: "outside", Values: []float64{0}}}},
	} {
		if _, err := p.Join(&measure.Joint{Rows: rows}); err == nil {
			t.Errorf("rows %+v were joined, want an error", rows)
		}
	}
}
