package result_test

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/assize/assize/internal/result"
	"github.com/google/go-cmp/cmp"
)

func TestExactly(t *testing.T) {
	want := result.Metric{Value: 3, Lower: 3, Upper: 3, N: 7, Unit: "rows", Method: "exhaustive"}
	if diff := cmp.Diff(result.Exactly(3, 7, "rows"), want); diff != "" {
		t.Errorf("Exactly (-got +want):\n%s", diff)
	}
}

func TestValid(t *testing.T) {
	r := &result.Result{State: result.Measured}
	if !r.Valid() {
		t.Error("a result without checks is not valid, want valid")
	}
	r.Check("gradients", true, "")
	if !r.Valid() {
		t.Error("a result whose check held is not valid, want valid")
	}
	r.Check("rows", false, "3 rows")
	r.Check("parity", true, "")
	if r.Valid() {
		t.Error("a result with a failed check is valid, want not")
	}
	want := []result.Validity{{"gradients", true, ""}, {"rows", false, "3 rows"}, {"parity", true, ""}}
	if diff := cmp.Diff(r.Validity, want); diff != "" {
		t.Errorf("Validity (-got +want):\n%s", diff)
	}
}

func TestUnmeasured(t *testing.T) {
	want := &result.Result{State: result.NotAvailable, Reason: "no labels"}
	if diff := cmp.Diff(result.Unmeasured(result.NotAvailable, "no labels"), want); diff != "" {
		t.Errorf("Unmeasured (-got +want):\n%s", diff)
	}
}

// TestJSON fixes the names that a dossier stores, and that rows, which can be
// the target's data, are not among them.
func TestJSON(t *testing.T) {
	k := 3
	r := &result.Result{
		State:   result.Measured,
		Metrics: map[string]result.Metric{"accuracy": {Value: 0.5, Upper: 1, N: 6, Unit: "share", Method: "clopper-pearson", Confidence: 0.95, K: &k}},
		Rows:    result.NewRows([]int{1}, "secret"),
	}
	r.Check("rows", true, "")
	got, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"state":"measured","metrics":{"accuracy":{"value":0.5,"lower":0,"upper":1,"n":6,"unit":"share","method":"clopper-pearson","confidence":0.95,"k":3}},"validity":[{"check":"rows","ok":true}]}`
	if diff := cmp.Diff(string(got), want); diff != "" {
		t.Errorf("JSON (-got +want):\n%s", diff)
	}
}

func TestNewRows(t *testing.T) {
	index := []int{4, 2}
	r := result.NewRows(index, "queries", "flipped")
	index[0] = 9
	want := &result.Rows{Index: []int{4, 2}, Columns: []result.Column{{Name: "queries", Values: []float64{0, 0}}, {Name: "flipped", Values: []float64{0, 0}}}}
	if diff := cmp.Diff(r, want); diff != "" {
		t.Errorf("NewRows (-got +want):\n%s", diff)
	}
	r.Column("flipped")[1] = 1
	if diff := cmp.Diff(r.Columns[1].Values, []float64{0, 1}); diff != "" {
		t.Errorf("values after a change through Column (-got +want):\n%s", diff)
	}
	if got := r.Column("distance"); got != nil {
		t.Errorf("Column of an unknown name = %v, want nil", got)
	}
	var none *result.Rows
	if none.Len() != 0 || none.Column("queries") != nil || r.Len() != 2 {
		t.Errorf("Len of nil and of two rows = %d, %d, want 0, 2", none.Len(), r.Len())
	}
}

func TestRowsValidate(t *testing.T) {
	tests := []struct {
		name string
		rows result.Rows
		want string
	}{
		{"fine", result.Rows{Index: []int{3, 1}, Columns: []result.Column{{Name: "a", Values: []float64{1, 2}}}}, ""},
		{"row twice", result.Rows{Index: []int{3, 3}}, "validate rows: row 3 stands twice"},
		{"short column", result.Rows{Index: []int{3, 1}, Columns: []result.Column{{Name: "a", Values: []float64{1}}}}, `validate rows: column "a" has 1 values for 2 rows`},
		{"NaN", result.Rows{Index: []int{3}, Columns: []result.Column{{Name: "a", Values: []float64{math.NaN()}}}}, `validate rows: column "a", row 3: NaN is not finite`},
		{"infinity", result.Rows{Index: []int{3}, Columns: []result.Column{{Name: "a", Values: []float64{math.Inf(-1)}}}}, `validate rows: column "a", row 3: -Inf is not finite`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := ""
			if err := test.rows.Validate(); err != nil {
				got = err.Error()
			}
			if diff := cmp.Diff(got, test.want); diff != "" {
				t.Errorf("Validate (-got +want):\n%s", diff)
			}
		})
	}
}

// shard is a table of the given rows whose column holds ten times the row.
func shard(rows ...int) *result.Rows {
	r := result.NewRows(rows, "v")
	r.Columns[0].Doc, r.Columns[0].Unit, r.Columns[0].Data = "ten times", "score", true
	for i, row := range rows {
		r.Columns[0].Values[i] = float64(10 * row)
	}
	return r
}

// TestJoin checks that however the rows were split, the table is the same.
func TestJoin(t *testing.T) {
	want := shard(0, 1, 2, 5, 9)
	for _, shards := range [][]*result.Rows{
		{shard(0, 1, 2, 5, 9)},
		{shard(9, 2), shard(5, 0, 1)},
		{nil, shard(5), shard(), shard(1, 0), shard(9), shard(2)},
	} {
		got, err := result.Join(shards...)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(got, want); diff != "" {
			t.Errorf("Join (-got +want):\n%s", diff)
		}
	}
	first := shard(9, 2)
	if _, err := result.Join(first, shard(5)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first, shard(9, 2)); diff != "" {
		t.Errorf("a shard after Join (-got +want):\n%s", diff)
	}
	empty, err := result.Join()
	if err != nil || empty.Len() != 0 {
		t.Errorf("Join() = %v, %v, want an empty table", empty, err)
	}
}

func TestJoinRefusals(t *testing.T) {
	other := result.NewRows([]int{3}, "w")
	tests := []struct {
		name   string
		shards []*result.Rows
		want   string
	}{
		{"row in two shards", []*result.Rows{shard(1, 2), shard(2)}, "validate rows: row 2 stands twice"},
		{"other column", []*result.Rows{shard(1), other}, `join rows: column "v" in one shard is "w" in another`},
		{"more columns", []*result.Rows{shard(1), result.NewRows([]int{2}, "v", "w")}, "join rows: a shard has 2 columns, another 1"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := result.Join(test.shards...)
			if err == nil {
				t.Fatal("got no error")
			}
			if diff := cmp.Diff(err.Error(), test.want); diff != "" {
				t.Errorf("error (-got +want):\n%s", diff)
			}
		})
	}
}
