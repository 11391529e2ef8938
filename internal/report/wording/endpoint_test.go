package wording_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/evidence"
	"github.com/assize/assize/internal/plan"
	"github.com/assize/assize/internal/report/wording"
	"github.com/assize/assize/internal/result"
)

func TestEndpoint(t *testing.T) {
	metric := func(value, lower, upper float64, n int, unit string) result.Metric {
		return result.Metric{Value: value, Lower: lower, Upper: upper, N: n, Unit: unit, Method: "order statistics", Confidence: 0.95}
	}
	attack := evidence.Observation{
		Item: "i-1", Probe: "evasion/hopskipjump", Parameters: map[string]any{"grant": 200.0}, Traffic: &evidence.Traffic{Calls: 1},
		Result: result.Result{Metrics: map[string]result.Metric{
			"queries_to_success": metric(9, 6, 17, 30, "queries"), "queries_to_success_p90": metric(31.2, 20, 60, 30, "queries"),
			"success_within_grant": metric(0.968, 0.833, 1, 31, "share"),
		}},
	}
	off, file := attack, attack
	off.Item, file.Traffic = "i-2", nil
	service := evidence.Observation{
		Item: "i-3", Probe: "availability/endpoint", Traffic: &evidence.Traffic{Calls: 1},
		Result: result.Result{Metrics: map[string]result.Metric{
			"latency_median": metric(15.1076, 11.128, 17.8, 60, "ms"), "latency_p90": metric(43.3, 27.2, 132, 60, "ms"),
			"throughput": metric(44987.1, 8638.7, 80004, 8, "rows/s"), "answered_past_limit": result.Exactly(0, 25, "queries"),
		}},
	}
	d := &dossier.Dossier{
		Plan:         dossier.Plan{Plan: plan.Plan{Items: []plan.Item{{ID: "i-1", Deployed: true}, {ID: "i-2"}, {ID: "i-3", Deployed: true}}}},
		Observations: []evidence.Observation{attack, off, file, service},
	}
	var got []string
	for _, line := range wording.Endpoint(d) {
		got = append(got, plain(line))
	}
	want := []string{
		"evasion/hopskipjump: half of the successes took 9 questions on the row or fewer [6, 17], 90 % took 31.2 or fewer [20, 60]; 96.8 % [83.3 %, 100 %] of the 31 rows with something to gain fall within the 200 that a user is granted",
		"availability/endpoint: half of the calls of one row are answered within 15.1 ms [11.1, 17.8]; 90 % within 43.3 ms [27.2, 132]; full batches bring 44 987 rows a second; the limit on questions that the manifest declares was kept",
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("(-got +want):\n%s", diff)
	}
	d.Observations[0].Metrics = map[string]result.Metric{"queries_to_success": metric(2, 2, 2, 31, "queries"), "training_queries": result.Exactly(400, 50, "queries")}
	if got, want := wording.Endpoint(d)[0], "evasion/hopskipjump: half of the successes took 2 questions on the row or fewer [2, 2], after 400 that taught the surrogate once for all"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	d.Observations[3].Metrics["answered_past_limit"] = result.Exactly(5, 25, "queries")
	if lines := wording.Endpoint(d); lines[1][len(lines[1])-12:] != "was not kept" {
		t.Errorf("got %q", lines[1])
	}
}
