package draft

import (
	"archive/zip"
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"io"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/assize/assize/internal/dataset"
)

// headRows is how many records are read to tell columns of numbers from others.
const headRows = 200

// csv notes a table by its header. Which column is the label is settled when the model is known.
func (f *Found) csv(_ context.Context, file, rel string) {
	in, err := os.Open(file)
	if err != nil {
		f.skip(rel, "cannot be opened")
		return
	}
	defer in.Close()
	r := csv.NewReader(bufio.NewReader(io.LimitReader(in, 16<<20)))
	header, err := r.Read()
	if err != nil || len(header) < 1 {
		f.skip(rel, "neither a model nor a table that is read")
		return
	}
	t := Table{Path: rel, header: slices.Clone(header)}
	numbers := 0
	for range headRows {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			f.skip(rel, "no table of commas: "+firstLine(err))
			return
		}
		for j, v := range record {
			if _, err := strconv.ParseFloat(strings.TrimSpace(v), 64); err != nil && v != "" && !slices.Contains(t.text, j) {
				t.text = append(t.text, j)
			}
		}
		numbers++
	}
	if numbers == 0 {
		f.skip(rel, "a table without rows")
		return
	}
	f.Tables = append(f.Tables, t)
}

// array notes an NPY or NPZ file, with the arrays that look like inputs and labels.
func (f *Found) array(ctx context.Context, file, rel string) {
	t := Table{Path: rel, LabelSure: true}
	if z, err := zip.OpenReader(file); err == nil {
		defer z.Close()
		var names []string
		for _, m := range z.File[:min(len(z.File), 64)] {
			names = append(names, strings.TrimSuffix(path.Base(m.Name), ".npy"))
		}
		t.Input = first(names, "x", "X", "images", "data", "inputs", "features", "x_test", "X_test")
		t.Label = first(names, "y", "Y", "labels", "label", "target", "targets", "y_test", "Y_test")
		if t.Input == "" && len(names) == 1 {
			t.Input = names[0]
		}
	}
	t.inspect(ctx, file)
	f.Tables = append(f.Tables, t)
}

// first is the earliest of some names that is there.
func first(there []string, names ...string) string {
	for _, n := range names {
		if slices.Contains(there, n) {
			return n
		}
	}
	return ""
}

// inspect reads the whole file once.
func (t *Table) inspect(ctx context.Context, file string) {
	info, err := dataset.Inspect(ctx, dataset.Spec{Path: file, Name: t.Path, Input: t.Input, Label: t.Label})
	if err != nil {
		t.Problem = firstLine(err)
		return
	}
	t.Info = info
}

// labelNames are columns that hold the truth, in many people's habit.
func labelNames() []string {
	return []string{
		"label", "labels", "target", "y", "class", "outcome", "truth", "default", "diagnosis", "good", "bad", "result", "response",
		"is_recid", "two_year_recid", "nodefaultnextmonth", "goodcustomer", "approved", "fraud", "churn", "survived",
	}
}

// findLabel says which column of a CSV file is no input.
func (t *Table) findLabel(m *Model) {
	known := func(name string) bool { return slices.Contains(m.Names, name) }
	var unnamed []string
	for _, h := range t.header {
		if len(m.Names) > 0 && !known(h) {
			unnamed = append(unnamed, h)
		}
	}
	named := ""
	for _, h := range t.header {
		if slices.Contains(labelNames(), strings.ToLower(strings.TrimSpace(h))) {
			named = h
		}
	}
	switch {
	case named == "" && m.Width > 0 && len(t.header) == m.Width:
		t.LabelSure = true
	case len(unnamed) == 1 && len(t.header) == len(m.Names)+1:
		t.Label, t.LabelSure = unnamed[0], true
	case len(t.text) == 1:
		t.Label, t.LabelSure = t.header[t.text[0]], m.Width == len(t.header)-1
	case named != "":
		t.Label, t.LabelSure = named, m.Width == len(t.header)-1
	case m.Width > 0 && len(t.header) == m.Width+1, m.Width == 0 && len(t.header) > 1:
		t.Label = t.header[len(t.header)-1]
	}
}
