package replay_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/evidence"
	"github.com/assize/assize/internal/plan"
	"github.com/assize/assize/internal/replay"
	"github.com/assize/assize/internal/result"
)

// TestAllowed compares with scipy 1.17.1's binom.sf(k, n, 0.01) <= 0.001, smallest k.
func TestAllowed(t *testing.T) {
	for _, tt := range [][2]int{{1, 1}, {2, 1}, {10, 2}, {40, 3}, {50, 4}, {100, 5}, {400, 11}, {1000, 21}, {10000, 132}} {
		if got := replay.Allowed(tt[0]); got != tt[1] {
			t.Errorf("of %d rows: got %d, want %d", tt[0], got, tt[1])
		}
	}
}

// TestDrawCannotBeGuessed: everything that goes into a draw changes it, and the
// order of what is drawn from does not.
func TestDrawCannotBeGuessed(t *testing.T) {
	var items []string
	var rows []int
	for i := range 40 {
		items, rows = append(items, "i-"+string(rune('A'+i))), append(rows, i)
	}
	digest, nonce := artefact.DigestBytes(nil), []byte{1}
	got := replay.Draw(digest, nonce, items, 5)
	if len(got) != 5 || !slices.IsSorted(got) {
		t.Fatalf("got %q", got)
	}
	backwards := slices.Clone(items)
	slices.Reverse(backwards)
	if again := replay.Draw(digest, nonce, backwards, 5); !slices.Equal(got, again) {
		t.Errorf("in another order: got %q, want %q", again, got)
	}
	for name, other := range map[string][]string{
		"digest": replay.Draw(artefact.DigestBytes([]byte{1}), nonce, items, 5), "nonce": replay.Draw(digest, []byte{2}, items, 5),
	} {
		if slices.Equal(got, other) {
			t.Errorf("another %s draws the same", name)
		}
	}
	if all := replay.Draw(digest, nonce, items, 0); len(all) != 40 {
		t.Errorf("0 drew %d", len(all))
	}
	one := replay.DrawRows(digest, nonce, "i-1", rows, 10)
	if len(one) != 10 || slices.Equal(one, replay.DrawRows(digest, nonce, "i-2", rows, 10)) {
		t.Errorf("two items draw the same rows: %v", one)
	}
	// Over many nonces every item is drawn about as often: 5 of 40, 2,000 times.
	count := map[string]int{}
	for i := range 2000 {
		for _, id := range replay.Draw(digest, []byte{byte(i), byte(i >> 8)}, items, 5) {
			count[id]++
		}
	}
	for id, n := range count {
		if n < 170 || n > 330 { // 250 and over five standard deviations
			t.Errorf("%s was drawn %d times of 2000, want about 250", id, n)
		}
	}
}

func TestClosure(t *testing.T) {
	p := &plan.Plan{Items: []plan.Item{{ID: "i-1"}, {ID: "i-2", After: []string{"i-1"}}, {ID: "i-3"}, {ID: "i-4", After: []string{"i-2"}}}}
	all, read := replay.Closure(p, []string{"i-4"})
	if diff := cmp.Diff(all, []string{"i-1", "i-2", "i-4"}); diff != "" {
		t.Errorf("closure (-got +want):\n%s", diff)
	}
	if diff := cmp.Diff(read, map[string]bool{"i-1": true, "i-2": true}); diff != "" {
		t.Errorf("read (-got +want):\n%s", diff)
	}
}

// rows has 100 rows with an outcome, an amount, a value of data and a time.
func rows() *result.Rows {
	var index []int
	for i := range 100 {
		index = append(index, i)
	}
	r := result.NewRows(index, "stands", "distance", "x.age", "took")
	r.Columns[2].Data, r.Columns[3].Unit = true, "s"
	for i := range index {
		r.Columns[0].Values[i], r.Columns[1].Values[i] = float64(i%2), float64(i)/7
		r.Columns[2].Values[i], r.Columns[3].Values[i] = float64(20+i%3), float64(i)
	}
	return r
}

func TestRowsByTolerance(t *testing.T) {
	flip := func(n int) func(*result.Rows) {
		return func(r *result.Rows) {
			for i := range n {
				r.Columns[0].Values[i] = 1 - r.Columns[0].Values[i]
			}
		}
	}
	for _, tt := range []struct {
		name        string
		change      func(*result.Rows)
		here, there string // what is wrong on the machine of the run, on another
	}{
		{"nothing", func(*result.Rows) {}, "", ""},
		{"last bits of an amount", func(r *result.Rows) { r.Columns[1].Values[70] *= 1 + 1e-5 }, "", ""},
		{"an amount", func(r *result.Rows) { r.Columns[1].Values[70] *= 1.01 }, "0 have another outcome and 1 more another amount, such as row 70", ""},
		{"a value of data", func(r *result.Rows) { r.Columns[2].Values[70]++ }, "0 have another outcome and 1 more another amount", ""},
		{"a time", func(r *result.Rows) { r.Columns[3].Values[70]++ }, "", ""},
		{"an outcome at the border", flip(1), "1 have another outcome", ""},
		{"as many as a border explains", flip(5), "5 have another outcome", ""},
		{"more than that", flip(6), "6 have another outcome", "6 have another outcome and 0 more another amount, such as row 0; another machine explains 5"},
		{"a row that was not recorded", func(r *result.Rows) { r.Index[3] = 1000 }, "1 rows that were drawn were not recorded", "1 rows that were drawn were not recorded"},
		{"a column that was not recorded", func(r *result.Rows) { r.Columns[0].Name = "falls" }, `no column "falls"`, `no column "falls"`},
	} {
		again := rows()
		tt.change(again)
		for same, want := range map[bool]string{true: tt.here, false: tt.there} {
			var a replay.Again
			a.CompareRows(rows(), again, same)
			got := strings.Join(a.Wrong, "; ")
			if !strings.Contains(got, want) || (got == "") != (want == "") {
				t.Errorf("%s, same machine %v: got %q, want %q", tt.name, same, got, want)
			}
			if !same && want == "" && a.Differ+a.Amounts > 0 && len(a.Said) != 1 {
				t.Errorf("%s: what differs is not said", tt.name)
			}
		}
	}
}

func TestResultsByTolerance(t *testing.T) {
	base := func() *result.Result {
		k := 60
		return &result.Result{State: result.Measured, Metrics: map[string]result.Metric{
			"robust":  {Value: 0.6, Lower: 0.5, Upper: 0.7, N: 100, K: &k, Unit: "share", Method: "clopper-pearson", Confidence: 0.95},
			"crashes": result.Exactly(0, 100, "rows"),
			"latency": {Value: 3, Lower: 2, Upper: 4, N: 100, Unit: "ms", Method: "order statistics", Confidence: 0.95},
		}, Validity: []result.Validity{{Check: "c", OK: true}}, Findings: []result.Finding{{Rule: "r", Severity: result.High, Where: "w"}}}
	}
	metric := func(name string, change func(*result.Metric)) func(*result.Result) {
		return func(r *result.Result) {
			m := r.Metrics[name]
			change(&m)
			r.Metrics[name] = m
		}
	}
	for _, tt := range []struct {
		name        string
		change      func(*result.Result)
		here, there string
	}{
		{"nothing", func(*result.Result) {}, "", ""},
		{"inside the interval", metric("robust", func(m *result.Metric) { m.Value = 0.62 }), "robust was recorded as 0.6", ""},
		{"outside the interval", metric("robust", func(m *result.Metric) { m.Value, m.Lower = 0.4, 0.3 }), "robust was recorded as 0.6", "robust was recorded as 0.6"},
		{"another interval", metric("robust", func(m *result.Metric) { m.Lower = 0.58 }), "[0.5, 0.7] of 100, it is 0.6 [0.58, 0.7] of 100", ""},
		{"a few counted", metric("crashes", func(m *result.Metric) { m.Value = 2 }), "crashes was recorded as 0", ""},
		{"many counted", metric("crashes", func(m *result.Metric) { m.Value = 9 }), "crashes was recorded as 0", "crashes was recorded as 0"},
		{"a time", metric("latency", func(m *result.Metric) { m.Value = 9 }), "", ""},
		{"gone", func(r *result.Result) { delete(r.Metrics, "robust") }, "is not measured now", "is not measured now"},
		{"new", metric("more", func(m *result.Metric) { m.Value = 1 }), "was not recorded", "was not recorded"},
		{"state", func(r *result.Result) { r.State = result.NotAvailable }, "recorded as measured, run again it is not-available", "recorded as measured"},
		{"a check fails", func(r *result.Result) { r.Check("d", false, "") }, "that failed", "that failed"},
		{"a finding more", func(r *result.Result) { r.Findings = append(r.Findings, r.Findings[0]) }, "1 findings were recorded, 2", "1 findings were recorded, 2"},
	} {
		again := base()
		tt.change(again)
		for same, want := range map[bool]string{true: tt.here, false: tt.there} {
			var a replay.Again
			a.CompareResult(base(), again, 100, same)
			got := strings.Join(a.Wrong, "; ")
			if !strings.Contains(got, want) || (got == "") != (want == "") {
				t.Errorf("%s, same machine %v: got %q, want %q", tt.name, same, got, want)
			}
		}
	}
}

// TestPlansReadHostileIDs: items that read what stands behind them, or themselves, follow from nothing.
func TestPlansReadHostileIDs(t *testing.T) {
	made := &plan.Plan{Items: []plan.Item{{ID: "i-1", Probe: "a"}, {ID: "i-2", Probe: "b", After: []string{"i-1"}}}}
	for name, items := range map[string][]plan.Item{
		"itself":         {{ID: "i-1", Probe: "a"}, {ID: "i-2", Probe: "b", After: []string{"i-2"}}},
		"behind":         {{ID: "i-2", Probe: "b", After: []string{"i-1"}}, {ID: "i-1", Probe: "a"}},
		"nothing":        {{ID: "i-1", Probe: "a"}, {ID: "i-2", Probe: "b", After: []string{"i-9"}}},
		"nothing at all": {{ID: "i-1", Probe: "a"}, {ID: "i-2", Probe: "b"}},
	} {
		follows, wrong := replay.Plans(&plan.Plan{Items: items}, made)
		if follows["i-2"] || !follows["i-1"] || len(wrong) != 1 {
			t.Errorf("%s: got %v, %q", name, follows, wrong)
		}
	}
	if follows, wrong := replay.Plans(made, made); len(follows) != 2 || len(wrong) != 0 {
		t.Errorf("the same: got %v, %q", follows, wrong)
	}
}

func TestMachine(t *testing.T) {
	e := evidence.Environment{OS: "linux", Arch: "amd64", Processor: "p", Features: []string{"avx2"}, Runtime: "r", Tool: "t", Cores: 2, Kernel: "k"}
	other := e
	other.Cores, other.Kernel, other.ID = 64, "another", "e-2"
	if got := replay.Machine(e, other); got != nil {
		t.Errorf("cores and kernel do not change results: got %q", got)
	}
	other.Features, other.Runtime = []string{"avx2", "avx512f"}, "r2"
	if diff := cmp.Diff(replay.Machine(e, other), []string{"runtime: r then, r2 here", "instruction sets of the processor differ"}); diff != "" {
		t.Errorf("(-got +want):\n%s", diff)
	}
}
