package trees

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/domain"
	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/model"
	"github.com/assize/assize/internal/result"
	"github.com/assize/assize/internal/tree"
	"github.com/assize/assize/internal/tree/exact"
)

func regressionProbe() measure.Probe {
	p := base()
	p.ID = "formal/regression"
	p.Doc = "Formal verification of a regression ensemble: for which rows no change within the threat model moves the output by more than the declared tolerance, proved.\n\n" +
		"The ensemble is read from the model file. Branch and bound over choices of one leaf per tree finds the nearest input whose output lies off the tolerance around the row's, or proves " +
		"that there is none within the threat model; where the budget runs out before, the row is unproven. Inputs that were found are asked of the model itself and count only " +
		"when it agrees. Relations of the domain bind what is found; proofs hold without them. The tolerance is the level that the manifest declares for worst_change."
	p.Metrics = []string{"broken_share", "unproven_share", "verified_share"}
	p.Cites = []string{
		"Kantchelian, Tygar, Joseph: Evasion and Hardening of Tree Ensemble Classifiers. ICML 2016, arXiv 1509.07892",
		"AI Act Art. 15(4)", "AI Act Art. 15(5)", "ENISA Evasion",
	}
	p.Needs = measure.Needs{Model: true, Data: true, Domain: true, Value: true, Files: true, Trees: true}
	p.Params = append(p.Params, measure.Param{
		Name: "tolerance", Doc: "largest change of the output that is borne; 0 where none is declared", Unit: "of the output",
		Quick: 0.0, Standard: 0.0, Thorough: 0.0, Manifest: "declared.worst_change.at_most",
	})
	p.Run, p.Join = runRegression, joinRegression
	return p
}

// The columns of the table, in this order; one per feature follows.
const (
	numWhy = iota
	numAnswered
	numInside
	numAgrees
	numProven
	numBroken
	numFound
	numFeasible
	numChange
	numDistance
	numBoxes
	numColumns
)

// numberReader is an ensemble whose one sum is the model's output.
type numberReader struct {
	bare    *model.Model
	g       *exact.Engine
	program *tree.Program
}

// openNumber reads the ensemble; why is not zero where that cannot be done.
func openNumber(c *measure.Case, unit string) (*numberReader, reason, error) {
	bare, err := c.Model.With(nil)
	if err != nil {
		return nil, 0, err
	}
	why := notTrees
	for _, f := range c.Files {
		if f.Kind != artefact.Model {
			continue
		}
		e := ensemble(f.OpenPath)
		switch {
		case e == nil:
			continue
		case e.Features != c.Data.Width || e.Features != c.Domain.Len():
			why = otherWidth
			continue
		case e.Outputs != 1 || e.Link != tree.Identity:
			why = linkUnread
			continue
		}
		g, err := exact.New(e, space(c.Domain, unit))
		if err != nil {
			c.Logf("%v", err)
			why = notSearchable
			continue
		}
		return &numberReader{bare: bare, g: g, program: e.Compile()}, 0, nil
	}
	return nil, why, nil
}

// runRegression searches every row for an output off the tolerance.
func runRegression(ctx context.Context, c *measure.Case) (*result.Result, error) {
	norm, ok := map[string]exact.Norm{"linf": exact.Linf, "l1": exact.L1, "l2": exact.L2}[c.Params.Text("norm")]
	unit, tolerance, epsilon := c.Params.Text("unit"), c.Params.Float("tolerance"), c.Params.Float("epsilon")*(1+1e-6)
	if !ok || unit != "range" && unit != "raw" || !(epsilon > 0) || c.Params.Int("boxes") < 1 {
		return nil, fmt.Errorf("read parameters: norm %q, unit %q, epsilon %v, boxes %v\nhint: norms are linf, l2 and l1, units range and raw; epsilon and boxes are above 0",
			c.Params.Text("norm"), unit, c.Params.Float("epsilon"), c.Params.Float("boxes"))
	}
	rows := numberTable(c)
	put := func(column, i int, v float64) { rows.Columns[column].Values[i] = v }
	yes := func(column, i int, is bool) {
		if is {
			put(column, i, 1)
		}
	}
	r, why, err := openNumber(c, unit)
	if err != nil {
		return nil, err
	}
	if why == 0 && !(tolerance > 0) {
		why = noTolerance
	}
	var a, found model.Answers
	if why == 0 {
		if err := r.bare.Predict(ctx, c.Data.X, len(c.Index), &a); err != nil {
			return nil, err
		}
	}
	out := make([]float64, 1)
	for i := range c.Index {
		if put(numWhy, i, float64(why)); why != 0 {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		x, y := c.Data.Row(i), float64(a.Row(i)[0])
		inside := c.Domain.Feasible(x, x)
		yes(numInside, i, inside)
		if math.IsNaN(y) || math.IsInf(y, 0) {
			continue
		}
		put(numAnswered, i, 1)
		r.program.Margins32(x, out)
		agrees := math.Abs(out[0]-y) <= r.noise(y)
		yes(numAgrees, i, agrees)
		if !inside || !agrees {
			continue
		}
		aim, slack := exact.Outside(y-tolerance, y+tolerance), r.noise(math.Abs(y)+tolerance)
		got, err := r.g.Search(ctx, x, aim, exact.Options{Norm: norm, Slack: slack, Boxes: c.Params.Int("boxes"), Accept: accepts(c.Domain, x)})
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return nil, fmt.Errorf("search row %d: %w", c.Index[i], err)
		}
		put(numBoxes, i, float64(got.Boxes))
		yes(numProven, i, got.Lower > epsilon)
		c.Done(0.999 * float64(i+1) / float64(len(c.Index)))
		if got.Witness == nil || got.Upper > epsilon {
			continue
		}
		if err := r.bare.Predict(ctx, got.Witness, 1, &found); err != nil {
			return nil, err
		}
		change := math.Abs(float64(found.Row(0)[0]) - y)
		put(numFound, i, 1)
		put(numDistance, i, got.Upper)
		yes(numFeasible, i, c.Domain.Feasible(got.Witness, x))
		if !math.IsNaN(change) && !math.IsInf(change, 0) {
			put(numChange, i, change)
			yes(numBroken, i, change > tolerance)
		}
		for j, v := range got.Witness {
			put(numColumns+j, i, float64(v))
		}
	}
	c.Done(1)
	return &result.Result{State: result.Measured, Rows: rows}, nil
}

// noise bounds how far the runtime's output can lie from the exact sum at about a value.
func (r *numberReader) noise(at float64) float64 {
	return r.g.Rounding(exact.Half{Weights: []float64{1}, Above: at}) + math.Abs(at)*0x1p-22
}

// accepts puts an input that breaks a relation onto the domain, or refuses it.
func accepts(d *domain.Domain, orig []float32) func([]float32) ([]float32, bool) {
	return func(x []float32) ([]float32, bool) {
		return x, d.Feasible(x, orig) || d.Project(x, orig)
	}
}

func numberTable(c *measure.Case) *result.Rows {
	rows := &result.Rows{Index: slices.Clone(c.Index), Columns: []result.Column{
		{Name: "why", Doc: "0, or the number of the reason why the model cannot be searched"},
		{Name: "answered", Doc: "1: the row as it is gets a number"},
		{Name: "inside", Doc: "1: the row itself lies in the domain; a row outside is not searched"},
		{Name: "agrees", Doc: "1: the ensemble that was read gives the row's output as the model does, up to rounding"},
		{Name: "proven", Doc: "1: proved that no change within the threat model moves the output by more than the tolerance"},
		{Name: "broken", Doc: "1: the model itself moves by more than the tolerance for what was found"},
		{Name: "found", Doc: "1: an input within the threat model was found whose sum lies off the tolerance"},
		{Name: "feasible", Doc: "1: what was found is feasible as a change of the row"},
		{Name: "change", Doc: "by how much the model's output moves for what was found", Unit: "of the output"},
		{Name: "distance", Doc: "of what was found, in the threat model's norm and unit; 0 where nothing was"},
		{Name: "boxes", Doc: "boxes of inputs that were tried"},
	}}
	for _, f := range c.Domain.Features() {
		rows.Columns = append(rows.Columns, result.Column{Name: "x." + f.Name, Doc: "what was found; 0 where nothing was", Unit: f.Unit, Data: true})
	}
	for i := range rows.Columns {
		rows.Columns[i].Values = make([]float64, len(c.Index))
	}
	return rows
}

func joinRegression(j *measure.Joint) (*result.Result, error) {
	rows := j.Rows
	for _, why := range rows.Column("why") {
		if why != 0 {
			return result.Unmeasured(result.NotApplicable, reason(why).text()), nil
		}
	}
	total := func(name string) (n int) {
		for _, v := range rows.Column(name) {
			n += int(v)
		}
		return n
	}
	n, answered, proven, broken, found, feasible := rows.Len(), total("answered"), total("proven"), total("broken"), total("found"), total("feasible")
	if answered == 0 {
		return result.Unmeasured(result.NotApplicable, fmt.Sprintf("none of the %d rows gets a number as it is", n)), nil
	}
	r := &result.Result{State: result.Measured, Metrics: map[string]result.Metric{}}
	for name, k := range map[string]int{"verified_share": proven, "broken_share": broken, "unproven_share": answered - proven - broken} {
		m, err := share(k, answered)
		if err != nil {
			return nil, err
		}
		r.Metrics[name] = m
	}
	both := 0
	for i, v := range rows.Column("proven") {
		both += int(v * rows.Column("broken")[i])
	}
	r.Check("enough-rows", answered >= 30, fmt.Sprintf("%d of %d rows get a number; 30 are needed.", answered, n))
	r.Check("rows-inside-domain", 20*(n-total("inside")) <= n, fmt.Sprintf("%d of %d rows lie outside the domain and are not searched; one in twenty may.", n-total("inside"), n))
	r.Check("ensemble-is-the-model", total("agrees") == answered, fmt.Sprintf("For %d of %d rows the ensemble read from the file gives the model's own output.", total("agrees"), answered))
	r.Check("final-inputs-feasible", feasible == found, fmt.Sprintf("%d of %d inputs that were found are feasible as changes of their rows.", feasible, found))
	r.Check("proof-and-attack-agree", both == 0, fmt.Sprintf("%d rows are both proved and broken.", both))
	return r, nil
}
