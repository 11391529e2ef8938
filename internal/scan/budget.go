package scan

import (
	"context"
	"sync/atomic"
	"time"
)

// Budget limits what one file and all that lies inside it may cost.
type Budget struct {
	Bytes   int64 // handed to readers, expanded data included
	Floor   int64 // expanded bytes that are allowed whatever the ratio
	Ratio   int64 // expanded bytes for each byte of the compressed stream, beyond Floor
	Depth   int   // containers in containers
	Entries int   // members in all
	Memory  int64 // bytes that readers hold at one time
	Time    time.Duration
	PerMiB  time.Duration // added to Time for each MiB of the file
}

// DefaultBudget reads every model that people exchange today and ends a hostile one within seconds.
func DefaultBudget() Budget {
	return Budget{
		Bytes: 1 << 42, Floor: 256 << 20, Ratio: 200, Depth: 8, Entries: 200_000, Memory: 256 << 20,
		Time: 8 * time.Second, PerMiB: 100 * time.Millisecond,
	}
}

// purse is what is left of a Budget while one file is read.
type purse struct {
	Budget
	deadline time.Time
	now      func() time.Time
	bytes    atomic.Int64
	memory   atomic.Int64
	entries  atomic.Int64
	steps    atomic.Int64
	over     atomic.Bool // the time is used up
}

// Spend counts n bytes or steps of work and fails when the budget, the time or
// the context is over. Every loop over outside data calls it.
func (s *Sink) Spend(ctx context.Context, n int64) error { return s.run.purse.spend(ctx, n) }

func (p *purse) spend(ctx context.Context, n int64) error {
	if p.bytes.Add(max(n, 0)) > p.Bytes {
		return Problemf("budget/bytes", 0, "more than %d bytes of work", p.Bytes)
	}
	if p.steps.Add(1)%64 != 1 {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if p.now().After(p.deadline) {
		p.over.Store(true)
	}
	if p.over.Load() {
		return late()
	}
	return nil
}

// late is the problem of a file that takes too long.
func late() *Problem {
	p := Problemf("budget/time", 0, "the time for this file is used up")
	p.Fix = "Give files more time by time_per_file in the policy, or do not load it: few models take so long."
	return p
}

// Hold counts n bytes of memory that a reader is about to keep, fewer where n is
// negative, and fails when that is more than the budget.
func (s *Sink) Hold(n int64) error {
	p := s.run.purse
	if p.memory.Add(n) > p.Memory && n > 0 {
		p.memory.Add(-n)
		return Problemf("budget/memory", 0, "needs more than %d bytes of memory", p.Memory)
	}
	return nil
}
