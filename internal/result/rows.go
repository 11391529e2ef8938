package result

import (
	"fmt"
	"math"
	"sort"
)

// Rows is a table with one outcome per row, held by columns. Index holds the
// row of the data set (or the number of the case) that each outcome is about;
// it is the key on which shards of a run are joined and runs are paired.
type Rows struct {
	Index   []int    `json:"index"`
	Columns []Column `json:"columns"`
	// Tables speak of single rows of the target's data, so they stay with the rows.
	Tables []Table `json:"tables,omitempty"`
}

// Column is one value per row. Values are finite; what could not be measured
// is a code that Doc explains, never a NaN.
type Column struct {
	Name   string    `json:"name"`
	Doc    string    `json:"doc,omitempty"`
	Unit   string    `json:"unit,omitempty"`
	Data   bool      `json:"data,omitempty"` // values of the target's data, left out by redaction
	Values []float64 `json:"values"`
}

// NewRows makes a table over these row numbers with the named columns, all zero.
func NewRows(index []int, names ...string) *Rows {
	r := &Rows{Index: append([]int(nil), index...)}
	for _, name := range names {
		r.Columns = append(r.Columns, Column{Name: name, Values: make([]float64, len(index))})
	}
	return r
}

// Len is the number of rows.
func (r *Rows) Len() int {
	if r == nil {
		return 0
	}
	return len(r.Index)
}

// Column returns the values of the named column, or nil where there is none.
// The slice is the table's own.
func (r *Rows) Column(name string) []float64 {
	if r == nil {
		return nil
	}
	for i := range r.Columns {
		if r.Columns[i].Name == name {
			return r.Columns[i].Values
		}
	}
	return nil
}

// Pick returns the rows with these numbers, those that the table has, in the
// table's order.
func (r *Rows) Pick(index []int) *Rows {
	if r == nil {
		return nil
	}
	want := make(map[int]bool, len(index))
	for _, i := range index {
		want[i] = true
	}
	var at []int
	for i, row := range r.Index {
		if want[row] {
			at = append(at, i)
		}
	}
	out := &Rows{Index: permute(r.Index, at)}
	for _, c := range r.Columns {
		c.Values = permute(c.Values, at)
		out.Columns = append(out.Columns, c)
	}
	return out
}

// Validate checks that columns are as long as the index, that no row stands twice and
// that every value is finite. A nil table is valid.
func (r *Rows) Validate() error {
	if r == nil {
		return nil
	}
	seen := make(map[int]bool, len(r.Index))
	for _, i := range r.Index {
		if seen[i] {
			return fmt.Errorf("validate rows: row %d stands twice", i)
		}
		seen[i] = true
	}
	for _, c := range r.Columns {
		if len(c.Values) != len(r.Index) {
			return fmt.Errorf("validate rows: column %q has %d values for %d rows", c.Name, len(c.Values), len(r.Index))
		}
		for i, v := range c.Values {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return fmt.Errorf("validate rows: column %q, row %d: %v is not finite", c.Name, r.Index[i], v)
			}
		}
	}
	return nil
}

// Join puts the tables of several shards together, ordered by Index. All must
// have the same columns; a row in two shards is an error. It does not keep its arguments.
func Join(shards ...*Rows) (*Rows, error) {
	out := &Rows{}
	for _, s := range shards {
		if s == nil {
			continue
		}
		if out.Columns == nil {
			for _, c := range s.Columns {
				out.Columns = append(out.Columns, Column{Name: c.Name, Doc: c.Doc, Unit: c.Unit, Data: c.Data})
			}
		}
		if len(s.Columns) != len(out.Columns) {
			return nil, fmt.Errorf("join rows: a shard has %d columns, another %d", len(s.Columns), len(out.Columns))
		}
		for i, c := range s.Columns {
			if c.Name != out.Columns[i].Name {
				return nil, fmt.Errorf("join rows: column %q in one shard is %q in another", out.Columns[i].Name, c.Name)
			}
			out.Columns[i].Values = append(out.Columns[i].Values, c.Values...)
		}
		out.Index = append(out.Index, s.Index...)
	}
	order := make([]int, len(out.Index))
	for i := range order {
		order[i] = i
	}
	sort.Slice(order, func(a, b int) bool { return out.Index[order[a]] < out.Index[order[b]] })
	sorted := &Rows{Index: permute(out.Index, order)}
	for _, c := range out.Columns {
		c.Values = permute(c.Values, order)
		sorted.Columns = append(sorted.Columns, c)
	}
	return sorted, sorted.Validate()
}

func permute[T any](values []T, order []int) []T {
	out := make([]T, len(order))
	for i, from := range order {
		out[i] = values[from]
	}
	return out
}
