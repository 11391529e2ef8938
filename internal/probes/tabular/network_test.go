package tabular_test

import (
	"fmt"
	"math"
	"path/filepath"
	"testing"

	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/dataset"
	"github.com/assize/assize/internal/domain"
	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/measure/measuretest"
	"github.com/assize/assize/internal/model"
	"github.com/assize/assize/internal/onnx/ort/orttest"
	"github.com/assize/assize/internal/probes/tabular"
)

// networkTarget is examples/credit decided by a dense network.
func networkTarget(t testing.TB) measuretest.Target {
	t.Helper()
	orttest.Load(t)
	target := creditTarget(t)
	path := filepath.Join("testdata", "network.onnx")
	spec := creditSpec(t)
	spec.Path, spec.Output.Tensor = path, "probabilities"
	target.Files[0].OpenPath = path
	target.Model = func() *model.Model {
		m, _, err := model.Open(t.Context(), spec)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	return target
}

// diagnosisTarget is examples/diagnosis, where somebody would gain from no biopsy.
func diagnosisTarget(t testing.TB) measuretest.Target {
	t.Helper()
	orttest.Load(t)
	dom := &model.Domain{Confirmed: true, Relations: []string{
		"x.radius_worst >= x.radius_mean", "x.texture_worst >= x.texture_mean", "x.perimeter_worst >= x.perimeter_mean", "x.area_worst >= x.area_mean",
	}}
	for _, r := range records(t, "../diagnosis/features.csv") {
		dom.Features = append(dom.Features, domain.Feature{Name: r[0], Type: domain.Type(r[1]), Min: number(t, r[2]), Max: number(t, r[3]), Unit: r[4], Mutable: domain.Mutability(r[5])})
	}
	built, err := dom.Build()
	if err != nil {
		t.Fatal(err)
	}
	data := &dataset.Table{Width: built.Len()}
	for i, r := range records(t, "../diagnosis/test.csv") {
		for _, v := range r[:data.Width] {
			data.X = append(data.X, float32(number(t, v)))
		}
		data.Index = append(data.Index, i)
	}
	spec := &model.Spec{
		Path: filepath.Join(credit, "../diagnosis/model.onnx"), Domain: dom, Output: model.Output{Tensor: "probabilities", Kind: model.Probabilities, Classes: []string{"benign", "malignant"}},
		Rule: model.Rule{Kind: model.Cutoff, Positive: 1, Cutoff: 0.5, Band: &[2]float64{0.2, 0.5}, Outcomes: []string{"no biopsy", "second reader", "biopsy"}, Favourable: []string{"no biopsy"}},
	}
	return measuretest.Target{
		Model: func() *model.Model {
			m, _, err := model.Open(t.Context(), spec)
			if err != nil {
				t.Fatal(err)
			}
			return m
		},
		Domain: built, Data: data,
		Files: []measure.File{{Artefact: artefact.Artefact{Name: "model", Kind: artefact.Model}, OpenPath: spec.Path}},
		Facts: measure.Facts{TestRows: data.Len(), Width: data.Width, Classes: 2, Rule: model.Cutoff, Favourable: []string{"no biopsy"}},
	}
}

// On a dense network gradients find nearly all that evolution alone finds, and the two together no row less or dearer.
func TestNetwork(t *testing.T) {
	probe := tabular.Probes()[0]
	for name, target := range map[string]measuretest.Target{"credit": networkTarget(t), "diagnosis": diagnosisTarget(t)} {
		t.Run(name, func(t *testing.T) {
			target.Data.Index = target.Data.Index[:16]
			target.Data.X = target.Data.X[:16*target.Data.Width]
			target.Params = measure.Params{"steps": 4.0, "queries": 100.0}
			measuretest.Accept(t, probe, target)
			alone := whole(t, probe, target, measure.Params{"steps": 0.0, "queries": 400.0})
			got := whole(t, probe, target, measure.Params{"steps": 30.0, "queries": 400.0})
			climbed, cheaper := 0, 0
			for i := range target.Data.Index {
				if got.Rows.Column("flips")[i] < alone.Rows.Column("flips")[i] {
					t.Errorf("row %d: found by evolution alone, and not beside gradients", i)
				}
				if a, b := got.Rows.Column("cost")[i], alone.Rows.Column("cost")[i]; alone.Rows.Column("flips")[i] == 1 && a > b {
					t.Errorf("row %d: a price of %v, by evolution alone %v", i, a, b)
				} else if a < b {
					cheaper++
				}
				climbed += int(got.Rows.Column("climbed")[i])
			}
			flips := *got.Metrics["feasible_flip"].K
			if 10*climbed < 9*flips || flips == 0 {
				t.Errorf("gradients find %d of %d gains", climbed, flips)
			}
			if a, b := got.Metrics["infeasible"].Value, alone.Metrics["infeasible"].Value; a != 0 || b != 0 {
				t.Errorf("%v and %v infeasible", a, b)
			}
			if cheaper == 0 {
				t.Errorf("no row is cheaper than by evolution alone")
			}
			if got, want := got.Notes[len(got.Notes)-1], fmt.Sprintf("The search along the model's gradients found %d of the %d gains; ", climbed, flips); len(got) < len(want) || got[:len(want)] != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

// With exact search switched off gradients alone find every applicant who can
// flip in the logistic regression whose combinations were all tried, each at the least price.
func TestGradientsGermanCredit(t *testing.T) {
	probe := tabular.Probes()[0]
	target, _, answers := german(t, "german_lr.onnx")
	exact := whole(t, probe, target, nil)
	target.Files = nil
	got := whole(t, probe, target, measure.Params{"steps": 20.0, "queries": 0.0})
	for i, a := range answers {
		flips, cost, least := got.Rows.Column("flips")[i], got.Rows.Column("cost")[i], exact.Rows.Column("cost")[i]
		if want := number(t, a[4]); flips != want || got.Rows.Column("climbed")[i] != want {
			t.Errorf("row %s: flips %v, want %v", a[0], flips, want)
		}
		if math.Abs(cost-least) > 1e-6 {
			t.Errorf("row %s: a price of %v, the least is %v", a[0], cost, least)
		}
	}
	if k, n := *got.Metrics["feasible_flip"].K, got.Metrics["feasible_flip"].N; k != 17 || n != 25 || got.Metrics["infeasible"].Value != 0 {
		t.Errorf("%d of %d flip, %v infeasible", k, n, got.Metrics["infeasible"].Value)
	}
}
