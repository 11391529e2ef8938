package tree

import (
	"fmt"

	"github.com/assize/assize/internal/onnx"
)

// onnxLeaves are the columns class_* or target_*: a weight that a leaf adds
// to a class or target.
type onnxLeaves struct {
	trees, nodes, ids []int64
	weights           []float64
}

func (p *onnxPlanter) leaves(n *onnx.Node, kind string) (l onnxLeaves, err error) {
	l.trees, l.nodes = ints(n, kind+"_treeids"), ints(n, kind+"_nodeids")
	l.ids = append([]int64(nil), ints(n, kind+"_ids")...)
	if l.weights, err = p.numbers(n, kind+"_weights"); err != nil {
		return l, err
	}
	if len(l.nodes) != len(l.trees) || len(l.ids) != len(l.trees) || len(l.weights) != len(l.trees) {
		return l, fmt.Errorf("%s columns of %d, %d, %d and %d values", kind, len(l.trees), len(l.nodes), len(l.ids), len(l.weights))
	}
	return l, nil
}

// single says whether all weights are one class's, and whether none is negative.
func (l onnxLeaves) single() (one, positive bool) {
	one, positive = true, true
	for i, id := range l.ids {
		one = one && id == l.ids[0]
		positive = positive && l.weights[i] >= 0
	}
	return one, positive
}

// onnxKey names a node in the columns.
type onnxKey struct{ tree, node int64 }

// trees reads the columns nodes_* of opset 1 and 3. Trees keep the order in
// which their first nodes stand.
func (p *onnxPlanter) trees(n *onnx.Node, l onnxLeaves) error {
	treeIDs, nodeIDs := ints(n, "nodes_treeids"), ints(n, "nodes_nodeids")
	yes, no, features := ints(n, "nodes_truenodeids"), ints(n, "nodes_falsenodeids"), ints(n, "nodes_featureids")
	missing := ints(n, "nodes_missing_value_tracks_true")
	thresholds, err := p.numbers(n, "nodes_values")
	if err != nil {
		return err
	}
	var modes [][]byte
	if a := n.Attribute("nodes_modes"); a != nil {
		modes = a.Strings
	}
	count := len(treeIDs)
	for _, have := range []int{len(nodeIDs), len(yes), len(no), len(features), len(thresholds), len(modes)} {
		if have != count {
			return fmt.Errorf("node columns of %d and %d values", count, have)
		}
	}
	if len(missing) != 0 && len(missing) != count {
		return fmt.Errorf("nodes_missing_value_tracks_true of %d values for %d nodes", len(missing), count)
	}
	if count > p.g.lim.MaxNodes {
		return fmt.Errorf("more than %d nodes", p.g.lim.MaxNodes)
	}
	weights := map[onnxKey][]int{}
	for i := range l.trees {
		k := onnxKey{l.trees[i], l.nodes[i]}
		weights[k] = append(weights[k], i)
		if l.ids[i] < 0 || l.ids[i] >= int64(p.e.Outputs) {
			return fmt.Errorf("weight %d: class or target %d of %d", i, l.ids[i], p.e.Outputs)
		}
	}
	at, roots, members := make(map[onnxKey]int, count), []int{}, map[int64]bool{}
	for i := range treeIDs {
		k := onnxKey{treeIDs[i], nodeIDs[i]}
		if _, twice := at[k]; twice {
			return fmt.Errorf("tree %d has two nodes %d", k.tree, k.node)
		}
		at[k] = i
		if !members[k.tree] {
			members[k.tree] = true
			roots = append(roots, i)
		}
	}
	child := func(i int, id int64) (int, error) {
		c, ok := at[onnxKey{treeIDs[i], id}]
		if !ok {
			return 0, fmt.Errorf("node %d of tree %d: its child %d is not there", nodeIDs[i], treeIDs[i], id)
		}
		return c, nil
	}
	seen := make([]bool, count)
	for _, root := range roots {
		if err := p.g.tree(); err != nil {
			return err
		}
		tree := Tree{Weight: 1}
		shared := -2 // the output that all leaves so far add to
		pick := func(i int) (Node, error) {
			if string(modes[i]) == "LEAF" {
				return p.leaf(&tree, &shared, l, weights[onnxKey{treeIDs[i], nodeIDs[i]}])
			}
			left, err := child(i, yes[i])
			if err != nil {
				return Node{}, err
			}
			right, err := child(i, no[i])
			if err != nil {
				return Node{}, err
			}
			if features[i] < 0 || features[i] >= int64(len(p.columns)) {
				return Node{}, fmt.Errorf("node %d of tree %d: feature %d of %d", nodeIDs[i], treeIDs[i], features[i], len(p.columns))
			}
			s := split{mode: string(modes[i]), threshold: thresholds[i], missingTrue: len(missing) != 0 && missing[i] != 0, yes: left, no: right}
			return p.columns[features[i]].node(s, &tree, p)
		}
		if tree.Nodes, err = p.g.growFrom(root, seen, pick); err != nil {
			return err
		}
		p.settle(&tree, shared)
		p.e.Trees = append(p.e.Trees, tree)
	}
	return nil
}

// leaf appends a row of a value per output, and notes in shared the one
// output that the tree adds to, or -1 where there are several.
func (p *onnxPlanter) leaf(t *Tree, shared *int, l onnxLeaves, weights []int) (Node, error) {
	if p.g.values += p.e.Outputs; p.g.values > p.g.lim.MaxNodes {
		return Node{}, fmt.Errorf("leaves take more than %d values", p.g.lim.MaxNodes)
	}
	row := make([]float64, p.e.Outputs)
	for _, w := range weights {
		k := int(l.ids[w])
		if *shared == -2 {
			*shared = k
		} else if *shared != k {
			*shared = -1
		}
		row[k] += l.weights[w]
		if !p.double {
			row[k] = float64(float32(row[k]))
		}
	}
	t.Values = append(t.Values, row...)
	return leaf(len(t.Values) - len(row)), nil
}

// always says, per output, whether some tree adds to it whatever leaf is
// reached. ONNX Runtime treats an output that no leaf added to in its own
// way, which no sum expresses.
func (p *onnxPlanter) always(n *onnx.Node, l onnxLeaves) []bool {
	treeIDs, nodeIDs := ints(n, "nodes_treeids"), ints(n, "nodes_nodeids")
	leaves, adds := map[int64]int{}, map[onnxKey]map[onnxKey]bool{}
	if a := n.Attribute("nodes_modes"); a != nil && len(a.Strings) == len(treeIDs) && len(nodeIDs) == len(treeIDs) {
		for i, mode := range a.Strings {
			if string(mode) == "LEAF" {
				leaves[treeIDs[i]]++
			}
		}
	}
	sure := make([]bool, p.e.Outputs)
	for i, id := range l.ids {
		if id < 0 || id >= int64(len(sure)) {
			continue
		}
		k := onnxKey{l.trees[i], id}
		if adds[k] == nil {
			adds[k] = map[onnxKey]bool{}
		}
		adds[k][onnxKey{l.trees[i], l.nodes[i]}] = true
		if len(adds[k]) == leaves[l.trees[i]] {
			sure[id] = true
		}
	}
	return sure
}

// settle turns rows into single values where the tree adds to one output.
func (p *onnxPlanter) settle(t *Tree, shared int) {
	t.Output = max(shared, 0)
	if shared == -1 || p.e.Average && p.e.Outputs > 1 {
		t.Output = -1
		return
	}
	var values []float64
	for i := range t.Nodes {
		if n := &t.Nodes[i]; n.Feature < 0 {
			values = append(values, t.Values[int(n.Left)+t.Output])
			n.Left = int32(len(values) - 1)
		}
	}
	p.g.values -= len(t.Values) - len(values)
	t.Values = values
}
