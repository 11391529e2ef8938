package model_test

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/csv"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/assize/assize/internal/domain"
	"github.com/assize/assize/internal/model"
)

// sharedData is a file of the shared test data, which is not always there.
func sharedData(t *testing.T, name string) string {
	t.Helper()
	path := filepath.Join("..", "..", "..", "shared", "data", filepath.FromSlash(name))
	if _, err := os.Stat(path); err != nil {
		t.Skip("the shared test data is not there")
	}
	return path
}

// german are the rows of the German credit data, in the model's order.
func german(t *testing.T) (x []float32, rows, width int) {
	t.Helper()
	f, err := os.Open(sharedData(t, "tabular/german_X.csv.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	all, err := csv.NewReader(bufio.NewReader(z)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, record := range all[1:] {
		for _, v := range record {
			f, err := strconv.ParseFloat(v, 64)
			if err != nil {
				t.Fatal(err)
			}
			x = append(x, float32(f))
		}
	}
	return x, len(all) - 1, len(all[0])
}

// TestNativeXGBoost opens XGBoost's own JSON file. The margins of the test rows stand in
// german_evasion_answers.csv, recorded from XGBoost 1.7.4.
func TestNativeXGBoost(t *testing.T) {
	x, rows, width := german(t)
	ask := func(kind model.Kind, positive int) *model.Answers {
		t.Helper()
		m, notes, err := model.Open(context.Background(), &model.Spec{
			Path: sharedData(t, "tabular/german_xgb.json"), Output: model.Output{Kind: kind, Classes: []string{"bad", "good"}}, Rule: model.Rule{Kind: model.Argmax, Positive: positive},
		})
		if err != nil {
			t.Fatal(err)
		}
		if m.Width() != width || len(notes) != 1 {
			t.Fatalf("width %d, notes %q", m.Width(), notes)
		}
		a := &model.Answers{}
		if err := m.Predict(context.Background(), x, rows, a); err != nil {
			t.Fatal(err)
		}
		return a
	}
	margins, both, one, other := ask(model.Logits, 1), ask(model.Probabilities, 1), ask(model.PositiveProbability, 1), ask(model.PositiveProbability, 0)
	for i := range rows {
		p := 1 / (1 + math.Exp(-float64(margins.Row(i)[0])))
		for _, got := range []float32{both.Row(i)[1], one.Row(i)[0], 1 - both.Row(i)[0], 1 - other.Row(i)[0]} {
			if math.Abs(float64(got)-p) > 1e-6 {
				t.Fatalf("row %d: probability %v, the margin gives %v", i, got, p)
			}
		}
	}
	f, err := os.Open(sharedData(t, "tabular/german_evasion_answers.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	answers, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	at := map[string]int{}
	for j, name := range answers[0] {
		at[name] = j
	}
	compared := 0
	for _, a := range answers[1:] {
		row, err1 := strconv.Atoi(a[at["row"]])
		want, err2 := strconv.ParseFloat(a[at["xgb_margin"]], 64)
		if err1 != nil || err2 != nil {
			t.Fatalf("%v: %v, %v", a, err1, err2)
		}
		if got := float64(margins.Row(row)[0]); math.Abs(got-want) > 1e-5 {
			t.Errorf("row %d: margin %v, XGBoost gives %v", row, got, want)
		}
		compared++
	}
	if compared < 100 {
		t.Errorf("only %d recorded margins were compared", compared)
	}
}

func TestNativeRefusals(t *testing.T) {
	path := sharedData(t, "tabular/german_xgb.json")
	dermatology := sharedData(t, "tree-model-formats/xgdermatology.model")
	cut := filepath.Join(t.TempDir(), "cut.json")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(cut, whole[:len(whole)/2], 0o644); err != nil {
		t.Fatal(err)
	}
	two := model.Output{Kind: model.Probabilities}
	for _, tt := range []struct {
		name string
		spec model.Spec
		want string
	}{
		{"tensor", model.Spec{Path: path, Input: model.Input{Tensor: "input"}, Output: two}, "leave interface.input.tensor"},
		{"one column of six", model.Spec{Path: dermatology, Output: model.Output{Kind: model.PositiveProbability}}, "6 classes"},
		{"cut short", model.Spec{Path: cut, Output: two}, "truncated or damaged"},
		{"too few features", model.Spec{Path: path, Output: two, Domain: &model.Domain{Features: []domain.Feature{{Name: "a", Type: domain.Real, Max: 1, Mutable: domain.Yes}}}}, "the domain declares 1 features"},
	} {
		tt.spec.Rule = model.Rule{Kind: model.Argmax, Positive: 1}
		if _, _, err := model.Open(context.Background(), &tt.spec); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
		}
	}
}

// TestNativeScorecard opens a table of points per bin, whose categories are
// numbered in the table's order.
func TestNativeScorecard(t *testing.T) {
	path := filepath.Join(t.TempDir(), "card.csv")
	card := "variable,bin,points\nbasepoints,,480\nage,\"missing%,%[-inf,26.0)\",-20\nage,\"[26.0,inf)\",25\nhousing,own,15\nhousing,\"rent%,%for free\",-10\n"
	if err := os.WriteFile(path, []byte(card), 0o644); err != nil {
		t.Fatal(err)
	}
	m, notes, err := model.Open(t.Context(), &model.Spec{
		Path: path, Output: model.Output{Kind: model.Score, Classes: []string{"bad", "good"}}, Rule: model.Rule{Kind: model.Cutoff, Positive: 1, Cutoff: 490, Outcomes: []string{"refuse", "refer", "accept"}, Favourable: []string{"accept"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := "housing: 0 own, 1 rent, 2 for free"; len(notes) != 2 || !strings.Contains(notes[1], want) {
		t.Errorf("notes %q, want %q", notes, want)
	}
	var a model.Answers
	if err := m.Predict(t.Context(), []float32{25, 0, 26, 2, 26, 0}, 3, &a); err != nil {
		t.Fatal(err)
	}
	for i, want := range []struct {
		score    float32
		decision model.Decision
	}{{475, model.Below}, {495, model.Above}, {520, model.Above}} {
		if got := a.Row(i)[0]; got != want.score || m.Decision(&a, i) != want.decision {
			t.Errorf("row %d: got %v decided %v, want %v decided %v", i, got, m.Decision(&a, i), want.score, want.decision)
		}
	}
}
