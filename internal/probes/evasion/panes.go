package evasion

import (
	"math"
	"math/rand/v2"

	"github.com/assize/assize/internal/model"
)

// panes draws the parts of a row that Square changes together: square windows of
// a picture, or blocks of the features of other rows, next to one another or not.
type panes struct {
	image model.Image // a row without lines and columns is one line of its free features
	flat  []int32     // those features; nil for pictures
	norm  string
	// patterns are kept by height, width and direction: all attacks of a shard run on one goroutine at a time.
	patterns map[[3]int][]float32
}

func newPanes(m *model.Model, s *space) *panes {
	p := &panes{norm: s.norm, patterns: map[[3]int][]float32{}}
	var ok bool
	if p.image, ok = m.Image(); ok && p.image.Height > 1 && p.image.Width > 1 {
		return p
	}
	for i, f := range s.free {
		if f == 1 {
			p.flat = append(p.flat, int32(i))
		}
	}
	p.image = model.Image{Height: 1, Width: len(p.flat), Channels: 1}
	return p
}

// size is the number of places of a picture's channel, or of features.
func (p *panes) size() int { return p.image.Height * p.image.Width }

// at is the number of a value.
func (p *panes) at(y, x, c int) int32 {
	if p.flat != nil {
		return p.flat[x]
	}
	return int32(y*p.image.Line + x*p.image.Column + c*p.image.Channel)
}

// side is the length of a window that covers a share of the places, in lines and columns.
func (p *panes) side(share float64, least int) (h, w int) {
	n := share * float64(p.size())
	if p.flat != nil {
		return 1, max(min(least, p.size()), min(int(math.Round(n)), p.size()))
	}
	side := max(least, int(math.Round(math.Sqrt(n))))
	return min(side, p.image.Height), min(side, p.image.Width)
}

// window draws a place for a window.
func (p *panes) window(rng *rand.Rand, h, w int) (top, left int) {
	return rng.IntN(p.image.Height - h + 1), rng.IntN(p.image.Width - w + 1)
}

// values lists the values of a channel in a window, line by line.
func (p *panes) values(into []int32, top, left, h, w, c int) []int32 {
	into = into[:0]
	for y := top; y < top+h; y++ {
		for x := left; x < left+w; x++ {
			into = append(into, p.at(y, x, c))
		}
	}
	return into
}

// some draws n of the features in any order, next to one another or not.
func (p *panes) some(rng *rand.Rand, into []int32, n int) []int32 {
	into = append(into[:0], p.flat...)
	for i := range n {
		j := i + rng.IntN(len(into)-i)
		into[i], into[j] = into[j], into[i]
	}
	return into[:n]
}

// pattern is the change of the window in l2 and l1: two halves of opposite signs, each
// highest in its middle and falling off ring by ring, of length 1 in the norm. Section 3.3 of the paper.
func (p *panes) pattern(rng *rand.Rand, h, w int) []float32 {
	across := p.flat == nil && rng.Uint64()&1 == 0 // the halves lie one above the other
	key := [3]int{h, w, 0}
	if across {
		key[2] = 1
	}
	if known := p.patterns[key]; known != nil {
		return known
	}
	out := make([]float32, h*w)
	top, left, bottom, right := 0, 0, h/2, w
	if !across {
		bottom, right = h, w/2
	}
	pyramid(out, w, top, left, bottom, right, 1)
	if across {
		top = h / 2
	} else {
		left = w / 2
	}
	pyramid(out, w, top, left, h, w, -1)
	k := 1 / p.measure(out)
	for i := range out {
		out[i] *= k
	}
	p.patterns[key] = out
	return out
}

// pyramid sets a part of lines of w values: the kth ring around the middle and all within it get 1/(k+1)² more.
func pyramid(out []float32, w, top, left, bottom, right int, sign float32) {
	most := max(bottom-top, right-left) / 2
	above := make([]float32, most+2)
	for k := most; k >= 0; k-- {
		above[k] = above[k+1] + 1/float32((k+1)*(k+1))
	}
	for y := top; y < bottom; y++ {
		for x := left; x < right; x++ {
			ring := max(2*y-top-bottom+1, top+bottom-1-2*y, 2*x-left-right+1, left+right-1-2*x) / 2
			out[y*w+x] = sign * above[ring]
		}
	}
}

// measure is the length of a displacement in l1, or else l2.
func (p *panes) measure(v []float32) float32 {
	sum := 0.0
	for _, d := range v {
		sum += p.mass(d)
	}
	return p.length(sum)
}

// mass is what a value adds to the norm, before length: it adds up over values that are apart.
func (p *panes) mass(d float32) float64 {
	if p.norm == "l1" {
		return math.Abs(float64(d))
	}
	return float64(d) * float64(d)
}

func (p *panes) length(mass float64) float32 {
	if p.norm == "l1" {
		return float32(mass)
	}
	return float32(math.Sqrt(mass))
}

// shareAt is the share of the places that a window covers after so many questions of a budget.
// It is halved at fixed shares of the budget: section 4 of the paper.
func shareAt(first float64, asked int, horizon float64) float64 {
	for _, at := range []float64{0.001, 0.005, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8} {
		if float64(asked) <= at*horizon {
			break
		}
		first /= 2
	}
	return first
}
