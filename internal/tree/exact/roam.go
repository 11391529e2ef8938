package exact

import (
	"math/rand/v2"
	"slices"
)

// roam looks for inputs that can occur where the nearest region has none: it
// scatters inputs, has each put in order by Options.Accept, and pulls those that
// meet the goal towards the row.
func (s *search) roam(q *query, index int) {
	r := rand.New(rand.NewPCG(uint64(len(q.v.trees)), 2*samples))
	for k := range 2 * samples {
		if s.passes <= 0 || s.past(0.5) {
			return
		}
		x := s.point(q, r, []float64{0.1, 0.25, 0.5, 1}[k%4])
		y, ok := s.occurs(q, x)
		if !ok {
			continue
		}
		y = s.pull(q, y)
		if d := s.distance(y); d < s.res.Upper {
			s.res.Upper, s.res.Witness, s.res.Goal = d, y, index
		}
	}
}

// occurs has an input accepted and tells whether what came back surely meets the goal.
func (s *search) occurs(q *query, x []float32) ([]float32, bool) {
	s.passes--
	y, ok := s.o.Accept(x)
	return y, ok && len(y) == len(x) && s.g.meets(y, q.v.goal, s.o.Slack)
}

// pull puts features back to the row's values, or halfway, as long as that
// brings an input nearer in the norm, or in the sum of changes where the norm stays.
func (s *search) pull(q *query, x []float32) []float32 {
	far, sum := s.distance(x), s.sum(x)
	for range 4 {
		better := false
		if s.passes <= 0 {
			break
		}
		for f := range x {
			for _, part := range []float32{0, 0.5} {
				y := slices.Clone(x)
				if !s.back(q, y, f, part) {
					break
				}
				y, ok := s.occurs(q, y)
				if !ok {
					continue
				}
				if d, t := s.distance(y), s.sum(y); d < far || d == far && t < sum {
					x, far, sum, better = y, d, t, true
					break
				}
			}
		}
		if !better {
			break
		}
	}
	return x
}

// back moves one feature, or the category that it belongs to, towards the row;
// part is what is left of the change. False: there is nothing to move.
func (s *search) back(q *query, x []float32, f int, part float32) bool {
	at := q.r.at[f]
	if x[f] == at || x[f] != x[f] {
		return false
	}
	if c := s.g.catOf[f]; c >= 0 {
		for _, m := range s.g.cats[c].features {
			x[m] = q.r.at[m]
		}
		return part == 0
	}
	v := at + (x[f]-at)*part
	if s.g.feats[f].whole {
		v = s.g.feats[f].from(v)
	}
	if v == x[f] {
		return false
	}
	x[f] = v
	return true
}

// distance is that of x from the row.
func (s *search) distance(x []float32) float64 {
	sum := 0.0
	for f := range x {
		sum = s.o.Norm.join(sum, s.g.far(s.r, f, x[f]))
	}
	return s.o.Norm.done(sum)
}

// sum is the L1 distance of x from the row.
func (s *search) sum(x []float32) float64 {
	sum := 0.0
	for f := range x {
		sum += s.g.far(s.r, f, x[f])
	}
	return sum
}
