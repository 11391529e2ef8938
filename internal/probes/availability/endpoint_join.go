package availability

import (
	"fmt"
	"math"
	"slices"

	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/result"
	"github.com/assize/assize/internal/stat"
)

// confidence of every interval.
const confidence = 0.95

func joinEndpoint(j *measure.Joint) (*result.Result, error) {
	res := &result.Result{State: result.Measured, Metrics: map[string]result.Metric{}, Rows: j.Rows}
	t := &calls{res: res, params: j.Params}
	for i, number := range j.Rows.Index {
		fate := int(j.Rows.Column("outcome")[i])
		if number < 0 || number >= firstCall+j.Params.Int("calls") || fate < 0 || fate > notTried {
			return nil, fmt.Errorf("join endpoint: there is no case %d with outcome %d", number, fate)
		}
		if fate == throttled {
			t.busy++
		}
		latency, asked, got := j.Rows.Column("latency")[i], j.Rows.Column("asked")[i], j.Rows.Column("answered")[i]
		t.asked += int(asked)
		switch {
		case number < limitCase:
			t.wired(number, fate, j.Rows.Column("after")[i] == 1)
		case number == limitCase:
			t.limited(fate, int(got))
		case number < firstCall && fate == answered && latency > 0:
			t.rates = append(t.rates, got/(latency/1000))
		case number >= firstCall:
			t.made++
			if fate == answered {
				t.latencies = append(t.latencies, latency)
			}
		}
	}
	if err := t.times(); err != nil {
		return nil, err
	}
	for name, n := range map[string]int{"faults": t.fates[faulted], "dropped": t.fates[dropped], "unanswered": t.fates[unanswered], "down_after": t.down} {
		if t.damaged > 0 {
			res.Metrics[name] = result.Exactly(float64(n), t.damaged, "cases")
		}
	}
	if t.asked > 0 {
		res.Metrics["throttled"] = result.Exactly(float64(t.busy), j.Rows.Len(), "cases")
	}
	return res, nil
}

// calls are the cases of an endpoint, counted.
type calls struct {
	res              *result.Result
	params           measure.Params
	latencies, rates []float64 // ms; rows a second
	made, asked      int       // calls of one row; rows in all
	busy             int
	damaged, down    int               // damaged requests, and those after which no row was answered
	fates            [notTried + 1]int // of the damaged
}

// times are latency, throughput and the share of calls that were answered at once.
func (t *calls) times() error {
	few := ""
	for _, q := range []struct {
		name string
		p    float64
	}{{"latency_median", 0.5}, {"latency_p90", 0.9}, {"latency_p99", 0.99}} {
		m, ok := between(t.latencies, q.p, "ms")
		if !ok {
			few += ", " + q.name
			continue
		}
		t.res.Metrics[q.name] = m
	}
	if few != "" {
		t.res.Notes = append(t.res.Notes, fmt.Sprintf("%d answered calls are too few for an interval of %s", len(t.latencies), few[2:]))
	}
	if m, ok := between(t.rates, 0.5, "rows/s"); ok {
		t.res.Metrics["throughput"] = m
		t.res.Notes = append(t.res.Notes, fmt.Sprintf("the throughput is of batches of %d rows, one after the other, and not of as many connections as the service could hold", full(t.params)))
	}
	t.res.Notes = append(t.res.Notes, "times are those where Assize runs, the network's included, at the agreed rates and beside what else the run asked")
	k := len(t.latencies)
	t.res.Check("a-well-formed-row-is-answered", k > 0 || t.made == 0, "without it that a damaged request is turned away says nothing")
	if t.made == 0 {
		return nil
	}
	ci, err := stat.ClopperPearson(k, t.made, confidence)
	if err != nil {
		return err
	}
	t.res.Metrics["answered"] = result.Metric{
		Value: float64(k) / float64(t.made), Lower: ci.Lower, Upper: ci.Upper, N: t.made, K: &k,
		Unit: "share", Method: "clopper-pearson", Confidence: confidence,
	}
	if k < t.made {
		t.res.Notes = append(t.res.Notes, fmt.Sprintf("%d of %d calls were not answered at once and have no latency: where they are many, the others flatter the service", t.made-k, t.made))
	}
	if k > 0 {
		t.res.Pictures = []result.Picture{curve(t.latencies)}
	}
	return nil
}

// between is a quantile with the interval between order statistics; false where there are too few values for both ends.
func between(values []float64, p float64, unit string) (result.Metric, bool) {
	ci, err := stat.QuantileInterval(values, p, confidence)
	if err != nil || math.IsInf(ci.Lower, 0) || math.IsInf(ci.Upper, 0) {
		return result.Metric{}, false
	}
	return result.Metric{
		Value: stat.Quantile(values, p), Lower: ci.Lower, Upper: ci.Upper, N: len(values),
		Unit: unit, Method: "order statistics", Confidence: confidence,
	}, true
}

// curve is the latency by the share of calls that are no slower.
func curve(latencies []float64) result.Picture {
	sorted := slices.Sorted(slices.Values(latencies))
	line := result.Series{Name: "calls of one row"}
	for percent := 0; percent <= 100; percent += 2 {
		line.X = append(line.X, float64(percent))
		line.Y = append(line.Y, stat.SortedQuantile(sorted, float64(percent)/100))
	}
	return result.Picture{
		ID: "latency", Title: "Latency of a call, by the share of calls that are no slower", Kind: "curve",
		XLabel: "calls, in %", YLabel: "milliseconds", Series: []result.Series{line},
	}
}

// wired counts a damaged request and says what is wrong with what came of it.
func (t *calls) wired(number, fate int, alive bool) {
	if fate == notTried {
		return
	}
	t.damaged++
	t.fates[fate]++
	where := fmt.Sprintf("case %d: %s", number, wires()[number].name)
	find := func(rule string, severity result.Severity, what, fix string) {
		t.res.Findings = append(t.res.Findings, result.Finding{
			Rule: rule, Severity: severity, Where: where, What: what, Fix: fix, Cites: []string{"AI Act Art. 15(5)", "ENISA Denial of service"},
		})
	}
	switch fate {
	case faulted:
		find("endpoint/fault", result.Low, "The service answered a damaged request as a fault of its own (status 5xx).",
			"Answer what the caller does wrong with status 400: callers retry faults, and alarms are raised by them.")
	case dropped:
		find("endpoint/dropped", result.Medium, "The service dropped the connection.", "Bound and check the body before it is parsed, and answer with status 400 or 413.")
	case unanswered:
		find("endpoint/no-answer", result.High, "No answer came in time.", "Bound the size of a body, the depth of its nesting and the time of one answer.")
	}
	if !alive {
		t.down++
		find("endpoint/down-after", result.High, "After the damaged request a well-formed row was not answered.", "Keep what parses a request apart from what answers others, and restart it.")
	}
}

// limited says whether the limit on questions that the manifest declares was kept.
func (t *calls) limited(fate, got int) {
	asked, limit := tries(t.params)
	switch {
	case limit == 0:
		return
	case asked == 0:
		t.res.Notes = append(t.res.Notes, fmt.Sprintf("whether the service stops answering after %d queries was not tried: at most %d were to be asked", limit, t.params.Int("most")))
		return
	}
	past := max(0, got-limit)
	t.res.Metrics["answered_past_limit"] = result.Exactly(float64(past), asked, "queries")
	if past > 0 {
		t.res.Findings = append(t.res.Findings, result.Finding{
			Rule: "endpoint/limit-not-kept", Severity: result.Medium, Where: "the endpoint",
			What:  fmt.Sprintf("The manifest says that one client is answered %d queries; all of %d on one row were answered.", limit, got),
			Fix:   "Count queries by client where the service is entered, or correct the manifest: what attacks reach is shown within that limit.",
			Cites: []string{"AI Act Art. 15(5)"},
		})
		return
	}
	t.res.Notes = append(t.res.Notes, fmt.Sprintf("of at most %d queries on one row %d were answered, then: %s", asked, got, fates()[fate]))
}
