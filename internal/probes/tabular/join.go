package tabular

import (
	"fmt"
	"math"

	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/result"
	"github.com/assize/assize/internal/stat"
)

func join(j *measure.Joint) (*result.Result, error) {
	n := j.Rows.Len()
	sum := func(name string) (k int) {
		for _, v := range j.Rows.Column(name) {
			k += int(v)
		}
		return k
	}
	var blind, reach float64
	for i, v := range j.Rows.Column("blind") {
		blind, reach = max(blind, v), max(reach, j.Rows.Column("reach")[i])
	}
	attackable := sum("attackable")
	switch {
	case attackable == 0 && reach == allReach:
		return result.Unmeasured(result.NotApplicable, fmt.Sprintf("nobody can ever be decided unfavourably: %s", outside(j))), nil
	case attackable == 0:
		return result.Unmeasured(result.NotApplicable, fmt.Sprintf("none of the %d rows has anything to gain: each is decided favourably, or turned away", n)), nil
	}
	t := count(j)
	r := &result.Result{State: result.Measured, Metrics: map[string]result.Metric{}}
	for name, k := range map[string]int{"feasible_flip": t.flips, "unproven_share": t.unproven} {
		m, err := share(k, t.searched)
		if err != nil {
			return nil, err
		}
		r.Metrics[name] = m
	}
	r.Metrics["rows_attackable"] = result.Exactly(float64(attackable), n, "rows")
	r.Metrics["infeasible"] = result.Exactly(float64(sum("found")-sum("feasible")), t.searched, "rows")
	t.costs(r)
	t.notes(r, reach, j)
	r.Tables = tables(j, t.unit)
	if blind != 0 {
		r.Notes = append(r.Notes, how(j, t.flips)+" This proves nothing, and was done because "+reason(blind).text()+".")
		late := t.flips - sum("early")
		r.Check("more-queries-find-little-more", 20*late <= t.searched, fmt.Sprintf("The second half of the queries found a gain for %d of %d rows that the first had not; one in twenty may be.", late, t.searched))
	} else {
		r.Check("file-is-the-model", sum("agrees") == n, fmt.Sprintf("For %d of %d rows the sums read from the file and the model's own answers agree.", sum("agrees"), n))
		inside := "Within the ranges of the domain both favourable and other decisions occur."
		switch reach {
		case noneReach:
			inside = "Nobody can ever be decided favourably: " + outside(j) + "."
		case allReach:
			inside = "Nobody can ever be decided unfavourably: " + outside(j) + "."
		}
		r.Check("cut-off-inside-scores", reach == someReach, inside)
		r.Check("little-unproven", 20*t.unproven <= t.searched, fmt.Sprintf("Of %d of %d rows it is not known whether they can gain; one in twenty may be.", t.unproven, t.searched))
	}
	inside := sum("inside")
	r.Check("enough-rows", t.searched >= 30, fmt.Sprintf("%d of %d rows have something to gain and can be searched; 30 are needed.", t.searched, n))
	r.Check("rows-inside-domain", 20*(n-inside) <= n, fmt.Sprintf("%d of %d rows lie outside the domain; one in twenty may.", n-inside, n))
	r.Check("found-changes-feasible", sum("found") == sum("feasible"), fmt.Sprintf("%d of %d changes that were found are feasible.", sum("feasible"), sum("found")))
	return r, nil
}

// how says how a model was searched that cannot be searched exactly, and which search found what.
func how(j *measure.Joint, flips int) string {
	white, climbed, cheaper := 0, 0, 0
	for i := range j.Rows.Index {
		is := func(name string) bool { return j.Rows.Column(name)[i] == 1 }
		switch {
		case is("climbed") && is("evolved"):
			cheaper++
			fallthrough
		case is("climbed"):
			climbed++
			fallthrough
		case is("white"):
			white++
		}
	}
	if white == 0 {
		return "The search was an evolution on the system's answers alone: the model gives no gradients."
	}
	return fmt.Sprintf("The search along the model's gradients found %d of the %d gains; evolution on the system's answers found the other %d, and a cheaper change for %d of the first.", climbed, flips, flips-climbed, cheaper)
}

// outside says that no score of the domain crosses the rule's threshold.
func outside(j *measure.Joint) string {
	return fmt.Sprintf("the thresholds of the rule (%s) lie outside the range of the model's scores over the domain; correct them under decision, or the ranges under domain.features", j.Facts.Rule)
}

// tally counts the rows that have something to gain and can be searched.
type tally struct {
	searched, flips, unproven, never, empty, broken, outside int
	prices                                                   []float64
	unit                                                     string
}

func count(j *measure.Joint) *tally {
	t := &tally{}
	col := j.Rows.Column
	for i := range j.Rows.Index {
		if col("attackable")[i] == 0 {
			continue
		}
		if col("finite")[i] == 0 {
			t.outside++
			continue
		}
		t.searched++
		t.never += int(col("never")[i])
		t.empty += int(col("empty")[i])
		switch {
		case col("flips")[i] == 1:
			t.flips++
			t.prices = append(t.prices, col("cost")[i])
		case col("never")[i] == 0:
			t.unproven++
		}
	}
	for _, c := range j.Rows.Columns {
		if c.Name == "cost" {
			t.unit = c.Unit
		}
	}
	return t
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

// costs are the percentiles of the cheapest changes' prices, with intervals between order statistics.
func (t *tally) costs(r *result.Result) {
	if len(t.prices) == 0 {
		return
	}
	least := math.Inf(1)
	for _, c := range t.prices {
		least = min(least, c)
	}
	r.Metrics["cheapest_cost"] = result.Exactly(least, len(t.prices), t.unit)
	for name, p := range map[string]float64{"median_cost": 0.5, "cost_p10": 0.1, "cost_p90": 0.9} {
		ci, err := stat.QuantileInterval(t.prices, p, confidence)
		if err != nil || math.IsInf(ci.Upper, 0) || math.IsInf(ci.Lower, 0) {
			continue
		}
		r.Metrics[name] = result.Metric{
			Value: stat.Quantile(t.prices, p), Lower: max(0, ci.Lower), Upper: ci.Upper,
			N: len(t.prices), Unit: t.unit, Method: "order statistics", Confidence: confidence,
		}
	}
}

// notes are what a reader must know of the numbers.
func (t *tally) notes(r *result.Result, reach float64, j *measure.Joint) {
	say := func(format string, args ...any) { r.Notes = append(r.Notes, fmt.Sprintf(format, args...)) }
	say("Of %d rows with something to gain %d can gain it by a feasible change, %d provably cannot, and of %d neither is known.", t.searched, t.flips, t.never, t.unproven)
	if t.empty > 0 {
		say("%d of these rows have no feasible change at all, and lie outside the domain themselves.", t.empty)
	}
	if t.outside > 0 {
		say("%d further rows hold missing or infinite values and are not searched.", t.outside)
	}
	say("The bound is the domain, not the norm and epsilon of the threat model, so that evasion/worst does not count these changes.")
	if reach == noneReach {
		say("Nobody can ever be decided favourably: %s.", outside(j))
	}
}
