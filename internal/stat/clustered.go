package stat

import (
	"fmt"

	"gonum.org/v1/gonum/stat/distuv"
)

// ClusteredShare returns the interval of the mean of a share that was seen in each of some
// clusters, such as the share of the faults of each row that change its decision: sum
// and squares add up the shares and their squares, trials is what they were shares of in total. Korn and
// Graubard 1998, Survey Methodology 24, 193-201: the Clopper-Pearson interval of as many independent
// trials as vary like the clusters' mean, corrected by Student's t for few clusters. It counts each
// trial at most once; where the clusters do not vary, which says nothing of how they might,
// each counts as one trial. Without clusters the interval is [0, 1].
func ClusteredShare(sum, squares float64, clusters, trials int, confidence float64) (Interval, error) {
	if err := checkConfidence(confidence); err != nil {
		return Interval{}, err
	}
	n := float64(clusters)
	if clusters < 0 || trials < clusters || !(sum >= 0 && sum <= n*(1+1e-12)) || !(squares >= 0 && squares <= sum*(1+1e-12)) {
		return Interval{}, fmt.Errorf("compute interval: a sum of %v and of squares %v of %d shares over %d trials", sum, squares, clusters, trials)
	}
	if clusters == 0 {
		return Interval{0, 1}, nil
	}
	mean, size := min(1, sum/n), n
	if variance := (squares/n - mean*mean) / (n - 1); clusters > 1 && variance > 1e-15 {
		size = mean * (1 - mean) / variance
		t := func(freedom int) float64 {
			return distuv.StudentsT{Sigma: 1, Nu: float64(freedom)}.Quantile((1 + confidence) / 2)
		}
		ratio := t(trials-1) / t(clusters-1)
		size = min(float64(trials), size*ratio*ratio)
	}
	tail := (1 - confidence) / 2
	return Interval{
		Lower: min(mean, betaLower(mean*size, size, tail)),
		Upper: max(mean, betaUpper(mean*size, size, tail)),
	}, nil
}
