package corruptions_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/assize/assize/internal/probes/corruptions"
)

// reference is what testdata/reference.py wrote with SciPy, scikit-image and Pillow.
type reference map[string]json.RawMessage

func (r reference) read(t *testing.T, name string, into any) {
	t.Helper()
	if err := json.Unmarshal(r[name], into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

func load(t *testing.T) reference {
	t.Helper()
	b, err := os.ReadFile("testdata/reference.json")
	if err != nil {
		t.Fatal(err)
	}
	r := reference{}
	if err := json.Unmarshal(b, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// colours is a picture of the reference, channel by channel.
func (r reference) colours(t *testing.T, name string, scale float64) [][]float64 {
	t.Helper()
	var v [][][]float64
	r.read(t, name, &v)
	out := make([][]float64, 3)
	for _, line := range v {
		for _, pixel := range line {
			for c := range out {
				out[c] = append(out[c], pixel[c]/scale)
			}
		}
	}
	return out
}

func (r reference) grey(t *testing.T, name string) []float64 {
	t.Helper()
	var v [][]float64
	r.read(t, name, &v)
	var out []float64
	for _, line := range v {
		out = append(out, line...)
	}
	return out
}

func apart(a, b []float64) (most, mean float64) {
	for i := range a {
		d := math.Abs(a[i] - b[i])
		most, mean = max(most, d), mean+d/float64(len(a))
	}
	return most, mean
}

func TestOperationsAgainstSciPy(t *testing.T) {
	ref := load(t)
	for name, do := range map[string]func(corruptions.Raster){
		"rotate 20":         func(p corruptions.Raster) { p.Rotate(20) },
		"rotate -30":        func(p corruptions.Raster) { p.Rotate(-30) },
		"shift 1.3 -2.6":    func(p corruptions.Raster) { p.Shift(1.3, -2.6) },
		"gaussian blur 0.7": func(p corruptions.Raster) { p.GaussianBlur(0.7) },
		"gaussian blur 2":   func(p corruptions.Raster) { p.GaussianBlur(2) },
		"defocus 0.5 0.6":   func(p corruptions.Raster) { p.Defocus(0.5, 0.6) },
		"defocus 3 0.1":     func(p corruptions.Raster) { p.Defocus(3, 0.1) },
		"defocus 10 0.5":    func(p corruptions.Raster) { p.Defocus(10, 0.5) },
		"motion 6 2 33":     func(p corruptions.Raster) { p.MotionBlur(6, 2, 33) },
	} {
		p := corruptions.NewRaster(9, 12, ref.colours(t, "rgb", 255)[0])
		do(p)
		if most, _ := apart(p.Values()[0], ref.grey(t, name)); most > 1e-6 {
			t.Errorf("%s: off by up to %v", name, most)
		}
	}
}

func TestBrightnessAgainstScikitImage(t *testing.T) {
	ref := load(t)
	p := corruptions.NewRaster(9, 12, ref.colours(t, "rgb", 255)...)
	p.Brightness(0.3)
	for c, want := range ref.colours(t, "brightness 0.3", 1) {
		if most, _ := apart(p.Values()[c], want); most > 1e-6 {
			t.Errorf("channel %d: off by up to %v", c, most)
		}
	}
}

// TestJPEGAgainstPillow allows what decoders differ by: a rounding in grey, and in colour
// that libjpeg interpolates the chroma, which has half the lines and columns.
func TestJPEGAgainstPillow(t *testing.T) {
	ref := load(t)
	smooth := ref.colours(t, "smooth", 255)
	p := corruptions.NewRaster(9, 12, smooth[0])
	p.JPEG(40)
	if most, _ := apart(p.Values()[0], ref.grey(t, "jpeg grey 40")); most > 2.1/255 {
		t.Errorf("grey: off by up to %v", most)
	}
	if most, _ := apart(p.Values()[0], ref.colours(t, "smooth", 255)[0]); most < 2.0/255 {
		t.Errorf("grey: off by up to %v from the original, want a loss", most)
	}
	p = corruptions.NewRaster(9, 12, ref.colours(t, "smooth", 255)...)
	p.JPEG(40)
	for c, want := range ref.colours(t, "jpeg rgb 40", 1) {
		if most, mean := apart(p.Values()[c], want); most > 0.1 || mean > 0.02 {
			t.Errorf("channel %d: off by up to %v, %v on average", c, most, mean)
		}
	}
}

func flat(n int, v float64) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = v
	}
	return out
}

func moments(v []float64) (mean, variance float64) {
	for _, x := range v {
		mean += x / float64(len(v))
	}
	for _, x := range v {
		variance += (x - mean) * (x - mean) / float64(len(v)-1)
	}
	return mean, variance
}

// TestNoiseHasItsMoments checks mean and variance of 40,000 values against the closed forms.
func TestNoiseHasItsMoments(t *testing.T) {
	const side, at = 200, 0.4
	rng := rand.New(rand.NewPCG(1, 2))
	for name, c := range map[string]struct {
		do             func(corruptions.Raster)
		mean, variance float64
	}{
		"gaussian": {func(p corruptions.Raster) { p.GaussianNoise(0.1, rng) }, at, 0.01},
		"shot":     {func(p corruptions.Raster) { p.ShotNoise(25, rng) }, at, at / 25},
		"impulse":  {func(p corruptions.Raster) { p.ImpulseNoise(0.2, rng) }, 0.8*at + 0.1, 0.8*at*at + 0.1 - 0.42*0.42},
	} {
		p := corruptions.NewRaster(side, side, flat(side*side, at))
		c.do(p)
		mean, variance := moments(p.Values()[0])
		if math.Abs(mean-c.mean) > 5*math.Sqrt(c.variance)/side || math.Abs(variance-c.variance) > 0.06*c.variance {
			t.Errorf("%s: got mean %v and variance %v, want %v and %v", name, mean, variance, c.mean, c.variance)
		}
	}
}

func TestContrastAndOcclusion(t *testing.T) {
	p := corruptions.NewRaster(2, 2, []float64{0, 0.2, 0.4, 1})
	p.Contrast(0.5)
	for i, want := range []float64{0.2, 0.3, 0.4, 0.7} {
		if got := p.Values()[0][i]; math.Abs(got-want) > 1e-12 {
			t.Errorf("value %d: got %v, want %v", i, got, want)
		}
	}
	p = corruptions.NewRaster(10, 20, flat(200, -1), flat(200, -1))
	p.Occlude(0.3, rand.New(rand.NewPCG(3, 4)))
	covered := 0
	for i, v := range p.Values()[0] {
		if v != p.Values()[1][i] {
			t.Errorf("value %d: the channels differ", i)
		}
		if v >= 0 {
			covered++
		}
	}
	if covered != 9 {
		t.Errorf("got %d covered pixels, want a square of 3", covered)
	}
}

// TestSeverityGrows: of every kind, the change of a picture is larger at severity 5 than
// at 1, for small and for large pictures, over some draws.
func TestSeverityGrows(t *testing.T) {
	for _, side := range []int{8, 28, 100} {
		for kind := range 12 {
			var sizes [5]float64
			name := ""
			for s := range sizes {
				for draw := range 8 {
					v := make([]float64, side*side)
					for i := range v {
						y, x := float64(i/side)/float64(side), float64(i%side)/float64(side)
						v[i] = 0.5 + 0.3*math.Sin(9*x+3*y)*math.Cos(7*y)
					}
					before := append([]float64(nil), v...)
					p := corruptions.NewRaster(side, side, v)
					name = p.Spoil(kind, s, rand.New(rand.NewPCG(uint64(draw), 7)))
					_, mean := apart(before, p.Values()[0])
					sizes[s] += mean
				}
			}
			if !(sizes[4] > 1.3*sizes[0] && sizes[0] > 0) {
				t.Errorf("%s at %d pixels: changes by severity are %v", name, side, sizes)
			}
		}
	}
}
