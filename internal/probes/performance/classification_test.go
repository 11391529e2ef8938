package performance_test

import (
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/measure/measuretest"
	"github.com/assize/assize/internal/model"
	"github.com/assize/assize/internal/result"
)

// reference reads the scores of one published case as the rows of the probe.
func reference(t *testing.T, folder, name string) (*result.Rows, measure.Facts) {
	t.Helper()
	path := filepath.Join(folder, name+"_scores.csv")
	f, err := os.Open(path)
	var in io.Reader = f
	if os.IsNotExist(err) {
		if f, err = os.Open(path + ".gz"); err == nil {
			in, err = gzip.NewReader(f)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	records, err := csv.NewReader(in).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	classes := len(records[0]) - 1
	names := []string{"label", "predicted", "decision", "right", "scored"}
	index := make([]int, len(records)-1)
	for c := range classes {
		names = append(names, fmt.Sprintf("p%d", c))
	}
	for i := range index {
		index[i] = i
	}
	rows := result.NewRows(index, names...)
	for i, record := range records[1:] {
		best := 0
		for c := range classes {
			p, err := strconv.ParseFloat(record[c+1], 64)
			if err != nil {
				t.Fatal(err)
			}
			rows.Columns[5+c].Values[i] = p
			if p > rows.Columns[5+best].Values[i] {
				best = c
			}
		}
		y, _ := strconv.Atoi(record[0])
		rows.Columns[0].Values[i], rows.Columns[1].Values[i], rows.Columns[2].Values[i] = float64(y), float64(best), float64(best)
		if y == best {
			rows.Columns[3].Values[i] = 1
		}
		rows.Columns[4].Values[i] = 1
	}
	return rows, measure.Facts{TestRows: len(index), Classes: classes, Rule: model.Argmax, Positive: 1, OutputKind: string(model.Probabilities)}
}

// TestPublishedValues meets scikit-learn's values for four published sets of scores.
func TestPublishedValues(t *testing.T) {
	folder := filepath.Join(root(t), "..", "shared", "data", "statistics")
	b, err := os.ReadFile(filepath.Join(folder, "classification_metrics.json"))
	if err != nil {
		t.Skip("needs the shared test data: ", err)
	}
	var cases []map[string]any
	if err := json.Unmarshal(b, &cases); err != nil {
		t.Fatal(err)
	}
	for _, want := range cases {
		name := want["name"].(string)
		t.Run(name, func(t *testing.T) {
			rows, facts := reference(t, folder, name)
			res := joined(t, probe(t, "performance/classification"), &measure.Joint{Rows: rows, Facts: facts})
			names := map[string]string{
				"accuracy": "accuracy", "balanced_accuracy": "balanced_accuracy", "mcc": "mcc", "log_loss": "log_loss",
				"precision": "precision", "recall": "recall", "specificity": "specificity", "f1": "f1", "f2": "f_beta", "roc_auc": "auc", "brier": "brier",
			}
			if facts.Classes > 2 {
				for theirs, ours := range map[string]string{"precision_macro": "precision", "recall_macro": "recall", "f1_macro": "f1", "roc_auc_ovr_macro": "auc"} {
					names[theirs] = ours
				}
			}
			checked := 0
			for theirs, ours := range names {
				if v, ok := want[theirs].(float64); ok {
					near(t, ours, res.Metrics[ours].Value, v, 1e-9)
					checked++
				}
			}
			if checked < 8 {
				t.Errorf("%d values were compared, want at least 8", checked)
			}
			if ci, ok := want["auc_delong_ci95"].([]any); ok {
				near(t, "lower end of auc", res.Metrics["auc"].Lower, ci[0].(float64), 1e-9)
				near(t, "upper end of auc", res.Metrics["auc"].Upper, ci[1].(float64), 1e-9)
			}
			for _, m := range []string{"accuracy", "balanced_accuracy", "precision", "recall", "specificity", "f1", "f_beta", "kl_divergence",
				"auc", "mcc", "log_loss", "brier", "calibration_error", "gini", "ks", "refused", "unusable"} {
				v, ok := res.Metrics[m]
				if !ok || v.N != rows.Len() && v.K == nil || v.Unit == "" || v.Method == "" {
					t.Errorf("metric %q = %+v", m, v)
				}
				if v.Method != result.Exhaustive && !(v.Lower < v.Value && v.Value < v.Upper || v.Lower == 0) {
					t.Errorf("metric %q has no interval: %+v", m, v)
				}
			}
			for i, row := range want["confusion"].([]any) {
				for k, v := range row.([]any) {
					if got := res.Pictures[0].Cells[i][k]; got != v.(float64) {
						t.Errorf("confusion[%d][%d] = %v, want %v", i, k, got, v)
					}
				}
			}
			for _, v := range res.Validity {
				if !v.OK {
					t.Errorf("check %s: %s", v.Check, v.Note)
				}
			}
			near(t, "gini", res.Metrics["gini"].Value, 2*res.Metrics["auc"].Value-1, 1e-12)
		})
	}
}

// gauss is a system with two classes whose scores overlap.
func gauss(n int) *system {
	r := rand.New(rand.NewPCG(3, 4))
	s := &system{kind: model.Probabilities, classes: 2}
	for i := range n {
		y := i % 2
		p := float32(sigmoid(r.NormFloat64() + 2*float64(y) - 1))
		s.scores, s.labels = append(s.scores, []float32{1 - p, p}), append(s.labels, y)
	}
	return s
}

func TestCutoff(t *testing.T) {
	s := gauss(200)
	s.rule = model.Rule{Kind: model.Cutoff, Cutoff: 0.3, Band: &[2]float64{0.2, 0.3}}
	res := measured(t, probe(t, "performance/classification"), s.target(t))
	tp, positive, band := 0.0, 0.0, 0.0
	for i, row := range s.scores {
		if s.labels[i] == 1 {
			positive++
			if row[1] >= 0.3 {
				tp++
			}
		}
		if row[1] >= 0.2 && row[1] < 0.3 {
			band++
		}
	}
	near(t, "recall", res.Metrics["recall"].Value, tp/positive, 1e-12)
	near(t, "referred", res.Metrics["referred"].Value, band/200, 1e-12)
	if !res.Valid() {
		t.Errorf("validity: %+v", res.Validity)
	}
}

// TestRefusedCountsAsWrong: what a solution turns away is not right, and is out of the metrics of probabilities.
func TestRefusedCountsAsWrong(t *testing.T) {
	s := gauss(120)
	s.refuse = 100
	s.scores[7] = []float32{float32(math.NaN()), 0.5}
	res := measured(t, probe(t, "performance/classification"), s.target(t))
	right := 0
	for i, row := range s.scores[:100] {
		if i != 7 && (row[1] > row[0]) == (s.labels[i] == 1) {
			right++
		}
	}
	near(t, "accuracy", res.Metrics["accuracy"].Value, float64(right)/120, 1e-12)
	near(t, "refused", res.Metrics["refused"].Value, 20, 0)
	near(t, "unusable", res.Metrics["unusable"].Value, 1, 0)
	near(t, "rows of auc", float64(res.Metrics["auc"].N), 99, 0)
	near(t, "column of no class", res.Pictures[0].Cells[0][2]+res.Pictures[0].Cells[1][2], 21, 0)
	near(t, "recall and specificity over 60 rows each", 60*(res.Metrics["recall"].Value+res.Metrics["specificity"].Value), float64(right), 1e-9)
}

func TestClearFailures(t *testing.T) {
	beyond := gauss(40)
	beyond.labels[3] = 2
	logits := gauss(40)
	logits.scores[5] = []float32{-3.5, 4.5}
	many := &system{kind: model.Probabilities, classes: 60, scores: [][]float32{make([]float32, 60)}, labels: []int{0}}
	for name, test := range map[string]struct {
		s    *system
		want string
	}{
		"label beyond the classes":          {beyond, "classify row 3: its label is class 2, the model tells classes 0 to 1 apart\nhint: "},
		"logits declared as probabilities":  {logits, "classify row 5: the output for class 0 is -3.5, which is no probability\nhint: set interface.output.kind to logits"},
		"sixty classes that add up to zero": {many, "the outputs add up to 0, not to 1\nhint: "},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := run(t, probe(t, "performance/classification"), test.s.target(t))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error = %v, want one with %q", err, test.want)
			}
		})
	}
	target := gauss(10).target(t)
	target.Data.Y = nil
	if _, err := run(t, probe(t, "performance/classification"), target); err == nil || !strings.Contains(err.Error(), "not class indices") {
		t.Errorf("error without class indices = %v", err)
	}
}

func TestValidity(t *testing.T) {
	p := probe(t, "performance/classification")
	absent := gauss(80)
	absent.classes = 3
	for i := range absent.scores {
		absent.scores[i] = append(absent.scores[i], 0)
	}
	res := measured(t, p, absent.target(t))
	check(t, res, "labels-all-known", false)
	if _, ok := res.Metrics["balanced_accuracy"]; ok || !strings.Contains(strings.Join(res.Notes, "\n"), "balanced_accuracy is undefined") {
		t.Errorf("balanced accuracy with a class absent = %v, notes %q; want none and a note", res.Metrics["balanced_accuracy"], res.Notes)
	}
	check(t, measured(t, p, gauss(58).target(t)), "enough-rows", false)
	check(t, measured(t, p, gauss(60).target(t)), "enough-rows", true)
	constant := gauss(80)
	for i := range constant.scores {
		constant.scores[i] = []float32{0.9, 0.1}
	}
	res = measured(t, p, constant.target(t))
	check(t, res, "not-constant", false)
	for _, name := range []string{"precision", "mcc", "kl_divergence"} {
		if m, ok := res.Metrics[name]; ok {
			t.Errorf("%s of a constant model = %+v, want none", name, m)
		}
	}
	sums := gauss(80)
	for i := range sums.scores {
		sums.scores[i] = []float32{sums.scores[i][0] * 0.7, sums.scores[i][1] * 0.7}
	}
	check(t, measured(t, p, sums.target(t)), "probabilities-valid", false)
	rounded := gauss(80)
	for i, row := range rounded.scores {
		for c, v := range row {
			rounded.scores[i][c] = float32(math.Round(float64(v)*100) / 100)
		}
	}
	check(t, measured(t, p, rounded.target(t)), "probabilities-valid", true)
	thirds := &system{kind: model.Probabilities, classes: 3} // 0.33 three times: 0.99, as far off as two decimals can be
	for i := range 120 {
		row := []float32{0.33, 0.33, 0.33}
		if i > 20 {
			row = []float32{0.2, 0.2, 0.2}
			row[i%3] = 0.6
		}
		thirds.scores, thirds.labels = append(thirds.scores, row), append(thirds.labels, i%3)
	}
	check(t, measured(t, p, thirds.target(t)), "probabilities-valid", true)
	thirds.scores[0][0] = 0.29
	check(t, measured(t, p, thirds.target(t)), "probabilities-valid", false)
}

// TestPerfect: where no row is wrong, intervals still have a width.
func TestPerfect(t *testing.T) {
	s := &system{kind: model.Logits, classes: 3}
	for i := range 120 {
		row := make([]float32, 3)
		row[i%3] = 5 + float32(i)/100
		s.scores, s.labels = append(s.scores, row), append(s.labels, i%3)
	}
	res := measured(t, probe(t, "performance/classification"), s.target(t))
	for _, name := range []string{"accuracy", "balanced_accuracy", "precision", "specificity", "f1", "f_beta", "mcc", "auc", "gini", "ks"} {
		m := res.Metrics[name]
		if m.Value < 1-1e-12 || m.Upper < m.Value || m.Lower > 0.99 {
			t.Errorf("%s = %+v, want 1 with a lower end under it", name, m)
		}
	}
	// Three classes of 40 rows: each exact lower end at 97.5 % is 0.025^(1/40) = 0.91190.
	near(t, "lower end of balanced accuracy", res.Metrics["balanced_accuracy"].Lower, 1-math.Sqrt(3*0.08810*0.08810)/3, 1e-4)
}

// TestOtherKinds: free scores, labels alone, many classes and a cut-off on one of several.
func TestOtherKinds(t *testing.T) {
	p := probe(t, "performance/classification")
	g := gauss(100)
	score := &system{kind: model.Score, classes: 2, labels: g.labels, rule: model.Rule{Kind: model.Cutoff, Cutoff: 600}}
	label := &system{kind: model.Label, classes: 2, labels: g.labels}
	of3 := &system{kind: model.Probabilities, classes: 3, rule: model.Rule{Kind: model.Cutoff, Cutoff: 0.5}}
	for i, row := range g.scores {
		score.scores = append(score.scores, []float32{1000 * row[1]})
		label.scores = append(label.scores, []float32{float32(math.Round(float64(row[1])))})
		of3.scores = append(of3.scores, []float32{row[0] / 2, row[1], row[0] / 2})
		of3.labels = append(of3.labels, []int{i % 4, 1, 1, 2}[i%4])
	}
	want := measured(t, p, g.target(t)).Metrics["auc"]
	got := measured(t, p, score.target(t))
	near(t, "auc of a free score", got.Metrics["auc"].Value, want.Value, 1e-6)
	if _, ok := got.Metrics["log_loss"]; ok {
		t.Error("a free score has a log loss, want none")
	}
	got = measured(t, p, label.target(t))
	if _, ok := got.Metrics["auc"]; ok || got.Metrics["accuracy"].Value < 0.6 {
		t.Errorf("metrics of labels alone: %+v", got.Metrics)
	}
	got = measured(t, p, of3.target(t))
	if got.Metrics["auc"].N != 100 || got.Metrics["brier"].N != 100 || len(got.Pictures[0].Cells) != 2 {
		t.Errorf("a cut-off on one of three: auc %+v, brier %+v", got.Metrics["auc"], got.Metrics["brier"])
	}
	many := &system{kind: model.Probabilities, classes: 60}
	for i := range 600 {
		row := make([]float32, 60)
		row[i%60], row[(i+1)%60] = 0.75, 0.25
		many.scores, many.labels = append(many.scores, row), append(many.labels, (i+i/300)%60)
	}
	got = measured(t, p, many.target(t))
	near(t, "log loss of sixty classes", got.Metrics["log_loss"].Value, -(math.Log(0.75)+math.Log(0.25))/2, 1e-9)
	near(t, "brier of sixty classes", got.Metrics["brier"].Value, (2*0.0625+2*0.5625)/2, 1e-9)
	if _, ok := got.Metrics["auc"]; ok {
		t.Error("sixty classes have an auc, want a note instead")
	}
}

// TestPerClass: a row that reaches no threshold names no class, is left to a person and counts as not right.
func TestPerClass(t *testing.T) {
	s := gauss(100)
	s.rule = model.Rule{Kind: model.PerClass, Cutoffs: []float64{0.7, 0.7}}
	res := measured(t, probe(t, "performance/classification"), s.target(t))
	referred, right := 0, 0
	for i, row := range s.scores {
		switch {
		case row[0] < 0.7 && row[1] < 0.7:
			referred++
		case (row[1] >= 0.7) == (s.labels[i] == 1):
			right++
		}
	}
	near(t, "referred", res.Metrics["referred"].Value, float64(referred)/100, 1e-12)
	near(t, "accuracy", res.Metrics["accuracy"].Value, float64(right)/100, 1e-12)
	near(t, "rows without a class", res.Pictures[0].Cells[0][2]+res.Pictures[0].Cells[1][2], float64(referred), 0)
	if res.Metrics["unusable"].Value != 0 || referred == 0 {
		t.Errorf("unusable = %+v, %d referred", res.Metrics["unusable"], referred)
	}
}

func TestClassificationAccept(t *testing.T) {
	s := gauss(90)
	s.refuse = 80
	measuretest.Accept(t, probe(t, "performance/classification"), s.target(t))
	three := &system{kind: model.Logits, classes: 3}
	r := rand.New(rand.NewPCG(5, 6))
	for i := range 99 {
		row := []float32{float32(r.NormFloat64()), float32(r.NormFloat64()), float32(r.NormFloat64())}
		row[i%3]++
		three.scores, three.labels = append(three.scores, row), append(three.labels, i%3)
	}
	measuretest.Accept(t, probe(t, "performance/classification"), three.target(t))
}
