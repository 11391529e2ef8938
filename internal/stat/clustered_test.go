package stat_test

import (
	"math/rand/v2"
	"testing"

	"github.com/assize/assize/internal/stat"
)

// TestClusteredShareAgainstSciPy: n_eff = m(1-m)/var, times (t(trials-1)/t(clusters-1))², at most trials, and
// beta.ppf(a, n·m, n·(1-m)+1), beta.ppf(1-a, n·m+1, n·(1-m)); SciPy 1.17.1.
func TestClusteredShareAgainstSciPy(t *testing.T) {
	for _, c := range []struct {
		shares       []float64
		zeros        int
		trials       int
		confidence   float64
		lower, upper float64
	}{
		{[]float64{0, .25, .5, .25, 0, .75, .25, .5}, 0, 32, 0.95, 0.12390868044093763, 0.561566214260628},
		{[]float64{.1, .1, .1, .1, .1, .2, .2, .2, .2, .2}, 30, 4000, 0.95, 0.01831137454742308, 0.0674300851426188},
		{[]float64{0, 1, 1, 0, 1, 1, 0, 1, 1, 1}, 0, 10, 0.9, 0.3752363989275638, 0.9209694359410064},
		{[]float64{.02, .04, .03, .01}, 0, 400, 0.99, 0.0026424043440787435, 0.09054768916212955},
	} {
		sum, squares := 0.0, 0.0
		for _, v := range c.shares {
			sum, squares = sum+v, squares+v*v
		}
		got, err := stat.ClusteredShare(sum, squares, len(c.shares)+c.zeros, c.trials, c.confidence)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "lower", got.Lower, c.lower, 1e-7)
		near(t, "upper", got.Upper, c.upper, 1e-7)
	}
}

func TestClusteredShareEdges(t *testing.T) {
	for _, c := range []struct {
		sum, squares     float64
		clusters, trials int
		want             stat.Interval
	}{
		{0, 0, 0, 0, stat.Interval{0, 1}},
		{0, 0, 40, 4000, stat.Interval{0, 0.0880973}}, // as none of 40
		{40, 40, 40, 4000, stat.Interval{1 - 0.0880973, 1}},
		{0.5, 0.25, 1, 2, stat.Interval{0.000385581, 0.9996144}}, // half of one: 1 trial of which 0.5 was seen
	} {
		got, err := stat.ClusteredShare(c.sum, c.squares, c.clusters, c.trials, 0.95)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "lower", got.Lower, c.want.Lower, 2e-7)
		near(t, "upper", got.Upper, c.want.Upper, 2e-7)
	}
	for _, bad := range [][4]float64{{2, 1, 1, 5}, {-1, 0, 4, 5}, {1, 2, 4, 5}, {1, 1, 4, 3}} {
		if _, err := stat.ClusteredShare(bad[0], bad[1], int(bad[2]), int(bad[3]), 0.95); err == nil {
			t.Errorf("%v: got no error", bad)
		}
	}
}

// TestClusteredShareCovers draws rows whose own probability differs from row to row, a
// tenth on average, and asks each of them 20 times.
func TestClusteredShareCovers(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	const rounds, rows, each = 1500, 60, 20
	inside := 0
	for range rounds {
		sum, squares := 0.0, 0.0
		for range rows {
			p, k := 0.0, 0
			if rng.Float64() < 0.25 {
				p = 0.8 * rng.Float64()
			}
			for range each {
				if rng.Float64() < p {
					k++
				}
			}
			share := float64(k) / each
			sum, squares = sum+share, squares+share*share
		}
		got, err := stat.ClusteredShare(sum, squares, rows, rows*each, 0.95)
		if err != nil {
			t.Fatal(err)
		}
		if got.Lower <= 0.1 && 0.1 <= got.Upper {
			inside++
		}
	}
	if share := float64(inside) / rounds; share < 0.93 || share > 0.99 {
		t.Errorf("got %.3f of the intervals around the truth, want about 0.95", share)
	}
}
