package coverage_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assize/assize/internal/catalogue"
	"github.com/assize/assize/internal/coverage"
)

func open(t testing.TB, o catalogue.Options) *catalogue.Tables {
	t.Helper()
	tables, err := catalogue.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return tables
}

func TestArticle(t *testing.T) {
	tables := open(t, catalogue.Options{})
	for typed, want := range map[string][]string{
		"15(5)":        {"cybersecurity"},
		"Art. 15 (5)":  {"cybersecurity"},
		"article 15.5": {"cybersecurity"},
		"15":           {"accuracy", "robustness", "cybersecurity"},
		"Art.9(2)(a)":  {"risk"},
		"43":           {"conformity"},
		"1":            nil, // no prefix of letters
		"15(2)":        nil,
		"":             nil,
		"Annex III":    nil,
	} {
		columns, err := coverage.Article(tables, typed)
		var got []string
		for _, c := range columns {
			got = append(got, c.ID)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q: %s", typed, diff)
		}
		var missing *catalogue.NotFoundError
		if want == nil && (!errors.As(err, &missing) || len(missing.Suggestions) != 10) {
			t.Errorf("%q: got %v, want the ten articles known", typed, err)
		}
	}
}

func TestStageOf(t *testing.T) {
	for status, want := range map[string]string{
		"60.60": "published", "60.00": "publishing", "40.20": "enquiry", "95.99": "withdrawn", "90.93": "published", "20": "started", "70.00": "",
		"Published": "published", "under publication": "publishing", "superseded by the 2023 edition": "superseded", "not yet published": "draft",
		"FDIS": "approval", "DIS ballot": "enquiry", "CD": "draft", "discussed": "", "unknown": "unknown", "not found in the stored material": "", "": "",
	} {
		if got := coverage.StageOf(status); got != want {
			t.Errorf("%q: got %q, want %q", status, got, want)
		}
	}
}

func TestStatuses(t *testing.T) {
	tables := open(t, catalogue.Options{})
	got, read, err := coverage.Statuses(tables, strings.NewReader("\ufeffStandard,Status,current_reference,source\n"+
		"prEN 18282,60.60,EN 18282:2027,a register\nISO 22989,published,,\n99999999,draft,,\nprEN 18228,who knows,,\n"))
	if err != nil || read != 4 {
		t.Fatalf("got %d rows, %v", read, err)
	}
	want := []coverage.Moved{
		{Standard: "prEN 18282", What: coverage.StageMoved, Before: "enquiry", After: "published", Source: "line 2, a register"},
		{Standard: "prEN 18282", What: coverage.ReferenceMoved, Before: "prEN 18282", After: "EN 18282:2027", Source: "line 2, a register"},
		{Standard: "99999999", What: coverage.NotTold, After: "draft", Source: "line 4: names no standard that the catalogue knows"},
		{Standard: "prEN 18228", What: coverage.NotTold, Before: "enquiry", After: "who knows", Source: "line 5: no stage can be read from it"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for name, text := range map[string]string{
		"header":   "a,b\nx,y\n",
		"empty":    "",
		"columns":  "standard,status\nISO 22989\n",
		"too many": "standard,status\n" + strings.Repeat("x,y\n", 2_001),
	} {
		if _, _, err := coverage.Statuses(tables, strings.NewReader(text)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func FuzzStatuses(f *testing.F) {
	f.Add("standard,status\nprEN 18282,60.60\n")
	f.Add("id,stage,current_reference\niso-iec-22989,withdrawn,\"a\nb\"\n")
	f.Add("\ufeffdesignation,current_status\n\xff,\x00\n")
	tables := open(f, catalogue.Options{})
	f.Fuzz(func(t *testing.T, text string) {
		moved, read, err := coverage.Statuses(tables, strings.NewReader(text))
		if err == nil && len(moved) > 2*read {
			t.Errorf("%d moves of %d rows", len(moved), read)
		}
	})
}

// TestAgainst holds the catalogue against itself with a folder over it.
func TestAgainst(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"standards.csv": "id,designation,title,sdo,type,level,reach,source,confidence\nen-1,EN 1,Robots,CEN,EN,system,sector,a test,own-knowledge\n",
		"coverage.csv":  "standard,by,subject,mark,kind,basis,judge,date,source,confidence\niso-9001,requirement,record,x,process,title,assize-title,2026-11-22,a test,own-judgement\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	plain, over := open(t, catalogue.Options{}), open(t, catalogue.Options{Dir: dir})
	got, err := coverage.Against(plain, over)
	if err != nil {
		t.Fatal(err)
	}
	want := []coverage.Moved{
		{Standard: "EN 1", What: coverage.Added, Source: "a test"},
		{Standard: "ISO 9001", What: coverage.MarkMoved, After: "record: x process, by assize-title", Source: "a test"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	back, err := coverage.Against(over, plain)
	if err != nil {
		t.Fatal(err)
	}
	want = []coverage.Moved{
		{Standard: "EN 1", What: coverage.Gone, Source: "absent from the newer catalogue"},
		{Standard: "ISO 9001", What: coverage.MarkMoved, Before: "record: x process, by assize-title", Source: "absent from the newer catalogue"},
	}
	if diff := cmp.Diff(want, back); diff != "" {
		t.Error(diff)
	}
}

// TestAgainstItself holds a release against the tables that it was made of.
func TestAgainstItself(t *testing.T) {
	var b bytes.Buffer
	plain := open(t, catalogue.Options{})
	if _, err := plain.Pack(&b); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "pack")
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	got, err := coverage.Against(plain, open(t, catalogue.Options{Pack: path}))
	if err != nil || got != nil {
		t.Errorf("got %v, %v; want nothing moved", got, err)
	}
}

func TestComments(t *testing.T) {
	gap := catalogue.Gap{ID: "G-1", Section: "4.1", Text: "Nothing measures it", Topics: []string{"testing"}, Lacks: []string{"method", "metric"}, State: "partly", StateNote: "a draft."}
	got, ok := coverage.Judged(gap)
	want := coverage.Comment{
		Type:     "te",
		Comment:  "Judged in ENISA, Cybersecurity of AI and Standardisation (2023), 4.1 (G-1): Nothing measures it. State since: partly (a draft).",
		Proposed: "Add, or refer to, method and metric on: testing.",
	}
	if diff := cmp.Diff(want, got); diff != "" || !ok {
		t.Error(ok, diff)
	}
	gap.Lacks = nil
	if got, _ := coverage.Judged(gap); got.Type != "ge" || strings.Contains(got.Proposed, "Add") {
		t.Errorf("got %+v, want a general comment", got)
	}
	for _, state := range []string{"closed", "by design"} {
		gap.State = state
		if _, ok := coverage.Judged(gap); ok {
			t.Errorf("a gap that is %s asks for something", state)
		}
	}
	lack := catalogue.Lack{Subject: catalogue.Subject{ID: "c", Title: "Cybersecurity"}, Missing: []string{"metric", "threshold"}, Claimed: []string{"method"}, Best: catalogue.Unread, By: make([]catalogue.Touch, 3)}
	got = coverage.Computed(lack, "Art. 15(5)", "2026-11-22", []string{"prEN 1"})
	want = coverage.Comment{
		Type:     "te",
		Comment:  "Computed from the kinds of coverage known at 2026-11-22: for Cybersecurity (AI Act Art. 15(5)), of 3 standards that touch it, nothing published gives a metric or threshold; only titles that nobody has read give a method. Nearest: nobody has read more than its title.",
		Proposed: `Add, or refer to, a method, metric or threshold by which the requirement "Cybersecurity" can be shown to be met. In preparation and near it: prEN 1.`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
