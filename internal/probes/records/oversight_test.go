package records_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// line of a log of cases: the hour after the beginning, the event and the case.
func happened(hour float64, event, subject string) string {
	at := time.Date(2026, 2, 20, 0, 0, 0, 0, time.UTC).Add(time.Duration(hour * float64(time.Hour)))
	return fmt.Sprintf(`{"time":"%s","event":"%s","id":"%v%s%s","case":{"no":"%s"}}`, at.Format(time.RFC3339), event, hour, event, subject, subject)
}

// filler is entries that no duty speaks of, up to an hour.
func filler(hours int) []string {
	var out []string
	for i := 0; i <= hours; i += 5 {
		out = append(out, happened(float64(i), "tick", ""))
	}
	return out
}

// TestOversight: a check counts 48 hours, a referral must be looked at in 24, the log ends after 200.
func TestOversight(t *testing.T) {
	for _, tt := range []struct {
		name  string
		lines []string
		want  [5]float64 // triggers, missed, late, never, open
		found []string   // rules
	}{
		{"all is well", []string{happened(1, "refer", "a"), happened(2, "look", "a"), happened(3, "send", "a")}, [5]float64{2, 0, 0, 0, 0}, nil},
		{"at the last moment", []string{happened(1, "refer", "a"), happened(25, "look", "a"), happened(73, "send", "a")}, [5]float64{2, 0, 0, 0, 0}, nil},
		{"too late", []string{happened(1, "refer", "a"), happened(25.1, "look", "a")}, [5]float64{1, 1, 1, 0, 0}, []string{"escalation-missed"}},
		{"stale check", []string{happened(1, "look", "a"), happened(49.5, "send", "a")}, [5]float64{1, 1, 1, 0, 0}, []string{"check-missed"}},
		{"checked afterwards", []string{happened(50, "send", "a"), happened(51, "look", "a")}, [5]float64{1, 1, 1, 0, 0}, []string{"check-missed"}},
		{"another case", []string{happened(50, "refer", "a"), happened(51, "look", "b"), happened(52, "send", "a")}, [5]float64{2, 2, 0, 2, 0}, []string{"check-missed", "escalation-missed"}},
		{"nobody's", []string{happened(50, "refer", ""), happened(51, "look", "")}, [5]float64{1, 1, 0, 1, 0}, []string{"escalation-missed"}},
		{"not yet over", []string{happened(180, "refer", "a")}, [5]float64{0, 0, 0, 0, 1}, nil},
		{"an answer before does not count", []string{happened(49, "look", "a"), happened(50, "refer", "a")}, [5]float64{1, 1, 1, 0, 0}, []string{"escalation-missed"}},
		{"one answer for two", []string{happened(50, "refer", "a"), happened(51, "refer", "a"), happened(52, "look", "a")}, [5]float64{2, 0, 0, 0, 0}, nil},
		{"no order", []string{happened(52, "look", "a"), happened(50, "refer", "a")}, [5]float64{1, 0, 0, 0, 0}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			res := run(t, oversight, record(t, strings.Join(append(filler(200), tt.lines...), "\n"), declared()))
			got := [5]float64{}
			for i, name := range []string{"triggers", "missed", "late", "never", "open"} {
				got[i] = res.Metrics[name].Value
			}
			if got != tt.want {
				t.Errorf("triggers, missed, late, never, open: got %v, want %v", got, tt.want)
			}
			var rules []string
			for _, f := range res.Findings {
				rules = append(rules, strings.TrimPrefix(f.Rule, "records/"))
				if !strings.Contains(f.Where, "operations: line ") || len(f.Cites) == 0 {
					t.Errorf("finding %+v names no line or cites nothing", f)
				}
			}
			slices.Sort(rules)
			if diff := cmp.Diff(rules, tt.found); diff != "" {
				t.Errorf("findings (-got +want):\n%s", diff)
			}
			if want := tt.want[0] > 0; res.Valid() != want {
				t.Errorf("failed checks %v", failed(res))
			}
			if m, ok := res.Metrics["oversight_kept"]; ok != (tt.want[0] > 0) || ok && (m.N != int(tt.want[0]) || *m.K != m.N-int(tt.want[1])) {
				t.Errorf("oversight_kept %+v", m)
			}
		})
	}
}

// TestBeforeTheLog: a check may lie before the beginning of the log, but not before that of the service.
func TestBeforeTheLog(t *testing.T) {
	text := strings.Join(append(filler(200), happened(3, "send", "a")), "\n")
	log := declared()
	if got := run(t, oversight, record(t, text, log)).Metrics["never"].Value; got != 1 {
		t.Errorf("from the beginning of service: got %v unchecked, want 1", got)
	}
	log.Since = time.Time{}
	if got := run(t, oversight, record(t, text, log)).Metrics["open"].Value; got != 1 {
		t.Errorf("after the beginning of service: got %v open, want 1", got)
	}
}

// TestShares holds the interval of 8 in 10 against what it is defined by: at its
// ends, as many or more and as few or fewer have a probability of 0.025.
func TestShares(t *testing.T) {
	lines := filler(200)
	for i := range 10 {
		lines = append(lines, happened(float64(i), "refer", fmt.Sprint(i)))
		if i < 8 {
			lines = append(lines, happened(float64(i)+1, "look", fmt.Sprint(i)))
		}
	}
	log := declared()
	m := run(t, oversight, record(t, strings.Join(lines, "\n"), log)).Metrics["escalations_answered"]
	more := 45*math.Pow(m.Lower, 8)*math.Pow(1-m.Lower, 2) + 10*math.Pow(m.Lower, 9)*(1-m.Lower) + math.Pow(m.Lower, 10)
	fewer := 1 - 10*math.Pow(m.Upper, 9)*(1-m.Upper) - math.Pow(m.Upper, 10)
	if m.Value != 0.8 || math.Abs(more-0.025) > 1e-9 || math.Abs(fewer-0.025) > 1e-9 {
		t.Errorf("got %v [%v, %v] with tails %v and %v, want 0.025", m.Value, m.Lower, m.Upper, more, fewer)
	}
	log.Checks, log.Escalations = nil, nil
	if res := run(t, oversight, record(t, strings.Join(lines, "\n"), log)); res.State != "not-available" || !strings.Contains(res.Reason, "mandatory_checks") {
		t.Errorf("without duties: %+v", res)
	}
}
