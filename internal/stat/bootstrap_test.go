package stat_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assize/assize/internal/stat"
)

// spread is the standard deviation of weighted values.
func spread(x []float64) func() stat.Statistic {
	return func() stat.Statistic {
		return func(weights []int32, out []float64) {
			mean, squares, n := stat.WeightedMean(x, weights), 0.0, 0.0
			for i, v := range x {
				squares += float64(weights[i]) * (v - mean) * (v - mean)
				n += float64(weights[i])
			}
			out[0] = math.Sqrt(squares / n)
		}
	}
}

// TestBootstrapIntervalsAgainstSciPy gives the intervals SciPy's own replicates.
func TestBootstrapIntervalsAgainstSciPy(t *testing.T) {
	want := readReference(t).Bootstrap
	b := run(t, stat.Resampling{Rows: len(want.X), Resamples: 1}, 1, spread(want.X))
	b.Replicates = [][]float64{want.Replicates}
	for _, c := range []struct {
		name   string
		method func(int, float64) (stat.Interval, error)
		want   [2]float64
	}{{"percentile", b.Percentile, want.Percentile}, {"basic", b.Basic, want.Basic}, {"BCa", b.BCa, want.BCa}} {
		got, err := c.method(0, 0.9)
		if err != nil {
			t.Fatal(err)
		}
		near(t, c.name+" lower", got.Lower, c.want[0], 1e-12)
		near(t, c.name+" upper", got.Upper, c.want[1], 1e-12)
	}
}

func TestBootstrapDoesNotDependOnWorkers(t *testing.T) {
	x := readReference(t).Bootstrap.X
	r := stat.Resampling{Rows: len(x), Resamples: 200, Seed: 42}
	one := run(t, r, 1, spread(x))
	r.Workers = 7
	seven := run(t, r, 1, spread(x))
	if diff := cmp.Diff(seven, one); diff != "" {
		t.Errorf("7 workers - 1 worker +\n%s", diff)
	}
	r.Seed = 43
	if other := run(t, r, 1, spread(x)); cmp.Equal(other.Replicates, one.Replicates) {
		t.Error("another seed gave the same replicates")
	}
}

// TestBootstrapDrawsUniformly compares with the closed form: the bootstrap
// variance of a mean is the population variance over n, and a row is left out
// with probability (1-1/n)^n.
func TestBootstrapDrawsUniformly(t *testing.T) {
	const rows, resamples = 37, 20_000
	x := make([]float64, rows)
	for i := range x {
		x[i] = float64(i)
	}
	b := run(t, stat.Resampling{Rows: rows, Resamples: resamples, Seed: 1}, 4, func() stat.Statistic {
		return func(weights []int32, out []float64) {
			total := 0
			for _, w := range weights {
				total += int(w)
			}
			if total != rows && total != rows-1 {
				t.Errorf("got %d rows drawn, want %d", total, rows)
			}
			out[0] = stat.WeightedMean(x, weights)
			out[1], out[2], out[3] = 0, float64(weights[0]), float64(weights[rows-1])
			if weights[5] == 0 {
				out[1] = 1
			}
		}
	})
	mean := stat.WeightedMean(b.Replicates[0], nil)
	variance := 0.0
	for _, v := range b.Replicates[0] {
		variance += (v - mean) * (v - mean) / (resamples - 1)
	}
	want := float64(rows*rows-1) / 12 / rows
	near(t, "mean", mean, float64(rows-1)/2, 4*math.Sqrt(want/resamples)/18)
	near(t, "variance", variance/want, 1, 4*math.Sqrt(2.0/resamples))
	near(t, "left out", stat.WeightedMean(b.Replicates[1], nil), math.Pow(1-1.0/rows, rows), 4*math.Sqrt(0.25/resamples))
	near(t, "weight of the first row", stat.WeightedMean(b.Replicates[2], nil), 1, 4/math.Sqrt(resamples))
	near(t, "weight of the last row", stat.WeightedMean(b.Replicates[3], nil), 1, 4/math.Sqrt(resamples))
}

// TestBootstrapJackknifeInGroups checks that beyond 500 rows each row is left out
// in exactly one group.
func TestBootstrapJackknifeInGroups(t *testing.T) {
	const rows = 1203
	// Each row has a value of its own that the missing weight adds up.
	b := run(t, stat.Resampling{Rows: rows, Resamples: 1}, 2, func() stat.Statistic {
		return func(weights []int32, out []float64) {
			clear(out)
			for i, w := range weights {
				if w == 0 {
					out[0]++
					out[1] += float64(i * i)
				}
			}
		}
	})
	count, squares := 0.0, 0.0
	for g, n := range b.Jackknife[0] {
		count += n
		squares += b.Jackknife[1][g]
	}
	if want := float64((rows - 1) * rows * (2*rows - 1) / 6); len(b.Jackknife[0]) != 500 || count != rows || squares != want {
		t.Errorf("got %d groups that leave out %v rows with squares %v, want 500, %d and %v", len(b.Jackknife[0]), count, squares, rows, want)
	}
}

func TestBootstrapKeepsStrata(t *testing.T) {
	strata := []int{2, 0, 2, 2, 0, 4, 2, 0, 2}
	want := []float64{3, 0, 5, 0, 1}
	drawn := map[int]bool{}
	b := run(t, stat.Resampling{Rows: len(strata), Resamples: 300, Seed: 3, Strata: strata}, 5, func() stat.Statistic {
		return func(weights []int32, out []float64) {
			clear(out)
			for i, w := range weights {
				out[strata[i]] += float64(w)
				if w > 1 {
					drawn[i] = true
				}
			}
		}
	})
	for stratum, n := range want {
		for _, got := range b.Replicates[stratum] {
			if got != n {
				t.Fatalf("stratum %d: got %v rows, want %v", stratum, got, n)
			}
		}
	}
	if len(drawn) != 8 {
		t.Errorf("got %d rows drawn more than once in some sample, want all 8 of strata above one row", len(drawn))
	}
}

// TestBootstrapCoverage checks that 90 % intervals hold the truth about that
// often: BCa for a skewed statistic, and for a calibration error the hull of
// Basic and Percentile, which may hold more.
func TestBootstrapCoverage(t *testing.T) {
	const samples, rows = 200, 60
	rng := rand.New(rand.NewPCG(5, 5))
	held := 0
	for s := range samples {
		x := make([]float64, rows)
		for i := range x {
			x[i] = rng.ExpFloat64()
		}
		b := run(t, stat.Resampling{Rows: rows, Resamples: 300, Seed: uint64(s)}, 1, spread(x))
		interval, err := b.BCa(0, 0.9)
		if err != nil {
			t.Fatal(err)
		}
		if interval.Contains(1) {
			held++
		}
	}
	if share := float64(held) / samples; share < 0.78 || share > 0.97 {
		t.Errorf("BCa: got coverage %v, want near 0.9", share)
	}
	for _, gap := range []float64{0.05, 0.1} {
		below, above := calibrationMisses(t, rng, samples, 400, gap)
		if below > samples/10 || above > samples/20 {
			t.Errorf("calibration error %v: got the truth below %d and above %d of %d intervals, want at most a tenth and a twentieth", gap, below, above, samples)
		}
	}
}

// calibrationMisses draws samples of rows whose stated confidence is too high by
// gap and counts how often the truth is below and above the interval of the calibration
// error.
func calibrationMisses(t *testing.T, rng *rand.Rand, samples, rows int, gap float64) (below, above int) {
	t.Helper()
	confidence, hit := make([]float64, rows), make([]bool, rows)
	for s := range samples {
		for i := range confidence {
			confidence[i] = 0.5 + 0.5*rng.Float64()
			hit[i] = rng.Float64() < confidence[i]-gap
		}
		c := calibration(t, confidence, hit, stat.CalibrationBins)
		b := run(t, stat.Resampling{Rows: rows, Resamples: 300, Seed: uint64(s)}, 1, func() stat.Statistic {
			scratch := make([]float64, stat.CalibrationBins)
			return func(weights []int32, out []float64) { out[0] = c.ECEScratch(weights, scratch) }
		})
		basic, err := b.Basic(0, 0.9)
		if err != nil {
			t.Fatal(err)
		}
		percentile, err := b.Percentile(0, 0.9)
		if err != nil {
			t.Fatal(err)
		}
		interval := basic.Hull(percentile)
		if interval.Lower > gap {
			below++
		}
		if interval.Upper < gap {
			above++
		}
	}
	return below, above
}

func TestBootstrapUndefined(t *testing.T) {
	ones := func(v float64) []float64 {
		r := make([]float64, 100)
		for i := range r {
			r[i] = v + float64(i)/100
		}
		return r
	}
	some, many := ones(0), ones(0)
	for i := range 20 {
		many[i*5] = math.NaN()
		if i < 4 {
			some[i*5] = math.NaN()
		}
	}
	b := &stat.Bootstrap{
		Estimates:  []float64{0.5, 0.5, math.NaN(), 7},
		Replicates: [][]float64{some, many, ones(0), ones(0)},
		Jackknife:  [][]float64{ones(0), ones(0), ones(0), ones(0)},
	}
	var defined []float64
	for _, v := range some {
		if !math.IsNaN(v) {
			defined = append(defined, v)
		}
	}
	want := stat.Interval{Lower: stat.Quantile(defined, 0.25), Upper: stat.Quantile(defined, 0.75)}
	if got, err := b.Percentile(0, 0.5); err != nil || got != want || b.Undefined(0) != 4 {
		t.Errorf("4 of 100 undefined: got %v, %v, want %v", got, err, want)
	}
	for _, value := range []int{1, 2} {
		if got, err := b.Percentile(value, 0.9); !errors.Is(err, stat.ErrUndefined) {
			t.Errorf("value %d: got %v, %v, want ErrUndefined", value, got, err)
		}
	}
	if got, err := b.BCa(3, 0.9); !errors.Is(err, stat.ErrUndefined) {
		t.Errorf("estimate outside its replicates: got %v, %v, want ErrUndefined", got, err)
	}
	if _, err := b.BCa(4, 0.9); err == nil {
		t.Error("value 4 of 4: want an error")
	}
}

func TestBootstrapRefuses(t *testing.T) {
	stop, cancel := context.WithCancel(context.Background())
	cancel()
	statistic := spread([]float64{1, 2, 3})
	if _, err := (stat.Resampling{Rows: 3, Resamples: 5}).Run(stop, 1, statistic); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got %v", err)
	}
	for _, r := range []stat.Resampling{
		{Rows: 1, Resamples: 5}, {Rows: 3}, {Rows: 3, Resamples: 5, Strata: []int{0, 1}}, {Rows: 3, Resamples: 5, Strata: []int{0, -1, 0}}, {Rows: 3, Resamples: 5, Strata: []int{0, 3, 0}},
	} {
		if _, err := r.Run(context.Background(), 1, statistic); err == nil {
			t.Errorf("%+v: want an error", r)
		}
	}
	if _, err := (stat.Resampling{Rows: 3, Resamples: 5}).Run(context.Background(), 0, statistic); err == nil {
		t.Error("no values: want an error")
	}
}

func run(t testing.TB, r stat.Resampling, size int, newStatistic func() stat.Statistic) *stat.Bootstrap {
	t.Helper()
	b, err := r.Run(context.Background(), size, newStatistic)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
