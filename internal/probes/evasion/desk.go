package evasion

import (
	"context"
	"iter"

	"github.com/assize/assize/internal/model"
)

// desk carries the questions of many attacks at a time to the system. Attacks
// run in lockstep: each puts down at most quota questions a round, all of a
// round are asked in one batch, and each hears its own answers. An attack is
// sequential code; it is suspended while its questions are asked.
type desk struct {
	m       *model.Model
	width   int
	quota   int
	writing []float32 // questions of this round
	count   int
	reading []float32 // questions of the last round
	answers []model.Decision
}

// quota is fixed by the width alone, so that what shares a batch changes nothing in an attack.
func quota(width int) int { return max(1, min(64, 1<<14/max(1, width))) }

// together runs the attacks until all have ended. Rounds are bounded in memory by
// running them in groups. Done hears how many questions were asked after each round.
func together(ctx context.Context, m *model.Model, attacks []*attack, done func(asked int)) error {
	const most = 1 << 22 // numbers in a round
	q := quota(m.Width())
	group := max(1, most/(q*m.Width()))
	for from := 0; from < len(attacks); from += group {
		part := attacks[from:min(len(attacks), from+group)]
		d := &desk{m: m, width: m.Width(), quota: q}
		size := q * len(part)
		d.writing, d.reading = make([]float32, size*d.width), make([]float32, size*d.width)
		d.answers = make([]model.Decision, size)
		if err := d.run(ctx, part, done); err != nil {
			return err
		}
	}
	return nil
}

func (d *desk) run(ctx context.Context, attacks []*attack, done func(asked int)) error {
	type running struct {
		next func() (struct{}, bool)
		stop func()
	}
	var active []running
	defer func() {
		for _, r := range active {
			r.stop()
		}
	}()
	for _, a := range attacks {
		a.desk = d
		next, stop := iter.Pull(func(yield func(struct{}) bool) {
			a.pause = yield
			a.run()
		})
		active = append(active, running{next, stop})
	}
	for len(active) > 0 {
		kept := active[:0]
		for _, r := range active {
			if _, going := r.next(); going {
				kept = append(kept, r)
			}
		}
		active = kept
		if d.count == 0 {
			continue
		}
		if err := d.m.Decide(ctx, d.writing[:d.count*d.width], d.count, d.answers[:d.count]); err != nil {
			return err
		}
		done(d.count)
		d.writing, d.reading, d.count = d.reading, d.writing, 0
	}
	return nil
}

// slot is room for one more question of this round.
func (d *desk) slot() []float32 {
	at := d.count * d.width
	return d.writing[at : at+d.width : at+d.width]
}

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
func (a *attack) ask(n int, fill func(x []float32) bool, hear func(x []float32, gained bool)) bool {
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
			gained := a.desk.m.Gains(a.from, a.desk.answers[j])
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
