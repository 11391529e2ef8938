package html

import (
	"fmt"
	"math"

	"github.com/assize/assize/internal/catalogue"
	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/report/wording"
	"github.com/assize/assize/internal/result"
)

const barWidth, barHeight = 400.0, 70.0

// drawAgainst draws a metric's interval against the level that a criterion asks: the shaded
// side is where the whole interval must lie. Nil where there is nothing to draw.
func drawAgainst(id string, m result.Metric, metric, compare string, level *float64) *drawing {
	if level == nil || m.Method == result.Exhaustive {
		return nil
	}
	l := *level
	lo, hi := min(m.Lower, m.Value, l), max(m.Upper, m.Value, l)
	pad := max((hi-lo)*0.35, math.Abs(hi)*0.01, 1e-9)
	share := m.Unit == wording.Share && lo >= 0 && hi <= 1
	lo, hi = lo-pad, hi+pad
	if share {
		lo, hi = max(lo, 0), min(hi, 1)
	}
	x, ok := linear(lo, hi, 16, barWidth-16, 5, share)
	if !ok {
		return nil
	}
	d := &drawing{ID: id, Class: "bar", W: barWidth, H: barHeight, Title: "Interval of " + wording.Metric(metric) + " against the level"}
	d.Desc = fmt.Sprintf("Measured %s, interval %s, the criterion asks %s.", wording.In(m.Unit, m.Value), wording.Interval(m), wording.Level(compare, level, m.Unit))
	from, to, anchor := x.at(l), x.B, "start"
	if compare == catalogue.AtMost {
		from, to, anchor = x.A, x.at(l), "end"
	}
	d.rect("zone", from, 18, to-from, 28, 0)
	d.axis(x, 46, m.Unit)
	d.line("level", x.at(l), 13, x.at(l), 46)
	if x.at(l) > barWidth*0.62 && anchor == "start" {
		anchor = "end"
	} else if x.at(l) < barWidth*0.38 && anchor == "end" {
		anchor = "start"
	}
	d.text("strong", anchor, x.at(l), 10, 0, "asked: "+wording.Level(compare, level, m.Unit))
	d.whisker(x, 32, m.Lower, m.Value, m.Upper, 5)
	return d
}

// drawDifference draws what solutions change, against no change at all.
func drawDifference(id string, e dossier.Effect) *drawing {
	lo, hi := min(e.Lower, e.Difference, 0), max(e.Upper, e.Difference, 0)
	pad := max((hi-lo)*0.2, 0.005)
	x, ok := linear((lo-pad)*100, (hi+pad)*100, 16, barWidth-16, 6, false)
	if !ok {
		return nil
	}
	d := &drawing{ID: id, Class: "bar", W: barWidth, H: barHeight, Title: "Difference that the solutions make"}
	d.Desc = fmt.Sprintf("With minus without: %s, interval %s to %s.", wording.Points(e.Difference), wording.Points(e.Lower), wording.Points(e.Upper))
	d.axis(x, 46, "")
	d.line("level", x.at(0), 13, x.at(0), 46)
	d.text("", "middle", min(max(x.at(0), 40), barWidth-40), 10, 0, "no effect")
	d.text("", "end", barWidth-16, 10, 0, "helps →")
	if x.at(0) > 120 {
		d.text("", "start", 16, 10, 0, "← harms")
	}
	d.whisker(x, 32, e.Lower*100, e.Difference*100, e.Upper*100, 5)
	return d
}

// drawSpread draws a share's interval small, on 0 to 1, for a row of a table.
func drawSpread(id, name string, m result.Metric) *drawing {
	if m.Unit != wording.Share || m.Method == result.Exhaustive || !finite(m.Value, m.Lower, m.Upper) || m.Lower < 0 || m.Upper > 1 || m.Value < 0 || m.Value > 1 {
		return nil
	}
	x := scale{Lo: 0, Hi: 1, A: 4, B: 116}
	d := &drawing{ID: id, Class: "spread", W: 120, H: 14, Title: wording.Metric(name), Desc: "Interval " + wording.Interval(m) + " on 0 % to 100 %."}
	d.line("axis", x.A, 7, x.B, 7)
	d.line("axis", x.A, 4, x.A, 10)
	d.line("axis", x.B, 4, x.B, 10)
	d.whisker(x, 7, m.Lower, m.Value, m.Upper, 3)
	return d
}

func (d *drawing) axis(x scale, y float64, unit string) {
	d.line("axis", x.A, y, x.B, y)
	for _, t := range x.Ticks {
		d.line("axis", x.at(t), y, x.at(t), y+4)
		d.text("", "middle", x.at(t), y+17, 0, tick(unit, t))
	}
}

func (d *drawing) whisker(x scale, y, lower, value, upper, cap float64) {
	d.line("whisker", x.at(lower), y, x.at(upper), y)
	d.line("whisker", x.at(lower), y-cap, x.at(lower), y+cap)
	d.line("whisker", x.at(upper), y-cap, x.at(upper), y+cap)
	d.dot("value", x.at(value), y, cap*0.8)
}
