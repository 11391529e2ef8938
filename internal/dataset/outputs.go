package dataset

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
)

// Meaning says what recorded scores are, as far as the file tells by the name
// of its column or array.
type Meaning string

// The meanings of scores.
const (
	Unsaid        Meaning = ""              // nothing said
	Probabilities Meaning = "probabilities" // one per class
	Logits        Meaning = "logits"        // one per class, before the softmax
	Positive      Meaning = "positive"      // the probability of the positive class
	Score         Meaning = "score"         // one number whose scale is the model's own
)

// OutputSpec says where recorded outputs lie.
type OutputSpec struct {
	Path    string
	Name    string   // what errors call the file; Path where it is empty
	Classes []string // in the order of the model's outputs; can be empty
	Array   string   // the array of an NPZ file; empty: by the names that Outputs knows
	Limits  Limits
}

// Recorded is what a deployed system answered, one row an input, in the order
// of the data set that it was asked on.
type Recorded struct {
	Rows    int
	Meaning Meaning
	// Scores is Rows×K, row-major; nil where only labels were recorded.
	Scores []float64
	K      int
	// Labels are class indices; nil where none were recorded.
	Labels []int
	Extra  []string // columns or arrays that were not read
}

// Outputs reads recorded outputs.
//
// A CSV file has one column per class name, or a column "probability" (of the
// positive class) or "score"; and, beside it or alone, a column "label". An
// NPZ file has an array "probabilities", "probability", "logits", "scores" or
// "score" of N or N×K numbers; and, beside it or alone, "labels" or "label".
// The one array of an NPY file is labels where its type is a whole number and
// scores otherwise. Where K is over 1 and classes are named, K is their number.
func Outputs(ctx context.Context, spec OutputSpec) (*Recorded, error) {
	asData := Spec{Path: spec.Path, Name: spec.Name, Classes: spec.Classes, Limits: spec.Limits}
	f, size, err := openFile(spec.Path)
	if err != nil {
		return nil, wrap(asData, err)
	}
	defer f.Close()
	src, meaning, err := openOutputs(f, size, spec, asData)
	if err != nil {
		return nil, wrap(asData, err)
	}
	l := src.layout()
	g := &gatherer{width: l.width, rows: l.rows, limits: spec.Limits}
	if err := g.prepare(); err != nil {
		return nil, wrap(asData, err)
	}
	rows, err := src.walk(ctx, g)
	if err != nil {
		return nil, wrap(asData, err)
	}
	out := &Recorded{Rows: rows, Meaning: meaning, Scores: g.scores, K: l.width, Extra: l.extra}
	if l.labels {
		if out.Labels = g.truths.indices(); out.Labels == nil {
			return nil, wrap(asData, errors.New("recorded labels are not whole numbers from 0"))
		}
	}
	return out, nil
}

func openOutputs(f *os.File, size int64, spec OutputSpec, asData Spec) (source, Meaning, error) {
	format, err := sniff(f, spec.Path)
	if err != nil {
		return nil, "", err
	}
	if format == CSV {
		c, err := openCSV(f, asData)
		if err != nil {
			return nil, "", err
		}
		meaning, err := c.bindOutputs(spec.Classes)
		return c, meaning, err
	}
	s := &arraySource{format: format}
	if s.classes, err = newClasses(spec.Classes); err != nil {
		return nil, "", err
	}
	var meaning Meaning
	if format == NPY {
		s.input, err = openArray(bufio.NewReaderSize(io.NewSectionReader(f, 0, size), arrayRead), size)
	} else {
		meaning, err = s.openOutputMembers(f, size, spec)
	}
	if err != nil {
		return nil, "", err
	}
	if s.input != nil && s.truth == nil && s.input.width == 1 && s.input.dtype.whole && meaning == Unsaid {
		s.input, s.truth, s.inputName, s.truthName = nil, s.input, "", s.inputName
	}
	return s, meaning, s.checkOutputs(len(spec.Classes))
}

// bindOutputs finds the columns of recorded outputs by their names.
func (c *csvSource) bindOutputs(names []string) (Meaning, error) {
	var absent []string
	for _, n := range names {
		if at := slices.Index(c.header, n); at >= 0 {
			c.columns = append(c.columns, at)
		} else {
			absent = append(absent, n)
		}
	}
	c.labelAt = slices.Index(c.header, "label")
	switch {
	case len(names) > 0 && len(absent) == 0:
		return Unsaid, nil
	case len(absent) < len(names):
		return "", fmt.Errorf("line 1: there are columns for some classes, but not for %s", list(absent))
	}
	meaning := Unsaid
	for _, known := range []struct {
		name    string
		meaning Meaning
	}{{"probability", Positive}, {"score", Score}} {
		at := slices.Index(c.header, known.name)
		switch {
		case at < 0:
		case meaning != Unsaid:
			return "", errors.New("line 1: there is a column \"probability\" and a column \"score\"\nhint: keep the one that the model gives")
		default:
			meaning, c.columns = known.meaning, []int{at}
		}
	}
	if meaning == Unsaid && c.labelAt < 0 {
		return "", fmt.Errorf("line 1: no column holds an output; there are %s\nhint: call it probability, score or label, or give one column the name of each class", list(c.header))
	}
	return meaning, nil
}

// openOutputMembers finds the arrays of recorded outputs by their names.
func (s *arraySource) openOutputMembers(f io.ReaderAt, size int64, spec OutputSpec) (Meaning, error) {
	a, err := openArchive(f, size)
	if err != nil {
		return "", err
	}
	for _, name := range []string{"labels", "label"} {
		if a.members[name] != nil && name != spec.Array && s.truthName == "" {
			s.truthName = name
		}
	}
	meaning := Unsaid
	s.inputName = spec.Array
	for _, known := range []struct {
		name    string
		meaning Meaning
	}{{"probabilities", Probabilities}, {"probability", Positive}, {"logits", Logits}, {"scores", Score}, {"score", Score}} {
		if a.members[known.name] == nil || (spec.Array != "" && spec.Array != known.name) {
			continue
		}
		if meaning != Unsaid {
			return "", fmt.Errorf("arrays %q and %q both hold scores\nhint: name the one that the model gives", s.inputName, known.name)
		}
		s.inputName, meaning = known.name, known.meaning
	}
	if s.inputName == "" && s.truthName == "" {
		if s.inputName, err = a.input("", ""); err != nil {
			return "", err
		}
	}
	if s.inputName != "" {
		if s.input, err = a.open(s.inputName); err != nil {
			return "", err
		}
	}
	if s.truthName != "" {
		if s.truth, err = a.open(s.truthName); err != nil {
			return "", err
		}
	}
	for _, n := range a.names {
		if n != s.inputName && n != s.truthName {
			s.extra = append(s.extra, n)
		}
	}
	return meaning, nil
}

// checkOutputs compares the shapes of scores and labels with the classes.
func (s *arraySource) checkOutputs(classes int) error {
	if s.truth != nil {
		if err := s.checkTruth(); err != nil {
			return err
		}
	}
	if s.input == nil {
		return nil
	}
	if len(s.input.shape) > 2 {
		return inArray(s.inputName, fmt.Errorf("scores have shape %v, not N or N×K", s.input.shape))
	}
	if k := s.input.width; k > 1 && classes > 0 && k != classes {
		return inArray(s.inputName, fmt.Errorf("there are %d scores a row for %d classes", k, classes))
	}
	return checkWidth(Spec{}, s.input.width)
}

// gatherer is the sink of Outputs.
type gatherer struct {
	width, rows int
	limits      Limits
	scores      []float64
	truths      truths
}

func (g *gatherer) bytesPerRow() int { return 8*g.width + 8 }

func (g *gatherer) prepare() error {
	if g.rows < 0 || g.width == 0 {
		return nil
	}
	if err := g.limits.fits(g.rows, g.bytesPerRow()); err != nil {
		return err
	}
	g.scores = make([]float64, g.rows*g.width)
	return nil
}

func (g *gatherer) next(row int) int { return row }

func (g *gatherer) put(b block) error {
	if g.rows < 0 {
		if err := g.limits.fits(b.row+1, g.bytesPerRow()); err != nil {
			return err
		}
		g.scores = append(g.scores, b.v...)
		return nil
	}
	for i, v := range b.v {
		row, col := b.row, b.col+i
		if b.down {
			row, col = b.row+i, b.col
		}
		g.scores[row*g.width+col] = v
	}
	return nil
}

func (g *gatherer) label(row int, l label) error {
	if err := g.limits.fits(row+1, g.bytesPerRow()); err != nil {
		return err
	}
	return g.truths.set(row, l)
}
