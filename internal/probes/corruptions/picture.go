package corruptions

import (
	"math"

	"github.com/assize/assize/internal/domain"
	"github.com/assize/assize/internal/model"
)

// picture holds the channels of an image one after the other, each h lines of w
// values between 0 and 1.
type picture struct {
	h, w  int
	v     [][]float64
	spare []float64
}

func (p *picture) side() int { return min(p.h, p.w) }

// frame says where a picture's values lie in a row and between which ends the domain has them.
type frame struct {
	at       model.Image
	features []domain.Feature
}

func (f *frame) place(c, y, x int) int {
	return c*f.at.Channel + y*f.at.Line + x*f.at.Column
}

// empty is a picture of the frame's size.
func (f *frame) empty() *picture {
	p := &picture{h: f.at.Height, w: f.at.Width, spare: make([]float64, f.at.Height*f.at.Width)}
	for range f.at.Channels {
		p.v = append(p.v, make([]float64, p.h*p.w))
	}
	return p
}

// read takes a row in. Values outside the domain are clipped, those that are no number are 0.
func (f *frame) read(row []float32, p *picture) {
	for c := range p.v {
		for i := range p.v[c] {
			at := f.place(c, i/p.w, i%p.w)
			lo, hi := f.features[at].Min, f.features[at].Max
			v := 0.0
			if hi > lo {
				v = (float64(row[at]) - lo) / (hi - lo)
			}
			p.v[c][i] = clip(v)
		}
	}
}

// write puts a picture into a row, moved into the domain's ranges and rounded where its
// values are whole numbers. A pixel that has one value only keeps it.
func (f *frame) write(p *picture, row []float32) {
	for c := range p.v {
		for i, v := range p.v[c] {
			at := f.place(c, i/p.w, i%p.w)
			of := &f.features[at]
			value := of.Min + clip(v)*(of.Max-of.Min)
			if of.Type != domain.Real {
				value = math.Round(value)
			}
			row[at] = min(max(float32(value), float32(of.Min)), float32(of.Max))
		}
	}
}

// copyTo copies the values into another picture of the same size.
func (p *picture) copyTo(q *picture) {
	for c := range p.v {
		copy(q.v[c], p.v[c])
	}
}

// clip moves v between 0 and 1; what is no number becomes 0.
func clip(v float64) float64 {
	if !(v > 0) {
		return 0
	}
	return min(v, 1)
}

// sample reads between pixels, linearly; outside the picture its edge goes on.
func (p *picture) sample(v []float64, y, x float64) float64 {
	y, x = min(max(y, 0), float64(p.h-1)), min(max(x, 0), float64(p.w-1))
	top, left := int(y), int(x)
	below, beside := min(top+1, p.h-1), min(left+1, p.w-1)
	dy, dx := y-float64(top), x-float64(left)
	upper := v[top*p.w+left]*(1-dx) + v[top*p.w+beside]*dx
	lower := v[below*p.w+left]*(1-dx) + v[below*p.w+beside]*dx
	return upper*(1-dy) + lower*dy
}

// warp takes every pixel from where from says.
func (p *picture) warp(from func(y, x float64) (float64, float64)) {
	for c, v := range p.v {
		for i := range v {
			y, x := from(float64(i/p.w), float64(i%p.w))
			p.spare[i] = p.sample(v, y, x)
		}
		p.v[c], p.spare = p.spare, v
	}
}

// rotate turns the picture about its middle, by degrees.
func (p *picture) rotate(degrees float64) {
	sin, cos := math.Sincos(degrees * math.Pi / 180)
	cy, cx := float64(p.h-1)/2, float64(p.w-1)/2
	p.warp(func(y, x float64) (float64, float64) {
		y, x = y-cy, x-cx
		return cy + cos*y + sin*x, cx - sin*y + cos*x
	})
}

// shift moves the picture down and to the right by pixels.
func (p *picture) shift(down, right float64) {
	p.warp(func(y, x float64) (float64, float64) { return y - down, x - right })
}
