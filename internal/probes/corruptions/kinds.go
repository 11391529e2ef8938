package corruptions

import "math/rand/v2"

// kind is one corruption.
type kind struct {
	name  string
	spoil func(p *picture, severity int, rng *rand.Rand)
}

// kinds are all of them, in the order of a row's columns.
func kinds() []kind {
	return []kind{
		{"gaussian noise", func(p *picture, s int, rng *rand.Rand) {
			p.gaussianNoise(p.pick(s, levels{.04, .06, .08, .09, .10}, levels{.08, .12, .18, .26, .38}), rng)
		}},
		{"shot noise", func(p *picture, s int, rng *rand.Rand) {
			p.shotNoise(p.pick(s, levels{500, 250, 100, 75, 50}, levels{60, 25, 12, 5, 3}), rng)
		}},
		{"impulse noise", func(p *picture, s int, rng *rand.Rand) {
			p.impulseNoise(p.pick(s, levels{.01, .02, .03, .05, .07}, levels{.03, .06, .09, .17, .27}), rng)
		}},
		{"defocus blur", func(p *picture, s int, _ *rand.Rand) {
			radius := p.length(s, levels{.3, .4, .5, 1, 1.5}, levels{3, 4, 6, 8, 10})
			edge := p.length(s, levels{.4, .5, .6, .2, .1}, levels{.1, .5, .5, .5, .5})
			p.convolve(disk(radius, edge))
		}},
		{"motion blur", func(p *picture, s int, rng *rand.Rand) {
			radius := p.length(s, levels{6, 6, 6, 8, 9}, levels{10, 15, 15, 15, 20})
			sigma := p.length(s, levels{1, 1.5, 2, 2, 2.5}, levels{3, 5, 8, 12, 15})
			p.motionBlur(radius, sigma, 90*rng.Float64()-45)
		}},
		{"gaussian blur", func(p *picture, s int, _ *rand.Rand) {
			p.gaussianBlur(p.length(s, levels{.4, .6, .7, .8, 1}, levels{1, 2, 3, 4, 6}))
		}},
		{"contrast", func(p *picture, s int, _ *rand.Rand) {
			p.contrast(p.pick(s, levels{.75, .5, .4, .3, .15}, levels{.4, .3, .2, .1, .05}))
		}},
		{"brightness", func(p *picture, s int, _ *rand.Rand) {
			p.brightness(p.pick(s, levels{.05, .1, .15, .2, .3}, levels{.1, .2, .3, .4, .5}))
		}},
		{"JPEG", func(p *picture, s int, _ *rand.Rand) {
			p.jpeg(int(p.pick(s, levels{80, 65, 58, 50, 40}, levels{25, 18, 15, 10, 7})))
		}},
		{"rotation", func(p *picture, s int, rng *rand.Rand) {
			p.rotate(either(rng) * levels{5, 10, 15, 20, 30}[s])
		}},
		{"translation", func(p *picture, s int, rng *rand.Rand) {
			share := levels{.04, .08, .12, .16, .2}[s]
			p.shift(either(rng)*share*float64(p.h), either(rng)*share*float64(p.w))
		}},
		{"occlusion", func(p *picture, s int, rng *rand.Rand) {
			p.occlude(levels{.15, .2, .25, .3, .4}[s], rng)
		}},
	}
}

// levels are a parameter by severity.
type levels [severities]float64

// smallSide is the shorter side up to which CIFAR-10-C's parameters are meant; they were
// published for 32 pixels, those of ImageNet-C for 224.
const smallSide = 64

// pick is a parameter that does not depend on the size of a picture beyond small or large.
func (p *picture) pick(severity int, small, large levels) float64 {
	if p.side() <= smallSide {
		return small[severity]
	}
	return large[severity]
}

// length is a parameter in pixels, scaled to the shorter side, and never below what was
// published for 32 pixels: a blur of a fraction of a pixel is none.
func (p *picture) length(severity int, small, large levels) float64 {
	if side := float64(p.side()); side <= smallSide {
		return small[severity] * max(1, side/32)
	}
	return large[severity] * float64(p.side()) / 224
}

// either is 1 or -1.
func either(rng *rand.Rand) float64 {
	if rng.Uint64()&1 == 0 {
		return 1
	}
	return -1
}
