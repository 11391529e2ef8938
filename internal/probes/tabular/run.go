package tabular

import (
	"cmp"
	"context"
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
	"github.com/assize/assize/internal/tree/cheapest"
	"github.com/assize/assize/internal/tree/exact"
)

// The columns of the table, in this order; two per feature follow.
const (
	colBlind = iota
	colAttackable
	colFinite
	colInside
	colAgrees
	colFound
	colFeasible
	colFlips
	colStands
	colCost
	colLower
	colExact
	colNever
	colEmpty
	colReach
	colBoxes
	colEarly
	colWhite
	colClimbed
	colEvolved
	ownColumns
)

// What colReach holds.
const (
	someReach float64 = iota
	noneReach
	allReach
)

const (
	ownPrices   = "the owner's units"
	rangePrices = "shares of the ranges"
	// changed and groupOf start what the columns of changes say of themselves.
	changed = "change of the feature"
	groupOf = "one of "
	yesNo   = "yes or no"
)

func table(c *measure.Case, unit string) *result.Rows {
	r := &result.Rows{Index: append([]int(nil), c.Index...), Columns: []result.Column{
		{Name: "blind", Doc: "0: searched exactly; else along gradients and by evolution, because of what is numbered so: 1 no trees and no linear model in the file, 2 other columns, 3 a decision that is not that of sums, 4 answers that are random on purpose"},
		{Name: "attackable", Doc: "1: somebody gains from another decision on the row"},
		{Name: "finite", Doc: "1: every value of the row is a finite number; others are not searched"},
		{Name: "inside", Doc: "1: the row itself lies inside the domain"},
		{Name: "agrees", Doc: "1: the sums read from the file decide the row, and what was found, as the model does"},
		{Name: "found", Doc: "1: a change was found that gains"},
		{Name: "feasible", Doc: "1: it is feasible as a change of the row, checked once more"},
		{Name: "flips", Doc: "1: it is feasible and the system, asked once more, gives the gain"},
		{Name: "stands", Doc: "1: there is something to gain and no change was found that does; 1 too where there is nothing to gain"},
		{Name: "cost", Unit: unit, Doc: "price of the cheapest change that was found; 0 where none was"},
		{Name: "lower", Unit: unit, Doc: "nothing cheaper gains, proved; 0 with never"},
		{Name: "exact", Doc: "1: the two prices meet, or nothing gains"},
		{Name: "never", Doc: "1: proved that no feasible change gains"},
		{Name: "empty", Doc: "1: proved that no change of the row, nor the row itself, is feasible"},
		{Name: "reach", Doc: "1: no input of the domain can gain; 2: every one has the gain; 0: neither is known"},
		{Name: "boxes", Doc: "boxes of inputs that were looked at"},
		{Name: "early", Doc: "1: evolution had found a change that gains on half its queries, or gradients had"},
		{Name: "white", Doc: "1: the model's gradients were followed"},
		{Name: "climbed", Doc: "1: a change that gains was found along them"},
		{Name: "evolved", Doc: "1: evolution found one, and theirs, if any, was dearer"},
	}}
	for _, f := range c.Domain.Features() {
		r.Columns = append(r.Columns, result.Column{Name: "x." + f.Name, Doc: "what was found, or the row itself", Unit: f.Unit, Data: true})
	}
	for _, f := range c.Domain.Features() {
		unit := f.Unit
		switch {
		case f.Group != "":
			unit = groupOf + f.Group
		case f.Type == domain.Binary:
			unit = yesNo
		}
		r.Columns = append(r.Columns, result.Column{Name: "d." + f.Name, Doc: changed, Unit: unit, Data: true})
	}
	for i := range r.Columns {
		r.Columns[i].Values = make([]float64, len(c.Index))
	}
	return r
}

// prices are the owner's costs, or shares of the ranges where no feature that can change states one.
func prices(d *domain.Domain) (price []float64, unit string) {
	price, unit = make([]float64, d.Len()), rangePrices
	for i, f := range d.Features() {
		price[i] = f.Cost
		if f.Cost > 0 && f.Mutable != domain.No {
			unit = ownPrices
		}
	}
	if unit == rangePrices {
		for i, s := range d.Scale() {
			price[i] = 1 / s
		}
	}
	return price, unit
}

// searcher searches rows of one target with one set of solutions on.
type searcher struct {
	c    *measure.Case
	rows *result.Rows
	*ground
	g     *cheapest.Engine // nil: the model cannot be read
	white *model.Gradient  // nil: it can, or has none

	r    *reading
	aims map[model.Decision]aimed
	// reach is what colReach says of the whole target.
	reach float64
	err   error // of the model, asked by the search
	// answers is room for what the model says.
	answers model.Answers
}

type aimed struct {
	*standing
	aim      exact.Aim
	noise    float64
	rounding float64
}

// run searches every row that has something to gain. Nothing in it depends on
// the clock or on other rows.
func run(ctx context.Context, c *measure.Case) (*result.Result, error) {
	if c.Params.Int("work") < 1 {
		return nil, fmt.Errorf("read parameters: work %v\nhint: it is at least 1", c.Params.Float("work"))
	}
	price, unit := prices(c.Domain)
	s := &searcher{c: c, rows: table(c, unit), ground: newGround(c.Domain, price), aims: map[model.Decision]aimed{}}
	var a model.Answers
	decided := make([]model.Decision, len(c.Index))
	if err := c.Model.Usual(ctx, c.Data.X, c.Index, &a, decided); err != nil {
		return nil, err
	}
	why, err := s.open(a.K)
	if err != nil {
		return nil, err
	}
	if why != 0 {
		if s.white, err = c.Model.Gradient(ctx); err != nil {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			s.white = nil
			c.Logf("no gradients to follow: %v", err)
		}
	}
	for i := range c.Index {
		s.rows.Columns[colBlind].Values[i] = float64(why)
		s.rows.Columns[colReach].Values[i] = s.reach
		if err := s.row(ctx, i, decided[i]); err != nil {
			return nil, err
		}
		c.Done(float64(i) / float64(len(c.Index)))
	}
	c.Done(1)
	return &result.Result{State: result.Measured, Rows: s.rows}, nil
}

// fileLimit bounds the model file that is read.
const fileLimit = 1 << 30

func (s *searcher) open(columns int) (reason, error) {
	why := notRead
	for _, f := range s.c.Files {
		if f.Kind != artefact.Model {
			continue
		}
		m, width := contents(f.OpenPath)
		if width < 0 {
			continue
		}
		if width != s.c.Data.Width || width != s.c.Domain.Len() {
			why = otherWidth
			continue
		}
		if s.r, why = read(s.c.Model, m, columns); why != 0 {
			continue
		}
		var err error
		if s.g, err = cheapest.New(m, s.c.Domain, s.price); err != nil {
			return 0, err
		}
		favours := func(d model.Decision) bool { return s.c.Model.Rule().Favours(d, s.c.Model.Classes()) }
		switch {
		case !s.reaches(favours):
			s.reach = noneReach
		case !s.reaches(func(d model.Decision) bool { return d >= 0 && !favours(d) }):
			s.reach = allReach
		}
		return 0, nil
	}
	return why, nil
}

// reaches tells whether some row of the domain may get a decision that is wanted.
func (s *searcher) reaches(wanted func(model.Decision) bool) bool {
	aim, noise := s.r.after(model.Refused).aim(wanted)
	return slices.ContainsFunc(aim, func(halves []exact.Half) bool { return s.g.Reaches(halves, noise) })
}

// contents reads a file's trees or linear model; the width is −1 where it holds neither.
func contents(path string) (m cheapest.Model, width int) {
	f, err := os.Open(path)
	if err != nil {
		return m, -1
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, fileLimit))
	if err != nil {
		return m, -1
	}
	if e, err := tree.Read(b, tree.DefaultLimits()); err == nil {
		return cheapest.Model{Trees: e}, e.Features
	}
	if l, err := tree.ReadLinear(b, tree.DefaultLimits()); err == nil {
		return cheapest.Model{Linear: l}, l.Features
	}
	return m, -1
}

// row searches one row, which the system decided in a way.
func (s *searcher) row(ctx context.Context, i int, from model.Decision) error {
	c, x := s.c, s.c.Data.Row(i)
	put := func(col int, v float64) { s.rows.Columns[col].Values[i] = v }
	flag := func(col int, yes bool) { put(col, one(yes)) }
	finite := true
	for j, v := range x {
		if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
			finite = false
		} else {
			put(ownColumns+j, f)
		}
	}
	attackable := c.Model.Attackable(from, -1, -2)
	flag(colFinite, finite)
	flag(colInside, c.Domain.Feasible(x, x))
	flag(colAttackable, attackable)
	flag(colStands, true)
	flag(colAgrees, true)
	if !attackable || !finite {
		return nil
	}
	if s.g == nil {
		return s.blind(ctx, i, from)
	}
	to := s.aim(from)
	flag(colAgrees, to.agrees(x, from, to.rounding))
	if to.aim == nil {
		flag(colNever, true)
		flag(colExact, true)
		return nil
	}
	got, err := s.g.Search(ctx, x, to.aim, cheapest.Options{Noise: to.noise, Work: c.Params.Int("work"), Accept: s.gains(ctx, i, from)})
	if err = cmp.Or(s.err, err); err != nil {
		return fmt.Errorf("search row %d: %w", c.Index[i], err)
	}
	put(colBoxes, float64(got.Boxes))
	flag(colExact, got.Exact)
	flag(colEmpty, got.Empty)
	never := math.IsInf(got.Lower, 1)
	flag(colNever, never)
	if !never {
		put(colLower, got.Lower)
	}
	return s.found(ctx, i, from, got.X, got.Upper)
}

// blind searches row i without a proof, along gradients where there are any, and by evolution,
// whose budget does not depend on what gradients found: the cheaper of the two changes that gain is kept, so that the
// result is never worse than that of evolution alone.
func (s *searcher) blind(ctx context.Context, i int, from model.Decision) error {
	var best evolved
	climbed := false
	if s.white != nil {
		s.rows.Columns[colWhite].Values[i] = 1
		got, err := s.climb(ctx, i, from, s.c.Params.Int("steps"))
		if err == nil {
			best, err = s.polish(ctx, i, from, got)
		}
		if err == nil {
			err = s.found(ctx, i, from, best.x, best.cost)
		}
		if err != nil {
			return fmt.Errorf("search row %d along gradients: %w", s.c.Index[i], err)
		}
		climbed = s.rows.Columns[colFlips].Values[i] == 1
		s.rows.Columns[colClimbed].Values[i] = one(climbed)
	}
	got, err := s.evolve(ctx, i, from, s.c.Params.Int("queries"))
	if err == nil {
		got, err = s.polish(ctx, i, from, got)
	}
	if err == nil && got.x != nil && !(climbed && best.cost <= got.cost) {
		err = s.found(ctx, i, from, got.x, got.cost)
		evolved := s.rows.Columns[colFlips].Values[i] == 1
		s.rows.Columns[colEvolved].Values[i] = one(evolved)
		if err == nil && climbed && !evolved {
			err = s.found(ctx, i, from, best.x, best.cost)
		}
	}
	if err != nil {
		return fmt.Errorf("search row %d by evolution: %w", s.c.Index[i], err)
	}
	s.rows.Columns[colEarly].Values[i] = one(climbed || got.early)
	return nil
}

// found checks a change of row i once more, if there is one, and asks the system itself.
func (s *searcher) found(ctx context.Context, i int, from model.Decision, x []float32, cost float64) error {
	if x == nil {
		return nil
	}
	put := func(col int, v float64) { s.rows.Columns[col].Values[i] = v }
	orig := s.c.Data.Row(i)
	feasible, flips := s.c.Domain.Feasible(x, orig), s.gains(ctx, i, from)(x)
	if s.err != nil {
		return s.err
	}
	put(colFound, 1)
	put(colCost, cost)
	put(colFeasible, one(feasible))
	put(colFlips, one(feasible && flips))
	put(colStands, one(!feasible || !flips))
	for j, v := range x {
		put(ownColumns+j, float64(v))
		put(ownColumns+len(x)+j, float64(v)-float64(orig[j]))
	}
	return nil
}

// aim is what somebody wants who stands at a decision.
func (s *searcher) aim(from model.Decision) aimed {
	to, ok := s.aims[from]
	if !ok {
		to.standing = s.r.after(from)
		to.aim, to.noise = to.standing.aim(func(d model.Decision) bool { return s.c.Model.Gains(from, d) })
		to.rounding = s.g.Rounding(to.aim)
		s.aims[from] = to
	}
	return to
}

// gains asks the system itself whether an input gains as a change of row i: once or, where answers are random on
// purpose, in most of model.Fresh answers.
func (s *searcher) gains(ctx context.Context, i int, from model.Decision) func(x []float32) bool {
	m, times := s.c.Model, 1
	if m.Random() {
		times = model.Fresh
	}
	return func(x []float32) bool {
		m.About(slices.Repeat(s.c.Index[i:i+1], times))
		if err := m.Predict(ctx, slices.Repeat(x, times), times, &s.answers); err != nil {
			s.err = err
			return false
		}
		won := 0
		for k := range times {
			if m.Gains(from, m.Again(from, &s.answers, k)) {
				won++
			}
		}
		return 2*won > times
	}
}

func one(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
