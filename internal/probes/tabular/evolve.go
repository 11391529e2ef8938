package tabular

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/assize/assize/internal/domain"
	"github.com/assize/assize/internal/model"
	"github.com/assize/assize/internal/tree/cheapest"
)

// evolution searches the changes of one row by what the system answers alone:
// multi-objective evolution after MOEVA (Simonetto et al. 2022; the weaker half of CAA, Simonetto et
// al. 2024). How far a change is from a gain and what it costs are the objectives; infeasible
// ones are put back onto the domain before they are asked, in place of a third objective.
type evolution struct {
	*ground
	s     *searcher
	orig  []float32
	from  model.Decision
	r     *rand.Rand
	asked int
}

// being is one change.
type being struct {
	x           []float32
	short, cost float64 // by how much it misses the gain, 0 where it gains; what it costs
	rank        int
	crowd       float64
}

const population = 48

// evolved is what an evolution found: the cheapest change that gains, or none,
// and whether one was found on half the queries already.
type evolved struct {
	x     []float32
	cost  float64
	early bool
}

// evolve searches row i with a budget of questions.
func (s *searcher) evolve(ctx context.Context, i int, from model.Decision, queries int) (evolved, error) {
	e := &evolution{ground: s.ground, s: s, orig: s.c.Data.Row(i), from: from, r: s.c.Seed.Row(s.c.Index[i])}
	var out evolved
	if len(e.free) == 0 {
		return out, nil
	}
	var all []*being
	for e.asked < queries {
		young := e.young(all)
		if len(young) == 0 {
			break
		}
		if err := e.ask(ctx, young); err != nil {
			return out, err
		}
		for _, b := range young {
			if b.short == 0 && (out.x == nil || b.cost < out.cost) {
				out.x, out.cost = b.x, b.cost
				out.early = out.early || 2*e.asked <= queries
			}
		}
		all = fittest(append(all, young...))
	}
	return out, nil
}

// young makes a generation: feasible changes, none of which there is yet.
func (e *evolution) young(all []*being) (young []*being) {
	for range 4 * population {
		if len(young) == population {
			break
		}
		x := slices.Clone(e.orig)
		if len(all) > 0 {
			a, b := e.parent(all), e.parent(all)
			for j := range x {
				if e.group[j] < 0 {
					x[j] = [2]float32{a.x[j], b.x[j]}[e.r.IntN(2)]
				}
			}
			for _, members := range e.groups {
				from := [2]*being{a, b}[e.r.IntN(2)]
				for _, j := range members {
					x[j] = from.x[j]
				}
			}
		}
		for range 1 + e.r.IntN(3) {
			e.mutate(x)
		}
		e.dom.Derive(x, e.orig)
		if !e.dom.Project(x, e.orig) {
			continue
		}
		same := func(b *being) bool { return slices.Equal(b.x, x) }
		if !slices.ContainsFunc(all, same) && !slices.ContainsFunc(young, same) {
			young = append(young, &being{x: x, cost: cheapest.Cost(e.dom, e.price, x, e.orig)})
		}
	}
	return young
}

// parent is the better of two.
func (e *evolution) parent(all []*being) *being {
	a, b := all[e.r.IntN(len(all))], all[e.r.IntN(len(all))]
	if b.rank < a.rank || b.rank == a.rank && b.crowd > a.crowd {
		return b
	}
	return a
}

// mutate changes one feature, or one group, or takes one back to where it was.
func (e *evolution) mutate(x []float32) {
	j := e.free[e.r.IntN(len(e.free))]
	f := &e.dom.Features()[j]
	switch {
	case e.group[j] >= 0:
		e.put(x, j, 1)
	case e.r.IntN(4) == 0:
		x[j] = e.orig[j]
	case f.Type == domain.Binary:
		x[j] = 1 - x[j]
	default:
		step := (f.Max - f.Min) * math.Pow(10, -3*e.r.Float64()) * e.r.NormFloat64()
		if f.Type != domain.Real && math.Abs(step) < 1 {
			step = math.Copysign(1, step)
		}
		x[j] = float32(max(f.Min, min(f.Max, float64(x[j])+step)))
	}
}

// ask has the system answer and says by how much each misses the gain.
func (e *evolution) ask(ctx context.Context, young []*being) error {
	var x []float32
	for _, b := range young {
		x = append(x, b.x...)
	}
	m, a := e.s.c.Model, &e.s.answers
	if err := m.Predict(ctx, x, len(young), a); err != nil {
		return err
	}
	e.asked += len(young)
	for i, b := range young {
		if !m.Gains(e.from, m.Again(e.from, a, i)) {
			b.short = max(math.SmallestNonzeroFloat64, m.Margin(a, i, e.from))
		}
	}
	return nil
}

// fittest keeps a population: by fronts of those that none beats in both
// objectives, the less crowded first (Deb, Pratap, Agarwal and Meyarivan 2002).
func fittest(all []*being) []*being {
	var kept []*being
	for rank := 0; len(all) > 0 && len(kept) < population; rank++ {
		var front, rest []*being
		for _, b := range all {
			if slices.ContainsFunc(all, func(o *being) bool {
				return o.short <= b.short && o.cost <= b.cost && (o.short < b.short || o.cost < b.cost)
			}) {
				rest = append(rest, b)
			} else {
				front = append(front, b)
			}
		}
		slices.SortStableFunc(front, func(a, b *being) int {
			switch {
			case a.cost < b.cost:
				return -1
			case a.cost > b.cost:
				return 1
			}
			return 0
		})
		for i, b := range front {
			b.rank, b.crowd = rank, math.Inf(1)
			if i > 0 && i < len(front)-1 {
				b.crowd = front[i+1].cost - front[i-1].cost
			}
		}
		slices.SortStableFunc(front, func(a, b *being) int {
			switch {
			case a.crowd > b.crowd:
				return -1
			case a.crowd < b.crowd:
				return 1
			}
			return 0
		})
		kept, all = append(kept, front...), rest
	}
	return kept[:min(len(kept), population)]
}
