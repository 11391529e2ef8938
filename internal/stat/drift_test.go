package stat_test

import (
	"math"
	"strconv"
	"testing"

	"github.com/assize/assize/internal/stat"
)

func TestDriftAgainstPublished(t *testing.T) {
	reference, _ := columns(t, "drift_reference.csv.gz")
	samples := map[string]map[string][]float64{}
	samples["same"], _ = columns(t, "drift_same.csv.gz")
	samples["shifted"], _ = columns(t, "drift_shifted.csv.gz")
	_, rows := columns(t, "drift_expected.csv")
	for _, row := range rows {
		want := func(column string) float64 {
			v, err := strconv.ParseFloat(row[column], 64)
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
		name := row["feature"] + ", " + row["sample"] + ": "
		a, b := reference[row["feature"]], samples[row["sample"]][row["feature"]]
		distance, p, err := stat.KSTest(a, b)
		if err != nil {
			t.Fatal(err)
		}
		near(t, name+"KS", distance, want("ks"), 1e-9)
		near(t, name+"p", p, want("ks_p"), 1e-8)
		if want("ks_p") < 1e-3 {
			near(t, name+"p, relative", p/want("ks_p"), 1, 1e-8)
		}
		psi, bins, err := stat.PSI(a, b, 10)
		if err != nil {
			t.Fatal(err)
		}
		near(t, name+"PSI", psi, want("psi"), 1e-9)
		if float64(bins) != want("psi_bins") {
			t.Errorf("%sbins: got %d, want %v", name, bins, want("psi_bins"))
		}
		w, err := stat.Wasserstein(a, b)
		if err != nil {
			t.Fatal(err)
		}
		near(t, name+"Wasserstein", w, want("wasserstein"), 1e-9)
	}
}

func TestDriftAgainstSciPy(t *testing.T) {
	want := readReference(t).Drift
	distance, p, err := stat.KSTest(want.A, want.B)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "KS", distance, want.KS, 1e-14)
	near(t, "p", p, want.P, 1e-11)
	psi, bins, err := stat.PSI(want.A, want.B, 10)
	if err != nil || bins != want.Bins {
		t.Errorf("bins: got %d, %v, want %d", bins, err, want.Bins)
	}
	near(t, "PSI", psi, want.PSI, 1e-13)
	w, err := stat.Wasserstein(want.A, want.B)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "Wasserstein", w, want.Wasserstein, 1e-13)
}

func TestKolmogorovAgainstSciPy(t *testing.T) {
	for _, c := range readReference(t).Kolmogorov {
		got := stat.KolmogorovTail(c.N, c.D)
		tolerance := 1e-12
		if c.N > 500 {
			tolerance = 1e-8 // SciPy changes methods elsewhere
		}
		if c.N > 500 && c.P > 0.03 && c.P < 0.998 {
			tolerance = 1e-13 // the same expansion
		}
		near(t, strconv.Itoa(c.N)+" at "+strconv.FormatFloat(c.D, 'g', -1, 64), got, c.P, tolerance)
		if c.P > 0 && c.P < 1e-4 {
			near(t, "relative", got/c.P, 1, 1e-8)
		}
	}
}

func TestDriftClosedForms(t *testing.T) {
	// Moving every value by d moves the distribution by d.
	a := []float64{3, 1, 4, 1, 5, 9, 2, 6}
	b := make([]float64, len(a))
	for i, v := range a {
		b[i] = v + 0.25
	}
	w, err := stat.Wasserstein(a, b)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "shift", w, 0.25, 1e-15)
	distance, p, err := stat.KSTest(a, a)
	if err != nil || distance != 0 || p != 1 {
		t.Errorf("same sample: got %v, %v, %v", distance, p, err)
	}
	distance, p, err = stat.KSTest([]float64{1, 2}, []float64{3, 4})
	if err != nil || distance != 1 || p != 0 {
		t.Errorf("apart: got %v, %v, %v", distance, p, err)
	}
	// Two bins at one half, of which the sample fills one.
	psi, bins, err := stat.PSI([]float64{1, 2, 3, 4}, []float64{1, 1}, 2)
	if err != nil || bins != 2 {
		t.Fatalf("got %d bins, %v", bins, err)
	}
	near(t, "PSI", psi, 0.5*math.Log(2)+(1e-4-0.5)*math.Log(1e-4/0.5), 1e-14)
	for _, bad := range [][2][]float64{{nil, a}, {a, nil}, {a, {1, math.NaN()}}, {{math.Inf(1)}, a}} {
		if _, _, err := stat.KSTest(bad[0], bad[1]); err == nil {
			t.Errorf("%v: want an error", bad)
		}
	}
	if _, _, err := stat.PSI(a, b, 1); err == nil {
		t.Error("one bin: want an error")
	}
	_, err = stat.Wasserstein(a, []float64{1, math.NaN()})
	if want := "measure distance: check second sample: row 1: NaN is not a finite number"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
