package exact_test

import (
	"path/filepath"
	"testing"

	"github.com/assize/assize/internal/tree/exact"
)

// BenchmarkSearch searches the recorded rows and gives the time a row beside
// that of one plain evaluation of the same row.
func BenchmarkSearch(b *testing.B) {
	dir := data(b)
	for _, r := range recordings() {
		e := dump(b, filepath.Join(dir, r.model), r.features)
		x := rows(b, filepath.Join(dir, r.rows), r.features)
		want := answers(b, filepath.Join(dir, r.answers))
		g, err := exact.New(e, exact.Unbounded(r.features))
		if err != nil {
			b.Fatal(err)
		}
		b.Run(r.name, func(b *testing.B) {
			b.ReportAllocs()
			i, recorded := 0, 0.0
			for b.Loop() {
				a := want[i%len(want)]
				if _, err := g.Search(b.Context(), x[a.row], flip(a.margin), exact.Options{}); err != nil {
					b.Fatal(err)
				}
				recorded += a.ms * 1e6
				i++
			}
			b.ReportMetric(recorded/float64(b.N), "recorded-ns/op")
		})
		b.Run(r.name+"/evaluation", func(b *testing.B) {
			i, sum := 0, 0.0
			for b.Loop() {
				sum += margin(e, x[want[i%len(want)].row])
				i++
			}
		})
		b.Run(r.name+"/preparation", func(b *testing.B) {
			for b.Loop() {
				g, err := exact.New(e, exact.Unbounded(r.features))
				if err != nil {
					b.Fatal(err)
				}
				if _, err := g.Search(b.Context(), x[want[0].row], flip(want[0].margin), exact.Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
