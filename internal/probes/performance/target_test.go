package performance_test

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/assize/assize/internal/dataset"
	"github.com/assize/assize/internal/domain"
	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/measure/measuretest"
	"github.com/assize/assize/internal/model"
	"github.com/assize/assize/internal/probes/performance"
	"github.com/assize/assize/internal/result"
)

func probe(t *testing.T, id string) measure.Probe {
	t.Helper()
	for _, p := range performance.Probes() {
		if p.ID == id {
			return p
		}
	}
	t.Fatalf("no probe %q", id)
	return measure.Probe{}
}

// table answers row i of the data, which holds its own number, with scores[i].
type table [][]float32

func (p table) Run(ctx context.Context, x []float32, n int, out []float32) error {
	k := len(p[0])
	for i := range n {
		copy(out[i*k:], p[int(x[i])])
	}
	return ctx.Err()
}

// system is a target whose answers are written down.
type system struct {
	scores  [][]float32
	labels  []int
	kind    model.Kind
	classes int
	rule    model.Rule
	refuse  int // rows from this number on are outside the domain; 0 none
}

func (s *system) spec() *model.Spec {
	spec := &model.Spec{Output: model.Output{Kind: s.kind}, Rule: s.rule}
	if spec.Rule.Kind == "" {
		spec.Rule.Kind = model.Argmax
	}
	if spec.Rule.Positive == 0 {
		spec.Rule.Positive = 1
	}
	for c := range s.classes {
		spec.Output.Classes = append(spec.Output.Classes, string(rune('a'+c%26))+string(rune('a'+c/26)))
	}
	if spec.Rule.Kind == model.Cutoff {
		spec.Rule.Outcomes = []string{"below", "band", "above"}
	} else {
		spec.Rule.Outcomes = spec.Output.Classes
	}
	if s.refuse > 0 {
		spec.Domain = &model.Domain{Features: []domain.Feature{{Name: "row", Type: domain.Real, Min: 0, Max: float64(s.refuse) - 0.5, Mutable: domain.Yes}}}
		spec.Solutions = []model.Solution{{Name: "range-check", Type: model.InputValidation, Switchable: true}}
	}
	return spec
}

func (s *system) model(t *testing.T) *model.Model {
	t.Helper()
	m, err := model.New(table(s.scores), s.spec(), 1, len(s.scores[0]))
	if err != nil {
		t.Fatal(err)
	}
	if s.refuse > 0 {
		if m, err = m.With([]string{"range-check"}); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

func (s *system) target(t *testing.T) measuretest.Target {
	t.Helper()
	data := &dataset.Table{Width: 1, Y: s.labels}
	for i := range s.scores {
		data.X, data.Index = append(data.X, float32(i)), append(data.Index, i)
	}
	spec := s.spec()
	m := s.model(t)
	return measuretest.Target{
		Model: func() *model.Model { return s.model(t) },
		Data:  data,
		Facts: measure.Facts{
			TestRows: len(s.scores), Width: 1, Classes: m.Classes(), ClassNames: m.ClassNames(),
			OutputKind: string(s.kind), Rule: spec.Rule.Kind, Positive: spec.Rule.Positive, Outcomes: spec.Rule.Outcomes,
		},
	}
}

// measured runs a probe over all rows in one shard and joins.
func measured(t *testing.T, p measure.Probe, target measuretest.Target) *result.Result {
	t.Helper()
	r, err := run(t, p, target)
	if err != nil {
		t.Fatal(err)
	}
	return joined(t, p, &measure.Joint{Rows: r.Rows, Facts: target.Facts, Seed: measure.Seed{7}})
}

func run(t *testing.T, p measure.Probe, target measuretest.Target) (*result.Result, error) {
	t.Helper()
	return p.Run(context.Background(), &measure.Case{Model: target.Model(), Data: target.Data, Recorded: target.Recorded, Index: target.Data.Index, Seed: measure.Seed{7}})
}

func joined(t *testing.T, p measure.Probe, j *measure.Joint) *result.Result {
	t.Helper()
	res, err := p.Join(j)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := json.Marshal(res); err != nil {
		t.Errorf("the result is no JSON: %v", err)
	}
	return res
}

func check(t *testing.T, res *result.Result, name string, want bool) {
	t.Helper()
	i := slices.IndexFunc(res.Validity, func(v result.Validity) bool { return v.Check == name })
	if i < 0 {
		t.Errorf("there is no check %q", name)
	} else if got := res.Validity[i]; got.OK != want {
		t.Errorf("check %q = %v (%s), want %v", name, got.OK, got.Note, want)
	}
}

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s = %.12g, want %.12g", what, got, want)
	}
}

// root is the folder of the module.
func root(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the package")
		}
		dir = filepath.Dir(dir)
	}
}
