package ledger

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/mod/sumdb/tlog"
)

// writers is how many files are written at a time.
const writers = 8

// Append adds one entry of at most MaxEntryBytes and returns its index. When it
// returns nil the entry is on disk and in the signed checkpoint.
func (l *Log) Append(ctx context.Context, entry []byte) (index int64, err error) {
	return l.AppendAll(ctx, [][]byte{entry})
}

// AppendAll adds the entries in order under one checkpoint, all or none, and
// returns the index of the first. It costs hardly more than one Append. ctx can
// stop it before the first byte is written, not after.
//
// If writing goes wrong (a full disk) the log on disk stays at its last
// checkpoint, what was written is taken away again, and every later append
// returns the same error until the log is opened anew.
func (l *Log) AppendAll(ctx context.Context, entries [][]byte) (first int64, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.broken != nil {
		return 0, fmt.Errorf("append to log %q: %w", l.dir, l.broken)
	}
	for i, e := range entries {
		if len(e) > MaxEntryBytes {
			return 0, fmt.Errorf("append to log %q: entry %d of %d has %d bytes, the most is %d\nhint: log a digest and keep the content beside the log",
				l.dir, i+1, len(entries), len(e), MaxEntryBytes)
		}
	}
	first = l.point.Size
	if first+int64(len(entries)) > maxSize {
		return 0, fmt.Errorf("append to log %q: it would exceed %d entries", l.dir, int64(maxSize))
	}
	if err := ctx.Err(); err != nil {
		return 0, fmt.Errorf("append to log %q: %w", l.dir, err)
	}
	if len(entries) == 0 {
		return first, nil
	}
	next, err := l.next(entries)
	if err != nil {
		return 0, fmt.Errorf("append to log %q: %w", l.dir, err)
	}
	if err := l.commit(next); err != nil {
		l.broken = err
		return 0, fmt.Errorf("append to log %q: %w", l.dir, err)
	}
	l.edge, l.bundle, l.point, l.note = next.edge, next.bundle, next.point, next.note
	return first, nil
}

// A change is the state after an append and the files that lead to it.
type change struct {
	edge   *edge
	bundle []byte
	point  Checkpoint
	note   []byte
	tiles  []tileFile
}

type tileFile struct {
	name tileName
	data []byte
}

// next computes the change that appending the entries makes.
func (l *Log) next(entries [][]byte) (change, error) {
	c := change{edge: l.edge.clone(), bundle: bytes.Clone(l.bundle)}
	for _, entry := range entries {
		c.bundle = appendEntry(c.bundle, entry)
		c.edge.add(tlog.RecordHash(entry), func(name tileName, hashes []tlog.Hash) {
			if name.level == 0 {
				c.tiles = append(c.tiles, tileFile{tileName{bundleLevel, name.n, tileWidth}, c.bundle})
				c.bundle = nil
			}
			c.tiles = append(c.tiles, tileFile{name, tileBytes(hashes)})
		})
	}
	size := c.edge.size
	for level := bundleLevel; level < maxLevels; level++ {
		name := edgeTile(level, size)
		if name.width == 0 || levelCount(level, size) == levelCount(level, l.point.Size) {
			continue
		}
		data := c.bundle
		if level != bundleLevel {
			data = tileBytes(c.edge.levels[level])
		}
		c.tiles = append(c.tiles, tileFile{name, data})
	}
	c.point = Checkpoint{Origin: l.point.Origin, Size: size, Root: c.edge.root()}
	var err error
	if c.note, err = c.point.sign(l.key); err != nil {
		return change{}, fmt.Errorf("sign checkpoint: %w", err)
	}
	return c, nil
}

// commit writes the tiles and then the checkpoint, which is what makes them
// count. No tile that the old checkpoint needs is touched before.
func (l *Log) commit(c change) error {
	if err := l.writeTiles(c.tiles); err != nil {
		l.remove(c.tiles)
		return err
	}
	if err := l.write(checkpointPath, c.note); err != nil {
		// Where only the last sync failed, the new checkpoint is in place and
		// the tiles belong to it.
		if now, readErr := os.ReadFile(filepath.Join(l.dir, checkpointPath)); readErr == nil && bytes.Equal(now, l.note) {
			l.remove(c.tiles)
		}
		return err
	}
	for _, t := range c.tiles {
		if t.name.width == tileWidth {
			// The partial tiles that the full one replaces. What stays is
			// harmless, and removed when the log is next opened.
			_ = os.RemoveAll(filepath.Join(l.dir, filepath.FromSlash(t.name.path()+".p")))
		}
	}
	return nil
}

// writeTiles writes tiles in any order, several at a time, because the file
// system can sync several at the cost of one.
func (l *Log) writeTiles(tiles []tileFile) error {
	var wg sync.WaitGroup
	errs := make([]error, min(len(tiles), writers))
	for w := range errs {
		wg.Go(func() {
			for i := w; i < len(tiles) && errs[w] == nil; i += writers {
				errs[w] = l.write(tiles[i].name.path(), tiles[i].data)
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// remove takes tiles away that no checkpoint needs; what stays is removed when
// the log is next opened.
func (l *Log) remove(tiles []tileFile) {
	for _, t := range tiles {
		_ = os.Remove(filepath.Join(l.dir, filepath.FromSlash(t.name.path())))
	}
}
