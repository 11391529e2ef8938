package tree

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// xgbDump is a node of the text that get_dump(dump_format="json") gives.
type xgbDump struct {
	ID        int             `json:"nodeid"`
	Split     json.RawMessage `json:"split"` // "f7" or 7
	Condition json.RawMessage `json:"split_condition"`
	Yes       int             `json:"yes"`
	No        int             `json:"no"`
	Missing   int             `json:"missing"`
	Leaf      *json.Number    `json:"leaf"`
	Children  []*xgbDump      `json:"children"`
}

// readXGBoostDump reads a dump, which says nothing of objective, classes and
// base score: the margin is the plain sum of the leaves, of two classes.
func readXGBoostDump(b []byte, g *nursery) (*Ensemble, error) {
	var roots []*xgbDump
	if err := g.decode(b, &roots); err != nil {
		return nil, err
	}
	e := &Ensemble{Outputs: 1, Classes: 2, Base: []float64{0}, Link: Identity, Slope: 1, Single: true, SingleSum: true}
	for i, root := range roots {
		if err := g.tree(); err != nil {
			return nil, err
		}
		tree, err := e.dump(g, root)
		if err != nil {
			return nil, fmt.Errorf("tree %d: %w", i, err)
		}
		e.Trees = append(e.Trees, tree)
	}
	return e, nil
}

// dump grows a nested tree; its nodes are numbered as they are found.
func (e *Ensemble) dump(g *nursery, root *xgbDump) (Tree, error) {
	tree := Tree{Weight: 1}
	found := []*xgbDump{root}
	number := func(n *xgbDump, id int) (int32, error) {
		for _, c := range n.Children {
			if c != nil && c.ID == id {
				found = append(found, c)
				return int32(len(found) - 1), nil
			}
		}
		return 0, fmt.Errorf("node %d: its child %d is not there", n.ID, id)
	}
	var err error
	tree.Nodes, err = g.growAs(0, func(i int) (Node, error) {
		n := found[i]
		if n == nil {
			return Node{}, fmt.Errorf("an empty node")
		}
		if n.Leaf != nil {
			v, err := strconv.ParseFloat(n.Leaf.String(), 32)
			if err != nil {
				return Node{}, fmt.Errorf("node %d: leaf %q is no number", n.ID, *n.Leaf)
			}
			tree.Values = append(tree.Values, v)
			return leaf(len(tree.Values) - 1), nil
		}
		if len(n.Children) != 2 || n.Yes == n.No {
			return Node{}, fmt.Errorf("node %d: %d children", n.ID, len(n.Children))
		}
		feature, err := strconv.ParseInt(strings.TrimPrefix(strings.Trim(string(n.Split), `"`), "f"), 10, 31)
		if err != nil || feature < 0 {
			return Node{}, fmt.Errorf("node %d: split %.40q does not say the feature's number\nhint: save the whole model with save_model(\"model.json\"), or dump it without feature names", n.ID, n.Split)
		}
		t, err := strconv.ParseFloat(string(n.Condition), 32)
		if err != nil {
			return Node{}, fmt.Errorf("node %d: split_condition %.40q is no number\nhint: save the whole model with save_model(\"model.json\")", n.ID, n.Condition)
		}
		node := Node{Feature: int32(feature), Threshold: t, Compare: Less, Missing: MissingNaN, MissingLeft: n.Missing == n.Yes}
		if node.Left, err = number(n, n.Yes); err != nil {
			return Node{}, err
		}
		if node.Right, err = number(n, n.No); err != nil {
			return Node{}, err
		}
		e.Features = max(e.Features, int(feature)+1)
		return node, nil
	})
	return tree, err
}
