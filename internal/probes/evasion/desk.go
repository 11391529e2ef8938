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
	about   []int     // on behalf of which row each is asked
	count   int
	reading []float32 // questions of the last round
	answers model.Answers
}

// walker is an attack on one row.
type walker interface {
	run()
	state() *search
}

// quota is fixed by the width alone, so that what shares a batch changes nothing in an attack.
func quota(width int) int { return max(1, min(64, 1<<14/max(1, width))) }

// together runs the attacks until all have ended. Rounds are bounded in memory by
// running them in groups. Done hears how many questions were asked after each round.
func together(ctx context.Context, m *model.Model, attacks []walker, done func(asked int)) error {
	const most = 1 << 22 // numbers in a round
	q := quota(m.Width())
	group := max(1, most/(q*m.Width()))
	for from := 0; from < len(attacks); from += group {
		part := attacks[from:min(len(attacks), from+group)]
		d := &desk{m: m, width: m.Width(), quota: q}
		size := q * len(part)
		d.writing, d.reading = make([]float32, size*d.width), make([]float32, size*d.width)
		if err := d.run(ctx, part, done); err != nil {
			return err
		}
	}
	return nil
}

func (d *desk) run(ctx context.Context, attacks []walker, done func(asked int)) error {
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
		s := a.state()
		s.desk = d
		next, stop := iter.Pull(func(yield func(struct{}) bool) {
			s.pause = yield
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
		if err := askMean(ctx, d.m, d.writing[:d.count*d.width], d.about, &d.answers); err != nil {
			return err
		}
		done(d.count)
		d.writing, d.reading, d.count, d.about = d.reading, d.writing, 0, d.about[:0]
	}
	return nil
}

// slot is room for one more question of this round.
func (d *desk) slot() []float32 {
	at := d.count * d.width
	return d.writing[at : at+d.width : at+d.width]
}
