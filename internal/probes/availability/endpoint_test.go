package availability_test

import (
	"bytes"
	"context"
	"hash/crc32"
	"io"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assize/assize/internal/domain"
	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/measure/measuretest"
	"github.com/assize/assize/internal/model"
	"github.com/assize/assize/internal/probes/availability"
	"github.com/assize/assize/internal/remote"
	"github.com/assize/assize/internal/remote/remotetest"
	"github.com/assize/assize/internal/result"
)

// threeFeatures is a domain of three values.
func threeFeatures() []domain.Feature {
	return []domain.Feature{{Name: "a", Type: domain.Real, Max: 1, Mutable: domain.Yes}, {Name: "b", Type: domain.Real, Min: -1, Max: 5, Mutable: domain.Yes}, {Name: "c", Type: domain.Integer, Max: 9, Mutable: domain.Yes}}
}

// behind opens a served model of three values and one score.
func behind(t *testing.T, asker model.Asker) *model.Model {
	t.Helper()
	m, err := model.OpenServed(t.Context(), &model.Spec{
		Served: &model.Served{Width: 3, Columns: 1}, Output: model.Output{Kind: model.Score}, Domain: &model.Domain{Features: threeFeatures()},
		Rule: model.Rule{Kind: model.Cutoff, Positive: 1, Cutoff: 0.5, Outcomes: []string{"below", "band", "above"}},
	}, asker)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func dom(t *testing.T) *domain.Domain {
	t.Helper()
	d, err := (&model.Domain{Features: threeFeatures()}).Build()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// clock answers every question, and says that it took as long as the question's checksum has it.
type clock struct{}

func (clock) Ask(_ context.Context, q *model.Question) (*model.Reply, error) {
	n := int(q.Shape[0])
	r := &model.Reply{Rows: n, Columns: 1, Data: make([]byte, 4*n)}
	r.Calls, r.Requests, r.Sent = 1, 1, n
	r.Seconds = 0.001 + float64(crc32.ChecksumIEEE(append(bytes.Clone(q.Data), q.Wire...))%4096)/1024
	return r, nil
}

func TestEndpointAccept(t *testing.T) {
	measuretest.Accept(t, availability.Probes()[1], measuretest.Target{
		Model: func() *model.Model { return behind(t, clock{}) }, Domain: dom(t), Params: measure.Params{"calls": 40.0, "limit": 7.0, "batch": 9.0},
	})
}

// service is a server that can be made to misbehave.
type service struct {
	*remotetest.Server
	limit, seen int
	broken      bool
}

// before misbehaves by what a body holds; as long as a hang takes, the client has gone.
func (s *service) before(w http.ResponseWriter, r *http.Request) bool {
	if r.Method != http.MethodPost || strings.Contains(r.URL.Path, "Metadata") || strings.Contains(r.URL.Path, "Ready") {
		return false
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return false
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	if s.seen++; s.limit > 0 && s.seen > s.limit {
		w.WriteHeader(http.StatusTooManyRequests)
		return true
	}
	if !s.broken {
		return false
	}
	switch {
	case bytes.Contains(body, []byte("xml")):
		w.WriteHeader(http.StatusInternalServerError)
	case bytes.Contains(body, bytes.Repeat([]byte("["), 100)), bytes.Contains(body, bytes.Repeat([]byte{0x7b}, 100)):
		panic(http.ErrAbortHandler)
	case bytes.Contains(body, bytes.Repeat([]byte("0"), 1000)), bytes.Contains(body, bytes.Repeat([]byte{0xff}, 1000)):
		s.limit = s.seen // nothing is answered any more
		<-r.Context().Done()
	default:
		return false
	}
	return true
}

// assess runs the cases from one to another against a service, by a protocol.
func (s *service) assess(t *testing.T, protocol string, params measure.Params, from, to int) *result.Result {
	t.Helper()
	s.Server = &remotetest.Server{Name: "m", Width: 3, Columns: 1, Before: s.before, Predict: func(x []float32, n int) ([]float32, error) { return x[:n], nil }}
	c := remote.Config{
		URL: remotetest.Start(t, s.Server), Protocol: protocol, Model: "m", Row: []int{3}, Batch: 64, Timeout: 300 * time.Millisecond, Retries: 3, Backoff: time.Millisecond,
	}
	if protocol == remote.JSON {
		c.URL, c.Model, c.Request, c.Response = c.URL+"/predict", "", `{"instances": $rows}`, "predictions.*.scores"
	}
	client, err := remote.New(c)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Describe(t.Context()); err != nil {
		t.Fatal(err)
	}
	k := &measure.Case{Model: behind(t, client), Domain: dom(t), Params: params, Logf: t.Logf}
	for i := from; i < to; i++ {
		k.Index = append(k.Index, i)
	}
	probe := availability.Probes()[1]
	r, err := probe.Run(t.Context(), k)
	if err != nil {
		t.Fatal(err)
	}
	res, err := probe.Join(&measure.Joint{Params: params, Rows: r.Rows})
	if err != nil {
		t.Fatal(err)
	}
	res.Rows = r.Rows
	return res
}

func protocols() []string { return []string{remote.REST, remote.GRPC, remote.JSON} }

// TestDamagedRequests has a service that refuses what is damaged, and one that faults, hangs up, hangs and is gone.
func TestDamagedRequests(t *testing.T) {
	params := measure.Params{"calls": 0.0, "batch": 2.0, "most": 10.0}
	for _, protocol := range protocols() {
		good := (&service{}).assess(t, protocol, params, 0, 7)
		for _, name := range []string{"faults", "dropped", "unanswered", "down_after"} {
			if m := good.Metrics[name]; m.Value != 0 || m.N != 7 {
				t.Errorf("%s: a service that refuses: %s = %+v of 7", protocol, name, m)
			}
		}
		outcomes := good.Rows.Column("outcome")
		if outcomes[0] != 1 || outcomes[2] != 1 || outcomes[4] != 0 || outcomes[5] != 1 || len(good.Findings) > 0 {
			t.Errorf("%s: outcomes %v, findings %+v", protocol, outcomes, good.Findings)
		}
		bad := (&service{broken: true}).assess(t, protocol, params, 0, 7)
		var rules []string
		for _, f := range bad.Findings {
			rules = append(rules, f.Rule+" "+f.Where[:6])
		}
		want := []string{"endpoint/fault case 2", "endpoint/dropped case 5", "endpoint/no-answer case 6", "endpoint/down-after case 6"}
		if diff := cmp.Diff(rules, want); diff != "" {
			t.Errorf("%s: findings (-got +want):\n%s", protocol, diff)
		}
		if m := bad.Metrics; m["faults"].Value != 1 || m["dropped"].Value != 1 || m["unanswered"].Value != 1 || m["down_after"].Value != 1 {
			t.Errorf("%s: metrics %+v", protocol, m)
		}
	}
}

// TestLimit has services that keep to the limit that the manifest declares, and one that does not.
func TestLimit(t *testing.T) {
	for _, test := range []struct {
		name       string
		params     measure.Params
		limit      int
		past       float64
		seen       int
		note, rule string
	}{
		{"kept", measure.Params{"limit": 20.0, "most": 100.0}, 20, 0, 21, "20 were answered, then: asked too much", ""},
		{"of the user", measure.Params{"limit": 20.0, "grant": 10.0, "most": 100.0}, 10, 0, 11, "10 were answered", ""},
		{"sooner", measure.Params{"grant": 20.0, "most": 100.0}, 3, 0, 4, "3 were answered", ""},
		{"not kept", measure.Params{"limit": 20.0, "most": 100.0}, 0, 5, 25, "", "endpoint/limit-not-kept"},
		{"too high to try", measure.Params{"limit": 1000.0, "most": 100.0}, 0, 0, 0, "was not tried", ""},
		{"not declared", measure.Params{"most": 100.0}, 0, 0, 0, "", ""},
	} {
		test.params["calls"], test.params["batch"] = 0.0, 1.0
		s := &service{limit: test.limit}
		res := s.assess(t, remote.REST, test.params, 7, 8)
		m, tried := res.Metrics["answered_past_limit"]
		if m.Value != test.past || tried != (test.seen > 0) || s.seen != test.seen {
			t.Errorf("%s: %+v, and the service saw %d; want %v past the limit and %d seen", test.name, m, s.seen, test.past, test.seen)
		}
		if notes := strings.Join(res.Notes, "\n"); !strings.Contains(notes, test.note) {
			t.Errorf("%s: notes %q, want %q", test.name, notes, test.note)
		}
		if found := len(res.Findings) == 1 && res.Findings[0].Rule == test.rule; found != (test.rule != "") {
			t.Errorf("%s: findings %+v, want %q", test.name, res.Findings, test.rule)
		}
	}
}

// TestLatency computes quantiles and throughput of times that are known.
func TestLatency(t *testing.T) {
	const calls, first = 500, 16
	rows := result.NewRows(nil, "outcome", "latency", "asked", "answered", "after")
	for i := range first + calls {
		rows.Index = append(rows.Index, i)
		latency, n := float64(i-first+1), 1.0
		if i < first {
			latency, n = 500, 50
		}
		for name, v := range map[string]float64{"outcome": 0, "latency": latency, "asked": n, "answered": n, "after": 1} {
			c := slices.IndexFunc(rows.Columns, func(c result.Column) bool { return c.Name == name })
			rows.Columns[c].Values = append(rows.Columns[c].Values, v)
		}
	}
	params := measure.Params{"calls": float64(calls), "batch": 50.0, "most": 10.0}
	join := availability.Probes()[1].Join
	res, err := join(&measure.Joint{Params: params, Rows: rows})
	if err != nil || !res.Valid() {
		t.Fatal(res, err)
	}
	// Ranks by scipy.stats.binom.ppf([0.025, 0.975], 500, p) (SciPy 1.17.1): the values are 1 to 500 ms.
	for name, want := range map[string][3]float64{
		"latency_median": {250.5, 228, 273}, "latency_p90": {450.1, 436, 464}, "latency_p99": {495.01, 490, 500},
		"throughput": {100, 100, 100}, "answered": {1, 0.99265, 1},
	} {
		m := res.Metrics[name]
		for i, got := range []float64{m.Value, m.Lower, m.Upper} {
			if math.Abs(got-want[i]) > 1e-4 {
				t.Errorf("%s = %v [%v, %v], want %v", name, m.Value, m.Lower, m.Upper, want)
				break
			}
		}
	}
	for i := first; i < first+calls; i += 4 { // a quarter is turned away
		rows.Column("outcome")[i], rows.Column("latency")[i], rows.Column("answered")[i] = 3, 0, 0
	}
	if res, err = join(&measure.Joint{Params: params, Rows: rows}); err != nil || !strings.Contains(strings.Join(res.Notes, ""), "125 of 500 calls were not answered at once") || res.Metrics["throttled"].Value != calls/4 || *res.Metrics["answered"].K != 375 {
		t.Errorf("a quarter turned away: %+v, %v", res, err)
	}
	few := rows.Pick([]int{17, 18, 19})
	if res, err = join(&measure.Joint{Params: params, Rows: few}); err != nil || res.Metrics["latency_median"].N != 0 || !strings.Contains(strings.Join(res.Notes, ""), "too few for an interval of latency_median, latency_p90, latency_p99") {
		t.Errorf("three calls: %+v, %v", res, err)
	}
	few.Index[0] = 5000
	if _, err := join(&measure.Joint{Params: params, Rows: few}); err == nil {
		t.Error("a case that there is not was joined")
	}
}
