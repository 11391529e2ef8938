package worker

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"sync"
	"time"

	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/model"
	"github.com/assize/assize/internal/result"
	"github.com/assize/assize/internal/worker/sandbox"
)

// Process is a child. It is for one goroutine at a time.
type Process struct {
	Ready Ready

	asker   model.Asker
	traffic model.Traffic
	cmd     *exec.Cmd
	jobs    *os.File
	replies chan line
	stop    context.CancelFunc
	stderr  *tail
	ended   sync.Once
}

type line struct {
	reply reply
	err   error
}

// Death is the error of a child that ended before its work was done.
type Death struct{ Cause sandbox.Cause }

func (d *Death) Error() string { return "the worker ended: " + d.Cause.Sentence }

// Command says which program becomes the child.
type Command struct {
	Path string
	Args []string
	Env  []string // added to the bare environment that a child gets
}

// startTime bounds how long a child may take until it is ready, with the largest of models.
const startTime = 3 * time.Minute

// Start starts a child and waits until it is confined and has tried to open
// the model. The child dies with ctx, and with the parent.
func Start(ctx context.Context, c Command, setup Setup) (*Process, error) {
	jobsIn, jobs, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("start worker: %w", err)
	}
	replies, repliesOut, err := os.Pipe()
	if err != nil {
		jobsIn.Close()
		jobs.Close()
		return nil, fmt.Errorf("start worker: %w", err)
	}
	ctx, stop := context.WithCancel(ctx)
	p := &Process{jobs: jobs, stop: stop, stderr: &tail{}, replies: make(chan line, 64), asker: setup.Asker}
	p.cmd = exec.CommandContext(ctx, c.Path, c.Args...)
	if err := sandbox.Prepare(p.cmd); err != nil {
		stop()
		return nil, err
	}
	p.cmd.Env = append(p.cmd.Env, c.Env...)
	p.cmd.ExtraFiles = []*os.File{jobsIn, repliesOut}
	p.cmd.Stderr = p.stderr
	err = p.cmd.Start()
	jobsIn.Close()
	repliesOut.Close()
	if err != nil {
		stop()
		jobs.Close()
		replies.Close()
		return nil, fmt.Errorf("start worker: %w", err)
	}
	go p.listen(replies)
	if err := json.NewEncoder(jobs).Encode(setup); err != nil {
		return nil, p.end(false)
	}
	first, err := p.next(ctx, time.Now().Add(startTime), nil)
	if err != nil {
		return nil, err
	}
	if first.Ready == nil {
		p.Close()
		return nil, errors.New("start worker: it did not say that it is ready")
	}
	p.Ready = *first.Ready
	return p, nil
}

// listen reads replies until the child closes its end.
func (p *Process) listen(from *os.File) {
	defer close(p.replies)
	defer from.Close()
	r := bufio.NewReaderSize(from, 1<<16)
	for {
		b, err := readLine(r)
		if err != nil {
			if !errors.Is(err, io.EOF) {
				p.replies <- line{err: err}
			}
			return
		}
		var l line
		l.err = json.Unmarshal(b, &l.reply)
		p.replies <- l
	}
}

// readLine reads a line of at most maxLine bytes.
func readLine(r *bufio.Reader) ([]byte, error) {
	var b []byte
	for {
		part, err := r.ReadSlice('\n')
		b = append(b, part...)
		if len(b) > maxLine {
			return nil, fmt.Errorf("a reply of the worker is longer than %d bytes", maxLine)
		}
		if err == nil {
			return b, nil
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return nil, err
		}
	}
}

// Run hands a job to the child and waits for its end. An error of type *Death
// means that the child is gone, and why; the process cannot be used again.
func (p *Process) Run(ctx context.Context, probe *measure.Probe, job *Job, progress func(float64)) (*Done, error) {
	timeout := probe.Timeout
	if timeout == 0 {
		timeout = 10 * time.Minute
	}
	deadline := time.Now().Add(timeout)
	p.traffic = model.Traffic{}
	if err := json.NewEncoder(p.jobs).Encode(job); err != nil {
		return nil, p.end(false)
	}
	r, err := p.next(ctx, deadline, progress)
	if err != nil {
		return nil, err
	}
	if r.Done == nil {
		p.Close()
		return nil, errors.New("the worker answered out of turn")
	}
	if err := r.Done.validate(job, probe.Rows != nil); err != nil {
		p.Close()
		return nil, fmt.Errorf("read worker's result: %w", err)
	}
	r.Done.Traffic = p.traffic
	return r.Done, nil
}

// next waits for the next reply that is neither progress nor a question. The
// time that a question takes does not count: its own limits bound it.
func (p *Process) next(ctx context.Context, deadline time.Time, progress func(float64)) (*reply, error) {
	timer := time.NewTimer(time.Until(deadline))
	defer timer.Stop()
	for {
		select {
		case l, open := <-p.replies:
			switch {
			case !open:
				return nil, p.end(false)
			case l.err != nil:
				p.Close()
				return nil, fmt.Errorf("read worker's reply: %w", l.err)
			case l.reply.Progress != nil:
				if s := *l.reply.Progress; progress != nil && s >= 0 && s <= 1 {
					progress(s)
				}
			case l.reply.Ask != nil:
				begun := time.Now()
				if err := p.ask(ctx, l.reply.Ask); err != nil {
					return nil, err
				}
				deadline = deadline.Add(time.Since(begun))
				timer.Reset(time.Until(deadline))
			default:
				return &l.reply, nil
			}
		case <-timer.C:
			return nil, p.end(true)
		case <-ctx.Done():
			p.Close()
			return nil, ctx.Err()
		}
	}
}

// ask puts a question of the child's to the served model and hands back what comes of it.
func (p *Process) ask(ctx context.Context, q *model.Question) error {
	var a answer
	if p.asker == nil {
		p.Close()
		return errors.New("the worker asked for a served model, and there is none")
	}
	reply, err := p.asker.Ask(ctx, q)
	if reply != nil {
		p.traffic.Add(reply.Traffic)
	}
	switch {
	case ctx.Err() != nil:
		p.Close()
		return ctx.Err()
	case err != nil:
		a.Error = err.Error()
	default:
		a.Reply = reply
	}
	if err := json.NewEncoder(p.jobs).Encode(a); err != nil {
		return p.end(false)
	}
	return nil
}

// end kills the child if it still runs and says why it ended.
func (p *Process) end(timedOut bool) error {
	if !timedOut {
		// It is dying by itself: let it, so that its exit status is its own.
		timer := time.AfterFunc(5*time.Second, p.stop)
		defer timer.Stop()
	} else {
		p.stop()
	}
	p.wait()
	cause := sandbox.Classify(p.cmd.ProcessState, p.stderr.Bytes(), timedOut)
	if cause.Kind == sandbox.Exited {
		if words := p.stderr.last(); words != "" {
			cause.Sentence += ": " + words
		}
	}
	return &Death{Cause: cause}
}

// Close ends the child.
func (p *Process) Close() {
	p.stop()
	p.wait()
}

func (p *Process) wait() {
	p.ended.Do(func() {
		p.jobs.Close()
		for range p.replies { // let listen finish
		}
		_ = p.cmd.Wait() // the process state says more than the error
		p.stop()
	})
}

// tail keeps the start and the end of what a child prints.
type tail struct {
	mu   sync.Mutex
	head []byte
	rest []byte
}

const tailSize = 16 << 10

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := len(b)
	if room := tailSize - len(t.head); room > 0 {
		k := min(room, len(b))
		t.head = append(t.head, b[:k]...)
		b = b[k:]
	}
	t.rest = append(t.rest, b...)
	if len(t.rest) > tailSize {
		t.rest = append(t.rest[:0], t.rest[len(t.rest)-tailSize:]...)
	}
	return n, nil
}

// Bytes is what was kept, start and end.
func (t *tail) Bytes() []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append(bytes.Clone(t.head), t.rest...)
}

// last is the last line, shortened, with control characters escaped.
func (t *tail) last() string {
	lines := bytes.Split(bytes.TrimSpace(t.Bytes()), []byte("\n"))
	s := fmt.Sprintf("%.300q", lines[len(lines)-1])
	return s[1 : len(s)-1]
}

func checkMetrics(r *result.Result) error {
	for name, m := range r.Metrics {
		for _, v := range []float64{m.Value, m.Lower, m.Upper} {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return fmt.Errorf("metric %q is not finite", name)
			}
		}
	}
	if r.Rows != nil {
		return r.Rows.Validate()
	}
	return nil
}
