package ledger

import (
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

const (
	checkpointPath = "checkpoint"
	tileHeight     = 8
	tileWidth      = 1 << tileHeight
	// bundleLevel stands for the level of entry bundles among tile levels.
	bundleLevel = -1
	// maxSize is the largest number of entries that a checkpoint may claim: it
	// keeps the arithmetic on indices far from overflow.
	maxSize = 1 << 40
	// maxLevels is the number of tile levels of a log of maxSize entries.
	maxLevels = 6
)

// tileName is the place of a hash tile or, at bundleLevel, of an entry bundle:
// the n-th of its level, width wide (1 to 256; less than 256 is partial).
type tileName struct {
	level int
	n     int64
	width int
}

// path returns the slash-separated path under the log's folder, as C2SP
// tlog-tiles fixes it: tile/<L>/<N>[.p/<W>] or tile/entries/<N>[.p/<W>].
func (t tileName) path() string {
	path := tlog.Tile{H: tileHeight, L: t.level, N: t.n, W: t.width}.Path()
	path = "tile/" + strings.TrimPrefix(path, "tile/8/")
	if t.level == bundleLevel {
		path = "tile/entries/" + strings.TrimPrefix(path, "tile/data/")
	}
	return path
}

// full returns the name of the full tile at the place of t.
func (t tileName) full() tileName {
	t.width = tileWidth
	return t
}

// parseTilePath is the inverse of path. It refuses every other spelling.
func parseTilePath(path string) (tileName, bool) {
	rest, ok := strings.CutPrefix(path, "tile/")
	if !ok {
		return tileName{}, false
	}
	if entries, ok := strings.CutPrefix(rest, "entries/"); ok {
		rest = "data/" + entries
	}
	t, err := tlog.ParseTilePath("tile/8/" + rest)
	if err != nil || t.L >= maxLevels || t.N > maxSize {
		return tileName{}, false
	}
	name := tileName{level: t.L, n: t.N, width: t.W}
	return name, name.path() == path
}

// levelCount returns how many hashes (at bundleLevel: entries) the given level
// holds in a log of size entries.
func levelCount(level int, size int64) int64 {
	return size >> (tileHeight * max(level, 0))
}

// edgeTile returns the partial tile at the right end of the level in a log of
// size entries; its width is 0 if there is none.
func edgeTile(level int, size int64) tileName {
	count := levelCount(level, size)
	return tileName{level: level, n: count / tileWidth, width: int(count % tileWidth)}
}
