package poisoning

import (
	"cmp"
	"encoding/binary"
	"hash/maphash"
	"math"
	"slices"

	"github.com/assize/assize/internal/dataset"
)

// group is the rows of a table that are equal in every input, ascending, and how often each label stands there.
type group struct {
	rows   []int32
	labels map[int]int
}

// index finds the group that equals a row, and those near it.
type index struct {
	t      *dataset.Table
	seed   maphash.Seed
	groups []*group            // in the order of their first rows
	equal  map[uint64][]*group // by the hash of their values
	inv    []float64           // 1/range of each value over all tables
	near   float64
	order  []int // values by how well they tell rows apart, best first
	cells  map[cell][]*group
	left   *int // comparisons that may still be made
}

// cell is a place on the grid that the best values span; unused axes are 0.
type cell [axes]int64

// axes is how many values span the grid: a row's neighbours lie in 3^axes cells.
const axes = 4

// ranges are the width of each value's range over all tables, as 1/range; 0 where it never changes.
func ranges(tables []*dataset.Table) []float64 {
	inv := make([]float64, tables[0].Width)
	for j := range inv {
		low, high := math.Inf(1), math.Inf(-1)
		for _, t := range tables {
			for i := range t.Len() {
				if v := float64(t.Row(i)[j]); !math.IsNaN(v) && !math.IsInf(v, 0) {
					low, high = min(low, v), max(high, v)
				}
			}
		}
		if high > low {
			inv[j] = 1 / (high - low)
		}
	}
	return inv
}

func newIndex(s *set, inv []float64, near float64, left *int) *index {
	t := s.Table
	x := &index{t: t, seed: maphash.MakeSeed(), equal: map[uint64][]*group{}, inv: inv, near: near, cells: map[cell][]*group{}, left: left}
	x.rank()
	for i := range t.Len() {
		row := t.Row(i)
		g := x.equals(row)
		if g == nil {
			g = &group{labels: map[int]int{}}
			h, c := x.hash(row), x.cell(row)
			x.equal[h], x.cells[c], x.groups = append(x.equal[h], g), append(x.cells[c], g), append(x.groups, g)
		}
		g.rows = append(g.rows, int32(i))
		if l, ok := s.label(i); ok {
			g.labels[l]++
		}
	}
	return x
}

// rank orders the values by the entropy of the cells that they fall into, over some thousand rows.
func (x *index) rank() {
	step := max(1, x.t.Len()/4096)
	entropy := make([]float64, x.t.Width)
	for j := range entropy {
		counts, n := map[int64]int{}, 0
		for i := 0; i < x.t.Len(); i += step {
			counts[x.place(x.t.Row(i), j)]++
			n++
		}
		for _, k := range counts {
			p := float64(k) / float64(n)
			entropy[j] -= p * math.Log(p)
		}
		x.order = append(x.order, j)
	}
	slices.SortStableFunc(x.order, func(a, b int) int { return cmp.Compare(entropy[b], entropy[a]) })
}

// place is the cell of one value. Cells are a little wider than what is near,
// so that rounding never puts two near values two cells apart.
func (x *index) place(row []float32, j int) int64 {
	v := float64(row[j]) * x.inv[j] / (x.near * 1.001)
	if math.IsNaN(v) || math.Abs(v) > 1<<62 {
		return math.MinInt64 / 2
	}
	return int64(math.Floor(v))
}

func (x *index) cell(row []float32) cell {
	var c cell
	for a, j := range x.order[:min(axes, len(x.order))] {
		c[a] = x.place(row, j)
	}
	return c
}

// hash takes -0 as 0 and every NaN as one, as same does.
func (x *index) hash(row []float32) uint64 {
	var h maphash.Hash
	h.SetSeed(x.seed)
	var b [4]byte
	for _, v := range row {
		binary.LittleEndian.PutUint32(b[:], bits(v))
		h.Write(b[:])
	}
	return h.Sum64()
}

func bits(v float32) uint32 {
	switch {
	case v == 0:
		return 0
	case v != v:
		return math.Float32bits(float32(math.NaN()))
	}
	return math.Float32bits(v)
}

func same(a, b []float32) bool {
	for j, v := range a {
		if bits(v) != bits(b[j]) {
			return false
		}
	}
	return true
}

// equals is the group of the rows that equal this one, or nil.
func (x *index) equals(row []float32) *group {
	for _, g := range x.equal[x.hash(row)] {
		if same(row, x.first(g)) {
			return g
		}
	}
	return nil
}

func (x *index) first(g *group) []float32 { return x.t.Row(int(g.rows[0])) }

// visit calls fn with every group that is near this row and does not equal it, until
// fn says no or the comparisons are used up.
func (x *index) visit(row []float32, fn func(*group) bool) {
	at := x.cell(row)
	used := min(axes, len(x.order))
	total := 1
	for range used {
		total *= 3
	}
	for k := range total {
		c := at
		for a, rest := 0, k; a < used; a, rest = a+1, rest/3 {
			c[a] += int64(rest%3) - 1
		}
		for _, g := range x.cells[c] {
			if *x.left <= 0 {
				return
			}
			*x.left--
			if x.close(row, x.first(g)) && !fn(g) {
				return
			}
		}
	}
}

// close tells whether two rows are near and not equal.
func (x *index) close(a, b []float32) bool {
	differ := false
	for _, j := range x.order {
		u, v := a[j], b[j]
		if bits(u) == bits(v) {
			continue
		}
		if d := math.Abs(float64(u)-float64(v)) * x.inv[j]; !(d <= x.near) || x.inv[j] == 0 {
			return false
		}
		differ = true
	}
	return differ
}
