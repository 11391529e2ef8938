package evasion

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sort"

	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/result"
)

func joinHopSkipJump(j *measure.Joint) (*result.Result, error) {
	floor := j.Results["evasion/noise"]
	if floor == nil || floor.Rows == nil {
		return nil, errors.New("join rows: the rows of evasion/noise are missing")
	}
	t := newTally(j.Rows)
	if r := t.nothing(); r != nil {
		return r, nil
	}
	alone, gains := t.brokens, t.gains
	shared, theirs, ours, onlyTheirs := t.worst(newTally(floor.Rows))
	r, err := t.metrics(j.Params)
	if err != nil {
		return nil, err
	}
	for name, of := range map[string][2]int{"hopskipjump_success": {alone, t.attackables}, "noise_success": {theirs, shared}} {
		if r.Metrics[name], err = share(of[0], of[1]); err != nil {
			return nil, err
		}
	}
	budget := j.Params.Float("queries")
	needed := t.needed(r, budget)
	r.Check("attack-beats-noise", ours >= theirs, fmt.Sprintf("On the same %d attackable rows the attack broke %d, random noise %d.", shared, ours, theirs))
	r.Check("start-found", 20*onlyTheirs <= t.attackables, fmt.Sprintf("A change that gains was found for %d of %d attackable rows; for %d others only noise found one.", gains, t.attackables, onlyTheirs))
	checkFinal(r, j.Rows, budget)
	r.Rows = t.combined()
	r.Pictures = []result.Picture{againstQueries("HopSkipJump", needed, t.attackables, budget), againstEpsilon(t, j.Params)}
	return r, nil
}

// combined is the table with what is broken by either attack. Rows that HopSkipJump
// itself broke are those with queries_to_success above 0.
func (t *tally) combined() *result.Rows {
	out := *t.rows
	out.Columns = slices.Clone(out.Columns)
	for col, set := range map[int]func(i int) bool{
		colBroken: func(i int) bool { return t.broken[i] },
		colStands: func(i int) bool { return t.right[i] && !t.broken[i] },
	} {
		c := &out.Columns[col]
		c.Doc += ", by this attack or by noise"
		c.Values = make([]float64, t.n)
		for i := range t.n {
			if set(i) {
				c.Values[i] = 1
			}
		}
	}
	return &out
}

// checkFinal checks the rows that the attack hands over.
func checkFinal(r *result.Result, rows *result.Rows, budget float64) {
	gained := rows.Column("gained")
	count := func(name string) (n, of int) {
		for i, v := range rows.Column(name) {
			if gained[i] == 1 {
				of++
				if v == 1 {
					n++
				}
			}
		}
		return n, of
	}
	for _, c := range []struct{ check, column, says string }{
		{"final-inputs-rechecked", "rechecked", "gain when asked for again, alone"},
		{"final-inputs-feasible", "feasible", "are feasible as changes of their rows"},
		{"returned-inputs-differ", "returned_differs", "differ from the rows attacked"},
	} {
		n, of := count(c.column)
		r.Check(c.check, n == of, fmt.Sprintf("%d of %d final rows %s.", n, of, c.says))
	}
	most := 0.0
	for _, q := range rows.Column("queries") {
		most = max(most, q)
	}
	r.Check("budget-kept", most <= budget, fmt.Sprintf("At most %.0f of %.0f questions were asked of a row.", most, budget))
}

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
		Series: []result.Series{{Name: "worst of HopSkipJump and noise, with 95 % interval at each point"}},
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
