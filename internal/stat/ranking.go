package stat

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// Ranking is a set of rows ordered by score, each positive or negative: what ROC
// curves, AUC, average precision and the Kolmogorov-Smirnov separation are
// computed from. It is sorted once, so that weighted values cost one pass. It is
// read-only after NewRanking and safe to share.
type Ranking struct {
	rows     []int32   // rows by falling score
	ends     []int32   // end, in rows, of each run of equal scores
	scores   []float64 // the score of each run
	positive []bool    // by row, not by rank
	np, nn   int       // positives and negatives
}

// NewRanking orders rows by score; a larger score speaks for positive. The
// lengths must agree and scores must not be NaN; infinities rank at the ends.
func NewRanking(scores []float64, positive []bool) (*Ranking, error) {
	if len(scores) != len(positive) {
		return nil, fmt.Errorf("rank scores: %d scores and %d labels", len(scores), len(positive))
	}
	if len(scores) > MaxRows {
		return nil, fmt.Errorf("rank scores: %d rows are more than %d", len(scores), MaxRows)
	}
	r := &Ranking{rows: make([]int32, len(scores)), positive: slices.Clone(positive)}
	for i, s := range scores {
		if math.IsNaN(s) {
			return nil, fmt.Errorf("rank scores: row %d: score is not a number", i)
		}
		r.rows[i] = int32(i)
		if positive[i] {
			r.np++
		} else {
			r.nn++
		}
	}
	slices.SortFunc(r.rows, func(a, b int32) int {
		if c := cmp.Compare(scores[b], scores[a]); c != 0 {
			return c
		}
		return cmp.Compare(a, b)
	})
	for i := 0; i < len(r.rows); {
		score := scores[r.rows[i]]
		end := i + 1
		for end < len(r.rows) && scores[r.rows[end]] == score {
			end++
		}
		r.ends = append(r.ends, int32(end))
		r.scores = append(r.scores, score)
		i = end
	}
	return r, nil
}

// Positives returns the number of positive rows.
func (r *Ranking) Positives() int { return r.np }

// Negatives returns the number of negative rows.
func (r *Ranking) Negatives() int { return r.nn }

// AUC returns the area under the ROC curve: the share of pairs of a positive and
// a negative row in which the positive has the larger score, ties counting half
// (Mann and Whitney 1947). weights gives how often each row counts; nil is once
// each. It is NaN unless both classes have weight.
func (r *Ranking) AUC(weights []int32) float64 {
	var above, pairs, negatives int64 // twice the ordered pairs, to keep ties whole
	var positives int64
	r.runs(weights, func(p, n int64) {
		above += n * (2*positives + p)
		positives += p
		negatives += n
	})
	pairs = positives * negatives
	if pairs == 0 {
		return math.NaN()
	}
	return float64(above) / float64(2*pairs)
}

// Gini returns the Gini coefficient of the scores, 2 AUC - 1, also called the
// accuracy ratio. It is NaN where AUC is.
func (r *Ranking) Gini(weights []int32) float64 { return 2*r.AUC(weights) - 1 }

// KS returns the Kolmogorov-Smirnov statistic of credit scoring: the largest
// distance between the distribution functions of the scores of positives and of
// negatives, which is the largest of |TPR - FPR|. It is NaN unless both classes
// have weight.
func (r *Ranking) KS(weights []int32) float64 {
	allPositive, allNegative := r.totals(weights)
	if allPositive == 0 || allNegative == 0 {
		return math.NaN()
	}
	var positives, negatives, largest int64
	r.runs(weights, func(p, n int64) {
		positives += p
		negatives += n
		largest = max(largest, abs(positives*allNegative-negatives*allPositive))
	})
	return float64(largest) / (float64(allPositive) * float64(allNegative))
}

// AveragePrecision returns the area under the precision-recall curve as a sum of
// steps, precision at each distinct score times the recall gained there, without
// interpolation. It is NaN where no positive has weight.
func (r *Ranking) AveragePrecision(weights []int32) float64 {
	var positives, all int64
	sum := 0.0
	r.runs(weights, func(p, n int64) {
		positives += p
		all += p + n
		if p > 0 {
			sum += float64(p) * float64(positives) / float64(all)
		}
	})
	if positives == 0 {
		return math.NaN()
	}
	return sum / float64(positives)
}

// runs calls f with the weight of positives and of negatives of each run of
// equal scores, by falling score.
func (r *Ranking) runs(weights []int32, f func(positive, negative int64)) {
	start := int32(0)
	for _, end := range r.ends {
		var count [2]int64
		for _, row := range r.rows[start:end] {
			weight := int64(1)
			if weights != nil {
				weight = int64(weights[row])
			}
			if r.positive[row] {
				count[1] += weight
			} else {
				count[0] += weight
			}
		}
		f(count[1], count[0])
		start = end
	}
}

func (r *Ranking) totals(weights []int32) (positive, negative int64) {
	if weights == nil {
		return int64(r.np), int64(r.nn)
	}
	for row, p := range r.positive {
		if p {
			positive += int64(weights[row])
		} else {
			negative += int64(weights[row])
		}
	}
	return positive, negative
}

func abs(x int64) int64 {
	if x < 0 {
		return -x
	}
	return x
}
