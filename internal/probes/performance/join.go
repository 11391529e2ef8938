package performance

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/model"
	"github.com/assize/assize/internal/result"
	"github.com/assize/assize/internal/stat"
)

// answered is what was decided, as metrics read it: classes from 0 to
// len(names)-1, and one more that stands for no class at all.
type answered struct {
	names            []string
	positive         int // -1 where metrics are means over the classes
	label, predicted []int
	confusion        *stat.Confusion
	res              *result.Result
	seed             measure.Seed
}

func (a *answered) n() int       { return len(a.label) }
func (a *answered) classes() int { return len(a.names) }

func joinClassification(j *measure.Joint) (*result.Result, error) {
	if j.Rows.Len() == 0 {
		return result.Unmeasured(result.Failed, "no row was answered"), nil
	}
	a, err := newAnswered(j)
	if err != nil {
		return nil, err
	}
	for _, step := range []func(*measure.Joint) error{a.counts, a.perClass, a.resampled, a.probabilities} {
		if err := step(j); err != nil {
			return nil, err
		}
	}
	a.res.Pictures = append([]result.Picture{a.matrix()}, a.res.Pictures...)
	a.validity(j)
	return a.res, nil
}

func newAnswered(j *measure.Joint) (*answered, error) {
	a := &answered{
		names: classNames(j.Facts), positive: -1, seed: j.Seed,
		res: &result.Result{State: result.Measured, Metrics: map[string]result.Metric{}},
	}
	if a.classes() < 2 {
		return nil, errors.New("join rows: the model tells fewer than two classes apart")
	}
	label, predicted := j.Rows.Column(colLabel), j.Rows.Column(colPredicted)
	if a.classes() == 2 {
		a.positive = j.Facts.Positive
	}
	merge := j.Facts.Rule == model.Cutoff && a.classes() > 2
	if merge { // a cut-off tells its class from all others
		name := a.names[j.Facts.Positive]
		a.names, a.positive = []string{"not " + name, name}, 1
	}
	none := a.classes()
	for i := range label {
		y, p := int(label[i]), int(predicted[i])
		if merge {
			y = int(bit(y == j.Facts.Positive))
			if p >= 0 {
				p = int(bit(p == j.Facts.Positive))
			}
		}
		if p < 0 {
			p = none
		}
		a.label, a.predicted = append(a.label, y), append(a.predicted, p)
	}
	var err error
	a.confusion, err = stat.CountConfusion(none+1, a.label, a.predicted)
	return a, err
}

func classNames(f measure.Facts) []string {
	names := make([]string, f.Classes)
	for i := range names {
		names[i] = fmt.Sprint(i)
		if i < len(f.ClassNames) {
			names[i] = f.ClassNames[i]
		}
	}
	return names
}

// counts adds what is counted row by row: accuracy and the rows without a decision of the system's own.
func (a *answered) counts(j *measure.Joint) error {
	refused, unusable, referred := 0, 0, 0
	for _, v := range j.Rows.Column(colDecision) {
		switch d := model.Decision(v); {
		case d == model.Refused:
			refused++
		case d < 0:
			unusable++
		case j.Facts.Rule == model.Cutoff && d == model.InBand, j.Facts.Rule == model.PerClass && int(d) == j.Facts.Classes:
			referred++
		}
	}
	a.res.Metrics["refused"] = result.Exactly(float64(refused), a.n(), "rows")
	a.res.Metrics["unusable"] = result.Exactly(float64(unusable), a.n(), "rows")
	shares := map[string]int{"accuracy": a.confusion.Correct()}
	if j.Facts.Rule != model.Argmax {
		shares["referred"] = referred
	}
	for name, k := range shares {
		m, err := share(k, a.n())
		if err != nil {
			return err
		}
		a.res.Metrics[name] = m
	}
	if without := refused + unusable; without > 0 {
		a.note("%d rows were refused and %d answered with something unusable; they count as not right, and only in metrics of decisions", refused, unusable)
	}
	if referred > 0 && j.Facts.Rule == model.Cutoff {
		a.note("%d rows are left to a person; they count as the side of the cut-off on which they lie", referred)
	}
	if referred > 0 && j.Facts.Rule == model.PerClass {
		a.note("%d rows reach no threshold and are left to a person; they count as not right", referred)
	}
	return nil
}

// perClass adds shares of the positive class, and the mean recall of all.
func (a *answered) perClass(*measure.Joint) error {
	ks, ns := make([]int, a.classes()), make([]int, a.classes())
	for c := range ks {
		cells := a.confusion.Cells(c)
		ks[c], ns[c] = cells.TP, cells.TP+cells.FN
		if ns[c] == 0 {
			a.note("balanced_accuracy is undefined: no row is of class %q", a.names[c])
		}
	}
	if !containsZero(ns) {
		mean, in, err := meanOfShares(ks, ns)
		if err != nil {
			return err
		}
		m := estimate(mean, in, a.n(), "share", "clopper-pearson, combined over the classes (Zou, Huang and Zhang 2009)")
		a.res.Metrics["balanced_accuracy"] = m
		if a.positive < 0 {
			a.res.Metrics["recall"] = m
		}
	}
	if a.positive < 0 {
		return nil
	}
	cells := a.confusion.Cells(a.positive)
	for _, m := range []struct {
		name string
		k, n int
		why  string
	}{
		{"precision", cells.TP, cells.TP + cells.FP, "no row was predicted as positive"},
		{"recall", ks[a.positive], ns[a.positive], "no row is positive"},
		{"specificity", ks[1-a.positive], ns[1-a.positive], "no row is negative"},
	} {
		if m.n == 0 {
			a.note("%s is undefined: %s", m.name, m.why)
			continue
		}
		v, err := share(m.k, m.n)
		if err != nil {
			return err
		}
		a.res.Metrics[m.name] = v
	}
	return nil
}

func containsZero(ns []int) bool {
	for _, n := range ns {
		if n == 0 {
			return true
		}
	}
	return false
}

// ofDecisions is a metric of decisions that is resampled.
type ofDecisions struct {
	name, unit string
	value      func(*stat.Confusion) float64
	lo, hi     float64
	why        string // it can be undefined
}

func (a *answered) metrics() []ofDecisions {
	macro := func(metric func(*stat.Confusion, int) float64) func(*stat.Confusion) float64 {
		return func(c *stat.Confusion) float64 {
			sum := 0.0
			for k := range a.classes() {
				sum += metric(c, k)
			}
			return sum / float64(a.classes())
		}
	}
	of := func(metric func(*stat.Confusion, int) float64) func(*stat.Confusion) float64 {
		if a.positive < 0 {
			return macro(metric)
		}
		return func(c *stat.Confusion) float64 { return metric(c, a.positive) }
	}
	list := []ofDecisions{
		{"f1", "score", of(func(c *stat.Confusion, k int) float64 { return c.F(k, 1) }), 0, 1, "a class neither occurs nor is predicted"},
		{"f_beta", "score", of(func(c *stat.Confusion, k int) float64 { return c.F(k, 2) }), 0, 1, "a class neither occurs nor is predicted"},
		{"mcc", "score", (*stat.Confusion).MCC, -1, 1, "all rows are of one class, or all are predicted as one"},
		{"kl_divergence", "nats", (*stat.Confusion).KLDivergence, 0, math.Inf(1), "a class that occurs is never predicted, which makes it infinite"},
	}
	if a.positive < 0 {
		list = append(list,
			ofDecisions{"precision", "share", macro((*stat.Confusion).Precision), 0, 1, "a class is never predicted"},
			ofDecisions{"specificity", "share", macro((*stat.Confusion).Specificity), 0, 1, "all rows are of one class"})
	}
	return list
}

// resampled adds the metrics of decisions whose intervals come from the
// bootstrap. Where no row is wrong resampling shows no spread: the
// other end is then the metric's value with four rows of every class wrong, the
// rule of three at this confidence.
func (a *answered) resampled(*measure.Joint) error {
	list := a.metrics()
	if a.n() < 2 {
		a.note("one row gives no interval: only shares are stated")
		return nil
	}
	b, err := resample(a.seed, a.n(), 1, nil, len(list), func() stat.Statistic {
		c, _ := stat.NewConfusion(a.classes() + 1) // the size was accepted before
		return func(w []int32, out []float64) {
			c.Recount(a.label, a.predicted, w)
			for i := range list {
				if out[i] = list[i].value(c); math.IsInf(out[i], 0) {
					out[i] = math.NaN()
				}
			}
		}
	})
	if err != nil {
		return err
	}
	for i, m := range list {
		value := b.Estimates[i]
		in, err := b.Percentile(i, confidence)
		if err != nil {
			why := m.why
			if !math.IsNaN(value) {
				why = "in over one resample in twenty " + why
			}
			a.note("%s is undefined: %s", m.name, why)
			continue
		}
		method := "bootstrap percentile"
		if in.Lower == in.Upper {
			worse, err := a.withErrors(4)
			if err != nil {
				return err
			}
			other := m.value(worse)
			if math.IsNaN(other) || math.IsInf(other, 0) {
				a.note("%s has no interval: resampling shows no spread", m.name)
				continue
			}
			in, method = in.Hull(stat.Interval{Lower: other, Upper: other}), "rule of three: four rows of every class wrong"
		}
		in.Lower, in.Upper = max(in.Lower, m.lo), min(in.Upper, m.hi)
		a.res.Metrics[m.name] = estimate(value, in, a.n(), m.unit, method)
	}
	return nil
}

// withErrors counts the decisions again with up to n right rows of every class given to the next.
func (a *answered) withErrors(n int) (*stat.Confusion, error) {
	predicted := append([]int(nil), a.predicted...)
	wrong := make([]int, a.classes())
	for i, y := range a.label {
		if predicted[i] == y && wrong[y] < n {
			predicted[i] = (y + 1) % a.classes()
			wrong[y]++
		}
	}
	return stat.CountConfusion(a.classes()+1, a.label, predicted)
}

func (a *answered) note(format string, args ...any) {
	a.res.Notes = append(a.res.Notes, fmt.Sprintf(format, args...))
}

// minimumRows is how many rows a class needs for its metrics to mean anything.
const minimumRows = 30

func (a *answered) validity(j *measure.Joint) {
	var absent, never, few []string
	seen := 0
	for c, name := range a.names {
		cells := a.confusion.Cells(c)
		n := cells.TP + cells.FN
		if n == 0 {
			absent = append(absent, name)
		} else if n < minimumRows {
			few = append(few, fmt.Sprintf("%s: %d", name, n))
		}
		if cells.TP+cells.FP == 0 {
			never = append(never, name)
		} else {
			seen++
		}
	}
	note := "every class is in the test data"
	if len(absent) > 0 {
		note = "no row is of " + listed(absent)
	}
	if len(never) > 0 {
		note += "; the system never decides for " + listed(never)
	}
	a.res.Check("labels-all-known", len(absent) == 0, note)
	note = fmt.Sprintf("%d rows or more in every class", minimumRows)
	if len(few) > 0 {
		note = fmt.Sprintf("fewer than %d rows: %s", minimumRows, listed(few))
	}
	a.res.Check("enough-rows", len(few) == 0 && len(absent) == 0, note)
	constant := seen <= 1
	if s := j.Rows.Column(colScore); s != nil {
		constant = constant && !varies(s)
	}
	a.res.Check("not-constant", !constant, fmt.Sprintf("%d of %d classes are decided for", seen, a.classes()))
}

// listed names at most ten.
func listed(names []string) string {
	if len(names) > 10 {
		return strings.Join(names[:10], ", ") + fmt.Sprintf(" and %d more", len(names)-10)
	}
	return strings.Join(names, ", ")
}

// matrix is the confusion matrix, with a column for no class where that occurs.
func (a *answered) matrix() result.Picture {
	p := result.Picture{
		ID: "confusion-matrix", Title: "Confusion matrix", Kind: "matrix", XLabel: "decided", YLabel: "truth",
		Labels: append([]string(nil), a.names...),
	}
	n := a.classes()
	if a.confusion.Cells(n).FP > 0 {
		n++
		p.Labels = append(p.Labels, "no class")
	}
	for i := range n {
		row := make([]float64, n)
		for k := range n {
			row[k] = float64(a.confusion.Count(i, k))
		}
		p.Cells = append(p.Cells, row)
	}
	return p
}
