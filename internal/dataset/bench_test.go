package dataset_test

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/assize/assize/internal/dataset"
)

func BenchmarkCSV(b *testing.B) {
	for _, shape := range []struct {
		name            string
		columns, digits int
	}{{"whole", 20, 0}, {"digits9", 20, 9}, {"digits17", 20, 17}} {
		path := writeNumbers(b, 32<<20, shape.columns, shape.digits)
		info, err := os.Stat(path)
		if err != nil {
			b.Fatal(err)
		}
		spec := dataset.Spec{Path: path, Label: "y"}
		b.Run("inspect/"+shape.name, func(b *testing.B) {
			b.SetBytes(info.Size())
			b.ReportAllocs()
			for b.Loop() {
				if _, err := dataset.Inspect(context.Background(), spec); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("all/"+shape.name, func(b *testing.B) {
			b.SetBytes(info.Size())
			b.ReportAllocs()
			for b.Loop() {
				if _, err := dataset.ReadAll(context.Background(), spec); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("select/"+shape.name, func(b *testing.B) {
			all, err := dataset.Inspect(context.Background(), spec)
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(info.Size())
			b.ReportAllocs()
			for b.Loop() {
				if _, err := dataset.Select(context.Background(), spec, []int{0, all.Rows - 1}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkNPY(b *testing.B) {
	const rows, width = 50_000, 256
	for _, order := range []string{"False", "True"} {
		header := fmt.Sprintf("{'descr': '<f4', 'fortran_order': %s, 'shape': (%d, %d)}", order, rows, width)
		spec := dataset.Spec{Path: write(b, "x.npy", npyFile(header, make([]byte, 4*rows*width)))}
		b.Run("fortran="+order, func(b *testing.B) {
			b.SetBytes(4 * rows * width)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := dataset.Select(context.Background(), spec, []int{0, rows - 1}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
