package measuretest_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"strings"
	"testing"

	"github.com/assize/assize/internal/dataset"
	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/measure/measuretest"
	"github.com/assize/assize/internal/result"
)

// recorder is a test whose failures are kept.
type recorder struct{ failures []string }

func (r *recorder) Helper()                   {}
func (r *recorder) Logf(string, ...any)       {}
func (r *recorder) Errorf(f string, a ...any) { r.failures = append(r.failures, fmt.Sprintf(f, a...)) }
func (r *recorder) Fatalf(f string, a ...any) { r.Errorf(f, a...); runtime.Goexit() }
func (r *recorder) Fatal(a ...any)            { r.Fatalf("%s", fmt.Sprint(a...)) }

// accept runs the harness and returns what it complains of.
func accept(p measure.Probe, target measuretest.Target) []string {
	r := &recorder{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		measuretest.Accept(r, p, target)
	}()
	<-done
	return r.failures
}

// good adds up each row of ten and says which sums are even, with a random number beside.
func good() (measure.Probe, measuretest.Target) {
	p := measure.Probe{
		ID: "evasion/even", Version: 1, Doc: "Even sums.", Goals: []string{"evasion"}, Threats: []string{"evasion"},
		Needs: measure.Needs{Data: true, Labels: true}, Metrics: []string{"even"}, Paired: "even",
		Params:  []measure.Param{{Name: "rows", Doc: "rows", Quick: 9.0, Standard: 10.0, Thorough: 10.0}},
		Rows:    func(s measure.Scope) int { return s.Params.Int("rows") },
		Queries: func(measure.Scope) int { return 0 },
		Run: func(ctx context.Context, c *measure.Case) (*result.Result, error) {
			rows := result.NewRows(c.Index, "even", "random")
			for i, row := range c.Index {
				if err := ctx.Err(); err != nil {
					return nil, err
				}
				if int(c.Data.Row(i)[0])%2 == c.Data.Y[i] {
					rows.Column("even")[i] = 1
				}
				rows.Column("random")[i] = c.Seed.Row(row).Float64()
				c.Done(float64(i+1) / float64(len(c.Index)))
			}
			return &result.Result{Rows: rows}, nil
		},
		Join: func(j *measure.Joint) (*result.Result, error) {
			n := 0
			for _, v := range j.Rows.Column("even") {
				n += int(v)
			}
			r := &result.Result{State: result.Measured, Metrics: map[string]result.Metric{"even": result.Exactly(float64(n), j.Rows.Len(), "rows")}}
			r.Check("rows", j.Rows.Len() > 0, "")
			return r, nil
		},
	}
	data := &dataset.Table{Names: []string{"x"}, Width: 1}
	for i := range 10 {
		data.X, data.Y, data.Index = append(data.X, float32(i*i)), append(data.Y, 0), append(data.Index, i)
	}
	return p, measuretest.Target{Data: data, Facts: measure.Facts{TestRows: 10, Width: 1, Classes: 2}}
}

func TestAcceptAGoodProbe(t *testing.T) {
	p, target := good()
	if got := accept(p, target); got != nil {
		t.Errorf("got complaints %q", got)
	}
}

// TestAcceptFindsEveryBreach breaks the contract in one place at a time.
func TestAcceptFindsEveryBreach(t *testing.T) {
	calls := 0
	// after changes what Run returns; joined what Join returns.
	after := func(change func(*measure.Case, *result.Result)) func(*measure.Probe) {
		return func(p *measure.Probe) {
			run := p.Run
			p.Run = func(ctx context.Context, c *measure.Case) (*result.Result, error) {
				r, err := run(ctx, c)
				if err == nil {
					change(c, r)
				}
				return r, err
			}
		}
	}
	joined := func(change func(*measure.Joint, *result.Result)) func(*measure.Probe) {
		return func(p *measure.Probe) {
			join := p.Join
			p.Join = func(j *measure.Joint) (*result.Result, error) {
				r, err := join(j)
				change(j, r)
				return r, err
			}
		}
	}
	metric := func(m result.Metric) func(*measure.Probe) {
		return joined(func(_ *measure.Joint, r *result.Result) { r.Metrics["even"] = m })
	}
	for _, tt := range []struct {
		name   string
		breach func(*measure.Probe)
		want   string
	}{
		{"id", func(p *measure.Probe) { p.ID = "Even" }, "are missing"},
		{"no goal", func(p *measure.Probe) { p.Goals = nil }, "are missing"},
		{"no join", func(p *measure.Probe) { p.Join = nil }, "go together"},
		{"pairs without rows", func(p *measure.Probe) { p.Rows, p.Join = nil, nil }, "pairs need rows"},
		{"switch without a model", func(p *measure.Probe) { p.Switch = true }, "solutions are switched"},
		{"whole number as a default", func(p *measure.Probe) { p.Params[0].Thorough = 5 }, "default of type int"},
		{"parameter without a word", func(p *measure.Probe) { p.Params[0].Doc = "" }, "undocumented"},
		{"parameter twice", func(p *measure.Probe) { p.Params = append(p.Params, p.Params[0]) }, "doubled"},
		{"no rows to work on", func(p *measure.Probe) { p.Params[0].Quick = 0.0 }, "gives it no rows"},
		{"labels used, not asked for", func(p *measure.Probe) {
			p.Needs.Labels = false
			run := p.Run
			p.Run = func(ctx context.Context, c *measure.Case) (*result.Result, error) {
				if c.Data.Y == nil {
					return nil, errors.New("no labels")
				}
				return run(ctx, c)
			}
		}, "no labels"},
		{"what it requires is not there", func(p *measure.Probe) { p.Requires = []string{"evasion/other"} }, "requires evasion/other"},
		{"another result each time", after(func(_ *measure.Case, r *result.Result) { calls++; r.Rows.Column("random")[0] = float64(calls) }), "run twice with one seed"},
		{"depends on the shard", after(func(c *measure.Case, r *result.Result) { r.Rows.Column("random")[0] = float64(len(c.Index)) }), "in shards of 1"},
		{"depends on the order", after(func(c *measure.Case, r *result.Result) {
			if len(c.Index) > 1 && c.Index[0] > c.Index[1] {
				r.Rows.Column("random")[0] = 5
			}
		}), "in another order"},
		{"no rows", after(func(_ *measure.Case, r *result.Result) { r.Rows = nil }), "a shard gave no rows"},
		{"row twice", after(func(_ *measure.Case, r *result.Result) { r.Rows.Index[0] = 3 }), "stands twice"},
		{"not a number", after(func(_ *measure.Case, r *result.Result) { r.Rows.Column("random")[0] = math.NaN() }), "not finite"},
		{"progress goes back", after(func(c *measure.Case, _ *result.Result) { c.Progress(0.5) }), "progress went from 1 to 0.5"},
		{"progress over one", after(func(c *measure.Case, _ *result.Result) { c.Progress(1.5) }), "progress went from 1 to 1.5"},
		{"progress stops short", func(p *measure.Probe) {
			run := p.Run
			p.Run = func(ctx context.Context, c *measure.Case) (*result.Result, error) {
				short := *c
				short.Progress = func(s float64) { c.Progress(s / 2) }
				return run(ctx, &short)
			}
		}, "progress ended at 0.5, want 1"},
		{"join fails", func(p *measure.Probe) {
			p.Join = func(*measure.Joint) (*result.Result, error) { return nil, errors.New("no") }
		}, "join: no"},
		{"join cannot do without a row", func(p *measure.Probe) {
			join := p.Join
			p.Join = func(j *measure.Joint) (*result.Result, error) {
				if len(j.Lost) > 0 {
					return nil, errors.New("a row is missing")
				}
				return join(j)
			}
		}, "whose worker died: a row is missing"},
		{"no metric", joined(func(_ *measure.Joint, r *result.Result) { r.Metrics = nil }), "measured, but no metric"},
		{"metric that it does not name", func(p *measure.Probe) { p.Metrics = []string{"odd"} }, `metric "even" is not among those`},
		{"no reason", joined(func(_ *measure.Joint, r *result.Result) { r.State = result.NotAvailable }), "without a reason"},
		{"no unit", metric(result.Metric{Method: "m"}), "does not validate"},
		{"no method", metric(result.Metric{Unit: "u"}), "does not validate"},
		{"value outside", metric(result.Metric{Value: 2, Upper: 1, Unit: "u", Method: "m"}), "does not validate"},
		{"interval turned round", metric(result.Metric{Lower: 1, Unit: "u", Method: "m"}), "does not validate"},
		{"column to pair is missing", func(p *measure.Probe) { p.Paired = "odd" }, `no column "odd" to pair`},
		{"column to pair is no bit", func(p *measure.Probe) { p.Paired = "random" }, "want 0 or 1"},
		{"goes on when cancelled", func(p *measure.Probe) {
			p.Needs.Model = true
			run := p.Run
			p.Run = func(_ context.Context, c *measure.Case) (*result.Result, error) { return run(context.Background(), c) }
		}, "want context.Canceled"},
		{"another error when cancelled", func(p *measure.Probe) {
			run := p.Run
			p.Run = func(ctx context.Context, c *measure.Case) (*result.Result, error) {
				r, err := run(ctx, c)
				if err != nil {
					err = errors.New("broken")
				}
				return r, err
			}
		}, "cancelled in its midst it gave error broken"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, target := good()
			tt.breach(&p)
			if got := strings.Join(accept(p, target), "\n"); !strings.Contains(got, tt.want) {
				t.Errorf("got complaints %q, want %q", got, tt.want)
			}
		})
	}
}
