package tree

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// newLightGBM returns an ensemble without trees. Everything is float64, and
// the first trees carry the base score.
func newLightGBM(objective string, features, perIteration int, average bool) (*Ensemble, error) {
	if features < 1 || features > 1<<30 || perIteration < 1 || perIteration > 100_000 {
		return nil, fmt.Errorf("%d features and %d trees an iteration", features, perIteration)
	}
	e := &Ensemble{Features: features, Outputs: perIteration, Base: make([]float64, perIteration), Average: average, Slope: 1, Link: Identity}
	words := strings.Fields(objective)
	if len(words) == 0 {
		return e, nil // an objective of the user's own: the margin is the prediction
	}
	for _, word := range words[1:] {
		key, value, _ := strings.Cut(word, ":")
		switch key {
		case "sigmoid":
			slope, err := strconv.ParseFloat(value, 64)
			if err != nil || !(slope > 0) {
				return nil, fmt.Errorf("objective %q: sigmoid is no number above 0", objective)
			}
			e.Slope = slope
		case "sqrt":
			e.Link = Square
		}
	}
	switch words[0] {
	case "binary":
		e.Classes, e.Link = 2, Sigmoid
	case "multiclass":
		e.Classes, e.Link = perIteration, Softmax
	case "multiclassova":
		e.Classes, e.Link = perIteration, Sigmoid
	case "cross_entropy", "xentropy":
		e.Link = Sigmoid
	case "cross_entropy_lambda", "xentlambda":
		e.Link = Softplus
	case "poisson", "gamma", "tweedie":
		e.Link = Exp
	case "regression", "regression_l2", "regression_l1", "huber", "fair", "quantile", "mape", "lambdarank", "rank_xendcg", "custom":
	default:
		return nil, fmt.Errorf("objective %q is not supported\nhint: export the model to ONNX with onnxmltools.convert_lightgbm", words[0])
	}
	if e.Classes == 1 || e.Classes == 2 && perIteration > 2 {
		return nil, fmt.Errorf("objective %q with %d trees an iteration", words[0], perIteration)
	}
	return e, nil
}

// forest takes the link away from trees whose leaves hold predictions.
func (e *Ensemble) forest() {
	e.Link = Identity
	if e.Classes == 2 && e.Outputs == 1 {
		e.Link = Share
	}
}

// pandasLevels gives the categorical columns of a pandas table, which the
// library numbers in their order, the names of their categories. Which
// features they are, the splits tell; where counts differ, none is named.
func (e *Ensemble) pandasLevels(list [][]any) {
	seen := map[int]bool{}
	for _, t := range e.Trees {
		for _, n := range t.Nodes {
			if n.Feature >= 0 && n.Compare == In {
				seen[int(n.Feature)] = true
			}
		}
	}
	if len(list) == 0 || len(seen) != len(list) {
		return
	}
	e.Levels = make(map[int][]string, len(list))
	for i, f := range slices.Sorted(maps.Keys(seen)) {
		for _, v := range list[i] {
			e.Levels[f] = append(e.Levels[f], fmt.Sprint(v))
		}
	}
}

// lgbBlock is a run of key=value lines.
type lgbBlock map[string]string

// numbers parses a value of numbers between blanks.
func lgbNumbers[T any](b lgbBlock, key string, parse func(string) (T, error)) ([]T, error) {
	var out []T
	for word := range strings.FieldsSeq(b[key]) {
		v, err := parse(word)
		if err != nil {
			return nil, fmt.Errorf("%s: %.40q is no number", key, word)
		}
		out = append(out, v)
	}
	return out, nil
}

func lgbFloat(s string) (float64, error) { return strconv.ParseFloat(s, 64) }

func lgbInt(s string) (int, error) {
	n, err := strconv.ParseInt(s, 10, 32)
	return int(n), err
}

func (b lgbBlock) count(key string) (int, error) {
	n, err := lgbInt(b[key])
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%s %.40q is no count", key, b[key])
	}
	return n, nil
}

// readLightGBMText reads what save_model writes.
func readLightGBMText(b []byte, g *nursery) (*Ensemble, error) {
	var e *Ensemble
	block, header, ended := lgbBlock{}, true, false
	flush := func() (err error) {
		if header {
			e, err = lgbHeader(block)
		} else if err = e.lgbTree(g, block); err != nil {
			err = fmt.Errorf("tree %d: %w", len(e.Trees), err)
		}
		block, header = lgbBlock{}, false
		return err
	}
	var pandas [][]any
	for line := range strings.Lines(string(b)) {
		line = strings.TrimRight(line, "\r\n")
		key, value, _ := strings.Cut(line, "=")
		switch {
		case ended:
			if list, ok := strings.CutPrefix(line, "pandas_categorical:"); ok {
				if err := json.Unmarshal([]byte(list), &pandas); err != nil {
					return nil, fmt.Errorf("pandas_categorical: %w", err)
				}
			}
		case key == "Tree", line == "end of trees":
			if err := flush(); err != nil {
				return nil, err
			}
			ended = key != "Tree"
		case key != "":
			block[key] = value
		}
	}
	if !ended {
		return nil, fmt.Errorf("the line \"end of trees\" is missing\nhint: the file is truncated; save or copy it again")
	}
	e.pandasLevels(pandas)
	return e, nil
}

func lgbHeader(b lgbBlock) (*Ensemble, error) {
	last, err := b.count("max_feature_idx")
	if err != nil {
		return nil, err
	}
	per, err := b.count("num_tree_per_iteration")
	if err != nil {
		return nil, err
	}
	_, average := b["average_output"]
	e, err := newLightGBM(b["objective"], last+1, per, average)
	if err != nil {
		return nil, err
	}
	if average && b["version"] == "v2" { // forests of that time hold predictions at their leaves
		e.forest()
	}
	if names := strings.Fields(b["feature_names"]); len(names) == e.Features {
		e.Names = names
	}
	e.Version = b["version"]
	return e, nil
}

// lgbTree reads one tree: inner nodes are numbered from 0, leaves by their
// complement.
func (e *Ensemble) lgbTree(g *nursery, b lgbBlock) error {
	if err := g.tree(); err != nil {
		return err
	}
	if linear := strings.TrimSpace(b["is_linear"]); linear != "" && linear != "0" {
		return fmt.Errorf("leaves with linear models (linear_tree) are not supported\nhint: assess it through ONNX as a model without trees")
	}
	leaves, err := b.count("num_leaves")
	if err != nil {
		return err
	}
	tree := Tree{Output: len(e.Trees) % e.Outputs, Weight: 1}
	if tree.Values, err = lgbNumbers(b, "leaf_value", lgbFloat); err != nil {
		return err
	}
	if leaves < 1 || len(tree.Values) != leaves {
		return fmt.Errorf("%d leaf values for num_leaves %d", len(tree.Values), leaves)
	}
	var columns [6][]int
	for i, key := range []string{"split_feature", "decision_type", "left_child", "right_child", "cat_boundaries", "cat_threshold"} {
		parse := lgbInt
		if key == "cat_threshold" {
			parse = func(s string) (int, error) { n, err := strconv.ParseUint(s, 10, 32); return int(n), err }
		}
		if columns[i], err = lgbNumbers(b, key, parse); err != nil {
			return err
		}
	}
	thresholds, err := lgbNumbers(b, "threshold", lgbFloat)
	if err != nil {
		return err
	}
	feature, decision, left, right := columns[0], columns[1], columns[2], columns[3]
	inner := leaves - 1
	if leaves == 1 {
		feature, decision, left, right, thresholds = nil, nil, nil, nil, nil
	}
	for _, have := range []int{len(feature), len(decision), len(left), len(right), len(thresholds)} {
		if have != inner {
			return fmt.Errorf("node columns of %d values for num_leaves %d", have, leaves)
		}
	}
	if tree.Sets, err = lgbSets(g, columns[4], columns[5]); err != nil {
		return err
	}
	number := func(child int) int32 {
		if child < 0 {
			return int32(inner + ^child)
		}
		return int32(child)
	}
	tree.Nodes, err = g.grow(0, inner+leaves, func(i int) (Node, error) {
		if i >= inner {
			return leaf(i - inner), nil
		}
		if feature[i] < 0 || left[i] >= inner || right[i] >= inner {
			return Node{}, fmt.Errorf("node %d: feature %d, children %d and %d of %d", i, feature[i], left[i], right[i], inner)
		}
		n := Node{Feature: int32(feature[i]), Left: number(left[i]), Right: number(right[i])}
		if decision[i]&1 == 1 {
			set := thresholds[i]
			if !(set >= 0 && set < float64(len(tree.Sets))) {
				return Node{}, fmt.Errorf("node %d: category set %v of %d", i, set, len(tree.Sets))
			}
			n.Compare, n.Missing, n.Set = In, MissingNaN, int32(set)
			return n, nil
		}
		kind := decision[i] >> 2 & 3
		if kind == 3 {
			return Node{}, fmt.Errorf("node %d: decision_type %d is not supported", i, decision[i])
		}
		n.Compare, n.Threshold, n.MissingLeft = LessOrEqual, thresholds[i], decision[i]&2 != 0
		n.Missing = [3]Missing{MissingNone, MissingZeroAndNaN, MissingNaN}[kind]
		return n, nil
	})
	e.Trees = append(e.Trees, tree)
	return err
}

// lgbSets cuts the words of all category sets at the boundaries.
func lgbSets(g *nursery, boundaries, words []int) ([][]uint64, error) {
	if g.words += len(words); g.words > g.lim.MaxNodes {
		return nil, fmt.Errorf("category sets take more than %d words", g.lim.MaxNodes)
	}
	var sets [][]uint64
	for i := 1; i < len(boundaries); i++ {
		from, to := boundaries[i-1], boundaries[i]
		if from < 0 || to < from || to > len(words) {
			return nil, fmt.Errorf("category set %d: words %d to %d of %d", i-1, from, to, len(words))
		}
		set := make([]uint64, (to-from+1)/2)
		for k, w := range words[from:to] {
			set[k/2] |= uint64(w) << (32 * (k % 2))
		}
		sets = append(sets, set)
	}
	return sets, nil
}
