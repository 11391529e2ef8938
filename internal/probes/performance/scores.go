package performance

import (
	"errors"
	"fmt"
	"math"

	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/result"
	"github.com/assize/assize/internal/stat"
)

// scored is the rows that carry probabilities or a score.
type scored struct {
	label []int
	probs []float64 // N×classes, rows adding up to 1; nil where not all were kept
	score []float64 // of the positive class; nil where there is none
	truth []bool    // the row is positive
	free  bool      // the score is on the model's own scale
}

// probabilities adds the metrics of scores and probabilities over the rows that have them.
func (a *answered) probabilities(j *measure.Joint) error {
	var at []int
	for i, v := range j.Rows.Column(colScored) {
		if v == 1 {
			at = append(at, i)
		}
	}
	switch {
	case len(at) < 2:
		a.note("the system gives labels alone, or no usable score: no metric of probabilities")
		return nil
	case len(at) < a.n():
		a.note("metrics of probabilities are over the %d rows that have some", len(at))
	}
	if j.Rows.Column(colBrier) != nil {
		return a.manyClasses(j, at)
	}
	s := a.gather(j, at)
	if err := a.ranking(s); err != nil {
		return err
	}
	if s.free {
		a.note("the score is on the model's own scale: log_loss, brier and calibration_error need probabilities")
		return nil
	}
	return a.losses(s)
}

// gather takes the rows at these places, in the classes of a.
func (a *answered) gather(j *measure.Joint, at []int) *scored {
	s := &scored{free: j.Rows.Column(colScore) != nil}
	for _, i := range at {
		s.label = append(s.label, a.label[i])
	}
	if a.positive >= 0 {
		column := j.Rows.Column(probability(j.Facts.Positive))
		if s.free {
			column = j.Rows.Column(colScore)
		}
		for k, i := range at {
			s.score = append(s.score, column[i])
			s.truth = append(s.truth, s.label[k] == a.positive)
		}
	}
	if s.free || a.positive >= 0 && a.classes() != j.Facts.Classes {
		return s
	}
	columns := make([][]float64, a.classes())
	for c := range columns {
		columns[c] = j.Rows.Column(probability(c))
	}
	for _, i := range at {
		for _, column := range columns {
			s.probs = append(s.probs, column[i])
		}
	}
	a.normalise(s, len(at))
	return s
}

// normalise checks that probabilities add up to one, as far as the decimals
// that they are given out with allow, and makes them do so exactly.
func (a *answered) normalise(s *scored, n int) {
	k := a.classes()
	decimals := decimalsOf(s.probs)
	tolerance := 0.001
	if decimals < 6 {
		tolerance += float64(k) * 0.5 * math.Pow(10, -float64(decimals))
		a.note("probabilities are given out with %d decimals; they are brought to a sum of 1 for log_loss and brier", decimals)
	}
	worst, bad := 0.0, 0
	for i := range n {
		row := s.probs[i*k : (i+1)*k]
		sum := 0.0
		for _, p := range row {
			sum += p
		}
		off := math.Abs(sum - 1)
		worst = max(worst, off)
		if off > tolerance {
			bad++
		}
		for c := range row {
			if row[c] /= sum; sum == 0 {
				row[c] = 1 / float64(k)
			}
		}
	}
	note := fmt.Sprintf("sums differ from 1 by at most %.2g", worst)
	if bad > 0 {
		note = fmt.Sprintf("%d rows of probabilities do not add up to 1; the farthest misses it by %.3g", bad, worst)
	}
	a.res.Check("probabilities-valid", bad == 0, note)
}

// decimalsOf is the number of decimals, from 1 to 6, that probabilities were rounded to; 6 is not at all.
func decimalsOf(probs []float64) int {
	for d := 1; d < 6; d++ {
		unit, all := math.Pow(10, float64(d)), true
		for _, p := range probs {
			if v := p * unit; math.Abs(v-math.Round(v)) > 1e-6*unit {
				all = false
				break
			}
		}
		if all {
			return d
		}
	}
	return 6
}

// ranking adds AUC, Gini and KS: of the positive class, or the mean over the classes of one against the rest.
func (a *answered) ranking(s *scored) error {
	var rankings []*stat.Ranking
	if a.positive >= 0 {
		r, err := stat.NewRanking(s.score, s.truth)
		if err != nil {
			return err
		}
		rankings = append(rankings, r)
	} else {
		for c := range a.classes() {
			score, truth, err := stat.OneVsRest(a.classes(), c, s.label, s.probs)
			if err != nil {
				return err
			}
			r, err := stat.NewRanking(score, truth)
			if err != nil {
				return err
			}
			rankings = append(rankings, r)
		}
	}
	area, err := stat.MacroAUC(rankings)
	if len(rankings) == 1 {
		area, err = rankings[0].DeLong()
	}
	if errors.Is(err, stat.ErrUndefined) {
		a.note("auc, gini and ks are undefined: a class, or its rest, has no rows with a score")
		return nil
	}
	if err != nil {
		return err
	}
	in, err := area.Interval(confidence)
	if err != nil {
		return err
	}
	n := len(s.label)
	a.res.Metrics["auc"] = estimate(area.AUC, in, n, "score", "DeLong")
	a.res.Metrics["gini"] = estimate(2*area.AUC-1, stat.Interval{Lower: 2*in.Lower - 1, Upper: 2*in.Upper - 1}, n, "score", "DeLong")
	if err := a.separation(s, rankings); err != nil {
		return err
	}
	return a.roc(rankings)
}

// separation adds KS with a bootstrap interval that keeps the size of every class.
func (a *answered) separation(s *scored, rankings []*stat.Ranking) error {
	b, err := resample(a.seed, len(s.label), len(rankings), s.label, 1, func() stat.Statistic {
		return func(w []int32, out []float64) {
			out[0] = 0
			for _, r := range rankings {
				out[0] += r.KS(w) / float64(len(rankings))
			}
		}
	})
	if err != nil {
		return err
	}
	in, err := b.Percentile(0, confidence)
	if errors.Is(err, stat.ErrUndefined) {
		a.note("ks is undefined: a class has no rows with a score")
		return nil
	}
	if err != nil {
		return err
	}
	method := "bootstrap percentile, stratified"
	if in.Lower == in.Upper {
		smallest := len(s.label)
		for _, r := range rankings {
			smallest = min(smallest, r.Positives(), r.Negatives())
		}
		in.Lower, method = max(0, in.Lower-4/float64(smallest)), "rule of three: four rows of the smallest class on the wrong side"
	}
	a.res.Metrics["ks"] = estimate(b.Estimates[0], in, len(s.label), "score", method)
	return nil
}

// roc draws the curves of the positive class, or of every class where they are few.
func (a *answered) roc(rankings []*stat.Ranking) error {
	if len(rankings) > 10 {
		return nil
	}
	p := result.Picture{ID: "roc", Title: "ROC curve", Kind: "curve", XLabel: "false positive rate", YLabel: "true positive rate", Diagonal: true}
	for c, r := range rankings {
		if len(rankings) == 1 {
			c = a.positive
		}
		points, err := r.ROC(200 / len(rankings))
		if err != nil {
			return err
		}
		line := result.Series{Name: a.names[c]}
		for _, q := range points {
			line.X, line.Y = append(line.X, q.FalsePositiveRate), append(line.Y, q.TruePositiveRate)
		}
		p.Series = append(p.Series, line)
	}
	a.res.Pictures = append(a.res.Pictures, p)
	return nil
}

// losses adds log loss, Brier score and calibration error.
func (a *answered) losses(s *scored) error {
	var logs, squares, stated []float64
	var hit []bool
	var err error
	what := "probability of the positive class"
	if s.probs == nil { // a cut-off on one of several classes
		for _, p := range s.score {
			s.probs = append(s.probs, 1-p, p)
		}
		a.res.Check("probabilities-valid", true, "the probability of the positive class lies in [0, 1]")
	}
	if logs, err = stat.LogLosses(a.classes(), s.label, s.probs); err != nil {
		return err
	}
	if a.positive >= 0 {
		stated, hit = s.score, s.truth
		squares, err = stat.BinaryBrierScores(s.score, s.truth)
	} else {
		what = "probability of the most probable class"
		stated, hit, err = stat.Confidences(a.classes(), s.label, stat.Argmax(a.classes(), s.probs), s.probs)
		if err == nil {
			squares, err = stat.BrierScores(a.classes(), s.label, s.probs)
		}
	}
	if err != nil {
		return err
	}
	return a.lossMetrics(logs, squares, stated, hit, what)
}

// manyClasses is losses for more classes than the table has columns for.
func (a *answered) manyClasses(j *measure.Joint, at []int) error {
	a.note("with more than %d classes the probabilities of all are not kept: no auc, gini and ks", maxKept)
	var logs, squares, stated []float64
	var hit []bool
	ofLabel, best, bestRight, brier := j.Rows.Column(colOfLabel), j.Rows.Column(colOfBest), j.Rows.Column(colBest), j.Rows.Column(colBrier)
	for _, i := range at {
		logs = append(logs, -math.Log(max(ofLabel[i], 0x1p-52)))
		squares, stated, hit = append(squares, brier[i]), append(stated, best[i]), append(hit, bestRight[i] == 1)
	}
	a.res.Check("probabilities-valid", true, "every row adds up to 1 within 0.1")
	return a.lossMetrics(logs, squares, stated, hit, "probability of the most probable class")
}

func (a *answered) lossMetrics(logs, squares, stated []float64, hit []bool, what string) error {
	n := len(logs)
	calibration, err := stat.NewCalibration(stated, hit, stat.CalibrationBins)
	if err != nil {
		return err
	}
	b, err := resample(a.seed, n, 3, nil, 3, func() stat.Statistic {
		scratch := make([]float64, 4*stat.CalibrationBins)
		return func(w []int32, out []float64) {
			out[0], out[1] = stat.WeightedMean(logs, w), stat.WeightedMean(squares, w)
			out[2] = calibration.ECEScratch(w, scratch)
		}
	})
	if err != nil {
		return err
	}
	for i, name := range []string{"log_loss", "brier"} {
		in, err := b.Percentile(i, confidence)
		if err != nil {
			return err
		}
		unit := "score"
		if name == "log_loss" {
			unit = "nats"
		}
		a.res.Metrics[name] = estimate(b.Estimates[i], in, n, unit, "bootstrap percentile")
	}
	percentile, err := b.Percentile(2, confidence)
	if err != nil {
		return err
	}
	basic, err := b.Basic(2, confidence)
	if err != nil {
		return err
	}
	in := percentile.Hull(basic)
	in.Lower, in.Upper = max(0, in.Lower), min(1, in.Upper)
	a.res.Metrics["calibration_error"] = estimate(b.Estimates[2], in, n, "share", "bootstrap, hull of basic and percentile")
	a.note("calibration is that of the %s, in %d bins of equal width", what, stat.CalibrationBins)
	return a.reliability(calibration, what)
}

func (a *answered) reliability(c *stat.Calibration, what string) error {
	bins, err := c.Reliability(confidence)
	if err != nil {
		return err
	}
	line := result.Series{Name: "observed share"}
	for _, b := range bins {
		if b.Count > 0 {
			line.X, line.Y = append(line.X, b.MeanConfidence), append(line.Y, b.Observed)
			line.Lower, line.Upper = append(line.Lower, b.Interval.Lower), append(line.Upper, b.Interval.Upper)
		}
	}
	a.res.Pictures = append(a.res.Pictures, result.Picture{
		ID: "reliability", Title: "Reliability diagram", Kind: "curve", XLabel: what, YLabel: "share that came true",
		Diagonal: true, Series: []result.Series{line},
	})
	return nil
}
