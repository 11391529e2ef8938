package evasion_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/probes/evasion"
	"github.com/assize/assize/internal/result"
	"github.com/google/go-cmp/cmp"
)

// outcome is what an attack made of the rows 0, 1, 2 …: the distance of its change, 0 where none gains. The threat
// model's epsilon is 1. All rows are right and attackable.
func outcome(distances ...float64) *result.Result {
	var index []int
	for i := range distances {
		index = append(index, i)
	}
	rows := result.NewRows(index, "attackable", "right", "inside", "gained", "broken", "distance")
	for i, d := range distances {
		for _, name := range []string{"attackable", "right", "inside"} {
			rows.Column(name)[i] = 1
		}
		if d > 0 {
			rows.Column("gained")[i] = 1
		}
		if d > 0 && d <= 1 {
			rows.Column("broken")[i] = 1
		}
		rows.Column("distance")[i] = d
	}
	return &result.Result{State: result.Measured, Rows: rows}
}

func worst(t *testing.T, of map[string]*result.Result) *result.Result {
	t.Helper()
	p := find(t, evasion.Worst)
	r, err := p.Join(&measure.Joint{
		Params: params(p, measure.Params{"epsilon": 1.0}), Rows: &result.Rows{}, Results: of,
		Facts: measure.Facts{Classes: 2, ClassNames: []string{"no", "yes"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestWorstOfEachRow joins three attacks of which one saw fewer rows.
func TestWorstOfEachRow(t *testing.T) {
	first, second := outcome(0.5, 0, 2, 0, 0, 0.9), outcome(0.4, 0.8, 0, 3)
	noise := outcome(0, 0, 0, 0, 0.7, 0, 0.1, 0.1) // two rows that nothing else attacked
	r := worst(t, map[string]*result.Result{
		"evasion/a": first, "evasion/b": second, "evasion/noise": noise,
		"evasion/c": result.Unmeasured(result.NotApplicable, "there are no trees"),
	})
	want := map[string][]float64{
		"broken": {1, 1, 0, 0, 1, 1}, "stands": {0, 0, 1, 1, 0, 0}, "gained": {1, 1, 1, 1, 1, 1},
		"distance": {0.4, 0.8, 2, 3, 0.7, 0.9}, "winner": {2, 2, 1, 2, 3, 1}, "attacks": {2, 2, 2, 2, 1, 1},
	}
	for name, v := range want {
		if diff := cmp.Diff(r.Rows.Column(name), v); diff != "" {
			t.Errorf("column %s (-got +want):\n%s", name, diff)
		}
	}
	for name, v := range map[string]float64{
		"robust_accuracy": 2.0 / 6, "attack_success": 4.0 / 6, "clean_accuracy": 1, "attacks": 2, "attacks_a_row": 10.0 / 6, "broken_by_one_attack": 1.0 / 4, "noise_success": 1.0 / 6,
	} {
		if got := r.Metrics[name].Value; got != v {
			t.Errorf("got %s %v, want %v", name, got, v)
		}
	}
	check(t, r, "attack-beats-noise", true)
	check(t, r, "attacks-agree-on-rows", true)
	if notes := strings.Join(r.Notes, "\n"); !strings.Contains(notes, "evasion/c (not applicable: there are no trees)") {
		t.Errorf("got notes %q, want the attack that was left out", notes)
	}
	i := slices.IndexFunc(r.Pictures, func(p result.Picture) bool { return p.ID == "attacks" })
	want3 := [][]float64{{2, 2, 1}, {1, 2, 1}, {0, 1, 0}}
	for k, s := range r.Pictures[i].Series {
		if diff := cmp.Diff(s.Y, want3[k]); diff != "" {
			t.Errorf("bars %q (-got +want):\n%s", s.Name, diff)
		}
	}
	rows := [][]string{
		{"evasion/a", "6", "2", "1", "0", "0.5", "0.9"}, {"evasion/b", "4", "2", "2", "1", "0.4", "0.8"}, {"evasion/noise", "8", "3", "1", "0", "0.1", "0.1"},
	}
	if diff := cmp.Diff(r.Tables[0].Rows, rows); diff != "" {
		t.Errorf("table (-got +want):\n%s", diff)
	}
}

func TestWorstChecks(t *testing.T) {
	noise := outcome(0.5, 0.5, 0)
	r := worst(t, map[string]*result.Result{"evasion/a": outcome(0, 0, 0.5), "evasion/noise": noise})
	check(t, r, "attack-beats-noise", false)
	check(t, r, "enough-rows", false)

	other := outcome(0.5, 0, 0)
	other.Rows.Column("right")[1] = 0
	r = worst(t, map[string]*result.Result{"evasion/a": outcome(0, 0, 0.5), "evasion/b": other})
	check(t, r, "attacks-agree-on-rows", false)

	weak := outcome(0, 0, 0)
	weak.Check("attack-beats-noise", false, "noise broke more")
	weak.Check("final-inputs-feasible", false, "one is not")
	r = worst(t, map[string]*result.Result{"evasion/a": outcome(0.5, 0.5, 0.5), "evasion/b": weak, "evasion/noise": noise})
	check(t, r, "attack-beats-noise", true)
	check(t, r, "evasion/b: final-inputs-feasible", false)
	if notes := strings.Join(r.Notes, "\n"); !strings.Contains(notes, "evasion/b failed its own check attack-beats-noise (noise broke more)") {
		t.Errorf("got notes %q, want what the others made up for", notes)
	}
}

func TestWorstWithoutAttacks(t *testing.T) {
	for name, of := range map[string]map[string]*result.Result{
		"nothing ran": {"evasion/a": result.Unmeasured(result.Failed, "out of memory")},
		"noise alone": {"evasion/noise": outcome(0.5), "evasion/a": result.Unmeasured(result.Failed, "out of memory")},
	} {
		if r := worst(t, of); r.State != result.NotAvailable || !strings.Contains(r.Reason, "evasion/a (failed: out of memory)") {
			t.Errorf("%s: got %s %q, want not available with the reasons", name, r.State, r.Reason)
		}
	}
	p := find(t, evasion.Worst)
	bad := &result.Result{State: result.Measured, Rows: result.NewRows([]int{1}, "attackable")}
	if _, err := p.Join(&measure.Joint{Results: map[string]*result.Result{"evasion/a": bad}}); err == nil {
		t.Error("got no error for an attack without the columns, want one")
	}
}

// TestWorstByClass runs the whole family and looks at what each class keeps.
func TestWorstByClass(t *testing.T) {
	s := linear(40, 6, "linf", 300)
	r := worst(t, s.family(t))
	stands, of := [2]float64{}, [2]float64{}
	for i, c := range r.Rows.Column("class") {
		if want := float64(s.labels[r.Rows.Index[i]]); c != want {
			t.Fatalf("row %d: got class %v, want %v", i, c, want)
		}
		of[int(c)]++
		stands[int(c)] += r.Rows.Column("stands")[i]
	}
	if got, want := r.Metrics["robust_accuracy_worst_class"].Value, min(stands[0]/of[0], stands[1]/of[1]); got != want {
		t.Errorf("got %v for the worst class, want %v", got, want)
	}
}
