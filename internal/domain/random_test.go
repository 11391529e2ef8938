package domain_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/assize/assize/internal/domain"
)

// randomFeatures makes small features, so that grids over them stay small.
// Reals have quarters of their range on the grid.
func randomFeatures(r *rand.Rand, n int, reals bool) []domain.Feature {
	var fs []domain.Feature
	if r.IntN(2) == 0 {
		m := []domain.Mutability{domain.Yes, domain.Yes, domain.No}[r.IntN(3)]
		for k := range 2 + r.IntN(3) {
			fs = append(fs, domain.Feature{Name: fmt.Sprintf("g[%d]", k), Type: domain.Binary, Max: 1, Mutable: m, Group: "g"})
		}
	}
	for i := range n {
		f := domain.Feature{Name: string(rune('a' + i)), Type: domain.Integer, Min: float64(-r.IntN(3)), Mutable: domain.Yes}
		f.Max = f.Min + float64(1+r.IntN(4))
		switch k := r.IntN(6); {
		case k == 0:
			f.Type, f.Min, f.Max = domain.Binary, 0, 1
		case k <= 3 && reals:
			f.Type = domain.Real
		}
		if r.IntN(3) == 0 {
			f.Mutable = []domain.Mutability{domain.No, domain.Up, domain.Down}[r.IntN(3)]
		}
		fs = append(fs, f)
	}
	return fs
}

// randomNumber writes a random arithmetic expression.
func randomNumber(r *rand.Rand, fs []domain.Feature, depth int) string {
	if depth == 0 || r.IntN(3) == 0 {
		switch f := fs[r.IntN(len(fs))]; r.IntN(5) {
		case 0:
			return fmt.Sprint(r.IntN(4))
		case 1:
			return "orig." + f.Name
		default:
			return "x." + f.Name
		}
	}
	a, b := randomNumber(r, fs, depth-1), randomNumber(r, fs, depth-1)
	switch r.IntN(9) {
	case 0:
		return "-" + strings.Replace("(_)", "_", a, 1)
	case 1:
		return "abs(" + a + ")"
	case 2:
		return "min(" + a + ", " + b + ")"
	case 3:
		return "max(" + a + ", " + b + ")"
	case 4:
		return "(" + a + ") * (" + b + ")"
	case 5:
		return "(" + a + ") / (" + b + ")"
	case 6:
		return a + " - (" + b + ")"
	}
	return a + " + " + b
}

// randomRelation writes a random statement.
func randomRelation(r *rand.Rand, fs []domain.Feature, depth int) string {
	if depth == 0 || r.IntN(2) == 0 {
		o := []string{"<=", ">=", "<", ">", "==", "!=", "<=", ">="}[r.IntN(8)]
		return "x." + fs[r.IntN(len(fs))].Name + " + " + randomNumber(r, fs, 1) + " " + o + " " + randomNumber(r, fs, 2)
	}
	a, b := randomRelation(r, fs, depth-1), randomRelation(r, fs, depth-1)
	switch r.IntN(4) {
	case 0:
		return "not (" + a + ")"
	case 1:
		return "(" + a + ") and (" + b + ")"
	case 2:
		return "(" + a + ") or (" + b + ")"
	}
	return "(" + a + ") implies (" + b + ")"
}

func randomDomain(t *testing.T, r *rand.Rand, n int, reals bool, relations int) *domain.Domain {
	t.Helper()
	fs := randomFeatures(r, n, reals)
	var texts []string
	for range relations {
		texts = append(texts, randomRelation(r, fs, 2))
	}
	d, err := domain.New(fs, texts)
	if err != nil {
		t.Fatalf("%v: %v", texts, err)
	}
	return d
}

// grid visits every combination of grid values of the features.
func grid(d *domain.Domain, visit func(x []float32)) {
	x := make([]float32, d.Len())
	var walk func(i int)
	walk = func(i int) {
		if i == len(x) {
			visit(x)
			return
		}
		f := d.Features()[i]
		step := 1.0
		if f.Type == domain.Real {
			step = d.Scale()[i] / 4
		}
		for v := f.Min; v <= f.Max; v += step {
			x[i] = float32(v)
			walk(i + 1)
		}
	}
	walk(0)
}

// randomRow draws a row of the ranges, types and groups; wild draws leave them.
func randomRow(d *domain.Domain, r *rand.Rand, wild bool) []float32 {
	x := make([]float32, d.Len())
	first, members := -1, 0
	for i, f := range d.Features() {
		v := f.Min + r.Float64()*(f.Max-f.Min)
		if wild {
			v = f.Min + (2*r.Float64()-0.5)*(f.Max-f.Min)
		} else if f.Type != domain.Real {
			v = math.Round(v)
		}
		x[i] = float32(v)
		if f.Group != "" && !wild {
			if first < 0 {
				first = i
			}
			members++
			x[i] = 0
		}
	}
	if members > 0 {
		x[first+r.IntN(members)] = 1
	}
	return x
}

func distance(d *domain.Domain, x, y []float32) float64 {
	sum := 0.0
	for i := range x {
		v := float64(x[i]-y[i]) / d.Scale()[i]
		sum += v * v
	}
	return math.Sqrt(sum)
}

// nearestOnGrid is the distance from x to the nearest feasible grid row.
func nearestOnGrid(d *domain.Domain, x, orig []float32) float64 {
	best := math.Inf(1)
	grid(d, func(y []float32) {
		if d.Feasible(y, orig) {
			best = min(best, distance(d, x, y))
		}
	})
	return best
}
