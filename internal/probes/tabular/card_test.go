package tabular_test

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/dataset"
	"github.com/assize/assize/internal/domain"
	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/measure/measuretest"
	"github.com/assize/assize/internal/model"
	"github.com/assize/assize/internal/probes/tabular"
)

// TestScorecard searches a table of points per bin and compares the cheapest
// change of every row with that of all inputs there are.
func TestScorecard(t *testing.T) {
	path := filepath.Join(t.TempDir(), "card.csv")
	card := "variable,bin,points\nbasepoints,,480\nage,\"missing%,%[-inf,26.0)\",-20\nage,\"[26.0,40.0)\",0\nage,\"[40.0,inf)\",25\n" +
		"duration,\"[-inf,12.0)\",30\nduration,\"[12.0,36.0)\",0\nduration,\"[36.0,inf)\",-35\nhousing,own,15\nhousing,\"rent%,%for free\",-10\n"
	if err := os.WriteFile(path, []byte(card), 0o644); err != nil {
		t.Fatal(err)
	}
	dom := &model.Domain{Confirmed: true, Relations: []string{"x.duration <= 2 * x.age"}, Features: []domain.Feature{
		{Name: "age", Type: domain.Integer, Min: 18, Max: 60, Mutable: domain.Up, Cost: 1},
		{Name: "duration", Type: domain.Integer, Min: 4, Max: 60, Mutable: domain.Yes, Cost: 0.5},
		{Name: "housing", Type: domain.Category, Min: 0, Max: 2, Mutable: domain.Yes, Cost: 3},
	}}
	spec := &model.Spec{
		Path: path, Domain: dom, Output: model.Output{Kind: model.Score, Classes: []string{"bad", "good"}},
		Rule: model.Rule{Kind: model.Cutoff, Positive: 1, Cutoff: 490, Outcomes: []string{"refuse", "refer", "accept"}, Favourable: []string{"accept"}},
	}
	m, _, err := model.Open(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	built, err := dom.Build()
	if err != nil {
		t.Fatal(err)
	}
	var every []float32
	for age := 18; age <= 60; age++ {
		for duration := 4; duration <= 60; duration++ {
			for housing := range 3 {
				every = append(every, float32(age), float32(duration), float32(housing))
			}
		}
	}
	var answers model.Answers
	if err := m.Predict(t.Context(), every, len(every)/3, &answers); err != nil {
		t.Fatal(err)
	}
	data := &dataset.Table{Width: 3}
	for i := 0; i < len(every); i += 3 * 61 {
		data.X, data.Index = append(data.X, every[i:i+3]...), append(data.Index, len(data.Index))
	}
	r := whole(t, tabular.Probes()[0], measuretest.Target{
		Model: func() *model.Model { return m }, Domain: built, Data: data,
		Files: []measure.File{{Artefact: artefact.Artefact{Name: "model", Kind: artefact.Model}, OpenPath: path}},
		Facts: measure.Facts{TestRows: data.Len(), Width: 3, Classes: 2, Rule: model.Cutoff, Favourable: []string{"accept"}},
	}, nil)
	gained := 0
	for i := range data.Len() {
		orig, least := data.Row(i), math.Inf(1)
		for k := 0; k < len(every); k += 3 {
			if x := every[k : k+3]; m.Decision(&answers, k/3) == model.Above && built.Feasible(x, orig) {
				cost := math.Abs(float64(x[0]-orig[0])) + math.Abs(float64(x[1]-orig[1]))/2
				cost += 3 * math.Abs(float64(x[2]-orig[2]))
				least = min(least, cost)
			}
		}
		at := func(column string) float64 { return r.Rows.Column(column)[i] }
		switch {
		case at("blind") != 0 || at("exact") != at("attackable"):
			t.Errorf("row %d %v: not searched exactly", i, orig)
		case at("attackable") == 1 && math.IsInf(least, 1) != (at("never") == 1):
			t.Errorf("row %d %v: never %v, the cheapest is %v", i, orig, at("never"), least)
		case at("found") == 1 && math.Abs(at("cost")-least) > 1e-6:
			t.Errorf("row %d %v: got %v, the cheapest is %v", i, orig, at("cost"), least)
		}
		gained += int(at("flips"))
	}
	if gained < 20 {
		t.Errorf("only %d of %d rows gain", gained, data.Len())
	}
}
