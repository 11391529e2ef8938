package scan

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Of one folder, so many names are looked at, and so many of one kind are kept.
const (
	maxSiblings = 1_000_000
	maxKept     = 10_000
)

// folder is where a file on disk lies. What readers learn of it is kept while
// files of the same folder are scanned, since many would ask the same.
type folder struct {
	path  string
	kept  map[string]any
	files map[string]string // the only files, by name, with where they lie; nil is those on disk
}

// Beside keeps what learn says of the folder in which a file lies, under key, for the
// other files of that folder in the same walk. Nothing is kept of an error, nor for
// members of containers, which lie in no folder.
func (in *Input) Beside(key string, learn func() (any, error)) (any, error) {
	if in.folder == nil {
		return learn()
	}
	if v, ok := in.folder.kept[key]; ok {
		return v, nil
	}
	v, err := learn()
	if err == nil {
		in.folder.kept[key] = v
	}
	return v, err
}

// Siblings lists the files of the same folder whose names have the suffix, for readers
// of data that another file describes. Members of containers have none.
func (in *Input) Siblings(suffix string) []string {
	if in.folder == nil {
		return nil
	}
	v, _ := in.Beside("siblings "+suffix, func() (any, error) { return in.folder.list(suffix), nil })
	names, _ := v.([]string)
	return names
}

// list reads the names of a folder, a few at a time, and keeps those with the suffix.
func (f *folder) list(suffix string) (kept []string) {
	if f.files != nil {
		for name := range f.files {
			if strings.HasSuffix(name, suffix) {
				kept = append(kept, name)
			}
		}
		slices.Sort(kept)
		return kept[:min(len(kept), maxKept)]
	}
	d, err := os.Open(f.path)
	if err != nil {
		return nil
	}
	defer d.Close()
	for seen := 0; seen < maxSiblings && len(kept) < maxKept; {
		names, err := d.Readdirnames(1000)
		seen += len(names)
		for _, name := range names {
			if strings.HasSuffix(name, suffix) {
				kept = append(kept, name)
			}
		}
		if err != nil {
			break // the end, or what could be read of it
		}
	}
	return kept
}

// Sibling opens a regular file of the same folder. Links are not followed.
func (in *Input) Sibling(name string) (*os.File, int64, error) {
	if in.folder == nil || filepath.Base(name) != name {
		return nil, 0, errors.New("no such file beside it")
	}
	path := filepath.Join(in.folder.path, name)
	if in.folder.files != nil {
		path = in.folder.files[name]
	}
	info, err := os.Lstat(path)
	if err != nil {
		return nil, 0, err
	}
	if !info.Mode().IsRegular() {
		return nil, 0, fmt.Errorf("%q is no regular file", name)
	}
	f, err := open(path)
	if err != nil {
		return nil, 0, err
	}
	if now, err := f.Stat(); err != nil || !os.SameFile(info, now) {
		f.Close()
		return nil, 0, fmt.Errorf("%q was exchanged while it was opened", name)
	}
	return f, info.Size(), nil
}
