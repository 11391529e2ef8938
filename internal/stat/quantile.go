package stat

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mathext"
)

// SortedQuantile returns the quantile at p of values that are sorted upwards,
// interpolated between the order statistics at p(n-1). Hyndman and Fan 1996,
// type 7. It is NaN without values and where p is outside [0, 1].
func SortedQuantile(sorted []float64, p float64) float64 {
	if len(sorted) == 0 || !(p >= 0 && p <= 1) {
		return math.NaN()
	}
	at := p * float64(len(sorted)-1)
	below := int(at)
	if below+1 >= len(sorted) || sorted[below] == sorted[below+1] {
		return sorted[below]
	}
	// Either end is reached exactly, infinities included.
	part := at - float64(below)
	if part == 0 {
		return sorted[below]
	}
	return sorted[below] + part*(sorted[below+1]-sorted[below])
}

// Quantile is SortedQuantile of values in any order, which it does not change.
func Quantile(values []float64, p float64) float64 {
	sorted := slices.Clone(values)
	slices.Sort(sorted)
	return SortedQuantile(sorted, p)
}

// Median returns the median of values in any order, NaN without values.
func Median(values []float64) float64 { return Quantile(values, 0.5) }

// OrderRanks returns the ranks, from 1, of the order statistics of n values that
// enclose the quantile at p of their distribution with at least the confidence,
// each tail holding at most half of the rest: the exact binomial interval, true
// for every continuous distribution and conservative for others. David and
// Nagaraja 2003, section 7.1. Rank 0 says that no value is low enough, rank n+1
// that none is high enough: n is too small for the claim.
func OrderRanks(n int, p, confidence float64) (lower, upper int, err error) {
	if err := checkConfidence(confidence); err != nil {
		return 0, 0, err
	}
	if n < 1 {
		return 0, 0, fmt.Errorf("compute quantile interval: no values")
	}
	if !(p > 0 && p < 1) {
		return 0, 0, fmt.Errorf("compute quantile interval: p %v is not strictly between 0 and 1", p)
	}
	tail := (1 - confidence) / 2
	// The quantile lies below rank r with probability P(X < r), X binomial.
	lower = lastTrue(n, func(r int) bool { return binomialCDF(r-1, n, p) <= tail })
	// And above rank n+1-r with P(X' < r), X' counted from the other end.
	upper = n + 1 - lastTrue(n, func(r int) bool { return binomialCDF(r-1, n, 1-p) <= tail })
	return lower, upper, nil
}

// QuantileInterval returns the interval between the order statistics that
// OrderRanks names; values may be in any order and are not changed. An end that
// the values cannot give is an infinity; callers that know the range put its end
// there.
func QuantileInterval(values []float64, p, confidence float64) (Interval, error) {
	lower, upper, err := OrderRanks(len(values), p, confidence)
	if err != nil {
		return Interval{}, err
	}
	for i, v := range values {
		if math.IsNaN(v) {
			return Interval{}, fmt.Errorf("compute quantile interval: row %d: not a number", i)
		}
	}
	sorted := slices.Clone(values)
	slices.Sort(sorted)
	interval := Interval{math.Inf(-1), math.Inf(1)}
	if lower >= 1 {
		interval.Lower = sorted[lower-1]
	}
	if upper <= len(sorted) {
		interval.Upper = sorted[upper-1]
	}
	return interval, nil
}

// binomialCDF is P(X <= k) of n trials at p.
func binomialCDF(k, n int, p float64) float64 {
	switch {
	case k < 0:
		return 0
	case k >= n:
		return 1
	}
	return mathext.RegIncBeta(float64(n-k), float64(k+1), 1-p)
}

// lastTrue is the largest r from 1 to n that holds, 0 where none does; holds
// must not turn true again.
func lastTrue(n int, holds func(int) bool) int {
	low, high := 0, n+1
	for low+1 < high {
		middle := low + (high-low)/2
		if holds(middle) {
			low = middle
		} else {
			high = middle
		}
	}
	return low
}
