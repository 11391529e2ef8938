// Package attack looks for changes of rows that gain a decision by following
// gradients: FGSM, projected gradient descent, APGD, FAB and Carlini-Wagner, for
// changes bounded in L-inf, L2 or L1. An attack is sequential code on one row;
// many rows are walked in lockstep, so that each step of all of them costs one
// run of the model, and a row that is done makes room for the next. What
// becomes of a row depends on the row, its source of randomness and the model
// alone, never on the rows beside it.
package attack

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/assize/assize/internal/model"
)

// Oracle answers points with losses and gradients; *model.Gradient is one.
type Oracle interface {
	Evaluate(ctx context.Context, loss model.Loss, x []float32, aims []model.Aim, into *model.Slopes) error
}

// Stepper is an Oracle that takes the steps of PGD and APGD in L-inf itself, where nothing but
// a ball and a box bounds them; *model.Gradient is one.
type Stepper interface {
	Advance(ctx context.Context, loss model.Loss, x []float32, aims []model.Aim, step *model.Step, into *model.Slopes) error
}

// Norm is how the size of a change is measured.
type Norm string

// The norms.
const (
	Linf Norm = "linf"
	L2   Norm = "l2"
	L1   Norm = "l1"
)

// Threat says which changes count: those of a size up to Epsilon in Norm that
// stay in the box from Lo to Hi and, where Settle is given, in the domain.
// Slices have one number a feature.
type Threat struct {
	Norm    Norm
	Epsilon float64 // in displacements
	Lo, Hi  []float32
	Scale   []float32 // feature units in a displacement of 1; nil: all 1
	Frozen  []bool    // features that cannot change; nil: none
	Whole   []bool    // features whose values are whole numbers; nil: none
	// Settle moves x onto the domain as a change of orig and says whether it
	// could; nil where the box is the domain. The walk itself goes on from
	// where it was, with the gradient of the settled point.
	Settle func(x, orig []float32) bool
}

// Row is one row under attack.
type Row struct {
	X       []float32
	From    model.Decision // of X
	Targets []int          // columns of scores to aim at, best first, for a Plan that has targets; see Aim
	Rand    *rand.Rand
}

// Method is one way of walking: FGSM, PGD, APGD, FAB or CarliniWagner.
type Method interface {
	// walk attacks once, from the start numbered so; start 0 of FAB is the row itself.
	walk(w *walk, start int)
	// nearest tells whether the method looks for the smallest change, so that
	// it goes on after the first that gains.
	nearest() bool
	check() error
	// guide returns the steps that a Stepper can take in a ball of that size in L-inf, without
	// room for them; nil: none.
	guide(epsilon float64) *model.Step
}

// Plan is an attack on every row: a method, the loss that it climbs, and how
// often it is repeated.
type Plan struct {
	Method   Method
	Loss     model.Loss
	Restarts int // starts of each target; 0 means 1
	Targets  int // targets of a row at most, one after another; 0: any outcome that gains
	// Enough ends a search for the smallest change as soon as one is inside Epsilon.
	Enough bool
}

// Aim fills in the targets of rows: the columns of scores that gain, that of
// the greatest score first. It asks for every row once.
func Aim(ctx context.Context, g *model.Gradient, rows []Row) error {
	var x []float32
	aims := make([]model.Aim, len(rows))
	for i, r := range rows {
		x = append(x, r.X...)
		aims[i] = model.Aim{From: r.From, Target: -1}
	}
	var s model.Slopes
	if err := g.Evaluate(ctx, model.Margin, x, aims, &s); err != nil {
		return err
	}
	k := g.Outcomes()
	for i := range rows {
		scores := s.Scores[i*k : (i+1)*k]
		rows[i].Targets = g.Targets(rows[i].From)
		slices.SortStableFunc(rows[i].Targets, func(a, b int) int { return cmp.Compare(scores[b], scores[a]) })
	}
	return nil
}

// Auto lists the white-box part of AutoAttack (Croce and Hein 2020, section
// 5): APGD on cross-entropy and, target by target, on DLR, then FAB. Each is
// meant for the rows that still stand after those before it.
func Auto(norm Norm, steps, targets int) []Plan {
	apgd := APGD{Steps: steps, Wide: norm == L1}
	return []Plan{
		{Method: apgd, Loss: model.CrossEntropy},
		{Method: apgd, Loss: model.TargetedDLR, Targets: targets},
		{Method: FAB{Steps: steps}, Loss: model.Margin, Targets: targets, Enough: true},
	}
}

// Found is what an attack found out about a row.
type Found struct {
	Won      bool      // a change gains; within Epsilon unless the method looks for the nearest
	X        []float32 // the nearest row that gains, in the domain; nil where none does
	Distance float64   // of X, in displacements
	Steps    int       // points at which the model was evaluated
	Flat     int       // of them, those whose gradient was 0 or no number in every feature
	Loss     float64   // the greatest loss seen; -Inf where there was none
}

// Within tells whether the change found is inside a size. Rounding to float32
// may add a millionth.
func (f *Found) Within(epsilon float64) bool { return f.Won && f.Distance <= epsilon*(1+1e-6) }

// Run carries out a plan on all rows, batch of them at a time, and returns what
// was found in their order. Done, where given, hears the number of rows that
// are finished. The error is the context's, the oracle's, or says what is
// wrong with the threat.
func Run(ctx context.Context, o Oracle, t *Threat, p Plan, rows []Row, batch int, done func(rows int)) ([]Found, error) {
	if err := errors.Join(t.check(rows), p.Method.check(), p.check(rows)); err != nil {
		return nil, fmt.Errorf("attack rows: %w", err)
	}
	d := newDesk(o, t, p, rows, min(max(1, batch), len(rows)))
	d.done = done
	return d.found, d.run(ctx)
}

func (p *Plan) check(rows []Row) error {
	for _, r := range rows {
		if p.Targets > 0 && len(r.Targets) == 0 {
			return errors.New("a row has no targets\nhint: call Aim before")
		}
	}
	return nil
}

func (t *Threat) check(rows []Row) error {
	switch t.Norm {
	case Linf, L2, L1:
	default:
		return fmt.Errorf("norm %q is unknown\nhint: norms are linf, l2 and l1", t.Norm)
	}
	if !(t.Epsilon >= 0) || math.IsInf(t.Epsilon, 0) {
		return fmt.Errorf("epsilon %v is not a size\nhint: it is finite and not below 0", t.Epsilon)
	}
	n := len(t.Lo)
	if len(t.Hi) != n || t.Scale != nil && len(t.Scale) != n || t.Frozen != nil && len(t.Frozen) != n || t.Whole != nil && len(t.Whole) != n {
		return errors.New("bounds and scales are of different lengths")
	}
	for _, s := range t.Scale {
		if !(s > 0) {
			return fmt.Errorf("a scale of %v is not above 0", s)
		}
	}
	for _, r := range rows {
		if len(r.X) != n {
			return fmt.Errorf("a row has %d values, the bounds have %d", len(r.X), n)
		}
	}
	return nil
}

// Distance is the size of the change from orig to x.
func (t *Threat) Distance(x, orig []float32) float64 {
	sum, most := 0.0, 0.0
	for i, v := range x {
		d := math.Abs(float64(v) - float64(orig[i]))
		if t.Scale != nil {
			d /= float64(t.Scale[i])
		}
		switch t.Norm {
		case Linf:
			most = max(most, d)
		case L2:
			sum += d * d
		default:
			sum += d
		}
	}
	switch t.Norm {
	case Linf:
		return most
	case L2:
		return math.Sqrt(sum)
	}
	return sum
}
