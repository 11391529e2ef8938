// Package orttest brings ONNX Runtime to tests, in one way for all of them.
package orttest

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/assize/assize/internal/onnx/ort"
)

// Library is the path of ONNX Runtime's library, fetched where it is not on the
// machine yet. A test that cannot have it is skipped, with the reason.
func Library(tb testing.TB) string {
	tb.Helper()
	source, err := ort.DefaultSource(os.Stderr)
	if err != nil {
		tb.Skip("needs ONNX Runtime: ", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	path, err := ort.Locate(ctx, source)
	if err != nil {
		tb.Skip("needs ONNX Runtime: ", err)
	}
	return path
}

// Load brings the library into the test's own process. A binary without cgo
// skips; a library that does not load fails.
func Load(tb testing.TB) {
	tb.Helper()
	switch err := ort.Load(Library(tb)); {
	case errors.Is(err, ort.ErrNoCgo):
		tb.Skip(err)
	case err != nil:
		tb.Fatal(err)
	}
}
