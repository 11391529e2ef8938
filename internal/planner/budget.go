package planner

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/plan"
	"github.com/assize/assize/internal/probes/suite"
)

// knob is a probe whose rows, and where the threat model leaves it open, queries can be scaled.
type knob struct {
	probe   *measure.Probe
	decides bool // a criterion of a claimed goal reads it, by an interval that more rows make narrower
	rows    span
	queries span // zero where it cannot be scaled
	items   []*plan.Item
}

// span is a parameter: as the depth has it, and the least and the most it can be.
type span struct{ at, least, most float64 }

// held keeps v within the span.
func (s span) held(v float64) float64 { return math.Round(min(max(v, s.least), s.most)) }

// steps of the scale are eighths of a doubling; 10 doublings either way.
const stepsPerDoubling, mostSteps = 8, 80

// Fit scales the rows and queries of a plan so that it takes about the budget of wall
// time on so many workers, and writes down in the plan what was scaled. A probe that
// decides on a claimed goal by an interval comes first: it loses least where time is short and alone gains
// where there is more. Rows stay between those of depth quick and all, queries, unless the manifest
// states them, between those of quick and thorough. seconds estimates an item on one core. Where not even
// the least fits, the error says what would.
func Fit(p *plan.Plan, t Target, probes []measure.Probe, seconds func(*plan.Item) float64, workers int, budget time.Duration) error {
	knobs, err := knobsOf(p, t, probes)
	if err != nil {
		return err
	}
	wall := func() float64 {
		sum := 0.0
		for i := range p.Items {
			sum += seconds(&p.Items[i])
		}
		return sum / float64(max(1, workers))
	}
	before := wall()
	best := -mostSteps - 1
	least := 0.0
	for step := -mostSteps; step <= mostSteps; step++ {
		for _, k := range knobs {
			k.turn(t, step)
		}
		at := wall()
		if step == -mostSteps {
			least = at
		}
		if at > budget.Seconds() {
			break // what comes behind takes no less
		}
		best = step
	}
	if best < -mostSteps {
		whole := time.Duration(math.Ceil(1.1*least)) * time.Second
		return fmt.Errorf("plan %q: a budget of %v is too small: with the fewest rows and queries it takes about %v on %d workers\nhint: --budget %v or more, or fewer claims and attacks in the manifest", p.Target, budget, time.Duration(math.Ceil(least))*time.Second, workers, whole)
	}
	p.Budget = &plan.Budget{Seconds: budget.Seconds(), Workers: workers, Unscaled: before, Scaled: []plan.Scaled{}}
	for _, k := range knobs {
		k.turn(t, best)
		if s, changed := k.scaled(best); changed {
			p.Budget.Scaled = append(p.Budget.Scaled, s)
		}
	}
	p.Budget.Estimate, p.Budget.Full = wall(), best == mostSteps
	return nil
}

// Rescale scales a plan as another one was.
func Rescale(p *plan.Plan, t Target, probes []measure.Probe, as *plan.Budget) error {
	knobs, err := knobsOf(p, t, probes)
	if err != nil {
		return err
	}
	p.Budget = as
	for _, s := range as.Scaled {
		i := slices.IndexFunc(knobs, func(k *knob) bool { return k.probe.ID == s.Probe })
		if i < 0 {
			return fmt.Errorf("plan %q: %s was scaled to a budget, and cannot be", p.Target, s.Probe)
		}
		k := knobs[i]
		if k.rows.held(s.Rows) != s.Rows || s.Queries != 0 && (k.queries == span{} || k.queries.held(s.Queries) != s.Queries) {
			return fmt.Errorf("plan %q: %s was scaled to a budget beyond what it can be", p.Target, s.Probe)
		}
		k.set(t, s.Rows, s.Queries)
	}
	return nil
}

// knobsOf finds what can be scaled, in the order of the plan.
func knobsOf(p *plan.Plan, t Target, probes []measure.Probe) ([]*knob, error) {
	var knobs []*knob
	for i := range p.Items {
		it := &p.Items[i]
		if at := slices.IndexFunc(knobs, func(k *knob) bool { return k.probe.ID == it.Probe }); at >= 0 {
			knobs[at].items = append(knobs[at].items, it)
			continue
		}
		probe, ok := suite.Find(probes, it.Probe)
		if !ok || probe.Rows == nil || probe.Cases || it.Rows == 0 {
			continue
		}
		k := &knob{probe: probe, items: []*plan.Item{it}, decides: decides(p, probe)}
		for _, d := range probe.Params {
			var stated any
			if d.Manifest != "" {
				stated, _ = fromManifest(t, d.Manifest)
			}
			quick, numeric := d.Quick.(float64)
			if stated != nil || !numeric {
				continue
			}
			at := measure.Params(it.Parameters).Float(d.Name)
			switch d.Name {
			case "rows":
				at = min(at, float64(t.Facts.TestRows))
				k.rows = span{at, min(quick, at), float64(t.Facts.TestRows)}
			case "queries":
				thorough, _ := d.Thorough.(float64)
				k.queries = span{at, min(quick, at), max(thorough, at)}
			}
		}
		if k.rows != (span{}) && k.rows.least < k.rows.most {
			knobs = append(knobs, k)
		}
	}
	return knobs, nil
}

// decides tells whether a criterion of a claimed goal reads the probe, or one that joins it, by an interval.
func decides(p *plan.Plan, probe *measure.Probe) bool {
	for _, k := range p.Criteria {
		if k.NotApplicable != "" || !slices.Contains(p.Claims, k.Goal) {
			continue
		}
		if k.Probe == probe.ID || probe.Feeds != "" && k.Probe == probe.Feeds {
			return true
		}
	}
	return false
}

// turn scales by step eighths of a doubling: rows first and, where they come to their end,
// queries by what is left. What decides nothing that is claimed loses twice as much, and gains nothing.
func (k *knob) turn(t Target, step int) {
	if !k.decides {
		step = min(0, 2*step)
	}
	times := math.Exp2(float64(step) / stepsPerDoubling)
	rows := k.rows.held(k.rows.at * times)
	queries := 0.0
	if k.queries != (span{}) {
		queries = k.queries.held(k.queries.at * times * k.rows.at / rows)
	}
	k.set(t, rows, queries)
}

// set gives all runs of the probe the same parameters, so that they pair, and estimates them anew.
func (k *knob) set(t Target, rows, queries float64) {
	for _, it := range k.items {
		params := measure.Params{}
		for name, v := range it.Parameters {
			params[name] = v
		}
		params["rows"] = rows
		if queries > 0 {
			params["queries"] = queries
		}
		it.Parameters = params
		scope := measure.Scope{TestRows: t.Facts.TestRows, Width: t.Facts.Width, Classes: t.Facts.Classes, Trees: t.HasTrees, Params: params}
		it.Rows = min(k.probe.Rows(scope), t.Facts.TestRows)
		if k.probe.Queries != nil {
			it.Queries = k.probe.Queries(scope) * copies(t.Manifest, it.Solutions)
		}
	}
}

// scaled says what was changed and why; false where nothing was.
func (k *knob) scaled(step int) (plan.Scaled, bool) {
	params := measure.Params(k.items[0].Parameters)
	s := plan.Scaled{Probe: k.probe.ID, Rows: params.Float("rows"), RowsBefore: k.rows.at}
	if k.queries != (span{}) {
		s.Queries, s.QueriesBefore = params.Float("queries"), k.queries.at
	}
	switch {
	case step > 0:
		s.Why = "a claimed goal is decided by its interval, which more rows make narrower"
	case k.decides:
		s.Why = "the budget; it decides on a claimed goal and so keeps the larger share"
	default:
		s.Why = "the budget; it decides on nothing that is claimed"
	}
	return s, s.Rows != s.RowsBefore || s.Queries != s.QueriesBefore
}
