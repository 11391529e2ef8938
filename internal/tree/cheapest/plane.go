package cheapest

import (
	"math"
	"slices"

	"github.com/assize/assize/internal/tree/exact"
)

// plane is a goal over the sums of a linear model.
type plane struct {
	g      *Engine
	above  []float64
	base   []float64
	weight [][]float64 // per half-space and feature
	orig   []float32
	offers []offer
	spot   []float32
}

// offer is something that a row can do to gain: up to most units of a feature,
// or a member of a group in the place of the one before.
type offer struct {
	feature    int32
	from       int32 // of a group: the member that it replaces; -1 otherwise
	gain, cost float64
	most       float64
	up         bool
}

func newPlane(g *Engine, halves []exact.Half) *plane {
	p := &plane{g: g}
	for _, h := range halves {
		base, weight := 0.0, make([]float64, g.dom.Len())
		for o, w := range h.Weights {
			base += w * g.model.Linear.Bias[o]
			for i, v := range g.model.Linear.Weights[o] {
				weight[i] += w * v
			}
		}
		p.above, p.base, p.weight = append(p.above, h.Above), append(p.base, base), append(p.weight, weight)
	}
	return p
}

// within implements goal.
func (p *plane) within(lo, hi, orig []float32) goal {
	own := *p
	own.orig, own.spot, own.offers = orig, make([]float32, len(orig)), nil
	return &own
}

// rounding implements goal. Scaling in front of the model is folded into the
// weights, so four errors are allowed for each product.
func (p *plane) rounding(lo, hi []float32) float64 {
	worst := 0.0
	for j, weight := range p.weight {
		size := math.Abs(p.base[j]) + math.Abs(p.above[j])
		for i, w := range weight {
			size += 4 * math.Abs(w) * max(math.Abs(float64(lo[i])), math.Abs(float64(hi[i])))
		}
		worst = max(worst, float64(len(weight)+2)*0x1p-24*size)
	}
	return worst
}

// margin implements goal.
func (p *plane) margin(x []float32) float64 {
	_, least := p.worst(x)
	return least
}

func (p *plane) worst(x []float32) (half int, least float64) {
	least = math.Inf(1)
	for j, weight := range p.weight {
		sum := p.base[j] - p.above[j]
		for i, w := range weight {
			sum += w * float64(x[i])
		}
		if sum < least {
			half, least = j, sum
		}
	}
	return half, least
}

// look implements goal. The cost of what is missing is bounded by the best
// offers in the order of gain for the price, the last one in part: the
// relaxation of a knapsack with choices (Kellerer, Pferschy and Pisinger 2004, chapter 11).
func (p *plane) look(b *box, near []float32) step {
	s := step{top: math.Inf(1), feature: -1, work: len(near) * len(p.weight)}
	var worst int
	worst, s.near = p.worst(near)
	for j := range p.weight {
		s.top = min(s.top, p.top(b, j)-p.above[j])
	}
	p.offer(b, near, worst)
	widest := 0.0
	for _, o := range p.offers {
		if w := o.gain * o.most; w > widest {
			widest = w
			s.feature, s.at = o.feature, b.lo[o.feature]/2+b.hi[o.feature]/2
		}
	}
	if s.feature < 0 { // every change in the box only loses
		s.feature, s.at = p.losing(b, worst)
	}
	if s.near >= 0 {
		return s
	}
	p.fill(near, 2*b.slack-s.near)
	s.point = p.spot
	var part int
	if s.extra, part = p.bill(-b.slack - s.near); part >= 0 {
		o := &p.offers[part]
		s.feature, s.at = o.feature, b.hi[o.feature]
		if o.from < 0 {
			s.at = p.spot[o.feature]
			if !o.up { // with it on the lower side
				s.at = math.Nextafter32(s.at, float32(math.Inf(1)))
			}
		}
	}
	return s
}

// top is the largest sum of a half-space over a box; of a group one member alone counts.
func (p *plane) top(b *box, j int) float64 {
	sum := p.base[j]
	for i, w := range p.weight[j] {
		if p.g.group[i] < 0 {
			sum += max(w*float64(b.lo[i]), w*float64(b.hi[i]))
		}
	}
	for _, members := range p.g.groups {
		best := math.Inf(-1)
		for _, i := range members {
			if b.lo[i] >= 1 {
				best = p.weight[j][i]
				break
			}
			if b.hi[i] >= 1 {
				best = max(best, p.weight[j][i])
			}
		}
		sum += best
	}
	return sum
}

// losing is a feature that can change in a box and matters, or -1.
func (p *plane) losing(b *box, j int) (feature int32, at float32) {
	for i := range b.lo {
		if b.lo[i] < b.hi[i] && p.weight[j][i] != 0 {
			return int32(i), b.lo[i]/2 + b.hi[i]/2
		}
	}
	return -1, 0
}

// offer lists what gains in a half-space from the nearest point of a box on,
// best gain for the price first. Of a group it takes the steps of the concave hull.
func (p *plane) offer(b *box, near []float32, j int) {
	p.offers = p.offers[:0]
	for i, w := range p.weight[j] {
		if p.g.group[i] >= 0 || b.lo[i] == b.hi[i] || w == 0 {
			continue
		}
		end := b.hi[i]
		if w < 0 {
			end = b.lo[i]
		}
		if most := math.Abs(float64(end) - float64(near[i])); most > 0 {
			p.offers = append(p.offers, offer{int32(i), -1, math.Abs(w), p.g.price[i], most, w > 0})
		}
	}
	for _, members := range p.g.groups {
		from := int32(-1)
		for _, i := range members {
			if near[i] == 1 {
				from = i
			}
		}
		for from >= 0 && b.lo[from] < 1 {
			best := offer{feature: -1}
			for _, i := range members {
				gain := p.weight[j][i] - p.weight[j][from]
				cost := max(0, p.g.taking(i, p.orig)-p.g.taking(from, p.orig))
				if b.hi[i] >= 1 && gain > 0 && (best.feature < 0 || gain*best.cost > best.gain*cost || gain*best.cost == best.gain*cost && gain > best.gain) {
					best = offer{i, from, gain, cost, 1, true}
				}
			}
			if best.feature < 0 {
				break
			}
			p.offers = append(p.offers, best)
			from = best.feature
		}
	}
	slices.SortStableFunc(p.offers, func(a, b offer) int {
		switch ab, ba := a.gain*b.cost, b.gain*a.cost; {
		case ab > ba:
			return -1
		case ab < ba:
			return 1
		}
		return 0
	})
}

// bill is the least that a gain can cost, and the offer that is taken in part, or -1.
func (p *plane) bill(missing float64) (cost float64, part int) {
	for k := range p.offers {
		o := &p.offers[k]
		if missing <= 0 {
			break
		}
		units := missing / o.gain
		if units < o.most {
			return cost + units*o.cost, k
		}
		cost += o.most * o.cost
		missing -= o.most * o.gain
	}
	return max(0, cost), -1
}

// fill takes offers in order until they make up what is missing, the last one
// rounded up, and leaves the point that comes of it in spot.
func (p *plane) fill(near []float32, missing float64) {
	copy(p.spot, near)
	for k := range p.offers {
		if missing <= 0 {
			return
		}
		o := &p.offers[k]
		if o.from >= 0 {
			if p.spot[o.from] == 1 {
				p.spot[o.from], p.spot[o.feature] = 0, 1
				missing -= o.gain
			}
			continue
		}
		units := min(missing/o.gain, o.most)
		if p.g.whole[o.feature] {
			units = min(math.Ceil(units), o.most)
		}
		missing -= units * o.gain
		sign := -1.0
		if o.up {
			sign = 1
		}
		from := float64(near[o.feature])
		to := float32(from + sign*units)
		if units < o.most && sign*(float64(to)-from) < units {
			to = math.Nextafter32(to, float32(math.Inf(int(sign))))
		}
		p.spot[o.feature] = to
	}
}
