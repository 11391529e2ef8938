package evasion_test

import (
	"slices"
	"testing"

	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/model"
	"github.com/assize/assize/internal/probes/evasion"
)

// TestSolutionsAgainstAttacks runs every attack of the family with and without each solution
// that stands in its way, on a plane.
func TestSolutionsAgainstAttacks(t *testing.T) {
	solutions := []model.Solution{
		{Name: "limit", Type: model.QueryLimit, Queries: 12}, {Name: "hidden", Type: model.DecisionOnly}, {Name: "band", Type: model.RejectBand, Margin: 0.02},
	}
	var fell = map[string]map[string]float64{}
	for _, on := range [][]string{nil, {"limit"}, {"hidden"}, {"band"}} {
		s := linear(60, 10, "linf", 600)
		var all []float64
		for _, row := range s.rows {
			all = append(all, exact(s, row, "linf"))
		}
		s.params["epsilon"] = 1.5 * median(all)
		s.solutions, s.on = solutions, on
		family := s.family(t)
		name := "none"
		if len(on) > 0 {
			name = on[0]
		}
		fell[name] = map[string]float64{}
		for id, r := range family {
			fell[name][id] = sum(r.Rows.Column("broken"))
			limit := map[bool]float64{true: 12 + 2, false: 600}[name == "limit"] // two more for asking again
			if got := slices.Max(r.Rows.Column("queries")); got > limit {
				t.Errorf("%s, %s: got %v questions for a row, want at most %v", name, id, got, limit)
			}
		}
		p := find(t, evasion.Worst)
		r, err := p.Join(&measure.Joint{Params: params(p, s.params), Results: family})
		if err != nil {
			t.Fatal(err)
		}
		fell[name]["worst"] = sum(r.Rows.Column("broken"))
	}
	for _, id := range []string{"evasion/hopskipjump", "evasion/boundary"} {
		if with, without := fell["limit"][id], fell["none"][id]; with >= without/2 {
			t.Errorf("%s breaks %v rows within 12 questions and %v without a limit, want far fewer", id, with, without)
		}
	}
	if with, without := fell["hidden"]["evasion/square"], fell["none"]["evasion/square"]; with >= without {
		t.Errorf("square breaks %v rows from decisions alone and %v from scores, want fewer", with, without)
	}
	if with, without := fell["hidden"]["worst"], fell["none"]["worst"]; with < 0.9*without {
		t.Errorf("decisions alone: %v rows fall, %v without; attacks by decisions should make up for it", with, without)
	}
	if with, without := fell["band"]["worst"], fell["none"]["worst"]; with >= without {
		t.Errorf("behind a reject band %v rows fall, %v without, want fewer", with, without)
	}
}
