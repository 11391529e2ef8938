package stat

import (
	"fmt"
	"math"
)

// Smoothed is what randomised smoothing says of one row.
type Smoothed struct {
	ShareLower float64 // lower bound of the probability of the class under noise
	Radius     float64 // in L2, in units of the input; 0 when it abstains
	Abstain    bool    // the class is not shown to have the majority
}

// SmoothingRadius returns the radius in which a smoothed classifier is shown to
// keep its class: k of n predictions under Gaussian noise of standard deviation
// sigma were of the class, which was chosen on other noise; the claim is wrong
// with probability at most alpha. The bound is the one-sided ClopperPearsonLower
// at 1-alpha, the radius sigma times its normal quantile; at one half or below it
// abstains. Cohen, Rosenfeld and Kolter 2019, section 3.2.2, CERTIFY.
func SmoothingRadius(k, n int, alpha, sigma float64) (Smoothed, error) {
	if !(sigma > 0) || math.IsInf(sigma, 1) {
		return Smoothed{}, fmt.Errorf("compute smoothing radius: sigma %v is not a finite number above 0", sigma)
	}
	if !(alpha > 0 && alpha < 1) {
		return Smoothed{}, fmt.Errorf("compute smoothing radius: alpha %v is not strictly between 0 and 1", alpha)
	}
	if err := checkCount(k, n); err != nil {
		return Smoothed{}, fmt.Errorf("compute smoothing radius: %w", err)
	}
	lower := betaLower(float64(k), float64(n), alpha)
	if lower <= 0.5 {
		return Smoothed{ShareLower: lower, Abstain: true}, nil
	}
	return Smoothed{ShareLower: lower, Radius: sigma * NormalQuantile(lower)}, nil
}
