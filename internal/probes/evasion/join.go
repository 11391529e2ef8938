package evasion

import (
	"fmt"
	"math"

	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/result"
	"github.com/assize/assize/internal/stat"
)

const confidence = 0.95

// tally is the rows of an attack, by row.
type tally struct {
	rows                                          *result.Rows
	attackable, right, broken, gained, inside     []bool
	distance                                      []float64
	n, attackables, rights, brokens, gains, stand int
}

func newTally(rows *result.Rows) *tally {
	t := &tally{rows: rows, n: rows.Len(), distance: rows.Column("distance")}
	for name, to := range map[string]*[]bool{"attackable": &t.attackable, "right": &t.right, "broken": &t.broken, "gained": &t.gained, "inside": &t.inside} {
		for _, v := range rows.Column(name) {
			*to = append(*to, v == 1)
		}
	}
	for i := range t.n {
		for v, to := range map[*int]bool{
			&t.attackables: t.attackable[i], &t.rights: t.right[i], &t.brokens: t.broken[i],
			&t.gains: t.attackable[i] && t.gained[i], &t.stand: t.right[i] && !t.broken[i],
		} {
			if to {
				*v++
			}
		}
	}
	return t
}

// beside compares with another attack on the rows that both worked on: how many
// of them are attackable, how many of these the other broke and this one did, and how many the other alone made gain.
func (t *tally) beside(other *tally) (shared, theirs, ours, onlyTheirs int) {
	at := make(map[int]int, other.n)
	for j, row := range other.rows.Index {
		at[row] = j
	}
	for i, row := range t.rows.Index {
		j, ok := at[row]
		if !ok || !t.attackable[i] {
			continue
		}
		shared++
		if t.broken[i] {
			ours++
		}
		if other.broken[j] {
			theirs++
		}
		if other.gained[j] && !t.gained[i] {
			onlyTheirs++
		}
	}
	return shared, theirs, ours, onlyTheirs
}

// share is a proportion with its exact interval.
func share(k, n int) (result.Metric, error) {
	ci, err := stat.ClopperPearson(k, n, confidence)
	if err != nil {
		return result.Metric{}, err
	}
	return result.Metric{
		Value: float64(k) / float64(max(1, n)), Lower: ci.Lower, Upper: ci.Upper,
		N: n, K: &k, Unit: "share", Method: "clopper-pearson", Confidence: confidence,
	}, nil
}

// quantile is a quantile with the interval between order statistics; an end that the values
// cannot give is the end of the range. False where there are no values, or too few for an end that has no range.
func quantile(values []float64, p, low, high float64, unit string) (result.Metric, bool) {
	ci, err := stat.QuantileInterval(values, p, confidence)
	if err != nil {
		return result.Metric{}, false
	}
	m := result.Metric{
		Value: stat.Quantile(values, p), Lower: max(low, ci.Lower), Upper: min(high, ci.Upper),
		N: len(values), Unit: unit, Method: "order statistics", Confidence: confidence,
	}
	return m, !math.IsInf(m.Upper, 0)
}

// metrics are the numbers that every attack gives.
func (t *tally) metrics(p measure.Params) (*result.Result, error) {
	r := &result.Result{State: result.Measured, Metrics: map[string]result.Metric{}}
	for name, of := range map[string][2]int{
		"robust_accuracy": {t.stand, t.n}, "clean_accuracy": {t.rights, t.n}, "attack_success": {t.brokens, t.attackables},
	} {
		if of[1] == 0 {
			continue
		}
		m, err := share(of[0], of[1])
		if err != nil {
			return nil, err
		}
		r.Metrics[name] = m
	}
	r.Metrics["rows_attackable"] = result.Exactly(float64(t.attackables), t.n, "rows")
	var found []float64
	outside := 0
	for i := range t.n {
		if t.attackable[i] && t.gained[i] {
			found = append(found, t.distance[i])
		}
		if !t.inside[i] {
			outside++
		}
	}
	unit := p.Text("norm") + ", share of range"
	if p.Text("unit") == "raw" {
		unit = p.Text("norm") + ", raw"
	}
	if m, ok := quantile(found, 0.5, 0, math.Inf(1), unit); ok {
		r.Metrics["median_distance"] = m
		if len(found) < t.attackables {
			r.Notes = append(r.Notes, fmt.Sprintf("The median distance is over the %d of %d attackable rows for which any change was found that gains.", len(found), t.attackables))
		}
	}
	r.Check("enough-rows", t.attackables >= 30, fmt.Sprintf("%d of %d rows have something to gain; 30 are needed.", t.attackables, t.n))
	r.Check("rows-inside-domain", 20*outside <= t.n, fmt.Sprintf("%d of %d rows lie outside the domain and cannot be changed feasibly; one in twenty may.", outside, t.n))
	return r, nil
}

func joinNoise(j *measure.Joint) (*result.Result, error) {
	t := newTally(j.Rows)
	r, err := t.metrics(j.Params)
	if err != nil {
		return nil, err
	}
	tried := 0
	for i, q := range j.Rows.Column("queries") {
		if t.attackable[i] && q > 0 {
			tried++
		}
	}
	checkRepeats(r, j.Rows)
	r.Check("changes-found", 2*tried >= t.attackables, fmt.Sprintf("For %d of %d attackable rows a change was found that the ball and the domain allow; half are needed.", tried, t.attackables))
	r.Notes = append(r.Notes, "Random change is the weakest attack there is: what stands it is not robust for that.")
	return r, nil
}
