package ledger_test

import (
	"os"
	"testing"

	"github.com/assize/assize/internal/ledger"
)

func BenchmarkAppendAll1000(b *testing.B) {
	l := open(b, b.TempDir(), newKey(b))
	list := entries(0, 1000)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := l.AppendAll(b.Context(), list); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*len(list))/b.Elapsed().Seconds(), "entries/s")
}

func BenchmarkAppend(b *testing.B) {
	l := open(b, b.TempDir(), newKey(b))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := l.Append(b.Context(), entry(1)); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "entries/s")
}

func BenchmarkFsck100k(b *testing.B) {
	dir, key := b.TempDir(), newKey(b)
	const size = 100_000
	appendAll(b, open(b, dir, key), entries(0, size))
	b.ReportAllocs()
	for b.Loop() {
		r, err := ledger.Fsck(b.Context(), os.DirFS(dir), key.Verifier())
		if err != nil || !r.OK() {
			b.Fatal(err, r)
		}
	}
	b.ReportMetric(float64(b.N*size)/b.Elapsed().Seconds(), "entries/s")
}
