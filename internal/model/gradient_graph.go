package model

import (
	"github.com/assize/assize/internal/onnx/grad"
)

// add writes the head behind a value with a row of columns numbers.
func (h *head) add(g *grad.Graph, value string, columns int64, positive int) string {
	op := func(op string, in ...string) string { return g.Op(op, in) }
	number := func(v float64) string { return g.Number(v, value) }
	k := int64(len(h.decisions))
	z := value
	if d := g.Dims(value); len(d) != 2 || !d[1].Fixed || d[1].Value != columns {
		z = op("Reshape", value, g.Integers(-1, columns))
	}
	// pick takes columns apart and together again: out[c] = Σ in[from]·weight.
	pick := func(in string, from, to int64, weight func(from, to int64) float64) string {
		w := make([]float64, from*to)
		for i := range from {
			for j := range to {
				w[i*to+j] = weight(i, j)
			}
		}
		return op("MatMul", in, g.Numbers(w, []int64{from, to}, value))
	}
	is := func(b bool) float64 {
		if b {
			return 1
		}
		return 0
	}
	if h.value {
		return pick(z, 1, 2, func(_, to int64) float64 { return 0.5 - float64(to) })
	}
	pos := int64(positive)
	logOf := func(p string) string { return op("Log", op("Max", p, number(1e-30))) }
	if h.cuts == nil && h.refer == nil { // argmax
		if columns > 1 {
			if h.form == probabilities {
				return logOf(z)
			}
			return z
		}
		if h.form == probabilities {
			z = op("Sub", logOf(z), logOf(op("Sub", number(1), z)))
		}
		return pick(z, 1, k, func(_, to int64) float64 { return is(to == pos) })
	}
	if h.refer != nil {
		switch {
		case columns == 1 && h.form == probabilities:
			z = op("Add", pick(z, 1, 2, func(_, to int64) float64 { return 2*is(to == pos) - 1 }), g.Numbers([]float64{1 - is(pos == 0), 1 - is(pos == 1)}, []int64{1, 2}, value))
		case columns == 1:
			z = pick(z, 1, 2, func(_, to int64) float64 { return is(to == pos) })
		}
		switch h.form {
		case probabilities:
			z = logOf(z)
		case oneByOne:
			z = op("Neg", op("Softplus", op("Neg", z)))
		default:
			z = g.Op("LogSoftmax", []string{z}, grad.Int("axis", -1))
		}
		return perClass(g, z, h.refer)
	}
	s := z
	switch {
	case columns == 1:
		if h.form == probabilities {
			s = op("Sub", logOf(z), logOf(op("Sub", number(1), z)))
		}
	case h.form == oneByOne:
		s = pick(z, columns, 1, func(from, _ int64) float64 { return is(from == pos) })
	case h.form == probabilities:
		p := pick(z, columns, 1, func(from, _ int64) float64 { return is(from == pos) })
		s = op("Sub", logOf(p), logOf(op("Sub", number(1), p)))
	case columns == 2:
		s = pick(z, 2, 1, func(from, _ int64) float64 { return 2*is(from == pos) - 1 })
	default:
		// The positive logit less the log of the sum of the others' exponentials.
		rest := pick(z, columns, columns-1, func(from, to int64) float64 { return is(from == to && to < pos || from == to+1 && to >= pos) })
		sum := g.Reduce("ReduceLogSumExp", rest, []int64{-1}, true)
		s = op("Sub", pick(z, columns, 1, func(from, _ int64) float64 { return is(from == pos) }), sum)
	}
	var from, to []float64
	for _, p := range h.cuts {
		from, to = append(from, p.from), append(to, p.to)
	}
	return op("Min", op("Sub", s, g.Numbers(from, []int64{1, k}, value)), op("Sub", g.Numbers(to, []int64{1, k}, value), s))
}

// perClass scores the outcomes of a rule with a threshold for each class, given
// the logarithms of the probabilities and the thresholds' with a minus. A
// class is decided by how far it is above its threshold and above every other class
// that reaches its own; nobody, in the last column, by how far the best is below.
func perClass(g *grad.Graph, logs string, thresholds []float64) string {
	op := func(op string, in ...string) string { return g.Op(op, in) }
	n := int64(len(thresholds))
	apart := make([]float64, n*n)
	for c := range n {
		apart[c*n+c] = -never
	}
	reach := op("Add", logs, g.Numbers(thresholds, []int64{1, n}, logs))
	ahead := op("Sub", op("Unsqueeze", logs, g.Integers(2)), op("Unsqueeze", logs, g.Integers(1)))
	ahead = op("Max", ahead, op("Unsqueeze", op("Neg", reach), g.Integers(1)))
	ahead = op("Add", ahead, g.Numbers(apart, []int64{1, n, n}, logs))
	best := op("Min", reach, g.Reduce("ReduceMin", ahead, []int64{2}, false))
	nobody := op("Neg", g.Reduce("ReduceMax", reach, []int64{1}, true))
	return g.Op("Concat", []string{best, nobody}, grad.Int("axis", 1))
}

// cotangent is the derivative of a loss with respect to k scores a row, which
// are of float32.
func cotangent(g *grad.Graph, loss Loss, scores string, k int64) string {
	op := func(op string, in ...string) string { return g.Op(op, in) }
	own := op("Add", scores, ownName)
	if loss == CrossEntropy {
		return op("Sub", op("Softmax", scores), op("Softmax", own))
	}
	aim := op("Add", scores, aimName)
	margin := op("Sub", op("Hardmax", aim), op("Hardmax", own))
	if loss == Margin {
		return margin
	}
	// Of margin/spread; the spread is the first less a mean of later scores.
	later, weights := int64(3), []float64{1, 0, -1}
	if loss == TargetedDLR {
		later, weights = 4, []float64{1, 0, -0.5, -0.5}
	}
	top := g.Ops(2, "TopK", []string{scores, g.Integers(later)}, grad.Int("axis", -1))
	w := g.Numbers(weights, []int64{later, 1}, scores)
	spread := op("Add", op("MatMul", top[0], w), g.Number(tiny, scores))
	// The spread's own derivative: the weights at the places of the largest scores.
	places := g.Op("OneHot", []string{top[1], g.Integers(k), g.Numbers([]float64{0, 1}, []int64{2}, scores)}, grad.Int("axis", 1))
	moves := op("Reshape", op("MatMul", places, w), g.Integers(-1, k))
	value := op("ReduceSum", op("Mul", margin, scores), g.Integers(1))
	return op("Div", op("Sub", margin, op("Mul", op("Div", value, spread), moves)), spread)
}
