package tabular

import (
	"context"
	"math"
	"slices"

	"github.com/assize/assize/internal/model"
)

const (
	sections   = 8
	narrowings = 4 // of a real feature, each to an eighth
	passes     = 3
)

// polish takes what was found for row i back towards it.
func (s *searcher) polish(ctx context.Context, i int, from model.Decision, found evolved) (evolved, error) {
	if found.x == nil {
		return found, nil
	}
	c := s.newClimb(i)
	c.keep(found.x)
	err := c.polish(ctx, from)
	return evolved{c.best.x, c.best.cost, found.early}, err
}

// polish takes the best change back towards the row, one feature or group at a time, the dearest
// first, as far as it goes on to gain.
func (c *climb) polish(ctx context.Context, from model.Decision) error {
	for range passes {
		before, moved := c.best.cost, c.moved
		order := slices.Clone(c.free)
		x := c.best.x
		spent := func(j int) float64 {
			switch {
			case x[j] == c.orig[j]:
				return 0
			case c.group[j] >= 0:
				return c.price[c.member(x, j)]
			}
			return c.apart(j, x[j])
		}
		slices.SortStableFunc(order, func(a, b int) int { return int(sign(spent(b) - spent(a))) })
		for _, j := range order {
			if err := c.retreat(ctx, from, j); err != nil {
				return err
			}
		}
		if !(c.best.cost < before) && c.moved == moved {
			break
		}
	}
	return nil
}

// retreat takes feature j back, by sections of what it was moved.
func (c *climb) retreat(ctx context.Context, from model.Decision, j int) error {
	if c.best.x[j] == c.orig[j] || c.group[j] >= 0 && c.orig[j] != 1 {
		return nil
	}
	near := float64(c.orig[j])
	for range narrowings {
		at := float64(c.best.x[j])
		var x []float32
		var to []float64
		for k := range sections {
			v := near + (at-near)*float64(k)/sections
			if c.whole(j) {
				v = math.Round(v)
			}
			if v == at || len(to) > 0 && v == to[len(to)-1] || c.group[j] >= 0 && k > 0 {
				continue
			}
			y := slices.Clone(c.best.x)
			c.put(y, j, float32(v))
			c.dom.Derive(y, c.orig)
			if c.dom.Project(y, c.orig) {
				x, to = append(x, y...), append(to, v)
			}
		}
		if to == nil {
			return nil
		}
		seem := slices.Repeat([]bool{true}, len(to))
		gained, err := c.s.confirm(ctx, from, x, seem)
		if err != nil {
			return err
		}
		before, last := c.best.cost, near
		for k, yes := range gained {
			if yes {
				c.keep(x[k*len(c.orig) : (k+1)*len(c.orig)])
			} else if c.best.cost == before {
				last = to[k]
			}
		}
		near = last
		if c.best.x[j] == c.orig[j] || math.Abs(float64(c.best.x[j])-near) <= 1e-5*c.dom.Scale()[j] {
			return nil
		}
		if c.whole(j) && math.Abs(float64(c.best.x[j])-near) <= 1 {
			return nil
		}
	}
	return nil
}
