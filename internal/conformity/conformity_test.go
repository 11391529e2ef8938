package conformity_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assize/assize/internal/catalogue"
	"github.com/assize/assize/internal/conformity"
	"github.com/assize/assize/internal/manifest"
)

var today = time.Date(2026, 11, 22, 17, 30, 0, 0, time.UTC)

func tables(t *testing.T, overlay map[string]string) *catalogue.Tables {
	t.Helper()
	o := catalogue.Options{}
	if overlay != nil {
		o.Dir = t.TempDir()
		for name, text := range overlay {
			if err := os.WriteFile(filepath.Join(o.Dir, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	tb, err := catalogue.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return tb
}

func example(t *testing.T, name string) manifest.Target {
	t.Helper()
	m, err := manifest.Load(t.Context(), "../../examples/"+name)
	if err != nil {
		t.Fatal(err)
	}
	return m.Target
}

func target(c manifest.Classification) manifest.Target {
	return manifest.Target{Name: "t", Version: "1", IntendedPurpose: "Do what it does", Classification: &c}
}

func bySubject(t *testing.T, all []conformity.Finding, subject string) conformity.Finding {
	t.Helper()
	i := slices.IndexFunc(all, func(f conformity.Finding) bool { return f.Subject == subject })
	if i < 0 {
		t.Fatalf("no finding on %q among %+v", subject, all)
	}
	return all[i]
}

type brief struct {
	Answer conformity.Answer
	Basis  conformity.Basis
	Rule   string
}

// TestClassifyExamples holds the two examples: what is declared, and that
// nothing else is taken for granted.
func TestClassifyExamples(t *testing.T) {
	for _, tt := range []struct {
		name  string
		class conformity.Class
		want  map[string]brief
		says  string
	}{
		{"credit", conformity.AnnexIII, map[string]brief{
			"class":                  {conformity.Yes, conformity.Declared, "CR-13"},
			"intended purpose":       {conformity.Open, conformity.Nobody, ""},
			"profiling":              {conformity.Open, conformity.Nobody, ""},
			"exception of Art. 6(3)": {conformity.No, conformity.Declared, ""},
			"Annex I":                {conformity.Open, conformity.Nobody, "CR-12"},
		}, "5(b) Essential services: creditworthiness"},
		{"digits", conformity.NotHighRisk, map[string]brief{
			"class":                  {conformity.No, conformity.Declared, ""},
			"Annex III":              {conformity.Open, conformity.Nobody, "CR-13"},
			"exception of Art. 6(3)": {conformity.Open, conformity.Nobody, ""},
			"Annex I":                {conformity.Open, conformity.Nobody, "CR-12"},
		}, "sorts parcels"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := conformity.Classify(tables(t, nil), example(t, tt.name))
			if err != nil {
				t.Fatal(err)
			}
			if got.Class != tt.class {
				t.Errorf("class %q, want %q", got.Class, tt.class)
			}
			if text := got.Findings[0].Text; !strings.Contains(text, tt.says) {
				t.Errorf("first finding %q does not say %q", text, tt.says)
			}
			for subject, want := range tt.want {
				f := bySubject(t, got.Findings, subject)
				if diff := cmp.Diff(brief{f.Answer, f.Basis, f.Rule}, want); diff != "" {
					t.Errorf("%s (-got +want):\n%s", subject, diff)
				}
			}
			sourced(t, got.Findings)
		})
	}
}

// sourced checks that every finding says where it is from, how sure that is,
// and who says so.
func sourced(t *testing.T, all []conformity.Finding) {
	t.Helper()
	for _, f := range all {
		if f.Source == "" || f.Confidence == "" || f.Basis == "" || f.Text == "" || strings.Contains(f.Text, "%!") {
			t.Errorf("finding says too little: %+v", f)
		}
		if f.Answer == conformity.Open && f.Basis != conformity.Nobody {
			t.Errorf("%s is open, but told by %s", f.Subject, f.Basis)
		}
	}
}

func TestClassOf(t *testing.T) {
	for _, tt := range []struct {
		c    *manifest.Classification
		want conformity.Class
	}{
		{nil, conformity.Untold},
		{&manifest.Classification{AnnexIII: "1(a)"}, conformity.AnnexIII},
		{&manifest.Classification{AnnexI: "Regulation (EU) 2017/745", ThirdParty: true}, conformity.AnnexI},
		{&manifest.Classification{AnnexI: "Regulation (EU) 2017/745"}, conformity.NotHighRisk},
		{&manifest.Classification{None: "sorts parcels"}, conformity.NotHighRisk},
	} {
		if got := conformity.ClassOf(tt.c); got != tt.want {
			t.Errorf("%+v: got %q, want %q", tt.c, got, tt.want)
		}
	}
}

// TestRouteOfEveryUse holds Art. 43(1) and (2): point 1 of Annex III needs a
// notified body as long as no standard is cited, points 2 to 8 never do.
func TestRouteOfEveryUse(t *testing.T) {
	tb := tables(t, nil)
	uses, err := tb.Uses()
	if err != nil || len(uses) != 25 {
		t.Fatalf("%d uses, %v", len(uses), err)
	}
	for _, u := range uses {
		r, err := conformity.FindRoute(tb, target(manifest.Classification{AnnexIII: conformity.Point(u.Point)}), today)
		if err != nil {
			t.Fatal(err)
		}
		want := "CR-03"
		if u.Point[0] == '1' {
			want = "CR-02"
		}
		f := bySubject(t, r.Findings, "procedure")
		if f.Rule != want || f.Answer != conformity.Yes {
			t.Errorf("%s: got %s %s, want yes by %s", u.Point, f.Answer, f.Rule, want)
		}
		if got := strings.Contains(f.Text, "no notified body"); got != (want == "CR-03") {
			t.Errorf("%s: procedure is %q", u.Point, f.Text)
		}
		if !strings.HasPrefix(u.Route, map[bool]string{true: "Annex VI or VII", false: "Annex VI (Art. 43(2))"}[want == "CR-02"]) {
			t.Errorf("%s: the table of uses says %q, the rule is %s", u.Point, u.Route, want)
		}
		if reg := bySubject(t, r.Findings, "registration").Text; reg != u.Registration {
			t.Errorf("%s: registration %q, want %q", u.Point, reg, u.Registration)
		}
		sourced(t, r.Findings)
	}
}

// TestRouteOnceAStandardIsCited lays a citation over the catalogue: the choice
// of Art. 43(1) becomes open, and so does the presumption.
func TestRouteOnceAStandardIsCited(t *testing.T) {
	tb := tables(t, map[string]string{"standards.csv": "id,designation,also,work_items,title,sdo,committee,type,level,reach,supersedes,amendment_to,builds_on,oj,liaison,ai_act,source,confidence\n" +
		"en-1,EN 1,,,Test,CEN,,EN,system,sector,,,,OJ C 2027/1,,Art. 15,test,stored\n"})
	r, err := conformity.FindRoute(tb, target(manifest.Classification{AnnexIII: "1(a)"}), today)
	if err != nil {
		t.Fatal(err)
	}
	for _, subject := range []string{"procedure", "harmonised standards"} {
		if f := bySubject(t, r.Findings, subject); f.Answer != conformity.Open || !strings.Contains(f.Text, "EN 1") {
			t.Errorf("%s: got %s: %s, want it open and EN 1 named", subject, f.Answer, f.Text)
		}
	}
}

func TestRouteOfOtherClasses(t *testing.T) {
	tb := tables(t, nil)
	for _, tt := range []struct {
		name   string
		target manifest.Target
		rule   string
		answer conformity.Answer
		first  string // first date
		second string
	}{
		{"annex i", target(manifest.Classification{AnnexI: "Regulation (EU) 2017/745", ThirdParty: true}), "CR-04", conformity.Yes, "2028-08-02", "2024-08-01"},
		{"annex i without third party", target(manifest.Classification{AnnexI: "Regulation (EU) 2017/745"}), "", conformity.No, "2027-12-02", "2028-08-02"},
		{"annex iii", target(manifest.Classification{AnnexIII: "5(b)"}), "CR-03", conformity.Yes, "2027-12-02", "2024-08-01"},
		{"none", target(manifest.Classification{None: "sorts parcels"}), "", conformity.No, "2027-12-02", "2028-08-02"},
		{"not told", manifest.Target{}, "", conformity.Open, "2027-12-02", "2028-08-02"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := conformity.FindRoute(tb, tt.target, today)
			if err != nil {
				t.Fatal(err)
			}
			f := bySubject(t, r.Findings, "procedure")
			if f.Rule != tt.rule || f.Answer != tt.answer {
				t.Errorf("procedure: got %s by %q, want %s by %q", f.Answer, f.Rule, tt.answer, tt.rule)
			}
			if got := [2]string{r.Dates[0].Date.Date, r.Dates[1].Date.Date}; got != [2]string{tt.first, tt.second} {
				t.Errorf("dates begin with %v, want %s, %s", got, tt.first, tt.second)
			}
			for _, d := range r.Dates {
				high := r.Class == conformity.AnnexIII || r.Class == conformity.AnnexI
				if d.Decides && (d.If == "") != high {
					t.Errorf("%s: condition %q for %s", d.Date.Date, d.If, r.Class)
				}
			}
		})
	}
}

func TestDatesAreCountedFromToday(t *testing.T) {
	tb := tables(t, nil)
	for _, tt := range []struct{ today, want string }{
		{"2026-11-22", "in 375 days"}, {"2027-12-01", "tomorrow"}, {"2027-12-02", "today"}, {"2027-12-03", "passed"},
	} {
		at, err := time.Parse(time.DateOnly, tt.today)
		if err != nil {
			t.Fatal(err)
		}
		r, err := conformity.FindRoute(tb, target(manifest.Classification{AnnexIII: "5(b)"}), at.Add(23*time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		if got := r.Dates[0].When; got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.today, got, tt.want)
		}
	}
}

// TestEveryDateIsPlaced: a date whose reference the program does not know is
// shown to everybody with that said; none of the build's own may need it.
func TestEveryDateIsPlaced(t *testing.T) {
	asked := "the program does not know"
	for _, overlay := range []map[string]string{nil, {"dates.csv": "date,event,reference\n2027-01-01,Sector act applies,Sector act Art. 9\n"}} {
		r, err := conformity.FindRoute(tables(t, overlay), target(manifest.Classification{None: "x"}), today)
		if err != nil {
			t.Fatal(err)
		}
		unplaced := 0
		for _, d := range r.Dates {
			if strings.Contains(d.If, asked) {
				unplaced++
			}
		}
		if unplaced != len(overlay) {
			t.Errorf("%d dates are shown for want of knowing whom they reach, want %d", unplaced, len(overlay))
		}
	}
}

func TestPoints(t *testing.T) {
	tb := tables(t, nil)
	for _, tt := range []struct {
		point string
		uses  int // 0: refused
	}{
		{"5(b)", 1}, {"5b", 1}, {"point 5.b", 1}, {"Annex III, point 5(b)", 1}, {"2", 1}, {"5", 4}, {"9", 0}, {"5(z)", 0}, {"", 0}, {"(b)", 0},
	} {
		got, err := conformity.Classify(tb, target(manifest.Classification{AnnexIII: tt.point}))
		var refused *conformity.PointError
		if tt.uses == 0 && tt.point != "" {
			if !errors.As(err, &refused) || !strings.Contains(err.Error(), "5(b)") {
				t.Errorf("%q: got %v, want a refusal that lists the points", tt.point, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", tt.point, err)
			continue
		}
		asks := slices.ContainsFunc(got.Findings, func(f conformity.Finding) bool { return f.Subject == "which use" })
		if asks != (tt.uses > 1) {
			t.Errorf("%q: asks which use: %v, want %v", tt.point, asks, tt.uses > 1)
		}
	}
}
