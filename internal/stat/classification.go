package stat

import (
	"fmt"
	"math"
)

// Confusion counts rows by actual and predicted class: ISO/IEC TS 4213:2022,
// 6.2.2. Labels run from 0 to Classes()-1. Metrics are NaN where the counts do
// not define them; a macro average is NaN where it is for one of the classes.
type Confusion struct {
	classes int
	counts  []int64 // actual × predicted, row by row
	n       int64   // their sum
}

// NewConfusion returns an empty matrix for the given number of classes, from 2
// to 2,000 (32 MB).
func NewConfusion(classes int) (*Confusion, error) {
	if classes < 2 || classes > 2000 {
		return nil, fmt.Errorf("count confusion: %d classes, needs 2 to 2000", classes)
	}
	return &Confusion{classes: classes, counts: make([]int64, classes*classes)}, nil
}

// CountConfusion counts actual and predicted labels of the same rows.
func CountConfusion(classes int, actual, predicted []int) (*Confusion, error) {
	c, err := NewConfusion(classes)
	if err != nil {
		return nil, err
	}
	if len(actual) != len(predicted) {
		return nil, fmt.Errorf("count confusion: %d actual and %d predicted labels", len(actual), len(predicted))
	}
	if err := checkLabels("actual", classes, actual); err != nil {
		return nil, err
	}
	if err := checkLabels("predicted", classes, predicted); err != nil {
		return nil, err
	}
	c.Recount(actual, predicted, nil)
	return c, nil
}

// Recount replaces the counts by those of weighted rows, nil for once each. It
// is meant for resampling: labels are those that CountConfusion has accepted,
// and it allocates nothing.
func (c *Confusion) Recount(actual, predicted []int, weights []int32) {
	clear(c.counts)
	c.n = 0
	for i, a := range actual {
		weight := int64(1)
		if weights != nil {
			weight = int64(weights[i])
		}
		c.counts[a*c.classes+predicted[i]] += weight
		c.n += weight
	}
}

// Classes returns the number of classes.
func (c *Confusion) Classes() int { return c.classes }

// Count returns the number of rows of the actual class that were predicted as
// predicted.
func (c *Confusion) Count(actual, predicted int) int {
	return int(c.counts[actual*c.classes+predicted])
}

// Cells are the counts of one class against the rest, and the sums that are
// denominators: use them with ClopperPearson for intervals, such as of recall,
// TP of TP+FN.
type Cells struct {
	TP, FP, FN, TN int
}

// Cells returns the counts of class against the rest.
func (c *Confusion) Cells(class int) Cells {
	var cells Cells
	for other := range c.classes {
		cells.FN += c.Count(class, other)
		cells.FP += c.Count(other, class)
	}
	cells.TP = c.Count(class, class)
	cells.FN -= cells.TP
	cells.FP -= cells.TP
	cells.TN = c.N() - cells.TP - cells.FN - cells.FP
	return cells
}

// N returns the number of rows.
func (c *Confusion) N() int { return int(c.n) }

// Correct returns the number of rows that were predicted as what they are.
func (c *Confusion) Correct() int {
	correct := 0
	for class := range c.classes {
		correct += c.Count(class, class)
	}
	return correct
}

// Accuracy returns the share of rows predicted as what they are: 6.2.3. Its
// interval is that of Correct of N.
func (c *Confusion) Accuracy() float64 { return ratio(c.Correct(), c.N()) }

// Precision returns the share of the rows predicted as class that are of it:
// 6.2.4. It is NaN where none was predicted.
func (c *Confusion) Precision(class int) float64 {
	cells := c.Cells(class)
	return ratio(cells.TP, cells.TP+cells.FP)
}

// Recall returns the share of the rows of class that were predicted as it, also
// called sensitivity: 6.2.4. It is NaN where there are none.
func (c *Confusion) Recall(class int) float64 {
	cells := c.Cells(class)
	return ratio(cells.TP, cells.TP+cells.FN)
}

// Specificity returns the share of the rows not of class that were not predicted
// as it: 6.2.4.
func (c *Confusion) Specificity(class int) float64 {
	cells := c.Cells(class)
	return ratio(cells.TN, cells.TN+cells.FP)
}

// F returns F-beta of class, where recall weighs beta times as much as
// precision: (1+β²)TP / ((1+β²)TP + β²FN + FP), 6.2.5 and 6.2.6; beta 1 is F1.
// It is NaN where class is neither present nor predicted, and where beta is not
// a finite number above 0.
func (c *Confusion) F(class int, beta float64) float64 {
	if !(beta > 0) || math.IsInf(beta, 1) {
		return math.NaN()
	}
	cells := c.Cells(class)
	square := beta * beta
	tp := (1 + square) * float64(cells.TP)
	below := tp + square*float64(cells.FN) + float64(cells.FP)
	if below == 0 {
		return math.NaN()
	}
	return tp / below
}

// Macro returns the plain mean over the classes of a metric, such as
// c.Macro(c.Precision), NaN where it is for one of them.
func (c *Confusion) Macro(metric func(class int) float64) float64 {
	sum := 0.0
	for class := range c.classes {
		sum += metric(class)
	}
	return sum / float64(c.classes)
}

// BalancedAccuracy returns the mean recall over the classes, NaN where a class
// has no rows.
func (c *Confusion) BalancedAccuracy() float64 { return c.Macro(c.Recall) }

func checkLabels(what string, classes int, labels []int) error {
	for i, label := range labels {
		if label < 0 || label >= classes {
			return fmt.Errorf("check %s labels: row %d: label %d is outside 0 to %d", what, i, label, classes-1)
		}
	}
	return nil
}

func ratio(k, n int) float64 {
	if n == 0 {
		return math.NaN()
	}
	return float64(k) / float64(n)
}
