package records_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/measure/measuretest"
	"github.com/assize/assize/internal/probes/records"
	"github.com/assize/assize/internal/result"
	"github.com/assize/assize/internal/worker"
)

// TestMain turns the test's own binary into a worker when it is called as one.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == worker.Argument {
		os.Exit(worker.Main(records.Probes()))
	}
	os.Exit(m.Run())
}

const (
	logs      = 0
	oversight = 1
)

// taken is the day on which the test logs were taken.
var taken = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

// declared reads what good writes.
func declared() measure.Log {
	return measure.Log{
		Time: "time", Event: "event", ID: "id", Subject: "case.no", Required: []string{"start", "refer"},
		MaxGap: 24 * time.Hour, Retention: 184 * 24 * time.Hour, Since: time.Date(2026, 2, 20, 0, 0, 0, 0, time.UTC), Previous: "before",
		Checks:      []measure.Duty{{Trigger: "send", Answer: "look", Within: 48 * time.Hour}},
		Escalations: []measure.Duty{{Trigger: "refer", Answer: "look", Within: 24 * time.Hour}},
	}
}

// write makes JSON lines, each of which refers to the one before; "@" at the end of a line
// stands for that reference.
func write(lines ...string) string {
	var out strings.Builder
	before := ""
	for _, line := range lines {
		line = strings.Replace(line, "@}", `"before":"`+before+`"}`, 1)
		sum := sha256.Sum256([]byte(line))
		before = hex.EncodeToString(sum[:])
		out.WriteString(line + "\n")
	}
	return out.String()
}

// good is a log of nine days in which everything is as it must be: every case is referred, looked at and sent.
func good() []string {
	start := time.Date(2026, 2, 20, 6, 0, 0, 0, time.UTC)
	lines := []string{fmt.Sprintf(`{"time":"%s","event":"start","id":"e0",@}`, start.Format(time.RFC3339))}
	for i := range 9 {
		for j, event := range []string{"refer", "look", "send"} {
			at := start.Add(time.Duration(i)*24*time.Hour + time.Duration(j+1)*time.Hour)
			lines = append(lines, fmt.Sprintf(`{"time":"%s","event":"%s","id":"e%d-%d","case":{"no":"c%d"},@}`, at.Format(time.RFC3339), event, i, j, i))
		}
	}
	return lines
}

// record puts a log on disk.
func record(t testing.TB, text string, log measure.Log) measure.Record {
	t.Helper()
	path := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	a := artefact.Artefact{Name: "operations", Kind: artefact.Record, Path: "log", Digest: artefact.DigestBytes([]byte(text)), SizeBytes: int64(len(text))}
	return measure.Record{File: measure.File{Artefact: a, OpenPath: path}, Date: taken, Log: log}
}

func run(t testing.TB, probe int, recs ...measure.Record) *result.Result {
	t.Helper()
	res, err := records.Probes()[probe].Run(context.Background(), &measure.Case{Records: recs})
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// faults are the counts that are not 0 in a good log.
func faults(res *result.Result) map[string]float64 {
	out := map[string]float64{}
	for _, name := range []string{
		"chain_breaks", "clock_faults", "clock_reversals", "duplicate_ids", "future_entries", "gaps", "incomplete_entries", "integrity_faults",
		"missing_events", "personal_data_hits", "retention_short", "times_without_zone", "unreadable_lines",
	} {
		if v := res.Metrics[name].Value; v != 0 {
			out[name] = v
		}
	}
	return out
}

// found are the findings that count, by rule and line.
func found(res *result.Result) []string {
	var out []string
	for _, f := range res.Findings {
		if f.Severity != result.Info {
			out = append(out, strings.TrimPrefix(f.Rule, "records/")+strings.TrimPrefix(strings.TrimPrefix(f.Where, "operations"), ": line"))
		}
	}
	slices.Sort(out)
	return out
}

func failed(res *result.Result) []string {
	var out []string
	for _, v := range res.Validity {
		if !v.OK {
			out = append(out, v.Check)
		}
	}
	return out
}

func TestAccept(t *testing.T) {
	target := measuretest.Target{Records: []measure.Record{record(t, write(good()...), declared())}}
	for _, p := range records.Probes() {
		measuretest.Accept(t, p, target)
	}
}

// TestConfined checks that a worker, which sees nothing but the log, says the same.
func TestConfined(t *testing.T) {
	recs := []measure.Record{record(t, write(good()[:12]...)+"x\n", declared())}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	w, err := worker.Start(ctx, worker.Command{Path: self, Args: []string{worker.Argument}}, worker.Setup{Records: recs, MemoryBytes: 1 << 30, CPUSeconds: 60})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	for i, p := range records.Probes() {
		done, err := w.Run(ctx, &p, &worker.Job{Probe: p.ID, Seed: make([]byte, 32)}, nil)
		if err != nil || done.Error != "" {
			t.Fatalf("run in a worker: %v, %+v", err, done)
		}
		if diff := cmp.Diff(done.Result, run(t, i, recs...)); diff != "" {
			t.Errorf("%s in a worker (-got +want):\n%s", p.ID, diff)
		}
	}
}

func TestGoodLog(t *testing.T) {
	res := run(t, logs, record(t, write(good()...), declared()))
	if got := faults(res); len(got) != 0 || !res.Valid() || len(found(res)) != 0 {
		t.Errorf("faults %v, failed checks %v, findings %v; want none", got, failed(res), found(res))
	}
	for name, want := range map[string]float64{"entries": 28, "logs": 1, "longest_gap_hours": 22, "retention_days": 184, "covered_days": 8.75} {
		if got := res.Metrics[name].Value; math.Abs(got-want) > 1e-9 {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
	if diff := cmp.Diff(res.Pictures[0].Series[0].Y, []float64{1, 9}); diff != "" {
		t.Errorf("events (-got +want):\n%s", diff)
	}
}

// TestLogFaults has a log for every rule, wrong in one way only.
func TestLogFaults(t *testing.T) {
	line := func(i int, from, to string) func([]string) []string {
		return func(l []string) []string {
			if !strings.Contains(l[i], from) {
				t.Fatalf("line %d has no %s: %s", i+1, from, l[i])
			}
			l[i] = strings.Replace(l[i], from, to, 1)
			return l
		}
	}
	field := func(i int, f string) func([]string) []string { return line(i, "{", "{"+f+",") }
	tests := []struct {
		name   string
		change func([]string) []string // of the lines
		after  func(string) string     // of the chained text
		log    func(*measure.Log)
		faults map[string]float64
		found  []string
		checks []string
	}{
		{name: "event never", log: func(l *measure.Log) { l.Required = append(l.Required, "stop") }, faults: map[string]float64{"missing_events": 1}, found: []string{"missing-event"}},
		{name: "gap", change: func(l []string) []string { return slices.Delete(l, 4, 7) }, faults: map[string]float64{"gaps": 1}, found: []string{"gap 4"}},
		{name: "silent at the end", change: func(l []string) []string { return l[:25] }, faults: map[string]float64{"gaps": 1}, found: []string{"gap 25"}},
		{name: "clock goes back", change: line(5, "T08:", "T06:"), faults: map[string]float64{"clock_reversals": 1, "clock_faults": 1}, found: []string{"clock-back 6"}},
		{name: "clock goes back a little", change: line(5, "T08:00:00", "T06:59:59.5")},
		{name: "future", change: line(5, "2026", "2027"), faults: map[string]float64{"future_entries": 1, "clock_faults": 1}, found: []string{"entry-in-the-future 6"}},
		{name: "id twice", change: line(5, `"e1-1"`, `"e0"`), faults: map[string]float64{"duplicate_ids": 1, "integrity_faults": 1}, found: []string{"duplicate-id 6"}},
		{name: "no id", change: line(5, `"e1-1"`, `null`), faults: map[string]float64{"incomplete_entries": 1}, found: []string{"incomplete-entry 6"}, checks: []string{"entries-complete"}},
		{name: "no event", change: line(5, `"event"`, `"what"`), faults: map[string]float64{"incomplete_entries": 1}, found: []string{"incomplete-entry 6"}, checks: []string{"entries-complete"}},
		{name: "no time", change: line(5, `2026-`, `26-`), faults: map[string]float64{"incomplete_entries": 1}, found: []string{"incomplete-entry 6"}, checks: []string{"entries-complete"}},
		{name: "no zone", change: line(5, `:00Z`, `:00`), faults: map[string]float64{"times_without_zone": 1}, found: []string{"time-without-zone 6"}, checks: []string{"times-have-a-zone"}},
		{name: "not JSON", change: line(5, `{`, ``), faults: map[string]float64{"unreadable_lines": 1, "integrity_faults": 1}, found: []string{"unreadable-line 6"}, checks: []string{"lines-readable"}},
		{name: "member twice", change: field(5, `"event":"send"`), faults: map[string]float64{"unreadable_lines": 1, "integrity_faults": 1}, found: []string{"unreadable-line 6"}, checks: []string{"lines-readable"}},
		{name: "changed afterwards", after: func(s string) string { return strings.Replace(s, `"look"`, `"send"`, 1) }, faults: map[string]float64{"chain_breaks": 1, "integrity_faults": 1}, found: []string{"chain-break 4"}},
		{name: "line removed", after: func(s string) string {
			l := strings.SplitAfter(s, "\n")
			return strings.Join(slices.Delete(l, 2, 3), "")
		}, faults: map[string]float64{"chain_breaks": 1, "integrity_faults": 1}, found: []string{"chain-break 3"}},
		{name: "no longer chained", change: line(5, `,@`, ``), faults: map[string]float64{"chain_breaks": 1, "integrity_faults": 1}, found: []string{"chain-break 6"}},
		{name: "begins late", log: func(l *measure.Log) { l.Since = time.Time{} }, faults: map[string]float64{"retention_short": 1}, found: []string{"retention-short"}},
		{name: "kept too short", log: func(l *measure.Log) { l.Retention = 90 * 24 * time.Hour }, faults: map[string]float64{"retention_short": 1}, found: []string{"retention-under-law"}},
		{name: "both", log: func(l *measure.Log) { l.Retention, l.Since = 90*24*time.Hour, time.Time{} }, faults: map[string]float64{"retention_short": 1}, found: []string{"retention-short", "retention-under-law"}},
		{name: "old enough", log: func(l *measure.Log) { l.Since = time.Time{} }, change: func(l []string) []string {
			return append([]string{`{"time":"2025-08-01T00:00:00Z","event":"start","id":"old"}`}, l...)
		}, faults: map[string]float64{"gaps": 1}, found: []string{"gap 1"}},
		{name: "e-mail", change: field(5, `"note":"wrote to jane.doe@example.org, twice jane.doe@example.org"`), faults: map[string]float64{"personal_data_hits": 2}, found: []string{"personal-data 6"}},
		{name: "IBAN allowed", change: field(5, `"account":["DE89370400440532013000"]`), log: func(l *measure.Log) { l.AllowedPersonal = []string{"account"} }},
		{name: "as the subject", change: line(5, `"c1"`, `"+49 30 901820"`), faults: map[string]float64{"personal_data_hits": 1}, found: []string{"personal-data 6"}},
		{name: "no chain", log: func(l *measure.Log) { l.Previous = "" }},
		{name: "few entries", change: func(l []string) []string { return l[:19] }, faults: map[string]float64{"gaps": 1}, found: []string{"gap 19"}, checks: []string{"enough-entries"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l, log := good(), declared()
			if tt.change != nil {
				l = tt.change(l)
			}
			text := write(l...)
			if tt.after != nil {
				text = tt.after(text)
			}
			if tt.log != nil {
				tt.log(&log)
			}
			res := run(t, logs, record(t, text, log))
			if tt.faults == nil {
				tt.faults = map[string]float64{}
			}
			if diff := cmp.Diff(faults(res), tt.faults); diff != "" {
				t.Errorf("metrics (-got +want):\n%s", diff)
			}
			if diff := cmp.Diff(found(res), tt.found); diff != "" {
				t.Errorf("findings (-got +want):\n%s", diff)
			}
			if diff := cmp.Diff(failed(res), tt.checks); diff != "" {
				t.Errorf("failed checks (-got +want):\n%s", diff)
			}
			for _, f := range res.Findings {
				if f.Severity != result.Info && f.Fix == "" || len(f.Cites) == 0 || strings.Contains(f.Evidence, "jane") {
					t.Errorf("finding %+v lacks a fix or a cite, or shows what it should hide", f)
				}
			}
		})
	}
}

// TestHashField follows a chain whose hashes are the provider's own.
func TestHashField(t *testing.T) {
	log := declared()
	log.Hash = "hash"
	lines := good()
	for i := range lines {
		lines[i] = strings.Replace(lines[i], "@", fmt.Sprintf(`"hash":"h%d","before":"h%d"`, i, i-1), 1)
	}
	if got := faults(run(t, logs, record(t, strings.Join(lines, "\r\n"), log))); len(got) != 0 {
		t.Errorf("faults %v, want none", got)
	}
	lines[6] = strings.Replace(lines[6], `"h5"`, `"h4"`, 1)
	if got := found(run(t, logs, record(t, strings.Join(lines, "\n"), log))); !slices.Equal(got, []string{"chain-break 7"}) {
		t.Errorf("findings %v, want the break in line 7", got)
	}
}

// TestCSV writes the good log as a spreadsheet would.
func TestCSV(t *testing.T) {
	for _, comma := range []string{",", ";", "\t"} {
		text := "\ufeffwhen" + comma + "what\r\n"
		for i := range 30 {
			text += fmt.Sprintf("\"2026-02-2%d 0%d:00:00,5 +0100\"%srefer\r\n", i/10, i%10, comma)
		}
		log := declared()
		log.Time, log.Event, log.ID, log.Previous, log.Required = "when", "what", "", "", []string{"refer"}
		log.MaxGap = 9 * 24 * time.Hour
		res := run(t, logs, record(t, text, log))
		if got := faults(res); len(got) != 0 || !res.Valid() || res.Metrics["entries"].Value != 30 {
			t.Errorf("%q: faults %v, failed %v, %v entries", comma, got, failed(res), res.Metrics["entries"].Value)
		}
		res = run(t, logs, record(t, text+"\"open\r\n1"+comma+"2"+comma+"3\r\n", log))
		if got := found(res); !slices.Equal(got, []string{"unreadable-line 32", "unreadable-line 33"}) {
			t.Errorf("%q: findings %v, want lines 32 and 33", comma, got)
		}
		log.Time = "at"
		res = run(t, logs, record(t, text, log))
		if got := res.Metrics["unreadable_lines"].Value; got != 31 || res.Valid() {
			t.Errorf("%q: without the time's column %v lines are unreadable, want all 31", comma, got)
		}
	}
}

func TestNotRead(t *testing.T) {
	gone := record(t, "", declared())
	gone.OpenPath += "x"
	for probe := range records.Probes() {
		if got := failed(run(t, probe, gone)); !slices.Contains(got, "logs-read") {
			t.Errorf("failed checks %v, want logs-read", got)
		}
		changed := record(t, write(good()...), declared())
		changed.Digest = artefact.DigestBytes(nil)
		if got := failed(run(t, probe, changed)); !slices.Equal(got, []string{"files-as-digested"}) {
			t.Errorf("failed checks %v, want files-as-digested", got)
		}
		if res := run(t, probe); res.State != result.NotAvailable || res.Reason == "" {
			t.Errorf("without a log: %+v", res)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, p := range records.Probes() {
		if _, err := p.Run(ctx, &measure.Case{Records: []measure.Record{gone, record(t, "x", declared())}}); err == nil {
			t.Errorf("%s: no error after cancellation", p.ID)
		}
	}
}
