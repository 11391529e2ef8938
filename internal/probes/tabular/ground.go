package tabular

import "github.com/assize/assize/internal/domain"

// ground is what a search moves on: the features that can change, each by itself or with its group.
type ground struct {
	dom    *domain.Domain
	price  []float64
	groups [][]int
	group  []int // per feature, or −1
	free   []int // features that can change
}

func newGround(d *domain.Domain, price []float64) *ground {
	g := &ground{dom: d, price: price, group: make([]int, d.Len())}
	byName := map[string]int{}
	for j, f := range d.Features() {
		g.group[j] = -1
		if f.Group != "" {
			at, ok := byName[f.Group]
			if !ok {
				at = len(g.groups)
				byName[f.Group] = at
				g.groups = append(g.groups, nil)
			}
			g.group[j] = at
			g.groups[at] = append(g.groups[at], j)
		}
		if f.Mutable != domain.No && f.Min < f.Max {
			g.free = append(g.free, j)
		}
	}
	return g
}

// put sets feature j of x; in a group it becomes the one member that is 1.
func (g *ground) put(x []float32, j int, v float32) {
	if at := g.group[j]; at >= 0 {
		for _, k := range g.groups[at] {
			x[k] = 0
		}
		v = 1
	}
	x[j] = v
}

// member is the one of j's group that is 1 in x; j itself where it stands alone.
func (g *ground) member(x []float32, j int) int {
	if at := g.group[j]; at >= 0 {
		for _, k := range g.groups[at] {
			if x[k] == 1 {
				return k
			}
		}
	}
	return j
}
