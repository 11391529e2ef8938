package judge_test

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/evidence"
	"github.com/assize/assize/internal/judge"
	"github.com/assize/assize/internal/plan"
	"github.com/assize/assize/internal/result"
)

// runs is a probe that was run as deployed, with all off, and with each of two solutions alone.
func runs() (*plan.Plan, []evidence.Observation) {
	p := &plan.Plan{}
	var obs []evidence.Observation
	for i, on := range [][]string{{"fixed", "a", "b"}, {"fixed"}, {"fixed", "a"}, {"fixed", "b"}} {
		number := string(rune('1' + i))
		p.Items = append(p.Items, plan.Item{ID: "i-" + number, Probe: "evasion/x", Goals: []string{"evasion"}, Deployed: i == 0, Solutions: on})
		o := observation(number, "evasion/x", nil)
		o.SolutionsOn = on
		obs = append(obs, o)
	}
	return p, obs
}

// table has ones for the first k of n rows that come after skip rows of none.
func table(n, skip, k int) *result.Rows {
	index := make([]int, n)
	for i := range index {
		index[i] = 3*i + 1
	}
	rows := result.NewRows(index, "stands")
	for i := skip; i < skip+k; i++ {
		rows.Columns[0].Values[i] = 1
	}
	return rows
}

func stands(string) string { return "stands" }

func TestEffectsOfEachRun(t *testing.T) {
	p, obs := runs()
	tables := map[string]*result.Rows{
		"o-1": table(50, 0, 40), "o-2": table(50, 0, 25), "o-3": table(50, 0, 30), "o-4": table(50, 0, 25),
	}
	got := judge.Effects(p, obs, stands, func(o *evidence.Observation) *result.Rows { return tables[o.ID] })
	want := []dossier.Effect{
		{Solutions: []string{"a", "b"}, On: 0.8, Off: 0.5, Difference: 0.3, From: []string{"o-1", "o-2"}, Note: "the solutions help", P: math.Pow(2, -14)},
		{Solutions: []string{"a"}, On: 0.6, Off: 0.5, Difference: 0.1, From: []string{"o-3", "o-2"}, Note: "no effect is shown on 50 rows", P: math.Pow(2, -4)},
		{Solutions: []string{"b"}, On: 0.5, Off: 0.5, From: []string{"o-4", "o-2"}, Note: "no effect is shown on 50 rows", P: 1},
	}
	for i := range want {
		w := &want[i]
		w.Probe, w.Goals, w.Outcome, w.N, w.Method = "evasion/x", []string{"evasion"}, "stands", 50, "Tango score interval, 95 %"
	}
	if diff := cmp.Diff(got, want, cmpopts.IgnoreFields(dossier.Effect{}, "Lower", "Upper"), cmpopts.EquateApprox(1e-12, 0)); diff != "" {
		t.Errorf("effects (-got +want):\n%s", diff)
	}
	for _, e := range got {
		if !(e.Lower <= e.Difference && e.Difference <= e.Upper) {
			t.Errorf("interval %v to %v around %v", e.Lower, e.Upper, e.Difference)
		}
	}
}

// pairs makes the two tables of a fourfold table.
func pairs(both, onOnly, offOnly, neither int) (on, off *result.Rows) {
	n := both + onOnly + offOnly + neither
	on, off = table(n, 0, both+onOnly), table(n, 0, both)
	for i := both + onOnly; i < both+onOnly+offOnly; i++ {
		off.Columns[0].Values[i] = 1
	}
	return on, off
}

// TestEffectsPublished uses the counts of two examples of Fagerland, Lydersen
// and Laake 2017, Statistical Analysis of Contingency Tables, chapter 8: the intervals of
// Tango and the p-values of the exact McNemar test that the book states.
func TestEffectsPublished(t *testing.T) {
	for _, tt := range []struct {
		counts            [4]int
		lower, upper, p   float64
		digits, digitsOfP float64
		note              string
		turned            string // with on and off exchanged
	}{
		{[4]int{59, 6, 16, 80}, -0.1240, -0.0054, 0.052479, 5e-5, 5e-7, "no effect is shown on 161 rows", "no effect is shown on 161 rows"},
		{[4]int{1, 1, 7, 12}, -0.517, -0.026, 0.0703125, 5e-4, 5e-8, "no effect is shown on 21 rows", "no effect is shown on 21 rows"},
		{[4]int{10, 0, 12, 10}, -0.5, 0, 2 * math.Pow(2, -12), 1, 1e-12, "the solutions do harm", "the solutions help"},
	} {
		c := tt.counts
		p, obs := runs()
		p.Items, obs = p.Items[:2], obs[:2]
		on, off := pairs(c[0], c[1], c[2], c[3])
		tables := map[string]*result.Rows{"o-1": on, "o-2": off}
		find := func(o *evidence.Observation) *result.Rows { return tables[o.ID] }
		got := judge.Effects(p, obs, stands, find)
		if len(got) != 1 {
			t.Fatalf("%v: got %d effects, want 1", c, len(got))
		}
		e := got[0]
		if math.Abs(e.Lower-tt.lower) > tt.digits || math.Abs(e.Upper-tt.upper) > tt.digits || math.Abs(e.P-tt.p) > tt.digitsOfP || e.Note != tt.note {
			t.Errorf("%v: got %v to %v, p %v, %q; want %v to %v, p %v, %q", c, e.Lower, e.Upper, e.P, e.Note, tt.lower, tt.upper, tt.p, tt.note)
		}
		tables["o-1"], tables["o-2"] = off, on
		back := judge.Effects(p, obs, stands, find)[0]
		if back.Note != tt.turned || math.Abs(back.Lower+e.Upper) > 1e-12 || math.Abs(back.Difference+e.Difference) > 1e-12 {
			t.Errorf("%v: exchanged it is %+v", c, back)
		}
	}
}

func TestEffectsPairRowsByNumber(t *testing.T) {
	p, obs := runs()
	p.Items, obs = p.Items[:2], obs[:2]
	on := result.NewRows([]int{9, 1, 5, 7}, "stands")
	off := result.NewRows([]int{5, 9, 2}, "stands")
	copy(on.Columns[0].Values, []float64{1, 0, 0, 1})
	copy(off.Columns[0].Values, []float64{1, 0, 1})
	tables := map[string]*result.Rows{"o-1": on, "o-2": off}
	got := judge.Effects(p, obs, stands, func(o *evidence.Observation) *result.Rows { return tables[o.ID] })
	// Rows 5 and 9 are in both: row 9 stands with solutions on, row 5 with them off.
	if len(got) != 1 || got[0].N != 2 || got[0].On != 0.5 || got[0].Off != 0.5 {
		t.Errorf("got %+v, want two pairs, one each way", got)
	}
}

func TestNoEffectWhereThereIsNothingToCompare(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*plan.Plan, []evidence.Observation, map[string]*result.Rows)
	}{
		{"run as deployed alone", func(p *plan.Plan, _ []evidence.Observation, _ map[string]*result.Rows) { p.Items = p.Items[:1] }},
		{"no run as deployed", func(p *plan.Plan, _ []evidence.Observation, _ map[string]*result.Rows) { p.Items = p.Items[1:] }},
		{"not measured as deployed", func(_ *plan.Plan, o []evidence.Observation, _ map[string]*result.Rows) { o[0].State = result.Failed }},
		{"not measured without", func(_ *plan.Plan, o []evidence.Observation, _ map[string]*result.Rows) {
			o[1].State = result.NotAvailable
		}},
		{"observation lost", func(_ *plan.Plan, o []evidence.Observation, _ map[string]*result.Rows) { o[1].Item = "i-9" }},
		{"rows redacted", func(_ *plan.Plan, _ []evidence.Observation, r map[string]*result.Rows) { delete(r, "o-2") }},
		{"another column", func(_ *plan.Plan, _ []evidence.Observation, r map[string]*result.Rows) {
			r["o-1"].Columns[0].Name = "x"
		}},
		{"no row in both", func(_ *plan.Plan, _ []evidence.Observation, r map[string]*result.Rows) {
			r["o-2"] = result.NewRows([]int{2}, "stands")
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, obs := runs()
			p.Items, obs = p.Items[:2], obs[:2]
			tables := map[string]*result.Rows{"o-1": table(9, 0, 5), "o-2": table(9, 0, 2)}
			tt.change(p, obs, tables)
			if got := judge.Effects(p, obs, stands, func(o *evidence.Observation) *result.Rows { return tables[o.ID] }); len(got) != 0 {
				t.Errorf("got %+v, want none", got)
			}
		})
	}
	p, obs := runs()
	if got := judge.Effects(p, obs, func(string) string { return "" }, func(*evidence.Observation) *result.Rows { return table(9, 0, 5) }); len(got) != 0 {
		t.Errorf("a probe without a column to pair: got %+v, want none", got)
	}
}
