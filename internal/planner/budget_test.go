package planner_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assize/assize/internal/catalogue"
	"github.com/assize/assize/internal/manifest"
	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/plan"
	"github.com/assize/assize/internal/planner"
	"github.com/assize/assize/internal/result"
)

// scalable is a plan of three probes, each with 100 rows of 10 queries and with its
// solutions on and off: one is joined by what decides on a claimed goal, one decides on another goal,
// and of one the manifest states the queries.
func scalable() (*plan.Plan, planner.Target, []measure.Probe) {
	probe := func(id, feeds, stated string) measure.Probe {
		return measure.Probe{
			ID: id, Feeds: feeds,
			Params: []measure.Param{
				{Name: "rows", Quick: 20.0, Standard: 100.0, Thorough: 200.0},
				{Name: "queries", Quick: 5.0, Standard: 10.0, Thorough: 40.0, Manifest: stated},
			},
			Rows:    func(s measure.Scope) int { return s.Params.Int("rows") },
			Queries: func(s measure.Scope) int { return s.Params.Int("rows") * s.Params.Int("queries") },
			Run:     nil, Join: func(*measure.Joint) (*result.Result, error) { return nil, nil },
		}
	}
	probes := []measure.Probe{probe("a/claimed", "a/worst", ""), probe("a/other", "", ""), probe("a/stated", "a/worst", "threat_model.evasion.queries_per_row")}
	p := &plan.Plan{
		Target: "t", Claims: []string{"evasion"},
		Criteria: []catalogue.Criterion{{ID: "k", Goal: "evasion", Probe: "a/worst"}, {ID: "l", Goal: "resilience", Probe: "a/other"}},
	}
	for _, id := range []string{"a/claimed", "a/other", "a/stated"} {
		for range 2 {
			p.Items = append(p.Items, plan.Item{Probe: id, Rows: 100, Queries: 1000, Parameters: map[string]any{"rows": 100.0, "queries": 10.0, "epsilon": 0.1}})
		}
	}
	t := planner.Target{Manifest: &manifest.Manifest{}, Facts: measure.Facts{TestRows: 150}}
	t.Manifest.ThreatModel.Evasion = &manifest.Evasion{QueriesPerRow: 10}
	return p, t, probes
}

// aMillisecond is what a query costs.
func aMillisecond(i *plan.Item) float64 { return float64(i.Queries) / 1000 }

func TestFit(t *testing.T) {
	for _, tt := range []struct {
		name                   string
		budget                 time.Duration
		claimed, other, stated [2]int // rows and queries of each
		full                   bool
	}{
		// 6 items of a second each on 2 workers take 3 s.
		{"as it is", 3 * time.Second, [2]int{100, 1000}, [2]int{100, 1000}, [2]int{100, 1000}, false},
		{"less: what decides nothing loses most", 1500 * time.Millisecond, [2]int{55, 550}, [2]int{30, 300}, [2]int{55, 550}, false},
		{"the least", 400 * time.Millisecond, [2]int{20, 100}, [2]int{20, 100}, [2]int{20, 200}, false},
		{"more: all rows, then queries that nobody stated", time.Hour, [2]int{150, 6000}, [2]int{100, 1000}, [2]int{150, 1500}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, target, probes := scalable()
			if err := planner.Fit(p, target, probes, aMillisecond, 2, tt.budget); err != nil {
				t.Fatal(err)
			}
			var got [][2]int
			for _, i := range p.Items {
				got = append(got, [2]int{i.Rows, i.Queries})
				if i.Parameters["epsilon"] != 0.1 {
					t.Errorf("%s has epsilon %v", i.Probe, i.Parameters["epsilon"])
				}
			}
			if diff := cmp.Diff(got, [][2]int{tt.claimed, tt.claimed, tt.other, tt.other, tt.stated, tt.stated}); diff != "" {
				t.Errorf("rows and queries (-got +want):\n%s", diff)
			}
			if b := p.Budget; b.Estimate > tt.budget.Seconds() || b.Unscaled != 3 || b.Full != tt.full || b.Seconds != tt.budget.Seconds() || b.Workers != 2 {
				t.Errorf("got budget %+v", b)
			}
			// Who has the plan can make it again.
			again, _, _ := scalable()
			if err := planner.Rescale(again, target, probes, p.Budget); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(again, p); diff != "" {
				t.Errorf("scaled again (-got +want):\n%s", diff)
			}
		})
	}
}

func TestFitRefuses(t *testing.T) {
	p, target, probes := scalable()
	err := planner.Fit(p, target, probes, aMillisecond, 2, 300*time.Millisecond)
	if err == nil || !strings.Contains(err.Error(), "hint: --budget 1s or more") || p.Budget != nil {
		t.Errorf("got %v", err)
	}
	for _, s := range []plan.Scaled{
		{Probe: "a/claimed", Rows: 10, RowsBefore: 100},              // fewer than quick has
		{Probe: "a/claimed", Rows: 151, RowsBefore: 100},             // more than there are
		{Probe: "a/stated", Rows: 100, RowsBefore: 100, Queries: 5},  // stated by the manifest
		{Probe: "a/claimed", Rows: 100, RowsBefore: 100, Queries: 4}, // fewer than quick asks
		{Probe: "a/worst", Rows: 100, RowsBefore: 100},
	} {
		p, target, probes := scalable()
		if err := planner.Rescale(p, target, probes, &plan.Budget{Scaled: []plan.Scaled{s}}); err == nil {
			t.Errorf("%+v was accepted", s)
		}
	}
}
