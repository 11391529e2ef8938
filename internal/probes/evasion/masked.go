package evasion

import (
	"context"
	"fmt"
	"strings"

	white "github.com/assize/assize/internal/attack"
	"github.com/assize/assize/internal/model"
	"github.com/assize/assize/internal/result"
)

// A measure can lead attacks astray without stopping them (obfuscated gradients; Athalye, Carlini and Wagner 2018):
// tested by an attack that does not know of it, it looks like a defence. For
// each switchable solution the rows that the attack broke, which knows of it, are attacked once more by one that does
// not, and asked of the system with the solution on. What then stands is hidden, not protected.

// The names of the columns that hold what came of it, with a solution's name behind.
const (
	unaware = "unaware."
	without = "without."
)

// stepped tells whether a solution leaves what is given out without a slope: who differentiates
// it sees none. Of the others one who does not know attacks the system without them.
func stepped(s model.Solution) bool {
	return s.Type == model.OutputRounding || s.Type == model.DecisionOnly
}

// apart tells whether a solution acts on several questions together, of which an attack that holds the model has no need.
func apart(s model.Solution) bool { return s.Type == model.QueryLimit || s.Type == model.Hysteresis }

// masked attacks by one who does not know of a solution, solution by solution, and adds two columns of each.
func (a *auto) masked(ctx context.Context, rows *result.Rows) error {
	broken := rows.Columns[colBroken].Values
	on := a.c.Model.On()
	for _, s := range on {
		if !s.Switchable || apart(s) {
			continue
		}
		known, gone := make([]float64, len(broken)), make([]float64, len(broken))
		for i := range broken {
			known[i], gone[i] = -1, -1
		}
		rows.Columns = append(rows.Columns,
			result.Column{Name: unaware + s.Name, Doc: "row that is broken, by an attack that does not know of the " + s.Type + ": 1 broken all the same, 0 not, -1 not tried", Values: known},
			result.Column{Name: without + s.Name, Doc: "row that stands, with the " + s.Type + " off: 1 broken, 0 not, -1 not tried", Values: gone})
		off, err := a.c.Model.With(names(on, s.Name))
		if err != nil {
			return err
		}
		off.Seed(a.c.Seed)
		b, err := a.on(ctx, off)
		if err != nil {
			return err
		}
		for i := range broken {
			b.state[i] = hit{attacked: a.state[i].attacked && (broken[i] == 1 || a.state[i].tested)}
		}
		if err := b.three(ctx); err != nil {
			return err
		}
		if stepped(s) {
			if err := a.blindly(ctx, broken, known); err != nil {
				return err
			}
		}
		for i := range broken {
			h := &b.state[i]
			switch {
			case !h.attacked:
			case broken[i] == 0:
				if gone[i] = 0; h.by > 0 {
					gone[i] = 1
				}
			case !stepped(s):
				known[i] = 0
				if h.by == 0 {
					break
				}
				gains, err := a.c.Model.Gained(ctx, a.rows[i].From, a.c.Index[i], h.found[0])
				if err != nil {
					return err
				}
				if gains {
					known[i] = 1
				}
			}
		}
	}
	return nil
}

// names are those of the solutions but one.
func names(of []model.Solution, but string) []string {
	out := []string{}
	for _, s := range of {
		if s.Name != but {
			out = append(out, s.Name)
		}
	}
	return out
}

// on is the same attack on another model, of which nothing is known yet.
func (a *auto) on(ctx context.Context, m *model.Model) (*auto, error) {
	grad, err := m.Gradient(ctx)
	if err != nil {
		return nil, err
	}
	grad.Average(a.c.Params.Int("average"))
	c := *a.c
	c.Model, c.Progress = m, nil
	b := *a
	b.c, b.grad, b.state = &c, grad, make([]hit, len(a.state))
	return &b, nil
}

// blindly attacks as one who differentiates what is given out where that has no slope: nothing leads on from where it starts.
func (a *auto) blindly(ctx context.Context, broken, known []float64) error {
	var rows []white.Row
	var at []int
	for i, is := range broken {
		if is == 1 {
			r := a.rows[i]
			r.Rand = a.c.Seed.Row(-3 - a.c.Index[i])
			rows, at = append(rows, r), append(at, i)
		}
	}
	if len(rows) == 0 {
		return nil
	}
	found, err := white.Run(ctx, &flat{m: a.c.Model}, a.threat, white.Plan{Method: white.PGD{Steps: 1}, Loss: model.CrossEntropy}, rows, a.grad.Batch(), nil)
	if err != nil {
		return err
	}
	for k, f := range found {
		known[at[k]] = 0
		if !f.Won {
			continue
		}
		gains, err := a.c.Model.Gained(ctx, rows[k].From, a.c.Index[at[k]], f.X)
		if err != nil {
			return err
		}
		if gains {
			known[at[k]] = 1
		}
	}
	return nil
}

// flat is a system as it looks to who differentiates answers that are rounded: it has no slope anywhere.
type flat struct {
	m       *model.Model
	answers model.Answers
}

// Evaluate implements attack.Oracle.
func (f *flat) Evaluate(ctx context.Context, _ model.Loss, x []float32, aims []model.Aim, into *model.Slopes) error {
	n := len(aims)
	if err := f.m.Predict(ctx, x, n, &f.answers); err != nil {
		return err
	}
	into.N, into.Loss, into.Won, into.Gradient = n, make([]float64, n), make([]bool, n), make([]float32, len(x))
	for i, a := range aims {
		into.Won[i] = f.m.Gains(a.From, f.m.Decision(&f.answers, i))
	}
	return nil
}

// masking adds the table and the share of rows that a solution hides, the largest of all solutions.
func (t *tally) masking(r *result.Result) error {
	table := result.Table{
		ID: result.Masking, Title: "What solutions hide from an attack that does not know of them",
		Head: []string{"Solution", "Rows with something to gain", "Resist an attack that does not know of it", "Resist one that does", "Hidden, with 95 % interval", "It"},
	}
	worst := result.Metric{Value: -1}
	for _, c := range t.rows.Columns {
		name, is := strings.CutPrefix(c.Name, unaware)
		if !is {
			continue
		}
		found, fell, tried := 0, 0, 0
		for i, v := range c.Values {
			if v == 1 {
				found++
			}
			if gone := t.rows.Column(without + name)[i]; gone >= 0 && t.attackable[i] {
				tried++
				fell += int(gone)
			}
		}
		hidden, err := share(t.brokens-found, t.attackables)
		if err != nil {
			return err
		}
		if hidden.Value > worst.Value {
			worst = hidden
		}
		n := float64(t.attackables)
		standing := 1 - float64(t.brokens)/n
		table.Rows = append(table.Rows, []string{
			name, fmt.Sprint(t.attackables), percent(1 - float64(found)/n), percent(standing),
			fmt.Sprintf("%s [%s, %s]", percent(hidden.Value), percent(hidden.Lower), percent(hidden.Upper)),
			verdict(hidden, standing*float64(fell)/float64(max(1, tried))),
		})
	}
	if len(table.Rows) > 0 {
		r.Metrics["masked_share"] = worst
		r.Tables = append(r.Tables, table)
	}
	return nil
}

// verdict is what a solution does, given the share of rows that it hides and that it stops.
func verdict(hidden result.Metric, stops float64) string {
	const worth = 0.01 // of the rows, at the lower end of the interval: less is an attack's own luck
	switch {
	case hidden.Lower <= worth:
		return "is not shown to hide gradients"
	case hidden.Value >= stops:
		return result.Hides + " and stops little"
	}
	return result.Hides + ", but stops more than it hides"
}

func percent(share float64) string { return fmt.Sprintf("%.1f %%", 100*share) }
