package tree

import (
	"fmt"
	"math"

	"github.com/assize/assize/internal/onnx"
)

// onnxModes are the values of nodes_modes of ai.onnx.ml 5.
func onnxMode(m byte) string {
	modes := [...]string{"BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ", "BRANCH_MEMBER"}
	if int(m) >= len(modes) {
		return fmt.Sprintf("%d", m)
	}
	return modes[m]
}

// ensemble reads TreeEnsemble of ai.onnx.ml 5, which numbers the inner nodes
// of all trees together, and leaves apart.
func (p *onnxPlanter) ensemble(n *onnx.Node) error {
	e := p.e
	targets := n.Int("n_targets", 1)
	if targets < 1 || targets > 100_000 {
		return fmt.Errorf("n_targets %d", targets)
	}
	e.Outputs = int(targets)
	e.Base = make([]float64, e.Outputs)
	switch f := n.Int("aggregate_function", 1); f {
	case 0:
		e.Average = true
	case 1:
	default:
		return fmt.Errorf("aggregate_function %d is not supported", f)
	}
	names := [...]string{"NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO", "PROBIT"}
	post := n.Int("post_transform", 0)
	if post < 0 || post >= int64(len(names)) {
		return fmt.Errorf("post_transform %d is not supported", post)
	}
	var err error
	if e.Link, err = onnxLink(names[post]); err != nil {
		return err
	}
	yes, no, features := ints(n, "nodes_truenodeids"), ints(n, "nodes_falsenodeids"), ints(n, "nodes_featureids")
	yesLeaf, noLeaf, missing := ints(n, "nodes_trueleafs"), ints(n, "nodes_falseleafs"), ints(n, "nodes_missing_value_tracks_true")
	splits, err := p.numbers(n, "nodes_splits")
	if err != nil {
		return err
	}
	var modes []byte
	if a := n.Attribute("nodes_modes"); a != nil && a.Tensor != nil {
		if modes, err = a.Tensor.Bytes(); err != nil {
			return err
		}
	}
	count := len(yes)
	for _, have := range []int{len(no), len(features), len(yesLeaf), len(noLeaf), len(splits), len(modes)} {
		if have != count {
			return fmt.Errorf("node columns of %d and %d values", count, have)
		}
	}
	if len(missing) != 0 && len(missing) != count {
		return fmt.Errorf("nodes_missing_value_tracks_true of %d values for %d nodes", len(missing), count)
	}
	l := onnxLeaves{ids: ints(n, "leaf_targetids")}
	if l.weights, err = p.numbers(n, "leaf_weights"); err != nil {
		return err
	}
	if len(l.ids) != len(l.weights) {
		return fmt.Errorf("leaf columns of %d and %d values", len(l.ids), len(l.weights))
	}
	for i, id := range l.ids {
		if id < 0 || id >= targets {
			return fmt.Errorf("leaf %d: target %d of %d", i, id, targets)
		}
	}
	members, err := p.members(n, modes)
	if err != nil {
		return err
	}
	// Node i is i; the leaf behind its true branch is count+2i, the one behind
	// its false branch count+2i+1.
	child := func(i int, branch []int64, isLeaf []int64, side int) (int, error) {
		if branch[i] < 0 || branch[i] >= int64(count) && isLeaf[i] == 0 {
			return 0, fmt.Errorf("node %d: child %d of %d", i, branch[i], count)
		}
		if isLeaf[i] != 0 {
			return count + 2*i + side, nil
		}
		return int(branch[i]), nil
	}
	seen := make([]bool, 3*count)
	for _, root := range ints(n, "tree_roots") {
		if err := p.g.tree(); err != nil {
			return err
		}
		if root < 0 || root >= int64(count) {
			return fmt.Errorf("root %d of %d nodes", root, count)
		}
		tree, shared := Tree{Weight: 1}, -2
		pick := func(i int) (Node, error) {
			if i >= count {
				branch := yes
				if (i-count)%2 == 1 {
					branch = no
				}
				at := branch[(i-count)/2]
				if at < 0 || at >= int64(len(l.ids)) {
					return Node{}, fmt.Errorf("leaf %d of %d", at, len(l.ids))
				}
				return p.leaf(&tree, &shared, l, []int{int(at)})
			}
			left, err := child(i, yes, yesLeaf, 0)
			if err != nil {
				return Node{}, err
			}
			right, err := child(i, no, noLeaf, 1)
			if err != nil {
				return Node{}, err
			}
			if features[i] < 0 || features[i] >= int64(len(p.columns)) {
				return Node{}, fmt.Errorf("node %d: feature %d of %d", i, features[i], len(p.columns))
			}
			s := split{mode: onnxMode(modes[i]), threshold: splits[i], members: members[i],
				missingTrue: len(missing) != 0 && missing[i] != 0, yes: left, no: right}
			if s.members != nil {
				s.threshold = 0
			}
			return p.columns[features[i]].node(s, &tree, p)
		}
		if tree.Nodes, err = p.g.growFrom(int(root), seen, pick); err != nil {
			return err
		}
		p.settle(&tree, shared)
		e.Trees = append(e.Trees, tree)
	}
	return nil
}

// members cuts membership_values at NaN: a part for each node of mode
// BRANCH_MEMBER in turn.
func (p *onnxPlanter) members(n *onnx.Node, modes []byte) (map[int][]float64, error) {
	values, err := p.numbers(n, "membership_values")
	if err != nil {
		return nil, err
	}
	members := map[int][]float64{}
	for i, m := range modes {
		if onnxMode(m) != "BRANCH_MEMBER" {
			continue
		}
		part := []float64{}
		for len(values) > 0 && !math.IsNaN(values[0]) {
			part = append(part, values[0])
			values = values[1:]
		}
		if len(values) > 0 {
			values = values[1:]
		}
		if len(part) == 0 {
			return nil, fmt.Errorf("membership_values hold nothing for node %d", i)
		}
		members[i] = part
	}
	return members, nil
}
