package dataset

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/assize/assize/internal/domain"
)

// arraySource streams rows from one array and labels from another, or none.
type arraySource struct {
	format    Format
	input     *array
	inputName string // of an NPZ member
	truth     *array
	truthName string
	extra     []string
	features  []domain.Feature
	classes   *classes
}

func openArrays(f io.ReaderAt, size int64, format Format, spec Spec) (*arraySource, error) {
	s := &arraySource{format: format, features: spec.Features}
	var err error
	if s.classes, err = newClasses(spec.Classes); err != nil {
		return nil, err
	}
	if format == NPY {
		if spec.Label != "" {
			return nil, fmt.Errorf("an NPY file holds one array and no labels %q\nhint: save both with numpy.savez", clip(spec.Label))
		}
		s.input, err = openArray(bufio.NewReaderSize(io.NewSectionReader(f, 0, size), arrayRead), size)
	} else {
		err = s.openMembers(f, size, spec)
	}
	if err != nil {
		return nil, err
	}
	return s, checkWidth(spec, s.input.width)
}

func (s *arraySource) openMembers(f io.ReaderAt, size int64, spec Spec) error {
	a, err := openArchive(f, size)
	if err != nil {
		return err
	}
	if s.inputName, err = a.input(spec.Input, spec.Label); err != nil {
		return err
	}
	if s.input, err = a.open(s.inputName); err != nil {
		return err
	}
	if s.truthName = spec.Label; s.truthName != "" {
		if s.truth, err = a.open(s.truthName); err != nil {
			return err
		}
		if err = s.checkTruth(); err != nil {
			return err
		}
	}
	for _, n := range a.names {
		if n != s.inputName && n != s.truthName {
			s.extra = append(s.extra, n)
		}
	}
	return nil
}

// checkTruth compares the labels' shape with the rows.
func (s *arraySource) checkTruth() error {
	if s.truth.width != 1 {
		return inArray(s.truthName, fmt.Errorf("labels have shape %v, not one number a row\nhint: save the index of each class", s.truth.shape))
	}
	if s.input != nil && s.truth.rows != s.input.rows {
		return fmt.Errorf("array %q holds %d rows and array %q %d labels", clip(s.inputName), s.input.rows, clip(s.truthName), s.truth.rows)
	}
	return nil
}

func (s *arraySource) layout() layout {
	l := layout{format: s.format, extra: s.extra, labels: s.truth != nil}
	if s.input == nil {
		l.rows = s.truth.rows
		return l
	}
	l.rows, l.width = s.input.rows, s.input.width
	if len(s.input.shape) > 2 {
		l.shape = slices.Clone(s.input.shape[1:])
	}
	for _, f := range s.features {
		l.names = append(l.names, f.Name)
	}
	return l
}

func (s *arraySource) walk(ctx context.Context, to sink) (int, error) {
	wanted := func(row int) bool { return to.next(row) >= 0 }
	if s.input != nil {
		err := s.input.walk(ctx, wanted, func(b block) error {
			if err := s.check(b); err != nil {
				return err
			}
			return to.put(b)
		})
		if err != nil {
			return 0, inArray(s.inputName, err)
		}
	}
	if s.truth != nil {
		err := s.truth.walk(ctx, wanted, func(b block) error {
			for i, v := range b.v {
				l, err := s.classes.ofNumber(v)
				if err == nil {
					err = to.label(b.row+i, l)
				}
				if err != nil {
					return fmt.Errorf("row %d: %w", b.row+i, err)
				}
			}
			return nil
		})
		if err != nil {
			return 0, inArray(s.truthName, err)
		}
	}
	return s.layout().rows, nil
}

// check compares values with the declared types.
func (s *arraySource) check(b block) error {
	for i, v := range b.v {
		row, col := b.row, b.col+i
		if b.down {
			row, col = b.row+i, b.col
		}
		if problem := objection(typeOf(s.features, col), v); problem != "" {
			return fmt.Errorf("row %d, %s: %v %s", row, s.column(col), v, problem)
		}
	}
	return nil
}

// column names a value of a row for people.
func (s *arraySource) column(col int) string {
	if len(s.features) > 0 {
		return fmt.Sprintf("feature %q", s.features[col].Name)
	}
	return fmt.Sprintf("value %d", col)
}

func inArray(name string, err error) error {
	if err == nil || name == "" || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return fmt.Errorf("array %q: %w", clip(name), err)
}
