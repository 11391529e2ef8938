package stat_test

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assize/assize/internal/stat"
)

func TestClassificationAgainstPublished(t *testing.T) {
	for _, want := range published(t) {
		d := publishedScores(t, want)
		c := confusion(t, d.classes, d.actual, stat.Argmax(d.classes, d.probabilities))
		if diff := cmp.Diff(counts(c), want.Confusion); diff != "" {
			t.Errorf("%s: confusion, got - want +\n%s", want.Name, diff)
		}
		near(t, want.Name+" accuracy", c.Accuracy(), want.Accuracy, 1e-14)
		near(t, want.Name+" balanced accuracy", c.BalancedAccuracy(), want.BalancedAccuracy, 1e-14)
		near(t, want.Name+" MCC", c.MCC(), want.MCC, 1e-13)
		near(t, want.Name+" kappa", c.Kappa(), want.Kappa, 1e-13)
		near(t, want.Name+" precision macro", c.Macro(c.Precision), want.PrecisionMacro, 1e-14)
		near(t, want.Name+" recall macro", c.Macro(c.Recall), want.RecallMacro, 1e-14)
		near(t, want.Name+" F1 macro", c.Macro(func(k int) float64 { return c.F(k, 1) }), want.F1Macro, 1e-14)
		losses, err := stat.LogLosses(d.classes, d.actual, d.probabilities)
		if err != nil {
			t.Fatal(err)
		}
		// The files hold nine digits; the answers were computed from them after
		// each row was divided by its sum.
		near(t, want.Name+" log loss", stat.WeightedMean(losses, nil), want.LogLoss, 1e-8)
		if d.classes > 2 {
			continue
		}
		near(t, want.Name+" precision", c.Precision(1), want.Precision, 1e-14)
		near(t, want.Name+" recall", c.Recall(1), want.Recall, 1e-14)
		near(t, want.Name+" specificity", c.Specificity(1), want.Specificity, 1e-14)
		near(t, want.Name+" F1", c.F(1, 1), want.F1, 1e-14)
		near(t, want.Name+" F2", c.F(1, 2), want.F2, 1e-14)
		scores, positive, err := stat.OneVsRest(2, 1, d.actual, d.probabilities)
		if err != nil {
			t.Fatal(err)
		}
		brier, err := stat.BinaryBrierScores(scores, positive)
		if err != nil {
			t.Fatal(err)
		}
		near(t, want.Name+" Brier", stat.WeightedMean(brier, nil), want.Brier, 1e-12)
	}
}

func TestClassificationAgainstScikitLearn(t *testing.T) {
	for _, want := range readReference(t).Multi {
		k, w := want.Classes, weights32(want.Weights)
		predicted := stat.Argmax(k, want.Probabilities)
		c := confusion(t, k, want.Y, predicted)
		c.Recount(want.Y, predicted, w)
		if diff := cmp.Diff(counts(c), want.Confusion); diff != "" {
			t.Errorf("confusion, got - want +\n%s", diff)
		}
		near(t, "accuracy", c.Accuracy(), want.Accuracy, 1e-14)
		near(t, "balanced accuracy", c.BalancedAccuracy(), want.BalancedAccuracy, 1e-14)
		near(t, "MCC", c.MCC(), want.MCC, 1e-13)
		near(t, "kappa", c.Kappa(), want.Kappa, 1e-13)
		near(t, "KL", c.KLDivergence(), want.KL, 1e-13)
		for class := range k {
			near(t, "precision", c.Precision(class), want.Precision[class], 1e-14)
			near(t, "recall", c.Recall(class), want.Recall[class], 1e-14)
			near(t, "specificity", c.Specificity(class), want.Specificity[class], 1e-14)
			near(t, "F1", c.F(class, 1), want.F1[class], 1e-14)
			near(t, "F0.5", c.F(class, 0.5), want.FHalf[class], 1e-14)
		}
		losses, err := stat.LogLosses(k, want.Y, want.Probabilities)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "log loss", stat.WeightedMean(losses, w), want.LogLoss, 1e-13)
		brier, err := stat.BrierScores(k, want.Y, want.Probabilities)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "Brier", stat.WeightedMean(brier, w), want.Brier, 1e-13)
		auc := 0.0
		for class := range k {
			scores, positive, err := stat.OneVsRest(k, class, want.Y, want.Probabilities)
			if err != nil {
				t.Fatal(err)
			}
			auc += rank(t, scores, positive).AUC(w) / float64(k)
		}
		near(t, "macro AUC", auc, want.AUCMacro, 1e-13)
		confidence, hit, err := stat.Confidences(k, want.Y, predicted, want.Probabilities)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "ECE", calibration(t, confidence, hit, stat.CalibrationBins).ECE(w), want.ECE, 1e-13)
	}
	for _, want := range readReference(t).Binary {
		brier, err := stat.BinaryBrierScores(want.Score, bools(want.Y))
		if err != nil {
			t.Fatal(err)
		}
		w := weights32(want.Weights)
		near(t, "Brier", stat.WeightedMean(brier, w), want.Brier, 1e-13)
		near(t, "ECE", calibration(t, want.Score, bools(want.Y), stat.CalibrationBins).ECE(w), want.ECE, 1e-13)
	}
}

// TestConfusionClosedForms uses the matrix [[45, 15], [25, 15]], whose kappa Cohen's
// definition gives as 0.1304 in many texts.
func TestConfusionClosedForms(t *testing.T) {
	var actual, predicted []int
	for a, row := range [][]int{{45, 15}, {25, 15}} {
		for p, n := range row {
			for range n {
				actual, predicted = append(actual, a), append(predicted, p)
			}
		}
	}
	c := confusion(t, 2, actual, predicted)
	near(t, "kappa", c.Kappa(), 3.0/23, 1e-14)
	near(t, "MCC", c.MCC(), (45*15-15*25)/math.Sqrt(60*40*70*30), 1e-14)
	near(t, "KL", c.KLDivergence(), 0.6*math.Log(0.6/0.7)+0.4*math.Log(0.4/0.3), 1e-14)
	if diff := cmp.Diff(c.Cells(1), stat.Cells{TP: 15, FP: 15, FN: 25, TN: 45}); diff != "" {
		t.Errorf("cells, got - want +\n%s", diff)
	}
	if c.N() != 100 || c.Correct() != 60 || c.Classes() != 2 {
		t.Errorf("got n %d, correct %d, classes %d", c.N(), c.Correct(), c.Classes())
	}
}

func TestConfusionUndefined(t *testing.T) {
	// Class 2 is neither present nor predicted, class 1 never predicted.
	c := confusion(t, 3, []int{0, 0, 1}, []int{0, 0, 0})
	for name, got := range map[string]float64{
		"precision": c.Precision(1), "recall": c.Recall(2), "F1": c.F(2, 1), "MCC": c.MCC(),
		"balanced accuracy": c.BalancedAccuracy(), "macro": c.Macro(c.Precision), "beta 0": c.F(0, 0),
	} {
		if !math.IsNaN(got) {
			t.Errorf("%s: got %v, want NaN", name, got)
		}
	}
	if got := c.F(1, 1); got != 0 {
		t.Errorf("F1 of a class never predicted: got %v, want 0", got)
	}
	if got := c.KLDivergence(); !math.IsInf(got, 1) {
		t.Errorf("KL: got %v, want +Inf", got)
	}
	if got := confusion(t, 2, []int{1, 1}, []int{1, 1}).Kappa(); !math.IsNaN(got) {
		t.Errorf("kappa of one class: got %v, want NaN", got)
	}
	empty := confusion(t, 2, nil, nil)
	for name, got := range map[string]float64{"accuracy": empty.Accuracy(), "KL": empty.KLDivergence(), "kappa": empty.Kappa(), "mean": stat.WeightedMean(nil, nil)} {
		if !math.IsNaN(got) {
			t.Errorf("no rows: %s: got %v, want NaN", name, got)
		}
	}
}

func TestClassificationRefusesBadRows(t *testing.T) {
	_, lengths := stat.CountConfusion(2, []int{1}, nil)
	_, label := stat.CountConfusion(2, []int{0, 2}, []int{0, 0})
	_, negative := stat.CountConfusion(2, []int{0, 0}, []int{0, -1})
	_, above := stat.LogLosses(2, []int{0, 1}, []float64{0.5, 0.5, 1.2, -0.2})
	_, sum := stat.BrierScores(2, []int{0}, []float64{0.5, 0.6})
	_, rows := stat.BrierScores(2, []int{0, 1}, []float64{0.5, 0.5})
	_, notNumber := stat.BinaryBrierScores([]float64{0.5, math.NaN()}, make([]bool, 2))
	_, confidence := stat.NewCalibration([]float64{-0.1}, make([]bool, 1), 15)
	for _, c := range []struct {
		err  error
		want string
	}{
		{lengths, "count confusion: 1 actual and 0 predicted labels"},
		{label, "check actual labels: row 1: label 2 is outside 0 to 1"},
		{negative, "check predicted labels: row 1: label -1 is outside 0 to 1"},
		{above, "check probabilities: row 1: class 0: 1.2 is outside [0, 1]"},
		{sum, "check probabilities: row 0: they add up to 1.1, not 1"},
		{rows, "check probabilities: 2 labels and 1 rows of probabilities"},
		{notNumber, "score probabilities: row 1: NaN is outside [0, 1]"},
		{confidence, "measure calibration: row 0: confidence -0.1 is outside [0, 1]"},
	} {
		if c.err == nil || c.err.Error() != c.want {
			t.Errorf("got %v, want %s", c.err, c.want)
		}
	}
}

func TestLogLossOfCertainMistake(t *testing.T) {
	got, err := stat.LogLosses(2, []int{0, 1}, []float64{0, 1, 0, 1})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "mistake", got[0], 52*math.Ln2, 1e-12)
	near(t, "right", got[1], 0x1p-52, 1e-20)
}

func TestReliability(t *testing.T) {
	c := calibration(t, []float64{0, 0.2, 0.2001, 0.9, 1}, []bool{false, true, false, true, true}, 5)
	got, err := c.Reliability(0.95)
	if err != nil {
		t.Fatal(err)
	}
	var sizes []int
	for _, b := range got {
		sizes = append(sizes, b.Count)
	}
	// An end belongs to the bin below it, and 0 to the first.
	if diff := cmp.Diff(sizes, []int{2, 1, 0, 0, 2}); diff != "" {
		t.Errorf("sizes, got - want +\n%s", diff)
	}
	near(t, "mean confidence", got[0].MeanConfidence, 0.1, 1e-15)
	near(t, "observed", got[0].Observed, 0.5, 1e-15)
	want, err := stat.ClopperPearson(1, 2, 0.95)
	if err != nil {
		t.Fatal(err)
	}
	if got[0].Interval != want || !math.IsNaN(got[2].Observed) || got[2].Interval != (stat.Interval{Lower: 0, Upper: 1}) {
		t.Errorf("got %+v and %+v", got[0], got[2])
	}
	near(t, "ECE", c.ECE(nil), (2*0.4+0.2001+2*0.05)/5, 1e-15)
}

// TestReliabilityEnds puts every end of a bin, as computed, into the bin that it
// closes, and the next number after it into the next bin.
func TestReliabilityEnds(t *testing.T) {
	for bins := 1; bins <= 100; bins++ {
		var confidence []float64
		for i := range bins {
			confidence = append(confidence, float64(i+1)/float64(bins), math.Nextafter(float64(i)/float64(bins), 1))
		}
		got, err := calibration(t, confidence, make([]bool, 2*bins), bins).Reliability(0.95)
		if err != nil {
			t.Fatal(err)
		}
		for i, b := range got {
			if b.Count != 2 {
				t.Errorf("bin %d of %d: got %d rows, want 2", i, bins, b.Count)
			}
		}
	}
}

func TestArgmaxTakesTheFirstOfEquals(t *testing.T) {
	nan := math.NaN()
	got := stat.Argmax(3, []float64{0.2, 0.4, 0.4, 0.5, 0.5, 0, nan, 0.1, 0.3, nan, nan, nan})
	if diff := cmp.Diff(got, []int{1, 0, 2, 0}); diff != "" {
		t.Errorf("got - want +\n%s", diff)
	}
}

func confusion(t testing.TB, classes int, actual, predicted []int) *stat.Confusion {
	t.Helper()
	c, err := stat.CountConfusion(classes, actual, predicted)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func calibration(t testing.TB, confidence []float64, hit []bool, bins int) *stat.Calibration {
	t.Helper()
	c, err := stat.NewCalibration(confidence, hit, bins)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func counts(c *stat.Confusion) [][]int {
	rows := make([][]int, c.Classes())
	for actual := range rows {
		for predicted := range c.Classes() {
			rows[actual] = append(rows[actual], c.Count(actual, predicted))
		}
	}
	return rows
}
