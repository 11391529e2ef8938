package tree

import (
	"encoding/json"
	"fmt"
)

// catSpot is a place in a tree of the file: a node, or, in an oblivious tree,
// a level, from the last split down to -1 for a leaf, and the decisions so far.
type catSpot struct {
	node        *catNode
	level, bits int
	test        *catTest // what is left of the split to ask
}

// table unfolds an oblivious tree. Its last split, which decides the highest
// bit, becomes the root.
func (r *catReader) table(t *catTable, scale float64) error {
	depth, width := len(t.Splits), r.e.Outputs
	if depth > 20 || len(t.Leaves) != width<<depth {
		return fmt.Errorf("%d leaf values for %d splits and %d outputs", len(t.Leaves), depth, width)
	}
	splits := make([]*catTest, depth)
	for i := range splits {
		var err error
		if splits[i], err = r.split(&t.Splits[i]); err != nil {
			return err
		}
	}
	return r.grow(Tree{Values: t.Leaves, Weight: scale}, catSpot{level: depth - 1}, catShape{
		test: func(s *catSpot) (*catTest, error) {
			if s.level < 0 {
				return nil, nil
			}
			return splits[s.level], nil
		},
		next: func(s *catSpot, holds bool) {
			if holds {
				s.bits |= 1 << s.level
			}
			s.level--
		},
		leaf: func(_ *Tree, s *catSpot) (int, error) { return s.bits * width, nil },
	})
}

// tree grows a tree that is not oblivious.
func (r *catReader) tree(root *catNode, scale float64) error {
	return r.grow(Tree{Weight: scale}, catSpot{node: root}, catShape{
		test: func(s *catSpot) (*catTest, error) {
			if s.node == nil {
				return nil, fmt.Errorf("an empty node")
			}
			if s.node.Split == nil {
				return nil, nil
			}
			return r.split(s.node.Split)
		},
		next: func(s *catSpot, holds bool) {
			if holds {
				s.node = s.node.Right
			} else {
				s.node = s.node.Left
			}
		},
		leaf: func(t *Tree, s *catSpot) (int, error) {
			values := make([]float64, 1)
			if json.Unmarshal(s.node.Value, &values) != nil {
				values = values[:1]
				if err := json.Unmarshal(s.node.Value, &values[0]); err != nil {
					return 0, fmt.Errorf("leaf value %.40q is no number", s.node.Value)
				}
			}
			if len(values) != r.e.Outputs {
				return 0, fmt.Errorf("a leaf of %d values for %d outputs", len(values), r.e.Outputs)
			}
			t.Values = append(t.Values, values...)
			return len(t.Values) - len(values), nil
		},
	})
}

// catShape is how a tree of the file hangs together.
type catShape struct {
	test func(*catSpot) (*catTest, error) // the split at a spot; nil: a leaf
	next func(s *catSpot, holds bool)
	leaf func(*Tree, *catSpot) (int, error) // the index of its first value
}

// grow lays a tree out. A split takes as many nodes as its tests.
func (r *catReader) grow(tree Tree, root catSpot, shape catShape) error {
	if err := r.g.tree(); err != nil {
		return err
	}
	if r.e.Outputs > 1 {
		tree.Output = -1
	}
	sets := map[*catTest]int32{}
	spots := []catSpot{root}
	var err error
	tree.Nodes, err = r.g.growAs(0, func(i int) (Node, error) {
		s := spots[i]
		for s.test == nil || s.test.left == nil {
			if s.test != nil {
				shape.next(&s, s.test.holds)
			}
			if s.test, err = shape.test(&s); err != nil {
				return Node{}, err
			}
			if s.test == nil {
				at, err := shape.leaf(&tree, &s)
				return leaf(at), err
			}
		}
		n := s.test.node
		if n.Compare == In {
			at, ok := sets[s.test]
			if !ok {
				at = int32(len(tree.Sets))
				sets[s.test] = at
				tree.Sets = append(tree.Sets, s.test.set)
			}
			n.Set = at
		}
		n.Left, n.Right = int32(len(spots)), int32(len(spots)+1)
		left, right := s, s
		left.test, right.test = s.test.left, s.test.right
		spots = append(spots, left, right)
		return n, nil
	})
	r.e.Trees = append(r.e.Trees, tree)
	if err != nil && r.g.nodes > r.g.lim.MaxNodes && len(r.splits) > 0 {
		return fmt.Errorf("%w, unfolded from statistics of categories (ctr)\nhint: train with max_ctr_complexity=1 and fewer or shallower trees", err)
	}
	return err
}
