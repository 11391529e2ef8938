package ledger

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/assize/assize/internal/durable"
)

// sweep removes what an interrupted append left: temporary files, tiles beyond
// the checkpoint, and partial tiles whose full tile is there. Files that no log
// of ours has are left for Fsck to name.
func (l *Log) sweep(fsys fs.FS) error {
	var leftovers []string
	partials := make(map[int]string)
	err := fs.WalkDir(fsys, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		if durable.IsTemp(d.Name()) {
			leftovers = append(leftovers, path)
			return nil
		}
		name, ok := parseTilePath(path)
		if !ok {
			return nil
		}
		count := levelCount(name.level, l.point.Size)
		partial := name.width < tileWidth
		switch beyond := name.n*tileWidth+int64(name.width) > count; {
		case beyond && partial && partials[name.level] != "":
			// One append writes at most one partial tile a level: these come
			// from two that were committed, and the checkpoint from before.
			return fmt.Errorf("the checkpoint is for %d entries, but %q and %q are from later ones\nhint: an old checkpoint was put in the place of a newer one; restore the newer one from a copy, or move the log away to start a new one",
				l.point.Size, partials[name.level], path)
		case beyond:
			leftovers = append(leftovers, path)
			if partial {
				partials[name.level] = path
			}
		case partial && (name.n+1)*tileWidth <= count:
			leftovers = append(leftovers, path)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, path := range leftovers {
		if err := os.Remove(filepath.Join(l.dir, filepath.FromSlash(path))); err != nil {
			return durable.Explain("remove leftover", path, err)
		}
	}
	return nil
}
