package evasion

import (
	"math"
	"math/rand/v2"

	"github.com/assize/assize/internal/stat"
)

// draw turns random words into many numbers of one distribution: each number
// is one of 4096 equally likely quantiles, five of them to a word. What is
// drawn becomes a direction, for which that is fine enough and several times cheaper.
type draw [1 << drawBits]float32

const drawBits = 12

// newNormal draws from the standard normal distribution.
func newNormal() *draw {
	return tabulate(stat.NormalQuantile)
}

// newUniform draws from -1 to 1.
func newUniform() *draw {
	return tabulate(func(p float64) float64 { return 2*p - 1 })
}

func tabulate(quantile func(p float64) float64) *draw {
	d := new(draw)
	for i := range d {
		d[i] = float32(quantile((float64(i) + 0.5) / float64(len(d))))
	}
	return d
}

// fill writes independent draws into out and returns their Euclidean length.
func (d *draw) fill(r *rand.Rand, out []float32) float32 {
	const mask = 1<<drawBits - 1
	var a, b float32
	for len(out) >= 5 {
		w := r.Uint64()
		o := out[:5:5]
		v0, v1, v2, v3, v4 := d[w&mask], d[w>>12&mask], d[w>>24&mask], d[w>>36&mask], d[w>>48&mask]
		o[0], o[1], o[2], o[3], o[4] = v0, v1, v2, v3, v4
		a += v0*v0 + v1*v1
		b += v2*v2 + v3*v3 + v4*v4
		out = out[5:]
	}
	if len(out) > 0 {
		w := r.Uint64()
		for i := range out {
			v := d[w&mask]
			out[i] = v
			a += v * v
			w >>= drawBits
		}
	}
	return float32(math.Sqrt(float64(a + b)))
}
