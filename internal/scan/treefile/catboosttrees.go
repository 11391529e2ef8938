package treefile

import (
	"github.com/assize/assize/internal/scan/flatbuf"
	"github.com/assize/assize/internal/scan/window"
)

// maxDepth is the depth of a tree that asks one question on each level.
const maxDepth = 16

// vector is the numbers of four bytes that a table holds.
type vector struct{ at, n int64 }

func (c *cbm) read(v vector) *window.Reader { return window.New(c.in, v.at, v.at+4*v.n) }

// forest is what trees refer to.
type forest struct {
	splits, sizes, starts, steps, leaves vector
	values, dimension, questions         int64
}

// trees checks that what trees refer to is there: loaders do not.
func (c *cbm) trees(o flatbuf.Object) error {
	var f forest
	for _, v := range []struct {
		field int
		is    *vector
	}{{1, &f.splits}, {2, &f.sizes}, {3, &f.starts}, {10, &f.steps}, {11, &f.leaves}} {
		var err error
		if v.is.at, v.is.n, err = o.Vector(v.field); err != nil {
			return err
		}
	}
	var err error
	if _, f.values, err = o.Vector(8); err != nil {
		return err
	}
	dimension, err := o.Uint(0, 4, 0)
	if err != nil {
		return err
	}
	f.dimension = int64(int32(dimension))
	for _, v := range [][2]int{{5, 3}, {13, 3}, {6, 1}, {7, 1}} { // features and their borders: numbers, estimated, one-hot, statistics
		err := o.Objects(v[0], func(feature flatbuf.Object) error {
			_, n, err := feature.Vector(v[1])
			f.questions += n
			return err
		})
		if err != nil {
			return err
		}
	}
	even := f.steps.n == 0
	switch {
	case f.dimension < 1 || f.sizes.n != f.starts.n && f.starts.n > 0:
		c.deceive("count", o.Offset(), "CWE-130", "%d outputs, sizes of %d trees and starts of %d", f.dimension, f.sizes.n, f.starts.n)
		return nil
	case !even && (f.steps.n != f.splits.n || f.leaves.n != f.splits.n):
		c.deceive("count", o.Offset(), "CWE-130", "%d nodes with %d steps and %d leaves", f.splits.n, f.steps.n, f.leaves.n)
		return nil
	}
	if err := c.splits(f, even); err != nil {
		return err
	}
	return c.places(f, even)
}

// splits checks that every question is there. A tree of steps writes 0 where it asks none.
func (c *cbm) splits(f forest, even bool) error {
	r := c.read(f.splits)
	for r.Left() > 0 {
		if err := c.out.Spend(c.ctx, 4); err != nil {
			return err
		}
		q, err := r.Uint32()
		if err != nil {
			return err
		}
		if int64(q) >= f.questions && (even || q != 0) {
			c.deceive("node", r.Offset()-4, "CWE-125", "a tree asks question %d of %d", int32(q), f.questions)
			return nil
		}
	}
	return nil
}

// places checks where trees lie, and their leaves.
func (c *cbm) places(f forest, even bool) error {
	sizes, starts := c.read(f.sizes), c.read(f.starts)
	steps, leaves := c.read(f.steps), c.read(f.leaves)
	next, values := int64(0), int64(0)
	for i := range f.sizes.n {
		if err := c.out.Spend(c.ctx, 8); err != nil {
			return err
		}
		size, err := sizes.Uint32()
		if err != nil {
			return err
		}
		if f.starts.n > 0 {
			start, err := starts.Uint32()
			if err != nil {
				return err
			}
			if int64(start) != next {
				c.deceive("count", starts.Offset()-4, "CWE-125", "tree %d begins at %d, the one before ends at %d", i, int32(start), next)
				return nil
			}
		}
		if next += int64(size); next > f.splits.n || even && size > maxDepth {
			c.deceive("count", sizes.Offset()-4, "CWE-125", "tree %d has %d nodes and ends at %d of %d", i, size, next, f.splits.n)
			return nil
		}
		if even {
			if values += f.dimension << size; values > f.values {
				break // before the sum grows out of its bits
			}
			continue
		}
		for k := range int64(size) {
			if fine, err := c.step(f, steps, leaves, k, int64(size)); err != nil || !fine {
				return err
			}
		}
	}
	if even && values != f.values {
		c.deceive("count", f.sizes.at, "CWE-130", "trees of %d values, %d are there", values, f.values)
	}
	return nil
}

// step checks node k of a tree of n: where it leads, and its leaf where it ends.
func (c *cbm) step(f forest, steps, leaves *window.Reader, k, n int64) (fine bool, err error) {
	if err := c.out.Spend(c.ctx, 8); err != nil {
		return false, err
	}
	left, err := steps.Uint16()
	if err != nil {
		return false, err
	}
	right, err := steps.Uint16()
	if err != nil {
		return false, err
	}
	leaf, err := leaves.Uint32()
	if err != nil {
		return false, err
	}
	if k+int64(max(left, right)) >= n {
		c.deceive("node", steps.Offset()-4, "CWE-125", "node %d of %d leads %d and %d further", k, n, left, right)
		return false, nil
	}
	if (left == 0 || right == 0) && int64(leaf)+f.dimension > f.values {
		c.deceive("node", leaves.Offset()-4, "CWE-125", "node %d ends at value %d of %d", k, leaf, f.values)
		return false, nil
	}
	return true, nil
}
