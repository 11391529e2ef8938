package performance_test

import (
	"context"
	"math"
	"testing"

	"github.com/assize/assize/internal/dataset"
	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/measure/measuretest"
	"github.com/assize/assize/internal/model"
	"github.com/assize/assize/internal/probes/performance"
	"github.com/assize/assize/internal/result"
)

// first answers each row with its first value.
type first struct{}

func (first) Run(ctx context.Context, x []float32, n int, out []float32) error {
	for i := range n {
		out[i] = x[i*len(x)/n]
	}
	return ctx.Err()
}

func numbers(t testing.TB, output []float32, truth []float64) (measure.Probe, measuretest.Target) {
	t.Helper()
	data := &dataset.Table{Width: 1, X: output, YValue: truth}
	for i := range output {
		data.Index = append(data.Index, i)
	}
	for _, p := range performance.Probes() {
		if p.ID == "performance/regression" {
			return p, measuretest.Target{
				Model: func() *model.Model {
					m, err := model.New(first{}, &model.Spec{Output: model.Output{Kind: model.Score}, Rule: model.Rule{Kind: model.NoRule}}, 1, 1)
					if err != nil {
						t.Fatal(err)
					}
					return m
				},
				Data: data, Facts: measure.Facts{TestRows: len(output), Width: 1, OutputKind: string(model.Score), Rule: model.NoRule},
			}
		}
	}
	t.Fatal("there is no probe performance/regression")
	return measure.Probe{}, measuretest.Target{}
}

func errorsOf(t testing.TB, output []float32, truth []float64) *result.Result {
	t.Helper()
	p, g := numbers(t, output, truth)
	shard, err := p.Run(context.Background(), &measure.Case{Params: measure.Params{"rows": 1e4}, Model: g.Model(), Data: g.Data, Index: g.Data.Index})
	if err != nil {
		t.Fatal(err)
	}
	r, err := p.Join(&measure.Joint{Rows: shard.Rows, Facts: g.Facts})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestRegressionAgainstScikitLearn: sklearn.metrics 1.9.1 mean_absolute_error, root_mean_squared_error and r2_score of
// y = [3, -0.5, 2, 7], p = [2.5, 0, 2, 8], the example of their documentation.
func TestRegressionAgainstScikitLearn(t *testing.T) {
	r := errorsOf(t, []float32{2.5, 0, 2, 8}, []float64{3, -0.5, 2, 7})
	for name, want := range map[string]float64{"mae": 0.5, "rmse": 0.6123724356957945, "r2": 0.9486081370449679, "bias": 0.25, "refused": 0, "unusable": 0} {
		m := r.Metrics[name]
		if math.Abs(m.Value-want) > 1e-12 || m.Lower > m.Value || m.Upper < m.Value || m.N != 4 {
			t.Errorf("%s: got %+v, want %v", name, m, want)
		}
	}
}

func TestRegressionContract(t *testing.T) {
	var output []float32
	var truth []float64
	for i := range 60 {
		output, truth = append(output, float32(i)), append(truth, float64(i)+math.Sin(float64(i)))
	}
	output[7] = float32(math.Inf(1))
	p, g := numbers(t, output, truth)
	measuretest.Accept(t, p, g)
	if m := errorsOf(t, output, truth).Metrics["unusable"]; *m.K != 1 {
		t.Errorf("got %+v, want one answer that is no number", m)
	}
}

// TestConstantTruthHasNoVariance: nothing to explain is said, and no NaN given.
func TestConstantTruthHasNoVariance(t *testing.T) {
	r := errorsOf(t, make([]float32, 40), make([]float64, 40))
	if _, ok := r.Metrics["r2"]; ok || len(r.Notes) == 0 || r.Metrics["mae"].Value != 0 {
		t.Errorf("got %+v and notes %q", r.Metrics, r.Notes)
	}
}
