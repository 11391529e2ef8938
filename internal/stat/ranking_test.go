package stat_test

import (
	"encoding/json"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assize/assize/internal/stat"
)

func TestRankingAgainstScikitLearn(t *testing.T) {
	for _, c := range readReference(t).Binary {
		r := rank(t, c.Score, bools(c.Y))
		w := weights32(c.Weights)
		near(t, "AUC", r.AUC(w), c.AUC, 1e-13)
		near(t, "Gini", r.Gini(w), 2*c.AUC-1, 1e-13)
		near(t, "average precision", r.AveragePrecision(w), c.AveragePrecision, 1e-13)
		near(t, "KS", r.KS(w), c.KS, 1e-13)
		near(t, "KS of the other direction", rank(t, negated(c.Score), bools(c.Y)).KS(w), c.KS, 1e-13)
		near(t, "unweighted KS", r.KS(nil), c.KS2Samp, 1e-13)

		// The full curve passes through every point of scikit-learn's that is a
		// corner, and each thinned point is one of its points.
		for _, points := range []int{2, 5, 12, 1000} {
			curve, err := r.ROC(points)
			if err != nil {
				t.Fatal(err)
			}
			if len(curve) > points {
				t.Errorf("got %d points, want at most %d", len(curve), points)
			}
			first, last := curve[0], curve[len(curve)-1]
			if !math.IsInf(first.Threshold, 1) || first.FalsePositiveRate+first.TruePositiveRate != 0 || last.FalsePositiveRate+last.TruePositiveRate != 2 {
				t.Errorf("got ends %v and %v", first, last)
			}
			for _, p := range curve[1:] {
				i := slices.Index(c.Thresholds, p.Threshold)
				if i < 0 || p.FalsePositiveRate != c.FPR[i+1] || p.TruePositiveRate != c.TPR[i+1] {
					t.Errorf("point %v is not on the curve", p)
				}
			}
			if points == 1000 {
				area := 0.0
				for i := 1; i < len(curve); i++ {
					area += (curve[i].FalsePositiveRate - curve[i-1].FalsePositiveRate) * (curve[i].TruePositiveRate + curve[i-1].TruePositiveRate) / 2
				}
				near(t, "area under the drawn curve", area, r.AUC(nil), 1e-13)
			}
		}
	}
}

func TestROCIsThinnedEvenly(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	scores, positive := normals(rng, 20_000, 1)
	curve, err := rank(t, scores, positive).ROC(200)
	if err != nil {
		t.Fatal(err)
	}
	if len(curve) < 190 || len(curve) > 200 {
		t.Errorf("got %d points, want nearly 200", len(curve))
	}
	for i := 1; i < len(curve); i++ {
		if step := curve[i].FalsePositiveRate + curve[i].TruePositiveRate - curve[i-1].FalsePositiveRate - curve[i-1].TruePositiveRate; step < 0 || step > 0.03 {
			t.Errorf("point %d: got a step of %v, want one near 0.01", i, step)
		}
	}
}

func TestAUCAgainstPublished(t *testing.T) {
	for _, want := range published(t) {
		d := publishedScores(t, want)
		if d.classes == 2 {
			got, err := d.rankings[1].DeLong()
			if err != nil {
				t.Fatal(err)
			}
			interval, err := got.Interval(0.95)
			if err != nil {
				t.Fatal(err)
			}
			near(t, want.Name+" AUC", got.AUC, want.AUC, 1e-12)
			near(t, want.Name+" lower", interval.Lower, want.DeLong[0], 1e-9)
			near(t, want.Name+" upper", interval.Upper, want.DeLong[1], 1e-9)
			near(t, want.Name+" average precision", d.rankings[1].AveragePrecision(nil), want.AveragePrecision, 1e-12)
			// The mean over two mirrored classes is the same measurement.
			macro, err := stat.MacroAUC(d.rankings)
			if err != nil {
				t.Fatal(err)
			}
			near(t, "macro of two", macro.AUC, got.AUC, 1e-12)
			near(t, "its variance", macro.Variance/got.Variance, 1, 1e-9)
			continue
		}
		got, err := stat.MacroAUC(d.rankings)
		if err != nil {
			t.Fatal(err)
		}
		near(t, want.Name+" macro AUC", got.AUC, want.AUCMacro, 1e-12)
	}
}

// TestDeLongDefinition compares placements by ranks with the double sum that
// DeLong and others define, on tied scores.
func TestDeLongDefinition(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	for range 20 {
		var x, y []float64
		var scores []float64
		var positive []bool
		for range 40 {
			s := float64(rng.IntN(8))
			p := rng.IntN(3) == 0
			scores, positive = append(scores, s), append(positive, p)
			if p {
				x = append(x, s)
			} else {
				y = append(y, s)
			}
		}
		if len(x) < 2 || len(y) < 2 {
			continue
		}
		v10, v01 := make([]float64, len(x)), make([]float64, len(y))
		area := 0.0
		for i := range x {
			for j := range y {
				psi := 0.0
				if x[i] > y[j] {
					psi = 1
				} else if x[i] == y[j] {
					psi = 0.5
				}
				v10[i] += psi / float64(len(y))
				v01[j] += psi / float64(len(x))
				area += psi / float64(len(x)*len(y))
			}
		}
		want := 0.0
		for _, v := range [][]float64{v10, v01} {
			for _, p := range v {
				want += (p - area) * (p - area) / float64(len(v)) / float64(len(v)-1)
			}
		}
		got, err := rank(t, scores, positive).DeLong()
		if err != nil {
			t.Fatal(err)
		}
		near(t, "AUC", got.AUC, area, 1e-13)
		near(t, "variance", got.Variance, want, 1e-13)
	}
}

// TestMacroAUCVariance compares the variance of the mean over classes with how
// the mean varies over many samples.
func TestMacroAUCVariance(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 9))
	const samples, rows, classes = 600, 150, 3
	var areas, variances []float64
	for range samples {
		actual := make([]int, rows)
		scores := make([][]float64, classes)
		for i := range actual {
			actual[i] = rng.IntN(classes)
			for c := range classes {
				s := rng.NormFloat64()
				if c == actual[i] {
					s++
				}
				scores[c] = append(scores[c], s)
			}
		}
		rankings := make([]*stat.Ranking, classes)
		for c := range classes {
			positive := make([]bool, rows)
			for i, a := range actual {
				positive[i] = a == c
			}
			rankings[c] = rank(t, scores[c], positive)
		}
		got, err := stat.MacroAUC(rankings)
		if err != nil {
			t.Fatal(err)
		}
		areas, variances = append(areas, got.AUC), append(variances, got.Variance)
	}
	mean, spread := stat.WeightedMean(areas, nil), 0.0
	for _, a := range areas {
		spread += (a - mean) * (a - mean) / (samples - 1)
	}
	if ratio := stat.WeightedMean(variances, nil) / spread; ratio < 0.85 || ratio > 1.18 {
		t.Errorf("got a mean variance %.3g times the observed one, want near 1", ratio)
	}
}

func TestAUCWithoutVariance(t *testing.T) {
	// Eight of each class in perfect order: an exact bound, not certainty.
	var scores []float64
	var positive []bool
	for i := range 16 {
		scores, positive = append(scores, float64(i)), append(positive, i >= 8)
	}
	bound := math.Pow(0.025, 1.0/8)
	for _, c := range []struct {
		name   string
		scores []float64
		want   stat.Interval
	}{
		{"perfect", scores, stat.Interval{Lower: bound, Upper: 1}},
		{"reversed", negated(scores), stat.Interval{Lower: 0, Upper: 1 - bound}},
		{"all tied", make([]float64, 16), stat.Interval{Lower: bound / 2, Upper: 1 - bound/2}},
	} {
		area, err := rank(t, c.scores, positive).DeLong()
		if err != nil {
			t.Fatal(err)
		}
		got, err := area.Interval(0.95)
		if err != nil {
			t.Fatal(err)
		}
		near(t, c.name+" lower", got.Lower, c.want.Lower, 1e-12)
		near(t, c.name+" upper", got.Upper, c.want.Upper, 1e-12)
	}
	single, err := rank(t, []float64{1, 2, 3}, []bool{true, false, false}).DeLong()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := single.Interval(0.95); err != nil || got != (stat.Interval{Lower: 0, Upper: 1}) || !math.IsNaN(single.Variance) {
		t.Errorf("one positive: got %v, variance %v, %v", got, single.Variance, err)
	}
}

func TestRankingUndefined(t *testing.T) {
	r := rank(t, []float64{0.1, 0.2}, []bool{false, false})
	for name, got := range map[string]float64{"AUC": r.AUC(nil), "Gini": r.Gini(nil), "KS": r.KS(nil), "average precision": r.AveragePrecision(nil)} {
		if !math.IsNaN(got) {
			t.Errorf("%s: got %v, want NaN", name, got)
		}
	}
	if _, err := r.DeLong(); !errors.Is(err, stat.ErrUndefined) {
		t.Errorf("DeLong: got %v, want ErrUndefined", err)
	}
	if _, err := r.ROC(10); !errors.Is(err, stat.ErrUndefined) {
		t.Errorf("ROC: got %v, want ErrUndefined", err)
	}
	both := rank(t, []float64{0.1, 0.2}, []bool{false, true})
	if got := both.AUC([]int32{1, 0}); !math.IsNaN(got) {
		t.Errorf("no weight on positives: got %v, want NaN", got)
	}
	if _, err := stat.MacroAUC([]*stat.Ranking{both, r}); !errors.Is(err, stat.ErrUndefined) {
		t.Errorf("macro: got %v, want ErrUndefined", err)
	}
	if _, err := stat.NewRanking([]float64{1, math.NaN()}, make([]bool, 2)); err == nil || err.Error() != "rank scores: row 1: score is not a number" {
		t.Errorf("NaN: got %v", err)
	}
	if _, err := stat.NewRanking([]float64{1}, nil); err == nil {
		t.Error("lengths 1 and 0: want an error")
	}
}

func rank(t testing.TB, scores []float64, positive []bool) *stat.Ranking {
	t.Helper()
	r, err := stat.NewRanking(scores, positive)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func negated(values []float64) []float64 {
	n := make([]float64, len(values))
	for i, v := range values {
		n[i] = -v
	}
	return n
}

// normals draws scores of two classes whose means are shift apart.
func normals(rng *rand.Rand, rows int, shift float64) (scores []float64, positive []bool) {
	scores, positive = make([]float64, rows), make([]bool, rows)
	for i := range scores {
		scores[i] = rng.NormFloat64()
		if positive[i] = rng.IntN(2) == 1; positive[i] {
			scores[i] += shift
		}
	}
	return scores, positive
}

type publishedMetrics struct {
	Name                                   string
	N                                      int
	Confusion                              [][]int
	Accuracy, MCC, Kappa                   float64
	Precision, Recall, Specificity, F1, F2 float64
	Brier                                  float64
	BalancedAccuracy                       float64    `json:"balanced_accuracy"`
	PrecisionMacro                         float64    `json:"precision_macro"`
	RecallMacro                            float64    `json:"recall_macro"`
	F1Macro                                float64    `json:"f1_macro"`
	LogLoss                                float64    `json:"log_loss"`
	AUC                                    float64    `json:"roc_auc"`
	AveragePrecision                       float64    `json:"average_precision"`
	DeLong                                 [2]float64 `json:"auc_delong_ci95"`
	AUCMacro                               float64    `json:"roc_auc_ovr_macro"`
}

func published(t *testing.T) []publishedMetrics {
	t.Helper()
	data, err := io.ReadAll(shared(t, "classification_metrics.json"))
	if err != nil {
		t.Fatal(err)
	}
	var metrics []publishedMetrics
	if err := json.Unmarshal(data, &metrics); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(len(metrics), 4); diff != "" {
		t.Fatalf("data sets, got - want +\n%s", diff)
	}
	return metrics
}

type publishedData struct {
	classes       int
	actual        []int
	probabilities []float64
	rankings      []*stat.Ranking
}

func publishedScores(t *testing.T, m publishedMetrics) publishedData {
	t.Helper()
	file := m.Name + "_scores.csv"
	if m.Name == "multi10" {
		file += ".gz"
	}
	c, _ := columns(t, file)
	d := publishedData{classes: len(m.Confusion)}
	for i, y := range c["y"] {
		d.actual = append(d.actual, int(y))
		for k := range d.classes {
			d.probabilities = append(d.probabilities, c["p"+string(rune('0'+k))][i])
		}
	}
	for k := range d.classes {
		scores, positive, err := stat.OneVsRest(d.classes, k, d.actual, d.probabilities)
		if err != nil {
			t.Fatal(err)
		}
		d.rankings = append(d.rankings, rank(t, scores, positive))
	}
	return d
}
