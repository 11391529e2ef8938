package tabular_test

import (
	"compress/gzip"
	"context"
	"encoding/csv"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/dataset"
	"github.com/assize/assize/internal/domain"
	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/measure/measuretest"
	"github.com/assize/assize/internal/model"
	"github.com/assize/assize/internal/onnx/ort/orttest"
	"github.com/assize/assize/internal/probes/tabular"
	"github.com/assize/assize/internal/tree"
	"github.com/assize/assize/internal/tree/cheapest"
	"github.com/assize/assize/internal/tree/exact"
)

// shared is a file of the shared tabular data; the test is skipped where it is absent.
func shared(t testing.TB, name string) string {
	t.Helper()
	path := filepath.Join("..", "..", "..", "..", "shared", "data", "tabular", name)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("the shared data is absent: %v", err)
	}
	return path
}

func csvRows(t testing.TB, name string) [][]string {
	t.Helper()
	f, err := os.Open(shared(t, name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	if filepath.Ext(name) == ".gz" {
		z, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		r = csv.NewReader(z)
	}
	all, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return all[1:]
}

// germanDomain writes german_constraints.json in the domain's own terms.
func germanDomain(t testing.TB) *model.Domain {
	t.Helper()
	var rules struct {
		Columns   []string   `json:"columns"`
		Immutable []string   `json:"immutable"`
		OneHot    [][]string `json:"one_hot"`
	}
	b, err := os.ReadFile(shared(t, "german_constraints.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &rules); err != nil {
		t.Fatal(err)
	}
	ranges := map[string][2]float64{
		"Age": {19, 75}, "LoanDuration": {4, 72}, "LoanAmount": {250, 18424}, "LoanRateAsPercentOfIncome": {1, 4},
		"YearsAtCurrentHome": {1, 4}, "NumberOfOtherLoansAtBank": {1, 4}, "NumberOfLiableIndividuals": {1, 2},
	}
	d := &model.Domain{Confirmed: true, Relations: []string{
		"abs(x.LoanDuration - orig.LoanDuration) <= 0.15 * orig.LoanDuration",
		"abs(x.LoanAmount - orig.LoanAmount) <= 0.1 * orig.LoanAmount",
		"abs(x.LoanRateAsPercentOfIncome - orig.LoanRateAsPercentOfIncome) <= 1",
		"x.OwnsHouse + x.RentsHouse <= 1",
	}}
	for _, c := range rules.Columns {
		f := domain.Feature{Name: c, Type: domain.Binary, Max: 1, Mutable: domain.Yes}
		if r, ok := ranges[c]; ok {
			f.Type, f.Min, f.Max = domain.Integer, r[0], r[1]
		}
		if slices.Contains(rules.Immutable, c) {
			f.Mutable = domain.No
		}
		if slices.Contains(rules.OneHot[0], c) {
			f.Group = "purpose"
		}
		d.Features = append(d.Features, f)
	}
	return d
}

// boosted answers as XGBoost does, from the ensemble, with the probability of the second class.
type boosted struct{ p *tree.Program }

func (b boosted) Run(ctx context.Context, x []float32, n int, out []float32) error {
	wide, p := make([]float64, len(x)), make([]float64, n)
	for i, v := range x {
		wide[i] = float64(v)
	}
	b.p.Predict(wide, p)
	for i, v := range p {
		out[i] = float32(v)
	}
	return ctx.Err()
}

// german is one of the two credit models with the 150 recorded test rows; column is that of its answers.
func german(t testing.TB, file string) (target measuretest.Target, of cheapest.Model, answers [][]string) {
	t.Helper()
	dom := germanDomain(t)
	built, err := dom.Build()
	if err != nil {
		t.Fatal(err)
	}
	answers = csvRows(t, "german_evasion_answers.csv")
	all := csvRows(t, "german_X.csv.gz")
	data := &dataset.Table{Width: len(dom.Features)}
	for i, a := range answers {
		for _, v := range all[int(number(t, a[0]))] {
			data.X = append(data.X, float32(number(t, v)))
		}
		data.Index = append(data.Index, i)
	}
	path := shared(t, file)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	spec := &model.Spec{
		Path: path, Output: model.Output{Kind: model.PositiveProbability, Classes: []string{"refused", "accepted"}}, Domain: dom,
		Rule: model.Rule{Kind: model.Argmax, Positive: 1, Outcomes: []string{"refused", "accepted"}, Favourable: []string{"accepted"}},
	}
	open := func() (*model.Model, error) { return nil, nil }
	if filepath.Ext(file) == ".onnx" {
		orttest.Load(t)
		if of.Linear, err = tree.ReadLinear(b, tree.DefaultLimits()); err != nil {
			t.Fatal(err)
		}
		open = func() (*model.Model, error) { m, _, err := model.Open(t.Context(), spec); return m, err }
	} else {
		if of.Trees, err = tree.Read(b, tree.DefaultLimits()); err != nil {
			t.Fatal(err)
		}
		open = func() (*model.Model, error) {
			return model.New(boosted{of.Trees.Compile()}, spec, len(dom.Features), 1)
		}
	}
	return measuretest.Target{
		Model: func() *model.Model {
			m, err := open()
			if err != nil {
				t.Fatal(err)
			}
			return m
		},
		Domain: built, Data: data,
		Files: []measure.File{{Artefact: artefact.Artefact{Name: "model", Kind: artefact.Model}, OpenPath: path}},
		Facts: measure.Facts{TestRows: data.Len(), Width: data.Width, Classes: 2, Rule: model.Argmax, Favourable: []string{"accepted"}},
	}, of, answers
}

// Exactly the applicants flip whom trying every combination found, none by a
// change that cannot be, and the largest margins are the recorded ones.
func TestGermanCredit(t *testing.T) {
	for _, tt := range []struct {
		file                   string
		margin, refused, flips int
		tolerance              float64
	}{
		{"german_lr.onnx", 2, 25, 17, 1e-4},
		{"german_xgb.json", 5, 25, 21, 1e-5},
	} {
		t.Run(tt.file, func(t *testing.T) {
			target, of, answers := german(t, tt.file)
			got := whole(t, tabular.Probes()[0], target, nil)
			rows := got.Rows
			for i, a := range answers {
				now, best, want := number(t, a[tt.margin]), number(t, a[tt.margin+1]), number(t, a[tt.margin+2])
				if attackable := rows.Column("attackable")[i]; attackable != 0 != (now < 0) {
					t.Errorf("row %s: attackable %v at a margin of %v", a[0], attackable, now)
				}
				if flips := rows.Column("flips")[i]; flips != want {
					t.Errorf("row %s: flips %v, want %v", a[0], flips, want)
				}
				if rows.Column("attackable")[i] == 1 && rows.Column("exact")[i] != 1 {
					t.Errorf("row %s: not answered exactly", a[0])
				}
				price := make([]float64, target.Data.Width)
				g, err := cheapest.New(of, target.Domain, price)
				if err != nil {
					t.Fatal(err)
				}
				top, err := g.Search(t.Context(), target.Data.Row(i), exact.Over(0, true), cheapest.Options{Work: 1 << 24, Margin: true})
				if err != nil {
					t.Fatal(err)
				}
				if math.Abs(top.Lower-best) > tt.tolerance || !top.Exact {
					t.Errorf("row %s: largest margin %v (exact %v), want %v", a[0], top.Lower, top.Exact, best)
				}
			}
			flip := got.Metrics["feasible_flip"]
			if *flip.K != tt.flips || flip.N != tt.refused || got.Metrics["infeasible"].Value != 0 || got.Metrics["unproven_share"].Value != 0 {
				t.Errorf("%d of %d flip, %v infeasible, %v unproven; want %d of %d, 0, 0", *flip.K, flip.N, got.Metrics["infeasible"].Value, got.Metrics["unproven_share"].Value, tt.flips, tt.refused)
			}
		})
	}
}
