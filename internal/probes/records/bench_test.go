package records_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/probes/records"
)

// BenchmarkProbes reads a chained log of 100,000 entries, a fifth of them triggers.
func BenchmarkProbes(b *testing.B) {
	lines := make([]string, 100_000)
	start := time.Date(2026, 2, 20, 0, 0, 0, 0, time.UTC)
	for i := range lines {
		event := []string{"refer", "look", "tick", "send", "start"}[i%5]
		lines[i] = fmt.Sprintf(`{"time":"%s","event":"%s","id":"e%d","case":{"no":"c%d"},"score":0.%06d,"by":"officer-%02d",@}`,
			start.Add(time.Duration(i)*7*time.Second).Format(time.RFC3339), event, i, i/5, i, i%7)
	}
	text := write(lines...)
	rec := record(b, text, declared())
	if !strings.Contains(text, `"c19999"`) {
		b.Fatal("the log is not as it should be")
	}
	info, err := os.Stat(rec.OpenPath)
	if err != nil {
		b.Fatal(err)
	}
	for _, p := range records.Probes() {
		b.Run(strings.TrimPrefix(p.ID, "records/"), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(info.Size())
			for b.Loop() {
				if _, err := p.Run(context.Background(), &measure.Case{Records: []measure.Record{rec}}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
