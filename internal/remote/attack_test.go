package remote_test

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assize/assize/internal/dataset"
	"github.com/assize/assize/internal/manifest"
	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/model"
	"github.com/assize/assize/internal/onnx/ort/orttest"
	"github.com/assize/assize/internal/probes/evasion"
	"github.com/assize/assize/internal/probes/suite"
	"github.com/assize/assize/internal/remote"
	"github.com/assize/assize/internal/remote/remotetest"
)

// TestAttacksMeetTheSameModel attacks the credit example's model as a file and
// behind every protocol: each row fares alike, to the last bit.
func TestAttacksMeetTheSameModel(t *testing.T) {
	orttest.Load(t)
	folder := "../../examples/credit"
	m, err := manifest.Load(t.Context(), folder)
	if err != nil {
		t.Fatal(err)
	}
	dom, err := m.BuildDomain()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, "model.onnx")
	spec := model.Spec{
		Path: path, Input: model.Input{Layout: "columns"},
		Output: model.Output{Tensor: "probabilities", Kind: model.Probabilities, Classes: []string{"paid", "default"}},
		Rule: model.Rule{Kind: model.Cutoff, Positive: 1, Cutoff: 0.25, Band: &[2]float64{0.15, 0.25},
			Outcomes: []string{"accept", "refer", "refuse"}, Favourable: []string{"accept"}},
		Domain: &model.Domain{Features: dom.Features(), Relations: dom.Relations(), Confirmed: true},
	}
	index := []int{0, 3, 4, 9, 11, 18, 29, 63}
	data, err := dataset.Select(t.Context(), dataset.Spec{Path: filepath.Join(folder, "test.csv"), Label: "default", Features: dom.Features(), Classes: spec.Output.Classes}, index)
	if err != nil {
		t.Fatal(err)
	}
	probe, ok := suite.Find(evasion.Probes(), "evasion/hopskipjump")
	if !ok {
		t.Fatal("there is no such probe")
	}
	params := measure.Params{}
	for _, p := range probe.Params {
		params[p.Name] = p.Quick
	}
	params["queries"], params["epsilon"] = 150.0, 1.0
	attack := func(m *model.Model) *measure.Result {
		t.Helper()
		r, err := probe.Run(t.Context(), &measure.Case{Params: params, Model: m, Domain: dom, Data: data, Index: index, Logf: t.Logf})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	file := spec
	opened, _, err := model.Open(t.Context(), &file)
	if err != nil {
		t.Fatal(err)
	}
	want := attack(opened)
	broken := 0.0
	for _, v := range want.Rows.Column("broken") {
		broken += v
	}
	if broken == 0 {
		t.Fatal("nothing was broken, so nothing can be compared")
	}
	s := remotetest.FromFile(t, "m", path, "input", "probabilities", 20)
	url := remotetest.Start(t, s)
	for _, protocol := range protocols() {
		c := config(url, protocol)
		c.Row, c.Batch = []int{20}, 64
		client := open(t, c)
		served := spec
		served.Path, served.Served = "", &model.Served{Width: 20}
		behind, err := model.OpenServed(t.Context(), &served, client)
		if err != nil {
			t.Fatal(protocol, err)
		}
		if err := behind.CheckKind(t.Context()); err != nil {
			t.Fatal(protocol, err)
		}
		s.Rows.Store(0)
		got := attack(behind)
		if d := cmp.Diff(want.Rows, got.Rows); d != "" {
			t.Errorf("%s (-file +served):\n%s", protocol, d)
		}
		if asked := s.Rows.Load(); asked != behind.Queries() {
			t.Errorf("%s: the server answered %d rows, %d were counted", protocol, asked, behind.Queries())
		}
	}
}

// TestServiceThatChecksItsInput attacks rows that the service itself turns away: refused, not unusable.
func TestServiceThatChecksItsInput(t *testing.T) {
	s := sums()
	s.Columns = 1
	s.Predict = func(x []float32, n int) ([]float32, error) { return x[:n], nil }
	s.Check = func(row []float32) error {
		if row[0] > 0.5 {
			return errors.New("more than a half")
		}
		return nil
	}
	url := remotetest.Start(t, s)
	for _, protocol := range protocols() {
		spec := &model.Spec{
			Served: &model.Served{Width: 3, Columns: 1}, Output: model.Output{Kind: model.PositiveProbability},
			Rule: model.Rule{Kind: model.Cutoff, Positive: 1, Cutoff: 0.3, Outcomes: []string{"accept", "refer", "refuse"}},
		}
		m, err := model.OpenServed(t.Context(), spec, open(t, config(url, protocol)))
		if err != nil {
			t.Fatal(err)
		}
		got := make([]model.Decision, 3)
		if err := m.Decide(t.Context(), []float32{0.1, 0, 0, 0.9, 0, 0, 0.2, 0, 0}, 3, got); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff([]model.Decision{model.Below, model.Refused, model.Below}, got); d != "" {
			t.Errorf("%s: decisions (-want +got):\n%s", protocol, d)
		}
	}
}

var _ model.Asker = (*remote.Client)(nil)
