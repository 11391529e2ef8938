package trees

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"

	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/domain"
	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/model"
	"github.com/assize/assize/internal/result"
	"github.com/assize/assize/internal/tree"
	"github.com/assize/assize/internal/tree/exact"
)

// reason says why an ensemble cannot be searched; it travels in the rows, since
// a row's result holds numbers alone.
type reason float64

const (
	notTrees reason = iota + 1
	otherWidth
	ruleUnread
	linkUnread
	notSearchable
	noTolerance
)

// text is the reason in words.
func (r reason) text() string {
	switch r {
	case noTolerance:
		return "the manifest declares no tolerance: declared.worst_change.at_most"
	case notTrees:
		return "the model file holds no tree ensemble that can be read with every step before and behind it"
	case otherWidth:
		return "the ensemble does not read the columns of the data one by one"
	case ruleUnread:
		return "a rule with a threshold per class is not a comparison of sums of trees"
	case linkUnread:
		return "the decision rule reads a number that is not a rising function of one sum of trees"
	}
	return "the trees split in a way that exact search does not take, such as by equality on a feature without a short list of values"
}

// The columns of the table, in this order; one per feature follows.
const (
	colWhy = iota
	colAttackable
	colRight
	colInside
	colAgrees
	colLower
	colNever
	colExact
	colFound
	colDistance
	colGained
	colFeasible
	colBroken
	colProven
	colStands
	colBoxes
	ownColumns
)

func table(c *measure.Case) *result.Rows {
	r := &result.Rows{Index: slices.Clone(c.Index), Columns: []result.Column{
		{Name: "why", Doc: "0, or the number of the reason why the model cannot be searched"},
		{Name: "attackable", Doc: "1: there is something to gain by changing the row"},
		{Name: "right", Doc: "1: unchanged, the row is decided as its label says"},
		{Name: "inside", Doc: "1: the row itself lies in the domain; a row outside is not searched"},
		{Name: "agrees", Doc: "1: the ensemble that was read decides the row, and what was found, as the model itself does"},
		{Name: "lower", Doc: "proved: no feasible change nearer than this gains, in the threat model's norm and unit; 0 where never is 1"},
		{Name: "never", Doc: "1: proved that no feasible change at all gains"},
		{Name: "exact", Doc: "1: the search ended; lower is the distance of the nearest change that gains"},
		{Name: "found", Doc: "1: the search found a feasible change of the ensemble's decision that gains"},
		{Name: "distance", Doc: "of what was found; 0 where nothing was"},
		{Name: "gained", Doc: "1: the system gives the gain for what was found"},
		{Name: "feasible", Doc: "1: what was found is feasible as a change of the row"},
		{Name: "broken", Doc: "1: a change within the threat model gains"},
		{Name: "proven", Doc: "1: proved that no change within the threat model gains"},
		{Name: "stands", Doc: "1: right, and no change within the threat model was found that gains"},
		{Name: "boxes", Doc: "boxes of inputs that were tried"},
	}}
	for _, f := range c.Domain.Features() {
		r.Columns = append(r.Columns, result.Column{Name: "x." + f.Name, Doc: "what was found, or the row itself", Unit: f.Unit, Data: true})
	}
	for i := range r.Columns {
		r.Columns[i].Values = make([]float64, len(c.Index))
	}
	return r
}

// runFormal searches the model without its solutions: what a proof speaks of.
func runFormal(ctx context.Context, c *measure.Case) (*result.Result, error) {
	bare, err := c.Model.With(nil)
	if err != nil {
		return nil, err
	}
	alone := *c
	alone.Model = bare
	return run(ctx, &alone)
}

// run searches every row that has something to gain. Nothing in it depends on
// the clock, so both probes and every split of the rows get the same answers.
func run(ctx context.Context, c *measure.Case) (*result.Result, error) {
	if c.Data.Y == nil {
		return nil, errors.New("read labels: the test data's labels are not classes\nhint: name the classes under interface.output.classes, or use whole numbers from 0")
	}
	norm, ok := map[string]exact.Norm{"linf": exact.Linf, "l1": exact.L1, "l2": exact.L2}[c.Params.Text("norm")]
	unit := c.Params.Text("unit")
	if !ok || unit != "range" && unit != "raw" || !(c.Params.Float("epsilon") > 0) || c.Params.Int("boxes") < 1 {
		return nil, fmt.Errorf("read parameters: norm %q, unit %q, epsilon %v, boxes %v\nhint: norms are linf, l2 and l1, units range and raw; epsilon and boxes are above 0",
			c.Params.Text("norm"), unit, c.Params.Float("epsilon"), c.Params.Float("boxes"))
	}
	s := &searcher{c: c, rows: table(c), norm: norm}
	why, err := s.open(unit)
	if err != nil {
		return nil, err
	}
	if why != 0 {
		for i := range c.Index {
			s.rows.Columns[colWhy].Values[i] = float64(why)
		}
		c.Done(1)
		return &result.Result{State: result.Measured, Rows: s.rows}, nil
	}
	var a, plain model.Answers
	if err := c.Model.Usual(ctx, c.Data.X, c.Index, &a, make([]model.Decision, len(c.Index))); err != nil {
		return nil, err
	}
	if err := s.bare.Predict(ctx, c.Data.X, len(c.Index), &plain); err != nil {
		return nil, err
	}
	for i := range c.Index {
		if err := s.row(ctx, i, &a, s.bare.Decision(&plain, i)); err != nil {
			return nil, err
		}
		c.Done(float64(i) / float64(len(c.Index)))
	}
	c.Done(1)
	return &result.Result{State: result.Measured, Rows: s.rows}, nil
}

type searcher struct {
	c    *measure.Case
	rows *result.Rows
	norm exact.Norm
	bare *model.Model // without solutions: what the ensemble alone decides
	g    *exact.Engine
	r    *reading
	aims map[standing]aimed
}

// standing is where an attacker stands and by how much scores must clear a cut.
type standing struct {
	from  model.Decision
	clear float64
}

type aimed struct {
	aim   exact.Aim
	slack float64
}

// fileLimit bounds the model file that is read for its trees.
const fileLimit = 1 << 30

func (s *searcher) open(unit string) (reason, error) {
	var err error
	if s.bare, err = s.c.Model.With(nil); err != nil {
		return 0, err
	}
	why := notTrees
	for _, f := range s.c.Files {
		if f.Kind != artefact.Model {
			continue
		}
		e := ensemble(f.OpenPath)
		if e == nil {
			continue
		}
		if e.Features != s.c.Data.Width || e.Features != s.c.Domain.Len() {
			why = otherWidth
			continue
		}
		if s.r, why = read(s.bare, e); why != 0 {
			continue
		}
		if s.g, err = exact.New(e, space(s.c.Domain, unit)); err != nil {
			s.c.Logf("%v", err)
			why = notSearchable
			continue
		}
		s.aims = map[standing]aimed{}
		return 0, nil
	}
	return why, nil
}

// ensemble reads a file's trees; nil where it holds none that can be read.
func ensemble(path string) *tree.Ensemble {
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, fileLimit))
	if err != nil {
		return nil
	}
	e, err := tree.Read(b, tree.DefaultLimits())
	if err != nil {
		return nil
	}
	return e
}

// space is the domain without its relations.
func space(d *domain.Domain, unit string) exact.Space {
	var s exact.Space
	groups := map[string]int{}
	for i, f := range d.Features() {
		w := 1.0
		if unit == "range" {
			w = 1 / d.Scale()[i]
		}
		move := map[domain.Mutability]exact.Move{domain.No: exact.Fixed, domain.Up: exact.Up, domain.Down: exact.Down}[f.Mutable]
		s.Features = append(s.Features, exact.Feature{Min: f.Min, Max: f.Max, Integer: f.Type != domain.Real, Move: move, Weight: w})
		if f.Group == "" {
			continue
		}
		at, ok := groups[f.Group]
		if !ok {
			at = len(s.Groups)
			groups[f.Group] = at
			s.Groups = append(s.Groups, nil)
		}
		s.Groups[at] = append(s.Groups[at], i)
	}
	return s
}

// row searches one row. With is what the system decides with its solutions,
// bare what the model alone does.
func (s *searcher) row(ctx context.Context, i int, a *model.Answers, bare model.Decision) error {
	c, x := s.c, s.c.Data.Row(i)
	put := func(col int, v float64) { s.rows.Columns[col].Values[i] = v }
	flag := func(col int, yes bool) {
		if yes {
			put(col, 1)
		}
	}
	for j, v := range x {
		if !math.IsNaN(float64(v)) && !math.IsInf(float64(v), 0) {
			put(ownColumns+j, float64(v))
		}
	}
	from := c.Model.Decision(a, i)
	class := c.Model.ClassOf(from, a, i)
	right := class >= 0 && class == c.Data.Y[i]
	attackable := c.Model.Attackable(from, class, c.Data.Y[i])
	inside := c.Domain.Feasible(x, x)
	flag(colRight, right)
	flag(colStands, right)
	flag(colAttackable, attackable)
	flag(colInside, inside)
	agrees := bare >= 0 && s.r.agrees(s.g, x, bare)
	flag(colAgrees, agrees)
	if !attackable || !inside || !agrees {
		return nil
	}
	got, err := s.search(ctx, i, from, 0)
	if err != nil {
		return err
	}
	gained := false
	if got.Witness != nil {
		if gained, err = s.gains(ctx, i, got.Witness, from); err != nil {
			return err
		}
	}
	// A system that rounds its answers gives another decision only past the cut.
	for _, clear := range []float64{0.0005, 0.005, 0.05} {
		if gained || got.Witness == nil || c.Model.Unlimited() || s.r.weights == nil {
			break
		}
		past, err := s.search(ctx, i, from, clear)
		if err != nil {
			return err
		}
		if past.Witness == nil {
			break
		}
		if gained, err = s.gains(ctx, i, past.Witness, from); err != nil {
			return err
		}
		if gained {
			got.Witness, got.Upper = past.Witness, past.Upper
		}
	}
	put(colBoxes, float64(got.Boxes))
	// Of a system that is random on purpose the trees alone prove nothing.
	sure := !c.Model.Random()
	flag(colExact, got.Exact && sure)
	never := math.IsInf(got.Lower, 1) && sure
	flag(colNever, never)
	if !never && sure {
		put(colLower, got.Lower)
	}
	epsilon := c.Params.Float("epsilon") * (1 + 1e-6)
	proven := got.Lower > epsilon && sure
	if got.Witness != nil {
		var alone [1]model.Decision
		if err := s.bare.Decide(ctx, got.Witness, 1, alone[:]); err != nil {
			return err
		}
		agrees = s.bare.Gains(from, alone[0])
		broken := gained && got.Upper <= epsilon
		put(colFound, 1)
		put(colDistance, got.Upper)
		put(colAgrees, 0)
		flag(colAgrees, agrees)
		flag(colGained, gained)
		flag(colFeasible, c.Domain.Feasible(got.Witness, x))
		flag(colBroken, broken)
		put(colStands, 0)
		flag(colStands, right && !broken)
		for j, v := range got.Witness {
			put(ownColumns+j, float64(v))
		}
	}
	flag(colProven, proven)
	return nil
}

// search looks for the nearest change of row i that gains.
func (s *searcher) search(ctx context.Context, i int, from model.Decision, clear float64) (exact.Result, error) {
	k := standing{from, clear}
	to, ok := s.aims[k]
	if !ok {
		to.aim, to.slack = s.r.aim(s.g, from, clear)
		s.aims[k] = to
	}
	if to.aim == nil {
		return exact.Result{Lower: math.Inf(1), Upper: math.Inf(1), Exact: true, Goal: -1}, nil
	}
	x := s.c.Data.Row(i)
	got, err := s.g.Search(ctx, x, to.aim, exact.Options{Norm: s.norm, Slack: to.slack, Boxes: s.c.Params.Int("boxes"), Accept: s.accept(x)})
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return got, fmt.Errorf("search row %d: %w", s.c.Index[i], err)
	}
	return got, nil
}

// gains asks the system itself.
func (s *searcher) gains(ctx context.Context, i int, x []float32, from model.Decision) (bool, error) {
	return s.c.Model.Gained(ctx, from, s.c.Index[i], x)
}

// accept puts an input that breaks a relation onto the domain, or refuses it.
func (s *searcher) accept(orig []float32) func([]float32) ([]float32, bool) {
	return func(x []float32) ([]float32, bool) {
		if s.c.Domain.Feasible(x, orig) {
			return x, true
		}
		return x, s.c.Domain.Project(x, orig)
	}
}
