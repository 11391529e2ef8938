package tree

import (
	"fmt"

	"github.com/assize/assize/internal/onnx"
)

// key returns the category that a text names at a feature: its place in Levels.
func (enc *encoders) key(feature int, text string) int64 {
	if enc.levelsAt[feature] == nil {
		enc.levelsAt[feature] = map[string]int64{}
	}
	k, ok := enc.levelsAt[feature][text]
	if !ok {
		k = int64(len(enc.levels[feature]))
		enc.levels[feature] = append(enc.levels[feature], text)
		enc.levelsAt[feature][text] = k
	}
	return k
}

// raw refuses a column whose category is not the feature's own value.
func raw(c column) error {
	if c.keys != nil || !c.plain {
		return fmt.Errorf("behind another encoder is not supported")
	}
	return nil
}

// oneHot makes a column per category.
func (enc *encoders) oneHot(n *onnx.Node, x []column) ([]column, error) {
	texts, numbers := n.Attribute("cats_strings"), ints(n, "cats_int64s")
	count := len(numbers)
	if texts != nil {
		count = len(texts.Strings)
	}
	if count < 1 || count > maxKeys || count*len(x) > maxColumns {
		return nil, fmt.Errorf("%d categories for %d columns", count, len(x))
	}
	var out []column
	for _, c := range x {
		if err := raw(c); err != nil {
			return nil, err
		}
		if (c.typ == isText) != (texts != nil) {
			return nil, fmt.Errorf("its categories have another type than its input")
		}
		for i := range count {
			var k int64
			if texts != nil {
				k = enc.key(c.feature, string(texts.Strings[i]))
			} else {
				k = numbers[i]
			}
			out = append(out, column{feature: c.feature, typ: isFloat, slope: 1,
				keys: &keyTable{keys: []int64{k}, values: []float64{1}}})
		}
	}
	return out, nil
}

// label maps keys to numbers.
func (enc *encoders) label(n *onnx.Node, x []column) ([]column, error) {
	var values []float64
	typ, other := isFloat, 0.0
	switch {
	case n.Attribute("values_floats") != nil:
		for _, v := range n.Attribute("values_floats").Floats {
			values = append(values, float64(v))
		}
		if a := n.Attribute("default_float"); a != nil {
			other = float64(a.Float)
		}
	case n.Attribute("values_int64s") != nil:
		typ, other = isWhole, float64(n.Int("default_int64", -1))
		for _, v := range ints(n, "values_int64s") {
			values = append(values, float64(v))
		}
	default:
		return nil, fmt.Errorf("to text is not supported")
	}
	if len(values) > maxKeys || len(values)*len(x) > maxColumns {
		return nil, fmt.Errorf("%d keys are over the limit of %d", len(values), maxKeys)
	}
	texts, floats := n.Attribute("keys_strings"), n.Attribute("keys_floats")
	out := make([]column, len(x))
	for i, c := range x {
		if err := raw(c); err != nil {
			return nil, err
		}
		if (c.typ == isText) != (texts != nil) {
			return nil, fmt.Errorf("its keys have another type than its input")
		}
		var keys []int64
		switch {
		case texts != nil:
			for _, t := range texts.Strings {
				keys = append(keys, enc.key(c.feature, string(t)))
			}
		case floats != nil:
			for _, v := range floats.Floats {
				if v != float32(int64(v)) {
					return nil, fmt.Errorf("key %v is no whole number", v)
				}
				keys = append(keys, int64(v))
			}
		default:
			keys = ints(n, "keys_int64s")
		}
		if len(keys) != len(values) {
			return nil, fmt.Errorf("%d keys and %d values", len(keys), len(values))
		}
		out[i] = column{feature: c.feature, typ: typ, slope: 1, keys: &keyTable{keys: keys, values: values, other: other}}
	}
	return out, nil
}
