package stat

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// maxUndefinedShare is the share of undefined replicates beyond which no
// interval is given: it would speak of the defined ones alone.
const maxUndefinedShare = 0.05

// Percentile returns the two-sided percentile interval of the given value:
// quantiles of its replicates, interpolated. Efron and Tibshirani 1993, ch. 13.
// The error is ErrUndefined where the estimate, or over one replicate in twenty,
// is NaN; undefined replicates below that share are left out.
func (b *Bootstrap) Percentile(value int, confidence float64) (Interval, error) {
	sorted, err := b.sorted(value, confidence)
	if err != nil {
		return Interval{}, err
	}
	tail := (1 - confidence) / 2
	return Interval{SortedQuantile(sorted, tail), SortedQuantile(sorted, 1-tail)}, nil
}

// Basic returns the two-sided basic interval: the percentile interval mirrored
// at the estimate. Davison and Hinkley 1997, eq. 5.6. Where resampling shifts a
// statistic the way that sampling did, as with a calibration error, which noise
// raises, it corrects the shift that Percentile doubles. It may leave
// the statistic's range; callers clamp. Errors are those of Percentile.
func (b *Bootstrap) Basic(value int, confidence float64) (Interval, error) {
	p, err := b.Percentile(value, confidence)
	if err != nil {
		return Interval{}, err
	}
	estimate := b.Estimates[value]
	return Interval{2*estimate - p.Upper, 2*estimate - p.Lower}, nil
}

// BCa returns the two-sided bias-corrected and accelerated interval. Efron 1987;
// Efron and Tibshirani 1993, eq. 14.9 to 14.15; replicates equal to the estimate
// count half towards the bias. Where the estimate lies outside all replicates
// the correction is unbounded, and the error says so: use Basic. Errors are
// otherwise those of Percentile.
func (b *Bootstrap) BCa(value int, confidence float64) (Interval, error) {
	sorted, err := b.sorted(value, confidence)
	if err != nil {
		return Interval{}, err
	}
	estimate := b.Estimates[value]
	first, _ := slices.BinarySearch(sorted, estimate)
	last, _ := slices.BinarySearch(sorted, math.Nextafter(estimate, math.Inf(1)))
	share := float64(first+last) / 2 / float64(len(sorted))
	if share <= 0 || share >= 1 {
		return Interval{}, fmt.Errorf("compute BCa interval: the estimate %v lies outside its %d replicates: %w", estimate, len(sorted), ErrUndefined)
	}
	bias := NormalQuantile(share)
	a := acceleration(b.Jackknife[value])
	z := NormalQuantile((1 + confidence) / 2)
	at := func(z float64) float64 {
		shifted := bias + z
		return SortedQuantile(sorted, distuv.UnitNormal.CDF(bias+shifted/(1-a*shifted)))
	}
	return Interval{at(-z), at(z)}, nil
}

// Undefined returns how many replicates of the given value are NaN.
func (b *Bootstrap) Undefined(value int) int {
	count := 0
	for _, v := range b.Replicates[value] {
		if math.IsNaN(v) {
			count++
		}
	}
	return count
}

func (b *Bootstrap) sorted(value int, confidence float64) ([]float64, error) {
	if err := checkConfidence(confidence); err != nil {
		return nil, err
	}
	if value < 0 || value >= len(b.Estimates) {
		return nil, fmt.Errorf("compute bootstrap interval: value %d of %d", value, len(b.Estimates))
	}
	if math.IsNaN(b.Estimates[value]) {
		return nil, fmt.Errorf("compute bootstrap interval: the estimate is %w", ErrUndefined)
	}
	undefined, all := b.Undefined(value), len(b.Replicates[value])
	if all == undefined || float64(undefined) > maxUndefinedShare*float64(all) {
		return nil, fmt.Errorf("compute bootstrap interval: %d of %d replicates are %w", undefined, all, ErrUndefined)
	}
	sorted := slices.Clone(b.Replicates[value])
	slices.Sort(sorted) // NaN sorts first
	return sorted[undefined:], nil
}

// acceleration is the skewness of the jackknife over six. Undefined values are
// left out; where all agree it is 0.
func acceleration(jackknife []float64) float64 {
	mean, n := 0.0, 0
	for _, v := range jackknife {
		if !math.IsNaN(v) {
			mean += v
			n++
		}
	}
	mean /= float64(max(1, n))
	var squares, cubes float64
	for _, v := range jackknife {
		if !math.IsNaN(v) {
			d := mean - v
			squares += d * d
			cubes += d * d * d
		}
	}
	if squares == 0 {
		return 0
	}
	return cubes / (6 * squares * math.Sqrt(squares))
}
