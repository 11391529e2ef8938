package ledger

import (
	"slices"

	"golang.org/x/mod/sumdb/tlog"
)

// check checks a tile and all that lies below it, and returns the tile's hashes
// as the entries give them, nil if that is not to be had.
//
// right tells whether given hashes are the signed ones; it is nil if nothing
// above could vouch for them. In that case a disagreement between tiles and
// entries cannot be settled here, and the paths of the tiles that disagree are
// returned as doubts for the caller to settle.
func (c *checker) check(name tileName, right func([]tlog.Hash) bool) (computed []tlog.Hash, doubts []string) {
	if c.stop() {
		return nil, nil
	}
	stored := c.tile(name)
	signed := stored != nil && right != nil && right(stored)
	if name.level == 0 {
		bundle := tileName{level: bundleLevel, n: name.n, width: name.width}
		computed = c.bundle(bundle)
		if signed && computed != nil && !slices.Equal(computed, stored) {
			c.report.add(bundle.path(), "the entries do not hash to %s", name.path())
		}
	} else {
		computed, doubts = c.children(name, stored, signed)
	}
	switch {
	case signed:
		return stored, nil
	case right != nil && computed != nil && right(computed):
		c.report.add(name.path(), "does not match the entries")
		c.blame(doubts, false)
		return computed, nil
	case right != nil:
		c.report.add(name.path(), "does not match the tile above it, nor do the entries below it")
		c.blame(append(doubts, name.path()), true)
		return nil, nil
	case computed == nil:
		// The files that are in the way have been named.
		return stored, doubts
	case stored != nil && !slices.Equal(stored, computed):
		doubts = append(doubts, name.path())
	}
	return computed, doubts
}

// children checks the full tiles below a tile and returns the tile's hashes
// recomputed from them.
func (c *checker) children(parent tileName, stored []tlog.Hash, signed bool) (computed []tlog.Hash, doubts []string) {
	whole := true
	for i := range parent.width {
		var right func([]tlog.Hash) bool
		if signed {
			right = func(h []tlog.Hash) bool { return tileRoot(h) == stored[i] }
		}
		child := tileName{level: parent.level - 1, n: parent.n*tileWidth + int64(i), width: tileWidth}
		hashes, open := c.check(child, right)
		doubts = append(doubts, open...)
		if hashes == nil {
			whole = false
			continue
		}
		computed = append(computed, tileRoot(hashes))
	}
	if !whole {
		return nil, doubts
	}
	return computed, doubts
}

// blame names the tiles that disagree with the entries, and if the entries are
// not known to be right the bundles below them too.
func (c *checker) blame(tiles []string, bundles bool) {
	for _, path := range tiles {
		c.report.add(path, "does not match the entries")
		if name, ok := parseTilePath(path); ok && bundles && name.level == 0 {
			name.level = bundleLevel
			c.report.add(name.path(), "does not match its tile, and neither could be told to be right")
		}
	}
}
