package performance

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/model"
	"github.com/assize/assize/internal/result"
	"github.com/assize/assize/internal/stat"
)

var parity = measure.Probe{
	ID: "performance/parity", Version: 2,
	Doc: `Does the model under test decide as the recorded outputs of the deployed system say?

Both are put through the system's own decision rule: the answers of the model
without its solutions, and what was recorded, turned into the model's units.
Where only labels were recorded, classes are compared. A number that is used as it is, without a rule,
agrees within a ten-thousandth of what was recorded, or a millionth. A difference is the largest
between the scores of a row: in the model's units where the outputs were
recorded in them, else between probabilities.`,
	Metrics: []string{
		"agreement", "disagreements", "largest_difference", "mean_difference",
	},
	Goals:   []string{"parity"},
	Threats: []string{"model-flaws", "model-poisoning"},
	Cites:   []string{"AI Act Art. 15(1)", "AI Act Annex IV(2)(g)"},
	Needs:   measure.Needs{Model: true, Data: true, Recorded: true},
	Params:  []measure.Param{rowsParam(1e6)},
	Rows:    rows,
	Queries: rows,
	Run:     runParity,
	Join:    joinParity,
}

// alike tells whether two runtimes may give these numbers for one input: they
// differ by no more than sums in float32 in another order do.
func alike(difference, recorded float64) bool {
	return difference != notCompared && difference <= 1e-4*math.Abs(recorded)+1e-6
}

// notCompared stands in a column where there is nothing to compare.
const notCompared = -1

func runParity(ctx context.Context, c *measure.Case) (*result.Result, error) {
	bare, err := c.Model.With(nil)
	if err != nil {
		return nil, err
	}
	if c.Recorded.Rows != len(c.Index) {
		return nil, fmt.Errorf("compare with recorded outputs: %d are recorded for %d rows\nhint: record one output per row of the data set, in its order", c.Recorded.Rows, len(c.Index))
	}
	t := result.NewRows(c.Index, "agree", "difference", "decided", "recorded", "top_recorded")
	for i, doc := range []string{
		"1 where the model under test decides as was recorded, or gives the same number",
		"largest difference between scores; -1 where there are none to compare",
		"outcome of the rule on the model's answer; a class where only labels were recorded; -2 an unusable answer",
		"the same of what was recorded",
		"the largest recorded score, or the recorded label",
	} {
		t.Columns[i].Doc = doc
	}
	agree, difference, decided, recorded, top := t.Columns[0].Values, t.Columns[1].Values, t.Columns[2].Values, t.Columns[3].Values, t.Columns[4].Values
	var k *reader
	err = answer(ctx, c, bare, func(row int, a *model.Answers, i int) error {
		if k == nil {
			if k, err = newReader(bare, c.Recorded, a.K); err != nil {
				return err
			}
		}
		d, was := bare.Decision(a, i), model.Unusable
		difference[row] = notCompared
		if k.labelsOnly() {
			d = model.Decision(bare.ClassOf(d, a, i))
			was = model.Decision(k.class(row))
		} else {
			was = k.decision(row)
			if worst, ok := k.difference(a, i, row); ok {
				difference[row] = worst
			}
		}
		same := d == was
		if bare.Rule().Kind == model.NoRule {
			if k.labelsOnly() {
				return fmt.Errorf("compare with recorded outputs: they hold labels, and the model gives a number\nhint: record the number in a column or array named score")
			}
			same = same && (d == model.Unusable || alike(difference[row], k.top(row)))
		}
		agree[row], decided[row], recorded[row], top[row] = bit(same), float64(d), float64(was), k.top(row)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &result.Result{State: result.Measured, Rows: t}, nil
}

func joinParity(j *measure.Joint) (*result.Result, error) {
	n := j.Rows.Len()
	if n == 0 {
		return result.Unmeasured(result.Failed, "no row was compared"), nil
	}
	res := &result.Result{State: result.Measured, Metrics: map[string]result.Metric{}}
	agree, decided, recorded := j.Rows.Column("agree"), j.Rows.Column("decided"), j.Rows.Column("recorded")
	k := 0
	var others []int
	for i, v := range agree {
		if v == 1 {
			k++
		} else {
			others = append(others, j.Rows.Index[i])
		}
	}
	var err error
	if res.Metrics["agreement"], err = share(k, n); err != nil {
		return nil, err
	}
	all := n == j.Facts.TestRows
	if res.Metrics["disagreements"], err = disagreements(n-k, n, j.Facts.TestRows); err != nil {
		return nil, err
	}
	if err := differences(res, j, all); err != nil {
		return nil, err
	}
	if len(others) > 0 {
		more := ""
		if len(others) > 20 {
			more, others = fmt.Sprintf(" and %d more", len(others)-20), others[:20]
		}
		res.Notes = append(res.Notes, fmt.Sprintf("decided otherwise on rows (from 0) %v%s", others, more))
	}
	if !all {
		res.Notes = append(res.Notes, fmt.Sprintf("%d of %d test rows were compared", n, j.Facts.TestRows))
	}
	res.Check("recorded-outputs-vary", varies(recorded) || varies(j.Rows.Column("top_recorded")),
		"recorded outputs that are all alike would agree with any model that is as constant")
	if chance := byChance(decided, recorded); j.Facts.Rule != model.NoRule && n >= 30 && k < n && float64(k)/float64(n) <= chance {
		res.Check("recorded-outputs-belong-to-the-rows", false, fmt.Sprintf(
			"agreement of %.3g is what two unrelated sets of answers would reach by chance (%.3g): the recorded outputs may be of other rows or in another order", float64(k)/float64(n), chance))
	}
	return res, nil
}

// disagreements is counted where every test row was compared; else the upper
// end allows for as many among the other rows as the exact bound of their share does.
func disagreements(k, n, total int) (result.Metric, error) {
	if n >= total {
		return result.Exactly(float64(k), n, "rows"), nil
	}
	in, err := stat.ClopperPearson(k, n, confidence)
	if err != nil {
		return result.Metric{}, err
	}
	return result.Metric{
		Value: float64(k), Lower: float64(k), Upper: float64(k) + math.Floor(in.Upper*float64(total-n)), N: n, Unit: "rows",
		Method: "counted; upper end: clopper-pearson on the rows that were not compared", Confidence: confidence,
	}, nil
}

// differences adds the largest and the mean difference over the rows that have one.
func differences(res *result.Result, j *measure.Joint, all bool) error {
	var d []float64
	for _, v := range j.Rows.Column("difference") {
		if v != notCompared {
			d = append(d, v)
		}
	}
	if missing := j.Rows.Len() - len(d); missing > 0 {
		res.Notes = append(res.Notes, fmt.Sprintf("%d rows have no scores to compare: labels alone, or an answer that is not a number", missing))
	}
	if len(d) == 0 {
		return nil
	}
	worst, mean := 0.0, stat.WeightedMean(d, nil)
	for _, v := range d {
		worst = max(worst, v)
	}
	res.Metrics["largest_difference"] = result.Exactly(worst, len(d), "score")
	res.Metrics["mean_difference"] = result.Exactly(mean, len(d), "score")
	if all || len(d) < 2 {
		return nil
	}
	b, err := resample(j.Seed, len(d), 1, nil, 1, func() stat.Statistic {
		return func(w []int32, out []float64) { out[0] = stat.WeightedMean(d, w) }
	})
	if err != nil {
		return err
	}
	in, err := b.Percentile(0, confidence)
	if err != nil {
		return err
	}
	res.Metrics["mean_difference"] = estimate(mean, in, len(d), "score", "bootstrap percentile")
	return nil
}

func varies(values []float64) bool {
	for _, v := range values {
		if v != values[0] {
			return true
		}
	}
	return false
}

// byChance is the agreement of two sets of answers with these shares of each outcome if they had nothing to do with one another.
func byChance(a, b []float64) float64 {
	count := map[float64][2]float64{}
	for i := range a {
		c := count[a[i]]
		c[0]++
		count[a[i]] = c
		c = count[b[i]]
		c[1]++
		count[b[i]] = c
	}
	sum, n := 0.0, float64(len(a))
	for _, outcome := range slices.Sorted(maps.Keys(count)) {
		c := count[outcome]
		sum += c[0] / n * c[1] / n
	}
	return sum
}
