package attack_test

import (
	"context"
	"math"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assize/assize/internal/attack"
	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/model"
)

// evaluator hides that an oracle takes steps.
type evaluator struct{ attack.Oracle }

// TestStepper wants of attacks whose steps the graph takes all that those find which
// take them themselves: rows end early and others take their places, restarts, steps that halve and bounds that bite included.
func TestStepper(t *testing.T) {
	x, y := digits(t, 150)
	n := openFile(t, filepath.Join("..", "..", "examples", "digits", "model.onnx"), x, y)
	w := len(x) / len(y)
	for _, p := range []attack.Method{attack.PGD{Steps: 12}, attack.PGD{Steps: 7, Step: 0.03, FromRow: true}, attack.APGD{Steps: 30}, attack.APGD{Steps: 20, Wide: true}} {
		threat := box(w, attack.Linf, 0.05)
		find := func(o attack.Oracle) []attack.Found {
			for i := range n.rows {
				n.rows[i].Rand = measure.Seed{3}.Row(i)
			}
			found, err := attack.Run(t.Context(), o, threat, attack.Plan{Method: p, Restarts: 2}, n.rows, 20, nil)
			if err != nil {
				t.Fatal(err)
			}
			return found
		}
		got, want := find(n.grad), find(evaluator{n.grad})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%T%+v with the graph's steps (-own +graph):\n%.2000s", p, p, diff)
		}
		won := 0
		for _, f := range got {
			if f.Won {
				won++
			}
		}
		if won == 0 || won == len(got) {
			t.Errorf("%d of %d rows won: no row ends early, or all do", won, len(got))
		}
	}
}

// holed is a plane whose gradient is no number in one feature, or in all, and that takes steps.
type holed struct {
	*plane
	holes int
}

func (h holed) Evaluate(ctx context.Context, loss model.Loss, x []float32, aims []model.Aim, s *model.Slopes) error {
	err := h.plane.Evaluate(ctx, loss, x, aims, s)
	for i := range s.Gradient {
		if i%width < h.holes {
			s.Gradient[i] = float32(math.NaN())
		}
	}
	return err
}

func (h holed) Advance(ctx context.Context, loss model.Loss, x []float32, aims []model.Aim, step *model.Step, s *model.Slopes) error {
	err := h.Evaluate(ctx, loss, x, aims, s)
	inside := func(i int, v float32) float32 { return min(max(v, step.Lo[i]), step.Hi[i]) }
	for i, g := range s.Gradient {
		sign := g
		if g == g {
			sign = float32(math.Copysign(1, float64(g)))
		}
		if m := step.Momentum; m != nil {
			a := m.Shares[i/width]
			z := inside(i, x[i]+m.Lengths[i/width]*sign)
			step.Next[i] = inside(i, x[i]+a*(z-x[i])+(1-a)*(x[i]-m.Before[i]))
			continue
		}
		s.Gradient[i] = step.Length * sign
		step.Next[i] = inside(i, x[i]+s.Gradient[i])
	}
	return err
}

func TestStepperWithoutNumbers(t *testing.T) {
	for k := range 6 {
		holes := []int{0, 1, width}[k%3]
		method := []attack.Method{attack.PGD{Steps: 9}, attack.APGD{Steps: 19}}[k/3]
		h := holed{newPlane(), holes}
		find := func(o attack.Oracle) []attack.Found {
			found, err := attack.Run(t.Context(), o, wide(attack.Linf, 0.1), attack.Plan{Method: method}, points(h.plane, 30), 8, nil)
			if err != nil {
				t.Fatal(err)
			}
			return found
		}
		if diff := cmp.Diff(find(evaluator{h}), find(h)); diff != "" {
			t.Errorf("%T, %d features without a number (-own +stepper):\n%.2000s", method, holes, diff)
		}
	}
}
