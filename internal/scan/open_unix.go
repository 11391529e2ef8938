//go:build unix

package scan

import (
	"io/fs"
	"os"
	"syscall"
)

// open opens a file without waiting: a pipe put in its place must not hold us up.
func open(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
}

// sparse tells files that are nine tenths hole, and so large that reading them is the attack.
func sparse(info fs.FileInfo) bool {
	s, ok := info.Sys().(*syscall.Stat_t)
	return ok && info.Size() > 1<<30 && s.Blocks < info.Size()/512/10
}
