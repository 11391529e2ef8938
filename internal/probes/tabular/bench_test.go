package tabular_test

import (
	"path/filepath"
	"testing"

	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/probes/tabular"
)

// BenchmarkCredit searches all rows of examples/credit, exactly and by evolution.
func BenchmarkCredit(b *testing.B) {
	for _, way := range []string{"exact", "evolution"} {
		b.Run(way, func(b *testing.B) {
			target := creditTarget(b)
			if way == "evolution" {
				target.Files[0].OpenPath = filepath.Join(credit, "features.csv")
			}
			b.ReportAllocs()
			for b.Loop() {
				r := whole(b, tabular.Probes()[0], target, measure.Params{"queries": 1000.0}, "band")
				b.ReportMetric(float64(*r.Metrics["feasible_flip"].K), "flips")
				b.ReportMetric(r.Metrics["median_cost"].Value, "median-cost")
				b.ReportMetric(r.Metrics["cost_p90"].Value, "p90-cost")
			}
			b.ReportMetric(float64(b.N*target.Data.Len())/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
