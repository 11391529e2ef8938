package evasion_test

import (
	"math"
	"strings"
	"testing"

	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/measure/measuretest"
	"github.com/assize/assize/internal/model"
	"github.com/assize/assize/internal/probes/evasion"
	"github.com/assize/assize/internal/result"
)

// blurry is noise on the input, of a small part of the range.
var blurry = model.Solution{Name: "noise", Type: model.InputNoise, Sigma: 0.01, Draws: 4, Switchable: true}

// TestRandomOnPurpose attacks a plane whose answers are random with everything that only asks. The noise is
// symmetric, so that most answers gain just where the plane does without it: what lies clearly beyond the ball must
// never count as broken, however lucky single answers are, and nearly all that lies clearly inside must.
func TestRandomOnPurpose(t *testing.T) {
	s := linear(60, 10, "linf", 600)
	var all []float64
	for _, row := range s.rows {
		all = append(all, exact(s, row, "linf"))
	}
	epsilon := 1.2 * median(all)
	s.params["epsilon"] = epsilon
	// One answer in six is on the other side at a third of the ball.
	s.solutions, s.on = []model.Solution{{Name: "noise", Type: model.InputNoise, Sigma: epsilon, Draws: 1}}, []string{"noise"}
	family := s.family(t)
	for id, r := range family {
		missed, inside := 0, 0
		for i := range s.rows {
			broken := r.Rows.Column("broken")[i] == 1
			if broken && all[i] > 1.3*epsilon {
				t.Errorf("%s: row %d is broken at %v, the plane is %v away", id, i, r.Rows.Column("distance")[i], all[i])
			}
			if r.Rows.Column("attackable")[i] == 1 && all[i] < 0.7*epsilon {
				inside++
				if !broken {
					missed++
				}
			}
		}
		if inside < 15 || id != "evasion/noise" && 5*missed > inside {
			t.Errorf("%s missed %d of %d rows that lie clearly inside", id, missed, inside)
		}
	}
	check := func(r *result.Result, name string) result.Validity {
		for _, v := range r.Validity {
			if v.Check == name {
				return v
			}
		}
		t.Fatalf("there is no check %s", name)
		return result.Validity{}
	}
	if v := check(family["evasion/noise"], "answers-repeat"); !v.OK || !strings.HasPrefix(v.Note, "Random on purpose") || !strings.Contains(v.Note, " 0 of 60 ") {
		t.Errorf("with noise declared: %+v", v)
	}
	p := find(t, evasion.Worst)
	r, err := p.Join(&measure.Joint{Params: params(p, s.params), Results: family})
	if err != nil {
		t.Fatal(err)
	}
	if v := check(r, "attacks-agree-on-rows"); !v.OK {
		t.Errorf("all attacks together: %+v", v)
	}
}

// TestRandomUndeclared alarms where answers are random and no solution says so.
func TestRandomUndeclared(t *testing.T) {
	s := linear(40, 10, "linf", 100)
	of, count := s.of, 0
	s.of = func(x []float32) float32 { count++; return of(x) + 1e-4*float32(count%7) }
	for _, v := range s.run(t, "evasion/noise", nil).Validity {
		if v.Check == "answers-repeat" && v.OK {
			t.Errorf("answers that are random by themselves passed: %s", v.Note)
		}
	}
}

// blurredPlane is a plane behind noise, for attacks that follow gradients.
func blurredPlane(t *testing.T, rows int, noise model.Solution) (*opened, []float64) {
	t.Helper()
	const width = 10
	path, weights := planeModel(t, width, 1)
	o := openONNX(t, &model.Spec{
		Path: path, Output: model.Output{Kind: model.PositiveProbability}, Rule: cutHalf,
		Domain: &model.Domain{Features: reals(width), Confirmed: true}, Solutions: []model.Solution{noise},
	}, planeRows(weights, rows, 0))
	var err error
	if o.model, err = o.model.With([]string{noise.Name}); err != nil {
		t.Fatal(err)
	}
	one := 0.0
	for _, w := range weights {
		one += math.Abs(w)
	}
	var away []float64
	for i := range rows {
		sum := 0.0
		for j, w := range weights {
			sum += w * (float64(o.data.Row(i)[j]) - 0.5)
		}
		away = append(away, math.Abs(sum)/one)
	}
	return o, away
}

// TestAutoAttackAverages compares what breaks with the distance to the plane, as
// TestRandomOnPurpose does, also where one draw alone is worth nothing: the noise is as large as the ball.
func TestAutoAttackAverages(t *testing.T) {
	for _, sigma := range []float64{0.01, 0.05} {
		noise := blurry
		noise.Sigma = sigma
		o, away := blurredPlane(t, 40, noise)
		over := measure.Params{"epsilon": 0.05, "steps": 20.0}
		before := map[string]*result.Result{"evasion/noise": o.run(t, "evasion/noise", over, nil)}
		r := o.run(t, "evasion/autoattack", over, before)
		broken := 0
		for i, d := range away {
			is := r.Rows.Column("broken")[i] == 1
			if is && d > 1.15*0.05 {
				t.Errorf("sigma %v: row %d is broken at %v, the plane is %v away", sigma, i, r.Rows.Column("distance")[i], d)
			}
			if !is && d < 0.6*0.05 && r.Rows.Column("attackable")[i] == 1 {
				t.Errorf("sigma %v: row %d stands, the plane is %v away", sigma, i, d)
			}
			if is {
				broken++
			}
		}
		if broken < 10 {
			t.Errorf("sigma %v: %d rows broken show too little", sigma, broken)
		}
		for _, v := range r.Validity {
			if !v.OK {
				t.Errorf("sigma %v: check %s is not met: %s", sigma, v.Check, v.Note)
			}
		}
	}
}

// TestRandomAccept runs the contract's harness behind noise: the same seed gives the same rows in every split.
func TestRandomAccept(t *testing.T) {
	o, _ := blurredPlane(t, 11, blurry)
	copy(o.data.X[3*o.data.Width:4*o.data.Width], o.data.X[:o.data.Width]) // two subjects with one input
	o.data.Y[3] = o.data.Y[0]
	over := measure.Params{"epsilon": 0.05, "steps": 5.0, "tested": 0.5, "queries": 200.0, "trials": 20.0}
	before := map[string]*result.Result{}
	for _, id := range []string{"evasion/noise", "evasion/hopskipjump", "evasion/square", "evasion/autoattack"} {
		measuretest.Accept(t, find(t, id), measuretest.Target{
			Model: func() *model.Model { return o.model }, Domain: o.model.Domain(), Data: o.data,
			Facts:  measure.Facts{TestRows: len(o.data.Index), Width: o.model.Width(), Classes: 2},
			Params: over, Requires: before,
		})
		if id == "evasion/noise" {
			before[id] = o.run(t, id, over, nil)
		}
	}
}
