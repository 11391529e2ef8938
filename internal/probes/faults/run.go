package faults

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/model"
	"github.com/assize/assize/internal/result"
)

// The columns that stand before the fields' own.
const (
	colAnswered = iota
	colFaults
	colSilent
	colCaught
	colUnusable
	colStands
	firstField
)

// run asks for every fault of every row.
func run(ctx context.Context, c *measure.Case) (*result.Result, error) {
	if c.Others == nil || c.Others.Len() == 0 {
		return nil, fmt.Errorf("read rows: there are no other rows to take stale values from")
	}
	fields, all := fieldsOf(c.Domain), kinds()
	usual := usualRow(fields, c.Others)
	// The same fields for every row and shard.
	chosen := measure.Sample(c.Seed, len(fields), c.Params.Int("fields"))
	rows := table(c.Index, fields, chosen, all)
	d := &desk{c: c, rows: rows, tolerance: math.Inf(1)}
	if c.Model.Rule().Kind == model.NoRule {
		if d.tolerance = c.Params.Float("tolerance"); !(d.tolerance > 0) {
			c.Done(1) // joined to a reason
			return &result.Result{State: result.Measured, Rows: rows}, nil
		}
	}
	var asked model.Answers
	c.Model.About(c.Index)
	if err := c.Model.Predict(ctx, c.Data.X, len(c.Index), &asked); err != nil {
		return nil, err
	}
	for i, number := range c.Index {
		before := c.Model.Decision(&asked, i)
		if before < 0 {
			continue
		}
		rng := c.Seed.Row(number)
		b := &bench{fields: fields, orig: c.Data.Row(i), usual: usual, sentinel: float32(c.Params.Float("sentinel")), rng: rng}
		b.other = c.Others.Row(otherRow(c.Others.Index, number, rng.IntN(c.Others.Len())))
		d.i, d.before, d.number = i, before, asked.Row(i)[0]
		for at, f := range chosen {
			for k := range all {
				d.put(b, &fields[f], &all[k], place{at, k})
			}
			if len(d.x) < roomValues && at < len(chosen)-1 {
				continue
			}
			if err := d.ask(ctx); err != nil {
				return nil, err
			}
		}
		rows.Columns[colAnswered].Values[i] = 1
		if rows.Columns[colSilent].Values[i]+rows.Columns[colUnusable].Values[i] == 0 {
			rows.Columns[colStands].Values[i] = 1
		}
		c.Done(0.999 * float64(i+1) / float64(len(c.Index)))
	}
	c.Done(1)
	return &result.Result{State: result.Measured, Rows: rows}, nil
}

// roomValues is about how many values are collected before they are asked.
const roomValues = 1 << 18

// desk collects the faults of one row and asks for them together.
type desk struct {
	c       *measure.Case
	rows    *result.Rows
	i       int // of the row in the case
	before  model.Decision
	number  float32 // the first that the system gave for the row
	x       []float32
	places  []place
	given   model.Answers
	answers []model.Decision
	// tolerance is the change of a number that counts as none; without bound where the system decides.
	tolerance float64
}

// moved stands for a number that is off the tolerance, which no rule has an outcome for.
const moved = model.Decision(1 << 30)

// put makes a fault, where the field has it and it changes the row.
func (d *desk) put(b *bench, f *field, k *kind, at place) {
	from := len(d.x)
	d.x = append(d.x, b.orig...)
	if row := d.x[from:]; k.spoil(b, f, row) && !slices.EqualFunc(row, b.orig, sameBits) {
		d.places = append(d.places, at)
		return
	}
	d.x = d.x[:from]
}

func sameBits(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) }

// ask asks for what is collected and writes down what became of it.
func (d *desk) ask(ctx context.Context) error {
	n := len(d.places)
	d.answers = slices.Grow(d.answers[:0], n)[:n]
	d.c.Model.About(slices.Repeat(d.c.Index[d.i:d.i+1], n))
	if err := d.c.Model.Predict(ctx, d.x, n, &d.given); err != nil {
		return err
	}
	for j := range d.answers {
		d.answers[j] = d.c.Model.Decision(&d.given, j)
		if d.answers[j] == d.before && math.Abs(float64(d.given.Row(j)[0])-float64(d.number)) > d.tolerance {
			d.answers[j] = moved
		}
	}
	note(d.rows, d.i, d.before, d.places, d.answers)
	d.x, d.places = d.x[:0], d.places[:0]
	return nil
}

// place is where a fault's outcome stands: which of the chosen fields, which kind.
type place struct{ field, kind int }

// otherRow is the drawn row, or the one behind it where that is the row itself.
func otherRow(index []int, row, drawn int) int {
	if index[drawn] == row {
		return (drawn + 1) % len(index)
	}
	return drawn
}

func table(index []int, fields []field, chosen []int, all []kind) *result.Rows {
	rows := &result.Rows{Index: slices.Clone(index), Columns: []result.Column{
		{Name: "answered", Doc: "1: the row as it is is decided; others are not faulted"},
		{Name: "faults", Doc: "faults that were tried: those that exist for a field and change the row"},
		{Name: "silent", Doc: "faults that change the decision, unnoticed"},
		{Name: "caught", Doc: "faults for which the input was refused"},
		{Name: "unusable", Doc: "faults after which the answer cannot be used"},
		{Name: "stands", Doc: "1: the row is decided, and no fault changes that unnoticed or makes the answer unusable"},
	}}
	for _, f := range chosen {
		rows.Columns = append(rows.Columns, result.Column{Name: fields[f].name, Doc: fmt.Sprintf(
			"what became of each fault of the field, packed: digit k to the base %d is 0 no such fault, 1 the decision stands, 2 changed unnoticed, 3 refused, 4 unusable; the kinds are those of version 1 of the probe, in order", outcomes)})
	}
	for i := range rows.Columns {
		rows.Columns[i].Values = make([]float64, len(index))
	}
	return rows
}

// note writes what became of the faults of row i.
func note(rows *result.Rows, i int, before model.Decision, places []place, answers []model.Decision) {
	add := func(column int, v float64) { rows.Columns[column].Values[i] += v }
	add(colFaults, float64(len(places)))
	for j, p := range places {
		o := stands
		switch answers[j] {
		case before:
		case model.Refused:
			o = caught
			add(colCaught, 1)
		case model.Unusable:
			o = unusable
			add(colUnusable, 1)
		default:
			o = silent
			add(colSilent, 1)
		}
		add(firstField+p.field, float64(o)*math.Pow(float64(outcomes), float64(p.kind)))
	}
}

// unpack reads the outcome of each kind from a field's column.
func unpack(packed float64, into []outcome) {
	rest := uint64(packed) // 20 digits to the base 5 are below 2^53, exact in a float64
	for k := range into {
		into[k] = outcome(rest % uint64(outcomes))
		rest /= uint64(outcomes)
	}
}
