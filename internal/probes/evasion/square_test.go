package evasion_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/model"
	"github.com/assize/assize/internal/result"
)

// square runs the score-based attack and returns its result.
func (s *system) square(t testing.TB) *result.Result {
	t.Helper()
	return s.run(t, "evasion/square", map[string]*result.Result{"evasion/noise": s.run(t, "evasion/noise", nil)})
}

// TestSquareAgainstClosedForm attacks a plane: a row can be broken if and only if it lies nearer than epsilon.
func TestSquareAgainstClosedForm(t *testing.T) {
	for _, c := range []struct {
		norm  string
		width int
		slack float64 // rows this much nearer than epsilon must be broken
	}{
		{"linf", 10, 0.999}, {"linf", 64, 0.97}, {"l2", 10, 0.95}, {"l2", 64, 0.85}, {"l1", 10, 0.9}, {"l1", 64, 0.85},
	} {
		t.Run(fmt.Sprintf("%s/%d", c.norm, c.width), func(t *testing.T) {
			s := linear(60, c.width, c.norm, 3000)
			exact := func(row []float32) float64 { return exactly(s, row, c.norm) }
			var all []float64
			for _, row := range s.rows {
				all = append(all, exact(row))
			}
			epsilon := median(all)
			s.params["epsilon"] = epsilon
			r := s.square(t)
			for i, broken := range r.Rows.Column("broken") {
				switch want := exact(s.rows[i]); {
				case broken == 1 && want > epsilon*(1+1e-4):
					t.Errorf("row %d: broken within %v, the plane is %v away", i, epsilon, want)
				case broken == 0 && want < c.slack*epsilon:
					t.Errorf("row %d: not broken, the plane is %.3f of epsilon away", i, want/epsilon)
				}
			}
			check(t, r, "attack-beats-noise", true)
			check(t, r, "final-inputs-rechecked", true)
			check(t, r, "returned-inputs-differ", true)
		})
	}
}

// exactly is the distance of a row to the plane in any of the norms.
func exactly(s *system, row []float32, norm string) float64 {
	if norm != "l1" {
		return exact(s, row, norm)
	}
	most := 0.0
	at := func(x []float32) float64 { p := float64(s.of(x)); return math.Log(p / (1 - p)) }
	base := at(make([]float32, len(row)))
	for i := range row {
		unit := make([]float32, len(row))
		unit[i] = 1
		most = max(most, math.Abs(at(unit)-base))
	}
	return math.Abs(at(row)) / most
}

// picture is a system whose rows are pictures of 6 lines, 6 columns and 2 channels.
func picture(layout, norm string) (*system, model.Input) {
	s := linear(30, 72, norm, 200)
	s.params["epsilon"] = map[string]float64{"linf": 0.02, "l2": 0.1, "l1": 0.01}[norm]
	in := model.Input{Layout: layout, Shape: []int{2, 6, 6}}
	if layout == "nhwc" {
		in.Shape = []int{6, 6, 2}
	}
	return s, in
}

// TestSquareOnPictures looks at what is asked: all of it inside the ball, the first question in stripes,
// later ones changed in one window alone.
func TestSquareOnPictures(t *testing.T) {
	for _, layout := range []string{"nchw", "nhwc"} {
		for _, norm := range []string{"linf", "l2", "l1"} {
			t.Run(layout+"/"+norm, func(t *testing.T) {
				s, in := picture(layout, norm)
				s.rows, s.labels = s.rows[:1], s.labels[:1]
				var asked [][]float32
				of := s.of
				s.of = func(x []float32) float32 { asked = append(asked, slices.Clone(x)); return of(x) }
				s.input = in
				s.params["epsilon"] = s.params["epsilon"].(float64) / 8
				p := find(t, "evasion/square")
				m, _ := s.open(t)
				d := s.table()
				c := &measure.Case{Params: params(p, s.params), Model: m, Domain: s.domain(t), Data: d, Index: d.Index}
				r, err := p.Run(context.Background(), c)
				if err != nil {
					t.Fatal(err)
				}
				asked = asked[:int(r.Rows.Column("queries")[0])] // what follows are the attack's tests of itself
				if len(asked) < 100 {
					t.Fatalf("got %d questions, want a walk", len(asked))
				}
				at := func(y, x, c int) int {
					if layout == "nchw" {
						return c*36 + y*6 + x
					}
					return (y*6+x)*2 + c
				}
				epsilon := s.params["epsilon"].(float64)
				for k, x := range asked {
					l1, l2, linf := 0.0, 0.0, 0.0
					for i, v := range x {
						d := math.Abs(float64(v - s.rows[0][i]))
						l1, l2, linf = l1+d, l2+d*d, max(linf, d)
					}
					if got := map[string]float64{"l1": l1, "l2": math.Sqrt(l2), "linf": linf}[norm]; got > epsilon*(1+1e-5) {
						t.Fatalf("question %d is %v away, want at most %v", k, got, epsilon)
					}
				}
				if norm != "linf" {
					return
				}
				for c := range 2 {
					for x := range 6 {
						for y := range 6 {
							if up := asked[1][at(y, x, c)] > s.rows[0][at(y, x, c)]; up != (asked[1][at(0, x, c)] > s.rows[0][at(0, x, c)]) {
								t.Errorf("channel %d, column %d: the first change is no stripe", c, x)
							}
						}
					}
				}
				// The last windows are one place, in both channels.
				last := asked[len(asked)-1]
				near := 72
				for _, x := range asked[1 : len(asked)-1] {
					n := 0
					for i := range x {
						if x[i] != last[i] {
							n++
						}
					}
					near = min(near, n)
				}
				if near == 0 || near > 2 {
					t.Errorf("the last question differs from each other one in %d values or more, want 1 or 2", near)
				}
			})
		}
	}
}

// TestSquareWalksAcrossRounding attacks a system that gives out two digits: its answers are flat nearly everywhere.
func TestSquareWalksAcrossRounding(t *testing.T) {
	s := linear(40, 10, "linf", 2000)
	var all []float64
	for _, row := range s.rows {
		all = append(all, exact(s, row, "linf"))
	}
	s.params["epsilon"] = 1.02 * slices.Max(all)
	s.solutions = []model.Solution{{Name: "digits", Type: model.OutputRounding, Digits: 2, Switchable: true}}
	s.on = []string{"digits"}
	if got := s.square(t).Metrics["attack_success"].Value; got < 0.9 {
		t.Errorf("got %v broken behind rounded answers, want 0.9", got)
	}
}

func TestSquareOnMixedFeatures(t *testing.T) {
	s := loans(60)
	s.params["epsilon"] = 1.0
	d := s.domain(t)
	r := s.square(t)
	for i, orig := range s.rows {
		final := make([]float32, len(orig))
		for j, f := range s.features {
			final[j] = float32(r.Rows.Column("x." + f.Name)[i])
		}
		if !d.Feasible(final, orig) {
			t.Errorf("row %d: final row %v is not feasible", i, final)
		}
	}
	hop := s.run(t, "evasion/hopskipjump", map[string]*result.Result{"evasion/noise": s.run(t, "evasion/noise", nil)})
	if got, want := sum(r.Rows.Column("broken")), sum(hop.Rows.Column("broken")); got < want-2 || got == 0 {
		t.Errorf("got %v rows broken, HopSkipJump and noise break %v", got, want)
	}
}
