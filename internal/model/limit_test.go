package model_test

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/assize/assize/internal/model"
)

// rules are specs of every kind of rule and output, with their number of columns.
func rules() map[string]struct {
	spec    *model.Spec
	columns int
} {
	argmax := func(kind model.Kind) *model.Spec {
		return &model.Spec{Output: model.Output{Kind: kind}, Rule: model.Rule{Kind: model.Argmax, Positive: 1}}
	}
	perClass := &model.Spec{Output: model.Output{Kind: model.Probabilities}, Rule: model.Rule{
		Kind: model.PerClass, Cutoffs: []float64{0.5, 0.3, 0.4}, Outcomes: []string{"a", "b", "c", "refer"},
	}}
	late := cutoff(model.PositiveProbability)
	late.Rule.Band = &[2]float64{0.22, 0.9}
	return map[string]struct {
		spec    *model.Spec
		columns int
	}{
		"argmax of logits": {argmax(model.Logits), 3}, "argmax of probabilities": {argmax(model.Probabilities), 3},
		"argmax of one logit": {argmax(model.Logits), 1}, "argmax of one probability": {argmax(model.PositiveProbability), 1},
		"cutoff of one probability": {cutoff(model.PositiveProbability), 1}, "cutoff of two": {cutoff(model.Probabilities), 2},
		"cutoff of one logit": {cutoff(model.Logits), 1}, "cutoff of two logits": {cutoff(model.Logits), 2},
		"cutoff of a score": {cutoff(model.Score), 1}, "band above the cut-off": {late, 1}, "threshold a class": {perClass, 3},
	}
}

// answer draws scores of a kind.
func answer(rng *rand.Rand, kind model.Kind, k int) []float32 {
	x := make([]float32, k)
	sum := float32(0)
	for i := range x {
		x[i] = rng.Float32()
		sum += x[i]
	}
	for i := range x {
		switch kind {
		case model.Probabilities:
			x[i] /= sum
		case model.Logits:
			x[i] = 8*x[i] - 4
		}
	}
	return x
}

func ask(t *testing.T, m *model.Model, x []float32) (model.Decision, []float32) {
	t.Helper()
	var a model.Answers
	if err := m.Predict(context.Background(), x, 1, &a); err != nil {
		t.Fatal(err)
	}
	return m.Decision(&a, 0), slices.Clone(a.Row(0))
}

func with(t *testing.T, spec *model.Spec, k int, s model.Solution) (without, on *model.Model) {
	t.Helper()
	c := *spec
	c.Solutions = []model.Solution{s}
	without, _ = open(t, &c, k, k)
	on, err := without.With([]string{s.Name})
	if err != nil {
		t.Fatal(err)
	}
	return without, on
}

// TestDecisionOnly checks under every rule that no decision changes, and that two answers of one decision look alike.
func TestDecisionOnly(t *testing.T) {
	for name, c := range rules() {
		t.Run(name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(5, 6))
			off, on := with(t, c.spec, c.columns, model.Solution{Name: "hidden", Type: model.DecisionOnly})
			seen := map[model.Decision][]float32{}
			for range 2000 {
				x := answer(rng, c.spec.Output.Kind, c.columns)
				want, _ := ask(t, off, x)
				got, scores := ask(t, on, x)
				if got != want {
					t.Fatalf("%v: got decision %d, without the solution it is %d", x, got, want)
				}
				if known, ok := seen[got]; ok && !slices.Equal(known, scores) {
					t.Fatalf("decision %d: got scores %v and %v, want the same", got, known, scores)
				}
				seen[got] = scores
			}
			if len(seen) < 2 || on.Graded() || !off.Graded() {
				t.Errorf("got %d decisions, graded %v with and %v without", len(seen), on.Graded(), off.Graded())
			}
		})
	}
}

// TestRejectBand checks what is refused against gaps computed by hand.
func TestRejectBand(t *testing.T) {
	argmax := &model.Spec{Output: model.Output{Kind: model.Probabilities}, Rule: model.Rule{Kind: model.Argmax}}
	logits := &model.Spec{Output: model.Output{Kind: model.Logits}, Rule: model.Rule{Kind: model.Argmax}}
	for _, tt := range []struct {
		name string
		spec *model.Spec
		row  []float32
		want bool
	}{
		{"close", argmax, []float32{0.45, 0.36, 0.19}, true},
		{"clear", argmax, []float32{0.5, 0.39, 0.11}, false},
		{"logits, close", logits, []float32{1, 0.85, -9}, true},                        // softmax: 0.537, 0.463
		{"logits, clear", logits, []float32{1, 0.75, -9}, false},                       // 0.562, 0.438
		{"near the cut-off", cutoff(model.PositiveProbability), []float32{0.31}, true}, // 0.22
		{"near the band", cutoff(model.PositiveProbability), []float32{0.09}, true},    // 0.18
		{"far below", cutoff(model.PositiveProbability), []float32{0.07}, false},
		{"far above", cutoff(model.PositiveProbability), []float32{0.33}, false},
	} {
		off, on := with(t, tt.spec, len(tt.row), model.Solution{Name: "band", Type: model.RejectBand, Margin: 0.1})
		before, _ := ask(t, off, tt.row)
		got, scores := ask(t, on, tt.row)
		if tt.want && (got != model.Refused || slices.Max(scores) != 0) || !tt.want && got != before {
			t.Errorf("%s: got decision %d, scores %v, want refused %v", tt.name, got, scores, tt.want)
		}
	}
	labels := &model.Spec{
		Output: model.Output{Kind: model.Label, Classes: []string{"a", "b"}}, Rule: model.Rule{Kind: model.Argmax},
		Solutions: []model.Solution{{Name: "band", Type: model.RejectBand, Margin: 0.1}},
	}
	m, _ := open(t, labels, 1, 1)
	if _, err := m.With([]string{"band"}); err == nil {
		t.Error("got no error for a band on labels, want one")
	}
	off, on := with(t, logits, 3, model.Solution{Name: "band", Type: model.RejectBand, Margin: 0.1})
	nan := []float32{0, float32(math.NaN()), 0}
	if a, _ := ask(t, off, nan); a != model.Unusable {
		t.Errorf("got %d, want unusable", a)
	}
	if a, _ := ask(t, on, nan); a != model.Unusable {
		t.Errorf("with a band: got %d, want unusable as without", a)
	}
}

func TestQueryLimit(t *testing.T) {
	spec := &model.Spec{Output: model.Output{Kind: model.Logits}, Rule: model.Rule{Kind: model.Argmax}, Solutions: []model.Solution{
		{Name: "loose", Type: model.QueryLimit, Queries: 100}, {Name: "tight", Type: model.QueryLimit, Queries: 10},
	}}
	m, _ := open(t, spec, 2, 2)
	for _, tt := range []struct {
		on   []string
		want int
	}{{nil, 0}, {[]string{"loose"}, 100}, {[]string{"loose", "tight"}, 10}} {
		on, err := m.With(tt.on)
		if err != nil {
			t.Fatal(err)
		}
		if got := on.QueryLimit(); got != tt.want {
			t.Errorf("%q on: got limit %d, want %d", tt.on, got, tt.want)
		}
	}
}
