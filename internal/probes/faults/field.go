package faults

import (
	"math"
	"slices"

	"github.com/assize/assize/internal/dataset"
	"github.com/assize/assize/internal/domain"
)

// field is what a person fills in: one column, or the columns of a one-hot group.
type field struct {
	name    string // as rows call it: "field.amount", "group.purpose"
	group   bool
	columns []int
	of      domain.Feature // of the first column
	next    int            // the next field that is a column alone, or -1
	similar int            // the field whose range overlaps most, apart from neighbours, or -1
}

func fieldsOf(d *domain.Domain) []field {
	var out []field
	groups := map[string]int{}
	for i, f := range d.Features() {
		if at, ok := groups[f.Group]; ok && f.Group != "" {
			out[at].columns = append(out[at].columns, i)
			continue
		}
		u := field{name: "field." + f.Name, columns: []int{i}, of: f, next: -1, similar: -1}
		if f.Group != "" {
			groups[f.Group] = len(out)
			u.name, u.group = "group."+f.Group, true
		}
		out = append(out, u)
	}
	before := -1
	for i := range out {
		if out[i].group {
			continue
		}
		if before >= 0 {
			out[before].next = i
		}
		before = i
	}
	for i := range out {
		out[i].similar = mostSimilar(out, i)
	}
	return out
}

// mostSimilar is the field whose range shares most with that of field i (the
// width of both ranges' intersection over that of their union), so that a
// swap is hard to see; -1 where no range meets it. Neighbours are left to a kind of their own.
func mostSimilar(fields []field, i int) int {
	best, most := -1, 0.0
	f := &fields[i]
	for j := range fields {
		g := &fields[j]
		if j == i || j == f.next || i == g.next || f.group || g.group {
			continue
		}
		both := min(f.of.Max, g.of.Max) - max(f.of.Min, g.of.Min)
		either := max(f.of.Max, g.of.Max) - min(f.of.Min, g.of.Min)
		if share := both / either; either > 0 && share > most {
			best, most = j, share
		}
	}
	return best
}

// usualRow is, by column, what a system that fills in gaps would put: the lower median over
// some rows, and in a group the most frequent member.
func usualRow(fields []field, rows *dataset.Table) []float32 {
	usual := make([]float32, rows.Width)
	for _, f := range fields {
		best, most := f.columns[0], -1
		for _, i := range f.columns {
			var values []float32
			ones := 0
			for r := range rows.Len() {
				v := rows.Row(r)[i]
				if v == 1 {
					ones++
				}
				if !math.IsNaN(float64(v)) {
					values = append(values, v)
				}
			}
			if ones > most {
				best, most = i, ones
			}
			if slices.Sort(values); !f.group && len(values) > 0 {
				usual[i] = values[(len(values)-1)/2]
			}
		}
		if f.group {
			usual[best] = 1
		}
	}
	return usual
}
