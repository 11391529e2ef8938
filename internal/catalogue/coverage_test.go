package catalogue_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assize/assize/internal/catalogue"
)

func TestDatesThatTheHistoryKnows(t *testing.T) {
	tables := open(t)
	for asked, want := range map[string]string{"": "2026-11-22", "2023-03": "2023-03", "2023-03-31": "2023-03", "2023-03-01": "2023-03", "2026-11-22": "2026-11-22", "2026-11": "2026-11-22"} {
		if got, err := tables.AsOf(asked); err != nil || got.Date != want {
			t.Errorf("%q: got %q, %v, want %q", asked, got.Date, err, want)
		}
	}
	for _, asked := range []string{"2023-04-01", "2024-05-01", "2026-11-21", "2026-11-23", "2023", "2022-12-31", "2023-03-32", "tomorrow", "2023-3"} {
		_, err := tables.AsOf(asked)
		var unknown *catalogue.UnknownDateError
		if !errors.As(err, &unknown) || !strings.Contains(err.Error(), "hint:") || len(unknown.Known) != 2 {
			t.Errorf("%q: got %v", asked, err)
		}
		if _, err := tables.List(catalogue.Filter{AsOf: asked}); err == nil {
			t.Errorf("%q: listed", asked)
		}
	}
}

func TestLists(t *testing.T) {
	tables := open(t)
	for _, tt := range []struct {
		f    catalogue.Filter
		want int
	}{
		{catalogue.Filter{}, 174}, {catalogue.Filter{Inventory: "a1"}, 27}, {catalogue.Filter{Inventory: "a2"}, 33}, {catalogue.Filter{Inventory: "A3"}, 14}, {catalogue.Filter{Inventory: "a4", AsOf: "2023-03-31"}, 21},
		{catalogue.Filter{SDO: "nist"}, 3}, {catalogue.Filter{SDO: "cen-cenelec", Stage: "published"}, 1}, {catalogue.Filter{Type: "gr"}, 2},
		{catalogue.Filter{Inventory: "a3", Stage: "started", AsOf: "2023-03"}, 2},
	} {
		if got := must(tables.List(tt.f))(t); len(got) != tt.want {
			t.Errorf("%+v: got %d, want %d", tt.f, len(got), tt.want)
		}
	}
	states := must(tables.States(must(tables.AsOf("2023-03"))(t)))(t)
	for id, want := range map[string]string{"iso-iec-27001": "ISO/IEC 27001:2022", "iso-iec-24029-1": "ISO/IEC TR 24029-1:2021", "iso-iec-24029-2": "ISO/IEC FDIS 24029-2 / DIS 24029-2"} {
		if got := states[id].Reference; got != want {
			t.Errorf("%s in March 2023: got %q, want %q", id, got, want)
		}
	}
	then := must(tables.List(catalogue.Filter{AsOf: "2023-03-31"}))(t)
	if slices.ContainsFunc(then, func(l catalogue.Listed) bool { return l.Standard.ID == "pren-18286" || l.Standard.ID == "pren-18282" }) {
		t.Error("a standard that the report does not name is listed for its date")
	}
}

func TestWhatMoved(t *testing.T) {
	tables := open(t)
	moves := map[string]catalogue.Move{}
	for _, m := range must(tables.Diff("2023-03-31", "2026-11-22"))(t) {
		moves[m.Standard.ID] = m
	}
	m := moves["iso-iec-25059"]
	if m.Before == nil || m.Before.Stage != "enquiry" || m.After.Stage != "published" || len(m.Events) != 1 || m.Events[0].Date != "2023-06" {
		t.Errorf("got %+v", m)
	}
	if m := moves["pren-18282"]; m.Before != nil || m.After == nil || m.After.Stage != "enquiry" {
		t.Errorf("got %+v", m)
	}
	if _, ok := moves["iso-iec-27002"]; ok {
		t.Error("a standard that stayed as it was is said to have moved")
	}
	if p, ok, err := tables.Published("iso-iec-42001"); !ok || err != nil || p.Date != "2023-12-18" {
		t.Errorf("got %+v, %v", p, err)
	}
	if p, ok, err := tables.Published("iso-iec-27090"); ok || err != nil {
		t.Errorf("got %+v, %v for one that is not out", p, err)
	}
	if _, err := tables.Diff("2026-11-22", "2023-03"); err == nil {
		t.Error("a difference backwards in time")
	}
}

func TestJudgesDifferAndAreShown(t *testing.T) {
	tables := open(t)
	m := must(tables.Coverage(catalogue.Query{Inventory: "a3"}))(t)
	i := slices.IndexFunc(m.Subjects, func(s catalogue.Subject) bool { return s.ID == "cybersecurity" })
	got := m.Rows[0].Cells[i]
	var judges []string
	for _, c := range got {
		judges = append(judges, c.Judge+" "+c.Mark+" "+c.Kind)
	}
	if diff := cmp.Diff([]string{"enisa-2023 x unknown", "assize-title ? vocabulary"}, judges); diff != "" {
		t.Error(diff)
	}
	if !catalogue.Differ(got) || catalogue.Mark(got) != "x" {
		t.Errorf("got %+v", got)
	}
	then := must(tables.Coverage(catalogue.Query{Inventory: "a3", AsOf: "2023-03-31"}))(t)
	for _, r := range then.Rows {
		for _, cells := range r.Cells {
			for _, c := range cells {
				if c.Judge != catalogue.Report {
					t.Fatalf("%s judged after the date asked for", c.Judge)
				}
			}
		}
	}
}

// TestAStrangersQuestion asks which standards give a method or metric for
// Art. 15(5) today.
func TestAStrangersQuestion(t *testing.T) {
	m := must(open(t).Coverage(catalogue.Query{Subjects: []string{"cybersecurity"}, Kinds: catalogue.Measurable()}))(t)
	var got []string
	for _, r := range m.Rows {
		if catalogue.Mark(r.Cells[0]) == "x" {
			got = append(got, r.Standard.Designation+" "+r.State.Stage)
		}
	}
	if diff := cmp.Diff([]string{"ETSI TR 104 066 published"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestQueriesThatAreRefused(t *testing.T) {
	for _, q := range []catalogue.Query{{By: "colour"}, {Judge: "me"}, {Kinds: []string{"magic"}}, {Subjects: []string{"beauty"}}, {Inventory: "a9"}, {AsOf: "2024"}} {
		if _, err := open(t).Coverage(q); err == nil || !strings.Contains(err.Error(), "hint:") {
			t.Errorf("%+v: got %v", q, err)
		}
	}
	if _, _, err := open(t).Annex("a1"); err == nil {
		t.Error("annex A.1 has no marks")
	}
}

func TestComputedGaps(t *testing.T) {
	tables := open(t)
	lacks := map[string]catalogue.Lack{}
	for _, l := range must(tables.Lacks(catalogue.Query{Inventory: "a3"}))(t) {
		lacks[l.Subject.ID] = l
	}
	all := catalogue.Measurable()
	for subject, want := range map[string]struct {
		missing, claimed []string
		best             catalogue.Shortfall
	}{
		"cybersecurity": {all, nil, catalogue.OtherKind},
		"record":        {all, nil, catalogue.OtherKind},
		"robustness":    {[]string{"metric", "threshold"}, []string{"method"}, catalogue.Unread},
		"data":          {[]string{"method", "threshold"}, []string{"metric"}, catalogue.Unread},
	} {
		l := lacks[subject]
		if !slices.Equal(l.Missing, want.missing) || !slices.Equal(l.Claimed, want.claimed) || l.Best != want.best {
			t.Errorf("%s: got missing %q, claimed %q, %s", subject, l.Missing, l.Claimed, l.Best)
		}
	}
	vocabularies := 0
	for _, touch := range lacks["cybersecurity"].By {
		if slices.Equal(touch.Kinds, []string{"vocabulary"}) && touch.Why == catalogue.OtherKind {
			vocabularies++
		}
	}
	if vocabularies != 3 {
		t.Errorf("got %d vocabularies that touch cybersecurity, want 3", vocabularies)
	}
	for _, l := range must(tables.Lacks(catalogue.Query{Inventory: "a3", AsOf: "2023-03-31"}))(t) {
		if l.Subject.ID == "data" && l.Best != catalogue.IsDraft {
			t.Errorf("got %s: data quality measures were a draft then", l.Best)
		}
	}
}

func TestJudgedGapsAgainstComputedOnes(t *testing.T) {
	c := must(open(t).Compare(catalogue.Query{}))(t)
	if got := []int{len(c.Found), len(c.Claimed), len(c.Missed)}; !slices.Equal(got, []int{10, 6, 24}) {
		t.Errorf("got %d, want 10 found, 6 claimed by a title, 24 missed", got)
	}
	has := func(list []catalogue.Compared, id string) bool {
		return slices.ContainsFunc(list, func(c catalogue.Compared) bool { return c.Gap.ID == id })
	}
	if !has(c.Found, "G-4.1-18") || !has(c.Found, "G-4.2-02") || !has(c.Claimed, "G-4.1-13") || !has(c.Missed, "G-4.3-10") {
		t.Error("metrics and conformity assessment must be found, law must not")
	}
	for _, m := range slices.Concat(c.Found, c.Claimed, c.Missed) {
		if m.Why == "" {
			t.Errorf("%s: no reason", m.Gap.ID)
		}
	}
}

func TestOverlaps(t *testing.T) {
	got := must(open(t).Overlaps(catalogue.Query{Inventory: "a3"}))(t)
	i := slices.IndexFunc(got, func(o catalogue.Overlap) bool { return o.Subject.ID == "robustness" && o.Kind == "method" })
	if i < 0 || len(got[i].Standards) != 2 {
		t.Fatalf("got %+v, want both parts of 24029 for robustness", got)
	}
}

// TestListsAreNeverNull marshals what commands print: their JSON keeps its shape.
func TestListsAreNeverNull(t *testing.T) {
	tables := open(t)
	for name, v := range map[string]any{
		"standards": must(tables.List(catalogue.Filter{}))(t), "coverage": must(tables.Coverage(catalogue.Query{}))(t), "lacks": must(tables.Lacks(catalogue.Query{}))(t),
		"compare": must(tables.Compare(catalogue.Query{}))(t), "threat": must(tables.Threat("evasion"))(t), "requirements": must(tables.Requirements())(t),
		"gaps": must(tables.Gaps())(t), "names": must(tables.Names())(t), "overlaps": must(tables.Overlaps(catalogue.Query{}))(t),
	} {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(b, []byte(":null")) && name != "coverage" || name == "coverage" && bytes.Contains(bytes.ReplaceAll(b, []byte(`"entry":null`), nil), []byte(":null")) {
			t.Errorf("%s: a list is null", name)
		}
	}
}
