package evasion

import (
	"math"
	"math/rand/v2"
)

// SurrogateSlope trains a surrogate and returns, at a point, the slope of one
// outcome's score by each feature as it works it out and by central differences of the score.
func SurrogateSlope(x [][]float32, y []int, outcomes, of int, at []float32, h float32) (slope, differences []float64) {
	scale := make([]float32, len(at))
	for i := range scale {
		scale[i] = 1
	}
	rng := rand.New(rand.NewPCG(1, 1))
	n := newSurrogate(x, outcomes, scale, rng)
	n.fit(x, y, 20, rng)
	by, got := make([]float32, outcomes), make([]float32, len(at))
	by[of] = 1
	n.forward(at)
	n.bySlope(by, got)
	for i := range at {
		up, down := append([]float32(nil), at...), append([]float32(nil), at...)
		up[i] += h
		down[i] -= h
		high := float64(n.forward(up)[of])
		low := float64(n.forward(down)[of])
		slope, differences = append(slope, float64(got[i])), append(differences, (high-low)/float64(up[i]-down[i]))
	}
	return slope, differences
}

// SurrogateLearns trains on rows and says on what share of others it decides alike.
func SurrogateLearns(x [][]float32, y []int, others [][]float32, want []int) float64 {
	scale := make([]float32, len(x[0]))
	for i := range scale {
		scale[i] = 1
	}
	rng := rand.New(rand.NewPCG(2, 1))
	n := newSurrogate(x, 2, scale, rng)
	n.fit(x, y, 30, rng)
	same := 0
	for i, row := range others {
		if n.decide(row) == want[i] {
			same++
		}
	}
	return math.Round(1000*float64(same)/float64(len(others))) / 1000
}

// Verdict is what a solution does.
var Verdict = verdict
