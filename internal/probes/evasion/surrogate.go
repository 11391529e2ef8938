package evasion

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/blas/gonum"
)

// surrogate is a network with one hidden layer of rectified units that imitates
// which outcome the system decides on. Inputs are standardised.
type surrogate struct {
	width, hidden, outcomes int
	mean, inverse           []float32 // of the inputs: 1 over the standard deviation
	weights                 []float32 // in, in's bias, out, out's bias
	input, active, score    []float32 // of the last row
	back                    []float32 // what goes back into the hidden layer
	slope                   []float32 // of weights, then of the input
}

// hiddenUnits is enough for a boundary that a few hundred answers can tell.
const hiddenUnits = 64

func newSurrogate(x [][]float32, outcomes int, scale []float32, rng *rand.Rand) *surrogate {
	w := len(x[0])
	n := &surrogate{width: w, hidden: hiddenUnits, outcomes: outcomes}
	n.mean, n.inverse = make([]float32, w), make([]float32, w)
	for i := range w {
		sum, squares := 0.0, 0.0
		for _, row := range x {
			sum += float64(row[i])
		}
		mean := sum / float64(len(x))
		for _, row := range x {
			d := float64(row[i]) - mean
			squares += d * d
		}
		// What hardly varies in the rows must not be blown up.
		spread := max(math.Sqrt(squares/float64(len(x))), 0.05*float64(scale[i]))
		n.mean[i], n.inverse[i] = float32(mean), float32(1/spread)
	}
	n.weights = make([]float32, (w+1)*n.hidden+(n.hidden+1)*outcomes)
	in, _, out, _ := n.parts(n.weights)
	for i := range in {
		in[i] = float32(rng.NormFloat64() * math.Sqrt(2/float64(w)))
	}
	for i := range out {
		out[i] = float32(rng.NormFloat64() * math.Sqrt(1/float64(n.hidden)))
	}
	n.input, n.active, n.back = make([]float32, w), make([]float32, n.hidden), make([]float32, n.hidden)
	n.score = make([]float32, outcomes)
	n.slope = make([]float32, len(n.weights))
	return n
}

// parts cuts a vector like weights into matrices by rows of the layer behind, and biases.
func (n *surrogate) parts(v []float32) (in, inBias, out, outBias []float32) {
	a := n.width * n.hidden
	b := a + n.hidden
	c := b + n.hidden*n.outcomes
	return v[:a], v[a:b], v[b:c], v[c:]
}

// forward answers a row with the scores of the outcomes.
func (n *surrogate) forward(x []float32) []float32 {
	in, inBias, out, outBias := n.parts(n.weights)
	for i, v := range x {
		n.input[i] = (v - n.mean[i]) * n.inverse[i]
	}
	for h := range n.active {
		n.active[h] = max(0, inBias[h]+gonum.Implementation{}.Sdot(n.width, in[h*n.width:], 1, n.input, 1))
	}
	for k := range n.score {
		n.score[k] = outBias[k] + gonum.Implementation{}.Sdot(n.hidden, out[k*n.hidden:], 1, n.active, 1)
	}
	return n.score
}

// backward takes the slope of some loss by the scores of the last row to the hidden layer.
func (n *surrogate) backward(by []float32) {
	_, _, out, _ := n.parts(n.weights)
	clear(n.back)
	for k, d := range by {
		gonum.Implementation{}.Saxpy(n.hidden, d, out[k*n.hidden:], 1, n.back, 1)
	}
	for h, a := range n.active {
		if a <= 0 {
			n.back[h] = 0
		}
	}
}

// bySlope writes the slope of the loss by the features of the last row.
func (n *surrogate) bySlope(by, into []float32) {
	n.backward(by)
	in, _, _, _ := n.parts(n.weights)
	clear(into)
	for h, d := range n.back {
		if d != 0 {
			gonum.Implementation{}.Saxpy(n.width, d, in[h*n.width:], 1, into, 1)
		}
	}
	for i := range into {
		into[i] *= n.inverse[i]
	}
}

// softmax turns scores into shares in place.
func softmax(scores []float32) {
	top := scores[0]
	for _, v := range scores {
		top = max(top, v)
	}
	sum := float32(0)
	for k, v := range scores {
		scores[k] = float32(math.Exp(float64(v - top)))
		sum += scores[k]
	}
	for k := range scores {
		scores[k] /= sum
	}
}

// decide is the outcome with the greatest score.
func (n *surrogate) decide(x []float32) int {
	best := 0
	for k, v := range n.forward(x) {
		if v > n.score[best] {
			best = k
		}
	}
	return best
}

// fit trains on rows and the outcomes that the system decided on: cross-entropy,
// Adam (Kingma and Ba 2015) with the authors' constants, batches of 16 in an order drawn anew each time.
func (n *surrogate) fit(x [][]float32, y []int, epochs int, rng *rand.Rand) {
	const batch, rate, first, second, least = 16, 0.003, 0.9, 0.999, 1e-8
	mean, square := make([]float32, len(n.weights)), make([]float32, len(n.weights))
	by := make([]float32, n.outcomes)
	in, inBias, out, outBias := n.parts(n.slope)
	step := 0
	for range epochs {
		order := rng.Perm(len(x))
		for from := 0; from < len(order); from += batch {
			part := order[from:min(len(order), from+batch)]
			clear(n.slope)
			for _, i := range part {
				copy(by, n.forward(x[i]))
				softmax(by)
				by[y[i]]--
				n.backward(by)
				for k, d := range by {
					gonum.Implementation{}.Saxpy(n.hidden, d, n.active, 1, out[k*n.hidden:(k+1)*n.hidden], 1)
					outBias[k] += d
				}
				for h, d := range n.back {
					if d != 0 {
						gonum.Implementation{}.Saxpy(n.width, d, n.input, 1, in[h*n.width:(h+1)*n.width], 1)
						inBias[h] += d
					}
				}
			}
			step++
			size := float32(rate * math.Sqrt(1-math.Pow(second, float64(step))) / (1 - math.Pow(first, float64(step))))
			share := 1 / float32(len(part))
			for i, g := range n.slope {
				g *= share
				mean[i] = first*mean[i] + (1-first)*g
				square[i] = second*square[i] + (1-second)*g*g
				n.weights[i] -= size * mean[i] / (float32(math.Sqrt(float64(square[i]))) + least)
			}
		}
	}
}
