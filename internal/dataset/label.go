package dataset

import (
	"fmt"
	"math"
	"slices"
	"strconv"
)

// label is the truth of one row: a number (with class names, the index of the
// class), or a text where the label is no number and no class names are known.
type label struct {
	value float64
	text  string
}

// classes turns what a file says into labels.
type classes struct {
	names []string
	index map[string]int
	// numeric means that every name is a number, so that a number is a name.
	numeric bool
}

func newClasses(names []string) (*classes, error) {
	c := &classes{names: names, index: make(map[string]int, len(names)), numeric: true}
	for i, n := range names {
		if _, twice := c.index[n]; twice {
			return nil, fmt.Errorf("two classes are named %q", clip(n))
		}
		c.index[n] = i
		if _, err := strconv.ParseFloat(n, 64); err != nil {
			c.numeric = false
		}
	}
	return c, nil
}

// ofText reads a label from a CSV field.
func (c *classes) ofText(s string) (label, error) {
	if i, ok := c.index[s]; ok {
		return label{value: float64(i)}, nil
	}
	v, problem := parseNumber(s)
	if problem == "" {
		return c.ofNumber(v)
	}
	if problem == missing {
		return label{}, fmt.Errorf("%q: the label %s", s, problem)
	}
	if len(c.names) > 0 {
		return label{}, fmt.Errorf("%q is none of the classes%s", clip(s), didYouMean(s, c.names))
	}
	return label{text: s}, nil
}

// ofNumber reads a label from a number.
func (c *classes) ofNumber(v float64) (label, error) {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return label{}, fmt.Errorf("the label is %v", v)
	}
	if len(c.names) == 0 {
		return label{value: v}, nil
	}
	if i, ok := c.index[strconv.FormatFloat(v, 'f', -1, 64)]; ok {
		return label{value: float64(i)}, nil
	}
	if !c.numeric && v == math.Trunc(v) && v >= 0 && v < float64(len(c.names)) {
		return label{value: v}, nil
	}
	if c.numeric {
		return label{}, fmt.Errorf("%v is none of the classes%s", v, didYouMean("", c.names))
	}
	return label{}, fmt.Errorf("%v is not an index into the %d classes\nhint: there are %s, counted from 0", v, len(c.names), list(c.names))
}

// truths gathers labels in the order of the table.
type truths struct {
	named  bool
	values []float64
}

func (t *truths) set(pos int, l label) error {
	if l.text != "" {
		return fmt.Errorf("%q is not a number, and the classes have no names\nhint: name the classes, in the order of the model's outputs", clip(l.text))
	}
	if pos >= len(t.values) {
		t.values = slices.Grow(t.values, pos+1-len(t.values))[:pos+1]
	}
	t.values[pos] = l.value
	return nil
}

// indices are the labels as class indices, nil where one is none.
func (t *truths) indices() []int {
	if t.values == nil {
		return nil
	}
	out := make([]int, len(t.values))
	for i, v := range t.values {
		if v != math.Trunc(v) || v < 0 || v > math.MaxInt32 {
			return nil
		}
		out[i] = int(v)
	}
	return out
}
