package domain

import (
	"math"
	"slices"
)

const (
	maxRounds = 24        // of linearised steps, of coordinate search
	maxWork   = 2_000_000 // arithmetic operations of search and retreat, each
)

// repair is one attempt to meet the relations from x, which already meets all else.
type repair struct {
	d       *Domain
	x, orig []float32
	start   []float32 // x as it was: the result stays near it
	work    int       // operations left
	cost    int       // operations of all relations
	s       scratch
}

// repair moves x until the relations hold and then back towards where it was.
func (d *Domain) repair(x, orig []float32) bool {
	r := &repair{d: d, x: x, orig: orig, start: slices.Clone(x), work: maxWork}
	for i := range d.relations {
		d.relations[i].formula.leaves(func(l *leaf) { r.cost += len(l.tape) })
	}
	ok := r.descend() || r.search() || r.descend()
	if !ok && orig != nil && d.Feasible(orig, orig) {
		copy(x, orig)
		ok = true
	}
	if ok {
		r.work = maxWork
		r.retreat()
		r.retreat()
	}
	return ok
}

// descend steps onto the linearisation of each broken relation in turn.
func (r *repair) descend() bool {
	for range maxRounds {
		moved := false
		for i := range r.d.relations {
			if rel := &r.d.relations[i]; r.orig != nil || !rel.orig {
				moved = r.push(&rel.formula) || moved
			}
		}
		if r.d.related(r.x, r.orig) {
			return true
		}
		if !moved {
			return false
		}
	}
	return false
}

// push moves x towards the formula and says whether x moved. Of alternatives it
// takes the least broken one that can move.
func (r *repair) push(f *formula) bool {
	if f.holds(r.x, r.orig) {
		return false
	}
	if f.leaf != nil {
		return r.step(f.leaf)
	}
	if !f.any {
		moved := false
		for i := range f.kids {
			moved = r.push(&f.kids[i]) || moved
		}
		return moved
	}
	best, least := 0, math.Inf(1)
	for i := range f.kids {
		if share, _ := f.kids[i].share(r.d, r.x, r.orig, &r.s, nil); share < least {
			best, least = i, share
		}
	}
	if r.push(&f.kids[best]) {
		return true
	}
	for i := range f.kids {
		if i != best && r.push(&f.kids[i]) {
			return true
		}
	}
	return false
}

// step makes the least move, in shares of the ranges, that meets the
// comparison's linearisation: first the whole numbers, each rounded and what
// it lacks owed by the next, then the reals take up what is left. Members of groups stay.
func (r *repair) step(l *leaf) bool {
	need, sgn := l.excess(r.x, r.orig)
	if need == 0 || math.IsInf(need, 0) {
		return false
	}
	need += l.margin * 1e-3
	slope := l.slope(r.x, r.orig, &r.s)
	reals, last := false, -1
	for k, i := range l.vars {
		slope[k] *= sgn
		if r.room(i, slope[k]) == 0 {
			slope[k] = 0
		} else if r.d.whole[i] {
			last = k
		} else {
			reals = true
		}
	}
	moved, owed := false, 0.0
	t := r.multiplier(l, slope, need)
	for k, i := range l.vars {
		g := math.Abs(slope[k])
		if g == 0 || !r.d.whole[i] {
			continue
		}
		room := r.room(i, slope[k])
		owed += g * r.planned(t, g, room, i)
		move := math.Round(owed / g)
		if k == last && !reals && l.compare != equal {
			move = math.Ceil(need/g - 1e-9)
		}
		move = max(0, min(room, move))
		moved = r.move(i, -sign(slope[k])*move) || moved
		slope[k] = 0
		owed -= g * move
		if need -= g * move; need <= 0 {
			return moved
		}
	}
	if !reals {
		return moved
	}
	t = r.multiplier(l, slope, need)
	for k, i := range l.vars {
		if g := slope[k]; g != 0 {
			moved = r.move(i, -sign(g)*r.planned(t, math.Abs(g), r.room(i, g), i)) || moved
		}
	}
	return moved
}

// planned is the move of feature i at multiplier t; g is its slope's size.
func (r *repair) planned(t, g, room float64, i int32) float64 {
	scale := r.d.scale[i]
	return min(room, t*g*scale*scale)
}

// multiplier solves for the multiplier t at which the moves min(t*|g|*scale², room)
// gain need, or at which all features reach the end of their room.
func (r *repair) multiplier(l *leaf, slope []float64, need float64) float64 {
	t := 0.0
	for range 8 { // each pass finds features that run out of room at t
		left, square := need, 0.0
		for k, i := range l.vars {
			g := math.Abs(slope[k])
			if g == 0 {
				continue
			}
			scale := r.d.scale[i]
			if room := r.room(i, slope[k]); t*g*scale*scale >= room {
				left -= g * room
			} else {
				square += g * g * scale * scale
			}
		}
		if square == 0 {
			return t
		}
		next := left / square
		if !(next > t*(1+1e-12)) {
			return t
		}
		t = next
	}
	return t
}

// room is how far feature i can move against the given slope.
func (r *repair) room(i int32, slope float64) float64 {
	if r.d.group[i] >= 0 || !(math.Abs(slope) > 0) || math.IsInf(slope, 0) {
		return 0
	}
	lo, hi := r.d.Span(int(i), r.orig)
	if slope > 0 {
		return float64(r.x[i]) - float64(lo)
	}
	return float64(hi) - float64(r.x[i])
}

// move adds by to feature i, within its span, and says whether it changed.
func (r *repair) move(i int32, by float64) bool {
	lo, hi := r.d.Span(int(i), r.orig)
	v := max(lo, min(hi, float32(float64(r.x[i])+by)))
	if v == r.x[i] {
		return false
	}
	r.x[i] = v
	return true
}

// broken is the sum of the shares of all relations.
func (r *repair) broken() float64 {
	r.work -= 4 * r.cost
	total := 0.0
	for i := range r.d.relations {
		if rel := &r.d.relations[i]; r.orig != nil || !rel.orig {
			share, _ := rel.formula.share(r.d, r.x, r.orig, &r.s, nil)
			total += share
		}
	}
	return total
}

// search changes one feature or group at a time, or two where one does not
// help, each time as mends most, until all holds, nothing helps or the work is done.
func (r *repair) search() bool {
	for range maxRounds {
		least := r.broken()
		if least == 0 {
			break
		}
		if !r.better(least, 1) && !r.better(least, 2) {
			return false
		}
	}
	return r.d.related(r.x, r.orig)
}

// better makes the best single change of a feature of a broken relation, or
// the first pair of changes, that leaves less than least broken.
func (r *repair) better(least float64, changes int) bool {
	best, to := int32(-1), float32(0)
	for k := range r.d.relations {
		rel := &r.d.relations[k]
		if r.orig == nil && rel.orig || rel.formula.holds(r.x, r.orig) {
			continue
		}
		for _, i := range rel.vars {
			for _, v := range r.values(rel, i) {
				if r.work < 0 {
					return false
				}
				undo := r.put(i, v)
				if changes > 1 {
					if r.better(least, changes-1) {
						return true
					}
				} else if b := r.broken(); b < least*(1-1e-9) {
					least, best, to = b, i, v
				}
				undo()
			}
		}
	}
	if best < 0 {
		return false
	}
	r.put(best, to)
	return true
}

// values lists the values of feature i that are worth trying.
func (r *repair) values(rel *relation, i int32) (values []float32) {
	lo, hi := r.d.Span(int(i), r.orig)
	now := r.x[i]
	try := func(v float64) {
		if c := max(lo, min(hi, float32(v))); c != now && !slices.Contains(values, c) {
			values = append(values, c)
		}
	}
	if r.d.group[i] >= 0 {
		if hi == 1 && lo == 0 {
			try(1)
		}
		return values
	}
	rel.formula.leaves(func(l *leaf) {
		k := slices.Index(l.vars, i)
		v, sgn := l.excess(r.x, r.orig)
		if k < 0 || v == 0 || math.IsInf(v, 0) {
			return
		}
		g := sgn * l.slope(r.x, r.orig, &r.s)[k]
		at := float64(now) - (v+l.margin*1e-3)/g
		if g == 0 || math.IsNaN(at) {
			return
		}
		if !r.d.whole[i] {
			try(at)
			return
		}
		try(math.Floor(at))
		try(math.Ceil(at))
	})
	if r.d.whole[i] {
		try(float64(now) - 1)
		try(float64(now) + 1)
	}
	try(float64(r.start[i]))
	try(float64(lo))
	try(float64(hi))
	return values
}

// put sets feature i, or its whole group, and returns how to undo it.
func (r *repair) put(i int32, v float32) (undo func()) {
	if g := r.d.group[i]; g >= 0 && v == 1 {
		members := &r.d.groups[g]
		for _, j := range members.members {
			if r.x[j] == 1 {
				r.d.set(members, i, r.x)
				return func() { r.d.set(members, j, r.x) }
			}
		}
	}
	old := r.x[i]
	r.x[i] = v
	return func() { r.x[i] = old }
}

// retreat moves feature after feature back towards start as far as the
// relations go on holding.
func (r *repair) retreat() {
	for k := range r.x {
		i := int32(k)
		if r.x[i] == r.start[i] || r.work < 0 {
			continue
		}
		if r.d.group[i] >= 0 {
			if r.start[i] == 1 {
				if undo := r.put(i, 1); !r.holds() {
					undo()
				}
			}
			continue
		}
		r.back(i)
	}
}

// back moves one feature towards start by bisection.
func (r *repair) back(i int32) {
	good, bad := r.x[i], r.start[i]
	r.x[i] = bad
	if r.holds() {
		return
	}
	for range 24 {
		mid := float32((float64(good) + float64(bad)) / 2)
		if r.d.whole[i] {
			mid = float32(math.Trunc((float64(good) + float64(bad)) / 2))
		}
		if mid == good || mid == bad || math.Abs(float64(good)-float64(bad)) < 1e-6*r.d.scale[i] {
			break
		}
		if r.x[i] = mid; r.holds() {
			good = mid
		} else {
			bad = mid
		}
	}
	r.x[i] = good
}

func (r *repair) holds() bool {
	r.work -= r.cost
	return r.d.related(r.x, r.orig)
}
