package trees

import (
	"fmt"
	"math"

	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/result"
	"github.com/assize/assize/internal/stat"
)

const confidence = 0.95

// tally counts the rows.
type tally struct {
	rows                                                                *result.Rows
	n, attackable, right, inside, agrees, broken, proven, stands, exact int
	found, gained, feasible, verified                                   int
}

func count(rows *result.Rows) *tally {
	t := &tally{rows: rows, n: rows.Len()}
	is := func(name string) []float64 { return rows.Column(name) }
	attackable, right, proven := is("attackable"), is("right"), is("proven")
	for name, to := range map[string]*int{
		"attackable": &t.attackable, "right": &t.right, "inside": &t.inside, "agrees": &t.agrees, "broken": &t.broken, "proven": &t.proven,
		"stands": &t.stands, "found": &t.found, "gained": &t.gained, "feasible": &t.feasible, "exact": &t.exact,
	} {
		for _, v := range is(name) {
			*to += int(v)
		}
	}
	for i := range t.n {
		if right[i] == 1 && (attackable[i] == 0 || proven[i] == 1) {
			t.verified++
		}
	}
	return t
}

// unmeasured is the result where the model cannot be searched or no row has anything to gain.
func unmeasured(j *measure.Joint, t *tally) *result.Result {
	for _, why := range j.Rows.Column("why") {
		if why != 0 {
			return result.Unmeasured(result.NotApplicable, reason(why).text())
		}
	}
	if t.attackable == 0 {
		return result.Unmeasured(result.NotApplicable, fmt.Sprintf("none of the %d rows has anything to gain: each is decided favourably or, where no outcome is favourable, wrong already", t.n))
	}
	return nil
}

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

func (t *tally) shares(r *result.Result, of map[string][2]int) error {
	for name, kn := range of {
		m, err := share(kn[0], kn[1])
		if err != nil {
			return err
		}
		r.Metrics[name] = m
	}
	return nil
}

// middle is the median of a column over the rows that another marks, with the
// interval between order statistics. False where there are too few.
func (t *tally) middle(column, marked string, p measure.Params) (result.Metric, bool) {
	var values []float64
	mark := t.rows.Column(marked)
	for i, v := range t.rows.Column(column) {
		if mark[i] == 1 {
			values = append(values, v)
		}
	}
	ci, err := stat.QuantileInterval(values, 0.5, confidence)
	if err != nil || math.IsInf(ci.Upper, 0) {
		return result.Metric{}, false
	}
	unit := p.Text("norm") + ", share of range"
	if p.Text("unit") == "raw" {
		unit = p.Text("norm") + ", raw"
	}
	return result.Metric{
		Value: stat.Quantile(values, 0.5), Lower: max(0, ci.Lower), Upper: ci.Upper,
		N: len(values), Unit: unit, Method: "order statistics", Confidence: confidence,
	}, true
}

// checks are what must hold of the search for either probe's numbers to mean anything.
func (t *tally) checks(r *result.Result) {
	r.Metrics["rows_attackable"] = result.Exactly(float64(t.attackable), t.n, "rows")
	both := 0
	proven := t.rows.Column("proven")
	for i, v := range t.rows.Column("broken") {
		if v == 1 && proven[i] == 1 {
			both++
		}
	}
	r.Check("enough-rows", t.attackable >= 30, fmt.Sprintf("%d of %d rows have something to gain; 30 are needed.", t.attackable, t.n))
	r.Check("rows-inside-domain", 20*(t.n-t.inside) <= t.n, fmt.Sprintf("%d of %d rows lie outside the domain and are not searched; one in twenty may.", t.n-t.inside, t.n))
	r.Check("ensemble-is-the-model", t.agrees == t.n, fmt.Sprintf("For %d of %d rows the ensemble read from the file and the model's own answers agree on what was found.", t.agrees, t.n))
	r.Check("final-inputs-feasible", t.feasible == t.found, fmt.Sprintf("%d of %d inputs that were found are feasible as changes of their rows.", t.feasible, t.found))
	r.Check("proof-and-attack-agree", both == 0, fmt.Sprintf("%d rows are both proved and broken.", both))
}

func joinFormal(j *measure.Joint) (*result.Result, error) {
	t := count(j.Rows)
	if r := unmeasured(j, t); r != nil {
		return r, nil
	}
	r := &result.Result{State: result.Measured, Metrics: map[string]result.Metric{}}
	attackable := t.rows.Column("attackable")
	proved := 0
	for i, v := range t.rows.Column("proven") {
		if attackable[i] == 1 {
			proved += int(v)
		}
	}
	err := t.shares(r, map[string][2]int{
		"verified_share": {proved, t.attackable}, "broken_share": {t.broken, t.attackable},
		"unproven_share": {t.attackable - proved - t.broken, t.attackable}, "exact_share": {t.exact, t.attackable},
		"verified_accuracy": {t.verified, t.n},
	})
	if err != nil {
		return nil, err
	}
	if m, ok := t.middle("lower", "found", j.Params); ok {
		r.Metrics["median_proved_distance"] = m
		r.Notes = append(r.Notes, fmt.Sprintf("The median proved distance is over the %d rows for which some change that gains was found.", t.found))
	}
	t.checks(r)
	r.Notes = append(r.Notes, "What is proved is proved of the model without its solutions, for every change within the domain's ranges, kinds, directions and groups, whether or not it keeps the relations.")
	return r, nil
}

func joinEvasion(j *measure.Joint) (*result.Result, error) {
	t := count(j.Rows)
	if r := unmeasured(j, t); r != nil {
		return r, nil
	}
	r := &result.Result{State: result.Measured, Metrics: map[string]result.Metric{}}
	err := t.shares(r, map[string][2]int{
		"attack_success": {t.broken, t.attackable}, "clean_accuracy": {t.right, t.n}, "robust_accuracy": {t.stands, t.n},
	})
	if err != nil {
		return nil, err
	}
	if m, ok := t.middle("distance", "gained", j.Params); ok {
		r.Metrics["median_distance"] = m
		r.Notes = append(r.Notes, fmt.Sprintf("The median distance is over the %d of %d attackable rows for which a change was found that gains.", t.gained, t.attackable))
	}
	t.checks(r)
	return r, nil
}
