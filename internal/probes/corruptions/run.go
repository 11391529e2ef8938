package corruptions

import (
	"context"
	"math"
	"slices"

	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/model"
	"github.com/assize/assize/internal/result"
)

// The columns that stand before the kinds' own.
const (
	colRight = iota
	colStands
	colUnchanged
	firstKind
)

// roomValues is about how many values are collected before they are asked.
const roomValues = 1 << 22

// run corrupts every picture in every way and asks what it shows.
func run(ctx context.Context, c *measure.Case) (*result.Result, error) {
	at, ok := c.Model.Image()
	if !ok {
		return result.Unmeasured(result.NotApplicable, "the rows are not laid out as pictures with lines, columns and channels"), nil
	}
	if c.Data.Y == nil {
		return result.Unmeasured(result.NotAvailable, "the test data's labels are not classes"), nil
	}
	f := &frame{at: at, features: c.Domain.Features()}
	d := &desk{c: c, rows: table(c.Index)}
	original, spoilt := f.empty(), f.empty()
	n := len(c.Index)
	var before model.Answers
	c.Model.About(c.Index)
	if err := c.Model.Predict(ctx, c.Data.X, n, &before); err != nil {
		return nil, err
	}
	all := kinds()
	for i, number := range c.Index {
		row, rng := c.Data.Row(i), c.Seed.Row(number)
		d.i = i
		if c.Model.ClassOf(c.Model.Decision(&before, i), &before, i) == c.Data.Y[i] {
			d.rows.Columns[colRight].Values[i] = 1
		}
		f.read(row, original)
		for k := range all {
			for s := range severities {
				original.copyTo(spoilt)
				all[k].spoil(spoilt, s, rng)
				from := len(d.x)
				d.x = append(d.x, row...)
				f.write(spoilt, d.x[from:])
				if slices.Equal(d.x[from:], row) {
					d.rows.Columns[colUnchanged].Values[i]++
				}
				d.places = append(d.places, place{k, s})
				if len(d.x) >= roomValues {
					if err := d.ask(ctx); err != nil {
						return nil, err
					}
				}
			}
		}
		if err := d.ask(ctx); err != nil {
			return nil, err
		}
		if d.stands(i) {
			d.rows.Columns[colStands].Values[i] = 1
		}
		c.Done(0.999 * float64(i+1) / float64(n))
	}
	c.Done(1)
	return &result.Result{State: result.Measured, Rows: d.rows}, nil
}

func table(index []int) *result.Rows {
	rows := &result.Rows{Index: slices.Clone(index), Columns: []result.Column{
		{Name: "right", Doc: "1: as it is, the picture is decided as its label says"},
		{Name: "stands", Doc: "1: right, and under every kind at severity 3 right or refused"},
		{Name: "unchanged", Doc: "corrupted pictures that are the same as the picture", Unit: "pictures"},
	}}
	for _, k := range kinds() {
		rows.Columns = append(rows.Columns, result.Column{Name: k.name, Doc: "what became of the picture under this kind, packed: digit s to the base 4, from severity 1 on, is 0 wrong, 1 right, 2 refused, 3 no usable answer"})
	}
	for i := range rows.Columns {
		rows.Columns[i].Values = make([]float64, len(index))
	}
	return rows
}

// place is where the outcome of a corrupted picture stands.
type place struct{ kind, severity int }

// desk collects the corrupted pictures of one row and asks for them together.
type desk struct {
	c      *measure.Case
	rows   *result.Rows
	i      int // of the row in the case
	x      []float32
	places []place
	a      model.Answers
}

// ask asks for what is collected and writes down what became of it.
func (d *desk) ask(ctx context.Context) error {
	d.c.Model.About(slices.Repeat(d.c.Index[d.i:d.i+1], len(d.places)))
	if err := d.c.Model.Predict(ctx, d.x, len(d.places), &d.a); err != nil {
		return err
	}
	for j, p := range d.places {
		o := wrong
		switch decision := d.c.Model.Decision(&d.a, j); {
		case decision == model.Refused:
			o = refused
		case decision == model.Unusable:
			o = unusable
		case d.c.Model.ClassOf(decision, &d.a, j) == d.c.Data.Y[d.i]:
			o = right
		}
		d.rows.Columns[firstKind+p.kind].Values[d.i] += float64(o) * math.Pow(float64(outcomes), float64(p.severity))
	}
	d.x, d.places = d.x[:0], d.places[:0]
	return nil
}

func (d *desk) stands(i int) bool {
	if d.rows.Columns[colRight].Values[i] == 0 {
		return false
	}
	for _, column := range d.rows.Columns[firstKind:] {
		if o := unpack(column.Values[i])[middle-1]; o != right && o != refused {
			return false
		}
	}
	return true
}

// unpack reads the outcome at each severity from a kind's column.
func unpack(packed float64) (at [severities]outcome) {
	rest := int(packed)
	for s := range at {
		at[s] = outcome(rest % int(outcomes))
		rest /= int(outcomes)
	}
	return at
}
