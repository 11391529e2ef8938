package tree

import (
	"fmt"
	"math"

	"github.com/assize/assize/internal/onnx"
)

// each returns the i-th of values that are one for all columns or one each.
func each(values []float64, i int) float64 {
	if len(values) == 1 {
		return values[0]
	}
	return values[i]
}

func attributeFloats(n *onnx.Node, name string, columns int) ([]float64, error) {
	a := n.Attribute(name)
	if a == nil || len(a.Floats) != 1 && len(a.Floats) != columns {
		return nil, fmt.Errorf("its %s has not one value per column", name)
	}
	out := make([]float64, len(a.Floats))
	for i, v := range a.Floats {
		out[i] = float64(v)
		if !finite(out[i]) {
			return nil, fmt.Errorf("its %s holds %v", name, v)
		}
	}
	return out, nil
}

func numeric(x []column) error {
	for _, c := range x {
		if c.typ == isText && c.keys == nil {
			return fmt.Errorf("its input is text")
		}
	}
	return nil
}

func sign(v float64) int {
	switch {
	case v > 0:
		return 1
	case v < 0:
		return -1
	}
	return 0
}

// scale folds (x - offset) · scale, each step rounded to float32.
func scale(n *onnx.Node, x []column) ([]column, error) {
	offset, err := attributeFloats(n, "offset", len(x))
	if err != nil {
		return nil, err
	}
	by, err := attributeFloats(n, "scale", len(x))
	if err != nil {
		return nil, err
	}
	if err := numeric(x); err != nil {
		return nil, err
	}
	out := make([]column, len(x))
	for i, c := range x {
		o, s := each(offset, i), each(by, i)
		out[i] = c.then(func(v float64) float64 { return isFloat.round(isFloat.round(isFloat.round(v)-o) * s) }, sign(s))
		out[i].typ = isFloat
	}
	return out, nil
}

// impute folds the replacement of NaN.
func impute(n *onnx.Node, x []column) ([]column, error) {
	if n.Attribute("imputed_value_int64s") != nil {
		return nil, fmt.Errorf("of integers is not supported: they have no missing value")
	}
	values, err := attributeFloats(n, "imputed_value_floats", len(x))
	if err != nil {
		return nil, err
	}
	if a := n.Attribute("replaced_value_float"); a == nil || !math.IsNaN(float64(a.Float)) {
		return nil, fmt.Errorf("of another value than NaN is not supported")
	}
	if err := numeric(x); err != nil {
		return nil, err
	}
	out := make([]column, len(x))
	for i, c := range x {
		by := each(values, i)
		out[i] = c.then(func(v float64) float64 {
			if math.IsNaN(v) {
				return by
			}
			return v
		}, 1)
	}
	return out, nil
}

// binarize folds x > threshold ? 1 : 0.
func binarize(n *onnx.Node, x []column) ([]column, error) {
	if err := numeric(x); err != nil {
		return nil, err
	}
	at := 0.0
	if a := n.Attribute("threshold"); a != nil {
		at = float64(a.Float)
	}
	out := make([]column, len(x))
	for i, c := range x {
		out[i] = c.then(func(v float64) float64 {
			if v > at {
				return 1
			}
			return 0
		}, 1)
	}
	return out, nil
}

// arithmetic folds one operation of a column and a constant.
func (enc *encoders) arithmetic(n *onnx.Node, in [][]column) ([]column, error) {
	if len(in) != 2 || (in[0] == nil) == (in[1] == nil) {
		return nil, fmt.Errorf("not one of its two inputs is a constant")
	}
	x, t, second := in[0], enc.consts[n.Inputs[1]], true
	if x == nil {
		x, t, second = in[1], enc.consts[n.Inputs[0]], false
	}
	if n.OpType == "Div" && !second {
		return nil, fmt.Errorf("of a constant by a feature is not supported")
	}
	if err := numeric(x); err != nil {
		return nil, err
	}
	values, err := t.Float64s()
	if err != nil {
		return nil, err
	}
	if len(values) != 1 && (len(values) != len(x) || len(t.Dims) == 0 || t.Dims[len(t.Dims)-1] != int64(len(x))) {
		return nil, fmt.Errorf("%d constants for %d columns", len(values), len(x))
	}
	out := make([]column, len(x))
	for i, c := range x {
		k := each(values, i)
		if !finite(k) || n.OpType == "Div" && k == 0 {
			return nil, fmt.Errorf("by %v", k)
		}
		typ := c.typ
		switch n.OpType {
		case "Add":
			c = c.then(func(v float64) float64 { return typ.round(v + k) }, 1)
		case "Mul":
			c = c.then(func(v float64) float64 { return typ.round(v * k) }, sign(k))
		case "Div":
			c = c.then(func(v float64) float64 { return typ.round(v / k) }, sign(k))
		case "Sub":
			if second {
				c = c.then(func(v float64) float64 { return typ.round(v - k) }, 1)
			} else {
				c = c.then(func(v float64) float64 { return typ.round(k - v) }, -1)
			}
		}
		out[i] = c
	}
	return out, nil
}
