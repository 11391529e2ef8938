package ledger

import (
	"crypto/sha256"
	"slices"

	"golang.org/x/mod/sumdb/tlog"
)

// An edge is the right-hand side of a log's tree: for each level the hashes of
// the partial tile at its end. It is all that appending and the root need.
type edge struct {
	size   int64
	levels [maxLevels][]tlog.Hash
}

func (e *edge) clone() *edge {
	c := &edge{size: e.size}
	for l := range e.levels {
		c.levels[l] = slices.Clone(e.levels[l])
	}
	return c
}

// add appends a leaf hash and calls filled for every tile that this completes,
// lowest level first. filled may keep the hashes.
func (e *edge) add(leaf tlog.Hash, filled func(name tileName, hashes []tlog.Hash)) {
	e.size++
	h := leaf
	for l := range e.levels {
		e.levels[l] = append(e.levels[l], h)
		if len(e.levels[l]) < tileWidth {
			return
		}
		tile := e.levels[l]
		e.levels[l] = nil
		filled(tileName{level: l, n: levelCount(l, e.size)/tileWidth - 1, width: tileWidth}, tile)
		h = tileRoot(tile)
	}
}

// root returns the RFC 6962 tree hash. The tree's complete subtrees, from the
// smallest at the right to the largest, are hashed together from the right.
func (e *edge) root() tlog.Hash {
	if e.size == 0 {
		return sha256.Sum256(nil)
	}
	var root tlog.Hash
	first := true
	for _, hashes := range e.levels {
		for size := 1; len(hashes) > 0; size *= 2 {
			if len(hashes)&size == 0 {
				continue
			}
			left := len(hashes) - size
			peak := tileRoot(hashes[left:])
			hashes = hashes[:left]
			if first {
				root, first = peak, false
			} else {
				root = tlog.NodeHash(peak, root)
			}
		}
	}
	return root
}

// tileRoot returns the hash over a complete subtree with the given leaves, whose
// number is a power of two.
func tileRoot(hashes []tlog.Hash) tlog.Hash {
	if len(hashes) == 1 {
		return hashes[0]
	}
	half := len(hashes) / 2
	return tlog.NodeHash(tileRoot(hashes[:half]), tileRoot(hashes[half:]))
}

// tileBytes returns the content of a tile file.
func tileBytes(hashes []tlog.Hash) []byte {
	data := make([]byte, 0, len(hashes)*tlog.HashSize)
	for _, h := range hashes {
		data = append(data, h[:]...)
	}
	return data
}

// splitTile is the inverse of tileBytes; len(data) is a multiple of the hash size.
func splitTile(data []byte) []tlog.Hash {
	hashes := make([]tlog.Hash, len(data)/tlog.HashSize)
	for i := range hashes {
		copy(hashes[i][:], data[i*tlog.HashSize:])
	}
	return hashes
}
