package dataset

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// MaxDistinct is how many different values of a column Inspect tells apart.
const MaxDistinct = 20

// maxClasses is how many different labels Inspect counts.
const maxClasses = 1000

// Info is what one pass over a data set says about it.
type Info struct {
	Format Format
	Rows   int
	Width  int      // values a row
	Shape  []int    // of one row; nil for a list of columns
	Names  []string // of the inputs; nil for an array without declared features
	// Columns has one entry per value of a row.
	Columns []Column
	// Extra names the CSV columns or the arrays that were not read.
	Extra []string
	// Labels counts the rows of each class: in the order of the class names,
	// else of the numbers, else of the alphabet. It is nil without labels, and
	// where more than a thousand differ.
	Labels []Count
	// Label sums up labels that are numbers (with class names: the indices).
	Label *Column
}

// Column sums up one column.
type Column struct {
	Min, Max float64
	// Integral means that every value is a whole number.
	Integral bool
	// Distinct is the number of different values; MaxDistinct+1 stands for more.
	Distinct int
	// OutOfRange is the number of rows outside the declared range of the feature.
	// A range of 0 to 0 counts as not declared.
	OutOfRange int

	values []float64 // seen so far, sorted; nil after MaxDistinct
}

// Count is the number of rows with one label.
type Count struct {
	Label string
	Rows  int
}

// Inspect reads the whole data set once and checks every value. It holds one
// Column per value of a row, whatever the number of rows. Without class
// names it takes labels that are text, so that it can list them.
func Inspect(ctx context.Context, spec Spec) (*Info, error) {
	src, file, err := open(spec)
	if err != nil {
		return nil, wrap(spec, err)
	}
	defer file.Close()
	l := src.layout()
	const bytesPerColumn = 64 + 2*8*MaxDistinct
	if err := spec.Limits.fits(l.width, bytesPerColumn); err != nil {
		return nil, wrap(spec, fmt.Errorf("statistics of %w", err))
	}
	s := &survey{spec: spec, columns: newColumns(l.width)}
	if l.labels {
		s.truth, s.counts = newColumns(1), map[label]int{}
	}
	rows, err := src.walk(ctx, s)
	if err != nil {
		return nil, wrap(spec, err)
	}
	info := &Info{Format: l.format, Rows: rows, Width: l.width, Shape: l.shape, Names: l.names, Columns: s.columns, Extra: l.extra}
	if l.labels {
		info.Labels = s.labels()
		if !s.text {
			info.Label = &s.truth[0]
		}
	}
	return info, nil
}

func newColumns(n int) []Column {
	columns := make([]Column, n)
	for i := range columns {
		columns[i] = Column{Min: math.Inf(1), Max: math.Inf(-1), Integral: true}
	}
	return columns
}

func (c *Column) add(v float64) {
	c.Min, c.Max = min(c.Min, v), max(c.Max, v)
	if c.Integral && v != math.Trunc(v) {
		c.Integral = false
	}
	if c.Distinct > MaxDistinct {
		return
	}
	at, found := slices.BinarySearch(c.values, v)
	if found {
		return
	}
	if c.Distinct++; c.Distinct > MaxDistinct {
		c.values = nil
		return
	}
	c.values = slices.Insert(c.values, at, v)
}

// survey is the sink of Inspect.
type survey struct {
	spec    Spec
	columns []Column
	truth   []Column // one, or none without labels
	counts  map[label]int
	text    bool // some label is text
}

func (s *survey) next(row int) int { return row }

func (s *survey) put(b block) error {
	for i, v := range b.v {
		col := b.col + i
		if b.down {
			col = b.col
		}
		c := &s.columns[col]
		c.add(v)
		if len(s.spec.Features) == 0 {
			continue
		}
		if f := &s.spec.Features[col]; (v < f.Min || v > f.Max) && (f.Min != 0 || f.Max != 0) {
			c.OutOfRange++
		}
	}
	return nil
}

func (s *survey) label(_ int, l label) error {
	if l.text != "" {
		// The field lies in a buffer that is used again.
		l.text, s.text = strings.Clone(l.text), true
	} else {
		s.truth[0].add(l.value)
	}
	if s.counts == nil {
		return nil
	}
	if s.counts[l]++; len(s.counts) > maxClasses {
		s.counts = nil
	}
	return nil
}

// labels lists the counts. Classes that no row has are listed with 0.
func (s *survey) labels() []Count {
	if s.counts == nil {
		return nil
	}
	var out []Count
	for i, name := range s.spec.Classes {
		out = append(out, Count{Label: name, Rows: s.counts[label{value: float64(i)}]})
	}
	if out != nil {
		return out
	}
	keys := make([]label, 0, len(s.counts))
	for k := range s.counts {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b label) int {
		if c := strings.Compare(a.text, b.text); c != 0 {
			return c
		}
		return int(math.Copysign(1, a.value-b.value))
	})
	for _, k := range keys {
		name := k.text
		if name == "" {
			name = strconv.FormatFloat(k.value, 'g', -1, 64)
		}
		out = append(out, Count{Label: name, Rows: s.counts[k]})
	}
	return out
}
