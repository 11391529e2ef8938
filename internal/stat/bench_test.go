package stat_test

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/assize/assize/internal/stat"
)

func BenchmarkRanking(b *testing.B) {
	scores, positive := normals(rand.New(rand.NewPCG(1, 1)), 10_000, 1)
	b.ReportAllocs()
	for b.Loop() {
		rank(b, scores, positive)
	}
	b.ReportMetric(float64(b.N)*10_000/b.Elapsed().Seconds(), "rows/s")
}

func BenchmarkDeLong(b *testing.B) {
	scores, positive := normals(rand.New(rand.NewPCG(1, 1)), 10_000, 1)
	r := rank(b, scores, positive)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.DeLong(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*10_000/b.Elapsed().Seconds(), "rows/s")
}

// BenchmarkBootstrap runs 1000 resamples of 10,000 rows on one goroutine.
func BenchmarkBootstrap(b *testing.B) {
	const rows = 10_000
	rng := rand.New(rand.NewPCG(1, 1))
	scores, positive := normals(rng, rows, 1)
	actual, predicted, confidence := make([]int, rows), make([]int, rows), make([]float64, rows)
	for i := range actual {
		actual[i], predicted[i], confidence[i] = rng.IntN(2), rng.IntN(2), rng.Float64()
	}
	ranking, calibrated := rank(b, scores, positive), calibration(b, confidence, positive, stat.CalibrationBins)
	for _, c := range []struct {
		name   string
		strata []int
		make   func() stat.Statistic
	}{
		{"drawing", nil, func() stat.Statistic { return func(_ []int32, out []float64) { out[0] = 0 } }},
		{"balanced-accuracy", actual, func() stat.Statistic {
			c := confusion(b, 2, nil, nil)
			return func(weights []int32, out []float64) {
				c.Recount(actual, predicted, weights)
				out[0] = c.BalancedAccuracy()
			}
		}},
		{"calibration-error", nil, func() stat.Statistic {
			scratch := make([]float64, stat.CalibrationBins)
			return func(weights []int32, out []float64) { out[0] = calibrated.ECEScratch(weights, scratch) }
		}},
		{"auc", nil, func() stat.Statistic {
			return func(weights []int32, out []float64) { out[0] = ranking.AUC(weights) }
		}},
		{"average-precision", nil, func() stat.Statistic {
			return func(weights []int32, out []float64) { out[0] = ranking.AveragePrecision(weights) }
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			r := stat.Resampling{Rows: rows, Resamples: 1000, Seed: 1, Strata: c.strata}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := r.Run(context.Background(), 1, c.make); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)*1000/b.Elapsed().Seconds(), "resamples/s")
		})
	}
}
