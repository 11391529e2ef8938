package html

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/assize/assize/internal/report/wording"
)

// drawing is one inline SVG. Its shapes carry classes, never colours, so that
// one style serves light, dark and paper.
type drawing struct {
	ID          string
	Class       string
	W, H        float64
	Title, Desc string
	Shapes      []shape
}

// shape is one element: "path" (D), "rect" (X Y W H), "dot" (X Y, radius R) or "text" (X Y Text Anchor).
type shape struct {
	Kind, Class  string
	X, Y, W, H   float64
	R            float64
	Shade        float64 // opacity of a rect; 0 leaves it to the class
	D            string
	Text, Anchor string
}

func tenth(v float64) float64 { return math.Round(v*10) / 10 }

func (d *drawing) path(class string, points ...[2]float64) {
	var b strings.Builder
	for i, p := range points {
		b.WriteByte("ML"[min(i, 1)])
		b.WriteString(strconv.FormatFloat(tenth(p[0]), 'f', -1, 64) + " " + strconv.FormatFloat(tenth(p[1]), 'f', -1, 64))
	}
	d.Shapes = append(d.Shapes, shape{Kind: "path", Class: class, D: b.String()})
}

func (d *drawing) line(class string, x1, y1, x2, y2 float64) {
	d.path(class, [2]float64{x1, y1}, [2]float64{x2, y2})
}

func (d *drawing) rect(class string, x, y, w, h, shade float64) {
	d.Shapes = append(d.Shapes, shape{Kind: "rect", Class: class, X: tenth(x), Y: tenth(y), W: tenth(max(w, 0)), H: tenth(max(h, 0)), Shade: shade})
}

func (d *drawing) dot(class string, x, y, r float64) {
	d.Shapes = append(d.Shapes, shape{Kind: "dot", Class: class, X: tenth(x), Y: tenth(y), R: r})
}

// text writes s, shortened to fit room units where room is over 0.
func (d *drawing) text(class, anchor string, x, y, room float64, s string) {
	if most := int(room / 6.2); room > 0 && utf8.RuneCountInString(s) > most {
		s = string([]rune(s)[:max(most-1, 1)]) + "…"
	}
	d.Shapes = append(d.Shapes, shape{Kind: "text", Class: class, Anchor: anchor, X: tenth(x), Y: tenth(y), Text: s})
}

// scale maps values from Lo to Hi onto A to B.
type scale struct {
	Lo, Hi, A, B float64
	Log          bool
	Ticks        []float64
}

// at is the place of v, kept within the scale.
func (s scale) at(v float64) float64 {
	lo, hi := s.Lo, s.Hi
	if s.Log {
		lo, hi, v = math.Log10(lo), math.Log10(hi), math.Log10(max(v, s.Lo))
	}
	t := (v - lo) / (hi - lo)
	return s.A + min(max(t, 0), 1)*(s.B-s.A)
}

// linear makes a scale with about n round ticks. With share it stays within 0 to 1.
// It is not ok where the values span no finite range.
func linear(lo, hi, a, b float64, n int, share bool) (scale, bool) {
	if hi == lo {
		lo, hi = lo-max(math.Abs(lo), 1)/2, hi+max(math.Abs(hi), 1)/2
	}
	if !finite(lo, hi, hi-lo) || hi < lo {
		return scale{}, false
	}
	step := roundStep((hi - lo) / float64(n))
	lo, hi = math.Floor(lo/step+1e-9)*step, math.Ceil(hi/step-1e-9)*step
	if share {
		lo, hi = max(lo, 0), min(hi, 1)
	}
	s := scale{Lo: lo, Hi: hi, A: a, B: b}
	for i := 0; i <= 4*n; i++ {
		if v := lo + float64(i)*step; v <= hi+step/1e6 {
			s.Ticks = append(s.Ticks, math.Round(v/step)*step)
		}
	}
	return s, finite(lo, hi) && hi > lo
}

func roundStep(raw float64) float64 {
	base := math.Pow(10, math.Floor(math.Log10(raw)))
	for _, m := range []float64{1, 2, 5} {
		if raw <= m*base*1.0001 {
			return m * base
		}
	}
	return 10 * base
}

// logarithmic makes a scale with a tick at every power of ten, over positive values.
func logarithmic(lo, hi, a, b float64) (scale, bool) {
	if !(lo > 0) || !finite(lo, hi) || hi < lo {
		return scale{}, false
	}
	lo, hi = math.Pow(10, math.Floor(math.Log10(lo))), math.Pow(10, math.Ceil(math.Log10(hi)-1e-9))
	if hi <= lo {
		hi = lo * 10
	}
	s := scale{Lo: lo, Hi: hi, A: a, B: b, Log: true}
	for v := lo; v <= hi*1.001 && len(s.Ticks) < 12; v *= 10 {
		s.Ticks = append(s.Ticks, v)
	}
	return s, finite(lo, hi)
}

func finite(values ...float64) bool {
	for _, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return false
		}
	}
	return true
}

// tick shows the number at a tick, rid of what rounding left.
func tick(unit string, v float64) string {
	if unit == wording.Share {
		return wording.Round(v)
	}
	if v != 0 && math.Abs(v) < 1e-12 {
		v = 0
	}
	return wording.Number(v)
}
