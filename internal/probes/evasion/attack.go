package evasion

import "math"

// attack is HopSkipJump on one row. What it does depends on the row, its
// source of randomness and the system's answers alone.
type attack struct {
	search
	*knobs
	current   []float32 // where the walk is: a change that gains
	far       []float32 // where an approach began
	way       []float32 // the direction of a step, in displacements
	won, lost []float32 // sums of displacements around current that gain, and that do not
}

// knobs are the same for all rows.
type knobs struct {
	draw    *draw
	linf    bool // the geometry of the walk; l1 is walked as l2
	initial int  // questions for the first direction
	most    int  // questions for any direction
	theta   float64
	delta   float64 // size of a probe around the walk, as a share of the distance
}

// newKnobs sets the tolerances of Chen, Jordan and Wainwright 2020, section 5:
// theta is gamma·d^(-3/2) in l2 and gamma·d^(-2) in linf, delta √d·theta and d·theta of the distance.
func newKnobs(s *space, initial, most int, gamma float64) *knobs {
	d := float64(max(1, s.size))
	k := &knobs{linf: s.norm == "linf", initial: initial, most: most, delta: gamma / d}
	if k.linf {
		k.draw, k.theta = newUniform(), gamma/(d*d)
	} else {
		k.draw, k.theta = newNormal(), gamma/(d*math.Sqrt(d))
	}
	return k
}

func newAttack(k *knobs, s search) *attack {
	a := &attack{search: s, knobs: k}
	orig := s.orig
	room := make([]float32, 5*len(orig))
	for _, s := range []*[]float32{&a.current, &a.far, &a.way, &a.won, &a.lost} {
		*s, room = room[:len(orig):len(orig)], room[len(orig):]
	}
	if len(s.jumps)+len(s.groups) > 0 {
		a.memory = map[uint64]answer{}
	}
	return a
}

// run is the whole attack: algorithm 2 of the paper. Where the walk comes to a point
// around which everything was asked before, it begins anew from another start, until that brings no new question either.
func (a *attack) run() {
	a.again(func() bool { return (!a.linf || a.approach(false, 1e-3)) && a.walk() })
}

// again walks from one start after another while that brings new questions. A walk that is
// false ends it, and so does a domain in which points do not come twice, where one walk is all.
func (a *attack) again(walk func() bool) {
	for idle := 0; idle < 2; idle++ {
		before := a.asked
		if !a.start() || !walk() || a.memory == nil {
			return
		}
		if a.asked > before {
			idle = -1
		}
	}
}

// walk moves along the boundary. It is false when the budget is used up.
func (a *attack) walk() bool {
	for t, dry := 1.0, 0; dry < 2; t++ {
		before := a.asked
		if !a.approach(a.linf, a.theta) || a.memory != nil && !a.revert() {
			return false
		}
		dist := a.length()
		delta := a.delta * dist
		if t == 1 {
			delta = 0.1 * a.spread
		}
		n := min(int(float64(a.initial)*math.Sqrt(t)), a.most, a.budget-a.asked-a.reserve())
		if n < 10 {
			// Too little is left for a direction: what there is makes the distance finer.
			return a.approach(a.linf, a.theta/64) && a.memory != nil
		}
		if going := a.direction(n, delta) && a.step(dist, dist/math.Sqrt(t)); !going {
			return false
		}
		if dry++; a.asked > before {
			dry = 0
		}
	}
	return true
}

// reserve is about what an approach and a step after the last direction take.
func (a *attack) reserve() int { return int(math.Log2(1/a.theta)) + 4 }

// start looks for a change that gains, however large: random rows of the
// domain, in volleys that grow. After the first tries, in which most systems give way, rows are drawn
// nearer, with fewer features changed and at the ends of the ranges, because what gains can be rare.
func (a *attack) start() bool {
	const givenUp = 512 // draws in a row that bring no new question
	nearest := math.Inf(1)
	drawn, volley, before := 0, 1, a.asked
	for dry := 0; math.IsInf(nearest, 1); {
		ok := a.ask(volley, func(x []float32) bool {
			a.anywhere(x, drawn)
			drawn++
			return a.project(x, a.orig)
		}, func(x []float32, gained bool) {
			if d := a.space.distance(x, a.orig); gained && d > 0 && d < nearest {
				nearest = d
				copy(a.current, x)
			}
		})
		if !ok {
			return false
		}
		if dry += volley; a.asked > before {
			dry, before = 0, a.asked
		}
		if dry > givenUp {
			return false
		}
		volley = min(2*volley, a.desk.quota)
	}
	return true
}

// anywhere draws a row of the domain's box.
func (a *attack) anywhere(x []float32, drawn int) {
	kind, share := drawn%4, float32(1)
	if kind == 1 {
		share = a.rng.Float32()
	}
	few := 1 / math.Sqrt(float64(a.size))
	for i, o := range a.orig {
		x[i] = o
		lo, hi := a.lo[i], a.hi[i]
		switch {
		case a.free[i] == 0 || kind >= 2 && a.rng.Float64() < 0.5+few/4 && kind == 2:
		case kind == 3:
			switch a.rng.Uint64() % 3 {
			case 0:
				x[i] = lo
			case 1:
				x[i] = hi
			}
		default:
			x[i] = o + share*(lo+a.rng.Float32()*(hi-lo)-o)
		}
	}
}

// length is the size of the displacement of current in the walk's geometry.
func (a *attack) length() float64 {
	return length(a.current, a.orig, a.inverse, a.linf)
}

func length(x, orig, inverse []float32, linf bool) float64 {
	sum, most := 0.0, 0.0
	for i, v := range x {
		d := math.Abs(float64((v - orig[i]) * inverse[i]))
		sum += d * d
		most = max(most, d)
	}
	if linf {
		return most
	}
	return math.Sqrt(sum)
}

// approach moves current towards the row until theta before the boundary: along
// the line in l2, by clipping in linf.
func (a *attack) approach(linf bool, theta float64) bool {
	copy(a.far, a.current)
	low, high := 0.0, 1.0
	if linf {
		high = a.length()
		theta *= min(1, high)
	}
	for high-low > theta {
		middle := (low + high) / 2
		share, gains := float32(middle), false
		ok := a.ask(1, func(x []float32) bool {
			for i, o := range a.orig {
				if linf {
					x[i] = o + max(-share*a.scale[i], min(share*a.scale[i], a.far[i]-o))
				} else {
					x[i] = o + share*(a.far[i]-o)
				}
			}
			return a.project(x, a.orig)
		}, func(x []float32, gained bool) {
			if gains = gained; gained {
				copy(a.current, x)
			}
		})
		if !ok {
			return false
		}
		if gains {
			high = middle
		} else {
			low = middle
		}
		if middle == low && middle == high {
			break
		}
	}
	return true
}

// direction estimates from n questions around current where change gains most,
// and leaves it in way. Section 3.2 and equation 16 of the paper; displacements are those after
// projection, as clipped ones in the authors' program.
func (a *attack) direction(n int, delta float64) bool {
	clear(a.won)
	clear(a.lost)
	won, lost := 0, 0
	ok := a.ask(n, func(x []float32) bool { return a.around(x, delta) }, func(x []float32, gained bool) {
		sums := a.lost
		if gained {
			won++
			sums = a.won
		} else {
			lost++
		}
		current, sums := a.current[:len(x)], sums[:len(x)]
		for i, v := range x {
			sums[i] += v - current[i]
		}
	})
	// Answers are 1 and -1; their mean is the baseline, unless they are all alike.
	mean := float32(won-lost) / float32(max(1, won+lost))
	up, down := 1-mean, 1+mean
	if won == 0 || lost == 0 {
		up, down = 1, 1
	}
	sum := 0.0
	for i, w := range a.won {
		v := (up*w - down*a.lost[i]) * a.inverse[i]
		if a.linf && v != 0 {
			v = float32(math.Copysign(1, float64(v)))
		}
		a.way[i] = v
		sum += float64(v) * float64(v)
	}
	if !a.linf && sum > 0 {
		k := float32(1 / math.Sqrt(sum))
		for i := range a.way {
			a.way[i] *= k
		}
	}
	return ok
}

// around draws a row at the distance delta from current. Whole numbers for which delta is
// less than a step, and groups, jump instead, a few at a time.
func (a *attack) around(x []float32, delta float64) bool {
	size := a.draw.fill(a.rng, x)
	if a.size < len(x) {
		sum := float32(0)
		for i, f := range a.free {
			x[i] *= f
			sum += x[i] * x[i]
		}
		size = float32(math.Sqrt(float64(sum)))
	}
	if size == 0 {
		return false
	}
	k := float32(delta) / size
	current, scale := a.current[:len(x)], a.scale[:len(x)]
	if a.plain {
		lo, hi := a.lo[:len(x)], a.hi[:len(x)]
		for i, v := range x {
			x[i] = min(max(current[i]+k*v*scale[i], lo[i]), hi[i])
		}
		return true
	}
	for i, v := range x {
		x[i] = current[i] + k*v*scale[i]
	}
	a.jump(x)
	return a.project(x, a.orig)
}

// jump changes each whole number that stayed where it was, and each group, with
// a probability that makes two of them change on average.
func (a *attack) jump(x []float32) {
	rate := 2 / float64(max(4, len(a.jumps)+len(a.groups)))
	for _, i := range a.jumps {
		if a.rng.Float64() >= rate || math.Abs(float64(x[i]-a.current[i])) > 0.5 {
			continue
		}
		if a.rng.Uint64()&1 == 0 {
			x[i] = a.current[i] + 1
		} else {
			x[i] = a.current[i] - 1
		}
	}
	for _, g := range a.groups {
		if a.rng.Float64() >= rate {
			continue
		}
		to := g[a.rng.IntN(len(g))]
		for _, i := range g {
			x[i] = 0
		}
		x[to] = 1
	}
}

// step moves current along way, by first or, where that does not gain, half of it, and so on.
func (a *attack) step(dist, first float64) bool {
	gains := false
	for size := first; !gains && size > a.theta*dist; size /= 2 {
		k := float32(size)
		ok := a.ask(1, func(x []float32) bool {
			for i, v := range a.current {
				x[i] = v + k*a.way[i]*a.scale[i]
			}
			return a.project(x, a.orig)
		}, func(x []float32, gained bool) {
			if gains = gained; gained {
				copy(a.current, x)
			}
		})
		if !ok {
			return false
		}
	}
	return true
}

// revert takes back the changes of single features and groups that are not needed for the gain.
func (a *attack) revert() bool {
	try := func(members ...int32) bool {
		changed := false
		for _, i := range members {
			changed = changed || a.current[i] != a.orig[i]
		}
		return !changed || a.ask(1, func(x []float32) bool {
			copy(x, a.current)
			for _, i := range members {
				x[i] = a.orig[i]
			}
			return a.project(x, a.orig)
		}, func(x []float32, gained bool) {
			if gained {
				copy(a.current, x)
			}
		})
	}
	for _, g := range a.groups {
		if !try(g...) {
			return false
		}
	}
	for _, i := range a.jumps {
		if !try(i) {
			return false
		}
	}
	return true
}
