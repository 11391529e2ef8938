package stat

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

// ClopperPearson returns the exact two-sided interval for a proportion of which
// k of n were seen: each tail holds at most half of 1-confidence. Clopper and
// Pearson 1934, by quantiles of the beta distribution. With k = 0 the lower end
// is exactly 0, with k = n the upper end exactly 1, and with n = 0, which says
// nothing, the interval is [0, 1].
func ClopperPearson(k, n int, confidence float64) (Interval, error) {
	if err := checkProportion(k, n, confidence); err != nil {
		return Interval{}, err
	}
	tail := (1 - confidence) / 2
	return Interval{
		Lower: betaLower(float64(k), float64(n), tail),
		Upper: betaUpper(float64(k), float64(n), tail),
	}, nil
}

// ClopperPearsonLower returns the exact one-sided lower bound: the whole of
// 1-confidence lies below it. The lower end of a two-sided interval at
// confidence c is the one-sided bound at (1+c)/2. It is 0 with k = 0 or n = 0.
func ClopperPearsonLower(k, n int, confidence float64) (float64, error) {
	if err := checkProportion(k, n, confidence); err != nil {
		return 0, err
	}
	return betaLower(float64(k), float64(n), 1-confidence), nil
}

// ClopperPearsonUpper returns the exact one-sided upper bound: the whole of
// 1-confidence lies above it. It is 1 with k = n, which includes n = 0.
func ClopperPearsonUpper(k, n int, confidence float64) (float64, error) {
	if err := checkProportion(k, n, confidence); err != nil {
		return 0, err
	}
	return betaUpper(float64(k), float64(n), 1-confidence), nil
}

// Wilson returns the two-sided score interval for a proportion of which k of n
// were seen, without continuity correction. Wilson 1927. It is shorter than
// ClopperPearson and covers the stated confidence on average only. With n = 0
// it is [0, 1].
func Wilson(k, n int, confidence float64) (Interval, error) {
	if err := checkProportion(k, n, confidence); err != nil {
		return Interval{}, err
	}
	if n == 0 {
		return Interval{0, 1}, nil
	}
	z := NormalQuantile((1 + confidence) / 2)
	size, share := float64(n), float64(k)/float64(n)
	scale := 1 + z*z/size
	centre := (share + z*z/(2*size)) / scale
	half := z / scale * math.Sqrt(share*(1-share)/size+z*z/(4*size*size))
	interval := Interval{clamp(centre-half, 0, 1), clamp(centre+half, 0, 1)}
	if k == 0 {
		interval.Lower = 0
	}
	if k == n {
		interval.Upper = 1
	}
	return interval, nil
}

func checkProportion(k, n int, confidence float64) error {
	if err := checkCount(k, n); err != nil {
		return err
	}
	return checkConfidence(confidence)
}

// betaLower is the Clopper-Pearson lower bound with the whole of tail below it;
// k and n need not be whole numbers.
func betaLower(k, n, tail float64) float64 {
	if k <= 0 {
		return 0
	}
	return mathext.InvRegIncBeta(k, n-k+1, tail)
}

// betaUpper is the counterpart of betaLower.
func betaUpper(k, n, tail float64) float64 {
	if k >= n {
		return 1
	}
	// The upper bound for k is one minus the lower bound for n-k. The form with
	// the small tail loses no digits where 1-tail would.
	return 1 - mathext.InvRegIncBeta(n-k, k+1, tail)
}
