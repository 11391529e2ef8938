package evasion

import (
	"fmt"
	"math"
	"slices"

	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/result"
)

func joinRegression(j *measure.Joint) (*result.Result, error) {
	rows := j.Rows
	n := rows.Len()
	column := rows.Column
	var changes, noises []float64
	inside, repeats, feasible, within, weaker, moved, over, followed, further := 0, 0, 0, 0, 0, 0, 0, 0, 0
	tolerance := j.Params.Float("tolerance")
	for i, answered := range column("answered") {
		inside += int(column("inside")[i])
		if answered == 0 {
			continue
		}
		change := column("change")[i]
		if f := column("followed")[i]; f >= 0 {
			followed++
			if f > column("searched")[i] {
				further++
			}
		}
		changes, noises = append(changes, change), append(noises, column("noise")[i])
		repeats += int(column("repeats")[i])
		feasible += int(column("feasible")[i])
		within += int(column("within")[i])
		if change > tolerance {
			over++
		}
		if change > 0 {
			moved++
			if max(column("searched")[i], column("followed")[i]) < column("noise")[i]*(1-1e-9) {
				weaker++
			}
		}
	}
	answered := len(changes)
	if answered == 0 {
		return result.Unmeasured(result.NotApplicable, fmt.Sprintf("none of the %d rows gets a number as it is", n)), nil
	}
	const unit = "of the output"
	r := &result.Result{State: result.Measured, Metrics: map[string]result.Metric{
		"worst_change": result.Exactly(slices.Max(changes), answered, unit),
		"noise_change": result.Exactly(slices.Max(noises), answered, unit),
	}}
	for name, p := range map[string]float64{"median_change": 0.5, "change_p95": 0.95} {
		if m, ok := quantile(changes, p, 0, math.Inf(1), unit); ok {
			r.Metrics[name] = m
		}
	}
	if tolerance > 0 {
		m, err := share(over, answered)
		if err != nil {
			return nil, err
		}
		r.Metrics["over_tolerance"] = m
	}
	r.Notes = append(r.Notes, "What an attack finds is a lower bound: a larger change can exist.")
	if followed > 0 {
		r.Notes = append(r.Notes, fmt.Sprintf("Following gradients moved the output further than the search by asking on %d of %d rows.", further, followed))
	} else {
		r.Notes = append(r.Notes, "The model has no gradients to follow: the search is by asking alone.")
	}
	if n < j.Facts.TestRows {
		r.Notes = append(r.Notes, fmt.Sprintf("The worst change is that of %d of %d test rows.", answered, j.Facts.TestRows))
	}
	r.Pictures = []result.Picture{{
		ID: "changes", Title: "Rows whose output can be moved no further", Kind: "curve", XLabel: "largest change of the output found", YLabel: "share of rows",
		Series: []result.Series{cumulative("attack", changes), cumulative("random change", noises)},
	}}
	r.Check("enough-rows", answered >= 30, fmt.Sprintf("%d of %d rows get a number as they are; 30 are needed.", answered, n))
	r.Check("rows-inside-domain", 20*(n-inside) <= n, fmt.Sprintf("%d of %d rows lie outside the domain; one in twenty may.", n-inside, n))
	r.Check("final-inputs-feasible", feasible == answered, fmt.Sprintf("%d of %d final rows are feasible as changes of their rows.", feasible, answered))
	r.Check("final-inputs-in-ball", within == answered, fmt.Sprintf("%d of %d final rows are within the threat model.", within, answered))
	r.Check("final-inputs-repeat", 100*(answered-repeats) <= answered, fmt.Sprintf("%d of %d final rows get the same output when asked for again alone; one in a hundred may not.", repeats, answered))
	r.Check("search-beats-noise", 10*weaker <= moved, fmt.Sprintf("On %d of %d rows whose output moved, random change moved it further than the search; one in ten may.", weaker, moved))
	r.Check("outputs-move", moved > 0, fmt.Sprintf("The output of %d of %d rows moved at all.", moved, answered))
	return r, nil
}

// cumulative is the share of values up to each of at most a hundred of them.
func cumulative(name string, values []float64) result.Series {
	const most = 100
	sorted := slices.Sorted(slices.Values(values))
	s := result.Series{Name: name, X: []float64{0}, Y: []float64{0}}
	for i := range min(most, len(sorted)) {
		at := (i+1)*len(sorted)/min(most, len(sorted)) - 1
		s.X, s.Y = append(s.X, sorted[at]), append(s.Y, float64(at+1)/float64(len(sorted)))
	}
	return s
}
