package corruptions

import "math/rand/v2"

// Raster is a picture, for tests.
type Raster struct{ *picture }

// NewRaster makes a picture of channels of h lines of w values.
func NewRaster(h, w int, channels ...[]float64) Raster {
	return Raster{&picture{h: h, w: w, v: channels, spare: make([]float64, h*w)}}
}

// Values are the picture's own.
func (r Raster) Values() [][]float64 { return r.v }

// Rotate and the others call the operation of their name.
func (r Raster) Rotate(degrees float64)                      { r.rotate(degrees) }
func (r Raster) Shift(down, right float64)                   { r.shift(down, right) }
func (r Raster) GaussianBlur(sigma float64)                  { r.gaussianBlur(sigma) }
func (r Raster) Defocus(radius, edge float64)                { r.convolve(disk(radius, edge)) }
func (r Raster) MotionBlur(radius, sigma, angle float64)     { r.motionBlur(radius, sigma, angle) }
func (r Raster) Brightness(add float64)                      { r.brightness(add) }
func (r Raster) Contrast(keep float64)                       { r.contrast(keep) }
func (r Raster) JPEG(quality int)                            { r.jpeg(quality) }
func (r Raster) GaussianNoise(sigma float64, rng *rand.Rand) { r.gaussianNoise(sigma, rng) }
func (r Raster) ShotNoise(photons float64, rng *rand.Rand)   { r.shotNoise(photons, rng) }
func (r Raster) ImpulseNoise(share float64, rng *rand.Rand)  { r.impulseNoise(share, rng) }
func (r Raster) Occlude(share float64, rng *rand.Rand)       { r.occlude(share, rng) }
func (r Raster) Spoil(kind, severity int, rng *rand.Rand) string {
	k := kinds()[kind]
	k.spoil(r.picture, severity, rng)
	return k.name
}
