package wording_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/manifest"
	"github.com/assize/assize/internal/plan"
	"github.com/assize/assize/internal/report/wording"
	"github.com/assize/assize/internal/result"
)

// plain puts an ordinary space in place of the narrow one.
func plain(s string) string { return strings.ReplaceAll(s, wording.Thin, " ") }

func TestNumbers(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{wording.Percent(0.612), "61.2 %"}, {wording.Percent(0.64), "64.0 %"}, {wording.Percent(0), "0 %"}, {wording.Percent(1), "100 %"},
		{wording.Percent(0.9997), "99.97 %"}, {wording.Percent(0.00004), "0.004 %"}, {wording.Percent(0.99999), "99.999 %"}, {wording.Percent(-0.05), "−5.0 %"},
		{wording.Round(0.65), "65 %"}, {wording.Round(0.975), "97.5 %"}, {wording.Round(0.07), "7 %"}, {wording.Round(0.3 - 0.1), "20 %"},
		{wording.Points(0.094), "+9.4 pp"}, {wording.Points(-0.004), "−0.4 pp"}, {wording.Points(0), "0 pp"}, {wording.Points(0.0001), "+0.01 pp"},
		{wording.Number(0.7712345), "0.7712"}, {wording.Number(1234567), "1 234 567"}, {wording.Number(4212), "4212"}, {wording.Number(-17.25), "−17.25"},
		{wording.Number(12345.67), "12 346"}, {wording.Number(2.1e-6), "2.1×10⁻⁶"}, {wording.Number(-4e-12), "−4×10⁻¹²"}, {wording.Measured(0.777), "0.7770"}, {wording.Measured(5.6331e-5), "5.633×10⁻⁵"}, {wording.Measured(99), "99"}, {wording.Measured(1e20), "1.000×10²⁰"}, {wording.Whole(-1234567), "−1 234 567"}, {wording.Whole(10000), "10 000"},
		{wording.Bytes(812), "812 B"}, {wording.Bytes(1536), "1.5 KiB"}, {wording.Bytes(96_221), "94 KiB"},
		{wording.Seconds(0.21), "0.21 s"}, {wording.Seconds(21.42), "21.4 s"}, {wording.Seconds(600), "10 min"}, {wording.Seconds(7200), "2.0 h"},
		{wording.P(0.0004), "p < 0.001"}, {wording.P(0.034), "p = 0.034"}, {wording.P(1.0000001), "p = 1.000"},
		{wording.Interval(result.Exactly(3, 10, "rows")), "counted"},
		{wording.Interval(result.Metric{Lower: 0.57, Upper: 0.65, Unit: "share"}), "[57.0 %, 65.0 %]"},
	} {
		if got := plain(c.got); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

func TestWords(t *testing.T) {
	level := 0.65
	for _, c := range []struct{ got, want string }{
		{wording.Metric("balanced_accuracy"), "balanced accuracy"}, {wording.Metric("roc_auc"), "ROC AUC"}, {wording.Metric("f1"), "F1"},
		{wording.Sentence("the level holds"), "The level holds."}, {wording.Sentence("Done!"), "Done!"}, {wording.Sentence("  "), ""},
		{wording.Sentence("évasion"), "Évasion."}, {wording.Sentence("x86-64 server"), "x86-64 server."}, {wording.Sentence("evasion/noise was not run"), "evasion/noise was not run."},
		{plain(wording.Level("at_least", &level, "share")), "at least 65 %"}, {wording.Level("at_most", nil, "share"), "no level"},
		{plain(wording.ShortLevel("at_most", &level, "score")), "≤ 0.65"},
		{wording.Clean("a\u202eb\u200b\x1b[31m\u2028\r\nc\ufeff\xff é 日本"), `a\u202eb\u200b\u001b[31m\u2028  c\ufeff\ufffd é 日本`},
		{wording.Clean("tag \U000e0041"), `tag \U000e0041`},
		{wording.Whose("law"), "set by the law"}, {wording.Whose("default"), "a default of Assize"}, {wording.Whose(""), "set by nobody"},
		{wording.Classification(nil), "not declared"},
		{wording.Classification(&manifest.Classification{AnnexI: "Regulation (EU) 2017/745", ThirdParty: true}), "AI Act Annex I: Regulation (EU) 2017/745, with assessment by a third party"},
		{wording.Classification(&manifest.Classification{None: "a toy"}), "not high-risk, because: a toy"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

func TestHeadline(t *testing.T) {
	d := &dossier.Dossier{}
	if got, want := wording.Headline(d), "The manifest claims no goal, so nothing can pass."; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	d.Summary = dossier.Summary{Claimed: 4, Passed: 1}
	d.Goals = []dossier.Goal{
		{ID: "parity", Claimed: true, Decision: dossier.Pass}, {ID: "evasion", Claimed: true, Decision: dossier.Fail},
		{ID: "malformed-input", Claimed: true, Decision: dossier.Fail}, {ID: "accuracy", Claimed: true, Decision: dossier.Inconclusive},
		{ID: "extraction", Decision: dossier.Fail},
	}
	if got, want := wording.Headline(d), "1 of 4 claimed goals passes; evasion and malformed input fail; accuracy is inconclusive."; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A record counts on its last day and no longer.
func TestExpired(t *testing.T) {
	s := manifest.Solution{ValidUntil: "2026-10-12"}
	for day, want := range map[string]bool{"2026-10-11": false, "2026-10-12": false, "2026-10-13": true} {
		on, err := time.Parse(time.DateOnly, day)
		if err != nil {
			t.Fatal(err)
		}
		if got := wording.Expired(s, on.Add(23*time.Hour)); got != want {
			t.Errorf("on %s: got %v, want %v", day, got, want)
		}
	}
	if wording.Expired(manifest.Solution{}, time.Now()) {
		t.Error("a record without an end expired")
	}
}

func TestGaps(t *testing.T) {
	d := &dossier.Dossier{
		Plan: dossier.Plan{Plan: plan.Plan{
			Goals:   []plan.Goal{{ID: "a", Title: "A holds"}, {ID: "b", Title: "B holds"}, {ID: "c", Title: "C holds"}, {ID: "d", Title: "D holds"}},
			LeftOut: []plan.LeftOut{{Probe: "formal/trees", State: "not-available", Reason: "no trees"}, {Goal: "b", State: "not-permitted", Reason: "forbidden"}},
		}},
		Decisions: []dossier.Decision{
			{Goal: "a", Criterion: "one", Decision: dossier.NotAssessed, Because: "x was not run"},
			{Goal: "a", Criterion: "two", Decision: dossier.NotAssessed, Because: "x was not run"},
			{Goal: "a", Criterion: "three", Decision: dossier.Fail, Because: "bad"},
		},
	}
	want := []wording.Gap{
		{What: "probe formal/trees", State: "not available", Reason: "no trees"},
		{What: "goal: B holds", State: "not permitted", Reason: "forbidden"},
		{What: "criterion one; two", State: "not assessed", Reason: "x was not run"},
		{What: "goal: C holds; D holds", State: "not assessed", Reason: "not claimed, and no criterion speaks of it"},
	}
	if diff := cmp.Diff(wording.Gaps(d), want); diff != "" {
		t.Errorf("gaps differ, got -, want +:\n%s", diff)
	}
}

// Every verdict is counted, also by whom nobody foresaw, and law comes before default.
func TestCounts(t *testing.T) {
	got := wording.Counts(dossier.Summary{Counts: map[string]map[dossier.Verdict]int{
		"default": {dossier.Pass: 2, dossier.NotAssessed: 1}, "stranger": {dossier.Inconclusive: 1}, "law": {dossier.Fail: 3}, "provider": {},
	}})
	want := []wording.Count{
		{SetBy: "law", By: []int{0, 3, 0, 0, 0}, Total: 3}, {SetBy: "default", By: []int{2, 0, 0, 1, 0}, Total: 3}, {SetBy: "stranger", By: []int{0, 0, 1, 0, 0}, Total: 1},
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("counts differ, got -, want +:\n%s", diff)
	}
}

func TestRuns(t *testing.T) {
	for _, tt := range []struct {
		log     dossier.Log
		resumed int
		want    string
	}{
		{dossier.Log{}, 0, "the first run in its log, which cannot tell of one that was put away"},
		{dossier.Log{EarlierRuns: 1}, 0, "1 run of this target stands before it in the same log"},
		{dossier.Log{EarlierRuns: 3}, 1, "3 runs of this target stand before it in the same log; broken off and resumed 1 time"},
		{dossier.Log{OtherLogs: 2}, 0, "the first run in its log; the same key has begun 2 other logs for a target of this name, so this log was started anew, or another copy of the target has one"},
	} {
		if got := wording.Runs(&dossier.Dossier{Log: tt.log, Resumed: tt.resumed}); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

func TestVerificationLacks(t *testing.T) {
	none, has := &dossier.Dossier{}, &dossier.Dossier{Log: dossier.Log{
		Stamps:    []dossier.Stamp{{Time: time.Date(2026, 11, 22, 19, 0, 0, 0, time.UTC), Authority: "CN=A"}},
		Witnesses: []dossier.Witness{{Name: "w", Time: time.Date(2026, 11, 22, 19, 1, 0, 0, time.UTC)}},
	}}
	for d, want := range map[*dossier.Dossier]string{
		none: "this report has none of them.",
		has:  "this report has a time stamp of 22 November 2026, 19:00:00 UTC by CN=A and a cosignature of 22 November 2026, 19:01:00 UTC by the witness w.",
	} {
		if got := wording.VerificationLacks(d); !strings.Contains(got, want) {
			t.Errorf("got %q, want %q in it", got, want)
		}
	}
}
