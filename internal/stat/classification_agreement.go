package stat

import "math"

// MCC returns the Matthews correlation coefficient between actual and predicted
// classes, for more than two classes after Gorodkin 2004. It is NaN where all
// rows are of one class or all are predicted as one.
func (c *Confusion) MCC() float64 {
	n, correct, agree, actual, predicted := c.sums()
	spread := math.Sqrt((n*n - actual) * (n*n - predicted))
	if spread == 0 {
		return math.NaN()
	}
	return (correct*n - agree) / spread
}

// Kappa returns Cohen's kappa, agreement beyond chance (Cohen 1960). It is NaN
// where chance alone gives full agreement.
func (c *Confusion) Kappa() float64 {
	n, correct, agree, _, _ := c.sums()
	if n*n == agree {
		return math.NaN()
	}
	return (correct*n - agree) / (n*n - agree)
}

// KLDivergence returns the Kullback-Leibler divergence, in nats, of the shares of
// the predicted classes from those of the actual ones: the sum over the classes
// of a·ln(a/p), where a is the share of rows that are of the class and p the
// share predicted as it (ISO/IEC TS 4213:2022, 6.2.7, names the measure; Kullback
// and Leibler 1951). It compares only how often each class occurs; 0 says nothing
// on which rows. A class that occurs and is never predicted makes it +Inf; it is
// NaN without rows.
func (c *Confusion) KLDivergence() float64 {
	if c.N() == 0 {
		return math.NaN()
	}
	n, sum := float64(c.N()), 0.0
	for class := range c.classes {
		cells := c.Cells(class)
		actual, predicted := float64(cells.TP+cells.FN), float64(cells.TP+cells.FP)
		switch {
		case actual == 0:
		case predicted == 0:
			return math.Inf(1)
		default:
			sum += actual / n * math.Log(actual/predicted)
		}
	}
	return math.Max(0, sum)
}

// sums returns the number of rows, how many are correct, and the sums over the
// classes of actual times predicted, of actual squared and of predicted squared.
func (c *Confusion) sums() (n, correct, agree, actual, predicted float64) {
	for class := range c.classes {
		cells := c.Cells(class)
		a, p := float64(cells.TP+cells.FN), float64(cells.TP+cells.FP)
		n += a
		correct += float64(cells.TP)
		agree += a * p
		actual += a * a
		predicted += p * p
	}
	return n, correct, agree, actual, predicted
}
