package terminal

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/assize/assize/internal/plan"
	"github.com/assize/assize/internal/report/wording"
)

// WritePlan writes what would run, on how many rows and at what cost, and what
// would not run and why. cost says the seconds of an item on one core; 0 is not known.
func WritePlan(w io.Writer, p *plan.Plan, cost func(*plan.Item) float64, o Options) error {
	s := newSheet(o)
	s.para(0, 0, bold, fmt.Sprintf("Plan for %s %s at depth %s", p.Target, p.Version, p.Depth))
	for _, o := range p.Overrides {
		s.para(0, 0, bold, wording.Sentence(o.Sentence()))
	}
	if p.ModelError != "" {
		s.para(0, 0, red, "✗ The model could not be opened: "+p.ModelError)
	}
	if p.Guessed {
		s.para(0, 0, "", "The domain is guessed from the data: what is measured on it cannot pass.")
	}
	s.blank()
	rows, sum := [][]string{{"probe", "rows", "queries", "time", "goals"}}, 0.0
	for i := range p.Items {
		it := &p.Items[i]
		row := []string{it.Probe, "–", wording.Whole(int64(it.Queries)), "–", first(it.Goals)}
		if !it.Deployed {
			row[0] += " (off)" // to compare with
		}
		if it.Rows > 0 {
			row[1] = wording.Whole(int64(it.Rows))
		}
		if c := cost(it); c > 0 {
			row[3] = wording.Seconds(c)
			sum += c
		}
		rows = append(rows, row)
	}
	s.table(2, s.fit(rows), []bool{false, true, true, true, false}, rows)
	s.blank()
	total := fmt.Sprintf("%d items, %s queries of the model", len(p.Items), wording.Whole(int64(p.Queries())))
	if sum > 0 {
		total += ", about " + wording.Seconds(sum) + " of one core"
	}
	s.para(0, 0, "", total+".")
	s.budget(p.Budget)
	var exempt []string
	for _, k := range p.Criteria {
		if k.NotApplicable != "" {
			exempt = append(exempt, k.ID+": "+k.NotApplicable)
		}
	}
	s.para(0, 0, "", fmt.Sprintf("%d criteria will decide %d claimed goals: %s.", len(p.Criteria)-len(exempt), len(p.Claims), goals(p.Claims)))
	if slices.ContainsFunc(p.Items, func(i plan.Item) bool { return !i.Deployed }) {
		s.para(0, 0, "", "(off) runs the same rows without the switchable solutions, to measure their effect.")
	}
	var left []string
	for _, l := range p.LeftOut {
		what := l.Probe
		if what == "" {
			what = "goal " + l.Goal
		}
		left = append(left, fmt.Sprintf("%s: %s: %s", what, wording.Words(l.State), l.Reason))
	}
	s.list("Will not run, and why", left)
	s.list("Criteria that do not apply, and why", exempt)
	return s.flush(w, "plan")
}

// budget says what was scaled to fit a budget, and why.
func (s *sheet) budget(b *plan.Budget) {
	if b == nil {
		return
	}
	s.para(0, 0, "", fmt.Sprintf("Fitted to a budget of %s on %d workers: about %s instead of %s.", wording.Seconds(b.Seconds), b.Workers, wording.Seconds(b.Estimate), wording.Seconds(b.Unscaled)))
	if b.Full {
		s.para(0, 0, "", "More time would change nothing: what decides on a claimed goal has all rows and the most queries.")
	}
	var lines []string
	for _, k := range b.Scaled {
		what := fmt.Sprintf("%s: %.0f rows instead of %.0f", k.Probe, k.Rows, k.RowsBefore)
		if k.Queries != k.QueriesBefore {
			what += fmt.Sprintf(", %.0f queries a row instead of %.0f", k.Queries, k.QueriesBefore)
		}
		lines = append(lines, what+": "+k.Why)
	}
	s.list("Scaled to the budget, and why", lines)
	s.blank()
}

// first keeps a column narrow: the goal that a probe is most about.
func first(ids []string) string { return goals(ids[:min(1, len(ids))]) }

func goals(ids []string) string {
	if len(ids) == 0 {
		return "none"
	}
	return strings.Join(ids, ", ")
}
