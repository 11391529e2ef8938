package corruptions

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"math"
)

// contrast moves every value towards its channel's mean, keeping a share of the distance.
func (p *picture) contrast(keep float64) {
	for _, v := range p.v {
		mean := 0.0
		for _, x := range v {
			mean += x
		}
		mean /= float64(len(v))
		for i, x := range v {
			v[i] = mean + keep*(x-mean)
		}
	}
}

// brightness adds to the value of a colour, in the sense of hue, saturation and
// value: its greatest channel rises, at most to 1, and the others in proportion.
func (p *picture) brightness(add float64) {
	for i := range p.v[0] {
		top := 0.0
		for _, v := range p.v {
			top = max(top, v[i])
		}
		to := min(1, top+add)
		for _, v := range p.v {
			if top > 0 {
				v[i] *= to / top
			} else {
				v[i] = to
			}
		}
	}
}

// jpeg compresses at a quality of 1 to 100 and decompresses: three channels as colours,
// others each as shades of grey.
func (p *picture) jpeg(quality int) {
	at := image.Rect(0, 0, p.w, p.h)
	if len(p.v) == 3 {
		img := image.NewRGBA(at)
		for i := range p.v[0] {
			img.Set(i%p.w, i/p.w, color.RGBA{byteOf(p.v[0][i]), byteOf(p.v[1][i]), byteOf(p.v[2][i]), 255})
		}
		back := through(img, quality)
		for i := range p.v[0] {
			r, g, b, _ := back.At(i%p.w, i/p.w).RGBA()
			p.v[0][i], p.v[1][i], p.v[2][i] = float64(r>>8)/255, float64(g>>8)/255, float64(b>>8)/255
		}
		return
	}
	for _, v := range p.v {
		img := image.NewGray(at)
		for i, x := range v {
			img.Pix[i/p.w*img.Stride+i%p.w] = byteOf(x)
		}
		back := through(img, quality)
		for i := range v {
			v[i] = float64(color.GrayModel.Convert(back.At(i%p.w, i/p.w)).(color.Gray).Y) / 255
		}
	}
}

// through encodes and decodes. Neither fails on a picture within JPEG's 65,535
// pixels a side; of a larger one, nothing changes.
func through(img image.Image, quality int) image.Image {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: quality}); err != nil {
		return img
	}
	back, err := jpeg.Decode(&b)
	if err != nil {
		return img
	}
	return back
}

func byteOf(v float64) uint8 { return uint8(math.Round(255 * clip(v))) }
