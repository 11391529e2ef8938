package dataset_test

import (
	"context"
	"math"
	"testing"

	"github.com/assize/assize/internal/dataset"
	"github.com/google/go-cmp/cmp"
)

func TestOutputsCSV(t *testing.T) {
	classes := []string{"repaid", "default"}
	tests := []struct {
		name, content string
		want          *dataset.Recorded
	}{
		{"probability", "id,probability\n7,0.25\n8,1e-3\n",
			&dataset.Recorded{Rows: 2, Meaning: dataset.Positive, Scores: []float64{0.25, 0.001}, K: 1, Extra: []string{"id"}}},
		{"score and label", "label,score\ndefault,-1.5\n0,2\n",
			&dataset.Recorded{Rows: 2, Meaning: dataset.Score, Scores: []float64{-1.5, 2}, K: 1, Labels: []int{1, 0}}},
		{"label", "label\nrepaid\n1\n", &dataset.Recorded{Rows: 2, Labels: []int{0, 1}}},
		{"classes in another order", "default,repaid,probability\n0.1,0.9,0.1\n0.6,0.4,0.6\n",
			&dataset.Recorded{Rows: 2, Scores: []float64{0.9, 0.1, 0.4, 0.6}, K: 2, Extra: []string{"probability"}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := dataset.Outputs(context.Background(), dataset.OutputSpec{Path: write(t, "served.csv", test.content), Classes: classes})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(got, test.want); diff != "" {
				t.Errorf("Outputs (-got +want):\n%s", diff)
			}
		})
	}
}

func TestOutputsArrays(t *testing.T) {
	logits := []float64{0, 1, 2, 6, 7, 8, 12, 13, 14, 18, 19, 20}
	got, err := dataset.Outputs(context.Background(), dataset.OutputSpec{Path: "testdata/outputs.npz", Classes: []string{"a", "b", "c"}})
	if err != nil {
		t.Fatal(err)
	}
	want := &dataset.Recorded{Rows: 4, Meaning: dataset.Logits, Scores: logits, K: 3, Labels: []int{2, 2, 2, 2}}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("outputs.npz (-got +want):\n%s", diff)
	}
	got, err = dataset.Outputs(context.Background(), dataset.OutputSpec{Path: "testdata/vector.npy"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(got, &dataset.Recorded{Rows: 7, Labels: []int{0, 1, 2, 3, 4, 5, 6}}); diff != "" {
		t.Errorf("vector.npy (-got +want):\n%s", diff)
	}
	got, err = dataset.Outputs(context.Background(), dataset.OutputSpec{Path: "testdata/fortran.npy"})
	if err != nil {
		t.Fatal(err)
	}
	if got.K != 6 || got.Scores[6] != 6 || got.Meaning != dataset.Unsaid {
		t.Errorf("fortran.npy: K %d, second row from %v, meaning %q, want 6, 6, none", got.K, got.Scores[6], got.Meaning)
	}
}

func TestOutputsRefusals(t *testing.T) {
	classes := []string{"no", "yes", "refer"}
	tests := []struct{ name, file, content, array, want string }{
		{"nothing known", "a.csv", "id,p\n1,2\n", "", "line 1: no column holds an output; there are \"id\", \"p\"\nhint: call it probability, score or label, or give one column the name of each class"},
		{"some classes", "a.csv", "no,yes\n1,2\n", "", "line 1: there are columns for some classes, but not for \"refer\""},
		{"two scores", "a.csv", "probability,score\n1,2\n", "", "line 1: there is a column \"probability\" and a column \"score\"\nhint: keep the one that the model gives"},
		{"not a number", "a.csv", "probability\n1\nhigh\n", "", "line 3, column \"probability\": \"high\" is not a number\nhint: give each category a whole number as its code"},
		{"label never declared", "a.csv", "label\nno\nmaybe\n", "", "line 3, column \"label\": \"maybe\" is none of the classes\nhint: there are \"no\", \"yes\", \"refer\""},
		{"K is not the classes", "testdata/version1.npy", "", "", "there are 6 scores a row for 3 classes"},
		{"three axes", "testdata/types.npz", "", "f4_little_C", "array \"f4_little_C\": scores have shape [5 3 4], not N or N×K"},
		{"which array", "testdata/stored.npz", "", "", "it is not said which array holds the rows\nhint: name one of \"x\", \"y\""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := test.file
			if test.content != "" {
				path = write(t, test.file, test.content)
			}
			_, err := dataset.Outputs(context.Background(), dataset.OutputSpec{Path: path, Classes: classes, Array: test.array})
			onlyError(t, err, test.want)
		})
	}
}

// TestOutputsKeepFloat64 reads the binary16 probabilities of a real network;
// its README says 50 000 of 10 classes, which sum to 1 up to rounding.
func TestOutputsKeepFloat64(t *testing.T) {
	path := shared(t, "labels/cifar10_noise0.2_sparsity0.0/pyx_resnet50_crossval_float16.npy.gz")
	got, err := dataset.Outputs(context.Background(), dataset.OutputSpec{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	if got.Rows != 50_000 || got.K != 10 {
		t.Fatalf("%d×%d, want 50000×10", got.Rows, got.K)
	}
	for row := range got.Rows {
		sum := 0.0
		for _, p := range got.Scores[row*10 : row*10+10] {
			sum += p
		}
		if math.Abs(sum-1) > 0.01 {
			t.Fatalf("row %d sums to %v, want 1", row, sum)
		}
	}
}

func TestPick(t *testing.T) {
	all := &dataset.Recorded{Rows: 3, Meaning: dataset.Logits, Scores: []float64{1, 2, 3, 4, 5, 6}, K: 2, Labels: []int{7, 8, 9}}
	got, err := all.Pick([]int{2, 0})
	if err != nil {
		t.Fatal(err)
	}
	want := &dataset.Recorded{Rows: 2, Meaning: dataset.Logits, Scores: []float64{5, 6, 1, 2}, K: 2, Labels: []int{9, 7}}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("Pick (-got +want):\n%s", diff)
	}
	for _, row := range []int{-1, 3} {
		if _, err := all.Pick([]int{0, row}); err == nil {
			t.Errorf("Pick of row %d gives no error", row)
		}
	}
}
