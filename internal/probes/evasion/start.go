package evasion

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/model"
	"github.com/assize/assize/internal/result"
)

// clean is what the system says of the rows as they are.
type clean struct {
	label      []int
	decision   []model.Decision
	right      []bool
	attackable []bool
}

// unchanged asks the system for the rows of the case.
func unchanged(ctx context.Context, c *measure.Case) (*clean, error) {
	if c.Data.Y == nil {
		return nil, errors.New("read labels: the test data's labels are not classes\nhint: name the classes under interface.output.classes, or use whole numbers from 0")
	}
	n := c.Data.Len()
	if n != len(c.Index) {
		return nil, fmt.Errorf("read rows: %d rows for %d row numbers", n, len(c.Index))
	}
	k := &clean{label: c.Data.Y, decision: make([]model.Decision, n), right: make([]bool, n), attackable: make([]bool, n)}
	var a model.Answers
	if err := c.Model.Usual(ctx, c.Data.X, c.Index, &a, k.decision); err != nil {
		return nil, err
	}
	for i, d := range k.decision {
		class := c.Model.ClassOf(d, &a, i)
		k.right[i] = class >= 0 && class == c.Data.Y[i]
		k.attackable[i] = c.Model.Attackable(d, class, c.Data.Y[i])
	}
	return k, nil
}

// The columns that every attack of this package fills, in this order; Worst says which any attack must.
const (
	colAttackable = iota
	colRight
	colBroken
	colStands
	colGained
	colDistance
	colQueries
	colInside
	colClass
	sharedColumns
)

func sharedRows(index []int, more ...result.Column) *result.Rows {
	r := &result.Rows{Index: append([]int(nil), index...)}
	r.Columns = append(r.Columns, []result.Column{
		{Name: "attackable", Doc: "1: there is something to gain by changing the row"},
		{Name: "right", Doc: "1: unchanged, the row is decided as its label says"},
		{Name: "broken", Doc: "1: a change within the threat model gains"},
		{Name: "stands", Doc: "1: right, and no change within the threat model gains"},
		{Name: "gained", Doc: "1: some change gains, however large"},
		{Name: "distance", Doc: "smallest change found that gains, in the threat model's norm and unit; 0 where none"},
		{Name: "queries", Doc: "questions asked of the system about the row", Unit: "queries"},
		{Name: "inside", Doc: "1: the row itself lies in the domain; a row outside cannot be changed feasibly and stands untested"},
		{Name: "class", Doc: "index of the row's class by its label", Data: true},
	}...)
	r.Columns = append(r.Columns, more...)
	for i := range r.Columns {
		r.Columns[i].Values = make([]float64, len(index))
	}
	return r
}

// note writes what an attack found out about row i. A distance below 0 says that nothing gained.
func note(r *result.Rows, i int, s *space, k *clean, inside bool, distance float64, queries int) {
	gained := distance >= 0
	broken := k.attackable[i] && gained && s.within(distance)
	for col, v := range map[int]bool{
		colAttackable: k.attackable[i], colRight: k.right[i], colBroken: broken, colStands: k.right[i] && !broken, colGained: gained, colInside: inside,
	} {
		if v {
			r.Columns[col].Values[i] = 1
		}
	}
	r.Columns[colDistance].Values[i] = max(0, distance)
	r.Columns[colQueries].Values[i] = float64(queries)
	r.Columns[colClass].Values[i] = float64(k.label[i])
}

// finite is v, or 0 where it is not a number that a table can hold.
func finite(v float32) float64 {
	if f := float64(v); !math.IsNaN(f) && !math.IsInf(f, 0) {
		return f
	}
	return 0
}
