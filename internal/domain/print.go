package domain

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/assize/assize/internal/spelling"
)

// write gives the relation's text with the fewest parentheses; outer is how
// tightly the place binds in which it will stand. Parsing the text gives the same tree.
func (p *parser) write(e *expr, outer int) string {
	infix := func(level, left, right int) string {
		s := p.write(e.kids[0], left) + " " + e.op.String() + " " + p.write(e.kids[1], right)
		if level < outer {
			return "(" + s + ")"
		}
		return s
	}
	switch e.op {
	case opNumber:
		return strconv.FormatFloat(e.num, 'g', -1, 64)
	case opX, opOrig:
		return e.op.String() + "." + quote(p.features[e.feature].Name)
	case opAbs, opMin, opMax:
		args := make([]string, len(e.kids))
		for i := range args {
			args[i] = p.write(e.kids[i], 0)
		}
		return e.op.String() + "(" + strings.Join(args, ", ") + ")"
	case opImplies:
		return infix(1, 2, 1)
	case opOr:
		return infix(2, 2, 3)
	case opAnd:
		return infix(3, 3, 4)
	case opNot:
		if outer > 4 {
			return "(not " + p.write(e.kids[0], 4) + ")"
		}
		return "not " + p.write(e.kids[0], 4)
	case opAdd, opSub:
		return infix(6, 6, 7)
	case opMul, opDiv:
		return infix(7, 7, 8)
	case opNeg:
		return "-" + p.write(e.kids[0], 8)
	}
	return infix(5, 6, 6) // a comparison
}

// nearest proposes the feature whose name is a few letters away, or lists some.
func nearest(name string, features []Feature, row string) string {
	var names []string
	for _, f := range features {
		names = append(names, f.Name)
	}
	if at := spelling.Nearest(name, names, 1+len(name)/3); at != "" {
		return fmt.Sprintf("did you mean %s.%s?", row, quote(at))
	}
	var some []string
	for _, n := range names[:min(5, len(names))] {
		some = append(some, quote(n))
	}
	s := "the features are " + strings.Join(some, ", ")
	if len(features) > len(some) {
		s += fmt.Sprintf(" and %d more", len(features)-len(some))
	}
	return s
}
