// Command embed puts the pinned ONNX Runtime library of this platform where a
// build with -tags ortembed takes it from. release/build.sh runs it.
package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"runtime"

	"github.com/assize/assize/internal/onnx/ort"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: go run ./release/embed internal/onnx/ort/embedded/library.gz")
		os.Exit(2)
	}
	if err := write(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "embed:", err)
		os.Exit(1)
	}
}

func write(to string) error {
	source, err := ort.DefaultSource(os.Stderr)
	if err != nil {
		return err
	}
	source.System = nil // only the pinned build goes into a release
	path, err := ort.Locate(context.Background(), source)
	if err != nil {
		return err
	}
	var packed bytes.Buffer
	if err := ort.Pack(&packed, path, runtime.GOOS, runtime.GOARCH); err != nil {
		return err
	}
	return os.WriteFile(to, packed.Bytes(), 0o644)
}
