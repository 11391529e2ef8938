package dataset_test

import (
	"context"
	"testing"

	"github.com/assize/assize/internal/dataset"
	"github.com/assize/assize/internal/domain"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestInspect(t *testing.T) {
	spec := dataset.Spec{
		Path: write(t, "a.csv", "id,amount,own,grade,kind\nx1,1.5,0,3,b\nx2,-2,1,9,a\nx3,7,1,3,b\n"),
		Features: []domain.Feature{
			{Name: "own", Type: domain.Binary, Min: 0, Max: 1},
			{Name: "amount", Type: domain.Real, Min: 0, Max: 5},
			{Name: "grade", Type: domain.Ordinal},
		},
		Label: "kind", Classes: []string{"a", "b", "c"},
	}
	got, err := dataset.Inspect(context.Background(), spec)
	if err != nil {
		t.Fatal(err)
	}
	want := &dataset.Info{
		Format: dataset.CSV, Rows: 3, Width: 3, Names: []string{"own", "amount", "grade"},
		Columns: []dataset.Column{
			{Min: 0, Max: 1, Integral: true, Distinct: 2},
			{Min: -2, Max: 7, Distinct: 3, OutOfRange: 2},
			{Min: 3, Max: 9, Integral: true, Distinct: 2},
		},
		Extra:  []string{"id"},
		Labels: []dataset.Count{{"a", 1}, {"b", 2}, {"c", 0}},
		Label:  &dataset.Column{Min: 0, Max: 1, Integral: true, Distinct: 2},
	}
	if diff := cmp.Diff(got, want, cmpopts.IgnoreUnexported(dataset.Column{})); diff != "" {
		t.Errorf("Inspect (-got +want):\n%s", diff)
	}
}

func TestInspectLabelsWithoutNames(t *testing.T) {
	text := write(t, "text.csv", "a,y\n1,setosa\n2,virginica\n3,setosa\n")
	info, err := dataset.Inspect(context.Background(), dataset.Spec{Path: text, Label: "y"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(info.Labels, []dataset.Count{{"setosa", 2}, {"virginica", 1}}); diff != "" || info.Label != nil {
		t.Errorf("Labels, Label %v (-got +want):\n%s", info.Label, diff)
	}
	numbers := write(t, "numbers.csv", "a,y\n1,10\n2,9.0\n3,9\n")
	info, err = dataset.Inspect(context.Background(), dataset.Spec{Path: numbers, Label: "y"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(info.Labels, []dataset.Count{{"9", 2}, {"10", 1}}); diff != "" {
		t.Errorf("Labels (-got +want):\n%s", diff)
	}
}

func TestGuess(t *testing.T) {
	path := write(t, "a.csv", "flag,count,share,const\n0,1,0.5,0\n1,5,1,0\n")
	info, err := dataset.Inspect(context.Background(), dataset.Spec{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	want := []domain.Feature{
		{Name: "flag", Type: domain.Binary, Min: 0, Max: 1, Mutable: domain.Yes},
		{Name: "count", Type: domain.Integer, Min: 1, Max: 5, Mutable: domain.Yes},
		{Name: "share", Type: domain.Real, Min: 0.5, Max: 1, Mutable: domain.Yes},
		{Name: "const", Type: domain.Integer, Min: 0, Max: 0, Mutable: domain.Yes},
	}
	if diff := cmp.Diff(dataset.Guess(info), want); diff != "" {
		t.Errorf("Guess (-got +want):\n%s", diff)
	}
	info, err = dataset.Inspect(context.Background(), dataset.Spec{Path: "testdata/version1.npy"})
	if err != nil {
		t.Fatal(err)
	}
	got := dataset.Guess(info)
	if diff := cmp.Diff(got[5], domain.Feature{Name: "v5", Type: domain.Integer, Min: 5, Max: 23, Mutable: domain.Yes}); diff != "" || len(got) != 6 {
		t.Errorf("Guess of %d (-got +want):\n%s", len(got), diff)
	}
}

// TestRealData compares with facts that awk, NumPy and the data's own
// documentation give: 30 000 clients of whom 23 364 paid (Yeh and Lien 2009).
func TestRealData(t *testing.T) {
	credit := dataset.Spec{Path: shared(t, "tabular/credit_processed.csv.gz"), Label: "NoDefaultNextMonth", Classes: []string{"default", "paid"}}
	info, err := dataset.Inspect(context.Background(), credit)
	if err != nil {
		t.Fatal(err)
	}
	if info.Rows != 30_000 || info.Width != 17 {
		t.Errorf("credit is %d×%d, want 30000×17", info.Rows, info.Width)
	}
	if diff := cmp.Diff(info.Labels, []dataset.Count{{"default", 6636}, {"paid", 23364}}); diff != "" {
		t.Errorf("credit labels (-got +want):\n%s", diff)
	}
	if got := dataset.Guess(info)[0]; got.Name != "Married" || got.Type != domain.Binary {
		t.Errorf("first feature is %+v, want Married, binary", got)
	}
	table, err := dataset.Select(context.Background(), credit, []int{29_999, 0})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(table.Row(1), []float32{1, 0, 1, 0, 0, 0, 2, 120, 20, 0, 6, 0, 120, 0, 1, 4, 1}); diff != "" {
		t.Errorf("row 0 (-got +want):\n%s", diff)
	}

	digits := dataset.Spec{Path: shared(t, "privacy/digits.csv.gz"), Label: "label"}
	table, err = dataset.ReadAll(context.Background(), digits)
	if err != nil {
		t.Fatal(err)
	}
	if table.Len() != 1797 || table.Width != 65 || table.Y[0] != 0 || table.Row(0)[0] != 1 {
		t.Errorf("digits are %d×%d and begin with %d, %v, want 1797×65, 0, 1", table.Len(), table.Width, table.Y[0], table.Row(0)[0])
	}

	images := dataset.Spec{Path: shared(t, "cifar-nets/X_sdp.npy.gz")}
	info, err = dataset.Inspect(context.Background(), images)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(info.Shape, []int{32, 32, 3}); diff != "" || info.Rows != 200 {
		t.Errorf("%d images, shape (-got +want):\n%s", info.Rows, diff)
	}
	for i, c := range info.Columns {
		if c.Min < 0 || c.Max > 1 {
			t.Errorf("value %d lies in [%v, %v], want [0, 1]", i, c.Min, c.Max)
		}
	}
	truth, err := dataset.Outputs(context.Background(), dataset.OutputSpec{Path: shared(t, "cifar-nets/y_sdp.npy")})
	if err != nil {
		t.Fatal(err)
	}
	if len(truth.Labels) != 200 || truth.Labels[0] != 3 {
		t.Errorf("%d labels from %d, want 200 from 3", len(truth.Labels), truth.Labels[0])
	}
}
