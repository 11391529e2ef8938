package catalogue

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// maxRows bounds one table of one layer.
const maxRows = 100_000

// Row is one row of a table.
type Row interface {
	// Key tells a row of a table from all others; it is stable.
	Key() string
	// file is the name of the table's file.
	file() string
}

// sheet is one table that has been read, with the place of each row.
type sheet[T Row] struct {
	rows  []T
	at    []string // file:line
	index map[string]int
	base  int // rows of the first layer
}

// rowsOf reads a table once and returns its rows, those of the base first.
func rowsOf[T Row](t *Tables) ([]T, error) {
	s, err := sheetOf[T](t)
	if err != nil {
		return nil, err
	}
	return s.rows, nil
}

func sheetOf[T Row](t *Tables) (*sheet[T], error) {
	var zero T
	name := zero.file()
	t.mu.Lock()
	defer t.mu.Unlock()
	if s, ok := t.sheets[name]; ok {
		return s.(*sheet[T]), nil
	}
	s := &sheet[T]{index: map[string]int{}}
	for i, l := range t.layers {
		b, err := l.readFile(name)
		if err != nil {
			return nil, err
		}
		if b == nil && i == 0 {
			return nil, fmt.Errorf("read catalogue: %s: missing", l.place(name))
		}
		if err := s.add(l.place(name), b); err != nil {
			return nil, err
		}
		if i == 0 {
			s.base = len(s.rows)
		}
	}
	t.sheets[name] = s
	return s, nil
}

// add reads one file's rows into s. A key that is there already is an error
// with both places.
func (s *sheet[T]) add(place string, b []byte) error {
	if len(b) == 0 {
		return nil
	}
	read := readCSV[T]
	if strings.HasSuffix(place, ".yaml") {
		read = readYAML[T]
	}
	return read(b, func(line int, row T) error {
		at := fmt.Sprintf("%s:%d", place, line)
		if i, ok := s.index[row.Key()]; ok {
			return fmt.Errorf("read catalogue: %s: %q stands already at %s\nhint: rows can be added, not changed; give this one a key of its own, or drop it", at, row.Key(), s.at[i])
		}
		if len(s.rows) == maxRows {
			return fmt.Errorf("read catalogue: %s: more than %d rows", at, maxRows)
		}
		s.index[row.Key()] = len(s.rows)
		s.rows, s.at = append(s.rows, row), append(s.at, at)
		return nil
	}, place)
}

// column is a field of a row and the header's name for it.
type column struct {
	name  string
	index int
	rule  rule
}

// columns lists the fields of a row type in order, by their JSON names.
func columns(of reflect.Type) []column {
	var all []column
	for i := range of.NumField() {
		f := of.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if y := f.Tag.Get("yaml"); y != "" && name == "" {
			name, _, _ = strings.Cut(y, ",")
		}
		if name == "" || name == "-" {
			continue
		}
		all = append(all, column{name: name, index: i, rule: parseRule(f.Tag.Get("lint"))})
	}
	return all
}

// readCSV reads rows with a header line. A cell that stands for several values
// parts them by "; ".
func readCSV[T Row](b []byte, yield func(int, T) error, place string) error {
	r := csv.NewReader(bytes.NewReader(b))
	r.ReuseRecord = true
	header, err := r.Read()
	if err != nil {
		return fmt.Errorf("read catalogue: %s: header: %w", place, err)
	}
	known := columns(reflect.TypeFor[T]())
	var order []int
	for _, name := range header {
		i := slices.IndexFunc(known, func(c column) bool { return c.name == name })
		if i < 0 || slices.Contains(order, known[i].index) {
			return fmt.Errorf("read catalogue: %s:1: unknown or doubled column %q\nhint: the columns are %s", place, name, names(known))
		}
		order = append(order, known[i].index)
	}
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read catalogue: %s: %w", place, err)
		}
		line, _ := r.FieldPos(0)
		var row T
		v := reflect.ValueOf(&row).Elem()
		for _, c := range known {
			if f := v.Field(c.index); f.Kind() == reflect.Slice {
				f.Set(reflect.ValueOf([]string{})) // in JSON a list, never null
			}
		}
		for i, cell := range record {
			f := v.Field(order[i])
			if f.Kind() == reflect.String {
				f.SetString(cell)
			} else if cell != "" {
				f.Set(reflect.ValueOf(strings.Split(cell, "; ")))
			}
		}
		if err := yield(line, row); err != nil {
			return err
		}
	}
}

func names(of []column) string {
	var all []string
	for _, c := range of {
		all = append(all, c.name)
	}
	return strings.Join(all, ", ")
}

// readYAML reads rows that are the items of one sequence.
func readYAML[T Row](b []byte, yield func(int, T) error, place string) error {
	tokens, err := guard(b)
	if err != nil {
		return fmt.Errorf("read catalogue: %s: %w", place, err)
	}
	f, err := parser.Parse(tokens, 0)
	if err != nil {
		return inYAML(place, err)
	}
	for _, doc := range f.Docs {
		if doc.Body == nil {
			continue
		}
		list, ok := doc.Body.(*ast.SequenceNode)
		if !ok {
			return fmt.Errorf("read catalogue: %s: want a list of rows", place)
		}
		for _, item := range list.Values {
			var row T
			if err := yaml.NodeToValue(item, &row, yaml.Strict()); err != nil {
				return inYAML(place, err)
			}
			if err := yield(item.GetToken().Position.Line, row); err != nil {
				return err
			}
		}
	}
	return nil
}

var yamlPlace = regexp.MustCompile(`^\[(\d+):\d+\] (.*)`)

// inYAML brings the parser's error, which shows the file over several lines,
// to one line that begins with the place.
func inYAML(place string, err error) error {
	first, _, _ := strings.Cut(err.Error(), "\n")
	if m := yamlPlace.FindStringSubmatch(first); m != nil {
		return fmt.Errorf("read catalogue: %s:%s: %s", place, m[1], m[2])
	}
	return fmt.Errorf("read catalogue: %s: %s", place, first)
}
