//go:build !unix

package ort

import "io/fs"

// owned is false where files have no owner that can be asked for.
func owned(fs.FileInfo) bool { return false }
