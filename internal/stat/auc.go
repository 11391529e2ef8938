package stat

import (
	"fmt"
	"math"
)

// AreaEstimate is an area under an ROC curve with its DeLong variance.
type AreaEstimate struct {
	AUC float64
	// Variance of AUC, NaN where a class has a single row.
	Variance float64
	pairs    int // rows of the smaller class: disjoint pairs that can be formed
}

// DeLong returns AUC and its variance by DeLong, DeLong and Clarke-Pearson 1988,
// from placements by ranks in O(n log n) (Sun and Xu 2014), ties counting half.
// The error is ErrUndefined unless both classes have rows.
func (r *Ranking) DeLong() (AreaEstimate, error) {
	if r.np == 0 || r.nn == 0 {
		return AreaEstimate{}, fmt.Errorf("compute AUC: %d positive and %d negative rows: %w", r.np, r.nn, ErrUndefined)
	}
	estimate := AreaEstimate{AUC: r.AUC(nil), pairs: min(r.np, r.nn)}
	spread := 0.0
	r.placements(func(_ int32, deviation float64) { spread += deviation * deviation })
	estimate.Variance = spread
	if estimate.pairs == 1 {
		estimate.Variance = math.NaN()
	}
	return estimate, nil
}

// Interval returns the two-sided normal interval for the area, cut at 0 and 1.
// A variance of zero (all pairs in order, or all tied) is no certainty: then, the
// rows of the smaller class form that many independent pairs which all agree,
// and the exact bound of ClopperPearson on a pair that does not gives the
// interval. With a single row in a class it is [0, 1].
func (e AreaEstimate) Interval(confidence float64) (Interval, error) {
	if err := checkConfidence(confidence); err != nil {
		return Interval{}, err
	}
	switch {
	case math.IsNaN(e.Variance):
		return Interval{0, 1}, nil
	case e.Variance == 0:
		other := betaUpper(0, float64(e.pairs), (1-confidence)/2)
		return Interval{e.AUC * (1 - other), e.AUC + (1-e.AUC)*other}, nil
	}
	half := NormalQuantile((1+confidence)/2) * math.Sqrt(e.Variance)
	return Interval{math.Max(0, e.AUC-half), math.Min(1, e.AUC+half)}, nil
}

// MacroAUC returns the plain mean of the one-vs-rest areas of rankings, one per
// class over the same rows, with the variance of that mean from the sum of each
// row's DeLong components over the classes. For two classes with probabilities
// that add to one it equals DeLong. Hand and Till 2001 warn that it depends on
// the shares of the classes. The error is ErrUndefined where a class, or its
// rest, has no rows.
func MacroAUC(rankings []*Ranking) (AreaEstimate, error) {
	if len(rankings) == 0 {
		return AreaEstimate{}, fmt.Errorf("compute macro AUC: no classes: %w", ErrUndefined)
	}
	rows := len(rankings[0].rows)
	total := AreaEstimate{pairs: rows}
	deviations := make([]float64, rows)
	k := float64(len(rankings))
	for class, r := range rankings {
		if len(r.rows) != rows {
			return AreaEstimate{}, fmt.Errorf("compute macro AUC: class %d has %d rows, class 0 has %d", class, len(r.rows), rows)
		}
		one, err := r.DeLong()
		if err != nil {
			return AreaEstimate{}, fmt.Errorf("compute macro AUC: class %d: %w", class, err)
		}
		total.AUC += one.AUC / k
		total.pairs = min(total.pairs, one.pairs)
		r.placements(func(row int32, deviation float64) { deviations[row] += deviation / k })
	}
	for _, d := range deviations {
		total.Variance += d * d
	}
	if total.pairs == 1 {
		total.Variance = math.NaN()
	}
	return total, nil
}

// placements calls f with each row's DeLong component: how far the share of the
// other class that the row is ordered rightly against lies from the area,
// divided so that the squares of all components add up to the variance.
func (r *Ranking) placements(f func(row int32, deviation float64)) {
	area := r.AUC(nil)
	np, nn := float64(r.np), float64(r.nn)
	perPositive, perNegative := scale(np), scale(nn)
	start, positivesAbove, negativesAbove := int32(0), 0, 0
	for _, end := range r.ends {
		run := r.rows[start:end]
		positives := 0
		for _, row := range run {
			if r.positive[row] {
				positives++
			}
		}
		negatives := len(run) - positives
		below := nn - float64(negativesAbove) - float64(negatives)/2
		above := float64(positivesAbove) + float64(positives)/2
		for _, row := range run {
			if r.positive[row] {
				f(row, (below/nn-area)*perPositive)
			} else {
				f(row, (above/np-area)*perNegative)
			}
		}
		positivesAbove += positives
		negativesAbove += negatives
		start = end
	}
}

// scale is 1/sqrt(n(n-1)), 0 for a single row.
func scale(n float64) float64 {
	if n < 2 {
		return 0
	}
	return 1 / math.Sqrt(n*(n-1))
}
