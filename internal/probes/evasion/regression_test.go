package evasion_test

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/assize/assize/internal/dataset"
	"github.com/assize/assize/internal/domain"
	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/measure/measuretest"
	"github.com/assize/assize/internal/model"
	"github.com/assize/assize/internal/result"
)

// number is a regression target made of a function over features.
func number(t testing.TB, fs []domain.Feature, of func(x []float32) float32, rows [][]float32, over measure.Params) measuretest.Target {
	t.Helper()
	dom, err := domain.New(fs, nil)
	if err != nil {
		t.Fatal(err)
	}
	data := &dataset.Table{Width: len(fs)}
	for i, row := range rows {
		data.X, data.Index = append(data.X, row...), append(data.Index, i)
	}
	return measuretest.Target{
		Model: func() *model.Model {
			m, err := model.New(&scores{width: len(fs), of: of}, &model.Spec{
				Output: model.Output{Kind: model.Score}, Rule: model.Rule{Kind: model.NoRule, Outcomes: []string{"a number"}},
				Domain:    &model.Domain{Features: fs},
				Solutions: []model.Solution{{Name: "range-check", Type: model.InputValidation, Switchable: true}},
			}, len(fs), 1)
			if err != nil {
				t.Fatal(err)
			}
			return m
		},
		Domain: dom, Data: data, Params: over,
		Facts: measure.Facts{TestRows: len(rows), Width: len(fs), Classes: 1, OutputKind: string(model.Score), Rule: model.NoRule},
	}
}

func moved(t testing.TB, g measuretest.Target) *result.Result {
	t.Helper()
	p := find(t, "evasion/regression")
	c := &measure.Case{Params: params(p, g.Params), Model: g.Model(), Domain: g.Domain, Data: g.Data, Index: g.Data.Index, Seed: measure.Seed{7}}
	shard, err := p.Run(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	r, err := p.Join(&measure.Joint{Params: c.Params, Rows: shard.Rows, Facts: g.Facts})
	if err != nil {
		t.Fatal(err)
	}
	r.Rows = shard.Rows
	return r
}

// middles are rows of n real features, far from the ends of their ranges.
func middles(rows, n int) [][]float32 {
	rng := rand.New(rand.NewPCG(5, 6))
	out := make([][]float32, rows)
	for i := range out {
		for range n {
			out[i] = append(out[i], 0.3+0.4*rng.Float32())
		}
	}
	return out
}

// TestLinearAgainstTheDualNorm: of a linear function the largest change in a ball is
// epsilon times the dual norm of its weights.
func TestLinearAgainstTheDualNorm(t *testing.T) {
	weights := []float32{3, -1, 0.5, 0, -7, 2, 0.25, 1}
	of := func(x []float32) (sum float32) {
		for i, w := range weights {
			sum += w * x[i]
		}
		return sum
	}
	for norm, c := range map[string]struct{ dual, share float64 }{
		"linf": {14.75, 1 - 1e-5}, "l1": {7, 1 - 1e-5}, "l2": {math.Sqrt(9 + 1 + .25 + 49 + 4 + .0625 + 1), 0.97},
	} {
		g := number(t, reals(8), of, middles(40, 8), measure.Params{"norm": norm, "epsilon": 0.1, "queries": 1000.0})
		r := moved(t, g)
		for i, got := range r.Rows.Column("change") {
			if want := 0.1 * c.dual; got < c.share*want || got > want*(1+1e-5) {
				t.Errorf("%s: row %d: got %v, want %v", norm, i, got, want)
			}
		}
		if !r.Valid() {
			t.Errorf("%s: got validity %+v", norm, r.Validity)
		}
		if m := r.Metrics["worst_change"]; m.N != 40 || m.Value < r.Metrics["noise_change"].Value {
			t.Errorf("%s: got %+v, noise %+v", norm, m, r.Metrics["noise_change"])
		}
	}
}

// TestMixedAgainstAllPoints: whole numbers and a group, on which every feasible point of the ball can be tried.
func TestMixedAgainstAllPoints(t *testing.T) {
	fs := []domain.Feature{
		{Name: "a", Type: domain.Integer, Min: 0, Max: 10, Mutable: domain.Yes},
		{Name: "b", Type: domain.Integer, Min: 0, Max: 10, Mutable: domain.Up},
		{Name: "fixed", Type: domain.Integer, Min: 0, Max: 10, Mutable: domain.No},
		{Name: "g1", Type: domain.Binary, Min: 0, Max: 1, Mutable: domain.Yes, Group: "g"},
		{Name: "g2", Type: domain.Binary, Min: 0, Max: 1, Mutable: domain.Yes, Group: "g"},
		{Name: "g3", Type: domain.Binary, Min: 0, Max: 1, Mutable: domain.Yes, Group: "g"},
	}
	of := func(x []float32) float32 {
		return float32(math.Sin(float64(x[0]))*3) + x[1]*x[3] - 2*x[2]*x[4] + x[0]*x[5]/2
	}
	rng := rand.New(rand.NewPCG(1, 9))
	var rows [][]float32
	for range 40 {
		row := []float32{float32(rng.IntN(11)), float32(rng.IntN(11)), float32(rng.IntN(11)), 0, 0, 0}
		row[3+rng.IntN(3)] = 1
		rows = append(rows, row)
	}
	for _, epsilon := range []float64{0.3, 1} {
		g := number(t, fs, of, rows, measure.Params{"epsilon": epsilon, "queries": 1000.0})
		r := moved(t, g)
		reach, exact := int(10*epsilon+0.001), 0
		for i, row := range rows {
			want := 0.0
			for a := max(0, int(row[0])-reach); a <= min(10, int(row[0])+reach); a++ {
				for b := int(row[1]); b <= min(10, int(row[1])+reach); b++ {
					for m := range 3 {
						if epsilon < 1 && row[3+m] == 0 {
							continue
						}
						x := []float32{float32(a), float32(b), row[2], 0, 0, 0}
						x[3+m] = 1
						want = max(want, math.Abs(float64(of(x)-of(row))))
					}
				}
			}
			got := r.Rows.Column("change")[i]
			if got > want+1e-5 || got < 0.97*want {
				t.Errorf("epsilon %v, row %v: got %v, want %v", epsilon, row, got, want)
			}
			if got > want-1e-5 {
				exact++
			}
		}
		if exact < 36 {
			t.Errorf("epsilon %v: got the very worst point of %d of 40 rows, want nine in ten", epsilon, exact)
		}
	}
}

// TestToleranceIsJudgedRowByRow: half of the rows stand on a slope, half on flat ground.
func TestToleranceIsJudgedRowByRow(t *testing.T) {
	of := func(x []float32) float32 {
		if x[1] < 0.5 {
			return 10 * x[0]
		}
		return x[0]
	}
	fs := reals(2)
	fs[1].Mutable = domain.No
	rows := middles(60, 2)
	steep := 0
	for _, row := range rows {
		if row[1] < 0.5 {
			steep++
		}
	}
	r := moved(t, number(t, fs, of, rows, measure.Params{"epsilon": 0.1, "tolerance": 0.5}))
	if got := *r.Metrics["over_tolerance"].K; got != steep {
		t.Errorf("got %d rows over the tolerance, want %d", got, steep)
	}
	if got := sum(r.Rows.Column("stands")); got != float64(60-steep) {
		t.Errorf("got %v rows that stand, want %d", got, 60-steep)
	}
	if got := r.Metrics["worst_change"].Value; math.Abs(got-1) > 1e-4 {
		t.Errorf("got worst change %v, want 1", got)
	}
	if r = moved(t, number(t, fs, of, rows, nil)); r.Metrics["over_tolerance"].Unit != "" {
		t.Errorf("got %+v over a tolerance that nobody declared", r.Metrics["over_tolerance"])
	}
}

func TestRegressionContract(t *testing.T) {
	for _, norm := range []string{"linf", "l2"} {
		of := func(x []float32) float32 { return x[0]*x[1] - 3*x[2]*x[2] }
		measuretest.Accept(t, find(t, "evasion/regression"), number(t, reals(3), of, middles(40, 3), measure.Params{"norm": norm, "queries": 120.0}))
	}
}

// TestRegressionThatCannotBeMeasured: outputs that are no number, and one that nothing moves.
func TestRegressionThatCannotBeMeasured(t *testing.T) {
	nan := func([]float32) float32 { return float32(math.NaN()) }
	if r := moved(t, number(t, reals(2), nan, middles(40, 2), nil)); r.State != result.NotApplicable {
		t.Errorf("got %s, want not applicable", r.State)
	}
	r := moved(t, number(t, reals(2), func([]float32) float32 { return 4 }, middles(40, 2), nil))
	check(t, r, "outputs-move", false)
}
