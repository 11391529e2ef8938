package model_test

import (
	"context"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assize/assize/internal/domain"
	"github.com/assize/assize/internal/model"
)

// echo answers each row with its first values.
type echo struct{ width, columns, asked int }

func (e *echo) Run(_ context.Context, x []float32, n int, out []float32) error {
	e.asked += n
	for i := range n {
		copy(out[i*e.columns:(i+1)*e.columns], x[i*e.width:])
	}
	return nil
}

func open(t *testing.T, spec *model.Spec, width, columns int) (*model.Model, *echo) {
	t.Helper()
	e := &echo{width: width, columns: columns}
	m, err := model.New(e, spec, width, columns)
	if err != nil {
		t.Fatal(err)
	}
	return m, e
}

func cutoff(kind model.Kind, favourable ...string) *model.Spec {
	return &model.Spec{
		Output: model.Output{Kind: kind},
		Rule: model.Rule{
			Kind: model.Cutoff, Positive: 1, Cutoff: 0.22, Band: &[2]float64{0.18, 0.22},
			Outcomes: []string{"accept", "refer", "refuse"}, Favourable: favourable,
		},
	}
}

func TestDecisions(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	perClass := &model.Spec{
		Output: model.Output{Kind: model.Probabilities},
		Rule:   model.Rule{Kind: model.PerClass, Positive: 1, Cutoffs: []float64{0.5, 0.3}, Outcomes: []string{"a", "b", "refer"}},
	}
	argmax := func(kind model.Kind, classes ...string) *model.Spec {
		return &model.Spec{Output: model.Output{Kind: kind, Classes: classes}, Rule: model.Rule{Kind: model.Argmax, Positive: 1}}
	}
	for _, tt := range []struct {
		name string
		spec *model.Spec
		row  []float32
		want model.Decision
	}{
		{"below the band", cutoff(model.PositiveProbability), []float32{0.1799}, model.Below},
		{"band's lower end", cutoff(model.PositiveProbability), []float32{0.18}, model.InBand},
		{"at the cut-off", cutoff(model.PositiveProbability), []float32{0.22}, model.Above},
		{"two columns", cutoff(model.Probabilities), []float32{0.75, 0.25}, model.Above},
		{"logits by softmax", cutoff(model.Logits), []float32{0, float32(math.Log(0.2 / 0.8))}, model.InBand},
		{"one logit by sigmoid", cutoff(model.Logits), []float32{float32(math.Log(0.3 / 0.7))}, model.Above},
		{"not a number", cutoff(model.PositiveProbability), []float32{nan}, model.Unusable},
		{"infinite probability", cutoff(model.PositiveProbability), []float32{inf}, model.Unusable},
		{"argmax", argmax(model.Logits), []float32{1, 5, 3}, 1},
		{"argmax of equals is the first", argmax(model.Logits), []float32{5, 5, 3}, 0},
		{"argmax of one probability", argmax(model.PositiveProbability), []float32{0.5}, 1},
		{"argmax of one logit", argmax(model.Logits), []float32{-0.1}, 0},
		{"a label", argmax(model.Label, "a", "b", "c"), []float32{2}, 2},
		{"a label that no class has", argmax(model.Label, "a", "b", "c"), []float32{3}, model.Unusable},
		{"half a label", argmax(model.Label, "a", "b", "c"), []float32{0.5}, model.Unusable},
		{"per class, both over: the greater", perClass, []float32{0.6, 0.4}, 0},
		{"per class, one over", perClass, []float32{0.45, 0.55}, 1},
		{"per class, none over", perClass, []float32{0.4, 0.2}, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, _ := open(t, tt.spec, len(tt.row), len(tt.row))
			got := make([]model.Decision, 1)
			if err := m.Decide(context.Background(), tt.row, 1, got); err != nil {
				t.Fatal(err)
			}
			if got[0] != tt.want {
				t.Errorf("got %d, want %d", got[0], tt.want)
			}
		})
	}
}

func TestWhatAnAttackerGains(t *testing.T) {
	m, _ := open(t, cutoff(model.PositiveProbability, "accept"), 1, 1)
	r, _ := open(t, func() *model.Spec {
		s := cutoff(model.PositiveProbability, "accept")
		s.Rule.ReferIsGain = true
		return s
	}(), 1, 1)
	u, _ := open(t, &model.Spec{Output: model.Output{Kind: model.Logits}, Rule: model.Rule{Kind: model.Argmax}}, 3, 3)
	for _, tt := range []struct {
		name      string
		got, want bool
	}{
		{"refused has something to gain", m.Attackable(model.Above, 1, 1), true},
		{"referred too", m.Attackable(model.InBand, 0, 0), true},
		{"accepted has nothing to gain", m.Attackable(model.Below, 0, 1), false},
		{"refused to accepted", m.Gains(model.Above, model.Below), true},
		{"refused to referred", m.Gains(model.Above, model.InBand), false},
		{"refused to referred, where that is a gain", r.Gains(model.Above, model.InBand), true},
		{"referred to accepted, where referred is favourable already", r.Gains(model.InBand, model.Below), false},
		{"a refused input gains nothing", m.Gains(model.Above, model.Refused), false},
		{"an unusable answer gains nothing", u.Gains(1, model.Unusable), false},
		{"untargeted: right decisions are attacked", u.Attackable(1, 1, 1), true},
		{"untargeted: wrong ones are not", u.Attackable(1, 1, 2), false},
		{"untargeted: any other class", u.Gains(1, 2), true},
		{"untargeted: the same class", u.Gains(1, 1), false},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, tt.got, tt.want)
		}
	}
}

func TestSolutionsActInTheChain(t *testing.T) {
	spec := cutoff(model.PositiveProbability)
	spec.Domain = &model.Domain{Features: []domain.Feature{{Name: "a", Type: domain.Real, Min: 0, Max: 1, Mutable: domain.Yes}}}
	spec.Solutions = []model.Solution{
		{Name: "check", Type: model.InputValidation, Switchable: true},
		{Name: "round", Type: model.OutputRounding, Digits: 1, Switchable: true},
	}
	m, e := open(t, spec, 1, 1)
	x := []float32{0.16, 2, 0.24, float32(math.NaN())}
	got := make([]model.Decision, 4)
	decide := func(on ...string) []model.Decision {
		w, err := m.With(on)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Decide(context.Background(), x, 4, got); err != nil {
			t.Fatal(err)
		}
		return got
	}
	if diff := cmp.Diff([]model.Decision{model.Below, model.Above, model.Above, model.Unusable}, decide()); diff != "" {
		t.Errorf("nothing on (-want +got):\n%s", diff)
	}
	e.asked = 0
	if diff := cmp.Diff([]model.Decision{model.Below, model.Refused, model.Above, model.Refused}, decide("check")); diff != "" {
		t.Errorf("validation on (-want +got):\n%s", diff)
	}
	if e.asked != 2 {
		t.Errorf("the model was asked for %d rows, want 2: refused rows must not reach it", e.asked)
	}
	if diff := cmp.Diff([]model.Decision{model.InBand, model.Refused, model.InBand, model.Refused}, decide("check", "round")); diff != "" {
		t.Errorf("both on (-want +got):\n%s", diff)
	}
	if m.Queries() != 12 {
		t.Errorf("got %d queries, want 12 over all chains", m.Queries())
	}
	if _, err := m.With([]string{"nobody"}); err == nil {
		t.Error("an unknown solution was switched on")
	}
}

func TestScaling(t *testing.T) {
	spec := &model.Spec{
		Input:  model.Input{Layout: "nchw", Mean: []float64{1, 10}, Std: []float64{2, 4}},
		Output: model.Output{Kind: model.Logits}, Rule: model.Rule{Kind: model.Argmax},
	}
	var a model.Answers
	m, _ := open(t, spec, 4, 4)
	if err := m.Predict(context.Background(), []float32{3, 1, 18, 10}, 1, &a); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]float32{1, 0, 2, 0}, a.Scores); diff != "" {
		t.Errorf("nchw (-want +got):\n%s", diff)
	}
	spec.Input.Layout = "nhwc"
	m, _ = open(t, spec, 4, 4)
	if err := m.Predict(context.Background(), []float32{3, 18, 1, 10}, 1, &a); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]float32{1, 2, 0, 0}, a.Scores); diff != "" {
		t.Errorf("nhwc (-want +got):\n%s", diff)
	}
}

func TestSpecsThatDoNotFit(t *testing.T) {
	for name, spec := range map[string]*model.Spec{
		"score without a cut-off":   {Output: model.Output{Kind: model.Score}, Rule: model.Rule{Kind: model.Argmax}},
		"labels with a cut-off":     {Output: model.Output{Kind: model.Label, Classes: []string{"a", "b"}}, Rule: cutoff(model.Label).Rule},
		"too many class names":      {Output: model.Output{Kind: model.Logits, Classes: []string{"a", "b", "c"}}, Rule: model.Rule{Kind: model.Argmax}},
		"labels without names":      {Output: model.Output{Kind: model.Label}, Rule: model.Rule{Kind: model.Argmax}},
		"unknown kind":              {Output: model.Output{Kind: "odds"}, Rule: model.Rule{Kind: model.Argmax}},
		"unknown rule":              {Output: model.Output{Kind: model.Logits}, Rule: model.Rule{Kind: "best"}},
		"scaling that does not fit": {Input: model.Input{Mean: []float64{1, 2, 3}}, Output: model.Output{Kind: model.Logits}, Rule: model.Rule{Kind: model.Argmax}},
		"standard deviation of 0":   {Input: model.Input{Std: []float64{0}}, Output: model.Output{Kind: model.Logits}, Rule: model.Rule{Kind: model.Argmax}},
		"positive beyond classes":   {Output: model.Output{Kind: model.Logits}, Rule: model.Rule{Kind: model.Argmax, Positive: 7}},
		"domain of another width": {
			Domain: &model.Domain{Features: []domain.Feature{{Name: "a", Type: domain.Real, Max: 1, Mutable: domain.Yes}}},
			Output: model.Output{Kind: model.Logits}, Rule: model.Rule{Kind: model.Argmax},
		},
	} {
		columns := 2
		if spec.Output.Kind == model.Score || spec.Output.Kind == model.Label {
			columns = 1
		}
		if _, err := model.New(&echo{width: 2, columns: columns}, spec, 2, columns); err == nil {
			t.Errorf("%s: it was accepted", name)
		}
	}
}

// TestNumbersAreNotDecided: without a rule every finite score has the one outcome and no class.
func TestNumbersAreNotDecided(t *testing.T) {
	spec := &model.Spec{Output: model.Output{Kind: model.Score}, Rule: model.Rule{Kind: model.NoRule, Outcomes: []string{"a number"}}}
	m, _ := open(t, spec, 1, 1)
	var a model.Answers
	if err := m.Predict(context.Background(), []float32{-3, float32(math.NaN())}, 2, &a); err != nil {
		t.Fatal(err)
	}
	if d := m.Decision(&a, 0); d != 0 || m.ClassOf(d, &a, 0) != -1 || m.Rule().Name(d) != "a number" {
		t.Errorf("got decision %d, class %d, %q", d, m.ClassOf(d, &a, 0), m.Rule().Name(d))
	}
	if d := m.Decision(&a, 1); d != model.Unusable {
		t.Errorf("got decision %d of what is no number", d)
	}
	spec.Output.Kind = model.PositiveProbability
	if _, err := model.New(&echo{}, spec, 1, 1); err == nil {
		t.Error("probabilities without a rule: got no error")
	}
}
