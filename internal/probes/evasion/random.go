package evasion

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/model"
	"github.com/assize/assize/internal/result"
)

// A system can be random on purpose (model.InputNoise). Attacks that ask
// questions then put each several times and go by the mean of the answers;
// those that follow gradients average them; and what any of them found counts as a gain only where
// most of model.Fresh fresh answers gain, however lucky one was.

// repeats is how often an attack asks one question.
func repeats(m *model.Model) int {
	if m.Random() {
		return 3
	}
	return 1
}

// askMean asks each of n questions as often as repeats says and fills in the mean answers. A question that is mostly refused is
// refused. Rows says on whose behalf each is asked.
func askMean(ctx context.Context, m *model.Model, x []float32, rows []int, into *model.Answers) error {
	times, n := repeats(m), len(rows)
	m.About(rows)
	if times == 1 {
		return m.Predict(ctx, x, n, into)
	}
	if err := m.Predict(ctx, x, n, into); err != nil {
		return err
	}
	sums, given := make([]float64, len(into.Scores)), make([]int, n)
	var again model.Answers
	for range times - 1 {
		m.About(rows)
		if err := m.Predict(ctx, x, n, &again); err != nil {
			return err
		}
		for i, v := range again.Scores {
			sums[i] += float64(v)
		}
		for i, no := range again.Refused {
			if !no {
				given[i]++
			}
		}
	}
	if m.Kind() == model.Label { // a mean of labels is none: the last answer stands
		return nil
	}
	for i := range n {
		if !into.Refused[i] {
			given[i]++
		}
		row := into.Row(i)
		for k := range row { // the scores of a refused row are 0
			row[k] = float32((float64(row[k]) + sums[i*into.K+k]) / float64(max(1, given[i])))
		}
		if into.Refused[i] = 2*given[i] <= times; into.Refused[i] {
			clear(row)
		}
	}
	return nil
}

// outward are a change and others of its kind that go further, the smallest first:
// where answers are random, what hardly gains does so half of the time.
func (s *space) outward(x, orig []float32) [][]float32 {
	type change struct {
		x    []float32
		size float64
	}
	all := []change{{x, s.distance(x, orig)}}
	shares := []float64{1.02, 1.05, 1.1, 1.2, 1.5, 2, 3}
	if size := all[0].size; size > 0 && size < s.epsilon {
		shares = append(shares, s.epsilon/size*(1-1e-6))
	}
	for _, share := range shares {
		to := make([]float32, len(orig))
		for j, o := range orig {
			to[j] = o + float32(share)*(x[j]-o)
		}
		if s.project(to, orig) && differ(to, x) {
			all = append(all, change{to, s.distance(to, orig)})
		}
	}
	slices.SortStableFunc(all, func(a, b change) int { return cmp.Compare(a.size, b.size) })
	var out [][]float32
	for _, c := range all {
		out = append(out, c.x)
	}
	return out
}

// randomColumn says of every row whether the system is random on purpose.
func randomColumn(c *measure.Case) result.Column {
	col := result.Column{Name: "random", Doc: "1: a solution makes the answers random on purpose", Values: make([]float64, len(c.Index))}
	if c.Model.Random() {
		for i := range col.Values {
			col.Values[i] = 1
		}
	}
	return col
}

// onPurpose tells whether rows are of a system that is random on purpose.
func onPurpose(rows *result.Rows) bool { return slices.Contains(rows.Column("random"), 1) }

// checkRepeats says whether the system answers the same when it is asked again.
func checkRepeats(r *result.Result, rows *result.Rows) {
	n, repeats := rows.Len(), 0
	for _, v := range rows.Column("repeats") {
		repeats += int(v)
	}
	if onPurpose(rows) {
		r.Check("answers-repeat", true, fmt.Sprintf("Random on purpose: a solution adds noise. Asked twice, %d of %d rows got the same answer; a change counts where most of %d fresh answers gain.", repeats, n, model.Fresh))
		return
	}
	r.Check("answers-repeat", repeats == n, fmt.Sprintf("Asked twice, %d of %d rows got the same answer; attacks that count on that are weaker on a system that draws.", repeats, n))
}
