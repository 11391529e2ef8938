package corruptions

import "math"

// kernel is a square of weights that add up to 1, of an odd side.
type kernel struct {
	reach   int
	weights []float64
}

// disk is the image of a point out of focus: a disk of a radius, whose edge is
// softened by a Gaussian of 3×3 pixels, or 5×5 where the radius is over 8.
func disk(radius, edge float64) kernel {
	soft := 1
	if radius > 8 {
		soft = 2
	}
	hard := int(radius)
	k := kernel{reach: hard + soft}
	side := 2*k.reach + 1
	k.weights = make([]float64, side*side)
	bell := bell(edge, soft)
	total := 0.0
	for y := -hard; y <= hard; y++ {
		for x := -hard; x <= hard; x++ {
			if float64(x*x+y*y) > radius*radius {
				continue
			}
			for i, a := range bell {
				for j, b := range bell {
					k.weights[(y+i-soft+k.reach)*side+x+j-soft+k.reach] += a * b
				}
			}
			total++
		}
	}
	for i := range k.weights {
		k.weights[i] /= total
	}
	return k
}

// bell is a Gaussian from -reach to reach that adds up to 1.
func bell(sigma float64, reach int) []float64 {
	out, sum := make([]float64, 2*reach+1), 0.0
	for i := range out {
		d := float64(i-reach) / sigma
		out[i] = math.Exp(-d * d / 2)
		sum += out[i]
	}
	for i := range out {
		out[i] /= sum
	}
	return out
}

// convolve blurs with a kernel; outside the picture its edge goes on.
func (p *picture) convolve(k kernel) {
	side := 2*k.reach + 1
	for c, v := range p.v {
		for y := range p.h {
			for x := range p.w {
				sum := 0.0
				for i := range side {
					line := v[min(max(y+i-k.reach, 0), p.h-1)*p.w:]
					for j, weight := range k.weights[i*side : (i+1)*side] {
						if weight != 0 {
							sum += weight * line[min(max(x+j-k.reach, 0), p.w-1)]
						}
					}
				}
				p.spare[y*p.w+x] = sum
			}
		}
		p.v[c], p.spare = p.spare, v
	}
}

// gaussianBlur blurs with a Gaussian that is cut off at four standard deviations.
func (p *picture) gaussianBlur(sigma float64) {
	reach := int(4*sigma + 0.5)
	weights := bell(sigma, reach)
	for c, v := range p.v {
		across := p.spare
		for y := range p.h {
			for x := range p.w {
				sum := 0.0
				for i, weight := range weights {
					sum += weight * v[y*p.w+min(max(x+i-reach, 0), p.w-1)]
				}
				across[y*p.w+x] = sum
			}
		}
		for y := range p.h {
			for x := range p.w {
				sum := 0.0
				for i, weight := range weights {
					sum += weight * across[min(max(y+i-reach, 0), p.h-1)*p.w+x]
				}
				v[y*p.w+x] = sum
			}
		}
		p.v[c] = v
	}
}

// motionBlur draws every pixel out along a line at an angle in degrees, with the
// weights of half a Gaussian over twice the radius.
func (p *picture) motionBlur(radius, sigma, angle float64) {
	steps := 2*int(math.Ceil(radius)) + 1
	weights, total := make([]float64, steps), 0.0
	for i := range weights {
		d := float64(i) / sigma
		weights[i] = math.Exp(-d * d / 2)
		total += weights[i]
	}
	dy, dx := math.Sincos(angle * math.Pi / 180)
	for c, v := range p.v {
		for i := range v {
			y, x, sum := float64(i/p.w), float64(i%p.w), 0.0
			for n, weight := range weights {
				sum += weight * p.sample(v, y+float64(n)*dy, x+float64(n)*dx)
			}
			p.spare[i] = sum / total
		}
		p.v[c], p.spare = p.spare, v
	}
}
