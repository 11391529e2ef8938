package stat

import (
	"fmt"
	"math"
)

// ROCPoint is one point of an ROC curve: the rates when rows with a score of at
// least Threshold are called positive. The first point of a curve calls none
// positive and has the threshold +Inf.
type ROCPoint struct {
	Threshold         float64
	FalsePositiveRate float64
	TruePositiveRate  float64
}

// ROC returns the ROC curve from (0, 0) to (1, 1), at most points long (at least
// 2). Every point lies exactly on the curve: points on a straight line between
// their neighbours are left out first, then those that keep the rest evenly
// spread along the curve are kept. Fawcett 2006. The error is ErrUndefined unless
// both classes have rows.
func (r *Ranking) ROC(points int) ([]ROCPoint, error) {
	if points < 2 {
		return nil, fmt.Errorf("draw ROC curve: %d points, needs at least 2", points)
	}
	if r.np == 0 || r.nn == 0 {
		return nil, fmt.Errorf("draw ROC curve: %d positive and %d negative rows: %w", r.np, r.nn, ErrUndefined)
	}
	type corner struct {
		threshold float64
		fp, tp    int64
	}
	corners := []corner{{math.Inf(1), 0, 0}}
	var at corner
	run := 0
	r.runs(nil, func(p, n int64) {
		at = corner{r.scores[run], at.fp + n, at.tp + p}
		run++
		if last := len(corners) - 1; last > 0 {
			a, b := corners[last-1], corners[last]
			if (b.fp-a.fp)*(at.tp-b.tp) == (at.fp-b.fp)*(b.tp-a.tp) {
				corners[last] = at
				return
			}
		}
		corners = append(corners, at)
	})
	np, nn := float64(r.np), float64(r.nn)
	point := func(c corner) ROCPoint {
		return ROCPoint{c.threshold, float64(c.fp) / nn, float64(c.tp) / np}
	}
	curve := make([]ROCPoint, 0, min(points, len(corners)))
	curve = append(curve, point(corners[0]))
	for _, c := range corners[1 : len(corners)-1] {
		// Along the curve, the sum of both rates runs from 0 to 2.
		next := point(c)
		step := 2 * float64(len(curve)) / float64(points-1)
		if len(corners) <= points || next.FalsePositiveRate+next.TruePositiveRate >= step && len(curve) < points-1 {
			curve = append(curve, next)
		}
	}
	return append(curve, point(corners[len(corners)-1])), nil
}
