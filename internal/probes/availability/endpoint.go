package availability

import (
	"context"
	"fmt"
	"time"

	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/model"
	"github.com/assize/assize/internal/result"
)

// What becomes of a case of an endpoint.
const (
	answered = iota
	turnedAway
	faulted
	throttled
	dropped
	unanswered
	notTried
)

// fates names them for people.
func fates() []string {
	return []string{"answered", "turned away", "fault of the server", "asked too much", "connection dropped", "no answer in time", "not tried"}
}

// wire is one damaged request.
type wire struct{ kind, name string }

// wires is every damaged request, by the number of its case. Numbers are kept.
func wires() []wire {
	return []wire{
		{model.WireCutShort, "a body that ends in its middle"},
		{model.WireEmpty, "no body"},
		{model.WireText, "a body of another language"},
		{model.WireOtherType, "a header that says plain text"},
		{model.WirePadded, "64 KiB that mean nothing behind the data"},
		{model.WireNested, "lists in lists, tens of thousands deep"},
		{model.WireLongNumber, "a number of tens of thousands of digits"},
	}
}

// Cases behind the damaged requests: the limit, full batches, then calls of one row.
const (
	limitCase   = 7
	firstBatch  = limitCase + 1
	batches     = 8
	firstCall   = firstBatch + batches
	controls    = 3    // well-formed rows after a damaged request, until one is answered
	pastLimit   = 5    // questions beyond the limit
	largestFull = 1000 // rows of a full batch
)

var endpoint = measure.Probe{
	ID: "availability/endpoint", Version: 1,
	Doc: `How fast does the endpoint answer, does it survive damaged requests, and does it hold its users to their limit?

Calls of one well-formed row each, drawn from the domain, give the latency: from
sending to the end of the answer, as seen where Assize runs, at the agreed rates and beside
whatever else the run asks. Full batches (of at most 1000 rows) give the throughput of one connection.
None is tried again: a call that is not answered at once counts as such.

Damaged requests are sent once each, and a well-formed row after each of them, three times
at most: is there still an answer? They are at most 64 KiB longer than a well-formed one. Malformed rows and extreme
values are for availability/malformed.

Where the manifest declares a query-limit, or queries_per_user, one row is asked as
often and five times more, until it is turned away; where that is more than the parameter most, it is not tried.
Rates are kept to, so whether the service holds others to them is not measured.

Times are not compared in a replay.`,
	Metrics: []string{
		"answered", "answered_past_limit", "down_after", "dropped", "faults", "latency_median", "latency_p90", "latency_p99",
		"throttled", "throughput", "unanswered",
	},
	Goals:   []string{"malformed-input"},
	Threats: []string{"denial-of-service"},
	Cites:   []string{"AI Act Art. 15(4)", "AI Act Art. 15(5)", "ENISA Denial of service", "David and Nagaraja 2003, section 7.1"},
	Needs:   measure.Needs{Model: true, Domain: true, Served: true},
	Cases:   true,
	Timeout: 20 * time.Minute,
	Params: []measure.Param{
		{Name: "calls", Doc: "calls of one row", Unit: "calls", Quick: 60.0, Standard: 400.0, Thorough: 1000.0},
		{Name: "most", Doc: "questions that are asked at most to see whether the limit holds", Unit: "queries", Quick: 100.0, Standard: 300.0, Thorough: 1100.0},
		{Name: "limit", Doc: "questions that one client may ask about one case; 0: not declared", Unit: "queries", Quick: 0.0, Standard: 0.0, Thorough: 0.0, Manifest: "solutions.query-limit.queries"},
		{Name: "grant", Doc: "queries that the service grants one user; 0: not stated", Unit: "queries", Quick: 0.0, Standard: 0.0, Thorough: 0.0, Manifest: "endpoint.queries_per_user"},
		{Name: "batch", Doc: "rows of a full batch", Unit: "rows", Quick: 64.0, Standard: 64.0, Thorough: 64.0, Manifest: "endpoint.batch"},
	},
	Rows: func(s measure.Scope) int { return firstCall + s.Params.Int("calls") },
	Queries: func(s measure.Scope) int {
		asked, _ := tries(s.Params)
		return (1+controls)*limitCase + asked + batches*full(s.Params) + s.Params.Int("calls")
	},
	Run:  runEndpoint,
	Join: joinEndpoint,
}

// tries is how often one row is asked to see whether the declared limit holds, and
// that limit; 0 where none is declared or it is too high to try.
func tries(p measure.Params) (asked, limit int) {
	limit, grant := p.Int("limit"), p.Int("grant")
	if limit == 0 || grant > 0 && grant < limit {
		limit = grant
	}
	if limit == 0 || limit+pastLimit > p.Int("most") {
		return 0, limit
	}
	return limit + pastLimit, limit
}

// full is the rows of a full batch.
func full(p measure.Params) int { return min(max(1, p.Int("batch")), largestFull) }

// newCalls is a table of cases of an endpoint.
func newCalls(index []int) *result.Rows {
	t := result.NewRows(index, "outcome", "latency", "asked", "answered", "after")
	for i, doc := range []string{
		"0 answered, 1 turned away, 2 a fault of the server, 3 asked too much, 4 connection dropped, 5 no answer in time, 6 not tried; of several questions that of the last",
		"from sending to the end of the answer; 0 where there was none",
		"rows asked", "rows answered",
		"1 where a well-formed row was answered after a damaged request; 0 for other cases",
	} {
		t.Columns[i].Doc = doc
	}
	t.Columns[1].Unit = "ms"
	return t
}

// caller asks the cases of a shard.
type caller struct {
	*measure.Case
	in   *input
	rows *result.Rows
}

func runEndpoint(ctx context.Context, c *measure.Case) (*result.Result, error) {
	k := &caller{c, newInput(c.Model, c.Domain, 0), newCalls(c.Index)}
	for i, number := range c.Index {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := k.ask(ctx, i, number); err != nil {
			return nil, err
		}
		c.Done(float64(i+1) / float64(len(c.Index)))
	}
	return &result.Result{State: result.Measured, Rows: k.rows}, nil
}

// ask puts one case.
func (k *caller) ask(ctx context.Context, i, number int) error {
	switch {
	case number < 0:
		return fmt.Errorf("measure endpoint: there is no case %d", number)
	case number < len(wires()):
		kind := wires()[number].kind
		err := k.put(i, 1, func() (*model.RawAnswer, error) { return k.Model.Wired(ctx, kind, k.in.one(k.in.row)) })
		if err != nil {
			return err
		}
		for range controls {
			control, err := k.Model.Raw(ctx, k.in.one(k.in.row))
			if err != nil {
				return err
			}
			if fateOf(control) == answered {
				k.rows.Column("after")[i] = 1
				return nil
			}
		}
		return nil
	case number == limitCase:
		times, _ := tries(k.Params)
		k.rows.Column("outcome")[i] = notTried
		for range times {
			if err := k.put(i, 1, func() (*model.RawAnswer, error) { return k.Model.Raw(ctx, k.in.one(k.in.row)) }); err != nil {
				return err
			}
			if k.rows.Column("outcome")[i] != answered {
				return nil
			}
		}
		return nil
	case number < firstCall:
		n := full(k.Params)
		return k.put(i, n, func() (*model.RawAnswer, error) { return k.Model.Raw(ctx, rowsOf(n)(k.in)) })
	}
	return k.put(i, 1, func() (*model.RawAnswer, error) { return k.Model.Raw(ctx, k.in.one(k.drawn(number))) })
}

// put asks and notes what came of it.
func (k *caller) put(i, rows int, question func() (*model.RawAnswer, error)) error {
	a, err := question()
	if err != nil {
		return err
	}
	fate := fateOf(a)
	k.rows.Column("outcome")[i] = float64(fate)
	k.rows.Column("asked")[i] += float64(rows)
	if fate == answered {
		k.rows.Column("answered")[i] += float64(rows)
		k.rows.Column("latency")[i] = 1000 * a.Seconds
	}
	return nil
}

// fateOf says what became of a question.
func fateOf(a *model.RawAnswer) int {
	switch {
	case a.Unsent != "":
		return notTried
	case a.Lost != "" && a.TimedOut:
		return unanswered
	case a.Lost != "":
		return dropped
	case a.Busy:
		return throttled
	case a.Fault:
		return faulted
	case a.RefusedBy != "":
		return turnedAway
	}
	return answered
}

// drawn is a row of the domain, another for each case; the well-formed one where the domain takes none that was drawn.
func (k *caller) drawn(number int) []float32 {
	random := k.Seed.Row(number)
	row := make([]float32, len(k.in.row))
	for range 10 {
		for i, f := range k.Domain.Features() {
			row[i] = float32(f.Min + random.Float64()*(f.Max-f.Min))
		}
		if k.Domain.Project(row, nil) {
			return row
		}
	}
	return k.in.row
}
