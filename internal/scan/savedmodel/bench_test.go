package savedmodel_test

import (
	"fmt"
	"testing"

	"github.com/assize/assize/internal/scan/scantest"
)

// BenchmarkGraph scans a graph of 50,000 operations, a part of which is a saver.
func BenchmarkGraph(b *testing.B) {
	var long []byte
	for i := range 50_000 {
		long = append(long, message(1, parts(fmt.Sprint("node/", i+1), "Identity", attribute("T", []byte("\x30\x01")), fmt.Sprint("node/", i)))...)
	}
	all := saver("node/50000", operation("node/0", "Relu", "x"), long, operation("save", "SaveV2", "in", "c"))
	b.SetBytes(int64(len(all)))
	b.ReportAllocs()
	for b.Loop() {
		scantest.Scan(b, scanner(), all)
	}
}
