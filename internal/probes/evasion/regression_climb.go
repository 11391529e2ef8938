package evasion

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
)

// climb is the search for the largest change of the output on one row, both ways at
// once: 0 is up, 1 is down. Beside it stands what following gradients found, see follow.
type climb struct {
	*space
	i      int // of the row in the case
	row    int // its number
	orig   []float32
	output float64
	rng    *rand.Rand
	budget int
	items  [][]int32 // features that change as one: single ones, and groups

	phase     phase
	from, put int
	asked     int
	asking    []trial
	ends      []end
	at        [2][]float32 // the best that the search found
	gain      [2]float64   // by how much it moves the output
	noise     [2]float64   // the same of random change
	luck      [2][]float32
	followed  bool         // the model has gradients
	trail     [2][]float32 // where they lead furthest; nil: nowhere
	ahead     [2]float64   // the model's own output there, of the way down its negative
	white     [2]float64   // by how much the system's moves
	round     int
}

// phase is what a round of questions is about.
type phase int

const (
	random      phase = iota // change drawn within the ball
	coordinates              // one item to each of its ends
	combined                 // what moved the output most, at once
	walk                     // random search from the best
	over
)

// trial says what a question of this round was for.
type trial struct {
	item int
	to   float32 // the displacement that was tried; of a group the member
	way  int
}

// end is what an end of an item's reach does to the output.
type end struct {
	trial
	moves float64
}

func newClimb(s *space, i, row int, orig []float32, output float64, rng *rand.Rand, budget int) *climb {
	k := &climb{space: s, i: i, row: row, orig: orig, output: output, rng: rng, budget: budget}
	grouped := map[int32]bool{}
	for _, g := range s.groups {
		k.items = append(k.items, g)
		for _, m := range g {
			grouped[m] = true
		}
	}
	for f, free := range s.free {
		if free == 1 && !grouped[int32(f)] {
			k.items = append(k.items, []int32{int32(f)})
		}
	}
	for way := range k.at {
		k.at[way], k.luck[way] = slices.Clone(orig), slices.Clone(orig)
	}
	if len(k.items) == 0 || budget < 1 {
		k.phase = over
	}
	return k
}

// best is the change that moves the output most, and by how much.
func (k *climb) best() ([]float32, float64) {
	x, most := k.orig, 0.0
	for way := range k.at {
		if k.gain[way] > most {
			x, most = k.at[way], k.gain[way]
		}
		if k.noise[way] > most {
			x, most = k.luck[way], k.noise[way]
		}
		if k.white[way] > most {
			x, most = k.trail[way], k.white[way]
		}
	}
	return x, most
}

// propose appends this round's questions to x.
func (k *climb) propose(x []float32) []float32 {
	k.asking = k.asking[:0]
	switch k.phase {
	case random:
		for range min(50, k.budget/5) {
			x = k.question(x, trial{}, func(x []float32, shrink float64) { k.anywhere(x, shrink) })
		}
	case coordinates:
		for at, item := range k.items {
			if len(item) > 1 {
				for _, member := range item {
					x = k.question(x, trial{item: at, to: float32(member)}, func(x []float32, _ float64) { k.set(x, at, float32(member), 1) })
				}
				continue
			}
			for _, to := range []float32{1, -1} {
				x = k.question(x, trial{item: at, to: to}, func(x []float32, shrink float64) { k.set(x, at, to, shrink) })
			}
		}
	case combined:
		for way := range k.at {
			order := k.order(way)
			for count := 1; len(order) > 0; count *= 2 {
				of := order[:min(count, len(order))]
				x = k.question(x, trial{way: way}, func(x []float32, shrink float64) {
					share := shrink
					switch k.norm {
					case "l1":
						share /= float64(len(of))
					case "l2":
						share /= math.Sqrt(float64(len(of)))
					}
					for _, e := range of {
						k.set(x, e.item, e.to, share)
					}
				})
				if count >= len(order) {
					break
				}
			}
		}
	case walk:
		for range 4 {
			for way := range k.at {
				x = k.question(x, trial{way: way}, func(x []float32, shrink float64) { k.step(x, way, shrink) })
			}
		}
	}
	return x
}

// question appends what fill makes of the row, moved onto the domain; where that leaves
// the ball, fill is asked again for less of it. Where nothing comes of it, it is not asked.
func (k *climb) question(x []float32, t trial, fill func(x []float32, shrink float64)) []float32 {
	if k.asked+len(k.asking) >= k.budget {
		return x
	}
	from := len(x)
	for shrink := 1.0; shrink > 0.1; shrink *= 0.6 {
		x = append(x[:from], k.orig...)
		q := x[from:]
		fill(q, shrink)
		if k.project(q, k.orig) && k.within(k.distance(q, k.orig)) && differ(q, k.orig) {
			k.asking = append(k.asking, t)
			return x
		}
	}
	return x[:from]
}

// set moves an item of x to an end of its reach, or a group to a member.
func (k *climb) set(x []float32, item int, to float32, share float64) {
	members := k.items[item]
	if len(members) > 1 {
		for _, m := range members {
			x[m] = 0
			if float32(m) == to {
				x[m] = 1
			}
		}
		return
	}
	i := members[0]
	reach := k.scale[i] * float32(k.epsilon*share)
	x[i] = edge(k.orig[i], min(max(k.orig[i]+to*reach, k.lo[i]), k.hi[i]), reach)
}

// anywhere draws a change: half of the draws at the ends of a cube inside the ball, half within it.
func (k *climb) anywhere(x []float32, shrink float64) {
	switch k.norm {
	case "l1":
		shrink /= float64(len(k.items))
	case "l2":
		shrink /= math.Sqrt(float64(len(k.items)))
	}
	ends := k.rng.Uint64()&1 == 0
	for at, item := range k.items {
		if len(item) > 1 {
			if k.rng.Float64()*float64(len(k.items)) < 2 {
				k.set(x, at, float32(item[k.rng.IntN(len(item))]), 1)
			}
			continue
		}
		to := float32(2*k.rng.Float64() - 1)
		if ends {
			to = float32(math.Copysign(1, float64(to)))
		}
		k.set(x, at, to, shrink)
	}
}

// order lists, for each item that moves the output one way, the end that does so
// most, the strongest first.
func (k *climb) order(way int) []end {
	most := map[int]end{}
	for _, e := range k.ends {
		if way == 1 {
			e.moves = -e.moves
		}
		if e.moves > most[e.item].moves {
			most[e.item] = e
		}
	}
	var out []end
	for _, e := range most {
		out = append(out, e)
	}
	slices.SortFunc(out, func(a, b end) int { return cmp.Or(cmp.Compare(b.moves, a.moves), cmp.Compare(a.item, b.item)) })
	return out
}

// step changes some items of the best so far: fewer of them as the budget runs
// out, as the windows of Square shrink. In linf they go to an end of their reach or
// back; in the other norms the change is then scaled into the ball.
func (k *climb) step(x []float32, way int, shrink float64) {
	copy(x, k.at[way])
	left := 1 - float64(k.asked)/float64(k.budget)
	count := 1 + k.rng.IntN(max(3, int(0.6*left*left*float64(len(k.items))*shrink)))
	for range count {
		at := k.rng.IntN(len(k.items))
		item := k.items[at]
		switch {
		case len(item) > 1:
			k.set(x, at, float32(item[k.rng.IntN(len(item))]), 1)
		case slices.Contains(k.jumps, item[0]):
			k.leap(x, item[0])
		case k.norm == "linf":
			k.set(x, at, []float32{1, -1, 0, float32(2*k.rng.Float64() - 1)}[k.rng.IntN(4)], 1)
		default:
			i := item[0]
			x[i] += k.scale[i] * float32(k.epsilon*shrink*k.rng.NormFloat64()/2)
			x[i] = min(max(x[i], k.lo[i]), k.hi[i])
		}
	}
	if k.norm == "linf" {
		return
	}
	if size := k.distance(x, k.orig); size > k.epsilon {
		share := float32(k.epsilon / size * (1 - 1e-6))
		for _, item := range k.items {
			if len(item) == 1 {
				i := item[0]
				x[i] = k.orig[i] + share*(x[i]-k.orig[i])
			}
		}
	}
}

// leap moves a whole number to the next one, or to any within reach.
func (k *climb) leap(x []float32, i int32) {
	if k.rng.Uint64()&1 == 0 {
		x[i] += float32(2*k.rng.IntN(2) - 1)
		return
	}
	reach := k.scale[i] * float32(k.epsilon)
	low, high := max(k.lo[i], k.orig[i]-reach), min(k.hi[i], k.orig[i]+reach)
	x[i] = low + k.rng.Float32()*(high-low)
}

// hear takes the answer to question j of this round.
func (k *climb) hear(j int, x []float32, output float64, ok bool) {
	if !ok {
		return
	}
	moves := output - k.output
	if k.phase == coordinates {
		k.ends = append(k.ends, end{k.asking[j], moves})
	}
	for way, by := range [2]float64{moves, -moves} {
		if k.phase == random {
			if by > k.noise[way] {
				k.noise[way] = by
				copy(k.luck[way], x)
			}
		} else if by > k.gain[way] || by == k.gain[way] && k.phase == walk && k.asking[j].way == way {
			// What is no worse is taken too: trees are flat over wide stretches.
			k.gain[way] = by
			copy(k.at[way], x)
		}
	}
}

// next goes on to the next round and says whether there is one.
func (k *climb) next() bool {
	k.asked += k.put
	if k.phase == over {
		return false
	}
	if k.phase < walk {
		k.phase++
	} else if k.put == 0 {
		k.round++
	} else {
		k.round = 0
	}
	if k.asked >= k.budget || k.round > 8 {
		k.phase = over
	}
	return k.phase != over
}
