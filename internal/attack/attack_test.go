package attack_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assize/assize/internal/attack"
	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/model"
)

// plane is a system of two decisions: 1 where <w, x> + b > 0, else 0. Its
// robustness has a closed form: the distance to the plane is the margin over
// the dual norm of w, as long as the box does not cut it off.
type plane struct {
	w     []float32
	b     float64
	scale float64 // of the gradient, whose size no attack may depend on
	calls int
	sizes []int
	fail  error
}

func (p *plane) margin(x []float32) float64 {
	sum := p.b
	for i, v := range x {
		sum += float64(p.w[i]) * float64(v)
	}
	return sum
}

func (p *plane) Evaluate(_ context.Context, _ model.Loss, x []float32, aims []model.Aim, s *model.Slopes) error {
	p.calls++
	p.sizes = append(p.sizes, len(aims))
	n := len(p.w)
	s.N, s.Gradient = len(aims), make([]float32, len(x))
	s.Loss, s.Won = make([]float64, len(aims)), make([]bool, len(aims))
	for k, a := range aims {
		sign := 1.0
		if a.From == 1 {
			sign = -1
		}
		f := p.margin(x[k*n : (k+1)*n])
		s.Loss[k] = sign * f * p.scale
		s.Won[k] = sign*f > 0
		for i, w := range p.w {
			s.Gradient[k*n+i] = float32(sign * float64(w) * p.scale)
		}
	}
	return p.fail
}

const width = 20

func newPlane() *plane {
	p := &plane{w: make([]float32, width), b: -0.37, scale: 1}
	for i := range p.w {
		p.w[i] = float32(math.Sin(float64(i)*2.1) + 0.2)
	}
	return p
}

// wide is a box that cuts nothing off.
func wide(norm attack.Norm, epsilon float64) *attack.Threat {
	t := &attack.Threat{Norm: norm, Epsilon: epsilon, Lo: make([]float32, width), Hi: make([]float32, width)}
	for i := range t.Lo {
		t.Lo[i], t.Hi[i] = -50, 50
	}
	return t
}

func points(p *plane, n int) []attack.Row {
	r := rand.New(rand.NewPCG(1, 2))
	var rows []attack.Row
	for i := range n {
		x := make([]float32, width)
		for k := range x {
			x[k] = r.Float32()
		}
		row := attack.Row{X: x, Rand: measure.Seed{9}.Row(i)}
		if p.margin(x) > 0 {
			row.From = 1
		}
		rows = append(rows, row)
	}
	return rows
}

// radius is the closed form.
func (p *plane) radius(x []float32, norm attack.Norm) float64 {
	one, two, most := 0.0, 0.0, 0.0
	for _, w := range p.w {
		f := math.Abs(float64(w))
		one, two, most = one+f, two+f*f, max(most, f)
	}
	dual := map[attack.Norm]float64{attack.Linf: one, attack.L2: math.Sqrt(two), attack.L1: most}[norm]
	return math.Abs(p.margin(x)) / dual
}

// TestClosedForm attacks rows with a ball one hundredth too small and one
// hundredth larger than needed.
func TestClosedForm(t *testing.T) {
	for _, norm := range []attack.Norm{attack.Linf, attack.L2, attack.L1} {
		for name, method := range map[string]attack.Method{
			"FGSM": attack.FGSM{}, "PGD": attack.PGD{}, "APGD": attack.APGD{Steps: 200}, "APGD wide": attack.APGD{Steps: 200, Wide: true},
		} {
			if name == "FGSM" && norm == attack.L1 {
				continue // it moves every feature
			}
			for _, scale := range []float64{1, 1e-12, 1e12} {
				p := newPlane()
				p.scale = scale
				for i, row := range points(p, 30) {
					if name == "PGD" {
						method = attack.PGD{Steps: 200, Step: p.radius(row.X, norm) / 10}
					}
					for factor, want := range map[float64]bool{0.99: false, 1.01: true} {
						found, err := attack.Run(t.Context(), p, wide(norm, factor*p.radius(row.X, norm)), attack.Plan{Method: method}, []attack.Row{row}, 8, nil)
						if err != nil {
							t.Fatal(err)
						}
						if found[0].Won != want {
							t.Errorf("%s in %s, row %d, slopes of %g, a ball of %g times the radius: won %v, want %v", name, norm, i, scale, factor, found[0].Won, want)
						}
					}
				}
			}
		}
	}
}

// TestNearest compares smallest changes with the closed form.
func TestNearest(t *testing.T) {
	for _, norm := range []attack.Norm{attack.Linf, attack.L2, attack.L1} {
		methods := map[string]attack.Method{"FAB": attack.FAB{Steps: 50}}
		if norm == attack.L2 {
			methods["Carlini-Wagner"] = attack.CarliniWagner{Searches: 9, Steps: 500, Rate: 0.01}
		}
		for name, method := range methods {
			p := newPlane()
			rows := points(p, 20)
			th := wide(norm, 1)
			if name != "FAB" {
				for i := range th.Lo {
					th.Lo[i], th.Hi[i] = -1, 2 // its variable spans the box
				}
			}
			found, err := attack.Run(t.Context(), p, th, attack.Plan{Method: method, Loss: model.Margin}, rows, 7, nil)
			if err != nil {
				t.Fatal(err)
			}
			for i, f := range found {
				want := p.radius(rows[i].X, norm)
				if !f.Won || f.Distance < want*(1-1e-5) || f.Distance > 1.03*want+1e-4 {
					t.Errorf("%s in %s, row %d: got %v at %g, closed form %g", name, norm, i, f.Won, f.Distance, want)
				}
			}
		}
	}
}

// TestAlone wants the same of a row alone as among others, in batches of any size.
func TestAlone(t *testing.T) {
	for _, method := range []attack.Method{attack.PGD{Steps: 20}, attack.APGD{Steps: 30}, attack.APGD{Steps: 30, Wide: true}, attack.FAB{Steps: 10}, attack.CarliniWagner{Searches: 2, Steps: 5}} {
		for _, norm := range []attack.Norm{attack.Linf, attack.L2, attack.L1} {
			p := newPlane()
			run := func(rows []attack.Row, batch int) []attack.Found {
				found, err := attack.Run(t.Context(), p, wide(norm, 0.05), attack.Plan{Method: method, Loss: model.Margin, Restarts: 2}, rows, batch, nil)
				if err != nil {
					t.Fatal(err)
				}
				return found
			}
			want := run(points(p, 13), 13)
			for _, batch := range []int{1, 4, 100} {
				if diff := cmp.Diff(run(points(p, 13), batch), want); diff != "" {
					t.Errorf("%T in %s, batches of %d (-got +want):\n%s", method, norm, batch, diff)
				}
			}
			for i, row := range points(p, 13) {
				if diff := cmp.Diff(run([]attack.Row{row}, 4)[0], want[i]); diff != "" {
					t.Errorf("%T in %s, row %d alone (-got +want):\n%s", method, norm, i, diff)
				}
			}
		}
	}
}

// TestScale measures changes in shares of ranges: the same attack, features a thousand times larger.
func TestScale(t *testing.T) {
	for _, norm := range []attack.Norm{attack.Linf, attack.L2, attack.L1} {
		for _, method := range []attack.Method{attack.APGD{Steps: 100}, attack.FAB{Steps: 40}} {
			p := newPlane()
			rows := points(p, 10)
			th := wide(norm, 0)
			th.Scale = make([]float32, width)
			large := newPlane()
			for i := range th.Scale {
				th.Scale[i] = float32(1 + 999*(i%2))
				th.Lo[i], th.Hi[i] = th.Lo[i]*th.Scale[i], th.Hi[i]*th.Scale[i]
				large.w[i] /= th.Scale[i]
			}
			for k := range rows {
				want := p.radius(rows[k].X, norm)
				th.Epsilon = 1.02 * want
				x := make([]float32, width)
				for i, v := range rows[k].X {
					x[i] = v * th.Scale[i]
				}
				rows[k].X = x
				found, err := attack.Run(t.Context(), large, th, attack.Plan{Method: method, Loss: model.Margin}, rows[k:k+1], 1, nil)
				if err != nil {
					t.Fatal(err)
				}
				if f := found[0]; !f.Within(th.Epsilon) || math.Abs(th.Distance(f.X, x)-f.Distance) > 1e-9 {
					t.Errorf("%T in %s, row %d: got %v at %g, closed form %g", method, norm, k, f.Won, f.Distance, want)
				}
			}
		}
	}
}

// TestSettle lets the domain hold whole numbers and a feature that must stay.
func TestSettle(t *testing.T) {
	for _, method := range []attack.Method{attack.PGD{Steps: 40}, attack.APGD{Steps: 40}, attack.FAB{Steps: 40}} {
		p := newPlane()
		th := wide(attack.Linf, 2)
		th.Frozen = make([]bool, width)
		th.Frozen[3] = true
		th.Whole = make([]bool, width)
		for i := range 10 {
			th.Whole[i] = i != 3
		}
		th.Settle = func(x, _ []float32) bool {
			for i := range 10 {
				if i != 3 {
					x[i] = float32(math.Round(float64(x[i])))
				}
			}
			return true
		}
		rows := points(p, 20)
		for k := range rows {
			th.Settle(rows[k].X, nil)
			rows[k].From = 0
			if p.margin(rows[k].X) > 0 {
				rows[k].From = 1
			}
		}
		found, err := attack.Run(t.Context(), p, th, attack.Plan{Method: method, Loss: model.Margin}, rows, 8, nil)
		if err != nil {
			t.Fatal(err)
		}
		won := 0
		for i, f := range found {
			if !f.Won {
				continue
			}
			won++
			for k, v := range f.X {
				if k < 10 && k != 3 && v != float32(math.Round(float64(v))) || k == 3 && v != rows[i].X[3] {
					t.Errorf("%T, row %d: feature %d is %g, was %g", method, i, k, v, rows[i].X[k])
				}
			}
		}
		if won < 15 {
			t.Errorf("%T gained on %d of 20 rows", method, won)
		}
	}
}

// broken gives gradients that are no numbers, or none.
type broken struct{ value float32 }

func (b broken) Evaluate(_ context.Context, _ model.Loss, x []float32, aims []model.Aim, s *model.Slopes) error {
	s.Gradient, s.Loss, s.Won = make([]float32, len(x)), make([]float64, len(aims)), make([]bool, len(aims))
	for i := range x {
		if i%2 == 0 || b.value == 0 {
			s.Gradient[i] = b.value
		}
	}
	for i := range aims {
		s.Loss[i] = float64(b.value)
	}
	return nil
}

func TestHostileGradients(t *testing.T) {
	for _, method := range []attack.Method{attack.FGSM{}, attack.PGD{Steps: 9}, attack.APGD{Steps: 9, Wide: true}, attack.FAB{Steps: 9}, attack.CarliniWagner{Searches: 2, Steps: 9}} {
		for _, norm := range []attack.Norm{attack.Linf, attack.L2, attack.L1} {
			for _, v := range []float32{0, float32(math.NaN()), float32(math.Inf(1)), math.MaxFloat32, math.SmallestNonzeroFloat32} {
				found, err := attack.Run(t.Context(), broken{v}, wide(norm, 1), attack.Plan{Method: method, Loss: model.Margin}, points(newPlane(), 3), 2, nil)
				if err != nil {
					t.Fatal(err)
				}
				for i, f := range found {
					if f.Won || f.Steps == 0 {
						t.Errorf("%T in %s, slopes of %g, row %d: won %v in %d steps", method, norm, v, i, f.Won, f.Steps)
					}
					if v == 0 && f.Flat != f.Steps {
						t.Errorf("%T in %s: %d of %d flat gradients were noticed", method, norm, f.Flat, f.Steps)
					}
				}
			}
		}
	}
}

func TestRefuses(t *testing.T) {
	p := newPlane()
	good := attack.Plan{Method: attack.PGD{Steps: 5}}
	for name, run := range map[string]func() (*attack.Threat, attack.Plan){
		"norm":    func() (*attack.Threat, attack.Plan) { return wide("l0", 1), good },
		"epsilon": func() (*attack.Threat, attack.Plan) { return wide(attack.L2, math.NaN()), good },
		"below 0": func() (*attack.Threat, attack.Plan) { return wide(attack.L2, -1), good },
		"lengths": func() (*attack.Threat, attack.Plan) { t := wide(attack.L2, 1); t.Hi = t.Hi[1:]; return t, good },
		"scale": func() (*attack.Threat, attack.Plan) {
			t := wide(attack.L2, 1)
			t.Scale = make([]float32, width)
			return t, good
		},
		"no targets": func() (*attack.Threat, attack.Plan) {
			return wide(attack.L2, 1), attack.Plan{Method: attack.PGD{Steps: 5}, Targets: 3}
		},
		"no steps": func() (*attack.Threat, attack.Plan) { return wide(attack.L2, 1), attack.Plan{Method: attack.APGD{}} },
	} {
		th, plan := run()
		if _, err := attack.Run(t.Context(), p, th, plan, points(p, 2), 2, nil); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
	p.fail = errors.New("the model is gone")
	if _, err := attack.Run(t.Context(), p, wide(attack.L2, 1), good, points(p, 3), 2, nil); !errors.Is(err, p.fail) {
		t.Errorf("got the error %v, want the oracle's", err)
	}
	p.fail = nil
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := attack.Run(ctx, p, wide(attack.L2, 1), good, points(p, 3), 2, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got the error %v, want context.Canceled", err)
	}
	if found, err := attack.Run(t.Context(), p, wide(attack.L2, 1), good, nil, 2, nil); err != nil || len(found) != 0 {
		t.Errorf("of no rows: got %v and the error %v", found, err)
	}
}

// TestFull keeps batches full: a row that is done makes room for the next.
func TestFull(t *testing.T) {
	p := newPlane()
	rows := points(p, 40)
	heard := 0
	_, err := attack.Run(t.Context(), p, wide(attack.Linf, 0.01), attack.Plan{Method: attack.PGD{Steps: 10}}, rows, 8, func(n int) {
		if n != heard+1 {
			t.Errorf("heard of %d rows after %d", n, heard)
		}
		heard = n
	})
	if err != nil {
		t.Fatal(err)
	}
	total := 0
	for _, n := range p.sizes {
		total += n
	}
	if heard != 40 || total > 8*p.calls || float64(total) < 0.8*float64(8*p.calls) {
		t.Errorf("%d rows done, %d points in %d runs of at most 8", heard, total, p.calls)
	}
}
