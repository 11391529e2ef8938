package evasion

import (
	"fmt"
	"math"
	"slices"
	"sort"

	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/result"
)

// againstQueries draws the share of attackable rows that this attack alone broke within so many questions.
func againstQueries(attack string, needed []float64, n int, budget float64) result.Picture {
	p := result.Picture{
		ID: "success-against-queries", Title: "Attack success against queries", Kind: "curve",
		XLabel: "queries per row", YLabel: "share of attackable rows broken", LogX: true,
		Series: []result.Series{{Name: attack + ", with 95 % interval at each point"}},
	}
	sort.Float64s(needed)
	const points = 60
	last := 0.0
	for i := range points {
		q := math.Round(math.Pow(budget, float64(i)/(points-1)))
		if q <= last {
			continue
		}
		last = q
		point(&p.Series[0], q, sort.Search(len(needed), func(k int) bool { return needed[k] > q }), n)
	}
	return p
}

// againstEpsilon draws robust accuracy for other sizes of change than the threat model's.
func againstEpsilon(t *tally, params measure.Params) result.Picture {
	epsilon := params.Float("epsilon")
	p := result.Picture{
		ID: "robust-accuracy-against-epsilon", Title: "Robust accuracy against the size of change", Kind: "curve",
		XLabel: fmt.Sprintf("epsilon (%s, %s)", params.Text("norm"), params.Text("unit")), YLabel: "share of rows right and unbroken",
		Series: []result.Series{{Name: "worst of all attacks, with 95 % interval at each point"}},
	}
	var falls []float64
	for i := range t.n {
		if t.right[i] && t.attackable[i] && t.gained[i] {
			falls = append(falls, t.distance[i])
		}
	}
	sort.Float64s(falls)
	grid := []float64{epsilon}
	const points = 50
	for i := range points {
		grid = append(grid, 2*epsilon*float64(i)/(points-1))
	}
	sort.Float64s(grid)
	for _, e := range slices.Compact(grid) {
		fallen := sort.Search(len(falls), func(k int) bool { return falls[k] > e*(1+1e-6) })
		point(&p.Series[0], e, t.rights-fallen, t.n)
	}
	return p
}

// point adds a share with its interval to a line.
func point(s *result.Series, x float64, k, n int) {
	m, err := share(k, n)
	if err != nil {
		return // k and n are counts of rows: it cannot be
	}
	s.X, s.Y, s.Lower, s.Upper = append(s.X, x), append(s.Y, m.Value), append(s.Lower, m.Lower), append(s.Upper, m.Upper)
}
