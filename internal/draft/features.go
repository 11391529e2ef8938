package draft

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/assize/assize/internal/dataset"
	"github.com/assize/assize/internal/domain"
)

// manyInputs is from how many inputs on an array without names is described in one entry.
const manyInputs = 64

// features guesses the domain from all tables: types and ranges from what they show, one-hot groups
// from names that share a beginning and rows that hold one 1 among them.
func (f *Found) features(ctx context.Context, m *Model, tables ...*Table) ([]domain.Feature, error) {
	var out []domain.Feature
	for _, t := range tables {
		if t == nil {
			continue
		}
		seen := dataset.Guess(t.Info)
		if out == nil {
			out = seen
			continue
		}
		for i, s := range seen {
			o := &out[i]
			o.Min, o.Max = min(o.Min, s.Min), max(o.Max, s.Max)
			if s.Type == domain.Real || o.Type == domain.Binary && s.Type == domain.Integer {
				o.Type = s.Type
			}
		}
	}
	if len(m.Names) == len(out) && tables[0] != nil && tables[0].header == nil {
		for i := range out {
			out[i].Name = m.Names[i]
		}
	}
	for i := range out {
		if out[i].Min == out[i].Max {
			out[i].Max++ // a column that never changes has no range to search
		}
	}
	if tables[0] == nil || tables[0].header == nil {
		return out, nil
	}
	t := tables[0]
	var labels []string
	for _, c := range t.Info.Labels {
		labels = append(labels, c.Label)
	}
	all, err := dataset.ReadAll(ctx, dataset.Spec{Path: filepath.Join(f.Dir, filepath.FromSlash(t.Path)), Name: t.Path, Label: t.Label, Classes: labels})
	if err != nil {
		return nil, err
	}
	group(out, all)
	return out, nil
}

// group marks neighbours that are binary, share the beginning of their names, and hold one 1 in every row.
func group(features []domain.Feature, t *dataset.Table) {
	for from := 0; from < len(features); {
		to := from + 1
		stem := stem(features[from].Name)
		for to < len(features) && stem != "" && features[to].Type == domain.Binary && strings.HasPrefix(features[to].Name, stem) {
			to++
		}
		if features[from].Type == domain.Binary && to-from > 1 && oneEach(t, from, to) {
			for i := from; i < to; i++ {
				features[i].Group = strings.TrimRight(stem, "_.=:- ")
			}
		}
		from = to
	}
}

// stem is a name up to its last separator, with it.
func stem(name string) string {
	i := strings.LastIndexAny(name, "_.=:-")
	if i < 1 {
		return ""
	}
	return name[:i+1]
}

func oneEach(t *dataset.Table, from, to int) bool {
	for i := range t.Len() {
		sum := float32(0)
		for _, v := range t.Row(i)[from:to] {
			sum += v
		}
		if sum != 1 {
			return false
		}
	}
	return t.Len() > 0
}

// featuresCSV writes features.csv.
func featuresCSV(features []domain.Feature) ([]byte, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	records := [][]string{{"name", "type", "min", "max", "unit", "mutable", "group", "cost"}}
	for _, f := range features {
		records = append(records, []string{f.Name, string(f.Type), number(f.Min), number(f.Max), "", string(f.Mutable), f.Group, ""})
	}
	if err := w.WriteAll(records); err != nil {
		return nil, fmt.Errorf("write features: %w", err)
	}
	return b.Bytes(), nil
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// inline tells whether features are described in one entry: an array of many values without names.
func inline(t *Table, features []domain.Feature) bool {
	return t.header == nil && len(features) > manyInputs && !slices.ContainsFunc(features, func(f domain.Feature) bool { return !strings.HasPrefix(f.Name, "v") })
}
