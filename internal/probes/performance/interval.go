package performance

import (
	"context"
	"math"

	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/result"
	"github.com/assize/assize/internal/stat"
)

// resample draws bootstrap samples of n rows: a thousand, or fewer, at least two
// hundred, where a statistic that passes over the rows so many times would take long.
func resample(seed measure.Seed, n, passes int, strata []int, size int, statistic func() stat.Statistic) (*stat.Bootstrap, error) {
	r := stat.Resampling{Rows: n, Resamples: min(1000, max(200, 200_000_000/(n*passes))), Seed: seed.Whole().Uint64(), Workers: 2, Strata: strata}
	return r.Run(context.Background(), size, statistic)
}

// estimate is a metric with an interval that contains its value.
func estimate(value float64, in stat.Interval, n int, unit, method string) result.Metric {
	return result.Metric{
		Value: value, Lower: min(in.Lower, value), Upper: max(in.Upper, value),
		N: n, Unit: unit, Method: method, Confidence: confidence,
	}
}

// meanOfShares is the mean of independent shares k of n, one per class, with
// the interval that Zou, Huang and Zhang 2009 (A note on confidence interval estimation for a
// linear function of binomial proportions, eq. 6) recover from those of the
// shares: exact ones here, so that it keeps a width where no row is wrong. It is NaN where a class has no rows.
func meanOfShares(ks, ns []int) (float64, stat.Interval, error) {
	mean, below, above := 0.0, 0.0, 0.0
	c := float64(len(ks))
	for i, k := range ks {
		in, err := stat.ClopperPearson(k, ns[i], confidence)
		if err != nil {
			return 0, in, err
		}
		p := float64(k) / float64(ns[i])
		mean += p / c
		below += (p - in.Lower) * (p - in.Lower)
		above += (in.Upper - p) * (in.Upper - p)
	}
	return mean, stat.Interval{Lower: max(0, mean-math.Sqrt(below)/c), Upper: min(1, mean+math.Sqrt(above)/c)}, nil
}
