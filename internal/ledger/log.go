package ledger

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/assize/assize/internal/durable"
)

// ErrClosed is the cause of errors of a log that was closed.
var ErrClosed = errors.New("the log is closed")

// A Log is a log open for appending. Its methods may be called concurrently.
type Log struct {
	dir  string
	key  *Key
	lock *durable.FolderLock

	mu     sync.Mutex
	edge   *edge
	bundle []byte // the partial entry bundle at the end; empty if there is none
	point  Checkpoint
	note   []byte // point, signed
	broken error  // why nothing more can be appended
}

// Open opens the log in the folder dir for appending, or starts one there, under
// the lock of durable.Lock. The log must have been signed by the same key. Open
// removes what an append that did not finish left behind, and checks that the
// end of the log is what the checkpoint says; Fsck checks the rest.
func Open(dir string, key *Key) (*Log, error) {
	if err := durable.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("open log: %w", err)
	}
	lock, err := durable.Lock(dir)
	if err != nil {
		return nil, fmt.Errorf("open log: %w", err)
	}
	l := &Log{dir: dir, key: key, lock: lock}
	if err := l.load(); err != nil {
		return nil, errors.Join(fmt.Errorf("open log %q: %w", dir, err), lock.Unlock())
	}
	return l, nil
}

func (l *Log) load() error {
	fsys := os.DirFS(l.dir)
	msg, err := readFile(fsys, checkpointPath, 1, maxCheckpointBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return l.start()
	}
	if err != nil {
		return fmt.Errorf("read %q: %w", checkpointPath, err)
	}
	l.note = msg
	l.point, err = parseCheckpoint(msg, l.key.public)
	if errors.Is(err, ErrKey) {
		return fmt.Errorf("read %q: %w\nhint: append with the key that started the log, or move the log away to start a new one", checkpointPath, err)
	}
	if err != nil {
		return fmt.Errorf("read %q: %w\nhint: the log was changed from outside; restore it from a copy, or move it away to start a new one", checkpointPath, err)
	}
	if err := l.loadEnd(fsys); err != nil {
		return fmt.Errorf("%w\nhint: the log was changed from outside; restore it from a copy, or move it away to start a new one", err)
	}
	return l.sweep(fsys)
}

// start writes the checkpoint of an empty log. It is written before anything
// else, so a folder with tiles and no checkpoint is no log that a crash left.
func (l *Log) start() error {
	if _, err := os.Lstat(filepath.Join(l.dir, "tile")); err == nil {
		return fmt.Errorf("read %q: missing, but there are tiles\nhint: restore the checkpoint from a copy, or move the log away to start a new one", checkpointPath)
	}
	if err := durable.RemoveTemp(l.dir); err != nil {
		return err
	}
	l.edge = new(edge)
	l.point = Checkpoint{
		Origin: l.key.public.Name() + "/" + strings.ToLower(rand.Text()),
		Root:   l.edge.root(),
	}
	var err error
	if l.note, err = l.point.sign(l.key); err != nil {
		return fmt.Errorf("sign checkpoint: %w", err)
	}
	return l.write(checkpointPath, l.note)
}

// loadEnd reads the partial tiles and the partial bundle and checks them against
// each other and the root.
func (l *Log) loadEnd(fsys fs.FS) error {
	var err error
	if l.edge, err = readEdge(fsys, l.point.Size); err != nil {
		return err
	}
	if l.edge.root() != l.point.Root {
		return errors.New("the partial tiles do not hash to the root of the checkpoint")
	}
	name := edgeTile(bundleLevel, l.point.Size)
	if name.width == 0 {
		return nil
	}
	if l.bundle, err = readBundle(fsys, name); err != nil {
		return fmt.Errorf("%s: %w", name.path(), err)
	}
	hashes, err := bundleHashes(l.bundle, name.width)
	if err != nil {
		return fmt.Errorf("%s: %w", name.path(), err)
	}
	if !slices.Equal(hashes, l.edge.levels[0]) {
		return fmt.Errorf("%s: the entries do not hash to their tile", name.path())
	}
	return nil
}

// Size returns the number of entries.
func (l *Log) Size() int64 { return l.state().point.Size }

// Root returns the RFC 6962 tree hash over all entries.
func (l *Log) Root() tlog.Hash { return l.state().point.Root }

// Checkpoint returns the signed checkpoint, as in the file of that name.
func (l *Log) Checkpoint() []byte { return bytes.Clone(l.state().note) }

type state struct {
	point Checkpoint
	note  []byte
}

func (l *Log) state() state {
	l.mu.Lock()
	defer l.mu.Unlock()
	return state{point: l.point, note: l.note}
}

// Close releases the lock. A second call does nothing.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.broken = ErrClosed
	if err := l.lock.Unlock(); err != nil {
		return fmt.Errorf("close log %q: %w", l.dir, err)
	}
	return nil
}

// CopyTo copies the log up to its present checkpoint, and no file more, to the
// folder dir, which must be empty or missing. The copy is a log of its own for
// Fsck and OpenReader. Appends wait meanwhile.
func (l *Log) CopyTo(ctx context.Context, dir string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if errors.Is(l.broken, ErrClosed) {
		return fmt.Errorf("copy log %q: %w", l.dir, ErrClosed)
	}
	if err := durable.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("copy log: %w", err)
	}
	if old, err := os.ReadDir(dir); err != nil || len(old) > 0 {
		return fmt.Errorf("copy log to %q: the folder is not empty\nhint: copy to a new folder", dir)
	}
	fsys := os.DirFS(l.dir)
	copyTile := func(name tileName) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		size := int64(name.width * tlog.HashSize)
		least, most := size, size
		if name.level == bundleLevel {
			least, most = int64(name.width)*2, maxBundleBytes
		}
		data, err := readFile(fsys, name.path(), least, most)
		if err != nil {
			return fmt.Errorf("%s: %w", name.path(), err)
		}
		return writeBelow(dir, name.path(), data)
	}
	for level := bundleLevel; level < maxLevels; level++ {
		last := edgeTile(level, l.point.Size)
		for n := range last.n {
			if err := copyTile(tileName{level: level, n: n, width: tileWidth}); err != nil {
				return fmt.Errorf("copy log to %q: %w", dir, err)
			}
		}
		if last.width == 0 {
			continue
		}
		if err := copyTile(last); err != nil {
			return fmt.Errorf("copy log to %q: %w", dir, err)
		}
	}
	return writeBelow(dir, checkpointPath, l.note)
}

func (l *Log) write(path string, data []byte) error { return writeBelow(l.dir, path, data) }

// writeBelow writes a file, and the folders it needs, below dir.
func writeBelow(dir, path string, data []byte) error {
	full := filepath.Join(dir, filepath.FromSlash(path))
	if err := durable.MkdirAll(filepath.Dir(full), 0o755); err != nil {
		return err
	}
	return durable.WriteFile(full, data, 0o644)
}
