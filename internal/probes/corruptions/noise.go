package corruptions

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/stat/distuv"
)

// gaussianNoise adds to every value a normal number of standard deviation sigma.
func (p *picture) gaussianNoise(sigma float64, rng *rand.Rand) {
	for _, v := range p.v {
		for i := range v {
			v[i] += sigma * rng.NormFloat64()
		}
	}
}

// shotNoise counts photons: of a value of 1 there are so many on average.
func (p *picture) shotNoise(photons float64, rng *rand.Rand) {
	for _, v := range p.v {
		for i := range v {
			if v[i] > 0 {
				v[i] = distuv.Poisson{Lambda: photons * v[i], Src: rng}.Rand() / photons
			}
		}
	}
}

// impulseNoise sets a share of the values to 0 or 1, as many to each.
func (p *picture) impulseNoise(share float64, rng *rand.Rand) {
	for _, v := range p.v {
		for i := range v {
			if rng.Float64() < share {
				v[i] = float64(rng.Uint64() & 1)
			}
		}
	}
}

// occlude covers a square, whose side is a share of the shorter side, with one shade.
func (p *picture) occlude(share float64, rng *rand.Rand) {
	size := max(1, int(math.Round(share*float64(p.side()))))
	top, left := rng.IntN(p.h-size+1), rng.IntN(p.w-size+1)
	shade := rng.Float64()
	for _, v := range p.v {
		for y := top; y < top+size; y++ {
			for x := left; x < left+size; x++ {
				v[y*p.w+x] = shade
			}
		}
	}
}
