//go:build !unix

package scan

import (
	"io/fs"
	"os"
)

func open(path string) (*os.File, error) { return os.Open(path) }

func sparse(fs.FileInfo) bool { return false }
