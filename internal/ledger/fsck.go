package ledger

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/assize/assize/internal/durable"
)

// Fsck checks the log in fsys whole: the checkpoint's form and signature, every
// entry bundle, every tile recomputed from the entries, the root, and that there
// is no file besides. Partial tiles of earlier checkpoints may be there and are
// checked too. What is wrong stands in the report; the error is for a cancelled
// ctx and for a folder that cannot be listed.
//
// A hostile log costs no more than an honest one with as many files: links are
// not followed, every read is bounded by what the file may hold, each file is
// read at most three times, and after a hundred problems Fsck stops. Memory is a
// few tiles, one bundle (at most 16 MiB) and the list of file names.
//
// A log that another process appends to must be copied first (Log.CopyTo).
func Fsck(ctx context.Context, fsys fs.FS, v *Verifier) (*Report, error) {
	c := &checker{ctx: ctx, fsys: fsys, report: new(Report), files: make(map[string]bool)}
	if err := c.list(); err != nil {
		return nil, fmt.Errorf("check log: %w", err)
	}
	c.report.Files = len(c.files)
	msg, err := c.read(checkpointPath, 1, maxCheckpointBytes)
	if err != nil {
		return c.report, nil
	}
	point, err := parseCheckpoint(msg, v)
	if err != nil {
		c.report.add(checkpointPath, "%v", err)
		return c.report, nil
	}
	c.report.Checkpoint = point
	c.tree()
	c.others()
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("check log: %w", err)
	}
	return c.report, nil
}

// A checker is one run of Fsck.
type checker struct {
	ctx    context.Context
	fsys   fs.FS
	report *Report
	files  map[string]bool // regular files of the folder; true once it was used

	widest       tileName // of which earlier keeps the hashes
	widestHashes []tlog.Hash
}

// stop reports whether to give up.
func (c *checker) stop() bool { return c.report.Truncated || c.ctx.Err() != nil }

// list finds the regular files and names everything else that is no folder.
func (c *checker) list() error {
	return fs.WalkDir(c.fsys, ".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case c.ctx.Err() != nil:
			return c.ctx.Err()
		case c.report.Truncated:
			return fs.SkipAll
		case d.IsDir():
		case d.Type().IsRegular():
			c.files[path] = false
		default:
			c.report.add(path, "not a regular file")
		}
		return nil
	})
}

// read returns the content of a file, or names it as a problem.
func (c *checker) read(path string, least, most int64) ([]byte, error) {
	if _, ok := c.files[path]; !ok {
		c.report.add(path, "missing")
		return nil, fs.ErrNotExist
	}
	data, err := readFile(c.fsys, path, least, most)
	c.files[path] = true
	if err != nil {
		c.report.add(path, "%v", err)
		return nil, err
	}
	return data, nil
}

// tile returns the hashes of a tile file, nil if there is none of that width.
func (c *checker) tile(name tileName) []tlog.Hash {
	size := int64(name.width * tlog.HashSize)
	data, err := c.read(name.path(), size, size)
	if err != nil {
		return nil
	}
	return splitTile(data)
}

// bundle returns the leaf hashes of an entry bundle, nil if it is malformed.
func (c *checker) bundle(name tileName) []tlog.Hash {
	data, err := c.read(name.path(), int64(name.width)*2, maxBundleBytes)
	if err != nil {
		return nil
	}
	hashes, err := bundleHashes(data, name.width)
	if err != nil {
		c.report.add(name.path(), "%v", err)
		return nil
	}
	return hashes
}

// tree checks all tiles and bundles. The partial tiles at the right end together
// hash to the root; if they do, each is right and so can vouch for what is below
// it. If not, the hashes recomputed from the entries are tried.
func (c *checker) tree() {
	point := c.report.Checkpoint
	stored, computed := &edge{size: point.Size}, &edge{size: point.Size}
	for l := range stored.levels {
		if name := edgeTile(l, point.Size); name.width > 0 {
			stored.levels[l] = c.tile(name)
		}
	}
	signed := stored.complete() && stored.root() == point.Root
	var doubts []string
	for l := maxLevels - 1; l >= 0; l-- {
		name := edgeTile(l, point.Size)
		if name.width == 0 {
			continue
		}
		var right func([]tlog.Hash) bool
		if signed {
			right = func(h []tlog.Hash) bool { return slices.Equal(h, stored.levels[l]) }
		}
		hashes, open := c.check(name, right)
		computed.levels[l] = hashes
		doubts = append(doubts, open...)
	}
	if signed || c.stop() {
		return
	}
	if computed.complete() && computed.root() == point.Root {
		c.blame(doubts, false)
		return
	}
	c.blame(doubts, true)
	if c.report.OK() {
		c.report.add(checkpointPath, "its root is not that of the %d entries", point.Size)
	}
}

// complete reports whether every partial tile is there.
func (e *edge) complete() bool {
	for l, hashes := range e.levels {
		if len(hashes) != edgeTile(l, e.size).width {
			return false
		}
	}
	return true
}

// others judges the files that the checkpoint does not call for.
func (c *checker) others() {
	size := c.report.Checkpoint.Size
	newer := false
	for _, file := range slices.Sorted(maps.Keys(c.files)) {
		if c.stop() {
			return
		}
		if c.files[file] {
			continue
		}
		name, ok := parseTilePath(file)
		switch {
		case durable.IsTemp(path.Base(file)):
			c.report.add(file, "unexpected: left by an interrupted write; opening the log for appending removes it")
		case !ok:
			c.report.add(file, "unexpected")
		case name.n*tileWidth+int64(name.width) > levelCount(name.level, size):
			newer = true
			c.report.add(file, "unexpected: beyond the %d entries of the checkpoint", size)
		default:
			c.earlier(name)
		}
	}
	if newer {
		c.report.add(checkpointPath, "older than the files beside it, or an append was interrupted; in the latter case opening the log for appending removes them")
	}
}

// earlier checks a partial tile of an earlier checkpoint against the wider one
// that took its place. If that one is wrong there is nothing to check against,
// and the log has failed already.
func (c *checker) earlier(name tileName) {
	now := name.full()
	now.width = int(min(levelCount(name.level, c.report.Checkpoint.Size)-name.n*tileWidth, tileWidth))
	if c.report.has(now.path()) {
		return
	}
	if now != c.widest {
		c.widest, c.widestHashes = now, c.hashes(now)
	}
	got, want := c.hashes(name), c.widestHashes
	if got != nil && want != nil && !slices.Equal(got, want[:name.width]) {
		c.report.add(name.path(), "differs from the start of %s", now.path())
	}
}

// hashes returns the hashes of a tile or the leaf hashes of a bundle.
func (c *checker) hashes(name tileName) []tlog.Hash {
	if name.level == bundleLevel {
		return c.bundle(name)
	}
	return c.tile(name)
}
