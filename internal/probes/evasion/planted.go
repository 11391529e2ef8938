package evasion

import (
	"context"
	"fmt"
	"math/bits"
	"slices"

	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/model"
	"github.com/assize/assize/internal/result"
)

// The unit test of an attack, after Zimmermann, Brendel, Tramèr and Carlini 2022
// (Increasing Confidence in Adversarial Robustness Evaluations, NeurIPS, arXiv 2206.13991): of a
// row that stands a copy of the system is made that surely has an adversarial example. Theirs
// trains a readout on the features of the model; here, where only answers can be had, the copy
// gives way as soon as the margin falls to that of the best of some random changes within the
// threat model. That change is the planted example. An attack that does not find it, or another,
// would not have found one in the system either, and what it says of rows that stand is worth nothing.

// plantings is how many random changes are drawn to plant one.
const plantings = 64

// tested tells whether an attack is tested on a row: the same rows for every attack, about one in eight.
func tested(row int) bool { return bits.OnesCount64(uint64(row)*0x9e3779b97f4a7c15)%8 == 0 }

// plant attacks copies of rows that stand. Found is 1 where the attack found an
// example, 0 where it missed, -1 where none was planted: the answers do not
// say how far they are from a gain, no change drawn was nearer to one, or so few questions are allowed that luck would do as well.
func plant(ctx context.Context, c *measure.Case, s *space, all []*search, standing func(i int) bool, begin func(search) walker) (found []float64, err error) {
	budget := c.Params.Int("queries") // no solution limits a test
	seed := c.Seed
	seed[0] ^= 0xff // not the draws of the attack itself
	found = make([]float64, len(all))
	var copies []walker
	var at []int
	n := &noise{s: s, normal: newNormal()}
	for i, row := range c.Index {
		found[i] = -1
		if !standing(i) || !tested(row) || !c.Model.Graded() || budget < 2*plantings {
			continue
		}
		level, ok, err := n.planted(ctx, c, all[i], seed, row)
		if err != nil {
			return nil, err
		}
		if ok {
			w := begin(search{space: s, orig: all[i].orig, row: row, from: all[i].from, rng: seed.Row(row), budget: budget, plant: &level})
			copies, at = append(copies, w), append(at, i)
		}
	}
	if err := together(ctx, c.Model, copies, func(int) {}); err != nil {
		return nil, err
	}
	for k, w := range copies {
		found[at[k]] = 0
		if w.state().succeeded > 0 {
			found[at[k]] = 1
		}
	}
	return found, nil
}

// planted draws changes of a row and returns the least margin among them. It is false where none is less than the row's own.
func (n *noise) planted(ctx context.Context, c *measure.Case, a *search, seed measure.Seed, row int) (level float64, ok bool, err error) {
	rng := seed.Row(-2 - row)
	x := append([]float32(nil), a.orig...)
	w := len(a.orig)
	for range plantings {
		x = append(x, a.orig...)
		last := x[len(x)-w:]
		n.ball(rng, last, a.orig, 1)
		if !n.s.project(last, a.orig) || !n.s.within(n.s.distance(last, a.orig)) {
			x = x[:len(x)-w]
		}
	}
	var answers model.Answers
	if err := askMean(ctx, c.Model, x, slices.Repeat([]int{row}, len(x)/w), &answers); err != nil {
		return 0, false, err
	}
	own, best := c.Model.Margin(&answers, 0, a.from), 0
	level = own
	for i := 1; i < len(x)/w; i++ {
		if m := c.Model.Margin(&answers, i, a.from); m < level {
			best, level = i, m
		}
	}
	if best == 0 || !c.Model.Random() {
		return level, best > 0, nil
	}
	// The least of many random margins is so by luck, too: that of the same change, asked anew, is planted.
	again := slices.Repeat(x[best*w:(best+1)*w], model.Fresh)
	if err := askMean(ctx, c.Model, again, slices.Repeat([]int{row}, model.Fresh), &answers); err != nil {
		return 0, false, err
	}
	level = 0
	for i := range model.Fresh {
		level += c.Model.Margin(&answers, i, a.from) / model.Fresh
	}
	return level, level < own, nil
}

// checkPlanted says how many planted examples were missed.
func checkPlanted(r *result.Result, found []float64) {
	tried, missed := 0, 0
	for _, v := range found {
		if v >= 0 {
			tried++
		}
		if v == 0 {
			missed++
		}
	}
	if tried > 0 {
		r.Check("planted-examples-found", 20*missed <= max(tried, 20), fmt.Sprintf("In copies of %d rows that stand an adversarial example was planted; the attack missed %d, and one in twenty may be.", tried, missed))
	}
}
