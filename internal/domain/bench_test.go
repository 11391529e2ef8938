package domain_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/assize/assize/internal/domain"
)

func pixels(b *testing.B) *domain.Domain {
	b.Helper()
	fs := make([]domain.Feature, 784)
	for i := range fs {
		fs[i] = domain.Feature{Name: fmt.Sprintf("pixel[%d]", i), Type: domain.Real, Max: 1, Mutable: domain.Yes}
	}
	d, err := domain.New(fs, nil)
	if err != nil {
		b.Fatal(err)
	}
	return d
}

// mixed has 20 features of all types and three relations.
func mixed(b *testing.B) *domain.Domain {
	b.Helper()
	var fs []domain.Feature
	for i := range 8 {
		fs = append(fs, domain.Feature{Name: fmt.Sprintf("r%d", i), Type: domain.Real, Max: 100, Mutable: domain.Yes})
	}
	for i := range 6 {
		fs = append(fs, domain.Feature{Name: fmt.Sprintf("n%d", i), Type: domain.Integer, Max: 50, Mutable: domain.Up})
	}
	for i := range 4 {
		fs = append(fs, domain.Feature{Name: fmt.Sprintf("g%d", i), Type: domain.Binary, Max: 1, Mutable: domain.Yes, Group: "g"})
	}
	for i := range 2 {
		fs = append(fs, domain.Feature{Name: fmt.Sprintf("b%d", i), Type: domain.Binary, Max: 1, Mutable: domain.Yes})
	}
	d, err := domain.New(fs, []string{
		"x.r0 <= x.r1 * 1.1",
		"abs(x.r2 - orig.r2) <= 0.15 * orig.r2",
		"x.n0 > 10 implies x.b0 == 1",
	})
	if err != nil {
		b.Fatal(err)
	}
	return d
}

// rows gives copies of random rows in turn, so that no branch is learnt.
func rows(d *domain.Domain, wild bool) [][]float32 {
	r := rand.New(rand.NewPCG(9, 10))
	all := make([][]float32, 64)
	for i := range all {
		all[i] = randomRow(d, r, wild)
	}
	return all
}

func benchmarkProject(b *testing.B, d *domain.Domain, wild bool) {
	b.ReportAllocs()
	origs, xs := rows(d, false), rows(d, wild)
	x := make([]float32, d.Len())
	for i := 0; b.Loop(); i++ {
		copy(x, xs[i%64])
		d.Project(x, origs[i%64])
	}
}

func BenchmarkProjectPixelsInside(b *testing.B)  { benchmarkProject(b, pixels(b), false) }
func BenchmarkProjectPixelsOutside(b *testing.B) { benchmarkProject(b, pixels(b), true) }
func BenchmarkProjectMixed(b *testing.B)         { benchmarkProject(b, mixed(b), true) }

func BenchmarkFeasibleMixed(b *testing.B) {
	b.ReportAllocs()
	d := mixed(b)
	xs := rows(d, true)
	for _, x := range xs {
		d.Project(x, nil)
	}
	for i := 0; b.Loop(); i++ {
		d.Feasible(xs[i%64], nil)
	}
}

func BenchmarkGradientMixed(b *testing.B) {
	b.ReportAllocs()
	d := mixed(b)
	origs, xs := rows(d, false), rows(d, true)
	grad := make([]float64, d.Len())
	for i := 0; b.Loop(); i++ {
		d.Gradient(xs[i%64], origs[i%64], grad)
	}
}
