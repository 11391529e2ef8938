package stat

import (
	"fmt"
	"math"
)

// CalibrationBins is the customary number of bins for the expected calibration
// error.
const CalibrationBins = 15

// Calibration compares stated confidence with what happened, in bins of equal
// width over [0, 1]: the first holds its lower end, each its upper end. It is
// read-only and safe to share; it keeps the slices it was made from.
type Calibration struct {
	confidence []float64
	hit        []bool
	bin        []int32
	bins       int
}

// NewCalibration puts rows into bins (1 to 1000; CalibrationBins is customary) by
// the confidence stated for each and whether what it was stated for came true:
// for the calibration of predictions, the probability of the predicted class and
// whether it is right; for that of a score, the probability of the positive class
// and whether the row is positive. The two differ, and a report says which.
func NewCalibration(confidence []float64, hit []bool, bins int) (*Calibration, error) {
	if len(confidence) != len(hit) {
		return nil, fmt.Errorf("measure calibration: %d confidences and %d outcomes", len(confidence), len(hit))
	}
	if bins < 1 || bins > 1000 {
		return nil, fmt.Errorf("measure calibration: %d bins, needs 1 to 1000", bins)
	}
	c := &Calibration{confidence: confidence, hit: hit, bin: make([]int32, len(hit)), bins: bins}
	for row, p := range confidence {
		if !(p >= 0 && p <= 1) {
			return nil, fmt.Errorf("measure calibration: row %d: confidence %v is outside [0, 1]", row, p)
		}
		c.bin[row] = c.binOf(p)
	}
	return c, nil
}

// Confidences returns for each row the probability of its predicted class and
// whether that class is right: what NewCalibration takes for predictions.
func Confidences(classes int, actual, predicted []int, probabilities []float64) (confidence []float64, hit []bool, err error) {
	if err := checkScored(classes, actual, probabilities); err != nil {
		return nil, nil, err
	}
	if len(predicted) != len(actual) {
		return nil, nil, fmt.Errorf("measure calibration: %d actual and %d predicted labels", len(actual), len(predicted))
	}
	if err := checkLabels("predicted", classes, predicted); err != nil {
		return nil, nil, err
	}
	confidence, hit = make([]float64, len(actual)), make([]bool, len(actual))
	for row, label := range predicted {
		confidence[row] = probabilities[row*classes+label]
		hit[row] = label == actual[row]
	}
	return confidence, hit, nil
}

// ECE returns the expected calibration error: over the bins, the mean distance
// between mean confidence and observed share, by the share of rows. Naeini, Cooper
// and Hauskrecht 2015; Guo and others 2017, eq. 3. weights gives how often each
// row counts, nil for once each. It is NaN without weight.
//
// Noise raises it: a calibrated model of few rows is above 0. Resampling raises it
// again, so that Percentile alone lies too high, and Basic alone misses a large
// error too often from below; the Hull of both, cut at 0, errs on the safe side.
//
// BUG: where the model is calibrated, the lower end is above 0 in about half of
// all samples; read it as no proof of miscalibration.
func (c *Calibration) ECE(weights []int32) float64 {
	return c.ECEScratch(weights, make([]float64, c.bins))
}

// ECEScratch is ECE without allocation; scratch has at least as many entries as
// there are bins, and is overwritten.
func (c *Calibration) ECEScratch(weights []int32, scratch []float64) float64 {
	// The distance of a bin times its rows is the sum of confidence minus outcome.
	gaps := scratch[:c.bins]
	clear(gaps)
	total := int64(0)
	for row, bin := range c.bin {
		gap, weight := c.confidence[row], int64(1)
		if c.hit[row] {
			gap--
		}
		if weights != nil {
			weight = int64(weights[row])
			gap *= float64(weight)
		}
		gaps[bin] += gap
		total += weight
	}
	if total == 0 {
		return math.NaN()
	}
	sum := 0.0
	for _, gap := range gaps {
		sum += math.Abs(gap)
	}
	return sum / float64(total)
}

// ReliabilityBin is one bin of a reliability diagram. Means are NaN where Count is
// 0, and Interval is then [0, 1].
type ReliabilityBin struct {
	Lower, Upper   float64 // ends of the bin
	Count          int
	MeanConfidence float64
	Observed       float64  // share of rows that came true
	Interval       Interval // of Observed, ClopperPearson
}

// Reliability returns the bins of the reliability diagram, empty ones included,
// with intervals at the given confidence.
func (c *Calibration) Reliability(confidence float64) ([]ReliabilityBin, error) {
	bins, hits := make([]ReliabilityBin, c.bins), make([]int, c.bins)
	for row, bin := range c.bin {
		bins[bin].Count++
		bins[bin].MeanConfidence += c.confidence[row]
		if c.hit[row] {
			hits[bin]++
		}
	}
	for i := range bins {
		b := &bins[i]
		b.Lower, b.Upper = float64(i)/float64(c.bins), float64(i+1)/float64(c.bins)
		b.MeanConfidence /= float64(b.Count)
		b.Observed = ratio(hits[i], b.Count)
		var err error
		if b.Interval, err = ClopperPearson(hits[i], b.Count, confidence); err != nil {
			return nil, fmt.Errorf("measure calibration: %w", err)
		}
	}
	return bins, nil
}

// binOf returns the bin whose ends, the lower one out, enclose p.
func (c *Calibration) binOf(p float64) int32 {
	bin := max(0, int(math.Ceil(p*float64(c.bins)))-1)
	// Rounding in the product must not carry p over an end of a bin.
	if bin > 0 && p <= float64(bin)/float64(c.bins) {
		bin--
	} else if p > float64(bin+1)/float64(c.bins) {
		bin++
	}
	return int32(bin)
}
