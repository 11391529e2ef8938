package checklist_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/catalogue"
	"github.com/assize/assize/internal/checklist"
	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/manifest"
)

var today = time.Date(2026, 11, 22, 17, 0, 0, 0, time.UTC)

func tables(t *testing.T) *catalogue.Tables {
	t.Helper()
	tb, err := catalogue.Open(catalogue.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return tb
}

// recorded is a dossier that the report's tests use: every verdict, an expired
// record, a failed observation.
func recorded(t *testing.T) *dossier.Dossier {
	t.Helper()
	d, err := dossier.Read("../report/html/testdata")
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func filled(t *testing.T, g checklist.Given) *checklist.Checklist {
	t.Helper()
	g.Today = today
	c, err := checklist.Make(t.Context(), tables(t), g)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func item(t *testing.T, c *checklist.Checklist, id string) checklist.Item {
	t.Helper()
	i := slices.IndexFunc(c.Items, func(i checklist.Item) bool { return i.ID == id })
	if i < 0 {
		t.Fatalf("no item %s", id)
	}
	return c.Items[i]
}

// TestEmpty holds the denominators: 105 core items, 72 provisions, 8 groups;
// 12 of the 105 can be decided by a test. All are open, each with its task.
func TestEmpty(t *testing.T) {
	c := filled(t, checklist.Given{})
	want := []checklist.Count{
		{Framework: catalogue.AIAct, Of: 105, Open: 105, Testable: 12},
		{Framework: catalogue.EN304223, Of: 72, Open: 72},
		{Framework: catalogue.Groups, Of: 8, Open: 8},
	}
	if diff := cmp.Diff(c.Counts(), want); diff != "" {
		t.Errorf("counts (-got +want):\n%s", diff)
	}
	if got := c.Counts()[0].String(); !strings.Contains(got, "Only 12 of the 105") {
		t.Errorf("count says %q", got)
	}
	for _, i := range c.Items {
		if i.Task == nil || i.Task.Needed == "" || i.Task.Owner == "" || i.Task.Evidence == "" || i.By == "" || strings.Contains(i.Task.Needed, "%!") {
			t.Errorf("%s: task %+v, by %q", i.ID, i.Task, i.By)
		}
	}
}

type standing struct {
	State   checklist.State
	Verdict dossier.Verdict
}

// TestFilledByADossier holds how the recorded dossier answers the testable items.
func TestFilledByADossier(t *testing.T) {
	d := recorded(t)
	c := filled(t, checklist.Given{Target: d.Target, Solutions: d.Solutions, Dossier: d})
	want := map[string]standing{
		"AIA-9.6":    {checklist.Open, ""},
		"AIA-9.8":    {checklist.Open, ""},
		"AIA-10.3":   {checklist.Open, ""},
		"AIA-55.1a":  {checklist.Open, ""},
		"AIA-15.1":   {checklist.Decided, dossier.Fail}, // the worst of all that Art. 15 asks
		"AIA-15.4a":  {checklist.Decided, dossier.Fail},
		"AIA-15.5a":  {checklist.Decided, dossier.Fail},
		"AIA-15.5c1": {checklist.Open, ""}, // its record expired in October
		"AIA-15.5c2": {checklist.Open, ""}, // the scan of the artefacts failed
		"AIA-15.5c3": {checklist.Decided, dossier.Fail},
		"AIA-15.5c4": {checklist.Open, ""}, // not applicable, and the rest not assessed
		"AIA-15.5c5": {checklist.Decided, dossier.Inconclusive},
	}
	got := map[string]standing{}
	for _, i := range c.Items {
		if i.Check == "test" {
			got[i.ID] = standing{i.State, i.Verdict}
		}
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("testable items (-got +want):\n%s", diff)
	}
	if i := item(t, c, "AIA-15.5c1"); !strings.Contains(i.By, "data-review expired on 2026-10-12") || !strings.HasPrefix(i.Task.Needed, "renew the record") {
		t.Errorf("expired record: by %q, task %+v", i.By, i.Task)
	}
	if i := item(t, c, "AIA-9.8"); !strings.Contains(i.By, "can serve as evidence") {
		t.Errorf("AIA-9.8: by %q", i.By)
	}
	if i := item(t, c, "AIA-13.3b.ii"); i.State != checklist.Open || !strings.Contains(i.By, "measured beside it, which does not decide it: accuracy: inconclusive") || !strings.Contains(i.By, "--format instructions") {
		t.Errorf("AIA-13.3b.ii: %s by %q", i.State, i.By)
	}
	if i := item(t, c, "T3-08"); i.State != checklist.Open || i.Verdict != "" || !strings.Contains(i.By, "the worst verdict is fail") {
		t.Errorf("T3-08: %s %q by %q", i.State, i.Verdict, i.By)
	}
	if i := item(t, c, "5.1.2-2"); i.State != checklist.Decided || i.Verdict != dossier.Fail {
		t.Errorf("EN 304 223 5.1.2-2: %s %s by %q", i.State, i.Verdict, i.By)
	}
	for _, i := range c.Items {
		if i.Check != "test" && i.Framework == catalogue.AIAct && i.State == checklist.Decided {
			t.Errorf("%s is no test (%s), but decided by measurement", i.ID, i.Check)
		}
	}
	if task := item(t, c, "AIA-15.5b").Task; !strings.Contains(task.Owner, "declared: Risk Analytics") {
		t.Errorf("usual owner %q does not name who holds the declared role", task.Owner)
	}
}

// TestUnassessedIsNoPass takes the decision of one goal away: the item that
// rested on two is open, not passed by the one that is left.
func TestUnassessedIsNoPass(t *testing.T) {
	d := &dossier.Dossier{Goals: []dossier.Goal{{ID: "parity", Decision: dossier.Pass, SetBy: "default"}, {ID: "artefact-safety", Decision: dossier.Pass, SetBy: "provider"}}}
	c := filled(t, checklist.Given{Dossier: d})
	if got := item(t, c, "AIA-15.5c2"); got.State != checklist.Decided || got.Verdict != dossier.Pass || !got.Defaults {
		t.Errorf("both goals pass: %s %s, defaults %v", got.State, got.Verdict, got.Defaults)
	}
	n := c.Counts()[0]
	if n.Passed != 1 || n.ByDefault != 1 {
		t.Errorf("counted %d passed, %d by default, want 1 and 1", n.Passed, n.ByDefault)
	}
	d.Goals = d.Goals[:1]
	if got := item(t, filled(t, checklist.Given{Dossier: d}), "AIA-15.5c2"); got.State != checklist.Open {
		t.Errorf("one goal of two passes: %s %s, want open", got.State, got.Verdict)
	}
}

func TestRecordsAnswer(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "plan.md"), []byte("plan"), 0o644); err != nil {
		t.Fatal(err)
	}
	given := func(until manifest.Date) checklist.Given {
		return checklist.Given{
			Target:    manifest.Target{Name: "t", Roles: map[string]string{"data_owner": "Data Office", "z": "Data Office"}},
			Solutions: []manifest.Solution{{Name: "review", Goals: []string{"data-poisoning"}, Record: "plan.md", Owner: "Data Office", Date: "2026-01-01", ValidUntil: until}},
			Filled:    []checklist.Row{{ID: "AIA-9.1", Record: "plan.md", Owner: "Risk", Role: "risk manager", Date: "2026-01-01", ValidUntil: until}},
			Dir:       dir,
		}
	}
	for _, tt := range []struct {
		until manifest.Date
		want  checklist.State
	}{{"", checklist.Answered}, {"2026-11-22", checklist.Answered}, {"2026-11-21", checklist.Open}} {
		c := filled(t, given(tt.until))
		for _, id := range []string{"AIA-9.1", "AIA-15.5c1"} {
			i := item(t, c, id)
			if i.State != tt.want || len(i.Records) != 1 || i.Records[0].Digest != artefact.DigestBytes([]byte("plan")) {
				t.Errorf("valid until %q: %s is %s with %+v, want %s", tt.until, id, i.State, i.Records, tt.want)
			}
		}
		if i := item(t, c, "AIA-15.5c1"); i.Records[0].Role != "data_owner" {
			t.Errorf("role %q, want the one whose holder owns the record", i.Records[0].Role)
		}
		if i := item(t, c, "AIA-9.2"); i.State != checklist.Open || i.Records != nil {
			t.Errorf("AIA-9.2 is %s by a record of AIA-9.1", i.State)
		}
	}
}

// TestGroupFollowsFromItsItems answers every item of one group: human oversight has two.
func TestGroupFollowsFromItsItems(t *testing.T) {
	rows := []checklist.Row{{ID: "AIA-14.4a", Record: "a", Owner: "o"}, {ID: "AIA-14.4e", Record: "a", Owner: "o"}}
	if i := item(t, filled(t, checklist.Given{Filled: rows}), "T3-04"); i.State != checklist.Answered || !strings.Contains(i.By, "of its 2 core items of the AI Act 0 decided, 2 answered, 0 open") {
		t.Errorf("both answered: %s: %s", i.State, i.By)
	}
	if i := item(t, filled(t, checklist.Given{Filled: rows[:1]}), "T3-04"); i.State != checklist.Open || !strings.Contains(i.Task.Needed, "AIA-14.4e") {
		t.Errorf("one answered: %s: %+v", i.State, i.Task)
	}
}
