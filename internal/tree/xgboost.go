package tree

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// xgbFacts are what every XGBoost format says about a model as a whole.
type xgbFacts struct {
	objective string
	// base is the base score: one for all outputs or one each, in the units
	// of the prediction for logistic and exponential objectives, else of the margin.
	base             []float64
	margin           bool // base is a margin already, as before version 1
	features         int
	classes, targets int
}

// xgbObjective tells the number of classes (-1: as many as
// outputs) and the link.
func xgbObjective(name string) (classes int, link Link, ok bool) {
	switch name {
	case "binary:logistic":
		return 2, Sigmoid, true
	case "reg:logistic":
		return 0, Sigmoid, true
	case "binary:logitraw":
		return 2, Identity, true
	case "binary:hinge":
		return 2, Step, true
	case "multi:softmax", "multi:softprob":
		return -1, Softmax, true
	case "count:poisson", "reg:gamma", "reg:tweedie", "survival:cox", "survival:aft":
		return 0, Exp, true
	case "reg:squarederror", "reg:linear", "reg:squaredlogerror", "reg:pseudohubererror", "reg:absoluteerror", "reg:quantileerror",
		"reg:expectileerror", "rank:pairwise", "rank:ndcg", "rank:map":
		return 0, Identity, true
	}
	return 0, "", false
}

// newXGBoost returns an ensemble without trees. Comparison and sums are in
// float32; base scores become margins as the objective's ProbToMargin does.
func newXGBoost(f xgbFacts) (*Ensemble, error) {
	name := strings.TrimPrefix(f.objective, "gpu:")
	classes, link, ok := xgbObjective(name)
	if !ok {
		return nil, fmt.Errorf("objective %q is not supported\nhint: export the model to ONNX with onnxmltools.convert_xgboost", f.objective)
	}
	outputs := max(f.classes, f.targets, 1)
	const widest = 100_000
	if f.features < 0 || f.features > 1<<30 || outputs > widest {
		return nil, fmt.Errorf("%d features and %d outputs", f.features, outputs)
	}
	switch {
	case classes == -1:
		classes = outputs
		if outputs < 2 {
			return nil, fmt.Errorf("objective %q with %d classes", f.objective, outputs)
		}
	case outputs > 1:
		classes = 0 // several labels or targets, each with a margin of its own
	}
	e := &Ensemble{Features: f.features, Outputs: outputs, Classes: classes, Link: link, Slope: 1, Single: true, SingleSum: true}
	if len(f.base) != 1 && len(f.base) != outputs {
		return nil, fmt.Errorf("%d base scores for %d outputs", len(f.base), outputs)
	}
	e.Base = make([]float64, outputs)
	for k := range e.Base {
		b := f.base[min(k, len(f.base)-1)]
		e.Base[k] = float64(float32(b))
		if f.margin {
			continue
		}
		m, err := xgbMargin(name, link, float32(b))
		if err != nil {
			return nil, err
		}
		e.Base[k] = float64(m)
	}
	return e, nil
}

// xgbMargin turns a base score into a margin.
func xgbMargin(objective string, link Link, p float32) (float32, error) {
	switch {
	case link == Sigmoid:
		if !(p > 0 && p < 1) {
			return 0, fmt.Errorf("base score %v of %s is no probability within 0 and 1", p, objective)
		}
		return -float32(math.Log(float64(1/p - 1))), nil
	case link == Exp:
		if !(p > 0) {
			return 0, fmt.Errorf("base score %v of %s is not above 0", p, objective)
		}
		return float32(math.Log(float64(p))), nil
	}
	return p, nil
}

// xgbBase parses a base score, a number or from version 3.1 a list of them.
func xgbBase(s string) ([]float64, error) {
	var base []float64
	for part := range strings.SplitSeq(strings.Trim(s, "[] "), ",") {
		v, err := strconv.ParseFloat(strings.TrimSpace(part), 32)
		if err != nil {
			return nil, fmt.Errorf("base score %q is no number", part)
		}
		base = append(base, v)
	}
	return base, nil
}

// xgbTree is one tree as columns, a value per node; Left is -1 at a leaf.
type xgbTree struct {
	left, right, feature []int32
	condition            []float32 // a threshold, or a leaf's value
	defaultLeft          []bool
	categorical          func(node int) []int // categories that go right; nil: a numerical split
	vectors              []float32            // leaf values, width of them a leaf
	vectorAt             func(node int) int   // the leaf's row in vectors
	width                int
}

// plant grows one tree of an XGBoost model into e.
func (e *Ensemble) plant(g *nursery, t xgbTree, output int, weight float64) error {
	if err := g.tree(); err != nil {
		return err
	}
	n := len(t.left)
	if n == 0 || len(t.right) != n || len(t.feature) != n || len(t.condition) != n || len(t.defaultLeft) != n {
		return fmt.Errorf("columns of %d, %d, %d, %d and %d nodes", n, len(t.right), len(t.feature), len(t.condition), len(t.defaultLeft))
	}
	tree := Tree{Output: output, Weight: weight}
	if t.width > 1 {
		if t.width != e.Outputs {
			return fmt.Errorf("leaves of %d values for %d outputs", t.width, e.Outputs)
		}
		tree.Output = -1
	}
	var err error
	tree.Nodes, err = g.grow(0, n, func(i int) (Node, error) {
		if t.left[i] == -1 {
			at := len(tree.Values)
			if t.width <= 1 {
				tree.Values = append(tree.Values, float64(t.condition[i]))
				return leaf(at), nil
			}
			row := t.vectorAt(i)
			if row < 0 || row >= len(t.vectors)/t.width {
				return Node{}, fmt.Errorf("leaf %d: row %d of %d", i, row, len(t.vectors)/t.width)
			}
			for _, v := range t.vectors[row*t.width:][:t.width] {
				tree.Values = append(tree.Values, float64(v))
			}
			return leaf(at), nil
		}
		if t.feature[i] < 0 {
			return Node{}, fmt.Errorf("node %d: feature %d", i, t.feature[i])
		}
		node := Node{Feature: t.feature[i], Left: t.left[i], Right: t.right[i], Threshold: float64(t.condition[i]),
			Compare: Less, Missing: MissingNaN, MissingLeft: t.defaultLeft[i]}
		if t.categorical == nil {
			return node, nil
		}
		if right := t.categorical(i); right != nil {
			set, err := g.set(right)
			if err != nil {
				return Node{}, fmt.Errorf("node %d: %w", i, err)
			}
			node.Compare, node.Set, node.Threshold = In, int32(len(tree.Sets)), 0
			node.Left, node.Right, node.MissingLeft = node.Right, node.Left, !node.MissingLeft
			tree.Sets = append(tree.Sets, set)
		}
		return node, nil
	})
	if err != nil {
		return err
	}
	e.Trees = append(e.Trees, tree)
	return nil
}
