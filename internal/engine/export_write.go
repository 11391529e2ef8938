package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/dataset"
	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/durable"
)

// write writes the rows, reads them back, has them decided again, and writes what is known of them beside.
func (x *export) write(ctx context.Context) error {
	format := dataset.Format(x.ExportOptions.Format)
	if format == "" {
		if format = dataset.NPZ; x.format == dataset.CSV {
			format = dataset.CSV
		}
	}
	out := x.ExportOptions.Out
	if out == "" {
		out = "adversarial." + string(format)
	}
	var changed []float32
	index := make([]int, len(x.out.Rows))
	for i, r := range x.out.Rows {
		changed, index[i] = append(changed, r.changed...), i
	}
	if len(changed) != len(x.orig) {
		return fmt.Errorf("export rows: the dossier has %d values, the data %d", len(changed), len(x.orig))
	}
	spec := *x.setup.Data
	spec.Path, spec.Name = out, ""
	if full, err := filepath.Abs(out); err == nil {
		spec.Path, spec.Name = full, out // the worker has a folder of its own
	}
	var err error
	if format == dataset.CSV {
		err = x.writeCSV(out, changed)
	} else {
		// The decisions on what was written are not known yet: it is written again with them.
		spec.Input, spec.Label = x.arrays()
		err = x.writeNPZ(out, changed)
	}
	if err != nil {
		return err
	}
	back, err := dataset.ReadAll(ctx, spec)
	if err != nil {
		return err
	}
	if !slices.Equal(back.X, changed) {
		return errors.New("export rows: what was written does not read back as it was")
	}
	after, err := x.decide(ctx, &spec, index)
	if err != nil {
		return err
	}
	for i := range x.out.Rows {
		r := &x.out.Rows[i]
		if r.After = after[i]; r.After != r.Before {
			x.out.Confirmed++
		}
	}
	if format == dataset.NPZ {
		if err := x.writeNPZ(out, changed); err != nil {
			return err
		}
	}
	return x.writeSidecar(ctx, out, format)
}

// arrays are the names of the arrays of rows and labels: the target's own where it has some.
func (x *export) arrays() (rows, labels string) {
	rows, labels = "x", "y"
	if x.format == dataset.NPZ {
		if x.setup.Data.Input != "" {
			rows = x.setup.Data.Input
		}
		labels = x.label
	}
	return rows, labels
}

// originalName is the file of the rows as they were, beside a CSV file of changed ones.
func originalName(out string) string {
	ext := filepath.Ext(out)
	return strings.TrimSuffix(out, ext) + ".original" + ext
}

// sidecarName is the file beside an export that says what it is.
func sidecarName(out string) string { return out + ".json" }

// writeCSV writes two files with the columns of the target's own: the changed rows, and the same rows as they were.
func (x *export) writeCSV(out string, changed []float32) error {
	labels := make([]string, len(x.out.Rows))
	for i, r := range x.out.Rows {
		labels[i] = r.Label
	}
	for path, rows := range map[string][]float32{out: changed, originalName(out): x.orig} {
		var b bytes.Buffer
		if err := dataset.WriteCSV(&b, x.columns, x.label, rows, labels); err != nil {
			return err
		}
		if err := durable.WriteFile(path, b.Bytes(), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// writeNPZ writes one file with an array for each thing that is known of a row.
func (x *export) writeNPZ(out string, changed []float32) error {
	n := len(x.out.Rows)
	shape := append([]int{n}, x.shape...)
	if len(x.shape) == 0 {
		shape = append(shape, len(x.columns))
	}
	index, distance := make([]int64, n), make([]float64, n)
	attack, before, after := make([]string, n), make([]string, n), make([]string, n)
	names := make([]string, n)
	for i, r := range x.out.Rows {
		index[i], distance[i] = int64(r.Row), r.Distance
		attack[i], before[i], after[i], names[i] = r.Attack, r.Before, r.After, r.Label
	}
	labels, err := x.classes(names)
	if err != nil {
		return err
	}
	rowsName, labelsName := x.arrays()
	arrays := []dataset.Array{
		{Name: rowsName, Shape: shape, Values: changed}, {Name: labelsName, Shape: []int{n}, Values: labels},
		{Name: "original", Shape: shape, Values: x.orig}, {Name: "index", Shape: []int{n}, Values: index},
		{Name: "attack", Shape: []int{n}, Values: attack}, {Name: "distance", Shape: []int{n}, Values: distance},
		{Name: "decision_before", Shape: []int{n}, Values: before}, {Name: "decision_after", Shape: []int{n}, Values: after},
	}
	for i, a := range arrays[2:] {
		if a.Name == rowsName || a.Name == labelsName {
			arrays[2+i].Name = "export_" + a.Name
		}
	}
	var b bytes.Buffer
	if err := dataset.WriteNPZ(&b, arrays); err != nil {
		return err
	}
	return durable.WriteFile(out, b.Bytes(), 0o644)
}

// classes are labels as numbers: as they stand in the target's data, else the index of the class.
func (x *export) classes(names []string) ([]int64, error) {
	out := make([]int64, len(names))
	for i, name := range names {
		v, err := strconv.ParseInt(name, 10, 64)
		if err != nil {
			if v = int64(slices.Index(x.setup.Data.Classes, name)); v < 0 {
				return nil, fmt.Errorf("export rows: label %q is no whole number", name)
			}
		}
		out[i] = v
	}
	return out, nil
}

// Paths are the files that were written, that which says what they are last.
func (e *Exported) Paths() []string {
	var paths []string
	for _, f := range e.Files {
		paths = append(paths, filepath.Join(e.folder, f.Name))
	}
	return append(paths, sidecarName(paths[0]))
}

// writeSidecar writes what is known of the rows.
func (x *export) writeSidecar(ctx context.Context, out string, format dataset.Format) error {
	rows, labels := x.arrays()
	holds := fmt.Sprintf("the changed rows in %s, their labels in %s, the rows as they were in original, and by row index, attack, distance, decision_before and decision_after", rows, labels)
	files := []ExportedFile{{Name: out, Holds: holds}}
	if format == dataset.CSV {
		files = []ExportedFile{{Name: out, Holds: "the changed rows, with their labels"}, {Name: originalName(out), Holds: "the same rows as they were, line by line"}}
	}
	for _, f := range files {
		digest, _, err := artefact.DigestOf(ctx, f.Name)
		if err != nil {
			return err
		}
		f.Name, f.Digest = filepath.Base(f.Name), digest
		x.out.Files = append(x.out.Files, f)
	}
	x.out.folder = filepath.Dir(out)
	b, err := json.MarshalIndent(x.out, "", " ")
	if err != nil {
		return err
	}
	return durable.WriteFile(sidecarName(out), append(b, '\n'), 0o644)
}

// dossierDigest is of the file that says everything, dossier.json.
func dossierDigest(ctx context.Context, dir string) (artefact.Digest, error) {
	digest, _, err := artefact.DigestOf(ctx, filepath.Join(dir, dossier.MainName))
	return digest, err
}
