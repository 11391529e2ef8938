package runner

import (
	"fmt"
	"slices"

	"github.com/assize/assize/internal/result"
)

// everyRowAsked is the check of an observation that the cap on what is asked cut short.
const everyRowAsked = "every-row-asked"

// first holds the items that speak to a claimed goal, and those that they read, as long as one of them has
// not ended: under a cap nothing else asks before them. It is nil where all may begin.
func (r *run) first() map[string]bool {
	if r.plan.Cap == nil {
		return nil
	}
	first, open := map[string]bool{}, false
	for i := len(r.plan.Items) - 1; i >= 0; i-- { // an item stands behind those that it reads
		it := r.items[r.plan.Items[i].ID]
		if !first[it.ID] && !slices.ContainsFunc(it.Goals, func(id string) bool { return slices.Contains(r.plan.Claims, id) }) {
			continue
		}
		first[it.ID], open = true, open || !it.ended
		for _, id := range it.After {
			first[id] = true
		}
	}
	if !open {
		return nil
	}
	return first
}

// uncovered says what the cap kept from being asked; "" where that is nothing.
func (r *run) uncovered(it *item) string {
	what := "rows"
	switch {
	case it.unasked == 0:
		return ""
	case it.probe.Rows == nil:
		return fmt.Sprintf("it was not finished: the run reached its cap of %s", r.plan.Cap)
	case it.probe.Cases:
		what = "cases"
	}
	return fmt.Sprintf("%d of %d %s were not asked: the run reached its cap of %s", it.unasked, it.Rows, what, r.plan.Cap)
}

// blocked says why an item cannot be measured after all: a result that it reads is not there.
func (r *run) blocked(it *item) string {
	if it.probe.Joins() {
		return "" // it joins what there is
	}
	for _, id := range it.After {
		before := r.items[id]
		if before.result.State != result.Measured {
			return fmt.Sprintf("it reads the result of %s, which is %s", before.Probe, before.result.State)
		}
		for _, v := range before.result.Validity {
			if v.Check == everyRowAsked && !v.OK {
				return fmt.Sprintf("it reads the result of %s: %s", before.Probe, v.Note)
			}
		}
	}
	return ""
}
