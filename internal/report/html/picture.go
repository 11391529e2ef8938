package html

import (
	"fmt"
	"math"
	"slices"

	"github.com/assize/assize/internal/report/wording"
	"github.com/assize/assize/internal/result"
)

// Bounds of what is drawn and listed, whatever a dossier holds.
const (
	maxSeries = 12
	maxPoints = 2000
	maxBars   = 60
	maxMatrix = 64
	maxListed = 200 // rows of the table beside a picture
)

// picture is a drawing with the table that says the same.
type picture struct {
	*drawing
	Undrawn int  // lines that found no room
	Banded  bool // intervals are drawn around the lines
	Keys    []key
	Head    []string
	Rows    [][]string
	Cut     int // rows that the table leaves out
}

// key names one line of a drawing.
type key struct{ Class, Name string }

// draw draws p. It is not ok where p holds nothing that can be drawn.
func draw(id string, p result.Picture) (picture, bool) {
	out := picture{drawing: &drawing{ID: id, Class: "picture", Title: p.Title}}
	ok := false
	switch p.Kind {
	case "curve":
		ok = out.curve(p)
	case "bars":
		ok = out.bars(p)
	case "matrix":
		ok = out.matrix(p)
	}
	if len(out.Rows) > maxListed {
		out.Cut, out.Rows = len(out.Rows)-maxListed, out.Rows[:maxListed]
	}
	return out, ok
}

// frame is the plot's place within the drawing.
const plotLeft, plotTop, plotRight, plotBottom = 52.0, 30.0, 508.0, 286.0

func (d *picture) curve(p result.Picture) bool {
	series := slices.DeleteFunc(slices.Clone(p.Series), func(s result.Series) bool { return len(s.X) == 0 || len(s.X) != len(s.Y) })
	d.Undrawn = max(len(series)-maxSeries, 0)
	series = series[:len(series)-d.Undrawn]
	if len(series) == 0 {
		return false
	}
	xs, ys := []float64{}, []float64{}
	for _, s := range series {
		for i := range s.X {
			if !p.LogX || s.X[i] > 0 {
				xs, ys = append(xs, s.X[i]), append(ys, s.Y[i])
			}
		}
		if banded(s) {
			ys, d.Banded = append(append(ys, s.Lower...), s.Upper...), true
		}
	}
	if len(xs) == 0 {
		return false
	}
	x, okX := logarithmic(slices.Min(xs), slices.Max(xs), plotLeft, plotRight)
	lo, hi := min(slices.Min(ys), 0), slices.Max(ys)
	unitSquare := lo >= 0 && hi <= 1
	if !p.LogX {
		left, right := slices.Min(xs), slices.Max(xs)
		if p.Diagonal && left >= 0 && right <= 1 {
			left, right = 0, 1
		}
		x, okX = linear(left, right, plotLeft, plotRight, 6, false)
	}
	if unitSquare && (hi > 0.4 || p.Diagonal) {
		lo, hi = 0, 1
	}
	y, okY := linear(lo, hi, plotBottom, plotTop, 5, unitSquare)
	if !okX || !okY {
		return false
	}
	d.W, d.H = 520, 328
	d.grid(x, y, p)
	if p.Diagonal {
		from, to := max(x.Lo, y.Lo), min(x.Hi, y.Hi)
		d.line("diagonal", x.at(from), y.at(from), x.at(to), y.at(to))
		d.Keys = append(d.Keys, key{"diagonal", "equal"})
	}
	for k, s := range series {
		d.series(k, s, x, y, len(series) < 4)
	}
	if len(series) == 1 && !p.Diagonal {
		d.Keys = nil
	}
	d.Desc = describe(p, series)
	d.list(p, series)
	return true
}

func banded(s result.Series) bool { return len(s.Lower) == len(s.Y) && len(s.Upper) == len(s.Y) }

func (d *picture) grid(x, y scale, p result.Picture) {
	for _, t := range y.Ticks {
		d.line("grid", x.A, y.at(t), x.B, y.at(t))
		d.text("", "end", x.A-7, y.at(t)+4, 0, tick("", t))
	}
	for _, t := range x.Ticks {
		d.line("axis", x.at(t), y.A, x.at(t), y.A+4)
		d.text("", "middle", x.at(t), y.A+18, 0, tick("", t))
	}
	d.line("axis", x.A, y.A, x.B, y.A)
	d.text("label", "start", 12, 12, x.B-12, p.YLabel)
	d.text("label", "middle", (x.A+x.B)/2, y.A+38, x.B-x.A, p.XLabel)
}

func (d *picture) series(k int, s result.Series, x, y scale, marks bool) {
	stride := len(s.X)/maxPoints + 1
	var points, upper, lower [][2]float64
	for i := 0; i < len(s.X); i += stride {
		at := x.at(s.X[i])
		points = append(points, [2]float64{at, y.at(s.Y[i])})
		if banded(s) {
			upper = append(upper, [2]float64{at, y.at(s.Upper[i])})
			lower = append(lower, [2]float64{at, y.at(s.Lower[i])})
		}
	}
	if banded(s) {
		slices.Reverse(lower)
		d.path(fmt.Sprintf("band s%d", k%8), append(upper, lower...)...)
	}
	class := fmt.Sprintf("line s%d", k%8)
	d.path(class, points...)
	if marks && len(points) <= 40 {
		for _, at := range points {
			d.dot(fmt.Sprintf("mark s%d", k%8), at[0], at[1], 3)
		}
	}
	d.Keys = append(d.Keys, key{class, s.Name})
}

// describe says a curve in a sentence: where each line starts and ends.
func describe(p result.Picture, series []result.Series) string {
	out := ""
	for _, s := range series {
		n := len(s.X) - 1
		out += fmt.Sprintf("%s: from %s at %s to %s at %s. ", s.Name, wording.Number(s.Y[0]), wording.Number(s.X[0]), wording.Number(s.Y[n]), wording.Number(s.X[n]))
	}
	return fmt.Sprintf("%s over %s. %sThe table of points follows.", p.YLabel, p.XLabel, out)
}

// list tables the points: one row for each X that any line has.
func (d *picture) list(p result.Picture, series []result.Series) {
	d.Head = []string{p.XLabel}
	var xs []float64
	for _, s := range series {
		d.Head = append(d.Head, s.Name)
		xs = append(xs, s.X...)
	}
	slices.Sort(xs)
	for _, x := range slices.Compact(xs) {
		row := []string{wording.Number(x)}
		for _, s := range series {
			cell := ""
			if i := slices.Index(s.X, x); i >= 0 {
				cell = wording.Number(s.Y[i])
				if banded(s) {
					cell += " " + wording.Between("", s.Lower[i], s.Upper[i])
				}
			}
			row = append(row, cell)
		}
		d.Rows = append(d.Rows, row)
		if len(d.Rows) > 10*maxListed {
			break
		}
	}
}

func (d *picture) bars(p result.Picture) bool {
	labels := p.Labels[:min(len(p.Labels), maxBars)]
	series := slices.DeleteFunc(slices.Clone(p.Series), func(s result.Series) bool { return len(s.Y) < len(labels) })
	series = series[:min(len(series), maxSeries)]
	if len(series) == 0 || len(labels) == 0 {
		return false
	}
	lo, hi := 0.0, 0.0
	for _, s := range series {
		for i := range labels {
			lo, hi = min(lo, s.Y[i]), max(hi, s.Y[i])
			if banded(s) {
				lo, hi, d.Banded = min(lo, s.Lower[i]), max(hi, s.Upper[i]), true
			}
		}
	}
	const left, right, thick, gap = 204.0, 460.0, 16.0, 12.0
	x, ok := linear(lo, hi, left, right, 5, false)
	if !ok {
		return false
	}
	each := thick*float64(len(series)) + gap
	d.W, d.H = 520, each*float64(len(labels))+44
	bottom := d.H - 40
	for _, t := range x.Ticks {
		d.line("grid", x.at(t), 4, x.at(t), bottom)
		d.text("", "middle", x.at(t), bottom+16, 0, tick("", t))
	}
	d.Head = []string{""}
	for k, s := range series {
		d.Head = append(d.Head, s.Name)
		if len(series) > 1 {
			d.Keys = append(d.Keys, key{fmt.Sprintf("fill s%d", k%8), s.Name})
		}
	}
	for i, label := range labels {
		top := float64(i)*each + gap/2
		d.text("", "end", left-8, top+(each-gap)/2+4, left-16, label)
		row := []string{label}
		for k, s := range series {
			y, a, b := top+float64(k)*thick, x.at(min(0, s.Y[i])), x.at(max(0, s.Y[i]))
			d.rect(fmt.Sprintf("fill s%d", k%8), a, y, b-a, thick-2, 0)
			end, cell := b, wording.Number(s.Y[i])
			d.Desc += fmt.Sprintf("%s: %s. ", label, cell)
			if banded(s) {
				d.line("whisker", x.at(s.Lower[i]), y+thick/2-1, x.at(s.Upper[i]), y+thick/2-1)
				end = max(end, x.at(s.Upper[i]))
			}
			d.text("strong", "start", end+6, y+thick-4, 0, cell)
			if banded(s) {
				cell += " " + wording.Between("", s.Lower[i], s.Upper[i])
			}
			row = append(row, cell)
		}
		d.Rows = append(d.Rows, row)
	}
	d.line("axis", x.at(0), 4, x.at(0), bottom)
	d.text("label", "middle", (left+right)/2, bottom+34, right-left, p.YLabel)
	return true
}

func (d *picture) matrix(p result.Picture) bool {
	n := len(p.Cells)
	if n == 0 || n > maxMatrix || len(p.Labels) < n || slices.ContainsFunc(p.Cells, func(r []float64) bool { return len(r) != n }) {
		return false
	}
	const left, top = 118.0, 46.0
	size := min(max(360/float64(n), 8), 96)
	d.W, d.H = max(left+size*float64(n)+12, 260), top+size*float64(n)+14
	d.Desc = fmt.Sprintf("Rows are %s, columns are %s. The darker a cell, the larger its share of the row. The table of counts follows.", p.YLabel, p.XLabel)
	d.text("label", "start", left, 14, d.W-left, p.XLabel+" →")
	d.text("label", "end", left-10, top-8, left-14, p.YLabel+" ↓")
	d.Head = []string{p.YLabel + " ↓, " + p.XLabel + " →"}
	every := max(1, int(math.Ceil(14/size)))
	for i, cells := range p.Cells {
		d.Head = append(d.Head, p.Labels[i])
		if i%every == 0 {
			d.text("", "middle", left+(float64(i)+0.5)*size, top-8, max(size, 24), p.Labels[i])
			d.text("", "end", left-10, top+(float64(i)+0.5)*size+4, left-14, p.Labels[i])
		}
		sum := 0.0
		for _, v := range cells {
			sum += max(v, 0)
		}
		row := []string{p.Labels[i]}
		for j, v := range cells {
			part := 0.0
			if sum > 0 && finite(sum) {
				part = max(v, 0) / sum
			}
			x, y := left+float64(j)*size, top+float64(i)*size
			d.rect("cell", x, y, size, size, tenth(part*7)/10+0.001)
			if i == j {
				d.rect("right", x+1, y+1, size-2, size-2, 0)
			}
			d.cell(x+size/2, y+size/2, size, v, part)
			row = append(row, wording.Number(v))
		}
		d.Rows = append(d.Rows, row)
	}
	return true
}

// cell writes a count, and its share of the row where there is room.
func (d *picture) cell(x, y, size, v, part float64) {
	switch {
	case size >= 60:
		d.text("count", "middle", x, y+2, 0, wording.Number(v))
		d.text("label", "middle", x, y+18, 0, wording.Percent(math.Round(part*1000)/1000))
	case size >= 24 && v != 0:
		d.text("strong", "middle", x, y+4, 0, wording.Number(v))
	}
}
