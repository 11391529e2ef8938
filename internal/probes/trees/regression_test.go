package trees_test

import (
	"context"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/dataset"
	"github.com/assize/assize/internal/domain"
	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/measure/measuretest"
	"github.com/assize/assize/internal/model"
	"github.com/assize/assize/internal/probes/trees"
	"github.com/assize/assize/internal/result"
	"github.com/assize/assize/internal/tree"
)

// sums answers with the ensemble's own sums, as float32, and a lie added.
type sums struct {
	p   *tree.Program
	lie float32
}

func (r *sums) Run(ctx context.Context, x []float32, n int, out []float32) error {
	w, sum := len(x)/n, make([]float64, 1)
	for i := range n {
		r.p.Margins32(x[i*w:(i+1)*w], sum)
		out[i] = float32(sum[0]) + r.lie
	}
	return ctx.Err()
}

// house is the regression of testdata/house.py with rows of its domain.
func house(t testing.TB, rows int, lie float32) (measuretest.Target, *tree.Ensemble) {
	t.Helper()
	const path = "testdata/house.onnx"
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	e, err := tree.Read(b, tree.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	fs := []domain.Feature{
		{Name: "area", Type: domain.Real, Min: 0, Max: 1, Mutable: domain.Yes},
		{Name: "km", Type: domain.Real, Min: 0, Max: 1, Mutable: domain.Down},
		{Name: "rooms", Type: domain.Integer, Min: 1, Max: 21, Mutable: domain.Yes},
	}
	dom, err := domain.New(fs, nil)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(3, 5))
	data := &dataset.Table{Width: 3}
	for i := range rows {
		data.X = append(data.X, rng.Float32(), rng.Float32(), float32(1+rng.IntN(21)))
		data.Index = append(data.Index, i)
	}
	return measuretest.Target{
		Model: func() *model.Model {
			m, err := model.New(&sums{e.Compile(), lie}, &model.Spec{
				Output: model.Output{Kind: model.Score}, Rule: model.Rule{Kind: model.NoRule}, Domain: &model.Domain{Features: fs},
			}, 3, 1)
			if err != nil {
				t.Fatal(err)
			}
			return m
		},
		Domain: dom, Data: data, Files: []measure.File{{Artefact: artefact.Artefact{Name: "model", Kind: artefact.Model}, OpenPath: path}},
		Facts:  measure.Facts{TestRows: rows, Width: 3, Classes: 1, Rule: model.NoRule, OutputKind: string(model.Score)},
		Params: measure.Params{"tolerance": 12.0},
	}, e
}

func formalRegression(t testing.TB) measure.Probe {
	t.Helper()
	probes := trees.Probes()
	i := slices.IndexFunc(probes, func(p measure.Probe) bool { return p.ID == "formal/regression" })
	return probes[i]
}

func TestRegressionContract(t *testing.T) {
	g, _ := house(t, 40, 0)
	measuretest.Accept(t, formalRegression(t), g)
}

// worst is the largest change of the output in the ball of 0.05 of the range around x:
// every cell of the trees that the ball meets is tried at its corners.
func worst(e *tree.Ensemble, x []float32) float64 {
	reach := []float32{0.05, 0.05, 1}
	ends := [][2]float32{{0, 1}, {0, x[1]}, {1, 21}}
	var values [3][]float32
	for f := range values {
		low, high := max(x[f]-reach[f], ends[f][0]), min(x[f]+reach[f], ends[f][1])
		if f == 2 {
			for v := low; v <= high; v++ {
				values[f] = append(values[f], v)
			}
			continue
		}
		// Finer than the gaps between the thresholds of fifteen trees.
		const steps = 120
		for i := range steps + 1 {
			values[f] = append(values[f], low+(high-low)*float32(i)/steps)
		}
	}
	p, sum := e.Compile(), make([]float64, 1)
	p.Margins32(x, sum)
	y, most := sum[0], 0.0
	for _, a := range values[0] {
		for _, b := range values[1] {
			for _, c := range values[2] {
				p.Margins32([]float32{a, b, c}, sum)
				most = max(most, math.Abs(sum[0]-y))
			}
		}
	}
	return most
}

// TestToleranceAgainstAFineGrid: rows are proved where nothing on the grid moves the output by more, and broken where something does.
func TestToleranceAgainstAFineGrid(t *testing.T) {
	g, e := house(t, 10, 0)
	var changes []float64
	for i := range g.Data.Len() {
		changes = append(changes, worst(e, g.Data.Row(i)))
	}
	for _, tolerance := range []float64{5, 12, 20} {
		r := whole(t, formalRegression(t), g, measure.Params{"tolerance": tolerance})
		for i, want := range changes {
			proven, broken := r.Rows.Column("proven")[i] == 1, r.Rows.Column("broken")[i] == 1
			if proven == broken || proven && want > tolerance || broken && want < tolerance-1 {
				t.Errorf("tolerance %v, row %d: proven %v, broken %v; on the grid the worst change is %v", tolerance, i, proven, broken, want)
			}
			if broken && r.Rows.Column("change")[i] <= tolerance {
				t.Errorf("tolerance %v, row %d: broken by a change of %v", tolerance, i, r.Rows.Column("change")[i])
			}
		}
	}
}

func TestRegressionIsNotProvedOfAnother(t *testing.T) {
	g, _ := house(t, 40, 0.5)
	r := whole(t, formalRegression(t), g, measure.Params{"tolerance": 12.0})
	for _, v := range r.Validity {
		if v.Check == "ensemble-is-the-model" && v.OK {
			t.Errorf("the check passes: %s", v.Note)
		}
	}
	if got := r.Metrics["verified_share"].Value; got != 0 {
		t.Errorf("got %v of the rows proved", got)
	}
	g, _ = house(t, 40, 0)
	if r := whole(t, formalRegression(t), g, nil); r.State != result.NotApplicable {
		t.Errorf("without a tolerance: got %s", r.State)
	}
}
