package catalogue

import (
	"io/fs"
	"reflect"
	"testing/fstest"
)

// OpenFS opens tables from fsys, and rows to lay over them from over where it
// is not nil.
func OpenFS(fsys, over fs.FS) *Tables {
	t := &Tables{layers: []layer{{fsys: fsys}}, sheets: map[string]any{}}
	if over != nil {
		t.layers = append(t.layers, layer{fsys: over, name: "over"})
	}
	return t
}

// Base is the build's own tables.
func Base() fs.FS {
	base, err := fs.Sub(files, "data")
	if err != nil {
		panic(err)
	}
	return base
}

// Files lists the tables' files.
func Files() []string { return fileNames() }

// LintColumn is a column and what lint asks of it.
type LintColumn struct {
	File, Name, Ref string
	Enum            []string
	Date, Need      bool
	index           int
}

// LintColumns lists the columns of all tables.
func LintColumns() []LintColumn {
	var out []LintColumn
	for _, l := range all() {
		for _, c := range columns(l.of) {
			out = append(out, LintColumn{l.file, c.name, c.rule.ref, c.rule.enum, c.rule.date, c.rule.need, c.index})
		}
	}
	return out
}

// Values are a column's values, row by row, and the rows' keys.
func Values(t *Tables, c LintColumn) (keys []string, values [][]string, err error) {
	for _, l := range all() {
		if l.file != c.File {
			continue
		}
		v, err := l.read(t)
		if err != nil {
			return nil, nil, err
		}
		for _, row := range v.rows {
			values = append(values, cells(reflect.ValueOf(row).Field(c.index)))
		}
		return v.keys, values, nil
	}
	return nil, nil, nil
}

// ReadTable reads one table alone from b.
func ReadTable(name string, b []byte) error {
	for _, l := range all() {
		if l.file == name {
			_, err := l.read(OpenFS(fstest.MapFS{name: &fstest.MapFile{Data: b}}, nil))
			return err
		}
	}
	return fs.ErrNotExist
}
