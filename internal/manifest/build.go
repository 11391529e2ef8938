package manifest

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/assize/assize/internal/domain"
)

const (
	maxFeatures     = 200_000 // an image of 224 × 224 × 3 has 150,528
	maxFeatureBytes = 32 << 20
)

// placed is a feature and how an error names its place.
type placed struct {
	domain.Feature
	line  int    // of the manifest
	place string // "domain.features[3]", or the CSV file and its line
}

// BuildDomain makes the domain of the features, from the list or the CSV file,
// and the relations. It is nil where the manifest declares none. A CSV file needs
// Dir. What is wrong is an *Error that names the file, the line and the fix.
func (m *Manifest) BuildDomain() (*domain.Domain, error) {
	if m.Domain == nil {
		return nil, nil
	}
	var features []placed
	var problem *Problem
	if m.Domain.Features.Path != "" {
		features, problem = m.readFeatures()
	} else {
		features, problem = m.expandFeatures()
	}
	if problem != nil {
		return nil, report(m.name, []Problem{*problem})
	}
	plain := make([]domain.Feature, len(features))
	for i, f := range features {
		plain[i] = f.Feature
	}
	built, err := domain.New(plain, m.Domain.Relations)
	if err != nil {
		return nil, report(m.name, []Problem{m.blame(features, plain, err)})
	}
	return built, nil
}

// blame finds the line of what domain.New refuses.
func (m *Manifest) blame(features []placed, plain []domain.Feature, err error) Problem {
	text, hint, _ := strings.Cut(err.Error(), "\nhint: ")
	if _, err := domain.New(plain, nil); err == nil {
		// New stops at the first relation that it refuses, so the shortest
		// prefix that it refuses ends with that one.
		relations := m.Domain.Relations
		i := sort.Search(len(relations), func(i int) bool {
			_, err := domain.New(plain, relations[:i+1])
			return err != nil
		})
		return Problem{Line: m.root.find("domain", "relations", strconv.Itoa(i)).line, Text: fmt.Sprintf("domain.relations[%d]: ", i) + text, Hint: hint}
	}
	seen := map[string]bool{}
	for _, f := range features {
		alone := f.Feature
		alone.Group = ""
		if _, err := domain.New([]domain.Feature{alone}, nil); err != nil || seen[f.Name] {
			return Problem{Line: f.line, Text: f.place + ": " + text, Hint: hint}
		}
		seen[f.Name] = true
	}
	return Problem{Line: m.root.find("domain", "features").line, Text: "domain.features: " + text, Hint: hint}
}

// expandFeatures writes out the features that stand for several.
func (m *Manifest) expandFeatures() ([]placed, *Problem) {
	var out []placed
	for i, f := range m.Domain.Features.List {
		p := placed{f.Feature, m.root.find("domain", "features", strconv.Itoa(i)).line, fmt.Sprintf("domain.features[%d]", i)}
		if len(out)+max(1, f.Count) > maxFeatures {
			return nil, &Problem{Line: p.line, Text: fmt.Sprintf("%s: more than %d features", p.place, maxFeatures), Hint: "declare the features that the model takes"}
		}
		if f.Count == 0 {
			out = append(out, p)
			continue
		}
		for n := range f.Count {
			p.Name = fmt.Sprintf("%s[%d]", f.Name, n)
			out = append(out, p)
		}
	}
	return out, nil
}

// featureColumns are the columns of a CSV file of features, the first four of
// which it must have.
func featureColumns() []string {
	return []string{"name", "type", "min", "max", "unit", "mutable", "group", "cost"}
}

// readFeatures reads the CSV file of features.
func (m *Manifest) readFeatures() ([]placed, *Problem) {
	rel := m.Domain.Features.Path
	line := m.root.find("domain", "features").line
	fail := func(at int, text, hint string) ([]placed, *Problem) {
		place := fmt.Sprintf("domain.features: %q ", rel)
		if at > 0 {
			place += fmt.Sprintf("line %d: ", at)
		}
		return nil, &Problem{Line: line, Text: place + text, Hint: hint}
	}
	found, text, hint := m.locate(rel)
	if text != "" {
		return nil, &Problem{Line: line, Text: "domain.features: " + text, Hint: hint}
	}
	src, err := readAtMost(found, maxFeatureBytes)
	if err != nil {
		return fail(0, cause(err).Error(), "name a readable CSV file with one feature a line")
	}
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(src, []byte("\ufeff"))))
	r.ReuseRecord = true
	header, err := r.Read()
	if errors.Is(err, io.EOF) {
		return fail(0, "is empty", "its first line is "+strings.Join(featureColumns(), ","))
	}
	if err != nil {
		return fail(csvError(err))
	}
	header = slices.Clone(header)
	for i, h := range header {
		if !slices.Contains(featureColumns(), h) {
			return fail(1, fmt.Sprintf("unknown column %s", clip(h)), didYouMean(h, featureColumns(), "the columns, set apart by commas, are "+strings.Join(featureColumns(), ",")))
		}
		if slices.Contains(header[:i], h) {
			return fail(1, fmt.Sprintf("column %q is here twice", h), "delete one of the two")
		}
	}
	for _, h := range featureColumns()[:4] {
		if !slices.Contains(header, h) {
			return fail(1, fmt.Sprintf("missing column %q", h), "the columns are "+strings.Join(featureColumns(), ",")+", of which the first four are needed")
		}
	}
	var out []placed
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return fail(csvError(err))
		}
		at, _ := r.FieldPos(0)
		if len(out) == maxFeatures {
			return fail(at, fmt.Sprintf("more than %d features", maxFeatures), "declare the features that the model takes")
		}
		f, text, hint := parseFeature(header, record)
		if text != "" {
			return fail(at, text, hint)
		}
		out = append(out, placed{f, line, fmt.Sprintf("domain.features: %q line %d", rel, at)})
	}
}

func readAtMost(path string, n int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	src, err := io.ReadAll(io.LimitReader(f, n+1))
	if err == nil && int64(len(src)) > n {
		return nil, fmt.Errorf("is larger than %d bytes", n)
	}
	return src, err
}

func csvError(err error) (line int, text, hint string) {
	hint = "write one feature a line, as many cells as the first line has, and text with a comma or a quote in double quotes"
	var p *csv.ParseError
	if errors.As(err, &p) {
		return p.Line, p.Err.Error(), hint
	}
	return 0, err.Error(), hint
}

// parseFeature reads one line of the CSV file. What domain.New checks is left to it.
func parseFeature(header, record []string) (f domain.Feature, text, hint string) {
	cells := map[string]string{}
	for i, h := range header {
		cells[h] = strings.TrimSpace(record[i])
	}
	f = domain.Feature{
		Name: strings.Clone(cells["name"]), Type: domain.Type(strings.Clone(cells["type"])), Unit: strings.Clone(cells["unit"]),
		Mutable: domain.Mutability(strings.Clone(cells["mutable"])), Group: strings.Clone(cells["group"]),
	}
	for _, number := range []struct {
		column string
		into   *float64
	}{{"min", &f.Min}, {"max", &f.Max}, {"cost", &f.Cost}} {
		cell := cells[number.column]
		if cell == "" && (number.column == "cost" || f.Type == domain.Binary) {
			continue
		}
		v, err := strconv.ParseFloat(cell, 64)
		if err != nil || !plainNumber.MatchString(cell) {
			return f, fmt.Sprintf("%s of %s: %s is no number", number.column, clip(f.Name), clip(cell)), "write a number with a point and without a unit"
		}
		*number.into = v
	}
	whole := Feature{Feature: f}
	whole.fillDefaults()
	return whole.Feature, "", ""
}
