package extent_test

import (
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assize/assize/internal/scan/extent"
)

// TestSum compares sums of random ranges with counting every byte.
func TestSum(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		var s extent.Set
		var count [64]int
		for range random.IntN(8) {
			from := random.Int64N(70)
			to := from + random.Int64N(20)
			s.Add(from, to, extent.Use(random.IntN(2)))
			for k := from; k < min(to, 64); k++ {
				count[k]++
			}
		}
		got := s.Sum(4, 60)
		var seen [64]int
		for _, r := range got.Gaps {
			for k := r.From; k < r.To; k++ {
				seen[k]++
			}
		}
		var over [64]bool
		for _, r := range got.Overlaps {
			for k := r.From; k < r.To; k++ {
				over[k] = true
			}
		}
		held := int64(0)
		for k := 4; k < 60; k++ {
			if gap := seen[k] == 1; gap != (count[k] == 0) || seen[k] > 1 || over[k] != (count[k] > 1) {
				t.Fatalf("byte %d lies in %d ranges; sum %+v", k, count[k], got)
			}
			held += int64(min(count[k], 1))
		}
		if got.Structured+got.Opaque != held {
			t.Fatalf("%d structured and %d opaque bytes, want %d in all", got.Structured, got.Opaque, held)
		}
	}
}

func TestUses(t *testing.T) {
	var s extent.Set
	s.Add(0, 4, extent.Structured)
	s.Add(4, 8, extent.Structured)
	s.Add(16, 24, extent.Opaque)
	s.Add(20, 22, extent.Structured)
	want := extent.Sum{Structured: 8, Opaque: 8, Gaps: []extent.Range{{From: 8, To: 16}, {From: 24, To: 32}}, Overlaps: []extent.Range{{From: 20, To: 22}}}
	if diff := cmp.Diff(s.Sum(0, 32), want); diff != "" || s.Len() != 3 {
		t.Errorf("%d ranges, sum (-got +want):\n%s", s.Len(), diff)
	}
}
