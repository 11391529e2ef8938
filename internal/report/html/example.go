package html

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"html/template"
	"image"
	"image/color"
	"image/png"
	"io"
	"math"
	"strconv"

	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/report/wording"
)

// Example is a row of the target's data beside the change that an attack made of
// it, for targets whose rows are pictures. It stands on the page alone, never in the dossier.
type Example struct {
	Observation string // that it is shown with
	Row         int
	Label       string
	Attack      string
	Distance    float64
	Unit        string // norm and unit of the distance
	// Layout is nchw or nhwc, Shape that of one row: with channels, or height and width alone.
	Layout string
	Shape  []int
	// Original and Changed are the values of one row; Low and High are what is drawn as black and white.
	Original, Changed []float32
	Low, High         float64
}

// maxExamples and maxSide bound what is drawn, whatever is handed over.
const (
	maxExamples = 8
	maxSide     = 96
)

// WriteWith writes the report of d with examples, which are rows of the target's data.
func WriteWith(w io.Writer, d *dossier.Dossier, examples []Example) error {
	return write(w, d, examples)
}

// exhibit is an Example as the template wants it.
type exhibit struct {
	Row                     int
	Label, Attack, Distance string
	Original, Changed, Gap  pixels
	Times                   string // by how much the difference is amplified
}

// pixels is one picture.
type pixels struct {
	Source template.URL // made here, of numbers alone
	Alt    string
}

// exhibits are the examples that belong to an observation.
func exhibits(examples []Example, observation string) []exhibit {
	var out []exhibit
	for _, e := range examples {
		if e.Observation != observation || len(out) == maxExamples {
			continue
		}
		if x, ok := e.exhibit(); ok {
			out = append(out, x)
		}
	}
	return out
}

func (e *Example) exhibit() (exhibit, bool) {
	c, h, w := 1, 0, 0
	switch {
	case len(e.Shape) == 2:
		h, w = e.Shape[0], e.Shape[1]
	case len(e.Shape) == 3 && e.Layout == "nchw":
		c, h, w = e.Shape[0], e.Shape[1], e.Shape[2]
	case len(e.Shape) == 3 && e.Layout == "nhwc":
		h, w, c = e.Shape[0], e.Shape[1], e.Shape[2]
	}
	n := len(e.Original)
	if h < 1 || w < 1 || c < 1 || n == 0 || n != c*h*w || len(e.Changed) != n || !(e.High > e.Low) {
		return exhibit{}, false
	}
	most := 0.0
	for i, v := range e.Changed {
		most = max(most, math.Abs(float64(v)-float64(e.Original[i])))
	}
	if most == 0 || math.IsInf(most, 0) || math.IsNaN(most) {
		return exhibit{}, false
	}
	at := func(values []float32) func(y, x, k int) float64 {
		return func(y, x, k int) float64 {
			i := (y*w+x)*c + k
			if e.Layout != "nhwc" {
				i = (k*h+y)*w + x
			}
			return float64(values[i])
		}
	}
	// The largest change is drawn as black or white, no change as the grey between.
	times := (e.High - e.Low) / 2 / most
	from, to := at(e.Original), at(e.Changed)
	shade := func(v float64) float64 { return (v - e.Low) / (e.High - e.Low) }
	x := exhibit{Row: e.Row, Label: e.Label, Attack: e.Attack, Distance: wording.Number(e.Distance) + " (" + e.Unit + ")", Times: strconv.FormatFloat(times, 'g', 2, 64)}
	x.Original = drawPixels(h, w, c, func(y, x, k int) float64 { return shade(from(y, x, k)) }, fmt.Sprintf("Row %d as it is", e.Row))
	x.Changed = drawPixels(h, w, c, func(y, x, k int) float64 { return shade(to(y, x, k)) }, fmt.Sprintf("Row %d as changed", e.Row))
	x.Gap = drawPixels(h, w, c, func(y, x, k int) float64 { return 0.5 + (to(y, x, k)-from(y, x, k))/most/2 }, fmt.Sprintf("What was changed of row %d, amplified", e.Row))
	return x, true
}

// drawPixels makes a PNG of shades between 0 and 1: in colour where there are three
// channels, else in grey, of their mean. Pictures larger than maxSide are shrunk by taking means.
func drawPixels(h, w, c int, shade func(y, x, k int) float64, alt string) pixels {
	every := (max(h, w) + maxSide - 1) / maxSide
	height, width := (h+every-1)/every, (w+every-1)/every
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			var sum [3]float64
			n := 0
			for yy := y * every; yy < min(h, (y+1)*every); yy++ {
				for xx := x * every; xx < min(w, (x+1)*every); xx++ {
					n++
					for k := range c {
						if c == 3 {
							sum[k] += shade(yy, xx, k)
							continue
						}
						v := shade(yy, xx, k) / float64(c)
						for j := range sum {
							sum[j] += v
						}
					}
				}
			}
			level := func(v float64) uint8 { return uint8(math.Round(255 * min(max(v/float64(n), 0), 1))) }
			img.SetRGBA(x, y, color.RGBA{level(sum[0]), level(sum[1]), level(sum[2]), 255})
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		return pixels{Alt: alt} // writing to memory does not fail
	}
	return pixels{Source: template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(b.Bytes())), Alt: alt}
}
