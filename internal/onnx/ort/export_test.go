package ort

import "runtime"

// Unpack does what Locate does in a build that carries this library.
func Unpack(s Source, packed []byte) (string, error) {
	b, _ := pinned(runtime.GOOS, runtime.GOARCH)
	return s.unpack(b, packed)
}
