package tabular_test

import (
	"context"
	"encoding/csv"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/dataset"
	"github.com/assize/assize/internal/domain"
	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/measure/measuretest"
	"github.com/assize/assize/internal/model"
	"github.com/assize/assize/internal/probes/tabular"
	"github.com/assize/assize/internal/result"
	"github.com/assize/assize/internal/tree"
)

const credit = "../../../examples/credit"

func number(t testing.TB, s string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// whole runs a probe over all rows of a target at depth standard.
func whole(t testing.TB, p measure.Probe, target measuretest.Target, over measure.Params, on ...string) *result.Result {
	t.Helper()
	params := measure.Params{}
	for _, d := range p.Params {
		params[d.Name] = d.Default("standard")
	}
	for k, v := range over {
		params[k] = v
	}
	m, err := target.Model().With(on)
	if err != nil {
		t.Fatal(err)
	}
	c := &measure.Case{Params: params, Model: m, Domain: target.Domain, Data: target.Data, Index: target.Data.Index, Files: target.Files, Logf: t.Logf}
	r, err := p.Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	joined, err := p.Join(&measure.Joint{Params: params, Rows: r.Rows, Facts: target.Facts})
	if err != nil {
		t.Fatal(err)
	}
	joined.Rows = r.Rows
	return joined
}

// both answers with the probabilities of both classes.
type both struct{ p *tree.Program }

func (b both) Run(ctx context.Context, x []float32, n int, out []float32) error {
	p := make([]float32, n)
	if err := (boosted{b.p}).Run(ctx, x, n, p); err != nil {
		return err
	}
	for i, v := range p {
		out[2*i], out[2*i+1] = 1-v, v
	}
	return nil
}

func records(t testing.TB, name string) [][]string {
	t.Helper()
	f, err := os.Open(filepath.Join(credit, name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return r[1:]
}

// creditTarget is examples/credit.
func creditTarget(t testing.TB) measuretest.Target {
	t.Helper()
	path := filepath.Join(credit, "model.onnx")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	e, err := tree.Read(b, tree.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	dom := &model.Domain{Confirmed: true, Relations: []string{
		"x.amount >= 20 * x.duration_months", "x.amount <= 2500 * x.duration_months", "x.duration_months > 48 implies x.amount >= 2500",
		"abs(x.amount - orig.amount) <= 0.25 * orig.amount", "abs(x.duration_months - orig.duration_months) <= 12",
		"x.checking <= orig.checking + 1 and x.savings <= orig.savings + 1", "x.plans_bank <= orig.plans_bank and x.plans_stores <= orig.plans_stores",
		"x.amount * orig.duration_months <= orig.amount * x.duration_months implies x.instalment_rate >= orig.instalment_rate",
		"x.amount * orig.duration_months >= orig.amount * x.duration_months implies x.instalment_rate <= orig.instalment_rate",
	}}
	for _, r := range records(t, "features.csv") {
		f := domain.Feature{Name: r[0], Type: domain.Type(r[1]), Min: number(t, r[2]), Max: number(t, r[3]), Unit: r[4], Mutable: domain.Mutability(r[5]), Group: r[6]}
		if r[7] != "" {
			f.Cost = number(t, r[7])
		}
		dom.Features = append(dom.Features, f)
	}
	built, err := dom.Build()
	if err != nil {
		t.Fatal(err)
	}
	data := &dataset.Table{Width: built.Len()}
	for i, r := range records(t, "test.csv") {
		for _, v := range r[:data.Width] {
			data.X = append(data.X, float32(number(t, v)))
		}
		data.Index = append(data.Index, i)
	}
	band := [2]float64{0.15, 0.25}
	spec := &model.Spec{
		Output: model.Output{Kind: model.Probabilities, Classes: []string{"paid", "default"}}, Domain: dom,
		Rule:      model.Rule{Kind: model.Cutoff, Positive: 1, Cutoff: 0.25, Band: &band, Outcomes: []string{"accept", "refer", "refuse"}, Favourable: []string{"accept"}},
		Solutions: []model.Solution{{Name: "two-digits", Type: model.OutputRounding, Digits: 2, Switchable: true}, {Name: "range-check", Type: model.InputValidation, Switchable: true}},
	}
	return measuretest.Target{
		Model: func() *model.Model {
			m, err := model.New(both{e.Compile()}, spec, data.Width, 2)
			if err != nil {
				t.Fatal(err)
			}
			return m
		},
		Domain: built, Data: data,
		Files:  []measure.File{{Artefact: artefact.Artefact{Name: "model", Kind: artefact.Model}, OpenPath: path}},
		Facts:  measure.Facts{TestRows: data.Len(), Width: data.Width, Classes: 2, Rule: model.Cutoff, Favourable: []string{"accept"}},
		Params: measure.Params{"rows": 24.0, "work": 100000.0},
	}
}

func TestAccept(t *testing.T) { measuretest.Accept(t, tabular.Probes()[0], creditTarget(t)) }

// On the whole example, with ten relations, every row is answered exactly, with and without rounding.
func TestCredit(t *testing.T) {
	for _, on := range [][]string{nil, {"two-digits"}, {"two-digits", "range-check"}} {
		r := whole(t, tabular.Probes()[0], creditTarget(t), nil, on...)
		if !r.Valid() {
			t.Errorf("%q: %+v", on, r.Validity)
		}
		if v := r.Metrics["unproven_share"]; v.Value != 0 {
			t.Errorf("%q: %v of the rows are unproven", on, v.Value)
		}
		for i, found := range r.Rows.Column("found") {
			if found == 1 && (r.Rows.Column("flips")[i] != 1 || r.Rows.Column("exact")[i] != 1) {
				t.Errorf("%q: row %d: a change was found that does not gain, or not the cheapest", on, i)
			}
		}
	}
}
