package stat_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/assize/assize/internal/stat"
)

func TestProportionsAgainstSciPy(t *testing.T) {
	for _, c := range readReference(t).Proportions {
		name := fmt.Sprintf("%d of %d at %v", c.K, c.N, c.Confidence)
		exact, err := stat.ClopperPearson(c.K, c.N, c.Confidence)
		if err != nil {
			t.Fatal(err)
		}
		near(t, name+" lower", exact.Lower, c.Exact[0], 1e-11)
		near(t, name+" upper", exact.Upper, c.Exact[1], 1e-11)
		wilson, err := stat.Wilson(c.K, c.N, c.Confidence)
		if err != nil {
			t.Fatal(err)
		}
		near(t, name+" Wilson lower", wilson.Lower, c.Wilson[0], 1e-12)
		near(t, name+" Wilson upper", wilson.Upper, c.Wilson[1], 1e-12)
		lower, err := stat.ClopperPearsonLower(c.K, c.N, c.Confidence)
		if err != nil {
			t.Fatal(err)
		}
		near(t, name+" one-sided lower", lower, c.Lower, 1e-11)
		upper, err := stat.ClopperPearsonUpper(c.K, c.N, c.Confidence)
		if err != nil {
			t.Fatal(err)
		}
		near(t, name+" one-sided upper", upper, c.Upper, 1e-11)
	}
}

func TestProportionsAgainstPublished(t *testing.T) {
	c, _ := columns(t, "proportion_ci.csv")
	for i := range c["k"] {
		k, n := int(c["k"][i]), int(c["n"][i])
		name := fmt.Sprintf("%d of %d", k, n)
		exact, err := stat.ClopperPearson(k, n, 0.95)
		if err != nil {
			t.Fatal(err)
		}
		near(t, name+" lower", exact.Lower, c["clopper_lo"][i], 2e-12)
		near(t, name+" upper", exact.Upper, c["clopper_hi"][i], 2e-12)
		wilson, err := stat.Wilson(k, n, 0.95)
		if err != nil {
			t.Fatal(err)
		}
		near(t, name+" Wilson lower", wilson.Lower, c["wilson_lo"][i], 2e-12)
		near(t, name+" Wilson upper", wilson.Upper, c["wilson_hi"][i], 2e-12)
		lower, err := stat.ClopperPearsonLower(k, n, 0.95)
		if err != nil {
			t.Fatal(err)
		}
		near(t, name+" one-sided", lower, c["clopper_lo_onesided95"][i], 2e-12)
	}
}

func TestProportionEdges(t *testing.T) {
	// With no event the bound is 1-tail^(1/n), whatever n is.
	for _, n := range []int{1, 3, 100, 1_000_000} {
		none, err := stat.ClopperPearson(0, n, 0.95)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "none, upper", none.Upper, -math.Expm1(math.Log(0.025)/float64(n)), 1e-13)
		all, err := stat.ClopperPearson(n, n, 0.95)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "all, lower", all.Lower, math.Pow(0.025, 1/float64(n)), 1e-13)
		if none.Lower != 0 || all.Upper != 1 {
			t.Errorf("n %d: got ends %v and %v, want 0 and 1", n, none.Lower, all.Upper)
		}
	}
	for _, method := range []func(k, n int, confidence float64) (stat.Interval, error){stat.ClopperPearson, stat.Wilson} {
		got, err := method(0, 0, 0.95)
		if want := (stat.Interval{Lower: 0, Upper: 1}); err != nil || got != want {
			t.Errorf("no rows: got %v, %v, want %v", got, err, want)
		}
		for _, bad := range []struct {
			k, n       int
			confidence float64
		}{{-1, 5, 0.95}, {6, 5, 0.95}, {0, -1, 0.95}, {1, 2, 0}, {1, 2, 1}, {1, 2, math.NaN()}} {
			if got, err := method(bad.k, bad.n, bad.confidence); err == nil {
				t.Errorf("%+v: got %v, want an error", bad, got)
			}
		}
	}
}

func TestSmoothingRadiusAgainstPublished(t *testing.T) {
	c, _ := columns(t, "smoothing_radius.csv")
	for i := range c["k"] {
		got, err := stat.SmoothingRadius(int(c["k"][i]), int(c["N"][i]), c["alpha"][i], c["sigma"][i])
		if err != nil {
			t.Fatal(err)
		}
		near(t, "share", got.ShareLower, c["pA_lower"][i], 1e-11)
		near(t, "radius", got.Radius, c["radius_l2"][i], 1e-10)
		if want := c["abstain"][i] == 1; got.Abstain != want {
			t.Errorf("row %d: got abstain %v, want %v", i, got.Abstain, want)
		}
	}
	for _, bad := range [][3]float64{{5, 0.05, 0}, {5, 0, 1}, {11, 0.05, 1}, {5, 0.05, math.Inf(1)}} {
		if got, err := stat.SmoothingRadius(int(bad[0]), 10, bad[1], bad[2]); err == nil {
			t.Errorf("%v: got %+v, want an error", bad, got)
		}
	}
}

func TestRowsForLowerIsTheSmallest(t *testing.T) {
	for _, c := range []struct {
		k, n              int
		level, confidence float64
	}{{61, 100, 0.55, 0.975}, {9, 10, 0.7, 0.95}, {2, 3, 0.5, 0.9}, {95, 100, 0.9, 0.975}, {1, 50, 0.005, 0.95}, {10, 10, 0.99, 0.95}, {199, 200, 0.98, 0.99}, {3, 4, 0, 0.95}} {
		got, ok, err := stat.RowsForLower(c.k, c.n, c.level, c.confidence)
		if err != nil || !ok {
			t.Fatalf("%+v: got %v, %v", c, ok, err)
		}
		want := 0
		for rows := 1; want == 0; rows++ {
			bound, err := stat.ClopperPearsonLower(rows*c.k/c.n, rows, c.confidence)
			if err != nil {
				t.Fatal(err)
			}
			if bound >= c.level {
				want = rows
			}
		}
		if got != want {
			t.Errorf("%+v: got %d rows, want %d", c, got, want)
		}
	}
}

func TestRowsForUpperIsTheSmallest(t *testing.T) {
	for _, c := range []struct {
		k, n              int
		level, confidence float64
	}{{1, 50, 0.05, 0.95}, {3, 100, 0.08, 0.975}, {0, 10, 0.01, 0.95}, {30, 60, 0.6, 0.9}} {
		got, ok, err := stat.RowsForUpper(c.k, c.n, c.level, c.confidence)
		if err != nil || !ok {
			t.Fatalf("%+v: got %v, %v", c, ok, err)
		}
		want := 0
		for rows := 1; want == 0; rows++ {
			bound, err := stat.ClopperPearsonUpper((rows*c.k+c.n-1)/c.n, rows, c.confidence)
			if err != nil {
				t.Fatal(err)
			}
			if bound <= c.level {
				want = rows
			}
		}
		if got != want {
			t.Errorf("%+v: got %d rows, want %d", c, got, want)
		}
	}
}

func TestSampleSizeTable(t *testing.T) {
	// The success-run table of reliability testing: units without a failure that
	// show a reliability at a confidence.
	for _, c := range []struct {
		level, confidence float64
		want              int
	}{{0.90, 0.90, 22}, {0.95, 0.95, 59}, {0.99, 0.90, 230}, {0.99, 0.95, 299}, {0.90, 0.95, 29}, {0.5, 0.5, 1}} {
		got, ok, err := stat.RowsForLower(1, 1, c.level, c.confidence)
		if err != nil || !ok || got != c.want {
			t.Errorf("%+v: got %d, %v, %v", c, got, ok, err)
		}
		if got, ok, err := stat.RowsForUpper(0, 1, 1-c.level, c.confidence); err != nil || !ok || got != c.want {
			t.Errorf("%+v, upper: got %d, %v, %v", c, got, ok, err)
		}
	}
	for _, c := range []struct {
		k, n  int
		level float64
	}{{6, 10, 0.6}, {5, 10, 0.6}, {0, 10, 0.1}, {10, 10, 1}, {600_001, 1_000_000, 0.6}} {
		if got, ok, err := stat.RowsForLower(c.k, c.n, c.level, 0.975); err != nil || ok {
			t.Errorf("%+v: got %d, %v, %v, want out of reach", c, got, ok, err)
		}
	}
	if _, _, err := stat.RowsForLower(0, 0, 0.5, 0.95); err == nil {
		t.Error("no rows: want an error")
	}
	if _, _, err := stat.RowsForUpper(1, 2, 1.5, 0.95); err == nil {
		t.Error("level 1.5: want an error")
	}
}
