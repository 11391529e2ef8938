package tree

import "fmt"

// Limits bound what Read accepts.
type Limits struct {
	MaxBytes int64 // size of the file
	MaxTrees int   // trees in all
	MaxNodes int   // nodes and leaves of all trees, after CatBoost's tables are unfolded
}

// DefaultLimits are wide enough for ensembles of tens of thousands of trees.
func DefaultLimits() Limits {
	return Limits{MaxBytes: 1 << 29, MaxTrees: 200_000, MaxNodes: 20_000_000}
}

// nursery counts what one Read has grown.
type nursery struct {
	lim          Limits
	trees, nodes int
	words        int // of category sets
	values       int // of leaves, as rows of a value per output
	asked        int // predicates at values, of scorecards
}

// tree counts one more tree.
func (g *nursery) tree() error {
	if g.trees++; g.trees > g.lim.MaxTrees {
		return fmt.Errorf("more than %d trees", g.lim.MaxTrees)
	}
	return nil
}

// grow lays out the nodes of one tree, root first and each in front of its
// children, from a file's own numbering of n nodes. pick returns the node of
// a number with the numbers of its children in Left and Right; of a leaf,
// Left stays as it is. No number may come twice, so the walk ends.
func (g *nursery) grow(root, n int, pick func(i int) (Node, error)) ([]Node, error) {
	return g.growFrom(root, make([]bool, n), pick)
}

// growFrom is grow for files that number the nodes of all trees together:
// seen marks what trees before took, one element a number.
func (g *nursery) growFrom(root int, seen []bool, pick func(i int) (Node, error)) ([]Node, error) {
	return g.growAs(root, func(i int) (Node, error) {
		if i < 0 || i >= len(seen) {
			return Node{}, fmt.Errorf("child %d of %d nodes", i, len(seen))
		}
		if seen[i] {
			return Node{}, fmt.Errorf("node %d is reached twice", i)
		}
		seen[i] = true
		return pick(i)
	})
}

// growAs is grow for trees whose shape cannot have a cycle, as pick numbers
// nodes itself.
func (g *nursery) growAs(root int, pick func(i int) (Node, error)) ([]Node, error) {
	type place struct {
		number, parent int
		right          bool
	}
	var nodes []Node
	for stack := []place{{number: root, parent: -1}}; len(stack) > 0; {
		p := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if g.nodes++; g.nodes > g.lim.MaxNodes {
			return nil, fmt.Errorf("more than %d nodes", g.lim.MaxNodes)
		}
		node, err := pick(p.number)
		if err != nil {
			return nil, err
		}
		here := len(nodes)
		if p.right {
			nodes[p.parent].Right = int32(here)
		} else if p.parent >= 0 {
			nodes[p.parent].Left = int32(here)
		}
		nodes = append(nodes, node)
		if node.Feature >= 0 {
			stack = append(stack, place{int(node.Right), here, true}, place{int(node.Left), here, false})
		}
	}
	return nodes, nil
}

// leaf returns a leaf whose first value is at that index.
func leaf(value int) Node { return Node{Feature: -1, Left: int32(value)} }

// set returns the categories as a bit set. What sets take in all is bounded
// by the limit on nodes, because one large number makes a large set.
func (g *nursery) set(categories []int) ([]uint64, error) {
	top := 0
	for _, c := range categories {
		if c < 0 || c >= 1<<24 {
			return nil, fmt.Errorf("category %d is outside 0 to 2^24", c)
		}
		top = max(top, c)
	}
	words := top/64 + 1
	if g.words += words; g.words > g.lim.MaxNodes {
		return nil, fmt.Errorf("category sets take more than %d words", g.lim.MaxNodes)
	}
	set := make([]uint64, words)
	for _, c := range categories {
		set[c/64] |= 1 << (c % 64)
	}
	return set, nil
}
