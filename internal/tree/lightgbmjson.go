package tree

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

type lgbFile struct {
	Version      string   `json:"version"`
	PerIteration int      `json:"num_tree_per_iteration"`
	LastFeature  int      `json:"max_feature_idx"`
	Objective    string   `json:"objective"`
	Average      bool     `json:"average_output"`
	Names        []string `json:"feature_names"`
	Trees        []struct {
		Structure *lgbNode `json:"tree_structure"`
	} `json:"tree_info"`
	Pandas [][]any `json:"pandas_categorical"`
}

type lgbNode struct {
	Feature     int             `json:"split_feature"`
	Threshold   json.RawMessage `json:"threshold"` // a number, or categories as "1||5||7"
	Decision    string          `json:"decision_type"`
	DefaultLeft bool            `json:"default_left"`
	Missing     string          `json:"missing_type"`
	Left        *lgbNode        `json:"left_child"`
	Right       *lgbNode        `json:"right_child"`
	Value       *float64        `json:"leaf_value"`
	Const       *float64        `json:"leaf_const"` // of a leaf with a linear model
}

// readLightGBMJSON reads what dump_model gives.
func readLightGBMJSON(b []byte, g *nursery) (*Ensemble, error) {
	var file lgbFile
	if err := g.decode(b, &file); err != nil {
		return nil, err
	}
	e, err := newLightGBM(file.Objective, file.LastFeature+1, file.PerIteration, file.Average)
	if err != nil {
		return nil, err
	}
	if file.Average && file.Version == "v2" {
		e.forest()
	}
	if len(file.Names) == e.Features {
		e.Names = file.Names
	}
	e.Version = file.Version
	for i, t := range file.Trees {
		if err := g.tree(); err != nil {
			return nil, err
		}
		tree := Tree{Output: i % e.Outputs, Weight: 1}
		found := []*lgbNode{t.Structure}
		tree.Nodes, err = g.growAs(0, func(i int) (Node, error) {
			n := found[i]
			switch {
			case n == nil:
				return Node{}, fmt.Errorf("an empty node")
			case n.Const != nil:
				return Node{}, fmt.Errorf("leaves with linear models (linear_tree) are not supported\nhint: assess it through ONNX as a model without trees")
			case n.Value != nil:
				tree.Values = append(tree.Values, *n.Value)
				return leaf(len(tree.Values) - 1), nil
			}
			node, err := n.split(g, &tree)
			node.Left, node.Right = int32(len(found)), int32(len(found)+1)
			found = append(found, n.Left, n.Right)
			return node, err
		})
		if err != nil {
			return nil, fmt.Errorf("tree %d: %w", i, err)
		}
		e.Trees = append(e.Trees, tree)
	}
	e.pandasLevels(file.Pandas)
	return e, nil
}

// split reads the test of an inner node.
func (n *lgbNode) split(g *nursery, t *Tree) (Node, error) {
	if n.Feature < 0 || n.Feature > 1<<30 {
		return Node{}, fmt.Errorf("feature %d", n.Feature)
	}
	node := Node{Feature: int32(n.Feature), MissingLeft: n.DefaultLeft}
	switch n.Decision {
	case "<=":
		v, err := strconv.ParseFloat(string(n.Threshold), 64)
		if err != nil {
			return node, fmt.Errorf("threshold %.40q is no number", n.Threshold)
		}
		kind, ok := map[string]Missing{"None": MissingNone, "Zero": MissingZeroAndNaN, "NaN": MissingNaN}[n.Missing]
		if !ok {
			return node, fmt.Errorf("missing_type %.40q is not supported", n.Missing)
		}
		node.Compare, node.Threshold, node.Missing = LessOrEqual, v, kind
	case "==":
		var categories []int
		for word := range strings.SplitSeq(strings.Trim(string(n.Threshold), `"`), "||") {
			c, err := strconv.Atoi(word)
			if err != nil {
				return node, fmt.Errorf("category %.40q is no number", word)
			}
			categories = append(categories, c)
		}
		set, err := g.set(categories)
		if err != nil {
			return node, err
		}
		node.Compare, node.Missing, node.MissingLeft, node.Set = In, MissingNaN, false, int32(len(t.Sets))
		t.Sets = append(t.Sets, set)
	default:
		return node, fmt.Errorf("decision_type %.40q is not supported", n.Decision)
	}
	return node, nil
}
