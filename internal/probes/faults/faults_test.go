package faults_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assize/assize/internal/dataset"
	"github.com/assize/assize/internal/domain"
	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/measure/measuretest"
	"github.com/assize/assize/internal/model"
	"github.com/assize/assize/internal/probes/faults"
	"github.com/assize/assize/internal/result"
)

// system answers each row with one number and keeps what it was asked.
type system struct {
	of    func(x []float32) float32
	asked [][]float32
}

func (s *system) Run(ctx context.Context, x []float32, n int, out []float32) error {
	w := len(x) / max(1, n)
	for i := range n {
		row := x[i*w : (i+1)*w]
		s.asked = append(s.asked, slices.Clone(row))
		out[i] = s.of(row)
	}
	return ctx.Err()
}

// loans is a table with a quantity in two units, a whole number, a code, and a group of three.
func loans() []domain.Feature {
	return []domain.Feature{
		{Name: "income", Type: domain.Real, Min: 0, Max: 10000, Mutable: domain.Yes},
		{Name: "months", Type: domain.Integer, Min: 1, Max: 84, Mutable: domain.Yes},
		{Name: "class", Type: domain.Ordinal, Min: 1, Max: 4, Mutable: domain.Yes},
		{Name: "car", Type: domain.Binary, Min: 0, Max: 1, Mutable: domain.Yes, Group: "purpose"},
		{Name: "home", Type: domain.Binary, Min: 0, Max: 1, Mutable: domain.Yes, Group: "purpose"},
		{Name: "debt", Type: domain.Real, Min: -8000, Max: 8000, Mutable: domain.Yes},
	}
}

// target decides by of: 0.5 and more is above.
func target(t testing.TB, of func(x []float32) float32, on []string, n int) (measuretest.Target, *system) {
	t.Helper()
	fs := loans()
	dom, err := domain.New(fs, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := &system{of: of}
	data := &dataset.Table{Width: len(fs)}
	for i := range n {
		data.X = append(data.X, float32(1234+20*i), float32(12+i%60), float32(1+i%4), float32(i%2), float32(1-i%2), float32(-150-10*i))
		data.Index = append(data.Index, i)
	}
	return measuretest.Target{
		Model: func() *model.Model {
			m, err := model.New(s, &model.Spec{
				Output: model.Output{Kind: model.PositiveProbability}, Domain: &model.Domain{Features: fs},
				Rule:      model.Rule{Kind: model.Cutoff, Positive: 1, Cutoff: 0.5, Outcomes: []string{"accept", "refer", "refuse"}},
				Solutions: []model.Solution{{Name: "range-check", Type: model.InputValidation, Switchable: true}},
			}, len(fs), 1)
			if err == nil {
				m, err = m.With(on)
			}
			if err != nil {
				t.Fatal(err)
			}
			return m
		},
		Domain: dom, Data: data, Facts: measure.Facts{TestRows: n, Width: len(fs), Classes: 2, Layout: "columns", Rule: model.Cutoff},
	}, s
}

// measured runs the probe over all rows.
func measured(t testing.TB, g measuretest.Target) *result.Result {
	t.Helper()
	p := faults.Probes()[0]
	params := measure.Params{}
	for _, d := range p.Params {
		params[d.Name] = d.Standard
	}
	for name, v := range g.Params {
		params[name] = v
	}
	c := &measure.Case{Params: params, Model: g.Model(), Domain: g.Domain, Data: g.Data, Others: g.Data, Index: g.Data.Index, Seed: measure.Seed{5}}
	shard, err := p.Run(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	r, err := p.Join(&measure.Joint{Params: params, Rows: shard.Rows, Facts: g.Facts})
	if err != nil {
		t.Fatal(err)
	}
	r.Rows = shard.Rows
	return r
}

// linear decides by income and debt; what is not a number comes through.
func linear(x []float32) float32 { return 0.5 + (x[0]-2*x[5]-3000)/1e7 }

func TestContract(t *testing.T) {
	for _, on := range [][]string{nil, {"range-check"}} {
		g, _ := target(t, linear, on, 40)
		measuretest.Accept(t, faults.Probes()[0], g)
	}
}

// TestEveryFault looks at each row that is asked beside the first row, whose
// values are 1234, 12, 1, 0, 1, -150; the other rows are the same, so that a stale value is no fault.
func TestEveryFault(t *testing.T) {
	g, s := target(t, linear, nil, 1)
	measured(t, g)
	nan := math.NaN()
	changed := map[string][]float64{} // by column: the values that it was given alone
	var groups, pairs []string
	for _, row := range s.asked[1:] {
		var columns []int
		for i, v := range row {
			if v != g.Data.X[i] {
				columns = append(columns, i)
			}
		}
		switch {
		case len(columns) == 1 && (columns[0] < 3 || columns[0] == 5):
			name := loans()[columns[0]].Name
			changed[name] = append(changed[name], float64(row[columns[0]]))
		case columns[0] >= 3:
			groups = append(groups, fmt.Sprint(row[3:5]))
		default:
			pairs = append(pairs, fmt.Sprint(columns))
		}
	}
	want := map[string][]float64{
		"income": {nan, 0, -999, 12340, 123.4, 1234000, 1.234, 1200, 1000, -10000, 20000, -1234},
		"months": {nan, 0, -999, 120, 1.2, 12000, 0.012, 10, -82, 167, -12},
		"debt":   {nan, 0, -999, -1500, -15, -150000, -0.15, -200, -24000, 24000, 150},
	}
	for name, values := range want {
		if diff := cmp.Diff(changed[name], values, cmp.Comparer(func(a, b float64) bool {
			return a != a && b != b || float32(a) == float32(b)
		})); diff != "" {
			t.Errorf("%s (-got +want):\n%s", name, diff)
		}
	}
	if got := changed["class"]; len(got) != 7 || got[1] != 0 || got[2] != -999 || got[3] < 2 || got[3] > 4 || got[4] != 0 || got[5] != 5 || got[6] != -1 {
		t.Errorf("class: got %v, want NaN, 0, -999, another of 2 to 4, 0, 5 and -1", got)
	}
	if diff := cmp.Diff(groups, []string{"[NaN NaN]", "[1 0]", "[0 0]", "[1 1]"}); diff != "" {
		t.Errorf("purpose (-got +want):\n%s", diff)
	}
	// Each field's next one, and the one beside its neighbours whose range it meets most.
	if diff := cmp.Diff(pairs, []string{"[0 1]", "[0 5]", "[1 2]", "[1 5]", "[2 5]", "[0 2]", "[0 5]"}); diff != "" {
		t.Errorf("pairs (-got +want):\n%s", diff)
	}
}

// TestSharesAreCounted has a system of which all faults are known: the decision is whether income is over 2000.
func TestSharesAreCounted(t *testing.T) {
	of := func(x []float32) float32 {
		if x[0] > 2000 {
			return 1
		}
		return x[0] * 0 // not a number where income is not
	}
	g, s := target(t, of, nil, 60)
	r := measured(t, g)
	if got, want := r.Metrics["faults"].Value, float64(len(s.asked)-60); got != want {
		t.Errorf("got %v faults, want the %v that were asked", got, want)
	}
	sum := func(name string) (v float64) {
		for _, x := range r.Rows.Column(name) {
			v += x
		}
		return v
	}
	wrong, at := 0, 60
	for i, k := range r.Rows.Column("faults") {
		before := of(g.Data.Row(i)) > 0.5
		for range int(k) {
			if v := of(s.asked[at]); v == v && before != (v > 0.5) {
				wrong++
			}
			at++
		}
	}
	if got := sum("silent"); got != float64(wrong) || wrong == 0 {
		t.Errorf("got %v unnoticed changes, want %d", got, wrong)
	}
	if got := sum("unusable"); got != 60 { // income that is not a number, of each row
		t.Errorf("got %v unusable answers, want 60", got)
	}
	if got := sum("caught"); got != 0 {
		t.Errorf("got %v refusals, want none", got)
	}
	i := slices.IndexFunc(r.Pictures, func(p result.Picture) bool { return p.ID == "by-field" })
	for j, label := range r.Pictures[i].Labels {
		if got := r.Pictures[i].Series[0].Y[j]; (label == "income") != (j == 0) || j > 0 && got > 0.2 {
			t.Errorf("field %d is %s with %v, want income first and others by swaps alone", j, label, got)
		}
	}
	if len(r.Notes) == 0 || !strings.Contains(r.Notes[0], "by field: income") {
		t.Errorf("got notes %q, want income named", r.Notes)
	}
}

// TestValidationIsSeen: what leaves the domain is refused with the check on, and its worst kinds go.
func TestValidationIsSeen(t *testing.T) {
	off, _ := target(t, linear, nil, 60)
	on, _ := target(t, linear, []string{"range-check"}, 60)
	a, b := measured(t, off), measured(t, on)
	if a.Metrics["caught"].Value != 0 || b.Metrics["caught"].Value < 0.4 {
		t.Errorf("got %v and %v caught, want none and many", a.Metrics["caught"].Value, b.Metrics["caught"].Value)
	}
	if a.Metrics["silent_changes"].Value <= b.Metrics["silent_changes"].Value || b.Metrics["unusable"].Value != 0 {
		t.Errorf("got %v unnoticed without the check and %v with it, %v unusable", a.Metrics["silent_changes"], b.Metrics["silent_changes"], b.Metrics["unusable"])
	}
	if a.Metrics["faults"] != b.Metrics["faults"] {
		t.Errorf("got %v and %v faults, want the same", a.Metrics["faults"], b.Metrics["faults"])
	}
}

// TestSystemsThatCannotBeFaulted: a constant system stands everything, one that refuses everything has no decision.
func TestSystemsThatCannotBeFaulted(t *testing.T) {
	g, _ := target(t, func([]float32) float32 { return 0.7 }, nil, 40)
	r := measured(t, g)
	if m := r.Metrics["silent_changes"]; m.Value != 0 || m.Upper < 0.05 || m.Upper > 0.1 {
		t.Errorf("got %+v, want 0 of 40 rows: up to 0.088", m)
	}
	if m := r.Metrics["standing_rows"]; m.Value != 1 || *m.K != 40 {
		t.Errorf("got %+v, want all rows standing", m)
	}
	g, _ = target(t, func([]float32) float32 { return float32(math.NaN()) }, nil, 40)
	if r := measured(t, g); r.State != result.NotApplicable {
		t.Errorf("got %s, want not applicable", r.State)
	}
}

// TestFieldsAreDrawn: the table has no more fields than were asked for, and says so.
func TestFieldsAreDrawn(t *testing.T) {
	g, _ := target(t, linear, nil, 40)
	g.Params = measure.Params{"fields": 2.0}
	r := measured(t, g)
	fields := 0
	for _, c := range r.Rows.Columns {
		if strings.HasPrefix(c.Name, "field.") || strings.HasPrefix(c.Name, "group.") {
			fields++
		}
	}
	if fields != 2 || !strings.Contains(strings.Join(r.Notes, " "), "2 fields were drawn") {
		t.Errorf("got %d fields and notes %q", fields, r.Notes)
	}
}
