package model_test

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assize/assize/internal/model"
)

// TestMarginAgreesWithGains asks many random answers under every kind of rule:
// a margin is below 0 only where the answer gains, and above 0 only where it does not.
func TestMarginAgreesWithGains(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	argmax := func(kind model.Kind, k int, favourable ...string) *model.Spec {
		return &model.Spec{Output: model.Output{Kind: kind}, Rule: model.Rule{Kind: model.Argmax, Positive: 1, Outcomes: []string{"a", "b", "c"}[:k], Favourable: favourable}}
	}
	perClass := func(favourable ...string) *model.Spec {
		return &model.Spec{Output: model.Output{Kind: model.Probabilities}, Rule: model.Rule{
			Kind: model.PerClass, Cutoffs: []float64{0.5, 0.3, 0.4}, Outcomes: []string{"a", "b", "c", "refer"}, Favourable: favourable,
		}}
	}
	refer := cutoff(model.Logits, "accept")
	refer.Rule.ReferIsGain = true
	for name, c := range map[string]struct {
		spec *model.Spec
		k    int
	}{
		"argmax of logits":           {argmax(model.Logits, 3), 3},
		"argmax, favourable":         {argmax(model.Logits, 3, "b", "c"), 3},
		"argmax of probabilities":    {argmax(model.Probabilities, 3), 3},
		"argmax of one logit":        {argmax(model.Logits, 2), 1},
		"argmax of one probability":  {argmax(model.PositiveProbability, 2), 1},
		"cutoff with a band":         {cutoff(model.PositiveProbability), 1},
		"cutoff, favourable":         {cutoff(model.PositiveProbability, "accept"), 1},
		"cutoff, referral gains":     {refer, 1},
		"cutoff of two logits":       {cutoff(model.Logits, "accept"), 2},
		"cutoff of probabilities":    {cutoff(model.Probabilities, "refuse"), 2},
		"cutoff of a score":          {cutoff(model.Score), 1},
		"threshold a class":          {perClass(), 3},
		"threshold a class, favours": {perClass("c", "refer"), 3},
	} {
		t.Run(name, func(t *testing.T) {
			m, _ := open(t, c.spec, c.k, c.k)
			above, below := 0, 0
			for range 2000 {
				x := make([]float32, c.k)
				sum := float32(0)
				for i := range x {
					x[i] = rng.Float32()
					sum += x[i]
				}
				switch kind := c.spec.Output.Kind; {
				case kind == model.Probabilities:
					for i := range x {
						x[i] /= sum
					}
				case kind == model.Logits:
					for i := range x {
						x[i] = 6*x[i] - 3
					}
				}
				var a model.Answers
				if err := m.Predict(context.Background(), x, 1, &a); err != nil {
					t.Fatal(err)
				}
				from := model.Decision(rng.IntN(len(c.spec.Rule.Outcomes)))
				gains := m.Gains(from, m.Decision(&a, 0))
				switch got := m.Margin(&a, 0, from); {
				case got < -1e-6 && !gains, got > 1e-6 && gains, got != got:
					t.Fatalf("%v from outcome %d: got margin %v, it gains: %v", x, from, got, gains)
				case got < 0:
					below++
				case !math.IsInf(got, 1):
					above++
				}
			}
			if above < 100 || below < 100 {
				t.Errorf("got %d margins above 0 and %d below, want many of both", above, below)
			}
		})
	}
}

// TestMarginValues holds single margins to numbers computed by hand.
func TestMarginValues(t *testing.T) {
	logits := &model.Spec{Output: model.Output{Kind: model.Logits}, Rule: model.Rule{Kind: model.Argmax}}
	labels := &model.Spec{Output: model.Output{Kind: model.Label, Classes: []string{"a", "b"}}, Rule: model.Rule{Kind: model.Argmax}}
	for _, tt := range []struct {
		name string
		spec *model.Spec
		row  []float32
		from model.Decision
		want float64
	}{
		{"gap to the next class", logits, []float32{3, 1, 2.5}, 0, 0.5},
		{"another class leads by 2", logits, []float32{3, 1, 5}, 0, -2},
		{"odds of a cut-off at 0.22", cutoff(model.Logits, "accept"), []float32{0}, model.Above, math.Log(0.82 / 0.18)},
		{"a label that stays", labels, []float32{1}, 1, 1},
		{"a label that moves", labels, []float32{1}, 0, -1},
		{"no number", logits, []float32{1, float32(math.NaN()), 2}, 0, math.Inf(1)},
	} {
		m, _ := open(t, tt.spec, len(tt.row), len(tt.row))
		var a model.Answers
		if err := m.Predict(context.Background(), tt.row, 1, &a); err != nil {
			t.Fatal(err)
		}
		if got := m.Margin(&a, 0, tt.from); got != tt.want && math.Abs(got-tt.want) > 1e-6 {
			t.Errorf("%s: got margin %v, want %v", tt.name, got, tt.want)
		}
		if got, want := m.Graded(), tt.spec != labels; got != want {
			t.Errorf("%s: got graded %v, want %v", tt.name, got, want)
		}
	}
}

func TestImage(t *testing.T) {
	for _, tt := range []struct {
		layout string
		shape  []int
		want   model.Image
		ok     bool
	}{
		{"nchw", []int{3, 4, 5}, model.Image{Channels: 3, Height: 4, Width: 5, Line: 5, Column: 1, Channel: 20}, true},
		{"nhwc", []int{4, 5, 3}, model.Image{Channels: 3, Height: 4, Width: 5, Line: 15, Column: 3, Channel: 1}, true},
		{"columns", []int{4, 5, 3}, model.Image{}, false},
		{"nchw", []int{60}, model.Image{}, false},
		{"nchw", nil, model.Image{}, false},
	} {
		spec := &model.Spec{Input: model.Input{Layout: tt.layout, Shape: tt.shape}, Output: model.Output{Kind: model.Logits}, Rule: model.Rule{Kind: model.Argmax}}
		m, _ := open(t, spec, 60, 3)
		got, ok := m.Image()
		if diff := cmp.Diff(got, tt.want); diff != "" || ok != tt.ok {
			t.Errorf("%s %v: got %v, -got +want:\n%s", tt.layout, tt.shape, ok, diff)
		}
	}
}
