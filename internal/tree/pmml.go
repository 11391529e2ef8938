package tree

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
)

// element is an element of an XML file, with the text directly in it where it is an Array.
type element struct {
	name     string
	line     int
	attr     map[string]string
	children []*element
	text     []byte
}

// Bounds of an XML file.
const (
	maxElements = 1 << 20
	maxNested   = 64
	maxAsked    = 100_000_000 // predicates at values
)

// elements reads an XML file without a document type, and so without entities of its own.
func elements(b []byte) (*element, error) {
	d := xml.NewDecoder(bytes.NewReader(b))
	var open []*element
	var root *element
	for n := 0; ; {
		token, err := d.Token()
		line, _ := d.InputPos()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%w\nhint: the file is truncated or damaged, or not in UTF-8; save or copy it again", err)
		}
		switch t := token.(type) {
		case xml.Directive:
			return nil, fmt.Errorf("line %d: a document type is not read\nhint: take the DOCTYPE out", line)
		case xml.StartElement:
			if n++; n > maxElements || len(open) >= maxNested {
				return nil, fmt.Errorf("line %d: more than %d elements, or %d within each other", line, maxElements, maxNested)
			}
			e := &element{name: t.Name.Local, line: line, attr: make(map[string]string, len(t.Attr))}
			for _, a := range t.Attr {
				e.attr[a.Name.Local] = a.Value
			}
			if len(open) == 0 {
				if root != nil {
					return nil, fmt.Errorf("line %d: a second root", line)
				}
				root = e
			} else {
				up := open[len(open)-1]
				up.children = append(up.children, e)
			}
			open = append(open, e)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			if len(open) > 0 && open[len(open)-1].name == "Array" {
				open[len(open)-1].text = append(open[len(open)-1].text, t...)
			}
		}
	}
	if root == nil {
		return nil, errors.New("it has no root")
	}
	return root, nil
}

// child is the first child of a name, or nil.
func (e *element) child(name string) *element {
	for _, c := range e.children {
		if c.name == name {
			return c
		}
	}
	return nil
}

// number is an attribute as a finite number.
func (e *element) number(name string) (float64, error) {
	v, err := strconv.ParseFloat(strings.TrimSpace(e.attr[name]), 64)
	if err != nil || !finite(v) {
		return 0, fmt.Errorf("line %d: %s of %s: %.40q is no number", e.line, name, e.name, e.attr[name])
	}
	return v, nil
}

// pmmlField is an input of a PMML model.
type pmmlField struct {
	name        string
	words       bool    // its values are categories
	replacement *string // what a missing value counts as
	asked       bool    // by a characteristic
}

// readPMML reads a Scorecard of PMML 4.1 to 4.4: of each characteristic the first
// attribute whose predicate is true gives its partial score, and the score is
// their sum and the initial score. Features are the active fields of the mining schema,
// in its order. What no attribute takes gets no points, where an evaluator gives no score.
// Numbers are compared in float32, and categories are numbered, as those of tables of points are.
// A characteristic may ask for one field alone.
func readPMML(b []byte, g *nursery) (*Ensemble, error) {
	root, err := elements(b)
	if err != nil {
		return nil, err
	}
	if root.name != "PMML" {
		return nil, fmt.Errorf("line %d: the root is %.40q, not PMML", root.line, root.name)
	}
	var card, dictionary *element
	for _, c := range root.children {
		switch c.name {
		case "Header", "Extension", "MiningBuildTask":
		case "DataDictionary":
			dictionary = c
		case "TransformationDictionary":
			if c.child("DerivedField") != nil {
				return nil, fmt.Errorf("line %d: derived fields are not supported\nhint: assess the model behind the transformation, on its own inputs", c.line)
			}
		case "Scorecard":
			if card != nil {
				return nil, fmt.Errorf("line %d: a second model", c.line)
			}
			card = c
		default:
			return nil, fmt.Errorf("line %d: %.40q is not supported; of PMML a Scorecard is\nhint: export the model as ONNX or in its library's own format", c.line, c.name)
		}
	}
	if card == nil || dictionary == nil {
		return nil, errors.New("it has no Scorecard, or no DataDictionary")
	}
	e := &Ensemble{Outputs: 1, Base: []float64{0}, Link: Identity, Slope: 1, Single: true, Version: root.attr["version"]}
	if card.attr["initialScore"] != "" {
		if e.Base[0], err = card.number("initialScore"); err != nil {
			return nil, err
		}
	}
	fields, err := pmmlFields(card, dictionary)
	if err != nil {
		return nil, err
	}
	for _, f := range fields {
		e.Names = append(e.Names, f.name)
	}
	e.Features = len(fields)
	all := card.child("Characteristics")
	if all == nil {
		return nil, fmt.Errorf("line %d: the scorecard has no Characteristics", card.line)
	}
	for _, c := range all.children {
		if c.name == "Extension" {
			continue
		}
		if c.name != "Characteristic" {
			return nil, fmt.Errorf("line %d: %.40q among the characteristics", c.line, c.name)
		}
		if err := g.tree(); err != nil {
			return nil, err
		}
		if err := e.characteristic(g, c, fields); err != nil {
			return nil, fmt.Errorf("line %d: characteristic %.60q: %w", c.line, c.attr["name"], err)
		}
	}
	if len(e.Trees) == 0 {
		return nil, fmt.Errorf("line %d: the scorecard has no characteristic", card.line)
	}
	return e, nil
}

// pmmlFields are the active fields of the scorecard's schema.
func pmmlFields(card, dictionary *element) ([]*pmmlField, error) {
	known := map[string]*element{}
	for _, d := range dictionary.children {
		known[d.attr["name"]] = d
	}
	schema := card.child("MiningSchema")
	if schema == nil {
		return nil, fmt.Errorf("line %d: the scorecard has no MiningSchema", card.line)
	}
	for _, c := range card.children {
		switch {
		case c.name == "Targets", c.name == "LocalTransformations" && c.child("DerivedField") != nil:
			return nil, fmt.Errorf("line %d: %s is not supported\nhint: assess the scorecard on its own inputs and points", c.line, c.name)
		case c.attr["isScorable"] == "false":
			return nil, fmt.Errorf("line %d: the scorecard is not for scoring", c.line)
		}
	}
	var fields []*pmmlField
	for _, m := range schema.children {
		usage := m.attr["usageType"]
		if m.name != "MiningField" || usage != "" && usage != "active" {
			continue
		}
		d := known[m.attr["name"]]
		if d == nil {
			return nil, fmt.Errorf("line %d: field %.60q is not in the DataDictionary", m.line, m.attr["name"])
		}
		if o := m.attr["outliers"]; o != "" && o != "asIs" {
			return nil, fmt.Errorf("line %d: outliers=%.20q is not supported", m.line, o)
		}
		f := &pmmlField{name: m.attr["name"], words: d.attr["optype"] == "categorical" || d.attr["dataType"] == "string"}
		if r, ok := m.attr["missingValueReplacement"]; ok {
			f.replacement = &r
		}
		if slices.ContainsFunc(fields, func(o *pmmlField) bool { return o.name == f.name }) {
			return nil, fmt.Errorf("line %d: field %.60q is there twice", m.line, f.name)
		}
		fields = append(fields, f)
	}
	if len(fields) == 0 || len(fields) > maxFeatures {
		return nil, fmt.Errorf("line %d: %d active fields", schema.line, len(fields))
	}
	return fields, nil
}

// bin is one attribute of a characteristic.
type bin struct {
	when   *predicate
	points float64
}

// characteristic adds the tree of one characteristic.
func (e *Ensemble) characteristic(g *nursery, c *element, fields []*pmmlField) error {
	r := &predicates{}
	var bins []bin
	for _, a := range c.children {
		if a.name == "Extension" {
			continue
		}
		if a.name != "Attribute" || a.child("ComplexPartialScore") != nil {
			return fmt.Errorf("line %d: %.40q, or a partial score that is computed, is not supported", a.line, a.name)
		}
		if len(bins) >= maxBins {
			return fmt.Errorf("more than %d attributes", maxBins)
		}
		points, err := a.number("partialScore")
		if err != nil {
			return err
		}
		i := slices.IndexFunc(a.children, func(x *element) bool { return x.name != "Extension" })
		if i < 0 {
			return fmt.Errorf("line %d: an attribute without a predicate", a.line)
		}
		p, err := r.read(a.children[i])
		if err != nil {
			return err
		}
		bins = append(bins, bin{p, points})
	}
	at := slices.IndexFunc(fields, func(f *pmmlField) bool { return f.name == r.field })
	if at < 0 {
		return fmt.Errorf("field %.60q is no active field of the MiningSchema", r.field)
	}
	f := fields[at]
	if f.words && f.asked {
		return fmt.Errorf("it is the second that asks for the categories of %.60q, which is not supported", f.name)
	}
	f.asked = true
	v := &characteristic{name: c.attr["name"]}
	none := 0.0
	v.missing, v.other = &none, &none
	if g.asked += r.size * (2*len(r.bounds) + len(r.words) + 4); g.asked > maxAsked {
		return fmt.Errorf("its predicates ask for too many values")
	}
	first := func(x datum) (points float64, ok bool) {
		for i := range bins {
			if bins[i].when.holds(x) == isTrue {
				return bins[i].points, true
			}
		}
		return 0, false
	}
	gone := datum{missing: true}
	if f.replacement != nil {
		gone = datum{word: *f.replacement}
		if !f.words {
			n, err := strconv.ParseFloat(*f.replacement, 64)
			if err != nil || !finite(n) {
				return fmt.Errorf("missingValueReplacement %.40q of %.60q is no number", *f.replacement, f.name)
			}
			gone = datum{number: n}
		}
	}
	if p, ok := first(gone); ok {
		v.missing = &p
	}
	if f.words {
		r.byWord(v, first)
	} else if err := r.byNumber(v, first); err != nil {
		return err
	}
	t, levels, err := v.tree(g, at, false)
	if err != nil {
		return err
	}
	if levels != nil {
		if e.Levels == nil {
			e.Levels = map[int][]string{}
		}
		e.Levels[at] = levels
	}
	e.Trees = append(e.Trees, t)
	return nil
}

// byWord finds the points of every category that a predicate names.
func (r *predicates) byWord(v *characteristic, first func(datum) (float64, bool)) {
	for _, w := range r.words {
		p, _ := first(datum{word: w})
		v.sets = append(v.sets, cardSet{names: []string{w}, points: p})
	}
	if p, ok := first(datum{word: "\x00"}); ok { // XML has no such character, so no predicate names it
		v.other = &p
	}
}

// byNumber finds the points at and between the bounds that predicates name.
func (r *predicates) byNumber(v *characteristic, first func(datum) (float64, bool)) error {
	slices.Sort(r.bounds)
	bounds := slices.Compact(r.bounds)
	lo, open := math.Inf(-1), false
	for i := 0; i <= len(bounds); i++ {
		hi := math.Inf(1)
		if i < len(bounds) {
			hi = bounds[i]
		}
		middle := lo/2 + hi/2
		switch {
		case len(bounds) == 0:
			middle = 0
		case i == 0:
			middle = hi - 1 - math.Abs(hi)
		case i == len(bounds):
			middle = lo + 1 + math.Abs(lo)
		}
		p, ok := first(datum{number: middle})
		if !ok {
			return fmt.Errorf("no attribute takes the numbers between %v and %v\nhint: give them points, 0 for none", lo, hi)
		}
		here := cardRange{lo: lo, hi: hi, open: open, points: p}
		if i < len(bounds) {
			at, ok := first(datum{number: hi})
			if !ok {
				return fmt.Errorf("no attribute takes %v\nhint: give it points, 0 for none", hi)
			}
			next := math.Inf(1)
			if i+1 < len(bounds) {
				next = bounds[i+1]
			}
			after, _ := first(datum{number: between(hi, next)})
			if here.closed = at == p; at != p && at != after {
				v.sets = append(v.sets, cardSet{names: []string{strconv.FormatFloat(hi, 'g', -1, 64)}, points: at})
			}
		}
		open, lo = here.closed, hi
		v.ranges = append(v.ranges, here)
	}
	return nil
}

// between is a number above lo and below hi.
func between(lo, hi float64) float64 {
	if math.IsInf(hi, 1) {
		return lo + 1 + math.Abs(lo)
	}
	return lo/2 + hi/2
}
