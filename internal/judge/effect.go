package judge

import (
	"fmt"

	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/evidence"
	"github.com/assize/assize/internal/plan"
	"github.com/assize/assize/internal/result"
	"github.com/assize/assize/internal/stat"
)

// Effects compares the two runs of every probe that was run with the
// switchable solutions on and off: the same rows, the same seeds, so the
// difference is paired. paired names the 0/1 column of a probe; rows gives an
// observation's rows, nil where they were redacted.
func Effects(p *plan.Plan, observations []evidence.Observation, paired func(probe string) string, rows func(*evidence.Observation) *result.Rows) []dossier.Effect {
	effects := []dossier.Effect{}
	for i := range observations {
		off := &observations[i]
		item := find(p, off.Item)
		if item == nil || item.Deployed {
			continue
		}
		on := deployed(p, off.Probe, observations)
		if on == nil || on.State != result.Measured || off.State != result.Measured || paired(off.Probe) == "" {
			continue
		}
		if e, ok := effect(rows(on), rows(off), paired(off.Probe)); ok {
			e.Probe, e.Goals, e.From = off.Probe, item.Goals, []string{on.ID, off.ID}
			e.Solutions = without(on.SolutionsOn, off.SolutionsOn)
			effects = append(effects, e)
		}
	}
	return effects
}

func find(p *plan.Plan, id string) *plan.Item {
	for i := range p.Items {
		if p.Items[i].ID == id {
			return &p.Items[i]
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
	case e.Lower > 0:
		e.Note = "the solutions help"
	case e.Upper < 0:
		e.Note = "the solutions do harm"
	default:
		e.Note = fmt.Sprintf("no effect is shown on %d rows", e.N)
	}
	return e, true
}
