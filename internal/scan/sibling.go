package scan

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// maxSiblings is how many names of a folder are looked at. It is done for every file of the folder.
const maxSiblings = 1_000

// Siblings lists the files that lie in the same folder, for readers of data that
// another file describes. Members of containers have none.
func (in *Input) Siblings() []string {
	if in.folder == "" {
		return nil
	}
	d, err := os.Open(in.folder)
	if err != nil {
		return nil
	}
	defer d.Close()
	names, _ := d.Readdirnames(maxSiblings) // what could be read of it
	return names
}

// Sibling opens a regular file of the same folder. Links are not followed.
func (in *Input) Sibling(name string) (*os.File, int64, error) {
	if in.folder == "" || filepath.Base(name) != name {
		return nil, 0, errors.New("no such file beside it")
	}
	path := filepath.Join(in.folder, name)
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
