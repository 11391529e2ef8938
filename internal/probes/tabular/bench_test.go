package tabular_test

import (
	"path/filepath"
	"testing"

	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/measure/measuretest"
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
			search(b, target, measure.Params{"queries": 1000.0}, "band")
		})
	}
}

// BenchmarkNetwork searches rows that dense networks decide: the 400 of examples/credit, and the
// example of a diagnosis, whose 30 features are real numbers.
func BenchmarkNetwork(b *testing.B) {
	for _, tt := range []struct {
		name   string
		target measuretest.Target
		on     []string
	}{{"credit", networkTarget(b), []string{"band"}}, {"diagnosis", diagnosisTarget(b), nil}} {
		for _, way := range []struct {
			name   string
			params measure.Params
		}{
			{"both", nil}, {"evolution", measure.Params{"steps": 0.0}}, {"gradients", measure.Params{"queries": 0.0}},
		} {
			b.Run(tt.name+"/"+way.name, func(b *testing.B) { search(b, tt.target, way.params, tt.on...) })
		}
	}
}

func search(b *testing.B, target measuretest.Target, params measure.Params, on ...string) {
	b.ReportAllocs()
	for b.Loop() {
		r := whole(b, tabular.Probes()[0], target, params, on...)
		b.ReportMetric(float64(*r.Metrics["feasible_flip"].K), "flips")
		b.ReportMetric(r.Metrics["median_cost"].Value, "median-cost")
		b.ReportMetric(r.Metrics["cost_p90"].Value, "p90-cost")
		mean := 0.0
		for i, flips := range r.Rows.Column("flips") {
			mean += flips * r.Rows.Column("cost")[i] / float64(*r.Metrics["feasible_flip"].K)
		}
		b.ReportMetric(mean, "mean-cost")
	}
	b.ReportMetric(float64(b.N*target.Data.Len())/b.Elapsed().Seconds(), "rows/s")
}
