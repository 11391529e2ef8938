package performance

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/model"
	"github.com/assize/assize/internal/result"
	"github.com/assize/assize/internal/stat"
)

var regression = measure.Probe{
	ID: "performance/regression", Version: 1,
	Doc: `How near are the numbers of a regression model to the truth?

Mean absolute error, root mean squared error, bias (the mean of output less truth) and the share of the
truth's variance that is explained, on held-out rows. A row that the system
refuses, or answers with something that is no number, is counted apart and has no error.`,
	Metrics: []string{"bias", "mae", "r2", "refused", "rmse", "unusable"},
	Goals:   []string{"accuracy"},
	Threats: []string{"model-flaws"},
	Cites:   []string{"AI Act Art. 15(1)", "AI Act Art. 15(3)"},
	Needs:   measure.Needs{Model: true, Data: true, Labels: true, Value: true},
	Params:  []measure.Param{rowsParam(200000)},
	Rows:    rows,
	Queries: rows,
	Run:     runRegression,
	Join:    joinRegression,
}

func runRegression(ctx context.Context, c *measure.Case) (*result.Result, error) {
	if c.Data.YValue == nil {
		return nil, errors.New("read labels: the test data's labels are not numbers\nhint: name the column of the true values as the label")
	}
	t := result.NewRows(c.Index, "answered", "truth", "output")
	for i, doc := range []string{"1: the system gives a number; 0: it refuses; -1: what it gives is no finite number", "the true value", "the system's output; 0 where there is none"} {
		t.Columns[i].Doc, t.Columns[i].Data = doc, i > 0
	}
	err := answer(ctx, c, c.Model, func(row int, a *model.Answers, i int) error {
		truth := c.Data.YValue[row]
		if math.IsNaN(truth) || math.IsInf(truth, 0) {
			return fmt.Errorf("read labels: row %d: the true value %v is not finite", c.Index[row], truth)
		}
		t.Columns[1].Values[row] = truth
		switch v := float64(a.Row(i)[0]); {
		case a.Refused[i]:
		case math.IsNaN(v) || math.IsInf(v, 0):
			t.Columns[0].Values[row] = -1
		default:
			t.Columns[0].Values[row], t.Columns[2].Values[row] = 1, v
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &result.Result{State: result.Measured, Rows: t}, nil
}

// errorsOf computes mean absolute error, root mean squared error, bias and the
// coefficient of determination, 1 less the squared errors over those of the mean truth.
func errorsOf(truth, output []float64) stat.Statistic {
	return func(weights []int32, out []float64) {
		n, mean, absolute, squared, bias, spread := 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
		for i, w := range weights {
			n, mean = n+float64(w), mean+float64(w)*truth[i]
		}
		mean /= n
		for i, w := range weights {
			e, d, w := output[i]-truth[i], truth[i]-mean, float64(w)
			absolute, squared, bias, spread = absolute+w*math.Abs(e), squared+w*e*e, bias+w*e, spread+w*d*d
		}
		out[0], out[1], out[2], out[3] = absolute/n, math.Sqrt(squared/n), bias/n, math.NaN()
		if spread > 0 {
			out[3] = 1 - squared/spread
		}
	}
}

func joinRegression(j *measure.Joint) (*result.Result, error) {
	n := j.Rows.Len()
	var truth, output []float64
	refused, unusable := 0, 0
	for i, v := range j.Rows.Column("answered") {
		switch v {
		case 0:
			refused++
		case -1:
			unusable++
		default:
			truth, output = append(truth, j.Rows.Column("truth")[i]), append(output, j.Rows.Column("output")[i])
		}
	}
	if len(truth) < 2 {
		return result.Unmeasured(result.Failed, fmt.Sprintf("%d of %d rows get a number; an error needs two", len(truth), n)), nil
	}
	r := &result.Result{State: result.Measured, Metrics: map[string]result.Metric{}}
	kinds := []struct{ name, unit string }{{"mae", "of the output"}, {"rmse", "of the output"}, {"bias", "of the output"}, {"r2", "score"}} // as errorsOf has them
	b, err := resample(j.Seed, len(truth), 2, nil, len(kinds), func() stat.Statistic { return errorsOf(truth, output) })
	if err != nil {
		return nil, err
	}
	for k, m := range kinds {
		if math.IsNaN(b.Estimates[k]) {
			r.Notes = append(r.Notes, "All true values are the same: no share of their variance can be explained.")
			continue
		}
		method := "bootstrap, BCa"
		in, err := b.BCa(k, confidence)
		if err != nil {
			method = "bootstrap, percentile"
			if in, err = b.Percentile(k, confidence); err != nil {
				return nil, err
			}
		}
		r.Metrics[m.name] = estimate(b.Estimates[k], in, len(truth), m.unit, method)
	}
	for name, k := range map[string]int{"refused": refused, "unusable": unusable} {
		if r.Metrics[name], err = share(k, n); err != nil {
			return nil, err
		}
	}
	r.Check("enough-rows", len(truth) >= 30, fmt.Sprintf("%d rows get a number; 30 are needed.", len(truth)))
	r.Check("rows-answered", 20*(n-len(truth)) <= n, fmt.Sprintf("%d of %d rows are refused or get no number, and have no error; one in twenty may.", n-len(truth), n))
	return r, nil
}
