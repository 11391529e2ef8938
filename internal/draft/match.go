package draft

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// match settles what depends on several files: the labels of tables by the
// width of the model, and tables that cannot be the model's data.
func (f *Found) match(ctx context.Context) {
	var m Model
	if best := f.best(""); best != nil {
		m = *best
	}
	f.Tables = slices.DeleteFunc(f.Tables, func(t Table) bool { return t.header != nil && t.foreign(f) })
	for i := range f.Tables {
		t := &f.Tables[i]
		if t.header == nil {
			continue
		}
		t.findLabel(&m)
		t.inspect(ctx, filepath.Join(f.Dir, filepath.FromSlash(t.Path)))
	}
}

// foreign drops a description of features, which is a table too.
func (t *Table) foreign(f *Found) bool {
	if slices.Contains(t.header, "name") && slices.Contains(t.header, "type") && slices.Contains(t.header, "mutable") {
		f.skip(t.Path, "a description of features")
		return true
	}
	return false
}

// best is the model that is named, else the first without a problem.
func (f *Found) best(path string) *Model {
	for i := range f.Models {
		if m := &f.Models[i]; m.Path == path || path == "" && m.Problem == "" {
			return m
		}
	}
	return nil
}

// roles are the tables by what they are for.
type roles struct {
	train, test, recorded *Table
}

// assign tells training data, test data and recorded outputs apart, by name, width and number of rows.
func (f *Found) assign(m *Model) roles {
	var r roles
	var data []*Table
	for i := range f.Tables {
		t := &f.Tables[i]
		if t.Problem == "" && t.fits(m) {
			data = append(data, t)
		}
	}
	named := func(parts ...string) *Table {
		for _, t := range data {
			base := strings.ToLower(filepath.Base(t.Path))
			if slices.ContainsFunc(parts, func(p string) bool { return strings.Contains(base, p) }) {
				return t
			}
		}
		return nil
	}
	r.train = named("train")
	if r.test = named("test", "holdout", "held", "eval", "valid"); r.test == nil {
		for _, t := range data {
			if t != r.train {
				r.test = t
				break
			}
		}
	}
	if r.test == nil {
		r.test, r.train = r.train, nil
	}
	if r.test == nil {
		return r
	}
	for i := range f.Tables {
		t := &f.Tables[i]
		if t != r.test && t != r.train && t.answers(r.test) {
			r.recorded = t
		}
	}
	return r
}

// fits tells whether a table has the model's inputs.
func (t *Table) fits(m *Model) bool {
	if t.Info == nil || t.Info.Width == 0 {
		return false
	}
	if m.Width > 0 {
		return t.Info.Width == m.Width
	}
	return t.header == nil || len(t.header) > 3
}

// answers tells whether a table may hold what was recorded on another's rows.
func (t *Table) answers(test *Table) bool {
	base := strings.ToLower(filepath.Base(t.Path))
	says := slices.ContainsFunc([]string{"served", "pred", "output", "answer", "recorded", "prob", "logit", "score"}, func(p string) bool { return strings.Contains(base, p) })
	return says && (t.Info == nil || t.Info.Rows == test.Info.Rows)
}

// classes are the names of the classes in index order, as far as labels or the model's columns tell them.
func classes(m *Model, t *Table) []string {
	var names []string
	if t != nil && t.Info != nil {
		for _, c := range t.Info.Labels {
			names = append(names, c.Label)
		}
	}
	columns := m.Columns
	if columns == 1 {
		columns = 2
	}
	if len(names) == 0 || len(names) > 1000 || columns > 0 && len(names) != columns {
		names = nil
		for i := range columns {
			names = append(names, fmt.Sprint(i))
		}
	}
	return names
}
