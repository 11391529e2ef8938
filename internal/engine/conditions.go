package engine

import (
	"fmt"

	"github.com/assize/assize/internal/catalogue"
	"github.com/assize/assize/internal/planner"
)

// CheckConditions compiles the conditions of all criteria, which the
// catalogue's own lint cannot.
func CheckConditions(t *catalogue.Tables) error {
	c, err := t.Catalogue()
	if err != nil {
		return err
	}
	for _, k := range c.Criteria {
		if k.Applies == "" {
			continue
		}
		if err := planner.CheckCondition(k.Applies); err != nil {
			return fmt.Errorf("check catalogue: %s: criterion %q: applies: %w\nhint: a condition is an expression in CEL; docs/catalogue.md says what it can read", c.Place(k.ID), k.ID, err)
		}
	}
	return nil
}
