package runner_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/assize/assize/internal/evidence"
	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/plan"
	"github.com/assize/assize/internal/result"
	"github.com/assize/assize/internal/runner"
	"github.com/assize/assize/internal/worker"
)

// The test binary is its own worker: probes that misbehave on demand.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == worker.Argument {
		os.Exit(worker.Main(probes()))
	}
	os.Exit(m.Run())
}

// kill ends the process in a way that Go cannot recover from.
func kill() {
	go func() { panic("the model crashed") }()
	time.Sleep(time.Minute)
}

func probes() []measure.Probe {
	rows := func(s measure.Scope) int { return s.Params.Int("rows") }
	join := func(j *measure.Joint) (*result.Result, error) {
		sum := 0.0
		for _, v := range j.Rows.Column("value") {
			sum += v
		}
		r := &result.Result{Metrics: map[string]result.Metric{"sum": result.Exactly(sum, j.Rows.Len(), "count")}}
		if before := j.Results["test/draw"]; before != nil {
			r.Notes = append(r.Notes, fmt.Sprintf("draw had %d rows", before.Rows.Len()))
		}
		r.Metrics["lost"] = result.Exactly(float64(len(j.Lost)), j.Rows.Len(), "count")
		return r, nil
	}
	each := func(value func(c *measure.Case, row int) float64) func(context.Context, *measure.Case) (*result.Result, error) {
		return func(ctx context.Context, c *measure.Case) (*result.Result, error) {
			out := result.NewRows(c.Index, "value")
			for i, row := range c.Index {
				out.Column("value")[i] = value(c, row)
				c.Done(float64(i+1) / float64(len(c.Index)))
			}
			return &result.Result{Rows: out}, ctx.Err()
		}
	}
	base := measure.Probe{Version: 1, Doc: "Test.", Rows: rows, Cases: true, Join: join}
	with := func(id string, change func(*measure.Probe)) measure.Probe {
		p := base
		p.ID = id
		change(&p)
		return p
	}
	return []measure.Probe{
		with("test/ask", asks),
		with("test/ask-later", func(p *measure.Probe) { asks(p); p.Requires = []string{"test/ask"} }),
		with("test/draw", func(p *measure.Probe) {
			p.Run = each(func(c *measure.Case, row int) float64 { return c.Seed.Row(row).Float64() })
		}),
		with("test/after", func(p *measure.Probe) {
			p.Requires = []string{"test/draw"}
			p.Run = each(func(c *measure.Case, row int) float64 {
				before := c.Results["test/draw"].Rows
				return before.Column("value")[slices.Index(before.Index, row)]
			})
		}),
		with("test/crash", func(p *measure.Probe) {
			p.Run = each(func(_ *measure.Case, row int) float64 {
				if row == 13 {
					kill()
				}
				return 1
			})
		}),
		with("test/crash-always", func(p *measure.Probe) {
			p.Run = each(func(*measure.Case, int) float64 { kill(); return 0 })
		}),
		with("test/isolated", func(p *measure.Probe) {
			p.Isolated = true
			p.Run = each(func(_ *measure.Case, row int) float64 {
				if row == 2 {
					kill()
				}
				return float64(os.Getpid())
			})
		}),
		with("test/memory", func(p *measure.Probe) {
			p.Isolated = true
			p.Run = each(func(*measure.Case, int) float64 {
				b := make([]byte, 4<<30)
				for i := 0; i < len(b); i += 4096 {
					b[i] = 1
				}
				return float64(b[4096])
			})
		}),
		with("test/hang", func(p *measure.Probe) {
			p.Timeout = 300 * time.Millisecond
			p.Run = each(func(*measure.Case, int) float64 { time.Sleep(time.Hour); return 0 })
		}),
		with("test/slow", func(p *measure.Probe) {
			p.Run = each(func(*measure.Case, int) float64 { time.Sleep(time.Minute); return 0 })
		}),
		with("test/panic", func(p *measure.Probe) {
			p.Run = each(func(*measure.Case, int) float64 { panic("a bug of ours") })
		}),
		with("test/join", func(p *measure.Probe) {
			p.Rows, p.Join = nil, func(j *measure.Joint) (*result.Result, error) {
				r := &result.Result{Rows: result.NewRows([]int{7}, "value"), Metrics: map[string]result.Metric{"joined": result.Exactly(float64(len(j.Results)), 1, "count")}}
				for _, id := range slices.Sorted(maps.Keys(j.Results)) {
					r.Notes = append(r.Notes, fmt.Sprintf("%s is %s with %d rows", id, j.Results[id].State, j.Results[id].Rows.Len()))
				}
				return r, nil
			}
		}),
		with("test/liar", func(p *measure.Probe) {
			p.Run = func(_ context.Context, c *measure.Case) (*result.Result, error) {
				return &result.Result{Rows: result.NewRows([]int{1000}, "value")}, nil
			}
		}),
	}
}

func item(id, probe string, rows int, after ...string) plan.Item {
	return plan.Item{ID: id, Probe: probe, Version: 1, Rows: rows, After: after, Deployed: true, Parameters: map[string]any{"rows": float64(rows)}}
}

type run struct {
	observations []evidence.Observation
	rows         map[string]*result.Rows
	err          error
}

func start(t *testing.T, ctx context.Context, workers int, handler evidence.Handler, items ...plan.Item) run {
	t.Helper()
	r := run{rows: map[string]*result.Rows{}}
	r.err = runner.Run(ctx, &plan.Plan{Items: items}, runner.Options{
		Workers: workers, Probes: probes(), Nonce: []byte("nonce"), Environment: "e-1", Now: time.Now, Handler: handler,
		Command: worker.Command{Path: os.Args[0], Args: []string{worker.Argument}},
		Setup:   worker.Setup{MemoryBytes: 512 << 20, CPUSeconds: 600},
		Record: func(o *evidence.Observation, rows *result.Rows) error {
			r.observations = append(r.observations, *o)
			r.rows[o.Probe] = rows
			return nil
		},
	})
	return r
}

func TestSplitsDoNotChangeAnything(t *testing.T) {
	one := start(t, t.Context(), 1, nil, item("i-1", "test/draw", 50), item("i-2", "test/after", 50, "i-1"))
	three := start(t, t.Context(), 3, nil, item("i-1", "test/draw", 50), item("i-2", "test/after", 50, "i-1"))
	if one.err != nil || three.err != nil {
		t.Fatal(one.err, three.err)
	}
	if diff := cmp.Diff(one.observations, three.observations, cmpopts.IgnoreFields(evidence.Observation{}, "Seconds", "Ended")); diff != "" {
		t.Errorf("one worker and three differ:\n%s", diff)
	}
	if diff := cmp.Diff(one.rows["test/draw"].Column("value"), three.rows["test/after"].Column("value")); diff != "" {
		t.Errorf("the dependent did not see its rows:\n%s", diff)
	}
	if got := one.observations[1].Notes; !slices.Equal(got, []string{"draw had 50 rows"}) {
		t.Errorf("got notes %q", got)
	}
}

// TestJoiningProbe joins what two others found, one of which failed; and nothing else runs.
func TestJoiningProbe(t *testing.T) {
	r := start(t, t.Context(), 2, nil, item("i-1", "test/draw", 9), item("i-2", "test/panic", 3), item("i-3", "test/join", 0, "i-1", "i-2"))
	if r.err != nil || len(r.observations) != 3 {
		t.Fatalf("got %d observations, error %v", len(r.observations), r.err)
	}
	o := r.observations[2]
	if want := []string{"test/draw is measured with 9 rows", "test/panic is failed with 0 rows"}; o.State != result.Measured || !slices.Equal(o.Notes, want) {
		t.Errorf("got %s %q, want measured %q", o.State, o.Notes, want)
	}
	if got := r.rows["test/join"].Index; !slices.Equal(got, []int{7}) || o.RowsCount != 1 {
		t.Errorf("got rows %v, %d of them, want row 7 alone", got, o.RowsCount)
	}
}

func TestMishaps(t *testing.T) {
	for _, tt := range []struct {
		probe string
		rows  int
		state result.State
		words string // in the reason or in a failed check
		lost  float64
	}{
		{"test/crash", 40, result.Measured, "row 13", 1},
		{"test/crash-always", 400, result.Failed, "crashed", 0},
		{"test/isolated", 5, result.Measured, "", 1},
		{"test/memory", 1, result.Measured, "", 1},
		{"test/hang", 3, result.Failed, "within its time", 0},
		{"test/panic", 3, result.Failed, "a bug of ours", 0},
		{"test/liar", 3, result.Failed, "not the 3 it was asked for", 0},
	} {
		t.Run(tt.probe, func(t *testing.T) {
			t.Parallel()
			r := start(t, t.Context(), 2, nil, item("i-1", tt.probe, tt.rows), item("i-2", "test/draw", 4))
			if r.err != nil || len(r.observations) != 2 {
				t.Fatalf("got %d observations, error %v: the run must go on", len(r.observations), r.err)
			}
			i := slices.IndexFunc(r.observations, func(o evidence.Observation) bool { return o.Probe == tt.probe })
			o := r.observations[i]
			if o.State != tt.state {
				t.Fatalf("got state %s (%s), want %s", o.State, o.Reason, tt.state)
			}
			said := o.Reason
			for _, v := range o.Validity {
				said += v.Note
			}
			if !strings.Contains(said, tt.words) {
				t.Errorf("got %q, want %q in it", said, tt.words)
			}
			if got := o.Metrics["lost"].Value; got != tt.lost {
				t.Errorf("got %v lost rows, want %v", got, tt.lost)
			}
			if other := r.observations[1-i]; other.State != result.Measured {
				t.Errorf("the other item is %s: %s", other.State, other.Reason)
			}
		})
	}
}

func TestIsolatedRowsHaveAProcessEach(t *testing.T) {
	r := start(t, t.Context(), 2, nil, item("i-1", "test/isolated", 5))
	pids := slices.Clone(r.rows["test/isolated"].Column("value"))
	slices.Sort(pids)
	if len(slices.Compact(pids)) != 4 {
		t.Errorf("got processes %v, want four different ones", pids)
	}
}

func TestWhatDependsOnAFailureIsNotAvailable(t *testing.T) {
	r := start(t, t.Context(), 1, nil, item("i-1", "test/panic", 3), func() plan.Item {
		i := item("i-2", "test/after", 3, "i-1")
		return i
	}())
	if got := r.observations[1]; got.State != result.NotAvailable || !strings.Contains(got.Reason, "test/panic") {
		t.Errorf("got %s: %s", got.State, got.Reason)
	}
}

// interrupter cancels a run when its first item has ended.
type interrupter struct{ cancel func() }

func (i interrupter) Handle(m evidence.Message) error {
	if m.Observation != nil && m.Observation.State == result.Measured {
		i.cancel()
	}
	return nil
}

func TestInterruption(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	begun := time.Now()
	r := start(t, ctx, 2, interrupter{cancel}, item("i-1", "test/draw", 4), item("i-2", "test/slow", 4, "i-1"), item("i-3", "test/draw", 4, "i-2"))
	if !errors.Is(r.err, context.Canceled) {
		t.Errorf("got error %v, want context.Canceled", r.err)
	}
	if took := time.Since(begun); took > 20*time.Second {
		t.Errorf("it took %v to stop", took)
	}
	var states []string
	for _, o := range r.observations {
		states = append(states, string(o.State)+": "+o.Reason)
	}
	want := []string{"measured: ", "failed: the run was interrupted before it began", "failed: the run was interrupted before it began"}
	if len(states) == 3 && strings.HasSuffix(states[1], "before it was finished") {
		want[1] = states[1] // the second item may have begun by then
	}
	if diff := cmp.Diff(want, states); diff != "" {
		t.Errorf("states (-want +got):\n%s", diff)
	}
}

func TestAFailingRecordEndsTheRun(t *testing.T) {
	full := errors.New("no space left on device")
	err := runner.Run(t.Context(), &plan.Plan{Items: []plan.Item{item("i-1", "test/draw", 4)}}, runner.Options{
		Workers: 1, Probes: probes(), Now: time.Now,
		Command: worker.Command{Path: os.Args[0], Args: []string{worker.Argument}},
		Setup:   worker.Setup{MemoryBytes: 512 << 20, CPUSeconds: 600},
		Record:  func(*evidence.Observation, *result.Rows) error { return full },
	})
	if !errors.Is(err, full) {
		t.Errorf("got %v, want the record's error", err)
	}
}
