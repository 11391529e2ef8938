package faults

import (
	"math"
	"math/rand/v2"

	"github.com/assize/assize/internal/domain"
)

// bench is what the faults of one row are made from.
type bench struct {
	fields   []field
	orig     []float32
	other    []float32 // another row
	usual    []float32 // median or most frequent value of each column
	sentinel float32
	rng      *rand.Rand
}

// kind is one way in which a field goes wrong. It changes x, a copy of the row, and
// says whether it could; a change that leaves every value as it was is no fault.
type kind struct {
	words string
	spoil func(b *bench, f *field, x []float32) bool
}

// kinds are all of them, in the order in which a row's outcomes are packed: only ever append.
func kinds() []kind {
	return []kind{
		{"missing: not a number", set(all, func(*bench, int) float32 { return float32(math.NaN()) })},
		{"missing: 0 instead", set(single, func(*bench, int) float32 { return 0 })},
		{"missing: sentinel instead", set(single, func(b *bench, _ int) float32 { return b.sentinel })},
		{"ten times too large", scale(10)},
		{"ten times too small", scale(0.1)},
		{"a thousand times too large", scale(1000)},
		{"a thousand times too small", scale(0.001)},
		{"rounded to a whole number", set(quantity, func(b *bench, i int) float32 { return float32(math.Round(float64(b.orig[i]))) })},
		{"rounded to two digits", set(quantity, func(b *bench, i int) float32 { return significant(b.orig[i], 2) })},
		{"rounded to one digit", set(quantity, func(b *bench, i int) float32 { return significant(b.orig[i], 1) })},
		{"swapped with the next", swap(func(f *field) int { return f.next })},
		{"swapped with a like one", swap(func(f *field) int { return f.similar })},
		{"another category", other},
		{"no category", set(grouped, func(*bench, int) float32 { return 0 })},
		{"two categories", two},
		{"below its range", set(single, func(b *bench, i int) float32 { return outside(b, i, -1) })},
		{"above its range", set(single, func(b *bench, i int) float32 { return outside(b, i, 1) })},
		{"another row's value", set(all, func(b *bench, i int) float32 { return b.other[i] })},
		{"the usual value", set(all, func(b *bench, i int) float32 { return b.usual[i] })},
		{"the wrong sign", set(single, func(b *bench, i int) float32 { return 0 - b.orig[i] })},
	}
}

// Which fields a fault exists for.
func all(*field) bool       { return true }
func grouped(f *field) bool { return f.group }
func single(f *field) bool  { return !f.group }
func quantity(f *field) bool {
	return !f.group && (f.of.Type == domain.Real || f.of.Type == domain.Integer)
}

// set replaces every column of a field.
func set(exists func(*field) bool, to func(b *bench, column int) float32) func(*bench, *field, []float32) bool {
	return func(b *bench, f *field, x []float32) bool {
		if !exists(f) {
			return false
		}
		for _, i := range f.columns {
			x[i] = to(b, i)
		}
		return true
	}
}

// scale is a unit that was mistaken.
func scale(by float64) func(*bench, *field, []float32) bool {
	return set(quantity, func(b *bench, i int) float32 { return float32(float64(b.orig[i]) * by) })
}

// swap exchanges a field's value with another field's.
func swap(partner func(*field) int) func(*bench, *field, []float32) bool {
	return func(b *bench, f *field, x []float32) bool {
		p := partner(f)
		if p < 0 {
			return false
		}
		i, j := f.columns[0], b.fields[p].columns[0]
		x[i], x[j] = x[j], x[i]
		return true
	}
}

// other puts another category, drawn at random: another member of a group, another code.
func other(b *bench, f *field, x []float32) bool {
	if f.group {
		on := -1
		for at, i := range f.columns {
			if b.orig[i] == 1 {
				on = at
			}
		}
		to := draw(b.rng, len(f.columns), on)
		for at, i := range f.columns {
			x[i] = 0
			if at == to {
				x[i] = 1
			}
		}
		return true
	}
	if f.of.Type == domain.Real || f.of.Type == domain.Integer || f.of.Max-f.of.Min > 1<<20 {
		return false
	}
	i := f.columns[0]
	codes, now := int(f.of.Max-f.of.Min)+1, int(float64(b.orig[i])-f.of.Min)
	x[i] = float32(f.of.Min + float64(draw(b.rng, codes, now)))
	return true
}

// two sets a second member of a group, drawn at random.
func two(b *bench, f *field, x []float32) bool {
	if !f.group || len(f.columns) < 2 {
		return false
	}
	on := -1
	for at, i := range f.columns {
		if b.orig[i] == 1 {
			on = at
		}
	}
	x[f.columns[draw(b.rng, len(f.columns), on)]] = 1
	return true
}

// draw is one of n but not the one given, where there is another.
func draw(rng *rand.Rand, n, not int) int {
	if not < 0 || not >= n {
		return rng.IntN(n)
	}
	if n == 1 {
		return 0
	}
	return (not + 1 + rng.IntN(n-1)) % n
}

// outside is a value as far from the range as the range is wide; a whole number stays one.
func outside(b *bench, column int, side float64) float32 {
	f := b.fieldOf(column).of
	width := f.Max - f.Min
	if f.Type != domain.Real && f.Type != domain.Integer || width == 0 {
		width = 1 // the next code
	}
	if side < 0 {
		return float32(f.Min - width)
	}
	return float32(f.Max + width)
}

// fieldOf is the field that is a column alone.
func (b *bench) fieldOf(column int) *field {
	for i := range b.fields {
		if b.fields[i].columns[0] == column {
			return &b.fields[i]
		}
	}
	return nil
}

// significant rounds to so many significant decimal digits, halves away from 0.
func significant(v float32, digits int) float32 {
	f := float64(v)
	if f == 0 || math.IsNaN(f) || math.IsInf(f, 0) {
		return v
	}
	unit := math.Pow(10, math.Floor(math.Log10(math.Abs(f)))-float64(digits-1))
	return float32(math.Round(f/unit) * unit)
}
