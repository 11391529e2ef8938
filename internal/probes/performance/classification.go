package performance

import (
	"context"
	"errors"
	"fmt"

	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/model"
	"github.com/assize/assize/internal/result"
)

var classification = measure.Probe{
	ID: "performance/classification", Version: 1,
	Doc: `How right are the decisions, class by class, and how good are the probabilities behind them?

Every metric of ISO/IEC TS 4213 for classification and the usual ones beside
it, under the system's own decision rule. With two classes, or a cut-off, the
metrics that speak of one class speak of the positive one; else they are plain means
over the classes. A row that the system refuses, leaves to a person without naming a class, or
answers with something that is no number counts as not right.`,
	Metrics: []string{
		"accuracy", "auc", "balanced_accuracy", "brier", "calibration_error", "f1", "f_beta",
		"gini", "kl_divergence", "ks", "log_loss", "mcc", "precision", "recall", "referred", "refused", "specificity",
		"unusable",
	},
	Goals:   []string{"accuracy"},
	Threats: []string{"model-flaws"},
	Cites:   []string{"ISO/IEC TS 4213:2022, 6.2", "AI Act Art. 15(1)", "AI Act Art. 15(3)"},
	Needs:   measure.Needs{Model: true, Data: true, Labels: true, Rule: true},
	Params:  []measure.Param{rowsParam(200000)},
	Rows:    rows,
	Switch:  true,
	Paired:  "right",
	Queries: rows,
	Run:     runClassification,
	Join:    joinClassification,
}

// maxKept is the largest number of classes whose probabilities are all kept.
const maxKept = 50

// slack is how far a probability may leave [0, 1]: libraries sum float32 values of trees.
const slack = 1e-5

// The columns of a row, beside the probabilities.
const (
	colLabel     = "label"
	colPredicted = "predicted" // class, -1 none
	colDecision  = "decision"  // outcome of the rule, -1 refused, -2 unusable
	colRight     = "right"
	colScored    = "scored" // 1 where scores or probabilities stand in the columns behind
	colScore     = "score"  // of the positive class, where the model's scale is its own
	colOfLabel   = "p_label"
	colOfBest    = "p_best" // of the most probable class
	colBest      = "best_right"
	colBrier     = "brier"
)

// fixedColumns stand before the probabilities.
const fixedColumns = 5

func runClassification(ctx context.Context, c *measure.Case) (*result.Result, error) {
	m := c.Model
	if c.Data.Y == nil {
		return nil, errors.New("classify: the labels are not class indices\nhint: name the classes under interface.output.classes")
	}
	t := result.NewRows(c.Index, columnsFor(m)...)
	describe(t)
	get := func(name string) []float64 { return t.Column(name) }
	label, predicted, decision, right, scored := get(colLabel), get(colPredicted), get(colDecision), get(colRight), get(colScored)
	w := probabilityWriter{m: m, t: t, probs: make([]float64, m.Classes())}
	err := answer(ctx, c, m, func(row int, a *model.Answers, i int) error {
		y := c.Data.Y[row]
		if y < 0 || y >= m.Classes() {
			return fmt.Errorf("classify row %d: its label is class %d, the model tells classes 0 to %d apart\nhint: list the classes under interface.output.classes in the model's order, or correct the labels", c.Index[row], y, m.Classes()-1)
		}
		d := m.Decision(a, i)
		class := m.ClassOf(d, a, i)
		label[row], predicted[row], decision[row] = float64(y), float64(class), float64(d)
		right[row] = bit(correct(m.Rule(), y, class))
		if d < 0 {
			return nil
		}
		ok, err := w.write(row, y, a, i)
		if err != nil {
			return fmt.Errorf("classify row %d: %w", c.Index[row], err)
		}
		scored[row] = bit(ok)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &result.Result{State: result.Measured, Rows: t}, nil
}

// correct compares classes, of which a cut-off tells only two apart.
func correct(r *model.Rule, label, class int) bool {
	if r.Kind == model.Cutoff {
		return class >= 0 && (label == r.Positive) == (class == r.Positive)
	}
	return class == label
}

func columnsFor(m *model.Model) []string {
	names := []string{colLabel, colPredicted, colDecision, colRight, colScored}
	switch {
	case m.Kind() == model.Label:
	case m.Kind() == model.Score:
		names = append(names, colScore)
	case m.Classes() > maxKept:
		names = append(names, colOfLabel, colOfBest, colBest, colBrier)
	default:
		for c := range m.Classes() {
			names = append(names, probability(c))
		}
	}
	return names
}

func probability(class int) string { return fmt.Sprintf("p%d", class) }

func describe(t *result.Rows) {
	docs := map[string]string{
		colLabel:     "class in the test data",
		colPredicted: "class that the system commits itself to; -1 none",
		colDecision:  "outcome of the decision rule; -1 refused by a solution, -2 unusable answer",
		colRight:     "1 where predicted and label agree",
		colScored:    "1 where the columns behind hold an answer, 0 where they hold nothing",
		colScore:     "score of the positive class, on the model's own scale",
		colOfLabel:   "probability of the class in the test data",
		colOfBest:    "probability of the most probable class",
		colBest:      "1 where the most probable class is the one in the test data",
		colBrier:     "squared distance between the probabilities and the class as 0 and 1",
	}
	for i := range t.Columns {
		c := &t.Columns[i]
		c.Doc, c.Data = docs[c.Name], c.Name == colLabel
		if c.Doc == "" {
			c.Doc = "probability of class " + c.Name[1:]
		}
	}
}

// probabilityWriter puts a row's probabilities, or its score, into the table.
type probabilityWriter struct {
	m     *model.Model
	t     *result.Rows
	probs []float64
}

func (w *probabilityWriter) write(row, label int, a *model.Answers, i int) (bool, error) {
	m := w.m
	if m.Kind() == model.Score {
		w.t.Column(colScore)[row] = float64(a.Row(i)[0])
		return true, nil
	}
	if !m.Probabilities(a, i, w.probs) {
		return false, nil
	}
	for c, p := range w.probs {
		if p != p {
			return false, nil // a logit of infinity: the decision stands, a probability does not
		}
		if p < -slack || p > 1+slack {
			return false, fmt.Errorf("the output for class %d is %g, which is no probability\nhint: set interface.output.kind to logits if the model ends before its softmax", c, p)
		}
		w.probs[c] = min(1, max(0, p))
	}
	if m.Classes() <= maxKept {
		for c, p := range w.probs {
			w.t.Columns[fixedColumns+c].Values[row] = p
		}
		return true, nil
	}
	best, squares, sum := 0, 0.0, 0.0
	for c, p := range w.probs {
		if p > w.probs[best] {
			best = c
		}
		d := p - bit(c == label)
		squares += d * d
		sum += p
	}
	if sum < 0.9 || sum > 1.1 {
		return false, fmt.Errorf("the outputs add up to %g, not to 1\nhint: set interface.output.kind to logits if the model ends before its softmax", sum)
	}
	w.t.Column(colOfLabel)[row], w.t.Column(colOfBest)[row] = w.probs[label], w.probs[best]
	w.t.Column(colBest)[row], w.t.Column(colBrier)[row] = bit(best == label), squares
	return true, nil
}
