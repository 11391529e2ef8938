package model_test

import (
	"context"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assize/assize/internal/domain"
	"github.com/assize/assize/internal/model"
)

// tilted is a score of two features on ranges of 1 and 10, and a third that is a code: 3a + 0.4b + c.
func tilted(t *testing.T, kind model.Kind, solutions ...model.Solution) *model.Model {
	t.Helper()
	spec := cutoff(kind)
	spec.Domain = &model.Domain{Features: []domain.Feature{
		{Name: "a", Type: domain.Real, Min: 0, Max: 1, Mutable: domain.Yes}, {Name: "b", Type: domain.Integer, Min: 0, Max: 10, Mutable: domain.Yes},
		{Name: "c", Type: domain.Category, Min: 0, Max: 3, Mutable: domain.Yes},
	}}
	if kind == model.Label {
		spec.Rule = model.Rule{Kind: model.Argmax}
		spec.Output.Classes = []string{"no", "yes"}
	}
	spec.Solutions = solutions
	p := function(func(x []float32) float32 {
		s := 3*x[0] + 0.4*x[1] + x[2]
		if kind != model.Label {
			return s
		}
		if s >= 5 {
			return 1
		}
		return 0
	})
	m, err := model.New(p, spec, 3, 1)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, s := range solutions {
		names = append(names, s.Name)
	}
	if m, err = m.With(names); err != nil {
		t.Fatal(err)
	}
	return m
}

// function answers each row of three with one number.
type function func(x []float32) float32

func (f function) Run(_ context.Context, x []float32, n int, out []float32) error {
	for i := range n {
		out[i] = f(x[3*i : 3*i+3])
	}
	return nil
}

func predict(t *testing.T, m *model.Model, x []float32, about []int) []float32 {
	t.Helper()
	var a model.Answers
	m.About(about)
	if err := m.Predict(t.Context(), x, len(x)/m.Width(), &a); err != nil {
		t.Fatal(err)
	}
	return a.Scores
}

// TestNoiseClosedForm compares mean and deviation of a linear score, and how often it passes a
// threshold, with those of the normal distribution. The code has no noise.
func TestNoiseClosedForm(t *testing.T) {
	const rows, sigma = 20000, 0.1
	x := slices.Repeat([]float32{0.5, 5, 1}, rows)
	slope := math.Hypot(3*sigma*1, 0.4*sigma*10)
	for _, draws := range []int{1, 9} {
		m := tilted(t, model.Score, model.Solution{Name: "noise", Type: model.InputNoise, Sigma: sigma, Draws: draws})
		want, level := slope/math.Sqrt(float64(draws)), 4.6
		mean, square, above := 0.0, 0.0, 0.0
		for _, v := range predict(t, m, x, nil) {
			mean += float64(v) / rows
			square += float64(v) * float64(v) / rows
			if float64(v) >= level {
				above += 1.0 / rows
			}
		}
		if math.Abs(mean-4.5) > 5*want/math.Sqrt(rows) {
			t.Errorf("%d draws: mean %v, want 4.5", draws, mean)
		}
		if got := math.Sqrt(square - mean*mean); math.Abs(got/want-1) > 0.025 { // five standard errors
			t.Errorf("%d draws: deviation %v, closed form %v", draws, got, want)
		}
		flips := 1 - 0.5*(1+math.Erf((level-4.5)/want/math.Sqrt2))
		if math.Abs(above-flips) > 5*math.Sqrt(flips*(1-flips)/rows) {
			t.Errorf("%d draws: %v above the threshold, closed form %v", draws, above, flips)
		}
		if m.Queries() != int64(rows*draws) {
			t.Errorf("%d draws: %d rows asked of the model, want %d", draws, m.Queries(), rows*draws)
		}
	}
}

// TestNoiseVotes compares how often the label of most of five copies is 1 with the binomial distribution.
func TestNoiseVotes(t *testing.T) {
	const rows, sigma = 8000, 0.1
	m := tilted(t, model.Label, model.Solution{Name: "noise", Type: model.InputNoise, Sigma: sigma, Draws: 5})
	ones := 0.0
	for _, v := range predict(t, m, slices.Repeat([]float32{0.55, 5, 1}, rows), nil) {
		ones += float64(v) / rows
	}
	p := 0.5 * (1 + math.Erf((4.65-5)/math.Hypot(0.3, 0.4)/math.Sqrt2))
	want := 0.0
	for k, ways := range map[float64]float64{3: 10, 4: 5, 5: 1} {
		want += ways * math.Pow(p, k) * math.Pow(1-p, 5-k)
	}
	if math.Abs(ones-want) > 5*math.Sqrt(want*(1-want)/rows) {
		t.Errorf("got %v, binomial %v", ones, want)
	}
}

// TestNoiseReplays asks again with the same seed, in batches of another
// make-up, with another seed and without one: equal where it must be, and never the same noise twice for one input.
func TestNoiseReplays(t *testing.T) {
	m := tilted(t, model.Score, model.Solution{Name: "noise", Type: model.InputNoise, Sigma: 0.1, Draws: 2})
	x := []float32{0.1, 1, 0, 0.5, 5, 1, 0.1, 1, 0} // the first and the last row are the same, of two subjects
	m.Seed([32]byte{1})
	first := slices.Clone(predict(t, m, x, []int{10, 20, 30}))
	second := slices.Clone(predict(t, m, x, []int{10, 20, 30}))
	for i := range first {
		if first[i] == second[i] {
			t.Errorf("question %d has the same noise twice", i)
		}
	}
	if first[0] == first[2] {
		t.Error("two subjects with the same input share their noise")
	}
	m.Seed([32]byte{1})
	if diff := cmp.Diff(predict(t, m, x, []int{10, 20, 30}), first); diff != "" {
		t.Errorf("the same seed (-got +want):\n%s", diff)
	}
	m.Seed([32]byte{1})
	var apart []float32
	for _, at := range []int{2, 0, 1} { // in another order, one by one
		apart = append(apart, predict(t, m, x[3*at:3*at+3], []int{10 * (at + 1)})[0])
	}
	if diff := cmp.Diff(apart, []float32{first[2], first[0], first[1]}); diff != "" {
		t.Errorf("asked apart (-got +want):\n%s", diff)
	}
	m.Seed([32]byte{2})
	if got := predict(t, m, x, []int{10, 20, 30}); got[0] == first[0] || got[1] == first[1] {
		t.Errorf("another seed gives %v again", got)
	}
	off, err := m.With(nil)
	if err != nil {
		t.Fatal(err)
	}
	if off.Random() || !m.Random() {
		t.Error("the model is random with the solution off, or not with it on")
	}
	if got := predict(t, off, x[:3], nil)[0]; math.Abs(float64(got)-0.7) > 1e-6 {
		t.Errorf("switched off: got %v, want 0.7", got)
	}
}

// TestGained counts as a gain what gains most of the time, and as a decision the one that is made most of the time.
func TestGained(t *testing.T) {
	m := tilted(t, model.Score, model.Solution{Name: "noise", Type: model.InputNoise, Sigma: 0.05, Draws: 1}) // deviation 0.25
	at := m.Rule().Cutoff
	for _, tt := range []struct {
		beyond float64 // the cut-off, in deviations
		want   bool
	}{{-1.5, false}, {1.5, true}} {
		x := []float32{float32((at + tt.beyond*0.25) / 3), 0, 0}
		for row := range 20 {
			got, err := m.Gained(t.Context(), model.Below, row, x)
			if err != nil || got != tt.want {
				t.Fatalf("%v deviations beyond the cut-off: got %v, %v", tt.beyond, got, err)
			}
			var a model.Answers
			var d [1]model.Decision
			if err := m.Usual(t.Context(), x, []int{row}, &a, d[:]); err != nil {
				t.Fatal(err)
			}
			if above := d[0] == model.Above; above != tt.want || m.Decision(&a, 0) != d[0] {
				t.Errorf("%v deviations beyond the cut-off: usually %v, by %v", tt.beyond, d[0], a.Scores)
			}
		}
	}
}

// TestNoiseRefused names what noise cannot be added to.
func TestNoiseRefused(t *testing.T) {
	noise := model.Solution{Name: "noise", Type: model.InputNoise, Sigma: 0.1, Draws: 3}
	spec := cutoff(model.Score)
	spec.Solutions = []model.Solution{noise}
	m, err := model.New(function(nil), spec, 3, 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.With([]string{"noise"}); err == nil {
		t.Error("noise without a domain was switched on")
	}
	twice := noise
	twice.Name = "more"
	spec.Solutions = append(spec.Solutions, twice)
	spec.Domain = &model.Domain{Features: slices.Repeat([]domain.Feature{{Name: "b", Type: domain.Binary, Min: 0, Max: 1, Mutable: domain.Yes}}, 3)}
	for i := range spec.Domain.Features {
		spec.Domain.Features[i].Name += string(rune('0' + i))
	}
	if m, err = model.New(function(nil), spec, 3, 1); err != nil {
		t.Fatal(err)
	}
	if _, err := m.With([]string{"noise"}); err == nil {
		t.Error("noise was added to features that are yes or no")
	}
	spec.Domain.Features[0].Type = domain.Real
	if m, err = model.New(function(nil), spec, 3, 1); err != nil {
		t.Fatal(err)
	}
	if _, err := m.With([]string{"noise"}); err != nil {
		t.Error(err)
	}
	if _, err := m.With([]string{"noise", "more"}); err == nil {
		t.Error("noise was added twice")
	}
}
