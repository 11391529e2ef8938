package dataset

import (
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/assize/assize/internal/domain"
)

const (
	csvBuffer = 64 << 10
	missing   = "is missing"
	infinite  = "is not finite"
)

// csvSource streams a CSV file. columns are the positions of the inputs in a
// record, labelAt that of the label or -1.
type csvSource struct {
	r        *csv.Reader
	limit    *recordLimit
	header   []string
	columns  []int
	labelAt  int
	features []domain.Feature
	classes  *classes
	line     int // where the next record begins, blank lines aside
}

// errRecord is what reading a record that is too long ends in.
var errRecord = errors.New("record is too long")

// recordLimit refuses to deliver more than most bytes since the last reset,
// so that a quote that never closes does not fill the memory.
type recordLimit struct {
	r    io.Reader
	most int
	left int
}

func (l *recordLimit) reset() { l.left = l.most }

func (l *recordLimit) Read(p []byte) (int, error) {
	if l.left <= 0 {
		return 0, errRecord
	}
	n, err := l.r.Read(p[:min(len(p), l.left)])
	l.left -= n
	return n, err
}

// openCSV reads the header of a CSV file.
func openCSV(f io.Reader, spec Spec) (*csvSource, error) {
	classes, err := newClasses(spec.Classes)
	if err != nil {
		return nil, err
	}
	// The buffer reads ahead, so what it can hold comes on top of a record.
	limit := &recordLimit{r: f, most: spec.Limits.record() + csvBuffer}
	limit.reset()
	buffered := bufio.NewReaderSize(limit, csvBuffer)
	if bom, err := buffered.Peek(3); err == nil && string(bom) == "\xef\xbb\xbf" {
		buffered.Discard(len(bom))
	}
	c := &csvSource{r: csv.NewReader(buffered), limit: limit, labelAt: -1, features: spec.Features, classes: classes, line: 1}
	header, err := c.r.Read()
	if errors.Is(err, io.EOF) {
		return nil, errors.New("the file is empty")
	}
	if err != nil {
		return nil, c.explain(err)
	}
	c.r.ReuseRecord = true
	c.header = header
	c.count(header)
	seen := make(map[string]bool, len(header))
	for i, name := range header {
		name = strings.TrimSpace(name)
		if seen[name] {
			return nil, fmt.Errorf("line 1: two columns are named %q", clip(name))
		}
		seen[name], header[i] = true, name
	}
	return c, nil
}

// bind finds the columns that spec asks for.
func (c *csvSource) bind(spec Spec) error {
	if spec.Label != "" {
		at, err := c.find(spec.Label)
		if err != nil {
			return err
		}
		c.labelAt = at
	}
	for _, f := range spec.Features {
		at, err := c.find(f.Name)
		if err != nil {
			return err
		}
		if at == c.labelAt {
			return fmt.Errorf("column %q is both a feature and the label", f.Name)
		}
		c.columns = append(c.columns, at)
	}
	if len(spec.Features) == 0 {
		for i, name := range c.header {
			if i == c.labelAt {
				continue
			}
			if name == "" {
				return fmt.Errorf("line 1: column %d has no name\nhint: if it numbers the rows, write the file without it", i+1)
			}
			c.columns = append(c.columns, i)
		}
	}
	return checkWidth(spec, len(c.columns))
}

func (c *csvSource) find(name string) (int, error) {
	if at := slices.Index(c.header, name); at >= 0 {
		return at, nil
	}
	hint := didYouMean(name, c.header)
	if len(c.header) == 1 && strings.ContainsAny(c.header[0], ";\t") {
		hint = "\nhint: separate columns with commas, not with semicolons or tabs"
	}
	return 0, fmt.Errorf("line 1: there is no column %q%s", clip(name), hint)
}

func (c *csvSource) layout() layout {
	l := layout{format: CSV, width: len(c.columns), rows: -1, labels: c.labelAt >= 0}
	used := make([]bool, len(c.header))
	for _, at := range c.columns {
		l.names = append(l.names, c.header[at])
		used[at] = true
	}
	for i, name := range c.header {
		if !used[i] && i != c.labelAt {
			l.extra = append(l.extra, name)
		}
	}
	return l
}

func (c *csvSource) walk(ctx context.Context, s sink) (int, error) {
	values := make([]float64, len(c.columns))
	for row, want := 0, s.next(0); ; row++ {
		if want < 0 {
			return row, nil
		}
		if row%256 == 0 && ctx.Err() != nil {
			return row, ctx.Err()
		}
		c.limit.reset()
		record, err := c.r.Read()
		if errors.Is(err, io.EOF) {
			if row == 0 {
				return 0, errors.New("there is a header but no rows")
			}
			return row, nil
		}
		if err != nil {
			return row, c.explain(err)
		}
		c.count(record)
		if row < want {
			continue
		}
		if err := c.record(row, record, values, s); err != nil {
			return row, err
		}
		want = s.next(row + 1)
	}
}

func (c *csvSource) record(row int, record []string, values []float64, s sink) error {
	for i, at := range c.columns {
		v, problem := parseNumber(record[at])
		if problem == "" {
			problem = objection(typeOf(c.features, i), v)
		}
		if problem != "" {
			return c.at(at, fmt.Errorf("%q %s%s", clip(record[at]), problem, remedy(record[at], problem)))
		}
		values[i] = v
	}
	if c.labelAt >= 0 {
		l, err := c.classes.ofText(strings.TrimSpace(record[c.labelAt]))
		if err == nil {
			err = s.label(row, l)
		}
		if err != nil {
			return c.at(c.labelAt, err)
		}
	}
	return s.put(block{row: row, v: values})
}

// at says where in the file err arose.
func (c *csvSource) at(field int, err error) error {
	line, _ := c.r.FieldPos(field)
	return fmt.Errorf("line %d, column %q: %w", line, clip(c.header[field]), err)
}

// count moves line past a record.
func (c *csvSource) count(record []string) {
	last := len(record) - 1
	line, _ := c.r.FieldPos(last)
	c.line = line + strings.Count(record[last], "\n") + 1
}

// explain turns an error of the reader into one that says what to do.
func (c *csvSource) explain(err error) error {
	if errors.Is(err, errRecord) {
		return fmt.Errorf("from line %d: a record is longer than %d bytes\nhint: is a quote left open?", c.line, c.limit.most-csvBuffer)
	}
	var p *csv.ParseError
	if !errors.As(err, &p) {
		return err
	}
	switch {
	case errors.Is(p.Err, csv.ErrFieldCount):
		return fmt.Errorf("line %d: the number of fields is not the header's %d\nhint: is a comma in a value without quotes around it?", p.StartLine, len(c.header))
	case errors.Is(p.Err, csv.ErrBareQuote):
		return fmt.Errorf("line %d: a quote stands in a field that does not begin with one\nhint: quote the whole field and double the quotes in it", p.Line)
	case errors.Is(p.Err, csv.ErrQuote):
		return fmt.Errorf("from line %d: a quoted field does not end with a quote before the next comma\nhint: close the quote, and double the quotes within", p.StartLine)
	}
	return fmt.Errorf("line %d: %w", p.Line, p.Err)
}

// parseNumber reads a decimal number. problem says why s is none.
func parseNumber(s string) (v float64, problem string) {
	s = strings.TrimSpace(s)
	// Up to 15 digits are a whole number that needs no rounding.
	n, short := int64(0), len(s) > 0 && len(s) <= 15
	for i := range len(s) {
		switch c := s[i]; {
		case '0' <= c && c <= '9':
			n = n*10 + int64(c-'0')
		case c == '.' || c == '-' || c == '+' || c == 'e' || c == 'E':
			short = false
		default:
			return 0, noNumber(s)
		}
	}
	if short {
		return float64(n), ""
	}
	v, err := strconv.ParseFloat(s, 64)
	switch {
	case err == nil:
		return v, ""
	case errors.Is(err, strconv.ErrRange):
		return 0, "is too large"
	}
	return 0, noNumber(s)
}

func noNumber(s string) string {
	switch strings.ToLower(s) {
	case "", "na", "n/a", "nan", "null", "none", "?":
		return missing
	case "inf", "+inf", "-inf", "infinity", "-infinity", "+infinity":
		return infinite
	}
	return "is not a number"
}

func remedy(s, problem string) string {
	switch {
	case problem == missing, problem == infinite:
		return "\nhint: fill in the value or leave the row out"
	case strings.Count(s, ",") == 1 && !strings.Contains(s, "."):
		return "\nhint: write numbers with a decimal point, without separators of thousands"
	case problem == "is not a number":
		return "\nhint: give each category a whole number as its code"
	}
	return ""
}
