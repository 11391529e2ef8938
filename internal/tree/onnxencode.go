package tree

import (
	"fmt"
	"math"

	"github.com/assize/assize/internal/onnx"
)

// What a graph may claim: columns of a tensor, operators in a row, keys of
// one encoder.
const (
	maxColumns = 1 << 17
	maxChain   = 64
	maxKeys    = 1 << 12
)

// encoders walks from the trees back to the graph's inputs.
type encoders struct {
	m        *onnx.Model
	e        *Ensemble
	makers   map[string]*onnx.Node
	consts   map[string]*onnx.Tensor
	known    map[string][]column
	levels   map[int][]string // of text features
	levelsAt map[int]map[string]int64
}

func newEncoders(m *onnx.Model, e *Ensemble) (*encoders, error) {
	enc := &encoders{m: m, e: e, makers: map[string]*onnx.Node{}, consts: map[string]*onnx.Tensor{}, known: map[string][]column{},
		levels: map[int][]string{}, levelsAt: map[int]map[string]int64{}}
	for _, n := range m.Graph.Nodes {
		for _, out := range n.Outputs {
			if out != "" {
				enc.makers[out] = n
			}
		}
	}
	for _, t := range m.Graph.Initializers {
		enc.consts[t.Name] = t
	}
	e.Single = true
	for _, in := range m.Inputs() {
		cols, err := enc.input(in)
		if err != nil {
			return nil, fmt.Errorf("input %q: %w", in.Name, err)
		}
		enc.known[in.Name] = cols
	}
	return enc, nil
}

// input numbers the features of one graph input.
func (enc *encoders) input(in *onnx.ValueInfo) ([]column, error) {
	if in.Type == nil || in.Type.Kind != onnx.KindTensor || !in.Type.HasShape {
		return nil, fmt.Errorf("its shape is not known\nhint: export with typed inputs of shape [None, columns]")
	}
	shape := in.Type.Shape
	if len(shape) != 2 || !shape[1].Fixed || shape[1].Value < 1 {
		return nil, fmt.Errorf("its shape is not rows by a fixed number of columns\nhint: export with inputs of shape [None, columns]")
	}
	width := shape[1].Value
	if width > int64(maxColumns-enc.e.Features) {
		return nil, fmt.Errorf("more than %d columns", maxColumns)
	}
	typ, ok := elementType(in.Type.ElemType)
	if !ok {
		return nil, fmt.Errorf("elements of type %v are not supported", in.Type.ElemType)
	}
	cols := make([]column, width)
	for i := range cols {
		cols[i] = column{feature: enc.e.Features + i, typ: typ, slope: 1, plain: true}
	}
	enc.e.Features += int(width)
	return cols, nil
}

func elementType(t onnx.DataType) (columnType, bool) {
	switch t {
	case onnx.Float:
		return isFloat, true
	case onnx.Double:
		return isDouble, true
	case onnx.Int64, onnx.Int32, onnx.Bool:
		return isWhole, true
	case onnx.String:
		return isText, true
	}
	return 0, false
}

// double says whether the trees work in float64, and sets whether inputs are
// rounded to float32, which they are not where one of them is a float64.
func (enc *encoders) double(columns []column) bool {
	for _, in := range enc.m.Inputs() {
		if in.Type.ElemType == onnx.Double {
			enc.e.Single = false
		}
	}
	return len(columns) > 0 && columns[0].typ == isDouble
}

// finish hands the names of categories to the ensemble, and the names of
// inputs that hold one feature each.
func (enc *encoders) finish() {
	if len(enc.levels) > 0 {
		enc.e.Levels = enc.levels
	}
	if inputs := enc.m.Inputs(); len(inputs) == enc.e.Features {
		for _, in := range inputs {
			enc.e.Names = append(enc.e.Names, in.Name)
		}
	}
}

// columns returns what the tensor of that name holds.
func (enc *encoders) columns(name string, depth int) ([]column, error) {
	if cols, ok := enc.known[name]; ok {
		return cols, nil
	}
	n := enc.makers[name]
	if n == nil {
		return nil, fmt.Errorf("value %q in front of the trees comes from nowhere", name)
	}
	if depth > maxChain {
		return nil, fmt.Errorf("more than %d operators in a row in front of the trees", maxChain)
	}
	var inputs [][]column
	for _, in := range n.Inputs {
		if enc.consts[in] != nil {
			inputs = append(inputs, nil)
			continue
		}
		cols, err := enc.columns(in, depth+1)
		if err != nil {
			return nil, err
		}
		inputs = append(inputs, cols)
	}
	cols, err := enc.apply(n, inputs)
	if err != nil {
		return nil, fmt.Errorf("operator %s in front of the trees: %w", n.OpType, err)
	}
	if len(cols) > maxColumns {
		return nil, fmt.Errorf("operator %s in front of the trees: more than %d columns", n.OpType, maxColumns)
	}
	enc.known[name] = cols
	return cols, nil
}

// apply returns what the operator makes of its inputs; inputs that are
// constants are nil.
func (enc *encoders) apply(n *onnx.Node, in [][]column) ([]column, error) {
	switch n.OpType {
	case "Concat", "FeatureVectorizer":
		return enc.concat(n, in)
	case "Add", "Sub", "Mul", "Div":
		return enc.arithmetic(n, in)
	}
	if len(in) == 0 || in[0] == nil {
		return nil, fmt.Errorf("its first input is a constant")
	}
	x := in[0]
	switch n.OpType {
	case "Identity":
		return x, nil
	case "Cast":
		return cast(x, onnx.DataType(n.Int("to", 0)))
	case "Scaler":
		return scale(n, x)
	case "Imputer":
		return impute(n, x)
	case "Binarizer":
		return binarize(n, x)
	case "OneHotEncoder":
		return enc.oneHot(n, x)
	case "LabelEncoder":
		return enc.label(n, x)
	case "ArrayFeatureExtractor", "Gather":
		return enc.pick(n, x)
	case "Reshape", "Flatten":
		return enc.reshape(n, x)
	case "Normalizer":
		return nil, fmt.Errorf("it mixes features, so that splits are no longer tests of one\nhint: assess it as a model without trees")
	}
	return nil, fmt.Errorf("it is not supported\nhint: assess it as a model without trees, or export the trees alone")
}

func (enc *encoders) concat(n *onnx.Node, in [][]column) ([]column, error) {
	if axis := n.Int("axis", 1); n.OpType == "Concat" && axis != 1 && axis != -1 {
		return nil, fmt.Errorf("axis %d", axis)
	}
	var out []column
	for _, cols := range in {
		if cols == nil {
			return nil, fmt.Errorf("one of its inputs is a constant")
		}
		if len(out)+len(cols) > maxColumns {
			return nil, fmt.Errorf("more than %d columns", maxColumns)
		}
		out = append(out, cols...)
	}
	return out, nil
}

func cast(x []column, to onnx.DataType) ([]column, error) {
	typ, ok := elementType(to)
	if !ok || typ == isText || to == onnx.Bool {
		return nil, fmt.Errorf("to %v", to)
	}
	out := make([]column, len(x))
	for i, c := range x {
		if c.typ == isText && c.keys == nil {
			return nil, fmt.Errorf("from text to %v", to)
		}
		plain := c.plain
		switch {
		case typ == c.typ || typ == isDouble || typ == isFloat && c.typ == isWhole && c.at == nil && c.keys == nil:
		case typ == isWhole:
			c = c.then(math.Trunc, 1)
		default:
			c = c.then(isFloat.round, 1)
		}
		c.typ, c.plain = typ, plain
		out[i] = c
	}
	return out, nil
}

// pick takes columns by constant indices.
func (enc *encoders) pick(n *onnx.Node, x []column) ([]column, error) {
	if axis := n.Int("axis", 0); n.OpType == "Gather" && axis != 1 && axis != -1 {
		return nil, fmt.Errorf("axis %d", axis)
	}
	indices, err := enc.constInts(n, 1)
	if err != nil {
		return nil, err
	}
	if len(indices) > maxColumns {
		return nil, fmt.Errorf("more than %d columns", maxColumns)
	}
	out := make([]column, len(indices))
	for i, k := range indices {
		if k < 0 || k >= int64(len(x)) {
			return nil, fmt.Errorf("column %d of %d", k, len(x))
		}
		out[i] = x[k]
	}
	return out, nil
}

// reshape lets through what keeps each row's columns in their order.
func (enc *encoders) reshape(n *onnx.Node, x []column) ([]column, error) {
	if n.OpType == "Flatten" {
		if axis := n.Int("axis", 1); axis != 1 {
			return nil, fmt.Errorf("axis %d", axis)
		}
		return x, nil
	}
	shape, err := enc.constInts(n, 1)
	if err != nil {
		return nil, err
	}
	if len(shape) < 2 || shape[0] > 0 {
		return nil, fmt.Errorf("to shape %v", shape)
	}
	width := int64(1)
	for _, d := range shape[1:] {
		if d == -1 && shape[0] == 0 && len(shape) == 2 {
			return x, nil
		}
		if d < 1 || d > maxColumns || width > maxColumns {
			return nil, fmt.Errorf("to shape %v", shape)
		}
		width *= d
	}
	if width != int64(len(x)) {
		return nil, fmt.Errorf("%d columns to shape %v", len(x), shape)
	}
	return x, nil
}

func (enc *encoders) constInts(n *onnx.Node, input int) ([]int64, error) {
	if input >= len(n.Inputs) || enc.consts[n.Inputs[input]] == nil {
		return nil, fmt.Errorf("its input %d is no constant of the graph", input)
	}
	return enc.consts[n.Inputs[input]].Int64s()
}
