package tree

import (
	"encoding/json"
	"fmt"
)

// node returns the split as a node whose right child is where the split's
// condition holds: a value above the border, or the category.
func (r *catReader) node(s *catSplit) (n Node, equal bool, err error) {
	switch s.Type {
	case "FloatFeature":
		n, ok := r.floats[s.Float]
		if !ok {
			return n, false, fmt.Errorf("numerical feature %d is not there", s.Float)
		}
		n.Threshold = float64(s.Border)
		return n, false, nil
	case "OneHotFeature":
		flat := r.flats[s.Category]
		code := r.codes[fmt.Sprintf("%d %s", flat, r.names[uint32(s.Value)])]
		return Node{Feature: int32(flat), Compare: Equal, Threshold: code, Missing: MissingNaN}, true, nil
	case "OnlineCtr":
		return n, false, fmt.Errorf("splits on statistics of categories (ctr) are not supported: they depend on hashes of several features\nhint: train with one_hot_max_size at least the number of categories, or assess it as a model without trees")
	}
	return n, false, fmt.Errorf("split_type %.40q is not supported", s.Type)
}

// table unfolds an oblivious tree. Its last split, which decides the highest
// bit, becomes the root.
func (r *catReader) table(g *nursery, t *catTable, scale float64) error {
	if err := g.tree(); err != nil {
		return err
	}
	depth, width := len(t.Splits), r.e.Outputs
	if depth > 20 || len(t.Leaves) != width<<depth {
		return fmt.Errorf("%d leaf values for %d splits and %d outputs", len(t.Leaves), depth, width)
	}
	tree := Tree{Weight: scale, Values: t.Leaves}
	if width > 1 {
		tree.Output = -1
	}
	// Number i of a node at level l: 2^l-1 plus the decisions so far, the
	// highest bit first.
	first := 1<<depth - 1
	var err error
	tree.Nodes, err = g.grow(0, 2*first+1, func(i int) (Node, error) {
		if i >= first {
			return leaf((i - first) * width), nil
		}
		level := 0
		for 2<<level-1 <= i {
			level++
		}
		n, equal, err := r.node(&t.Splits[depth-1-level])
		n.Left, n.Right = int32(2*i+1), int32(2*i+2)
		if equal {
			n.Left, n.Right = n.Right, n.Left
		}
		return n, err
	})
	r.e.Trees = append(r.e.Trees, tree)
	return err
}

// tree grows a tree that is not oblivious.
func (r *catReader) tree(g *nursery, root *catNode, scale float64) error {
	if err := g.tree(); err != nil {
		return err
	}
	tree := Tree{Weight: scale}
	if r.e.Outputs > 1 {
		tree.Output = -1
	}
	found := []*catNode{root}
	var err error
	tree.Nodes, err = g.growAs(0, func(i int) (Node, error) {
		n := found[i]
		if n == nil {
			return Node{}, fmt.Errorf("an empty node")
		}
		if n.Split == nil {
			values := make([]float64, 1)
			if json.Unmarshal(n.Value, &values) != nil {
				values = values[:1]
				if err := json.Unmarshal(n.Value, &values[0]); err != nil {
					return Node{}, fmt.Errorf("leaf value %.40q is no number", n.Value)
				}
			}
			if len(values) != r.e.Outputs {
				return Node{}, fmt.Errorf("a leaf of %d values for %d outputs", len(values), r.e.Outputs)
			}
			tree.Values = append(tree.Values, values...)
			return leaf(len(tree.Values) - len(values)), nil
		}
		node, equal, err := r.node(n.Split)
		node.Left, node.Right = int32(len(found)), int32(len(found)+1)
		if equal {
			node.Left, node.Right = node.Right, node.Left
		}
		found = append(found, n.Left, n.Right)
		return node, err
	})
	r.e.Trees = append(r.e.Trees, tree)
	return err
}
