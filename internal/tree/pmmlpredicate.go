package tree

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// truth is the value of a predicate; a comparison with a missing value is unknown.
type truth int8

const (
	isFalse truth = iota
	isTrue
	isUnknown
)

// datum is a value of a field.
type datum struct {
	missing bool
	number  float64
	word    string
}

// predicate is a PMML predicate of one field.
type predicate struct {
	kind  string // operator of a SimplePredicate or SimpleSetPredicate, of a CompoundPredicate, or True or False
	value float64
	word  string
	list  []datum
	parts []*predicate
}

// predicates reads those of one characteristic and notes what they ask for.
type predicates struct {
	field  string
	words  []string
	bounds []float64
	size   int // of predicates, and values in their lists
}

// ask notes a field and a value that it is compared with.
func (r *predicates) ask(e *element, word string) error {
	field := e.attr["field"]
	if r.field != "" && field != r.field {
		return fmt.Errorf("line %d: it asks for %.60q and %.60q; one field is supported", e.line, r.field, field)
	}
	r.field = field
	if !slices.Contains(r.words, word) {
		if len(r.words) >= maxBins {
			return fmt.Errorf("more than %d values", maxBins)
		}
		r.words = append(r.words, word)
		if v, err := strconv.ParseFloat(strings.TrimSpace(word), 64); err == nil && finite(v) {
			r.bounds = append(r.bounds, v)
		}
	}
	return nil
}

// comparesNumbers tells whether an operator is about order.
func comparesNumbers(operator string) bool {
	return slices.Contains([]string{"lessThan", "lessOrEqual", "greaterThan", "greaterOrEqual"}, operator)
}

func (r *predicates) read(e *element) (*predicate, error) {
	r.size++
	switch e.name {
	case "True", "False":
		return &predicate{kind: e.name}, nil
	case "SimplePredicate":
		p := &predicate{kind: e.attr["operator"], word: e.attr["value"]}
		switch {
		case p.kind == "isMissing", p.kind == "isNotMissing":
			if r.field == "" {
				r.field = e.attr["field"]
			}
			if r.field != e.attr["field"] {
				return nil, fmt.Errorf("line %d: it asks for %.60q and %.60q; one field is supported", e.line, r.field, e.attr["field"])
			}
			return p, nil
		case comparesNumbers(p.kind):
			var err error
			if p.value, err = e.number("value"); err != nil {
				return nil, err
			}
		case p.kind == "equal", p.kind == "notEqual":
			if v, err := e.number("value"); err == nil {
				p.value = v
			}
		default:
			return nil, fmt.Errorf("line %d: operator %.40q is not known", e.line, p.kind)
		}
		return p, r.ask(e, p.word)
	case "SimpleSetPredicate":
		p := &predicate{kind: e.attr["booleanOperator"]}
		a := e.child("Array")
		if a == nil || p.kind != "isIn" && p.kind != "isNotIn" {
			return nil, fmt.Errorf("line %d: a set without an Array, or operator %.40q", e.line, p.kind)
		}
		for _, word := range arrayWords(string(a.text)) {
			r.size++
			v, err := strconv.ParseFloat(word, 64)
			p.list = append(p.list, datum{missing: err != nil, number: v, word: word})
			if err := r.ask(e, word); err != nil {
				return nil, err
			}
		}
		return p, nil
	case "CompoundPredicate":
		p := &predicate{kind: e.attr["booleanOperator"]}
		if !slices.Contains([]string{"and", "or", "xor", "surrogate"}, p.kind) {
			return nil, fmt.Errorf("line %d: operator %.40q is not known", e.line, p.kind)
		}
		for _, c := range e.children {
			if c.name == "Extension" {
				continue
			}
			part, err := r.read(c)
			if err != nil {
				return nil, err
			}
			p.parts = append(p.parts, part)
		}
		if len(p.parts) < 2 {
			return nil, fmt.Errorf("line %d: a compound of %d predicates", e.line, len(p.parts))
		}
		return p, nil
	}
	return nil, fmt.Errorf("line %d: predicate %.40q is not supported", e.line, e.name)
}

// arrayWords are the values of an Array: parted by blanks, those with blanks in
// quotes, and a quote within as \".
func arrayWords(text string) (words []string) {
	for text = strings.TrimSpace(text); text != ""; text = strings.TrimSpace(text) {
		if text[0] != '"' {
			end := strings.IndexAny(text, " \t\r\n")
			if end < 0 {
				end = len(text)
			}
			words, text = append(words, text[:end]), text[end:]
			continue
		}
		var b strings.Builder
		i := 1
		for ; i < len(text) && text[i] != '"'; i++ {
			if text[i] == '\\' && i+1 < len(text) && text[i+1] == '"' {
				i++
			}
			b.WriteByte(text[i])
		}
		words, text = append(words, b.String()), text[min(i+1, len(text)):]
	}
	return words
}

func yes(b bool) truth {
	if b {
		return isTrue
	}
	return isFalse
}

// holds evaluates a predicate with the three values of PMML.
func (p *predicate) holds(x datum) truth {
	switch p.kind {
	case "True", "False":
		return yes(p.kind == "True")
	case "isMissing", "isNotMissing":
		return yes(x.missing == (p.kind == "isMissing"))
	case "and", "or", "xor", "surrogate":
		return p.compound(x)
	}
	if x.missing {
		return isUnknown
	}
	same := func(word string, value float64) bool {
		if x.word != "" {
			return x.word == word
		}
		return x.number == value
	}
	switch p.kind {
	case "lessThan":
		return yes(x.number < p.value)
	case "lessOrEqual":
		return yes(x.number <= p.value)
	case "greaterThan":
		return yes(x.number > p.value)
	case "greaterOrEqual":
		return yes(x.number >= p.value)
	case "equal", "notEqual":
		return yes(same(p.word, p.value) == (p.kind == "equal"))
	}
	in := slices.ContainsFunc(p.list, func(d datum) bool {
		return x.word != "" && x.word == d.word || x.word == "" && !d.missing && x.number == d.number
	})
	return yes(in == (p.kind == "isIn"))
}

func (p *predicate) compound(x datum) truth {
	unknown, odd := false, false
	for _, part := range p.parts {
		t := part.holds(x)
		switch {
		case p.kind == "surrogate" && t != isUnknown:
			return t
		case p.kind == "and" && t == isFalse, p.kind == "or" && t == isTrue:
			return t
		}
		unknown = unknown || t == isUnknown
		odd = odd != (t == isTrue)
	}
	switch {
	case unknown:
		return isUnknown
	case p.kind == "xor":
		return yes(odd)
	}
	return yes(p.kind == "and")
}
