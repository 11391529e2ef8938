package poisoning_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assize/assize/internal/dataset"
	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/measure/measuretest"
	"github.com/assize/assize/internal/probes/poisoning"
	"github.com/assize/assize/internal/result"
)

var probe = poisoning.Probes()[0]

// table makes a data set of rows and their labels.
func table(rows [][]float32, labels []int) *dataset.Table {
	t := &dataset.Table{Width: len(rows[0]), Y: labels}
	for i, r := range rows {
		t.X = append(t.X, r...)
		t.Index = append(t.Index, i)
	}
	return t
}

// search runs the probe at depth quick, with parameters of the test's own over it.
func search(t *testing.T, params measure.Params, sets ...measure.Set) *result.Result {
	t.Helper()
	c := &measure.Case{Params: measure.Params{}, Sets: sets, Seed: measure.Seed{7}}
	for _, p := range probe.Params {
		c.Params[p.Name] = p.Default("quick")
	}
	for k, v := range params {
		c.Params[k] = v
	}
	r, err := probe.Run(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func counts(r *result.Result, names ...string) map[string]float64 {
	got := map[string]float64{}
	for _, n := range names {
		if m, ok := r.Metrics[n]; ok {
			got[n] = m.Value
		}
	}
	return got
}

func TestCountsByHand(t *testing.T) {
	train := measure.Set{Name: "train", Training: true, Table: table([][]float32{
		{0, 0}, {0, 0}, {0, 0}, // one repeats, one is in conflict with both
		{5, 5}, {5.05, 5}, // near, labels agree
		{10, 10}, {9.95, 10}, // near, labels do not
		{1, 9},
		{float32(math.Copysign(0, -1)), 7}, {0, 7}, // -0 is 0
	}, []int{0, 0, 1, 1, 1, 0, 1, 0, 1, 1})}
	test := measure.Set{Name: "test", Table: table([][]float32{{5, 5}, {1.05, 9}, {3, 3}, {3, 3}}, []int{1, 0, 0, 0})}
	r := search(t, nil, train, test)
	names := []string{"rows", "duplicate_rows", "conflict_groups", "conflict_rows", "near_rows", "near_conflict_rows", "leaked_rows", "near_leaked_rows", "leaked_share", "train_duplicate_rows", "test_duplicate_rows"}
	want := map[string]float64{
		"rows": 14, "duplicate_rows": 3, "conflict_groups": 1, "conflict_rows": 3, "near_rows": 4, "near_conflict_rows": 2,
		"leaked_rows": 1, "near_leaked_rows": 1, "leaked_share": 0.25, "train_duplicate_rows": 2, "test_duplicate_rows": 1,
	}
	if diff := cmp.Diff(want, counts(r, names...)); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	if !r.Valid() {
		t.Errorf("a small search is not valid: %+v", r.Validity)
	}
	var where []string
	for _, f := range r.Findings {
		where = append(where, f.Rule+" at "+f.Where)
	}
	wantWhere := []string{
		"poisoning/conflicting-labels at train: rows 0, 1, 2", "poisoning/leaked-row at test: row 0",
		"poisoning/equal-rows at train: rows 8, 9", "poisoning/equal-rows at test: rows 2, 3",
	}
	if diff := cmp.Diff(wantWhere, where); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}

// TestTaiwanCredit: pandas 2 counts 1,233 rows that repeat an earlier one, label
// included, and 156 groups of equal inputs with both labels:
// d.duplicated().sum(), (d.groupby(inputs)[label].nunique() > 1).sum().
func TestTaiwanCredit(t *testing.T) {
	packed := filepath.Join("..", "..", "..", "..", "shared", "data", "tabular", "credit_processed.csv.gz")
	if _, err := os.Stat(packed); err != nil {
		t.Skip("the shared test data is not there")
	}
	all, err := dataset.ReadAll(context.Background(), dataset.Spec{Path: unpack(t, packed), Label: "NoDefaultNextMonth"})
	if err != nil {
		t.Fatal(err)
	}
	r := search(t, measure.Params{"comparisons": 2e8}, measure.Set{Name: "credit", Table: all})
	want := map[string]float64{"rows": 30000, "duplicate_rows": 1233, "conflict_groups": 156}
	if diff := cmp.Diff(want, counts(r, "rows", "duplicate_rows", "conflict_groups")); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	if _, ok := r.Metrics["leaked_rows"]; ok {
		t.Error("one data set alone has leaked rows")
	}
	if !r.Valid() {
		t.Errorf("not valid: %+v", r.Validity)
	}
}

// TestNearAgainstEveryPair compares the grid with looking at every pair, on
// random tables with few and many inputs.
func TestNearAgainstEveryPair(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 60 {
		width, n := 1+random.IntN(7), 2+random.IntN(120)
		near := []float64{0.01, 0.05, 0.2}[random.IntN(3)]
		rows, labels := make([][]float32, n), make([]int, n)
		for i := range rows {
			rows[i] = make([]float32, width)
			for j := range rows[i] {
				rows[i][j] = float32(random.IntN(40)) * []float32{0.01, 1, 100}[j%3]
			}
			labels[i] = random.IntN(2)
			if i > 0 && random.IntN(3) == 0 {
				copy(rows[i], rows[random.IntN(i)])
				rows[i][random.IntN(width)] += float32(random.IntN(3)) * 0.004
			}
		}
		r := search(t, measure.Params{"near": near, "planted": 5.0}, measure.Set{Name: "all", Table: table(rows, labels)})
		wantNear, wantConflict := everyPair(rows, labels, near)
		if got := counts(r, "near_rows", "near_conflict_rows"); got["near_rows"] != wantNear || got["near_conflict_rows"] != wantConflict {
			t.Fatalf("%d rows of %d, near %g: got %v, every pair gives %g and %g", n, width, near, got, wantNear, wantConflict)
		}
	}
}

func everyPair(rows [][]float32, labels []int, near float64) (found, contrary float64) {
	width := len(rows[0])
	span := make([]float64, width)
	for j := range span {
		low, high := rows[0][j], rows[0][j]
		for _, r := range rows {
			low, high = min(low, r[j]), max(high, r[j])
		}
		span[j] = float64(high) - float64(low)
	}
	for i := range rows {
		isNear, isContrary := 0.0, 0.0
		for k := range rows {
			if slices.Equal(rows[i], rows[k]) {
				continue
			}
			within := true
			for j := range span {
				if rows[i][j] != rows[k][j] && !(math.Abs(float64(rows[i][j])-float64(rows[k][j]))*(1/span[j]) <= near) {
					within = false
				}
			}
			if !within {
				continue
			}
			isNear = 1
			// Equal rows share what their group knows: any label of either side counts.
			for a := range rows {
				for b := range rows {
					if slices.Equal(rows[a], rows[i]) && slices.Equal(rows[b], rows[k]) && labels[a] != labels[b] {
						isContrary = 1
					}
				}
			}
		}
		found, contrary = found+isNear, contrary+isContrary
	}
	return found, contrary
}

// TestBudget: a search that was cut short says so and is not valid.
func TestBudget(t *testing.T) {
	rows, labels := make([][]float32, 500), make([]int, 500)
	for i := range rows {
		rows[i] = []float32{float32(i%2) * 100, float32(i) * 1e-4}
	}
	r := search(t, measure.Params{"comparisons": 100.0}, measure.Set{Name: "dense", Table: table(rows, labels)})
	if r.Valid() {
		t.Errorf("100 comparisons were enough for 500 rows in one place: %+v", r.Validity)
	}
	if got := r.Metrics["duplicate_rows"].Value; got != 0 {
		t.Errorf("%g rows repeat, want none", got)
	}
}

// TestManyEqualRows: data of one row over and over is not a matter of the square of its length.
func TestManyEqualRows(t *testing.T) {
	const n = 200_000
	rows, labels := make([][]float32, n), make([]int, n)
	for i := range rows {
		rows[i], labels[i] = []float32{1, 2, 3}, i%2
	}
	r := search(t, nil, measure.Set{Name: "same", Table: table(rows, labels)})
	want := map[string]float64{"duplicate_rows": n - 2, "conflict_groups": 1, "conflict_rows": n}
	if diff := cmp.Diff(want, counts(r, "duplicate_rows", "conflict_groups", "conflict_rows")); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	for _, f := range r.Findings {
		if len(f.Where) > 100 {
			t.Errorf("a finding lists all rows: %d bytes", len(f.Where))
		}
	}
}

func TestBadInput(t *testing.T) {
	wide, narrow := table([][]float32{{1, 2}}, nil), table([][]float32{{1}}, nil)
	c := &measure.Case{Params: measure.Params{"near": 0.01, "comparisons": 10.0, "planted": 1.0}, Sets: []measure.Set{{Name: "train", Table: wide}, {Name: "test", Table: narrow}}}
	if _, err := probe.Run(context.Background(), c); err == nil || !strings.Contains(err.Error(), "test has 1 values a row, train has 2") {
		t.Errorf("sets of other widths: %v", err)
	}
	c.Params["near"] = 0.0
	if _, err := probe.Run(context.Background(), c); err == nil || !strings.Contains(err.Error(), "near") {
		t.Errorf("near 0: %v", err)
	}
	if r := search(t, nil, measure.Set{Name: "none", Table: &dataset.Table{Width: 1}}); r.State != result.NotAvailable {
		t.Errorf("no rows: %s", r.State)
	}
}

func TestContract(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	rows, labels := make([][]float32, 80), make([]int, 80)
	for i := range rows {
		rows[i], labels[i] = []float32{float32(random.IntN(9)), float32(random.IntN(9))}, random.IntN(2)
	}
	measuretest.Accept(t, probe, measuretest.Target{Sets: []measure.Set{
		{Name: "train", Training: true, Table: table(rows[:60], labels[:60])}, {Name: "test", Table: table(rows[60:], labels[60:])},
	}})
}

func BenchmarkDuplicates(b *testing.B) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			rows, labels := make([][]float32, n), make([]int, n)
			for i := range rows {
				rows[i] = make([]float32, 20)
				for j := range rows[i] {
					rows[i][j] = float32(random.NormFloat64())
				}
			}
			c := &measure.Case{Params: measure.Params{"near": 0.01, "comparisons": 1e9, "planted": 100.0}, Sets: []measure.Set{{Name: "x", Table: table(rows, labels)}}}
			for b.Loop() {
				if _, err := probe.Run(context.Background(), c); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
