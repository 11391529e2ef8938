//go:build unix

package ort

import (
	"io/fs"
	"os"
	"syscall"
)

// owned tells whether a file belongs to the user who runs the program.
func owned(info fs.FileInfo) bool {
	s, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(s.Uid) == os.Geteuid()
}
