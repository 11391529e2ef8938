package tree_test

import (
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/assize/assize/internal/tree"
)

// libsvm reads rows of label and index:value pairs; what is absent has the
// value absent, and a prefix such as "hinge" of the label does not matter.
func libsvm(tb testing.TB, path string, features int, absent float64) [][]float64 {
	tb.Helper()
	var rows [][]float64
	for line := range strings.Lines(string(load(tb, path))) {
		row := make([]float64, features)
		for i := range row {
			row[i] = absent
		}
		for _, pair := range strings.Fields(line)[1:] {
			index, value, _ := strings.Cut(pair, ":")
			i, err := strconv.Atoi(index)
			if err != nil {
				tb.Fatal(err)
			}
			v, err := strconv.ParseFloat(value, 64)
			if err != nil {
				tb.Fatal(err)
			}
			if i < features {
				row[i] = v
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// TestExactRobustnessModels reads the models of trees both as the old binary
// format and as a dump, and compares with the recorded margins: plain sums
// of leaves.
func TestExactRobustnessModels(t *testing.T) {
	const dir = "../shared/data/trees/"
	for _, c := range []struct{ model, dump, rows, answers string }{
		{"breast_cancer_robust.0008.model", "breast_cancer_robust.0008.json", "example_breast_cancer0.libsvm", "breast_cancer_robust.answers.csv"},
		{"diabetes_rf.model.gz", "diabetes_rf.json", "diabetes_scale0.test.gz", "diabetes_rf.answers.csv"},
		{"ijcnn_rf.model.gz", "ijcnn_rf.json.gz", "ijcnn1s0.t.gz", "ijcnn_rf.answers.csv"},
	} {
		t.Run(c.model, func(t *testing.T) {
			for name, format := range map[string]string{c.model: "xgboost-binary", c.dump: "xgboost-dump"} {
				e := read(t, dir+name, format)
				rows := libsvm(t, dir+c.rows, e.Features, 0)
				answers := table(t, dir+c.answers, ',', true)
				if len(answers) == 0 {
					t.Fatal("no answers")
				}
				for _, a := range answers {
					got, _ := predict(e, rows[int(a[0])])
					if !near(got[0]-e.Base[0], a[3], 1e-6) {
						t.Fatalf("%s: row %v: got margin %v, want %v", name, a[0], got[0]-e.Base[0], a[3])
					}
				}
			}
		})
	}
}

// TestLibraryPredictions compares with the predictions that the libraries
// recorded in tree-model-formats.
func TestLibraryPredictions(t *testing.T) {
	const dir = "../shared/data/tree-model-formats/"
	rest := func(rows [][]float64) [][]float64 {
		for i := range rows {
			rows[i] = rows[i][1:]
		}
		return rows
	}
	nan := math.NaN()
	for _, c := range []struct {
		model, format string
		rows          func(e *tree.Ensemble) [][]float64
		answers       string
		margins       bool
		tolerance     float64
	}{
		{"xgagaricus.model", "xgboost-binary", func(e *tree.Ensemble) [][]float64 {
			return libsvm(t, dir+"agaricus_test.libsvm.gz", e.Features, nan)
		}, "xgagaricus_true_predictions.txt", false, 1e-6},
		{"xgdermatology.model", "xgboost-binary", func(e *tree.Ensemble) [][]float64 {
			return libsvm(t, dir+"dermatology_test.libsvm", e.Features, nan)
		}, "xgdermatology_true_predictions.txt", true, 1e-6},
		{"lgmulticlass.model.gz", "lightgbm-text", func(e *tree.Ensemble) [][]float64 {
			return rest(table(t, dir+"multiclass_test.tsv", '\t', false))
		}, "lgmulticlass_true_predictions.txt", false, 1e-14},
		{"lgmulticlass.model.gz", "lightgbm-text", func(e *tree.Ensemble) [][]float64 {
			return rest(table(t, dir+"multiclass_test.tsv", '\t', false))
		}, "lgmulticlass_true_raw_predictions.txt", true, 0},
		{"lg_dart_breast_cancer.model", "lightgbm-text", func(e *tree.Ensemble) [][]float64 {
			return table(t, dir+"breast_cancer_test.tsv", '\t', false)
		}, "lg_dart_breast_cancer_true_predictions.txt", false, 1e-14},
		{"lg_rf_iris.model", "lightgbm-text", func(e *tree.Ensemble) [][]float64 {
			return libsvm(t, dir+"iris_test.libsvm", e.Features, 0)
		}, "lg_rf_iris_true_predictions.txt", false, 1e-14},
	} {
		t.Run(c.answers, func(t *testing.T) {
			e := read(t, dir+c.model, c.format)
			rows, answers := c.rows(e), table(t, dir+c.answers, '\t', false)
			if len(rows) != len(answers) && len(rows) != len(answers)+1 || len(rows) == 0 {
				t.Fatalf("got %d rows, %d answers", len(rows), len(answers))
			}
			for i, want := range answers {
				margins, prediction := predict(e, rows[i][:e.Features])
				got := prediction
				if c.margins {
					got = margins
				}
				for k := range want {
					if !near(got[k], want[k], c.tolerance) {
						t.Fatalf("row %d, output %d: got %v, want %v", i, k, got[k], want[k])
					}
				}
			}
		})
	}
}

// TestLightGBMLeaves compares the leaf of every tree with the library's
// pred_leaf.
func TestLightGBMLeaves(t *testing.T) {
	const dir = "../shared/data/tree-model-formats/"
	e := read(t, dir+"lg_breast_cancer.txt.gz", "lightgbm-text")
	rows, leaves := table(t, dir+"lg_breast_cancer_data.txt", ' ', false), table(t, dir+"lg_breast_cancer_data_pred_leaves.txt", ' ', false)
	for i, want := range leaves {
		for k := range e.Trees {
			if got := e.Trees[k].Nodes[e.Leaf(k, rows[i][:e.Features])].Left; float64(got) != want[k] {
				t.Fatalf("row %d, tree %d: got leaf %d, want %v", i, k, got, want[k])
			}
		}
	}
}

// TestLightGBMDump reads a dump by hand, whose category split sends 1, 10
// and 100 left.
func TestLightGBMDump(t *testing.T) {
	e := read(t, "../shared/data/tree-model-formats/lg_1tree.json", "lightgbm-json")
	for _, c := range []struct{ a, b, want float64 }{
		{0.14, 1, 0.4703}, {0.14, 10.7, 0.4703}, {0, 100, 0.4703}, {0, 11, 0.4242}, {0, -1, 0.4242}, {0.15, 1, 1.1111},
		{math.NaN(), 100, 0.4703}, {0, math.NaN(), 0.4242}, {0, 1e300, 0.4242}, {0, math.Inf(-1), 0.4242},
	} {
		if got, _ := predict(e, []float64{c.a, c.b}); got[0] != c.want {
			t.Errorf("%v, %v: got %v, want %v", c.a, c.b, got[0], c.want)
		}
	}
}
