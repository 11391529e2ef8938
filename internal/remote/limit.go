package remote

import (
	"context"
	"sync"
	"time"
)

// limiter spaces calls evenly, so that no second has more calls, or more rows,
// than were agreed. A rate of 0 is no limit.
type limiter struct {
	calls, rows float64 // a second
	mu          sync.Mutex
	next        time.Time // when the next call may begin
}

// wait waits for the turn of a call with so many rows, and says how long that took.
func (l *limiter) wait(ctx context.Context, rows int) (time.Duration, error) {
	gap := 0.0
	if l.calls > 0 {
		gap = 1 / l.calls
	}
	if l.rows > 0 {
		gap = max(gap, float64(rows)/l.rows)
	}
	if gap == 0 {
		return 0, ctx.Err()
	}
	l.mu.Lock()
	now := time.Now()
	if l.next.Before(now) {
		l.next = now
	}
	turn := l.next
	l.next = turn.Add(time.Duration(gap * float64(time.Second)))
	l.mu.Unlock()
	if d := turn.Sub(now); d > 0 {
		return d, sleep(ctx, d)
	}
	return 0, ctx.Err()
}
