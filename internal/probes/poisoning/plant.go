package poisoning

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/result"
)

// planting is one way of putting copies of rows into the data.
type planting struct {
	name   string
	must   bool // what the search promises to find
	change func(x *index, row []float32, random *rand.Rand)
}

// plantings are the ways in which copies are planted, from those that must be found on.
func plantings() []planting {
	return []planting{
		{"equal copies, their labels kept or changed", true, func(*index, []float32, *rand.Rand) {}},
		{"copies with every input moved by up to nine tenths of what is near", true, func(x *index, row []float32, random *rand.Rand) {
			for j := range row {
				move(x, row, j, 0.9*x.near*(2*random.Float64()-1))
			}
		}},
		{"copies with one input moved by five times what is near", false, func(x *index, row []float32, random *rand.Rand) {
			move(x, row, random.IntN(len(row)), 5*x.near)
		}},
		{"copies with one input replaced by another row's", false, func(x *index, row []float32, random *rand.Rand) {
			j := random.IntN(len(row))
			row[j] = x.t.Row(random.IntN(x.t.Len()))[j]
		}},
	}
}

// move changes one value by a share of its range.
func move(x *index, row []float32, j int, share float64) {
	if x.inv[j] > 0 {
		row[j] += float32(share / x.inv[j])
	}
}

// plant looks for copies that are known to be there: detectors prove their
// power on the target, and the notes say what would not have been found.
func plant(r *result.Result, s *set, c *measure.Case) {
	random := c.Seed.Whole()
	rows := measure.Sample(c.Seed, s.Table.Len(), c.Params.Int("planted"))
	copied := make([]float32, s.Table.Width)
	for _, p := range plantings() {
		found := 0
		for _, i := range rows {
			copy(copied, s.Table.Row(i))
			p.change(s.index, copied, random)
			if s.index.finds(copied, i) {
				found++
			}
		}
		note := fmt.Sprintf("%d of %d %s were found in %s.", found, len(rows), p.name, s.Name)
		if p.must {
			r.Check("planted-found", found == len(rows), note)
		} else {
			r.Notes = append(r.Notes, "planted: "+note)
		}
	}
}

// finds tells whether a copy of row i is seen to be one.
func (x *index) finds(copied []float32, i int) bool {
	if g := x.equals(copied); g != nil && slices.Contains(g.rows, int32(i)) {
		return true
	}
	found := false
	x.visit(copied, func(g *group) bool {
		found = slices.Contains(g.rows, int32(i))
		return !found
	})
	return found
}
