package remote

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/assize/assize/internal/model"
)

const (
	longestWait = 2 * time.Minute  // that a server may ask for
	longestBack = 30 * time.Second // between tries
	givenUp     = 3                // calls in a row after which nothing more is asked
	rawBytes    = 64 << 10         // of a malformed question, over which it must fit into a batch
)

// do is what is to be done about a failure.
type do int

const (
	stop   do = iota // it is of no use to go on
	again            // it may pass
	refuse           // the server turned the input away
)

// failure is a call that brought no numbers.
type failure struct {
	do       do
	text     string // clean: one line, no credentials
	hint     string
	wait     time.Duration // that the server asks for
	timedOut bool
	silent   bool // no answer came at all
	busy     bool // the service says that it is asked too much
	fault    bool // the service takes it for a fault of its own: gRPC does not tell, its status 13 is that of a body which cannot be parsed
	capped   bool // nothing was sent
}

// Ask implements model.Asker.
func (c *Client) Ask(ctx context.Context, q *model.Question) (*model.Reply, error) {
	size, err := sizeOf(q)
	if err != nil {
		return nil, err
	}
	r := &model.Reply{}
	if q.Raw {
		return r, c.raw(ctx, q, r)
	}
	if len(q.Shape) < 2 || q.Type == "BYTES" {
		return nil, fmt.Errorf("ask endpoint: the question is of shape %v, want rows", q.Shape)
	}
	n := int(q.Shape[0])
	if n < 1 {
		return nil, fmt.Errorf("ask endpoint: the question has %d rows", n)
	}
	r.Rows = n
	bytes := size * (elements(q.Shape) / n)
	for from := 0; from < n; from += c.cfg.Batch {
		to := min(n, from+c.cfg.Batch)
		part := *q
		part.Shape = append([]int64{int64(to - from)}, q.Shape[1:]...)
		part.Data = q.Data[from*bytes : to*bytes]
		if err := c.rows(ctx, &part, bytes, from, r); err != nil {
			return r, err
		}
	}
	if r.Columns == 0 { // every row was refused
		r.Columns = 1
		r.Data = make([]byte, 4*n)
	}
	return r, nil
}

// rows asks for some rows and puts what comes back into place. Where the server
// turns a batch away, its halves are asked, so that one row does not speak for all.
func (c *Client) rows(ctx context.Context, q *model.Question, bytes, at int, r *model.Reply) error {
	n := int(q.Shape[0])
	got, f := c.infer(ctx, q, c.cfg.Retries, r)
	switch {
	case f == nil:
		if r.Columns == 0 {
			r.Columns = got.columns
			r.Data = make([]byte, 4*r.Rows*r.Columns)
		}
		if got.columns != r.Columns {
			return fmt.Errorf("ask endpoint: %d numbers came back a row, before it were %d", got.columns, r.Columns)
		}
		for i, v := range got.values {
			binary.LittleEndian.PutUint32(r.Data[4*(at*r.Columns+i):], math.Float32bits(v))
		}
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case f.do != refuse:
		return c.explain(f)
	case n == 1:
		if r.Refused == nil {
			r.Refused, r.Refusal = make([]bool, r.Rows), f.text
		}
		r.Refused[at] = true
		return nil
	}
	half := n / 2
	for _, span := range [][2]int{{0, half}, {half, n}} {
		part := *q
		part.Shape = append([]int64{int64(span[1] - span[0])}, q.Shape[1:]...)
		part.Data = q.Data[span[0]*bytes : span[1]*bytes]
		if err := c.rows(ctx, &part, bytes, at+span[0], r); err != nil {
			return err
		}
	}
	return nil
}

// raw sends a tensor of any form, without trying again: what the server makes
// of it is the answer. A tensor that is larger than what was agreed is not sent.
func (c *Client) raw(ctx context.Context, q *model.Question, r *model.Reply) error {
	if q.Wire != "" && !deforms(q.Wire) {
		return fmt.Errorf("ask endpoint: nothing is known of a request that is %.20q", q.Wire)
	}
	if len(q.Data) > max(rawBytes, c.cfg.Batch*c.width*8) {
		r.Unsent = fmt.Sprintf("it is larger than the batches of %d rows that the manifest allows", c.cfg.Batch)
		return nil
	}
	got, f := c.infer(ctx, q, 0, r)
	switch {
	case f == nil:
		r.Rows, r.Columns = got.rows, got.columns
		for _, v := range got.values {
			r.Data = binary.LittleEndian.AppendUint32(r.Data, math.Float32bits(v))
		}
	case ctx.Err() != nil:
		return ctx.Err()
	case f.capped:
		return c.explain(f)
	case f.silent:
		r.Lost, r.TimedOut = f.text, f.timedOut
	default:
		r.Refusal, r.Busy, r.Fault = f.text, f.busy, f.fault
	}
	return nil
}

// infer makes one call, and again where that may help.
func (c *Client) infer(ctx context.Context, q *model.Question, retries int, r *model.Reply) (*numbers, *failure) {
	if f := c.over(); f != nil {
		return nil, f
	}
	var got *numbers
	rows := rowsOf(q)
	f := c.again(ctx, rows, retries, func(ctx context.Context) *failure {
		begun := time.Now()
		var f *failure
		if got, f = c.via.infer(ctx, q); f == nil {
			c.columns.Store(int64(got.columns))
			r.Calls++
			r.Seconds += time.Since(begun).Seconds()
		}
		return f
	}, r)
	if f != nil && ctx.Err() == nil && f.do != refuse && !f.capped && (f.silent || !q.Raw) {
		r.Failed++
	}
	if ctx.Err() == nil && !q.Raw { // what a server makes of a malformed question says nothing of others
		c.note(f)
	}
	return got, f
}

// rowsOf is how many rows a question counts for, at the rates and under the cap.
func rowsOf(q *model.Question) int {
	if len(q.Shape) == 0 {
		return 1
	}
	return int(max(1, q.Shape[0]))
}

// over says that the endpoint was given up.
func (c *Client) over() *failure {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.lost < givenUp {
		return nil
	}
	return &failure{text: fmt.Sprintf("it was given up after %d calls in a row without an answer, the last: %s", givenUp, c.last), silent: true}
}

// note counts calls in a row that were given up.
func (c *Client) note(f *failure) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case f == nil || f.do == refuse:
		c.lost = 0
	case f.do == again:
		c.lost++
		c.last = f.text
	}
}

// again tries a call until it is answered, its failure is for good, or its
// retries are used up. Waits grow twofold, with jitter, and are as long as the server asks for.
func (c *Client) again(ctx context.Context, rows, retries int, call func(context.Context) *failure, r *model.Reply) *failure {
	if r == nil {
		r = &model.Reply{} // that nobody reads
	}
	for try := 0; ; try++ {
		if f := c.meter.room(rows); f != nil { // no use to wait for a turn
			r.Capped = true
			return f
		}
		turn, err := c.limit.wait(ctx, rows)
		if err != nil {
			return &failure{text: err.Error()}
		}
		r.Waited += turn.Seconds()
		bounded, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
		f := call(bounded)
		cancel()
		if f != nil && f.capped {
			r.Capped = true
			return f
		}
		r.Requests++
		r.Sent += rows
		if f != nil && f.busy {
			r.Throttled++
		}
		if f == nil || f.do != again || ctx.Err() != nil {
			return f
		}
		if f.wait > longestWait {
			f.text += fmt.Sprintf(", and asks to wait %s", f.wait.Round(time.Second))
			return f
		}
		if try >= retries {
			if retries > 0 {
				f.text += fmt.Sprintf(" (tried %d times)", try+1)
			}
			return f
		}
		r.Retries++
		back := min(longestBack, c.cfg.Backoff<<min(try, 16))
		back = back/2 + rand.N(back/2+1)
		back = max(back, f.wait)
		if err := sleep(ctx, back); err != nil {
			return f
		}
		r.Waited += back.Seconds()
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// explain makes an error of a failure.
func (c *Client) explain(f *failure) error {
	text := fmt.Sprintf("ask endpoint %s: %s", c.Address(), f.text)
	if f.hint != "" {
		text += "\nhint: " + f.hint
	}
	return errors.New(text)
}

// sizeOf is how many bytes an element takes; it checks that the data fit the shape.
func sizeOf(q *model.Question) (int, error) {
	size, ok := map[string]int{"FP32": 4, "FP64": 8, "INT64": 8, "UINT8": 1, "BOOL": 1, "BYTES": 0}[q.Type]
	if !ok || len(q.Shape) > 16 {
		return 0, fmt.Errorf("ask endpoint: the question is of type %.20q and %d dimensions", q.Type, len(q.Shape))
	}
	n := elements(q.Shape)
	if n < 0 || n*size != len(q.Data) || size == 0 && n != len(q.Text) {
		return 0, fmt.Errorf("ask endpoint: %d bytes do not fill the shape %v", len(q.Data), q.Shape)
	}
	return size, nil
}

// elements is the product of a shape, or -1 where it is none that memory could hold.
func elements(shape []int64) int {
	n := int64(1)
	for _, d := range shape {
		if d < 0 || d > 0 && n > 1<<31/d {
			return -1
		}
		n *= d
	}
	return int(n)
}
