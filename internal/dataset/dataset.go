// Package dataset reads the tables and tensors that a target was trained and
// tested on, and the outputs that were recorded from it. It reads CSV, NPY and
// NPZ as streams: what it holds in memory is the rows that were asked for and
// a buffer, whatever the size of the file. Files are taken to be hostile: no
// allocation is sized by what a file claims before the claim is checked
// against the bytes that are there.
package dataset

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/assize/assize/internal/domain"
)

// Format is how a data set is written down. It is told from the content.
type Format string

// The formats that can be read.
const (
	CSV Format = "csv" // RFC 4180 with a header, UTF-8
	NPY Format = "npy" // one NumPy array, versions 1.0 to 3.0
	NPZ Format = "npz" // a zip of NumPy arrays, stored or deflated
)

// Spec says where a data set lies and what is expected of it.
type Spec struct {
	Path string
	// Name is what errors call the file; Path where it is empty.
	Name string
	// Features are the inputs in the model's order. A CSV file must have a
	// column of each name; an array must have as many values a row. Values are
	// checked against the type, not against the range. Where there are none,
	// every column but the label is an input and any real number will do.
	Features []domain.Feature
	// Width is the number of values a row must have, flattened; 0 is any.
	Width int
	// Input names the array of an NPZ file that holds the rows. It can be
	// empty where the file holds one array apart from the label's.
	Input string
	// Label names the column, or the array of an NPZ file, that holds the
	// truth; empty is none.
	Label string
	// Classes are the names of the classes. A label is then one of the names
	// or, unless the names are numbers themselves, an index into them. Without
	// names a label is a number.
	Classes []string
	Limits  Limits
}

// Limits bounds what reading may take. A zero field is the default.
type Limits struct {
	MemoryBytes int64 // of the table or the statistics that are returned; 1 GiB
	RecordBytes int   // of one CSV record; 4 MiB
}

const (
	defaultMemoryBytes = 1 << 30
	defaultRecordBytes = 4 << 20
	// maxWidth bounds the values of one row: a colour picture of 1182×1182.
	maxWidth = 1 << 22
)

func (l Limits) memory() int64 {
	if l.MemoryBytes > 0 {
		return l.MemoryBytes
	}
	return defaultMemoryBytes
}

func (l Limits) record() int {
	if l.RecordBytes > 0 {
		return l.RecordBytes
	}
	return defaultRecordBytes
}

// fits checks that rows of so many bytes each stay within the memory limit.
func (l Limits) fits(rows, bytesPerRow int) error {
	if limit := l.memory(); int64(rows) > limit/int64(max(bytesPerRow, 1)) {
		return fmt.Errorf("%d rows of %d bytes are more than the limit of %d bytes in memory\nhint: select fewer rows, or raise the limit", rows, bytesPerRow, limit)
	}
	return nil
}

// Table holds rows of a data set in memory.
type Table struct {
	// Names are the input columns in order; nil for an array without declared features.
	Names []string
	// Width is the number of values a row.
	Width int
	// Shape is the shape of one row, as [1 8 8] for an N×1×8×8 array; nil
	// where a row is a list of columns. Its product is Width.
	Shape []int
	// X is N×Width, row-major, in the file's units. Values are rounded to the
	// nearest float32, in which whole numbers are exact up to 2^24.
	X []float32
	// Y is the class index of each row; nil without labels, and nil where
	// labels are not whole numbers from 0 and no class names were given.
	Y []int
	// YValue is the label of each row as it stands in the file, for targets
	// that predict a number; nil without labels and where classes have names.
	YValue []float64
	// Index is the 0-based number of each row in the file. The header and
	// blank lines of a CSV file do not count.
	Index []int
}

// Len is the number of rows.
func (t *Table) Len() int { return len(t.Index) }

// Row is the i-th row of the table, not of the file. The slice is the table's own.
func (t *Table) Row(i int) []float32 { return t.X[i*t.Width : (i+1)*t.Width : (i+1)*t.Width] }

// block is a run of values as they lie in the file: from (row, col) along the
// row, or down the column. The slice is reused after the call that hands it over.
type block struct {
	row, col int
	down     bool
	v        []float64
}

// sink takes what a source reads. Sources call it from one goroutine.
type sink interface {
	// next is the lowest row at or after row that is wanted; -1 is none.
	next(row int) int
	put(b block) error
	label(row int, l label) error
}

// layout is what is known of a data set before its rows are read.
type layout struct {
	format Format
	names  []string
	width  int
	shape  []int
	rows   int // -1 where only reading will tell
	extra  []string
	labels bool
}

// source is an open data set. walk can be called once; it returns the number
// of rows that it went past, which is all of them when every row is wanted.
type source interface {
	layout() layout
	walk(ctx context.Context, s sink) (rows int, err error)
}

// wrap names the file in err and drops the path that the system adds.
func wrap(spec Spec, err error) error {
	name := spec.Name
	if name == "" {
		name = spec.Path
	}
	var p *fs.PathError
	if errors.As(err, &p) {
		err = p.Err
	}
	return fmt.Errorf("read data %q: %w", name, err)
}

// checkWidth compares the values of a row with what was asked for.
func checkWidth(spec Spec, width int) error {
	switch {
	case width == 0:
		return errors.New("rows hold no values")
	case width > maxWidth:
		return fmt.Errorf("a row holds %d values: the limit is %d", width, maxWidth)
	case len(spec.Features) > 0 && len(spec.Features) != width:
		return fmt.Errorf("a row holds %d values where %d features are declared", width, len(spec.Features))
	case spec.Width > 0 && spec.Width != width:
		return fmt.Errorf("a row holds %d values where %d are expected", width, spec.Width)
	}
	return nil
}
