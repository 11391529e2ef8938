package ledger

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"golang.org/x/mod/sumdb/tlog"
)

// A Reader reads a log up to the checkpoint that was there when it was opened.
// Whatever it returns has been checked against that checkpoint's root. It takes
// no lock: it may read while a Log appends.
type Reader struct {
	fsys  fs.FS
	point Checkpoint
	note  []byte
}

// OpenReader reads the checkpoint of the log in fsys and verifies its signature.
func OpenReader(fsys fs.FS, v *Verifier) (*Reader, error) {
	msg, err := readFile(fsys, checkpointPath, 1, maxCheckpointBytes)
	if err != nil {
		return nil, fmt.Errorf("read log: %q: %w", checkpointPath, err)
	}
	point, err := parseCheckpoint(msg, v)
	if err != nil {
		return nil, fmt.Errorf("read log: %q: %w", checkpointPath, err)
	}
	return &Reader{fsys: fsys, point: point, note: msg}, nil
}

// Checkpoint returns the verified checkpoint.
func (r *Reader) Checkpoint() Checkpoint { return r.point }

// SignedCheckpoint returns the bytes of the checkpoint with its signature.
func (r *Reader) SignedCheckpoint() []byte { return slices.Clone(r.note) }

// Entry returns the entry with the given index.
func (r *Reader) Entry(index int64) ([]byte, error) {
	if index < 0 || index >= r.point.Size {
		return nil, fmt.Errorf("read log: no entry %d among %d", index, r.point.Size)
	}
	entries, err := r.bundle(index / tileWidth)
	if err != nil {
		return nil, err
	}
	return slices.Clone(entries[index%tileWidth]), nil
}

// Entries calls fn for each entry in order, until fn returns an error, which
// Entries then returns. fn must not keep or change the entry.
func (r *Reader) Entries(ctx context.Context, fn func(index int64, entry []byte) error) error {
	for n := int64(0); n*tileWidth < r.point.Size; n++ {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("read log: %w", err)
		}
		entries, err := r.bundle(n)
		if err != nil {
			return err
		}
		for i, e := range entries {
			if err := fn(n*tileWidth+int64(i), e); err != nil {
				return err
			}
		}
	}
	return nil
}

// bundle returns the entries of the n-th bundle, checked against the root.
func (r *Reader) bundle(n int64) ([][]byte, error) {
	name := r.nameAt(bundleLevel, n)
	data, entries, err := r.readBundle(name)
	if err != nil {
		return nil, fmt.Errorf("read log: %s: %w", name.path(), err)
	}
	indexes := make([]int64, len(entries))
	for i := range entries {
		indexes[i] = tlog.StoredHashIndex(0, n*tileWidth+int64(i))
	}
	want, err := r.hashes().ReadHashes(indexes)
	if err != nil {
		return nil, fmt.Errorf("read log: check %s: %w", name.path(), err)
	}
	got, err := bundleHashes(data, name.width)
	if err != nil || !slices.Equal(got, want) {
		return nil, fmt.Errorf("read log: %s: the entries are not those that were signed", name.path())
	}
	return entries, nil
}

func (r *Reader) readBundle(name tileName) ([]byte, [][]byte, error) {
	data, err := readBundle(r.fsys, name)
	if errors.Is(err, fs.ErrNotExist) && name.width < tileWidth {
		// A writer has filled the bundle since the checkpoint was read.
		if data, err = readBundle(r.fsys, name.full()); err == nil {
			data, err = bundlePrefix(data, name.width)
		}
	}
	if err != nil {
		return nil, nil, err
	}
	entries, err := splitBundle(data, name.width)
	return data, entries, err
}

// nameAt returns the n-th tile of a level at the reader's checkpoint.
func (r *Reader) nameAt(level int, n int64) tileName {
	width := min(levelCount(level, r.point.Size)-n*tileWidth, tileWidth)
	return tileName{level: level, n: n, width: int(width)}
}

// hashes returns a reader of tree hashes that checks them against the root.
func (r *Reader) hashes() tlog.HashReader {
	return tlog.TileHashReader(tlog.Tree{N: r.point.Size, Hash: r.point.Root}, tiles{r.fsys})
}

// tiles is a tlog.TileReader of a log's folder.
type tiles struct{ fsys fs.FS }

func (t tiles) Height() int { return tileHeight }

func (t tiles) ReadTiles(list []tlog.Tile) ([][]byte, error) {
	data := make([][]byte, len(list))
	for i, tile := range list {
		name := tileName{level: tile.L, n: tile.N, width: tile.W}
		hashes, err := readTile(t.fsys, name)
		if errors.Is(err, fs.ErrNotExist) && name.width < tileWidth {
			if hashes, err = readTile(t.fsys, name.full()); err == nil {
				hashes = hashes[:name.width]
			}
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name.path(), err)
		}
		data[i] = tileBytes(hashes)
	}
	return data, nil
}

func (t tiles) SaveTiles([]tlog.Tile, [][]byte) {}
