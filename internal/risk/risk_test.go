package risk_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assize/assize/internal/catalogue"
	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/manifest"
	"github.com/assize/assize/internal/risk"
)

const header = "threat,asset_impact,intensity,potential,potential_with_measures,rated_by,date,reason\n"

func tables(t testing.TB) *catalogue.Tables {
	t.Helper()
	tb, err := catalogue.Open(catalogue.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return tb
}

func example(t *testing.T, name string) *manifest.Manifest {
	t.Helper()
	m, err := manifest.Load(t.Context(), "../../examples/"+name)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func probes() []risk.Probe {
	return []risk.Probe{
		{ID: "evasion/hopskipjump", Threats: []string{"evasion"}, Uses: "a model, a domain", Cites: []string{"A paper, 2020", "AI Act Art. 15(5)"}},
		{ID: "performance/classification", Threats: []string{"model-flaws"}},
		{ID: "availability/malformed", Threats: []string{"denial-of-service"}, Uses: "a model"},
	}
}

func assess(t *testing.T, g risk.Given) *risk.Assessment {
	t.Helper()
	a, err := risk.Assess(tables(t), g)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func threat(t *testing.T, a *risk.Assessment, id string) risk.Threat {
	t.Helper()
	i := slices.IndexFunc(a.Threats, func(x risk.Threat) bool { return x.ID == id })
	if i < 0 {
		t.Fatalf("no threat %s", id)
	}
	return a.Threats[i]
}

// TestBeforeTheTests holds the credit example: what is at stake is named by the
// target's own files, nothing is rated, and what no probe covers is said.
func TestBeforeTheTests(t *testing.T) {
	a := assess(t, risk.Given{Manifest: example(t, "credit"), Probes: probes()})
	got := threat(t, a, "data-poisoning")
	if diff := cmp.Diff(got.TargetAssets, []string{"training data (train.csv)", "model (model.onnx)"}); diff != "" {
		t.Errorf("assets (-got +want):\n%s", diff)
	}
	if got.Before != nil || got.After != nil || got.Facts != nil || got.Residual != "" || got.Probes != nil || got.ToTest != "not rated; nothing here tests it" {
		t.Errorf("unrated and unmeasured threat says %+v", got)
	}
	if got := threat(t, a, "evasion"); !slices.Equal(got.Claimed, []string{"evasion"}) || !slices.Equal(got.Probes, []string{"evasion/hopskipjump"}) || got.ToTest != "not rated: tested" {
		t.Errorf("evasion: %+v", got)
	}
	if a.Unrated != len(a.Threats) || !slices.Contains(a.Uncovered, "oracle") || slices.Contains(a.Uncovered, "evasion") {
		t.Errorf("unrated %d of %d, uncovered %q", a.Unrated, len(a.Threats), a.Uncovered)
	}
	if got := strings.Join(a.Assumptions, "\n"); !strings.Contains(got, "black-box access, changes within linf 1 as a share of each feature's range, 1000 queries a row") || !strings.Contains(got, "confirmed by Product owner") {
		t.Errorf("assumptions: %s", got)
	}
}

// TestRating follows ETSI TS 102 165-1: impact is that on the asset plus the
// intensity, at most 3; likelihood is 3 for what a basic attacker can do and 1
// for what takes a high potential; the product is minor to 2, major to 4, critical from 6.
func TestRating(t *testing.T) {
	for _, tt := range []struct {
		impact, intensity, potential string
		likelihood, combined         int
		class                        string
	}{
		{"low", "single instance", "Beyond High", 1, 1, "minor"},
		{"low", "moderate level of multiple instances", "High", 1, 2, "minor"},
		{"low", "heavy level of multiple instances", "High", 1, 3, "major"},
		{"medium", "single instance", "Moderate", 2, 2, "major"},
		{"medium", "moderate level of multiple instances", "Moderate", 2, 3, "critical"},
		{"high", "heavy level of multiple instances", "Basic", 3, 3, "critical"}, // 3 + 2 is capped
		{"low", "single instance", "Enhanced-Basic", 3, 1, "major"},
		{"high", "single instance", "Basic", 3, 3, "critical"},
	} {
		a := assess(t, risk.Given{Manifest: example(t, "digits"), Answers: []risk.Answer{{Threat: "oracle", Impact: tt.impact, Intensity: tt.intensity, Potential: tt.potential, By: "Ann"}}})
		if a.Threats[0].ID != "oracle" {
			t.Errorf("the rated threat stands behind %s", a.Threats[0].ID)
		}
		want := &risk.Rating{Likelihood: tt.likelihood, Impact: tt.combined, Class: tt.class, Confidence: "own-knowledge", By: "Ann"}
		if diff := cmp.Diff(a.Threats[0].Before, want); diff != "" {
			t.Errorf("%s, %s, %s (-got +want):\n%s", tt.impact, tt.intensity, tt.potential, diff)
		}
	}
}

func TestRatingOrdersAndDecides(t *testing.T) {
	rate := func(threat, impact, potential, with string) risk.Answer {
		return risk.Answer{Threat: threat, Impact: impact, Intensity: "single instance", Potential: potential, With: with}
	}
	a := assess(t, risk.Given{Manifest: example(t, "credit"), Probes: probes(), Answers: []risk.Answer{
		rate("denial-of-service", "low", "High", ""), rate("evasion", "medium", "Moderate", "Beyond High"), rate("oracle", "high", "Basic", ""), rate("model-disclosure", "low", "High", ""),
	}})
	type line struct{ ID, ToTest string }
	var got []line
	for _, x := range a.Threats[:4] {
		got = append(got, line{x.ID, x.ToTest})
	}
	want := []line{
		{"oracle", "critical: needs another test or a record, nothing here tests it"},
		{"evasion", "major: to be tested"},
		{"denial-of-service", "minor: may go untested, but its probes run"},
		{"model-disclosure", "minor: may go untested"},
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("order (-got +want):\n%s", diff)
	}
	if with := a.Threats[1].After; with == nil || with.Class != "minor" || with.Likelihood != 1 {
		t.Errorf("with measures: %+v, want minor by likelihood 1", with)
	}
	if _, err := risk.Assess(tables(t), risk.Given{Manifest: example(t, "credit"), Answers: []risk.Answer{rate("evasion", "enormous", "Basic", "")}}); err == nil || !strings.Contains(err.Error(), "enormous") {
		t.Errorf("a value that the table does not have: %v", err)
	}
}

func TestAfterTheTests(t *testing.T) {
	d, err := dossier.Read("../report/html/testdata")
	if err != nil {
		t.Fatal(err)
	}
	m := &manifest.Manifest{Target: d.Target, Solutions: d.Solutions, Claims: d.Plan.Claims}
	a := assess(t, risk.Given{Manifest: m, Probes: probes(), Dossier: d})
	for id, want := range map[string]string{
		"evasion":           "stands: evasion fails",
		"denial-of-service": "less, within what was tested",
		"model-flaws":       "not shown to be less: accuracy is inconclusive",
		"data-poisoning":    "as before: nothing measured it",
		"model-poisoning":   "less in part, within what was tested: artefact-safety is not assessed",
	} {
		got := threat(t, a, id)
		if got.Residual != want {
			t.Errorf("%s: residual %q, want %q", id, got.Residual, want)
		}
	}
	if facts := threat(t, a, "evasion").Facts; len(facts) != 2 || !strings.Contains(facts[0], "n 600: fail (set by the provider)") {
		t.Errorf("facts of evasion: %q", facts)
	}
}

func TestCosts(t *testing.T) {
	d, err := dossier.Read("../report/html/testdata")
	if err != nil {
		t.Fatal(err)
	}
	costs, err := risk.Costs(tables(t), d, probes())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range costs {
		got = append(got, c.Observation)
		var names []string
		for _, f := range c.Factors {
			names = append(names, f.Name)
			if len(f.Facts) == 0 || len(f.Choices) < 4 {
				t.Errorf("%s %s: %d facts, %d steps", c.Probe, f.Name, len(f.Facts), len(f.Choices))
			}
			for _, s := range slices.Concat(f.Facts, f.Choices, c.Outcome) {
				if strings.Contains(s, "AVA_VAN") || strings.Contains(strings.ToLower(s), "points") {
					t.Errorf("%s: %q rates", f.Name, s)
				}
			}
		}
		want := []string{"elapsed time", "specialist expertise", "knowledge of the target", "window of opportunity", "equipment"}
		if diff := cmp.Diff(names, want); diff != "" {
			t.Errorf("factors (-got +want):\n%s", diff)
		}
	}
	// o-1 and o-2 attack nothing; o-4 ran without the deployed solutions.
	if diff := cmp.Diff(got, []string{"o-3", "o-5"}); diff != "" {
		t.Errorf("attacks (-got +want):\n%s", diff)
	}
	if e := costs[0].Factors[1].Facts; !slices.Contains(e, "the method is published: A paper, 2020") {
		t.Errorf("expertise: %q", e)
	}
	if c := costs[0].Factors[0].Confidence; c != "own-knowledge" {
		t.Errorf("the steps of elapsed time are %s, want own-knowledge", c)
	}
}

func TestParseAnswers(t *testing.T) {
	choices, err := risk.Choices(tables(t))
	if err != nil {
		t.Fatal(err)
	}
	threats := []string{"evasion", "oracle"}
	for _, tt := range []struct{ name, csv, want string }{
		{"rated", header + "evasion,low,single instance,Basic,,Ann,2026-11-03,because\noracle,,,,,,,\n", ""},
		{"empty", "", "line 1: no header"},
		{"other columns", "a,b\n", `no column "threat"`},
		{"unknown threat", header + "weather,,,,,,,\n", `line 2: there is no threat "weather"`},
		{"half", header + "evasion,low,,Basic,,Ann,2026-11-03,because\n", `intensity of evasion is ""`},
		{"only with measures", header + "evasion,,,,Basic,Ann,2026-11-03,because\n", `asset_impact of evasion is ""`},
		{"other value", header + "evasion,5,single instance,Basic,,Ann,2026-11-03,because\n", `asset_impact of evasion is "5"`},
		{"nobody", header + "evasion,low,single instance,Basic,,,2026-11-03,because\n", "no rated_by"},
		{"no reason", header + "evasion,low,single instance,Basic,,Ann,2026-11-03,\n", "no reason"},
		{"no date", header + "evasion,low,single instance,Basic,,Ann,soon,because\n", `date "soon"`},
		{"twice", header + "evasion,low,single instance,Basic,,Ann,2026-11-03,because\nevasion,,,,,,,\n", "line 3: threat evasion was rated in line 2"},
		{"open quote", header + "evasion,\"low\n", "quote"},
		{"too long", header + strings.Repeat("x", 2<<20), "longer than"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := risk.ParseAnswers([]byte(tt.csv), "r.csv", threats, choices)
			if tt.want == "" {
				want := []risk.Answer{{Line: 2, Threat: "evasion", Impact: "low", Intensity: "single instance", Potential: "Basic", By: "Ann", Date: "2026-11-03", Reason: "because"}}
				if diff := cmp.Diff(got, want); diff != "" || err != nil {
					t.Errorf("answers: %v (-got +want):\n%s", err, diff)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Count(err.Error(), "\nhint: ") != 1 {
				t.Errorf("got %v, want %q and a hint", err, tt.want)
			}
		})
	}
}

func TestReadAnswers(t *testing.T) {
	name := filepath.Join(t.TempDir(), "risk.csv")
	if err := os.WriteFile(name, []byte(header+"evasion,low,single instance,Basic,High,Ann,2026-11-03,because\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	got, err := risk.ReadAnswers(name, tables(t))
	if err != nil || len(got) != 1 || got[0].With != "High" {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err := risk.ReadAnswers(name+"x", tables(t)); err == nil {
		t.Error("a file that is not there was read")
	}
}

func FuzzParseAnswers(f *testing.F) {
	choices, err := risk.Choices(tables(f))
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(header + "evasion,low,single instance,Basic,,Ann,2026-11-03,because\n"))
	f.Add([]byte("\ufeff" + header + "evasion,,,,,,,\n\"\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := risk.ParseAnswers(b, "r.csv", []string{"evasion"}, choices)
		if err != nil {
			return
		}
		for _, a := range got {
			if a.Threat != "evasion" || a.By == "" || !slices.Contains(choices["potential"], a.Potential) {
				t.Errorf("accepted %+v", a)
			}
		}
	})
}
