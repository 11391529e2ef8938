package evasion_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/assize/assize/internal/dataset"
	"github.com/assize/assize/internal/domain"
	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/measure/measuretest"
	"github.com/assize/assize/internal/model"
	"github.com/assize/assize/internal/probes/evasion"
	"github.com/assize/assize/internal/result"
)

// scores answers each row with one number.
type scores struct {
	width int
	of    func(x []float32) float32
	rows  int // asked so far
}

func (s *scores) Run(ctx context.Context, x []float32, n int, out []float32) error {
	s.rows += n
	for i := range n {
		out[i] = s.of(x[i*s.width : (i+1)*s.width])
	}
	return ctx.Err()
}

// system is a target made of a function.
type system struct {
	features  []domain.Feature
	relations []string
	rule      model.Rule
	solutions []model.Solution
	input     model.Input
	on        []string
	of        func(x []float32) float32
	rows      [][]float32
	labels    []int
	params    measure.Params
}

var cutHalf = model.Rule{Kind: model.Cutoff, Positive: 1, Cutoff: 0.5, Outcomes: []string{"accept", "refer", "refuse"}}

func reals(n int) []domain.Feature {
	var fs []domain.Feature
	for i := range n {
		fs = append(fs, domain.Feature{Name: fmt.Sprintf("f%d", i), Type: domain.Real, Min: 0, Max: 1, Mutable: domain.Yes})
	}
	return fs
}

func (s *system) open(t testing.TB) (*model.Model, *scores) {
	t.Helper()
	p := &scores{width: len(s.features), of: s.of}
	m, err := model.New(p, &model.Spec{
		Input: s.input, Output: model.Output{Kind: model.PositiveProbability}, Rule: s.rule,
		Domain: &model.Domain{Features: s.features, Relations: s.relations}, Solutions: s.solutions,
	}, len(s.features), 1)
	if err != nil {
		t.Fatal(err)
	}
	if m, err = m.With(s.on); err != nil {
		t.Fatal(err)
	}
	return m, p
}

func (s *system) domain(t testing.TB) *domain.Domain {
	t.Helper()
	d, err := domain.New(s.features, s.relations)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func (s *system) table() *dataset.Table {
	d := &dataset.Table{Width: len(s.features), Y: s.labels}
	for i, row := range s.rows {
		d.X = append(d.X, row...)
		d.Index = append(d.Index, i)
	}
	return d
}

func find(t testing.TB, id string) measure.Probe {
	t.Helper()
	for _, p := range evasion.Probes() {
		if p.ID == id {
			return p
		}
	}
	t.Fatalf("there is no probe %s", id)
	return measure.Probe{}
}

func params(p measure.Probe, over measure.Params) measure.Params {
	out := measure.Params{}
	for _, d := range p.Params {
		out[d.Name] = d.Quick
	}
	for k, v := range over {
		out[k] = v
	}
	return out
}

// run runs one probe over all rows and joins.
func (s *system) run(t testing.TB, id string, before map[string]*result.Result) *result.Result {
	t.Helper()
	p := find(t, id)
	m, _ := s.open(t)
	d := s.table()
	c := &measure.Case{Params: params(p, s.params), Model: m, Domain: s.domain(t), Data: d, Others: d, Index: d.Index, Seed: measure.Seed{7}, Results: before}
	shard, err := p.Run(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	r, err := p.Join(&measure.Joint{Params: c.Params, Rows: shard.Rows, Seed: c.Seed, Results: before})
	if err != nil {
		t.Fatal(err)
	}
	if r.Rows == nil {
		r.Rows = shard.Rows
	}
	if err := r.Rows.Validate(); err != nil {
		t.Fatal(err)
	}
	return r
}

// family runs every probe that feeds evasion/worst and returns the results.
func (s *system) family(t testing.TB) map[string]*result.Result {
	t.Helper()
	all := map[string]*result.Result{}
	for _, p := range evasion.Probes() {
		if p.Feeds == evasion.Worst && !p.Needs.Gradients { // a function has none
			all[p.ID] = s.run(t, p.ID, all)
		}
	}
	return all
}

// attack runs both probes and returns both results.
func (s *system) attack(t testing.TB) (noise, attack *result.Result) {
	t.Helper()
	noise = s.run(t, "evasion/noise", nil)
	return noise, s.run(t, "evasion/hopskipjump", map[string]*result.Result{"evasion/noise": noise})
}

// linear is a plane through the box: distances to it are known.
func linear(rows, width int, norm string, queries float64) *system {
	rng := rand.New(rand.NewPCG(1, 2))
	w := make([]float64, width)
	for i := range w {
		w[i] = rng.NormFloat64()
	}
	s := &system{features: reals(width), rule: cutHalf, params: measure.Params{"norm": norm, "epsilon": 0.02, "queries": queries}}
	s.of = func(x []float32) float32 {
		sum := 0.0
		for i, v := range x {
			sum += w[i] * (float64(v) - 0.5)
		}
		return float32(1 / (1 + math.Exp(-sum)))
	}
	for range rows {
		row := make([]float32, width)
		for i := range row {
			row[i] = 0.5 + 0.3*(rng.Float32()-0.5)
		}
		s.rows = append(s.rows, row)
		s.labels = append(s.labels, map[bool]int{true: 1}[s.of(row) >= 0.5])
	}
	return s
}

// exact is the distance of a row to the plane; its box is never in the way.
func exact(s *system, row []float32, norm string) float64 {
	at := func(x []float32) float64 { p := float64(s.of(x)); return math.Log(p / (1 - p)) }
	size := 0.0
	base := at(make([]float32, len(row)))
	for i := range row {
		unit := make([]float32, len(row))
		unit[i] = 1
		w := at(unit) - base
		if norm == "linf" {
			size += math.Abs(w)
		} else {
			size += w * w
		}
	}
	if norm == "l2" {
		size = math.Sqrt(size)
	}
	return math.Abs(at(row)) / size
}

func TestAccept(t *testing.T) {
	for name, s := range map[string]*system{"plain": linear(12, 10, "linf", 400), "mixed": loans(12)} {
		t.Run(name, func(t *testing.T) {
			before := s.family(t)
			for _, p := range evasion.Probes() {
				if p.Needs.Gradients {
					continue // TestAutoAttackAccept
				}
				measuretest.Accept(t, p, measuretest.Target{
					Model: func() *model.Model { m, _ := s.open(t); return m }, Domain: s.domain(t), Data: s.table(),
					Facts:  measure.Facts{TestRows: len(s.rows), Width: len(s.features), Classes: 2},
					Params: s.params, Requires: before,
				})
			}
		})
	}
}

func TestAgainstClosedForm(t *testing.T) {
	for _, c := range []struct {
		norm    string
		width   int
		queries float64
		within  float64
	}{
		{"l2", 10, 2000, 1.05}, {"l2", 64, 5000, 1.05}, {"linf", 10, 2000, 1.05}, {"linf", 64, 10000, 1.05},
	} {
		t.Run(fmt.Sprintf("%s/%d", c.norm, c.width), func(t *testing.T) {
			s := linear(40, c.width, c.norm, c.queries)
			_, r := s.attack(t)
			if !r.Valid() {
				t.Errorf("got validity %+v, want all checks met", r.Validity)
			}
			var ratios []float64
			for i, got := range r.Rows.Column("distance") {
				want := exact(s, s.rows[i], c.norm)
				if got < want*(1-1e-3) {
					t.Errorf("row %d: got distance %v, which is less than the exact %v", i, got, want)
				}
				ratios = append(ratios, got/want)
			}
			if got := median(ratios); got > c.within {
				t.Errorf("got a median of %.4f times the exact distance, want at most %v", got, c.within)
			} else {
				t.Logf("median of %.4f times the exact distance", got)
			}
		})
	}
}
