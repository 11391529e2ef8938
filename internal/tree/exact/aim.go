package exact

import (
	"fmt"
	"math"
)

// Half is a half-space of the ensemble's outputs: the sum of Weights[o] times
// output o, base and averaging included and before the link, is above Above.
type Half struct {
	Weights []float64
	Above   float64
	// OrEqual lets equality count.
	OrEqual bool
}

// Aim is what an attacker wants: all half-spaces of any of its lists.
type Aim [][]Half

// Over is the aim of one output above a limit, or at it.
func Over(limit float64, orEqual bool) Aim {
	return Aim{{{Weights: []float64{1}, Above: limit, OrEqual: orEqual}}}
}

// Under is the aim of one output below a limit, or at it.
func Under(limit float64, orEqual bool) Aim {
	return Aim{{{Weights: []float64{-1}, Above: -limit, OrEqual: orEqual}}}
}

// Outside is the aim of one output off the closed interval from low to high.
func Outside(low, high float64) Aim {
	return append(Over(high, false), Under(low, false)...)
}

// Another is the aim of any class but from, of the largest output; the lowest
// class wins among equals.
func Another(classes, from int) Aim {
	var a Aim
	for k := range classes {
		if k != from {
			a = append(a, []Half{versus(classes, k, from)})
		}
	}
	return a
}

// Target is the aim of class to, of the largest output.
func Target(classes, to int) Aim {
	var all []Half
	for k := range classes {
		if k != to {
			all = append(all, versus(classes, to, k))
		}
	}
	return Aim{all}
}

func versus(classes, winner, loser int) Half {
	w := make([]float64, classes)
	w[winner], w[loser] = 1, -1
	return Half{Weights: w, OrEqual: winner < loser}
}

func (g *Engine) checkAim(a Aim) error {
	if len(a) == 0 {
		return fmt.Errorf("read aim: it has no half-space")
	}
	for _, all := range a {
		if len(all) == 0 {
			return fmt.Errorf("read aim: an empty list of half-spaces")
		}
		for _, h := range all {
			some := false
			for _, w := range h.Weights {
				if w-w != 0 {
					return fmt.Errorf("read aim: a weight is not finite")
				}
				some = some || w != 0
			}
			if len(h.Weights) != g.outputs || !some || h.Above != h.Above {
				return fmt.Errorf("read aim: %d weights for %d outputs, above %v", len(h.Weights), g.outputs, h.Above)
			}
		}
	}
	return nil
}

// holds tells whether a sum over the trees meets a half-space by more than slack.
func (h *Half) holds(sum, slack float64) bool {
	if slack > 0 {
		return sum > h.Above+slack
	}
	return sum > h.Above || h.OrEqual && sum == h.Above
}

// mayHold tells whether an upper bound of the sum leaves it open that the
// half-space is met, given that the sum is known up to slack.
func (h *Half) mayHold(bound, slack float64) bool {
	return bound >= h.Above-slack && (bound > h.Above-slack || h.OrEqual || slack > 0)
}

// Rounding bounds how far a float32 runtime's sum of a half-space can lie from
// the exact one: one rounding error of the largest partial sum per addition
// (Higham 2002, section 4.2). It is the slack to search with when the decision
// of such a runtime is to be proved.
func (g *Engine) Rounding(h Half) float64 {
	total, n := 0.0, float64(len(g.trees)+2)
	for o, w := range h.Weights {
		total += math.Abs(w) * (g.spread[o] + math.Abs(g.base[o]))
	}
	return n * 0x1p-24 * (total + math.Abs(h.Above))
}
