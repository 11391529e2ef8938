package judge

import (
	"fmt"

	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/evidence"
	"github.com/assize/assize/internal/plan"
	"github.com/assize/assize/internal/result"
	"github.com/assize/assize/internal/stat"
)

// Effects compares runs of a probe that differ by the switchable solutions that
// were on: all of them with none and, where the plan has such runs, each alone with none. The
// rows and seeds are the same, so the difference is paired. paired names the 0/1 column
// of a probe; rows gives an observation's rows, nil where they were redacted.
func Effects(p *plan.Plan, observations []evidence.Observation, paired func(probe string) string, rows func(*evidence.Observation) *result.Rows) []dossier.Effect {
	effects := []dossier.Effect{}
	for i := range p.Items {
		item := &p.Items[i]
		off, on := baseline(p, item.Probe, observations), observed(item.ID, observations)
		if item.Deployed {
			continue
		}
		if on == off {
			on = deployed(p, item.Probe, observations)
		}
		if on == nil || off == nil || on.State != result.Measured || off.State != result.Measured || paired(item.Probe) == "" {
			continue
		}
		if e, ok := effect(rows(on), rows(off), paired(item.Probe)); ok {
			e.Probe, e.Goals, e.From = item.Probe, item.Goals, []string{on.ID, off.ID}
			e.Solutions = without(on.SolutionsOn, off.SolutionsOn)
			effects = append(effects, e)
		}
	}
	return effects
}

// baseline is the run with every switchable solution off: the first of a
// probe's that is not as deployed.
func baseline(p *plan.Plan, probe string, observations []evidence.Observation) *evidence.Observation {
	for i := range p.Items {
		if it := &p.Items[i]; it.Probe == probe && !it.Deployed {
			return observed(it.ID, observations)
		}
	}
	return nil
}

// observed is the observation of an item of the plan, nil where there is none.
func observed(item string, observations []evidence.Observation) *evidence.Observation {
	for i := range observations {
		if observations[i].Item == item {
			return &observations[i]
		}
	}
	return nil
}

func without(all, some []string) []string {
	out := []string{}
	left := map[string]bool{}
	for _, s := range some {
		left[s] = true
	}
	for _, s := range all {
		if !left[s] {
			out = append(out, s)
		}
	}
	return out
}

// effect pairs two tables by row number; rows that only one of them has do not count.
func effect(on, off *result.Rows, column string) (dossier.Effect, bool) {
	a, b := on.Column(column), off.Column(column)
	if a == nil || b == nil {
		return dossier.Effect{}, false
	}
	at := map[int]int{}
	for i, row := range off.Index {
		at[row] = i
	}
	var first, second []bool
	for i, row := range on.Index {
		if j, ok := at[row]; ok {
			first, second = append(first, a[i] == 1), append(second, b[j] == 1)
		}
	}
	pairs, err := stat.CountPairs(first, second)
	if err != nil || pairs.N() == 0 {
		return dossier.Effect{}, false
	}
	in, err := pairs.Tango(0.95)
	if err != nil {
		return dossier.Effect{}, false
	}
	n := float64(pairs.N())
	e := dossier.Effect{
		Outcome: column, N: pairs.N(), Method: "Tango score interval, 95 %",
		On:         float64(pairs.Both+pairs.FirstOnly) / n,
		Off:        float64(pairs.Both+pairs.SecondOnly) / n,
		Difference: pairs.Difference(), Lower: in.Lower, Upper: in.Upper,
	}
	if e.P, err = pairs.McNemarExact(); err != nil {
		return dossier.Effect{}, false
	}
	switch {
	// The interval is approximate and the test exact; they must agree.
	case e.Lower > 0 && e.P <= 0.05:
		e.Note = "the solutions help"
	case e.Upper < 0 && e.P <= 0.05:
		e.Note = "the solutions do harm"
	default:
		e.Note = fmt.Sprintf("no effect is shown on %d rows", e.N)
	}
	return e, true
}
