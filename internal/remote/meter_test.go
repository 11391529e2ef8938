package remote_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/assize/assize/internal/model"
	"github.com/assize/assize/internal/remote"
	"github.com/assize/assize/internal/remote/remotetest"
)

// counted counts every request that reaches the server, and the rows in it, also where it is turned away.
type counted struct {
	requests, rows atomic.Int64
	busy           func(n int64) int // status of the n-th request for rows; 0 answers it
}

func (c *counted) before(w http.ResponseWriter, r *http.Request) bool {
	c.requests.Add(1)
	if r.Method == http.MethodGet {
		return false
	}
	body, err := io.ReadAll(r.Body)
	var q struct{ Inputs []struct{ Shape []int64 } }
	if err != nil || json.Unmarshal(body, &q) != nil || len(q.Inputs) != 1 {
		return false
	}
	r.Body = io.NopCloser(strings.NewReader(string(body)))
	rows := c.rows.Add(q.Inputs[0].Shape[0])
	if c.busy == nil {
		return false
	}
	switch status := c.busy(rows); status {
	case 0:
		return false
	case -1:
		panic(http.ErrAbortHandler)
	default:
		w.WriteHeader(status)
		return true
	}
}

// TestCap has many ask at once, of a service that turns a part of the calls away, drops a part of the
// connections, and never sees more than the cap.
func TestCap(t *testing.T) {
	for _, test := range []struct {
		name              string
		maxRows, maxCalls int
		busy              func(rows int64) int
	}{
		{"rows", 100, 0, nil},
		{"requests", 0, 20, nil},
		{"both", 90, 1000, nil},
		{"with retries", 101, 0, func(n int64) int { return []int{0, 429, 503, -1}[n%4] }},
		{"retries by requests", 0, 33, func(n int64) int { return []int{0, 0, 503, -1}[n%4] }},
	} {
		t.Run(test.name, func(t *testing.T) {
			seen := &counted{busy: test.busy}
			s := sums()
			s.Before = seen.before
			c := config(remotetest.Start(t, s), remote.REST)
			c.MaxRows, c.MaxRequests, c.Retries = test.maxRows, test.maxCalls, 20
			client := open(t, c)
			var mu sync.Mutex
			var sum model.Traffic
			answered := 0
			var all sync.WaitGroup
			for range 8 {
				all.Go(func() {
					for n := range 40 {
						r, err := client.Ask(context.WithoutCancel(t.Context()), question(1+n%5, make([]float32, 3*(1+n%5))...))
						mu.Lock()
						sum.Add(r.Traffic)
						if err == nil {
							answered += r.Rows
						} else if !strings.Contains(err.Error(), "the cap on what may be asked is reached") || !r.Capped {
							t.Errorf("an error other than the cap's: %v", err)
						}
						mu.Unlock()
					}
				})
			}
			all.Wait()
			if most := int64(test.maxRows); most > 0 && (seen.rows.Load() > most || seen.rows.Load() <= most-8*5) {
				t.Errorf("the server saw %d rows under a cap of %d", seen.rows.Load(), most)
			}
			if most := int64(test.maxCalls); most > 0 && (seen.requests.Load() > most || test.maxRows == 0 && seen.requests.Load() < most) {
				t.Errorf("the server saw %d requests under a cap of %d", seen.requests.Load(), most)
			}
			// Three requests say what is served.
			if int64(sum.Sent) != seen.rows.Load() || int64(sum.Requests)+3 != seen.requests.Load() || !sum.Capped || answered == 0 {
				t.Errorf("counted %+v, %d rows answered; the server saw %d rows in %d requests", sum, answered, seen.rows.Load(), seen.requests.Load())
			}
			if test.busy != nil && (sum.Throttled == 0 || sum.Retries == 0 || sum.Waited <= 0) {
				t.Errorf("counted %+v of a service that was busy", sum)
			}
			// What an honest caller never sends counts as well.
			raw := question(1, 1, 2)
			raw.Raw = true
			before := seen.requests.Load()
			if r, err := client.Ask(t.Context(), raw); err == nil || !r.Capped || seen.requests.Load() != before {
				t.Errorf("a malformed question beyond the cap: %+v, %v", r, err)
			}
		})
	}
}

// TestTraffic counts what a service that is asked too much does to the questions.
func TestTraffic(t *testing.T) {
	for _, test := range []struct {
		status  int
		want    model.Traffic
		failure string
	}{
		{http.StatusTooManyRequests, model.Traffic{Requests: 3, Sent: 6, Retries: 2, Throttled: 3, Failed: 1}, "429"},
		{http.StatusServiceUnavailable, model.Traffic{Requests: 3, Sent: 6, Retries: 2, Throttled: 3, Failed: 1}, "503"},
		{http.StatusInternalServerError, model.Traffic{Requests: 3, Sent: 6, Retries: 2, Failed: 1}, "500"},
		{http.StatusForbidden, model.Traffic{Requests: 1, Sent: 2, Failed: 1}, "403"},
	} {
		for _, protocol := range protocols() {
			s, asked := sums(), false
			s.Before = func(w http.ResponseWriter, _ *http.Request) bool {
				if asked {
					w.WriteHeader(test.status)
				}
				return asked
			}
			client := open(t, config(remotetest.Start(t, s), protocol))
			asked = true
			r, err := client.Ask(t.Context(), question(2, 1, 2, 3, 4, 5, 6))
			if err == nil || !strings.Contains(err.Error(), test.failure) {
				t.Fatalf("%s: got %v, want status %s", protocol, err, test.failure)
			}
			got := r.Traffic
			if retried := got.Waited > 0; retried != (test.want.Retries > 0) {
				t.Errorf("%s, %d: waited %v s with %d retries", protocol, test.status, got.Waited, got.Retries)
			}
			if got.Waited = 0; got != test.want {
				t.Errorf("%s, %d: got %+v, want %+v", protocol, test.status, got, test.want)
			}
		}
	}
}
