package stat_test

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assize/assize/internal/stat"
)

// TestTangoPublished holds worked examples of Fagerland, Lydersen and Laake 2017,
// chapter 8: complete response before and after therapy (Cavo and others 2012) and
// airway reactivity (Bentur and others 2009).
func TestTangoPublished(t *testing.T) {
	for _, c := range []struct {
		counts       stat.Paired
		lower, upper float64
		mcnemar      float64
		digits       float64
	}{
		{stat.Paired{Both: 59, FirstOnly: 6, SecondOnly: 16, Neither: 80}, -0.1240, -0.0054, 0.052479, 5e-5},
		{stat.Paired{Both: 1, FirstOnly: 1, SecondOnly: 7, Neither: 12}, -0.517, -0.026, 0.0703125, 5e-4},
	} {
		got, err := c.counts.Tango(0.95)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "lower", got.Lower, c.lower, c.digits)
		near(t, "upper", got.Upper, c.upper, c.digits)
		p, err := c.counts.McNemarExact()
		if err != nil {
			t.Fatal(err)
		}
		near(t, "McNemar", p, c.mcnemar, 5e-7)
	}
}

func TestTangoClosedForms(t *testing.T) {
	// Without discordant pairs the ends are those of z²/(n+z²), Tango 1998.
	z := stat.NormalQuantile(0.975)
	for _, n := range []int{1, 10, 44, 5000} {
		got, err := stat.Paired{Both: n}.Tango(0.95)
		if err != nil {
			t.Fatal(err)
		}
		want := z * z / (float64(n) + z*z)
		near(t, "upper", got.Upper, want, 1e-12)
		near(t, "lower", got.Lower, -want, 1e-12)
	}
	// All pairs discordant one way: the upper end is 1.
	got, err := stat.Paired{FirstOnly: 12}.Tango(0.95)
	if err != nil || got.Upper < 1-1e-12 || got.Upper > 1 || got.Lower < 0 || got.Lower > 0.9 {
		t.Errorf("all discordant: got %+v, %v", got, err)
	}
	// Exchanging the conditions mirrors the interval.
	a, err := stat.Paired{Both: 50, FirstOnly: 30, SecondOnly: 9, Neither: 71}.Tango(0.9)
	if err != nil {
		t.Fatal(err)
	}
	b, err := stat.Paired{Both: 50, FirstOnly: 9, SecondOnly: 30, Neither: 71}.Tango(0.9)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "mirrored lower", a.Lower, -b.Upper, 1e-12)
	near(t, "mirrored upper", a.Upper, -b.Lower, 1e-12)
	// The test of no difference in the score interval is McNemar's without
	// correction: with (b-c)²/(b+c) = z² an end lies at 0.
	zero, err := stat.Paired{Both: 100, FirstOnly: 30, SecondOnly: 15, Neither: 10}.Tango(2*normalCDF(15/math.Sqrt(45)) - 1)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "end at no difference", zero.Lower, 0, 1e-12)
	if got, err := (stat.Paired{}).Tango(0.95); err != nil || got != (stat.Interval{Lower: -1, Upper: 1}) {
		t.Errorf("no rows: got %v, %v", got, err)
	}
	if got, err := (stat.Paired{Both: -1, Neither: 2}).Tango(0.95); err == nil {
		t.Errorf("negative count: got %v, want an error", got)
	}
}

func TestMcNemarAgainstSciPy(t *testing.T) {
	for _, c := range readReference(t).McNemar {
		got, err := stat.Paired{Both: 5, FirstOnly: c.B, SecondOnly: c.C}.McNemarExact()
		if err != nil {
			t.Fatal(err)
		}
		near(t, "p", got/c.P, 1, 1e-10)
	}
	if got, err := (stat.Paired{Both: 9}).McNemarExact(); err != nil || got != 1 {
		t.Errorf("no discordant pairs: got %v, %v, want 1", got, err)
	}
}

func TestCountPairs(t *testing.T) {
	got, err := stat.CountPairs([]bool{true, true, false, false, true}, []bool{true, false, true, false, false})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(got, stat.Paired{Both: 1, FirstOnly: 2, SecondOnly: 1, Neither: 1}); diff != "" {
		t.Errorf("got - want +\n%s", diff)
	}
	near(t, "difference", got.Difference(), 0.2, 1e-15)
	if _, err := stat.CountPairs(make([]bool, 2), make([]bool, 3)); err == nil {
		t.Error("lengths 2 and 3: want an error")
	}
}

func normalCDF(z float64) float64 { return math.Erfc(-z/math.Sqrt2) / 2 }
