package tabular_test

import (
	"context"
	"encoding/csv"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
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
	"github.com/assize/assize/internal/tree/cheapest"
	"github.com/assize/assize/internal/tree/exact"
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

// creditSpec is the system of examples/credit.
func creditSpec(t testing.TB) *model.Spec {
	t.Helper()
	dom := &model.Domain{Confirmed: true, Relations: []string{
		"x.amount >= 20 * x.duration_months", "x.amount <= 2500 * x.duration_months", "x.duration_months > 48 implies x.amount >= 2500", "x.purpose_car_new == 1 implies x.amount >= 1000",
		"abs(x.amount - orig.amount) <= 0.25 * orig.amount", "abs(x.duration_months - orig.duration_months) <= 12",
		"x.checking <= orig.checking + 1 and x.savings <= orig.savings + 1", "x.plans_bank <= orig.plans_bank and x.plans_stores <= orig.plans_stores",
		"x.amount * orig.duration_months <= orig.amount * x.duration_months implies x.instalment_rate >= orig.instalment_rate",
		"x.amount * orig.duration_months >= orig.amount * x.duration_months implies x.instalment_rate <= orig.instalment_rate",
		"x.instalment_rate <= orig.instalment_rate - 2 implies x.amount * orig.duration_months >= 1.25 * orig.amount * x.duration_months",
		"x.instalment_rate >= orig.instalment_rate + 2 implies x.amount * orig.duration_months <= 0.8 * orig.amount * x.duration_months",
		"x.instalment_rate <= orig.instalment_rate - 3 implies 20 * x.amount * orig.duration_months >= 35 * orig.amount * x.duration_months",
		"x.instalment_rate >= orig.instalment_rate + 3 implies 35 * x.amount * orig.duration_months <= 20 * orig.amount * x.duration_months",
	}}
	for _, r := range records(t, "features.csv") {
		f := domain.Feature{Name: r[0], Type: domain.Type(r[1]), Min: number(t, r[2]), Max: number(t, r[3]), Unit: r[4], Mutable: domain.Mutability(r[5]), Group: r[6]}
		if r[7] != "" {
			f.Cost = number(t, r[7])
		}
		dom.Features = append(dom.Features, f)
	}
	band := [2]float64{0.15, 0.25}
	return &model.Spec{
		Output: model.Output{Kind: model.Probabilities, Classes: []string{"paid", "default"}}, Domain: dom,
		Rule:      model.Rule{Kind: model.Cutoff, Positive: 1, Cutoff: 0.25, Band: &band, Outcomes: []string{"accept", "refer", "refuse"}, Favourable: []string{"accept"}},
		Solutions: []model.Solution{{Name: "two-digits", Type: model.OutputRounding, Digits: 2, Switchable: true}, {Name: "range-check", Type: model.InputValidation, Switchable: true}, {Name: "band", Type: model.ReferBand, Switchable: true}, {Name: "memory", Type: model.Hysteresis, Margin: 0.1, Switchable: true}, {Name: "blur", Type: model.InputNoise, Sigma: 0.02, Draws: 3, Switchable: true}},
	}
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
	spec := creditSpec(t)
	built, err := spec.Domain.Build()
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
	for _, on := range [][]string{{"band"}, {"two-digits", "band"}, {"two-digits", "range-check", "band"}} {
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

// A decision that stands until a margin is passed lets fewer applicants gain, and each
// of them by a score that passes it; without its refer band the system takes more of them.
func TestSolutionsOnTheDecision(t *testing.T) {
	target := creditTarget(t)
	plain := whole(t, tabular.Probes()[0], target, nil, "band")
	held := whole(t, tabular.Probes()[0], target, nil, "band", "memory")
	open := whole(t, tabular.Probes()[0], target, nil)
	for name, r := range map[string]*result.Result{"held": held, "open": open} {
		if !r.Valid() || r.Metrics["unproven_share"].Value != 0 {
			t.Errorf("%s: %+v, unproven %v", name, r.Validity, r.Metrics["unproven_share"].Value)
		}
	}
	m := target.Model()
	fewer := 0
	for i := range target.Data.Len() {
		p, h := plain.Rows.Column("flips")[i], held.Rows.Column("flips")[i]
		if h > p {
			t.Errorf("row %d: only with the margin it flips", i)
		}
		if fewer += int(p - h); h == 0 {
			continue
		}
		x := make([]float32, target.Data.Width)
		for j, f := range target.Domain.Features() {
			x[j] = float32(held.Rows.Column("x." + f.Name)[i])
		}
		var a model.Answers
		if err := m.Predict(t.Context(), append(target.Data.Row(i), x...), 2, &a); err != nil {
			t.Fatal(err)
		}
		before, after := a.Row(0)[1], a.Row(1)[1]
		if limit := float32(0.15); after >= limit || before < 0.25 && after+0.1 >= limit {
			t.Errorf("row %d: from %v to %v is no gain past the margin", i, before, after)
		}
	}
	if fewer == 0 || held.Metrics["median_cost"].Value <= plain.Metrics["median_cost"].Value {
		t.Errorf("the margin holds %d back, and the median price goes from %v to %v", fewer, plain.Metrics["median_cost"].Value, held.Metrics["median_cost"].Value)
	}
	if a, b := plain.Metrics["rows_attackable"].Value, open.Metrics["rows_attackable"].Value; a <= b {
		t.Errorf("%v rows have something to gain with the band, %v without", a, b)
	}
}

// Targets on which something is wrong say so, and measure what they can.
func TestBadInput(t *testing.T) {
	probe := tabular.Probes()[0]
	rule := func(change func(*model.Rule)) measuretest.Target {
		target := creditTarget(t)
		open := target.Model
		target.Model = func() *model.Model { m := open(); change(m.Rule()); return m }
		return target
	}
	t.Run("cut-off above every score", func(t *testing.T) {
		r := whole(t, probe, rule(func(r *model.Rule) { r.Cutoff, r.Band = 1.5, nil }), nil)
		if r.State != result.NotApplicable || !strings.HasPrefix(r.Reason, "nobody can ever be decided unfavourably") {
			t.Errorf("%s: %q", r.State, r.Reason)
		}
	})
	t.Run("cut-off below every score", func(t *testing.T) {
		r := whole(t, probe, rule(func(r *model.Rule) { r.Cutoff, r.Band = 1e-9, nil }), nil)
		if r.Valid() || !strings.HasPrefix(r.Notes[len(r.Notes)-1], "Nobody can ever be decided favourably") || r.Metrics["feasible_flip"].Value != 0 || r.Metrics["unproven_share"].Value != 0 {
			t.Errorf("%q, %+v, %+v", r.Notes, r.Validity, r.Metrics)
		}
	})
	t.Run("missing and infinite values, and a row outside the domain", func(t *testing.T) {
		target := creditTarget(t)
		target.Data.X = slices.Clone(target.Data.X)
		before := whole(t, probe, target, nil)
		touched := 0
		for i := range target.Data.Len() {
			if before.Rows.Column("attackable")[i] == 1 && touched < 3 {
				// The last has a history that nobody has, and that cannot change.
				target.Data.Row(i)[map[int]int{0: 1, 1: 1, 2: 4}[touched]] = []float32{float32(math.NaN()), float32(math.Inf(1)), 9}[touched]
				touched++
			}
		}
		r := whole(t, probe, target, nil)
		if got := r.Metrics["feasible_flip"].N; got < before.Metrics["feasible_flip"].N-3 || got > before.Metrics["feasible_flip"].N-1 {
			t.Errorf("%d rows are searched of %d", got, before.Metrics["feasible_flip"].N)
		}
		empty := 0
		for _, v := range r.Rows.Column("empty") {
			empty += int(v)
		}
		if empty > 1 || r.Rows.Validate() != nil {
			t.Errorf("%d rows have no feasible change, %v", empty, r.Rows.Validate())
		}
	})
	t.Run("contradictory relations", func(t *testing.T) {
		d, err := domain.New([]domain.Feature{{Name: "a", Type: domain.Real, Max: 9, Mutable: domain.Yes}}, []string{"x.a > 5", "x.a < 4"})
		if err != nil {
			t.Fatal(err)
		}
		if why, empty := d.Empty(); !empty || !strings.Contains(why, "x.a < 4") {
			t.Errorf("%q, %v", why, empty)
		}
	})
	t.Run("a feature that the domain lacks", func(t *testing.T) {
		d, err := domain.New([]domain.Feature{{Name: "a", Type: domain.Real, Max: 9, Mutable: domain.Yes}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		_, err = cheapest.New(cheapest.Model{Linear: &tree.Linear{Features: 2, Outputs: 1, Weights: [][]float64{{1, 2}}, Bias: []float64{0}}}, d, []float64{1})
		if err == nil || !strings.Contains(err.Error(), "hint: list every input of the model") {
			t.Errorf("%v", err)
		}
	})
}

// An ensemble of 10,000 trees is answered within the budget of work, or counted as unproven.
func TestTenThousandTrees(t *testing.T) {
	target := creditTarget(t)
	b, err := os.ReadFile(target.Files[0].OpenPath)
	if err != nil {
		t.Fatal(err)
	}
	e, err := tree.Read(b, tree.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	for len(e.Trees) < 10000 {
		e.Trees = append(e.Trees, e.Trees[:min(len(e.Trees), 10000-len(e.Trees))]...)
	}
	price := make([]float64, e.Features)
	g, err := cheapest.New(cheapest.Model{Trees: e}, target.Domain, price)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		const work = 1 << 22
		got, err := g.Search(t.Context(), target.Data.Row(i), exact.Under(-20, false), cheapest.Options{Work: work})
		if err != nil {
			t.Fatal(err)
		}
		if got.Work > work+10000*64 || got.X == nil && !math.IsInf(got.Upper, 1) {
			t.Errorf("row %d: work %d of %d, %+v", i, got.Work, work, got)
		}
	}
}

// Where the file cannot be read, evolution finds most of what exact search does,
// and never what exact search proves away or undercuts.
func TestEvolution(t *testing.T) {
	probe, target := tabular.Probes()[0], creditTarget(t)
	target.Data.Index = target.Data.Index[:100]
	target.Data.X = target.Data.X[:100*target.Data.Width]
	best := whole(t, probe, target, nil, "band")
	target.Files[0].OpenPath = filepath.Join(credit, "features.csv")
	target.Params["queries"] = 400.0
	measuretest.Accept(t, probe, target)
	blind := whole(t, probe, target, nil, "band")
	for i := range target.Data.Index {
		if blind.Rows.Column("flips")[i] == 1 && (best.Rows.Column("never")[i] == 1 || blind.Rows.Column("cost")[i] < best.Rows.Column("lower")[i]*(1-1e-6)) {
			t.Errorf("row %d: a change of price %v, and exact search proves %v", i, blind.Rows.Column("cost")[i], best.Rows.Column("lower")[i])
		}
	}
	if got, want := *blind.Metrics["feasible_flip"].K, *best.Metrics["feasible_flip"].K; 10*got < 9*want {
		t.Errorf("evolution finds %d gains of %d", got, want)
	}
}
