package stat

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mathext"
)

// Paired counts rows that were measured twice, once under each of two
// conditions, by whether the event occurred.
type Paired struct {
	Both       int // the event under both conditions
	FirstOnly  int // under the first and not the second
	SecondOnly int // under the second and not the first
	Neither    int
}

// CountPairs counts first and second, two measurements of the same rows in the
// same order; the lengths must agree.
func CountPairs(first, second []bool) (Paired, error) {
	var p Paired
	if len(first) != len(second) {
		return p, fmt.Errorf("count pairs: %d rows first and %d rows second", len(first), len(second))
	}
	for i, a := range first {
		switch b := second[i]; {
		case a && b:
			p.Both++
		case a:
			p.FirstOnly++
		case b:
			p.SecondOnly++
		default:
			p.Neither++
		}
	}
	return p, nil
}

// N returns the number of rows.
func (p Paired) N() int { return p.Both + p.FirstOnly + p.SecondOnly + p.Neither }

// Difference returns the share of rows with the event under the first condition
// minus the share under the second, NaN without rows.
func (p Paired) Difference() float64 {
	if p.N() == 0 {
		return math.NaN()
	}
	return float64(p.FirstOnly-p.SecondOnly) / float64(p.N())
}

// Tango returns the two-sided score interval for Difference. Tango 1998,
// Statistics in Medicine 17, 891-908, eq. 12: the values that the score test
// with the restricted maximum likelihood estimate of the second discordant
// share does not refuse. It never leaves [-1, 1] and has a proper width where no
// pair is discordant. Without rows it is [-1, 1].
func (p Paired) Tango(confidence float64) (Interval, error) {
	if err := p.check(); err != nil {
		return Interval{}, err
	}
	if err := checkConfidence(confidence); err != nil {
		return Interval{}, err
	}
	if p.N() == 0 {
		return Interval{-1, 1}, nil
	}
	z := NormalQuantile((1 + confidence) / 2)
	estimate := p.Difference()
	// The score falls from large to small as the difference grows, so each end
	// is bracketed by the estimate and the end of the range.
	return Interval{
		Lower: bisect(-1, estimate, func(d float64) bool { return p.score(d) > z }),
		Upper: bisect(estimate, 1, func(d float64) bool { return p.score(d) >= -z }),
	}, nil
}

// McNemarExact returns the two-sided p-value of the hypothesis that both
// conditions have the event equally often: the exact conditional test, binomial
// with one half over the discordant pairs. McNemar 1947. Without discordant
// pairs it is 1.
func (p Paired) McNemarExact() (float64, error) {
	if err := p.check(); err != nil {
		return 0, err
	}
	discordant := p.FirstOnly + p.SecondOnly
	fewer := min(p.FirstOnly, p.SecondOnly)
	if 2*fewer == discordant {
		return 1, nil
	}
	// P(X <= fewer) of the binomial distribution.
	tail := mathext.RegIncBeta(float64(discordant-fewer), float64(fewer+1), 0.5)
	return math.Min(1, 2*tail), nil
}

func (p Paired) check() error {
	if p.Both < 0 || p.FirstOnly < 0 || p.SecondOnly < 0 || p.Neither < 0 {
		return fmt.Errorf("check paired counts: %+v has a negative count", p)
	}
	return nil
}

// score is the standardised distance of the observed difference from d.
func (p Paired) score(d float64) float64 {
	n := float64(p.N())
	b, c := float64(p.FirstOnly), float64(p.SecondOnly)
	distance := b - c - n*d
	if distance == 0 {
		return 0
	}
	// The restricted estimate of the share of SecondOnly solves
	// 2n q² + B q + C = 0.
	linear := -b - c + (2*n-b+c)*d
	constant := -c * d * (1 - d)
	q := (math.Sqrt(math.Max(0, linear*linear-8*n*constant)) - linear) / (4 * n)
	variance := n * (2*q + d*(1-d))
	if variance <= 0 {
		return math.Copysign(math.Inf(1), distance)
	}
	return distance / math.Sqrt(variance)
}

// bisect returns the point between lower and upper at which holds turns from
// true to false, to the last bit.
func bisect(lower, upper float64, holds func(float64) bool) float64 {
	for {
		middle := lower + (upper-lower)/2
		if middle <= lower || middle >= upper {
			return middle
		}
		if holds(middle) {
			lower = middle
		} else {
			upper = middle
		}
	}
}
