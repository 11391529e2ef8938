package records

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

// Limits of one entry. A line beyond them is unreadable.
const (
	maxLineBytes = 1 << 20
	maxDepth     = 16
	maxFields    = 1000
	maxNameBytes = 256
)

// field is one value of an entry; a nested one has the path of names with dots,
// and the elements of a list have that of the list.
type field struct{ name, value string }

// entry is one line of a log.
type entry struct {
	line   int    // from 1
	before string // SHA-256 of the line before in hexadecimal digits; "" for the first and after a line beyond the limit
	fields []field

	event, id string    // "" where there is none
	at        time.Time // where timed
	timed     bool      // the time could be read
	zone      bool      // it says its offset from UTC
}

// get is the first value of a field, "" where there is none.
func (e *entry) get(name string) string {
	if name == "" {
		return ""
	}
	for _, f := range e.fields {
		if f.name == name {
			return f.value
		}
	}
	return ""
}

// parseJSON takes the object of a line apart. The error is half a sentence.
func parseJSON(line []byte) ([]field, error) {
	switch {
	case !utf8.Valid(line):
		return nil, errors.New("it is not UTF-8")
	case !json.Valid(line):
		return nil, errors.New("it is not JSON")
	case bytes.TrimLeft(line, " \t")[0] != '{':
		return nil, errors.New("it is JSON, but no object")
	}
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	w := walker{tokens: d}
	if err := w.value("", 0); err != nil {
		return nil, err
	}
	return w.fields, nil
}

type walker struct {
	tokens *json.Decoder
	fields []field
}

// value reads the next value, whose path is name.
func (w *walker) value(name string, depth int) error {
	token, err := w.tokens.Token()
	if err != nil {
		return errors.New("it is not JSON")
	}
	if depth > maxDepth {
		return errors.New("it is nested more than " + strconv.Itoa(maxDepth) + " deep")
	}
	switch v := token.(type) {
	case json.Delim:
		return w.group(v, name, depth)
	case string:
		w.fields = append(w.fields, field{name, v})
	case json.Number:
		w.fields = append(w.fields, field{name, v.String()})
	case bool:
		w.fields = append(w.fields, field{name, strconv.FormatBool(v)})
	}
	if len(w.fields) > maxFields {
		return errors.New("it has more than " + strconv.Itoa(maxFields) + " values")
	}
	return nil
}

// group reads an object or a list up to its end.
func (w *walker) group(open json.Delim, name string, depth int) error {
	seen := map[string]bool{}
	for w.tokens.More() {
		path := name
		if open == '{' {
			token, err := w.tokens.Token()
			key, ok := token.(string)
			switch {
			case err != nil || !ok:
				return errors.New("it is not JSON")
			case seen[key]: // readers differ in which of the two they take
				return errors.New("it names a member twice")
			}
			seen[key] = true
			if path = key; name != "" {
				path = name + "." + key
			}
			if len(path) > maxNameBytes || len(seen) > maxFields {
				return errors.New("it has names that are too long or too many")
			}
		}
		if err := w.value(path, depth+1); err != nil {
			return err
		}
	}
	if _, err := w.tokens.Token(); err != nil {
		return errors.New("it is not JSON")
	}
	return nil
}

// table reads the lines of a CSV file after its first.
type table struct {
	comma  rune
	header []string
}

// newTable takes the names of the columns from the first line. They are set
// apart by the comma, semicolon or tab that makes time one of them, else by a comma.
func newTable(line []byte, timeField string) (*table, error) {
	if !utf8.Valid(line) {
		return nil, errors.New("it is not UTF-8")
	}
	for _, comma := range []rune{',', ';', '\t'} {
		header, err := cells(line, comma)
		if err != nil || !slices.Contains(header, timeField) {
			continue
		}
		sorted := slices.Sorted(slices.Values(header))
		switch {
		case len(slices.Compact(sorted)) != len(header):
			return nil, errors.New("it names a column twice")
		case len(header) > maxFields:
			return nil, errors.New("it has more than " + strconv.Itoa(maxFields) + " columns")
		}
		return &table{comma: comma, header: header}, nil
	}
	return nil, errors.New("it names no column " + escape(timeField))
}

// parse takes a line apart.
func (t *table) parse(line []byte) ([]field, error) {
	if !utf8.Valid(line) {
		return nil, errors.New("it is not UTF-8")
	}
	values, err := cells(line, t.comma)
	switch {
	case err != nil:
		return nil, errors.New("its quotes do not match; an entry is one line")
	case len(values) != len(t.header):
		return nil, errors.New("it has " + strconv.Itoa(len(values)) + " cells where the first line has " + strconv.Itoa(len(t.header)))
	}
	fields := make([]field, len(values))
	for i, v := range values {
		fields[i] = field{t.header[i], v}
	}
	return fields, nil
}

func cells(line []byte, comma rune) ([]string, error) {
	r := csv.NewReader(bytes.NewReader(line))
	r.Comma, r.FieldsPerRecord = comma, -1
	values, err := r.Read()
	if err != nil {
		return nil, err
	}
	if _, err := r.Read(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one record")
	}
	return values, nil
}
