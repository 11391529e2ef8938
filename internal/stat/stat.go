// Package stat holds the statistics that measurements are reported with:
// intervals for proportions, for paired differences, for areas under curves
// and for any statistic by the bootstrap; classification metrics after
// ISO/IEC TS 4213; sample sizes; smoothing radii and drift.
//
// Functions are pure. A metric that is not defined on the data it is given (a
// class is absent, a denominator is zero) is NaN, never 0; use math.IsNaN to
// tell. Input that cannot be meant (lengths that differ, a probability of 1.2)
// is an error that names the row, counted from 0.
package stat

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// ErrUndefined reports that the data does not define the value that was asked
// for, such as the AUC of rows that are all of one class. It says nothing about
// quality and is never to be read as 0.
var ErrUndefined = errors.New("undefined on this data")

// Interval is a closed interval from Lower to Upper. Which method and which
// confidence made it is up to the function that returns it.
type Interval struct {
	Lower, Upper float64
}

// Contains reports whether x lies inside the interval, ends included.
func (i Interval) Contains(x float64) bool {
	return i.Lower <= x && x <= i.Upper
}

// Hull returns the smallest interval that contains both.
func (i Interval) Hull(other Interval) Interval {
	return Interval{math.Min(i.Lower, other.Lower), math.Max(i.Upper, other.Upper)}
}

// NormalQuantile returns the quantile of the standard normal distribution at p,
// which lies strictly between 0 and 1; elsewhere it returns an infinity or NaN.
func NormalQuantile(p float64) float64 {
	switch {
	case p == 0:
		return math.Inf(-1)
	case p == 1:
		return math.Inf(1)
	case !(p > 0 && p < 1):
		return math.NaN()
	}
	return distuv.UnitNormal.Quantile(p)
}

func checkConfidence(confidence float64) error {
	if !(confidence > 0 && confidence < 1) {
		return fmt.Errorf("check confidence: %v is not strictly between 0 and 1", confidence)
	}
	return nil
}

func checkCount(k, n int) error {
	if n < 0 || k < 0 || k > n {
		return fmt.Errorf("check count: %d of %d is not a proportion", k, n)
	}
	return nil
}

func checkFinite(what string, values []float64) error {
	for i, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("check %s: row %d: %v is not a finite number", what, i, v)
		}
	}
	return nil
}

func clamp(x, lower, upper float64) float64 {
	return math.Min(math.Max(x, lower), upper)
}
