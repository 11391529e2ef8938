package runner

import (
	"fmt"

	"github.com/assize/assize/internal/result"
)

// everyRowAsked is the check of an observation that the cap on what is asked cut short.
const everyRowAsked = "every-row-asked"

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
