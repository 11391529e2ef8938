// Package extent accounts for the ranges of a file that a format refers to in
// any order, and finds what lies between them and what lies in two at once.
package extent

import (
	"cmp"
	"slices"
)

// Use says what a range is.
type Use uint8

// The uses of a range: bytes whose meaning is known, and the content of arrays.
const (
	Structured Use = iota
	Opaque
)

// Range is bytes From up to To of a file.
type Range struct {
	From, To int64
	Use      Use
}

// Len is the number of bytes.
func (r Range) Len() int64 { return r.To - r.From }

// Set collects ranges; the zero value is empty.
type Set struct{ ranges []Range }

// Add notes a range. An empty one is left out; one that begins where the last
// one ended and is of the same use makes it longer.
func (s *Set) Add(from, to int64, use Use) {
	if from >= to {
		return
	}
	if n := len(s.ranges); n > 0 && s.ranges[n-1].To == from && s.ranges[n-1].Use == use {
		s.ranges[n-1].To = to
		return
	}
	s.ranges = append(s.ranges, Range{from, to, use})
}

// Len is how many ranges the set holds in memory.
func (s *Set) Len() int { return len(s.ranges) }

// Sum is what the ranges of a Set come to. Bytes in more than one range are
// counted once, by the range that begins first.
type Sum struct {
	Structured, Opaque int64
	Gaps               []Range // what no range holds
	Overlaps           []Range // what more than one range holds
}

// Sum adds the ranges up within bytes from to end; what lies outside is left out.
func (s *Set) Sum(from, end int64) Sum {
	ranges := slices.Clone(s.ranges)
	slices.SortFunc(ranges, func(a, b Range) int {
		return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.Use, b.Use))
	})
	var sum Sum
	at := from
	for _, r := range append(ranges, Range{end, end, Structured}) {
		r.From, r.To = min(max(r.From, from), end), min(r.To, end)
		if r.From > at {
			sum.Gaps = append(sum.Gaps, Range{From: at, To: r.From})
		}
		if over := min(r.To, at); over > r.From {
			if n := len(sum.Overlaps); n > 0 && sum.Overlaps[n-1].To >= r.From {
				sum.Overlaps[n-1].To = max(sum.Overlaps[n-1].To, over)
			} else {
				sum.Overlaps = append(sum.Overlaps, Range{From: r.From, To: over})
			}
		}
		if fresh := r.To - max(r.From, at); fresh > 0 {
			if r.Use == Opaque {
				sum.Opaque += fresh
			} else {
				sum.Structured += fresh
			}
		}
		at = max(at, r.To)
	}
	return sum
}

// Ranges are the ranges as they were noted.
func (s *Set) Ranges() []Range { return slices.Clone(s.ranges) }
