package dataset

import (
	"context"
	"fmt"
	"slices"
	"sort"
)

// Select reads the rows with these 0-based numbers, in this order, in one pass
// over the file, which ends after the last of them. A row can be asked for twice. Only
// what is read on the way to the last row is checked, and of a CSV file only
// the form of rows that were not asked for: Inspect checks everything. Bad
// content is an error that names the line (CSV, from 1) or the row (arrays, from 0).
func Select(ctx context.Context, spec Spec, rows []int) (*Table, error) {
	return read(ctx, spec, &picked{rows: rows})
}

// ReadAll reads every row and checks everything, as Inspect does. A data set
// that does not fit the memory limit is refused.
func ReadAll(ctx context.Context, spec Spec) (*Table, error) {
	return read(ctx, spec, nil)
}

func read(ctx context.Context, spec Spec, p *picked) (*Table, error) {
	src, file, err := open(spec)
	if err != nil {
		return nil, wrap(spec, err)
	}
	defer file.Close()
	c := &collector{layout: src.layout(), limits: spec.Limits, picked: p}
	c.truths.named = len(spec.Classes) > 0
	if err := c.prepare(); err != nil {
		return nil, wrap(spec, err)
	}
	n, err := src.walk(ctx, c)
	if err == nil {
		err = c.complete(n)
	}
	if err != nil {
		return nil, wrap(spec, err)
	}
	return c.table(n), nil
}

// picked is a choice of rows. places is sorted by row.
type picked struct {
	rows   []int
	places []place
}

// place says that a row of the file goes to a position of the table.
type place struct{ row, pos int }

func (p *picked) sort() {
	p.places = make([]place, len(p.rows))
	for pos, row := range p.rows {
		p.places[pos] = place{row, pos}
	}
	slices.SortFunc(p.places, func(a, b place) int { return a.row - b.row })
}

// from are the places of the rows at or after row.
func (p *picked) from(row int) []place {
	i := sort.Search(len(p.places), func(i int) bool { return p.places[i].row >= row })
	return p.places[i:]
}

// collector gathers a Table. Without picked it takes every row.
type collector struct {
	layout layout
	limits Limits
	picked *picked
	x      []float32
	truths truths
}

// bytesPerRow is what one row takes in a Table.
func (c *collector) bytesPerRow() int { return 4*c.layout.width + 3*8 }

func (c *collector) prepare() error {
	n := c.layout.rows
	if c.picked != nil {
		n = len(c.picked.rows)
		c.picked.sort()
		if n > 0 && c.picked.places[0].row < 0 {
			return fmt.Errorf("row %d does not exist", c.picked.places[0].row)
		}
		if c.layout.rows >= 0 {
			if err := c.complete(c.layout.rows); err != nil {
				return err
			}
		}
	}
	if n < 0 {
		return nil
	}
	if err := c.limits.fits(n, c.bytesPerRow()); err != nil {
		return err
	}
	c.x = make([]float32, n*c.layout.width)
	if c.layout.labels {
		c.truths.values = make([]float64, n)
	}
	return nil
}

// complete checks that the file has every row that was picked.
func (c *collector) complete(rows int) error {
	if c.picked == nil || len(c.picked.places) == 0 {
		return nil
	}
	if last := c.picked.places[len(c.picked.places)-1].row; last >= rows {
		return fmt.Errorf("row %d was asked for, but there are %d rows, counted from 0", last, rows)
	}
	return nil
}

func (c *collector) next(row int) int {
	if c.picked == nil {
		return row
	}
	if rest := c.picked.from(row); len(rest) > 0 {
		return rest[0].row
	}
	return -1
}

func (c *collector) put(b block) error {
	if c.picked == nil {
		return c.putAll(b)
	}
	last := b.row
	if b.down {
		last += len(b.v) - 1
	}
	for _, p := range c.picked.from(b.row) {
		if p.row > last {
			break
		}
		at := c.x[p.pos*c.layout.width+b.col:]
		if b.down {
			at[0] = float32(b.v[p.row-b.row])
			continue
		}
		for i, v := range b.v {
			at[i] = float32(v)
		}
	}
	return nil
}

func (c *collector) putAll(b block) error {
	w := c.layout.width
	if !b.down {
		if c.layout.rows < 0 {
			if err := c.limits.fits(b.row+1, c.bytesPerRow()); err != nil {
				return err
			}
			c.x = slices.Grow(c.x, w)[:len(c.x)+w]
		}
		at := c.x[b.row*w+b.col:]
		for i, v := range b.v {
			at[i] = float32(v)
		}
		return nil
	}
	for i, v := range b.v {
		c.x[(b.row+i)*w+b.col] = float32(v)
	}
	return nil
}

func (c *collector) label(row int, l label) error {
	if c.picked == nil {
		return c.truths.set(row, l)
	}
	for _, p := range c.picked.from(row) {
		if p.row != row {
			break
		}
		if err := c.truths.set(p.pos, l); err != nil {
			return err
		}
	}
	return nil
}

func (c *collector) table(rows int) *Table {
	t := &Table{Names: c.layout.names, Width: c.layout.width, Shape: c.layout.shape, X: c.x, Y: c.truths.indices()}
	if !c.truths.named {
		t.YValue = c.truths.values
	}
	if c.picked != nil {
		t.Index = slices.Clone(c.picked.rows)
		return t
	}
	t.Index = make([]int, rows)
	for i := range t.Index {
		t.Index[i] = i
	}
	return t
}
