package dataset

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// npyHeader is what the header of an NPY file says.
type npyHeader struct {
	descr   string
	fortran bool
	shape   []int
}

// maxRank bounds the dimensions of an array, as NumPy 1 did.
const maxRank = 32

// parseHeader reads the header's Python literal: a dictionary with exactly the
// keys descr, fortran_order and shape. It knows strings, True, False and tuples of
// whole numbers and evaluates nothing (NumPy enhancement proposal 1, format
// specification).
func parseHeader(text string) (npyHeader, error) {
	p := &literal{rest: text}
	var h npyHeader
	seen := map[string]bool{}
	p.expect("{")
	for p.err == nil && !p.accept("}") {
		key := p.quoted()
		p.expect(":")
		if seen[key] {
			p.refuse("key %q stands twice", clip(key))
		}
		seen[key] = true
		switch key {
		case "descr":
			h.descr = p.descr()
		case "fortran_order":
			h.fortran = p.boolean()
		case "shape":
			h.shape = p.tuple()
		default:
			p.refuse("unknown key %q", clip(key))
		}
		if !p.accept(",") && !p.at("}") {
			p.refuse("a comma or } is missing at %q", clip(p.rest))
		}
	}
	if p.err == nil && strings.TrimSpace(p.rest) != "" {
		p.refuse("text after the dictionary: %q", clip(p.rest))
	}
	if p.err == nil && len(seen) != 3 {
		p.refuse("it must say descr, fortran_order and shape")
	}
	if p.err != nil {
		return npyHeader{}, p.err
	}
	return h, nil
}

// literal scans one line of Python literals. After the first error it consumes nothing.
type literal struct {
	rest string
	err  error
}

func (p *literal) refuse(format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf("array header: "+format, args...)
	}
}

func (p *literal) at(token string) bool {
	p.rest = strings.TrimLeft(p.rest, " \t\r\n")
	return p.err == nil && strings.HasPrefix(p.rest, token)
}

func (p *literal) accept(token string) bool {
	if !p.at(token) {
		return false
	}
	p.rest = p.rest[len(token):]
	return true
}

func (p *literal) expect(token string) {
	if !p.accept(token) {
		p.refuse("%q is missing at %q", token, clip(p.rest))
	}
}

// quoted reads a string without escapes.
func (p *literal) quoted() string {
	quote := "'"
	if p.at(`"`) {
		quote = `"`
	}
	p.expect(quote)
	s, rest, ok := strings.Cut(p.rest, quote)
	if !ok || strings.Contains(s, `\`) {
		p.refuse("a string does not end, or holds a backslash, at %q", clip(p.rest))
	}
	if p.err != nil {
		return ""
	}
	p.rest = rest
	return s
}

func (p *literal) descr() string {
	if p.at("[") {
		p.err = errors.New("arrays of records are not read\nhint: save each field as an array of its own with numpy.savez")
		return ""
	}
	return p.quoted()
}

func (p *literal) boolean() bool {
	if p.accept("True") {
		return true
	}
	p.expect("False")
	return false
}

// tuple reads (), (3,) or (3, 4); Python 2 wrote whole numbers with an L.
func (p *literal) tuple() []int {
	shape := []int{}
	p.expect("(")
	for p.err == nil && !p.accept(")") {
		p.at("")
		digits := len(p.rest) - len(strings.TrimLeft(p.rest, "0123456789"))
		n, err := strconv.Atoi(p.rest[:digits])
		if err != nil {
			p.refuse("shape: no whole number at %q", clip(p.rest))
			break
		}
		if shape = append(shape, n); len(shape) > maxRank {
			p.refuse("shape: more than %d dimensions", maxRank)
		}
		p.rest = p.rest[digits:]
		p.accept("L")
		if !p.accept(",") && !p.at(")") {
			p.refuse("shape: a comma or ) is missing at %q", clip(p.rest))
		}
	}
	return shape
}
