package poisoning

import (
	"context"
	"errors"
	"fmt"

	"github.com/assize/assize/internal/dataset"
	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/result"
)

// set is one data set under search.
type set struct {
	measure.Set
	index *index
	// counts over its rows
	duplicates, conflictGroups, conflictRows, near, nearConflict int
}

func runDuplicates(ctx context.Context, c *measure.Case) (*result.Result, error) {
	sets, err := open(c)
	if err != nil {
		return nil, err
	}
	rows := 0
	for _, s := range sets {
		rows += s.Table.Len()
	}
	if rows == 0 {
		return result.Unmeasured(result.NotAvailable, "the data sets have no rows"), nil
	}
	left := c.Params.Int("comparisons")
	budget := left
	var tables []*dataset.Table
	for _, s := range sets {
		tables = append(tables, s.Table)
	}
	inv := ranges(tables)
	f := &findings{res: &result.Result{State: result.Measured, Metrics: map[string]result.Metric{}}}
	for i, s := range sets {
		s.index = newIndex(s, inv, c.Params.Float("near"), &left)
		if err := s.search(ctx, f); err != nil {
			return nil, err
		}
		c.Done(0.5 * float64(i+1) / float64(len(sets)))
	}
	train, test := byRole(sets)
	sum(f.res, sets, rows)
	if train != nil && test != nil {
		if err := leaks(ctx, f, train, test); err != nil {
			return nil, err
		}
	} else {
		f.res.Notes = append(f.res.Notes, "the manifest names one data set: whether test rows were trained on cannot be said")
	}
	complete := left > 0
	f.res.Check("search-complete", complete, fmt.Sprintf("%d comparisons of at most %d were made; equal rows are found without any.", budget-left, budget))
	left = budget
	plant(f.res, sets[0], c)
	f.finish()
	c.Done(1)
	return f.res, nil
}

// open checks that the sets can be compared with each other.
func open(c *measure.Case) ([]*set, error) {
	if n := c.Params.Float("near"); !(n > 0 && n < 1) {
		return nil, errors.New("read parameters: near is not between 0 and 1")
	}
	var sets []*set
	for _, s := range c.Sets {
		if s.Table.Width != c.Sets[0].Table.Width {
			return nil, fmt.Errorf("compare data sets: %s has %d values a row, %s has %d\nhint: give both data sets the model's inputs", s.Name, s.Table.Width, c.Sets[0].Name, c.Sets[0].Table.Width)
		}
		sets = append(sets, &set{Set: s})
	}
	if len(sets) == 0 {
		return nil, errors.New("compare data sets: there are none")
	}
	return sets, nil
}

func byRole(sets []*set) (train, test *set) {
	for _, s := range sets {
		if s.Training {
			train = s
		} else {
			test = s
		}
	}
	return train, test
}

// label is the class that a row was labelled with, if it was. Measured targets differ
// between equal rows without anything being wrong, so they are no labels here.
func (s *set) label(i int) (int, bool) {
	if s.Table.Y == nil {
		return 0, false
	}
	return s.Table.Y[i], true
}

// search counts what is wrong within one set.
func (s *set) search(ctx context.Context, f *findings) error {
	for i, g := range s.index.groups {
		if i%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		s.twice(g, f)
		near, contrary := false, false
		s.index.visit(s.index.first(g), func(other *group) bool {
			near, contrary = true, contrary || conflict(g, other)
			return !contrary
		})
		s.near += len(g.rows) * one(near)
		s.nearConflict += len(g.rows) * one(contrary)
	}
	return nil
}

// conflict tells whether two groups hold different labels.
func conflict(a, b *group) bool {
	for l := range a.labels {
		for m := range b.labels {
			if l != m {
				return true
			}
		}
	}
	return false
}

// twice counts the rows of a group that stand there more than once: with the
// same label as a duplicate, with another in conflict.
func (s *set) twice(g *group, f *findings) {
	n := len(g.rows)
	if n < 2 {
		return
	}
	s.duplicates += n - max(1, len(g.labels))
	if len(g.labels) < 2 {
		f.add(finding{rule: "poisoning/equal-rows", severity: result.Info, set: s.Name, rows: g.rows, what: fmt.Sprintf("%d rows are equal in every input", n), fix: "Keep one, unless they are separate cases that happen to agree."})
		return
	}
	s.conflictRows += n
	s.conflictGroups++
	f.add(finding{rule: "poisoning/conflicting-labels", severity: result.Medium, set: s.Name, rows: g.rows, what: fmt.Sprintf("%d rows are equal in every input and carry %d different labels", n, len(g.labels)), fix: "Find out which label is right; a label that was changed on purpose looks like this."})
}

// sum adds up the sets.
func sum(r *result.Result, sets []*set, rows int) {
	var all set
	for _, s := range sets {
		all.duplicates += s.duplicates
		all.conflictGroups, all.conflictRows = all.conflictGroups+s.conflictGroups, all.conflictRows+s.conflictRows
		all.near, all.nearConflict = all.near+s.near, all.nearConflict+s.nearConflict
		n := s.Table.Len()
		if s.Training {
			r.Metrics["train_duplicate_rows"] = result.Exactly(float64(s.duplicates), n, "rows")
			r.Metrics["train_conflict_groups"] = result.Exactly(float64(s.conflictGroups), n, "groups")
			r.Metrics["train_conflict_rows"] = result.Exactly(float64(s.conflictRows), n, "rows")
		} else {
			r.Metrics["test_duplicate_rows"] = result.Exactly(float64(s.duplicates), n, "rows")
		}
	}
	count := func(name string, v int, unit string) { r.Metrics[name] = result.Exactly(float64(v), rows, unit) }
	count("rows", rows, "rows")
	count("duplicate_rows", all.duplicates, "rows")
	count("conflict_groups", all.conflictGroups, "groups")
	count("conflict_rows", all.conflictRows, "rows")
	count("near_rows", all.near, "rows")
	count("near_conflict_rows", all.nearConflict, "rows")
	r.Metrics["duplicate_share"] = result.Exactly(float64(all.duplicates)/float64(rows), rows, "share")
	r.Metrics["conflict_share"] = result.Exactly(float64(all.conflictRows)/float64(rows), rows, "share")
}

// leaks counts the test rows that were trained on.
func leaks(ctx context.Context, f *findings, train, test *set) error {
	leaked, near := 0, 0
	n := test.Table.Len()
	for i := range n {
		if i%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if g := train.index.equals(test.Table.Row(i)); g != nil {
			leaked++
			f.add(finding{rule: "poisoning/leaked-row", severity: result.Medium, set: test.Name, rows: []int32{int32(i)}, what: fmt.Sprintf("this row stands in %s too, as row %d", train.Name, g.rows[0]), fix: "Take it out of the test data, or both sets apart again by case."})
			continue
		}
		train.index.visit(test.Table.Row(i), func(*group) bool { near++; return false })
	}
	f.res.Metrics["leaked_rows"] = result.Exactly(float64(leaked), n, "rows")
	f.res.Metrics["near_leaked_rows"] = result.Exactly(float64(near), n, "rows")
	f.res.Metrics["leaked_share"] = result.Exactly(float64(leaked)/float64(max(1, n)), n, "share")
	return nil
}

func one(yes bool) int {
	if yes {
		return 1
	}
	return 0
}
