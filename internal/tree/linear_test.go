package tree_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assize/assize/internal/tree"
)

// TestLinearCredit compares a logistic regression with its true parameters,
// and with the logits that the exact evasion answers record.
func TestLinearCredit(t *testing.T) {
	l, err := tree.ReadLinear(load(t, "../shared/data/tabular/german_lr.onnx"), tree.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	if l.Features != 38 || l.Outputs != 1 || l.Classes != 2 || l.Link != tree.Sigmoid {
		t.Fatalf("got %d features, %d outputs, %d classes, link %s", l.Features, l.Outputs, l.Classes, l.Link)
	}
	rows := table(t, "../shared/data/tabular/german_X.csv.gz", ',', true)
	for _, a := range table(t, "../shared/data/tabular/german_evasion_answers.csv", ',', true) {
		got := make([]float64, 1)
		l.Margins(rows[int(a[0])], got)
		if !near(got[0], a[2], 1e-5) {
			t.Fatalf("row %v: got logit %v, want %v", a[0], got[0], a[2])
		}
	}
}

// TestLinearScikitLearn compares linear models of scikit-learn, with and
// without scaling in front, with ONNX Runtime's answers.
func TestLinearScikitLearn(t *testing.T) {
	files, entries := archive(t, "models.tar.gz")
	models := 0
	for _, g := range entries {
		if !strings.HasPrefix(g.Model, "linear-") {
			continue
		}
		models++
		l, err := tree.ReadLinear(files[g.Model], tree.DefaultLimits())
		if err != nil {
			t.Errorf("%s: %v", g.Model, err)
			continue
		}
		for i := range g.Rows {
			got, want := make([]float64, l.Outputs), numbers(t, g.Predictions[i])
			l.Predict(numbers(t, g.Rows[i]), got)
			if g.Classifier && l.Outputs == 1 {
				want = want[1:]
			}
			if diff := cmp.Diff(len(got), len(want)); diff != "" {
				t.Fatalf("%s: outputs: %s", g.Model, diff)
			}
			for k := range want {
				if !near(got[k], want[k], 1e-5) {
					t.Fatalf("%s: row %d: got %v, want %v", g.Model, i, got, want)
				}
			}
		}
	}
	if models != 12 {
		t.Errorf("got %d models, want 12", models)
	}
}

// TestLinearRefuses refuses trees, and files that are no model.
func TestLinearRefuses(t *testing.T) {
	for path, want := range map[string]string{"examples/credit/model.onnx": "no linear operator", "examples/credit/test.csv": "read linear model"} {
		if _, err := tree.ReadLinear(load(t, path), tree.DefaultLimits()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got error %v, want one with %q", path, err, want)
		}
	}
}
