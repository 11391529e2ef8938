package stat

import (
	"fmt"
	"math"
	"slices"
)

// KSTest compares two samples: distance is the largest between their
// distribution functions, p the probability of at least that distance if both
// come from one continuous distribution; with ties it is conservative. The
// p-value is asymptotic in both sizes: that of one sample of mn/(m+n) values,
// rounded, against its distribution. Smirnov 1939; Simard and L'Ecuyer 2011.
func KSTest(first, second []float64) (distance, p float64, err error) {
	a, b, err := sortedPair(first, second)
	if err != nil {
		return 0, 0, fmt.Errorf("compare samples: %w", err)
	}
	m, n := float64(len(a)), float64(len(b))
	merge(a, b, func(_, _ float64, i, j int) {
		distance = math.Max(distance, math.Abs(float64(i)/m-float64(j)/n))
	})
	return distance, KolmogorovTail(int(math.RoundToEven(m*n/(m+n))), distance), nil
}

// Wasserstein returns the first Wasserstein distance between two samples, in
// their units: the area between their distribution functions.
func Wasserstein(first, second []float64) (float64, error) {
	a, b, err := sortedPair(first, second)
	if err != nil {
		return 0, fmt.Errorf("measure distance: %w", err)
	}
	m, n, area := float64(len(a)), float64(len(b)), 0.0
	merge(a, b, func(from, to float64, i, j int) {
		area += (to - from) * math.Abs(float64(i)/m-float64(j)/n)
	})
	return area, nil
}

// PSI returns the population stability index of sample against reference, and
// the number of bins used: the sum over bins of (s-r)ln(s/r), where s and r are
// the shares of sample and reference. Bins are between quantiles of the
// reference, equal ones merged and the outer ones open, so that few distinct
// values give few bins, and a single bin gives 0 whatever the sample: look at
// the bins, and at KSTest. Shares below 1e-4 count as 1e-4. Siddiqi 2006.
func PSI(reference, sample []float64, bins int) (psi float64, used int, err error) {
	if bins < 2 || bins > 1000 {
		return 0, 0, fmt.Errorf("compute PSI: %d bins, needs 2 to 1000", bins)
	}
	r, s, err := sortedPair(reference, sample)
	if err != nil {
		return 0, 0, fmt.Errorf("compute PSI: %w", err)
	}
	edges := make([]float64, bins+1)
	for i := range edges {
		edges[i] = SortedQuantile(r, float64(i)/float64(bins))
	}
	edges = slices.Compact(edges)
	used = max(1, len(edges)-1)
	var rBelow, sBelow int
	for bin := range used {
		rEnd, sEnd := len(r), len(s)
		if bin < used-1 {
			// A bin holds its lower end.
			rEnd, _ = slices.BinarySearch(r, edges[bin+1])
			sEnd, _ = slices.BinarySearch(s, edges[bin+1])
		}
		rShare := math.Max(float64(rEnd-rBelow)/float64(len(r)), 1e-4)
		sShare := math.Max(float64(sEnd-sBelow)/float64(len(s)), 1e-4)
		psi += (sShare - rShare) * math.Log(sShare/rShare)
		rBelow, sBelow = rEnd, sEnd
	}
	return psi, used, nil
}

func sortedPair(first, second []float64) (a, b []float64, err error) {
	for i, values := range [][]float64{first, second} {
		name := [2]string{"first sample", "second sample"}[i]
		if len(values) == 0 {
			return nil, nil, fmt.Errorf("%s is empty", name)
		}
		if err := checkFinite(name, values); err != nil {
			return nil, nil, err
		}
	}
	a, b = slices.Clone(first), slices.Clone(second)
	slices.Sort(a)
	slices.Sort(b)
	return a, b, nil
}

// merge calls f for every step between neighbouring distinct values of both
// sorted samples, with how many values of each lie at or below its start.
func merge(a, b []float64, f func(from, to float64, i, j int)) {
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		at := math.Inf(1)
		if i < len(a) {
			at = a[i]
		}
		if j < len(b) {
			at = math.Min(at, b[j])
		}
		for i < len(a) && a[i] <= at {
			i++
		}
		for j < len(b) && b[j] <= at {
			j++
		}
		next := math.Inf(1)
		if i < len(a) {
			next = a[i]
		}
		if j < len(b) {
			next = math.Min(next, b[j])
		}
		if !math.IsInf(next, 1) {
			f(at, next, i, j)
		}
	}
}
