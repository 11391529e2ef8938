// Package model is one view of what is attacked: it answers rows of data the
// way the deployed system does, with its scaling, its chain of protective
// solutions and its decision rule, and says what an attacker would gain.
package model

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/assize/assize/internal/domain"
)

// Predictor answers n rows of x, row-major with the model's width, into out,
// row-major with its number of columns. It takes whatever finite or non-finite values it is given.
type Predictor interface {
	Run(ctx context.Context, x []float32, n int, out []float32) error
}

// Model answers as the system does, with some of its solutions on. It keeps
// scratch space and is for one goroutine at a time.
type Model struct {
	spec    *Spec
	band    *[2]float64 // the rule's refer band, also where it is off
	p       Predictor
	raw     rawRunner
	white   *white  // nil where there is no graph
	asks    *served // where the model is behind an endpoint
	width   int
	columns int
	classes int
	dom     *domain.Domain
	chain   []Solution
	queries *int64
	batch   int
	noise   *jitter // nil where no solution adds noise
	about   []int   // see About

	scaled, packed, packedOut []float32
	scale, shift              []float32
	answers                   Answers
}

// Answers is what the system gave out for N rows: K scores a row, after the
// solutions. Of a refused row the scores are zero.
type Answers struct {
	N, K    int
	Scores  []float32
	Refused []bool
}

// Row is the scores of row i. The slice is the table's own.
func (a *Answers) Row(i int) []float32 { return a.Scores[i*a.K : (i+1)*a.K] }

// New puts a predictor of the given width and columns behind a spec, with no
// solution on. Tests use it with functions of their own; Open makes it from a file.
func New(p Predictor, spec *Spec, width, columns int) (*Model, error) {
	m := &Model{spec: spec, p: p, width: width, columns: columns, queries: new(int64)}
	var err error
	if m.dom, err = spec.Domain.Build(); err != nil {
		return nil, err
	}
	if m.dom != nil && m.dom.Len() != width {
		return nil, fmt.Errorf("open model: it takes %d values a row, the domain declares %d features\nhint: list every input of the model, in its order, under domain.features", width, m.dom.Len())
	}
	if m.classes, err = spec.classes(columns); err != nil {
		return nil, err
	}
	if err := spec.checkRule(m.classes); err != nil {
		return nil, err
	}
	if m.scale, m.shift, err = spec.Input.perValue(width); err != nil {
		return nil, err
	}
	// Enough rows that a call's overhead is spread, few enough that activations stay in cache.
	m.batch = max(16, min(1024, 1<<16/max(1, width)))
	return m, nil
}

// classes is the number of classes that a model with these output columns tells apart.
func (s *Spec) classes(columns int) (int, error) {
	named, want := len(s.Output.Classes), columns
	switch s.Output.Kind {
	case Logits, Probabilities:
		if columns == 1 {
			want = 2
		}
	case PositiveProbability, Score:
		if columns != 1 {
			return 0, fmt.Errorf("open model: output %q has %d columns, kind %s has one\nhint: set interface.output.kind to probabilities or logits", s.Output.Tensor, columns, s.Output.Kind)
		}
		if want = 2; s.Rule.Kind == NoRule {
			want = 1
		}
	case Label:
		want = max(named, 2)
		if named == 0 {
			return 0, errors.New("open model: a model that gives labels alone needs interface.output.classes\nhint: list the class names in index order")
		}
	default:
		return 0, fmt.Errorf("open model: output kind %q is unknown", s.Output.Kind)
	}
	if named != 0 && named != want {
		return 0, fmt.Errorf("open model: output %q has %d columns for %d classes, the manifest names %d classes\nhint: interface.output.classes lists every class in index order", s.Output.Tensor, columns, want, named)
	}
	return want, nil
}

func (s *Spec) checkRule(classes int) error {
	r := &s.Rule
	switch r.Kind {
	case NoRule:
		if s.Output.Kind != Score {
			return fmt.Errorf("open model: a system without a decision rule gives a score, not %s\nhint: set interface.output.kind to score, or name the rule", s.Output.Kind)
		}
		return nil
	case Argmax:
		if s.Output.Kind == Score {
			return errors.New("open model: argmax of a single score says nothing\nhint: use decision.rule cutoff")
		}
	case Cutoff:
		if s.Output.Kind == Label {
			return errors.New("open model: a model that gives labels alone has no score to cut off\nhint: use decision.rule argmax")
		}
		if len(r.Outcomes) != 3 {
			return fmt.Errorf("open model: a cutoff rule has three outcomes, not %d", len(r.Outcomes))
		}
	case PerClass:
		if len(r.Cutoffs) != classes {
			return fmt.Errorf("open model: %d cut-offs for %d classes", len(r.Cutoffs), classes)
		}
	default:
		return fmt.Errorf("open model: decision rule %q is unknown", r.Kind)
	}
	if r.Positive < 0 || r.Positive >= classes {
		return fmt.Errorf("open model: positive class %d of %d", r.Positive, classes)
	}
	return nil
}

// perValue spreads mean and std over the values of a row: x*scale + shift.
func (in *Input) perValue(width int) (scale, shift []float32, err error) {
	if len(in.Mean) == 0 && len(in.Std) == 0 {
		return nil, nil, nil
	}
	channels := max(len(in.Mean), len(in.Std))
	if channels == 0 || width%channels != 0 {
		return nil, nil, fmt.Errorf("open model: scaling has %d entries for %d values a row\nhint: give one mean and std per feature, or per channel of an image", channels, width)
	}
	scale, shift = make([]float32, width), make([]float32, width)
	for i := range width {
		c := i % channels // columns and nhwc: the channel varies fastest
		if in.Layout == "nchw" {
			c = i / (width / channels)
		}
		mean, std := 0.0, 1.0
		if len(in.Mean) > 0 {
			mean = in.Mean[c%len(in.Mean)]
		}
		if len(in.Std) > 0 {
			std = in.Std[c%len(in.Std)]
		}
		if std == 0 {
			return nil, nil, fmt.Errorf("open model: scaling has a standard deviation of 0 at entry %d", c)
		}
		scale[i], shift[i] = float32(1/std), float32(-mean/std)
	}
	return scale, shift, nil
}

// Width is the number of values in a row. Classes is the number of classes.
func (m *Model) Width() int { return m.width }

// Classes is the number of classes that the model tells apart.
func (m *Model) Classes() int { return m.classes }

// Rule is the decision rule, shared and read-only.
func (m *Model) Rule() *Rule { return &m.spec.Rule }

// Kind says what the scores are.
func (m *Model) Kind() Kind { return m.spec.Output.Kind }

// ClassNames are the names of the classes, made up where the manifest gives none.
func (m *Model) ClassNames() []string {
	names := make([]string, m.classes)
	for i := range names {
		names[i] = fmt.Sprint(i)
		if i < len(m.spec.Output.Classes) {
			names[i] = m.spec.Output.Classes[i]
		}
	}
	return names
}

// Domain is the declared or guessed domain, or nil.
func (m *Model) Domain() *domain.Domain { return m.dom }

// Queries is how many rows were asked of the model so far, noisy copies of one counted each, by this model and all made from it by With.
func (m *Model) Queries() int64 { return *m.queries }

// Unlimited tells whether no solution stands before or behind the model.
func (m *Model) Unlimited() bool { return len(m.chain) == 0 }

// With returns the same model with exactly these solutions on. An unknown name is an error.
func (m *Model) With(names []string) (*Model, error) {
	w := *m
	w.chain, w.scaled, w.packed, w.packedOut, w.answers = nil, nil, nil, nil, Answers{}
	w.noise, w.about = nil, nil
	found := 0
	for _, s := range m.spec.Solutions {
		for _, name := range names {
			if s.Name == name {
				w.chain = append(w.chain, s)
				found++
			}
		}
	}
	w.bind()
	if found != len(names) {
		return nil, fmt.Errorf("switch solutions on: %q are not all solutions of this model", names)
	}
	for _, s := range w.chain {
		if (s.Type == Hysteresis || s.Type == ReferBand) && m.spec.Rule.Kind != Cutoff {
			return nil, fmt.Errorf("switch solution %q on: %s belongs to the decision rule cutoff, and this is %q\nhint: delete the solution, or set decision.rule", s.Name, s.Type, m.spec.Rule.Kind)
		}
		if s.Type == InputValidation && m.dom == nil {
			return nil, fmt.Errorf("switch solution %q on: it validates against the domain, and the manifest declares none\nhint: add a domain to assize.yaml", s.Name)
		}
	}
	for _, s := range w.chain {
		if s.Type == InputNoise {
			if w.noise != nil {
				return nil, fmt.Errorf("switch solution %q on: another one adds noise already\nhint: declare one, with the root of the sum of the squares as its sigma", s.Name)
			}
			var err error
			if w.noise, err = newJitter(s, m.dom); err != nil {
				return nil, err
			}
		}
		if s.Type == RejectBand && m.spec.Output.Kind == Label {
			return nil, fmt.Errorf("switch solution %q on: it goes by scores, and the model gives labels alone\nhint: name an output with scores under interface.output", s.Name)
		}
	}
	return &w, nil
}

// Predict asks the system for n rows of x and fills into, whose space it reuses.
func (m *Model) Predict(ctx context.Context, x []float32, n int, into *Answers) error {
	if len(x) != n*m.width {
		return fmt.Errorf("predict: %d values for %d rows of %d", len(x), n, m.width)
	}
	about, copies := m.about, 1
	if m.about = nil; about != nil && len(about) != n {
		return fmt.Errorf("predict: %d rows asked about in %d questions", len(about), n)
	}
	if m.noise != nil {
		copies = m.noise.draws
	}
	*m.queries += int64(n * copies)
	into.N, into.K = n, m.columns
	into.Scores = resize(into.Scores, n*m.columns)
	into.Refused = resize(into.Refused, n)
	clear(into.Refused)
	for from := 0; from < n; from += m.batch {
		if err := ctx.Err(); err != nil {
			return err
		}
		to := min(n, from+m.batch)
		part := about
		if about != nil {
			part = about[from:to]
		}
		if err := m.some(ctx, x[from*m.width:to*m.width], to-from, part, into.Scores[from*m.columns:to*m.columns], into.Refused[from:to]); err != nil {
			return err
		}
	}
	return nil
}

// some asks for one batch, past the solutions that are on.
func (m *Model) some(ctx context.Context, x []float32, n int, about []int, out []float32, refused []bool) error {
	kept, asked := n, x
	for _, s := range m.chain {
		if s.Type == InputValidation {
			x, kept = m.validate(x, n, refused)
		}
	}
	answer := out
	if kept < n {
		m.packedOut = resize(m.packedOut, kept*m.columns)
		answer = m.packedOut
	}
	var later []bool
	switch {
	case kept == 0:
	case m.noise != nil:
		m.noise.begin(asked, refused, about)
		if err := m.noisy(ctx, x, kept, answer); err != nil {
			return err
		}
		later = m.noise.refused
	default:
		if err := m.p.Run(ctx, m.rescale(x), kept, answer); err != nil {
			return err
		}
		if m.asks != nil {
			later = m.asks.refused
		}
	}
	if kept < n {
		spread(out, answer, refused, m.columns)
	}
	mark(refused, later)
	m.limit(out, refused)
	return nil
}

// validate marks the rows outside the domain as refused and packs the others.
func (m *Model) validate(x []float32, n int, refused []bool) ([]float32, int) {
	m.packed = m.packed[:0]
	kept := 0
	for i := range n {
		row := x[i*m.width : (i+1)*m.width]
		if refused[i] = !m.dom.Feasible(row, nil); !refused[i] {
			m.packed = append(m.packed, row...)
			kept++
		}
	}
	if kept == n {
		return x, n
	}
	return m.packed, kept
}

func (m *Model) rescale(x []float32) []float32 {
	if m.scale == nil {
		return x
	}
	m.scaled = resize(m.scaled, len(x))
	for i, v := range x {
		j := i % m.width
		m.scaled[i] = v*m.scale[j] + m.shift[j]
	}
	return m.scaled
}

func spread(out, packed []float32, refused []bool, k int) {
	at := 0
	for i, r := range refused {
		row := out[i*k : (i+1)*k]
		if r {
			clear(row)
			continue
		}
		copy(row, packed[at:at+k])
		at += k
	}
}

// mark adds what the server turned away of the rows that were put to it.
func mark(refused, later []bool) {
	if later == nil {
		return
	}
	at := 0
	for i := range refused {
		if !refused[i] {
			refused[i] = later[at]
			at++
		}
	}
}

func roundTo(out []float32, digits int) {
	unit := math.Pow(10, float64(digits))
	for i, v := range out {
		if f := float64(v); !math.IsNaN(f) && !math.IsInf(f, 0) {
			out[i] = float32(math.Round(f*unit) / unit)
		}
	}
}

func resize[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}
