package evasion

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/assize/assize/internal/model"
)

// search is what every attack on one row keeps: the row, its source of
// randomness, the questions that it may ask and the best that it found.
type search struct {
	*space
	orig   []float32
	row    int // its number
	from   model.Decision
	rng    *rand.Rand
	budget int
	desk   *desk
	pause  func(struct{}) bool
	memory map[uint64]answer // nil where questions hardly come up twice
	graded bool              // it follows margins
	plant  *float64          // margin from which on the system counts as giving the gain; see planted.go

	asked     int
	margin    float64   // of the answer that is heard: how far it is from a gain; where graded
	best      []float32 // nearest change that gains, nil where none was found
	second    []float32 // the nearest before it
	distance  float64   // of best
	surest    []float32 // change that gains most often, where answers are random and the attack knows
	succeeded int       // questions asked when a change within the threat model first gained; 0: never
}

func (a *search) state() *search { return a }

// answer is what an attack knows of a question. It is kept for domains with whole
// numbers, in which the same question comes up again.
type answer int8

const (
	unknown answer = iota
	pending
	lost
	won
)

// ask puts n questions to the system, as far as the budget goes. Make writes a
// question into x and says whether there is one; hear gets the answers, in the
// order of the questions unless an answer is known already. It is false when the attack must end.
func (a *search) ask(n int, fill func(x []float32) bool, hear func(x []float32, gained bool)) bool {
	for done := 0; done < n; {
		if a.asked >= a.budget {
			return false
		}
		first, put := a.desk.count, 0
		for ; done < n && put < a.desk.quota && a.asked+put < a.budget; done++ {
			x := a.desk.slot()
			if !fill(x) {
				continue
			}
			if a.memory != nil {
				key := key(x)
				if known := a.memory[key]; known != unknown {
					if known != pending {
						hear(x, known == won)
					}
					continue
				}
				a.memory[key] = pending
			}
			a.desk.count++
			a.desk.about = append(a.desk.about, a.row)
			put++
		}
		if put == 0 {
			continue
		}
		if !a.pause(struct{}{}) {
			a.asked = a.budget
			return false
		}
		for j := first; j < first+put; j++ {
			x := a.desk.reading[j*a.desk.width : (j+1)*a.desk.width]
			gained := a.desk.m.Gains(a.from, a.desk.m.Decision(&a.desk.answers, j))
			if a.graded || a.plant != nil {
				a.margin = a.desk.m.Margin(&a.desk.answers, j, a.from)
			}
			if a.plant != nil {
				gained = a.margin <= *a.plant
			}
			a.asked++
			if a.memory != nil {
				a.memory[key(x)] = lost
				if gained {
					a.memory[key(x)] = won
				}
			}
			if gained {
				a.keep(x)
			}
			hear(x, gained)
		}
	}
	return true
}

// keep notes a change that gains.
func (a *search) keep(x []float32) {
	d := a.space.distance(x, a.orig)
	if a.succeeded == 0 && a.within(d) {
		a.succeeded = a.asked
	}
	if a.best != nil && d >= a.distance {
		return
	}
	a.best, a.second = a.second, a.best
	if a.best == nil {
		a.best = make([]float32, len(x))
	}
	copy(a.best, x)
	a.distance = d
}

// key tells questions apart by 64 bits of a hash (FNV-1a over words).
func key(x []float32) uint64 {
	h := uint64(14695981039346656037)
	for _, v := range x {
		h = (h ^ uint64(math.Float32bits(v))) * 1099511628211
	}
	return h ^ h>>29
}

// nearer takes back what a change that gains does not need, by a search along the line to the row.
func (a *search) nearer() {
	if a.succeeded == 0 {
		return
	}
	const steps = 12
	end := slices.Clone(a.best)
	low, high := 0.0, 1.0
	for range steps {
		share, gains := (low+high)/2, false
		going := a.ask(1, func(x []float32) bool {
			for i, o := range a.orig {
				x[i] = o + float32(share)*(end[i]-o)
			}
			return a.project(x, a.orig) && differ(x, a.orig)
		}, func(_ []float32, gained bool) { gains = gained })
		if !going {
			return
		}
		if gains {
			high = share
		} else {
			low = share
		}
	}
}
