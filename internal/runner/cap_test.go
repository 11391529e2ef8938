package runner_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/assize/assize/internal/evidence"
	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/model"
	"github.com/assize/assize/internal/plan"
	"github.com/assize/assize/internal/remote"
	"github.com/assize/assize/internal/remote/remotetest"
	"github.com/assize/assize/internal/result"
	"github.com/assize/assize/internal/runner"
	"github.com/assize/assize/internal/worker"
)

// asks makes a probe ask the model twice for each row.
func asks(p *measure.Probe) {
	p.Needs.Model = true
	p.Run = func(ctx context.Context, c *measure.Case) (*result.Result, error) {
		out := result.NewRows(c.Index, "value")
		for i := range c.Index {
			for range 2 {
				var a model.Answers
				if err := c.Model.Predict(ctx, make([]float32, c.Model.Width()), 1, &a); err != nil {
					return nil, err
				}
			}
			out.Column("value")[i] = 1
		}
		return &result.Result{Rows: out}, nil
	}
}

// TestCap runs three items over many shards against a service that turns every fourth call away. It
// never sees more rows than the cap; what was not asked is said, and the rest of the run goes on.
func TestCap(t *testing.T) {
	const most = 120
	var seen atomic.Int64
	s := &remotetest.Server{Name: "m", Width: 3, Columns: 1, Predict: func(x []float32, n int) ([]float32, error) { return x[:n], nil }}
	s.Before = func(w http.ResponseWriter, r *http.Request) bool {
		busy := strings.HasSuffix(r.URL.Path, "/infer") && seen.Add(1)%4 == 0
		if busy {
			w.WriteHeader(http.StatusTooManyRequests)
		}
		return busy
	}
	client, err := remote.New(remote.Config{
		URL: remotetest.Start(t, s), Protocol: remote.REST, Model: "m", Row: []int{3}, Batch: 4,
		Timeout: 10 * time.Second, Retries: 9, Backoff: time.Millisecond, MaxRows: most,
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Describe(t.Context()); err != nil {
		t.Fatal(err)
	}
	p := &plan.Plan{Cap: &plan.Cap{Rows: most}, Items: []plan.Item{
		item("i-1", "test/ask", 20), item("i-2", "test/ask-later", 40, "i-1"), item("i-3", "test/ask-later", 8, "i-1"), item("i-4", "test/ask-later", 4, "i-2"), item("i-5", "test/draw", 5),
	}}
	byItem := map[string]evidence.Observation{}
	rows := map[string]*result.Rows{}
	err = runner.Run(t.Context(), p, runner.Options{
		Workers: 3, Probes: probes(), Nonce: []byte("nonce"), Environment: "e-1", Now: time.Now,
		Command: worker.Command{Path: os.Args[0], Args: []string{worker.Argument}},
		Setup: worker.Setup{MemoryBytes: 512 << 20, CPUSeconds: 600, Asker: client, Model: &model.Spec{
			Served: &model.Served{Width: 3, Columns: 1}, Output: model.Output{Kind: model.Score},
			Rule: model.Rule{Kind: model.Cutoff, Positive: 1, Cutoff: 0.5, Outcomes: []string{"a", "b", "c"}},
		}},
		Record: func(o *evidence.Observation, r *result.Rows) error {
			byItem[o.Item], rows[o.Item] = *o, r
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := seen.Load(); got != most {
		t.Errorf("the service saw %d rows, want the cap of %d: rows are asked one by one", got, most)
	}
	var sum evidence.Traffic
	for _, o := range byItem {
		sum.Add(o.Traffic)
	}
	if sum.Sent != most || sum.Throttled == 0 || sum.Retries == 0 {
		t.Errorf("observations count %+v, the service saw %d rows", sum, seen.Load())
	}
	if o := byItem["i-1"]; o.State != result.Measured || !o.Valid() || o.Traffic.Unasked != 0 || o.RowsCount != 20 {
		t.Errorf("what came first: %+v, want all 20 rows", o)
	}
	half := byItem["i-2"]
	want := fmt.Sprintf("%d of 40 cases were not asked: the run reached its cap of 120 rows", half.Traffic.Unasked)
	if half.State != result.Measured || half.Valid() || half.RowsCount+half.Traffic.Unasked != 40 || half.Traffic.Unasked == 0 || half.RowsCount != rows["i-2"].Len() ||
		!slices.ContainsFunc(half.Validity, func(v result.Validity) bool { return v.Check == "every-row-asked" && !v.OK && v.Note == want }) {
		t.Errorf("what was cut short: %+v, want a failed check that says %q", half, want)
	}
	if o := byItem["i-3"]; o.State != result.NotPermitted || o.Reason != "8 of 8 cases were not asked: the run reached its cap of 120 rows" {
		t.Errorf("what came too late: %+v", o)
	}
	if o := byItem["i-4"]; o.State != result.NotAvailable || !strings.Contains(o.Reason, "it reads the result of test/ask-later: ") {
		t.Errorf("what reads half a result: %+v", o)
	}
	if o := byItem["i-5"]; o.State != result.Measured || o.RowsCount != 5 {
		t.Errorf("what asks nothing: %+v", o)
	}
}

// TestClaimsComeFirst: under a cap what speaks to a claimed goal, and what that reads, is measured before all else.
func TestClaimsComeFirst(t *testing.T) {
	for _, most := range []*plan.Cap{nil, {Rows: 1000}} {
		items := []plan.Item{item("i-1", "test/draw", 9), item("i-2", "test/join", 0, "i-1"), item("i-3", "test/draw", 9), item("i-4", "test/after", 9, "i-3"), item("i-5", "test/join", 0, "i-4")}
		items[4].Goals = []string{"parity"}
		var ended []string
		err := runner.Run(t.Context(), &plan.Plan{Cap: most, Claims: []string{"parity"}, Items: items}, runner.Options{
			Workers: 1, Probes: probes(), Nonce: []byte("nonce"), Environment: "e-1", Now: time.Now,
			Command: worker.Command{Path: os.Args[0], Args: []string{worker.Argument}}, Setup: worker.Setup{MemoryBytes: 512 << 20, CPUSeconds: 600},
			Record: func(o *evidence.Observation, _ *result.Rows) error {
				ended = append(ended, o.Item)
				return nil
			},
		})
		if err != nil || len(ended) != 5 {
			t.Fatal(ended, err)
		}
		if claimed := slices.Equal(ended[:3], []string{"i-3", "i-4", "i-5"}); claimed != (most != nil) {
			t.Errorf("cap %v: ended in the order %v", most, ended)
		}
	}
}
