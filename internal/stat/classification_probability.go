package stat

import (
	"fmt"
	"math"
)

// CheckProbabilities checks N×K class probabilities, row by row in one slice:
// each is a number from 0 to 1 and each row adds up to 1 within 0.001. The error
// names the first row that does not.
func CheckProbabilities(classes int, probabilities []float64) error {
	if classes < 2 {
		return fmt.Errorf("check probabilities: %d classes, needs at least 2", classes)
	}
	if len(probabilities)%classes != 0 {
		return fmt.Errorf("check probabilities: %d values are not rows of %d", len(probabilities), classes)
	}
	for row := range len(probabilities) / classes {
		sum := 0.0
		for class, p := range probabilities[row*classes : (row+1)*classes] {
			if !(p >= 0 && p <= 1) {
				return fmt.Errorf("check probabilities: row %d: class %d: %v is outside [0, 1]", row, class, p)
			}
			sum += p
		}
		if math.Abs(sum-1) > 1e-3 {
			return fmt.Errorf("check probabilities: row %d: they add up to %v, not 1", row, sum)
		}
	}
	return nil
}

// Argmax returns for each row of N×K values the class with the largest, the
// first of equals. NaN is never the largest; a row of nothing else gives 0.
func Argmax(classes int, values []float64) []int {
	if classes < 1 {
		return nil
	}
	predicted := make([]int, len(values)/classes)
	for row := range predicted {
		largest := math.Inf(-1)
		for class, v := range values[row*classes : (row+1)*classes] {
			if v > largest {
				largest, predicted[row] = v, class
			}
		}
	}
	return predicted
}

// OneVsRest returns, for each row, the probability of class and whether the row
// is of it: what NewRanking takes.
func OneVsRest(classes, class int, actual []int, probabilities []float64) (scores []float64, positive []bool, err error) {
	if err := checkScored(classes, actual, probabilities); err != nil {
		return nil, nil, err
	}
	if class < 0 || class >= classes {
		return nil, nil, fmt.Errorf("take class from the rest: class %d is outside 0 to %d", class, classes-1)
	}
	scores, positive = make([]float64, len(actual)), make([]bool, len(actual))
	for row, label := range actual {
		scores[row] = probabilities[row*classes+class]
		positive[row] = label == class
	}
	return scores, positive, nil
}

// LogLosses returns for each row the negative natural logarithm of the
// probability of its actual class; their mean is the log loss, or cross entropy.
// Probabilities are clipped to 2^-52 and 1-2^-52, so that one certain mistake
// costs 36 and not infinity.
func LogLosses(classes int, actual []int, probabilities []float64) ([]float64, error) {
	if err := checkScored(classes, actual, probabilities); err != nil {
		return nil, err
	}
	losses := make([]float64, len(actual))
	for row, label := range actual {
		losses[row] = -math.Log(clamp(probabilities[row*classes+label], 0x1p-52, 1-0x1p-52))
	}
	return losses, nil
}

// BrierScores returns for each row the squared distance between its
// probabilities and its actual class as 0 and 1, summed over the classes as Brier
// 1950 defined it: from 0 to 2. Their mean is the multi-class Brier score. For
// two classes it is twice the common binary score; see BinaryBrierScores.
func BrierScores(classes int, actual []int, probabilities []float64) ([]float64, error) {
	if err := checkScored(classes, actual, probabilities); err != nil {
		return nil, err
	}
	scores := make([]float64, len(actual))
	for row, label := range actual {
		for class, p := range probabilities[row*classes : (row+1)*classes] {
			if class == label {
				p = 1 - p
			}
			scores[row] += p * p
		}
	}
	return scores, nil
}

// BinaryBrierScores returns for each row the squared distance between its
// probability of being positive and whether it is: from 0 to 1.
func BinaryBrierScores(scores []float64, positive []bool) ([]float64, error) {
	if len(scores) != len(positive) {
		return nil, fmt.Errorf("score probabilities: %d probabilities and %d labels", len(scores), len(positive))
	}
	squares := make([]float64, len(scores))
	for row, p := range scores {
		if !(p >= 0 && p <= 1) {
			return nil, fmt.Errorf("score probabilities: row %d: %v is outside [0, 1]", row, p)
		}
		if positive[row] {
			p = 1 - p
		}
		squares[row] = p * p
	}
	return squares, nil
}

// WeightedMean returns the mean of values, each counted as often as weights says,
// nil for once each; lengths must agree. It is NaN without weight.
func WeightedMean(values []float64, weights []int32) float64 {
	sum, n := 0.0, int64(len(values))
	if weights == nil {
		for _, v := range values {
			sum += v
		}
		return sum / float64(n)
	}
	n = 0
	for i, v := range values {
		sum += v * float64(weights[i])
		n += int64(weights[i])
	}
	return sum / float64(n)
}

func checkScored(classes int, actual []int, probabilities []float64) error {
	if err := CheckProbabilities(classes, probabilities); err != nil {
		return err
	}
	if len(actual) != len(probabilities)/classes {
		return fmt.Errorf("check probabilities: %d labels and %d rows of probabilities", len(actual), len(probabilities)/classes)
	}
	return checkLabels("actual", classes, actual)
}
