package domain

import (
	"fmt"
	"strconv"
	"strings"
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
	best, at := 1+len(name)/3, ""
	for _, f := range features {
		if n := edits(strings.ToLower(name), strings.ToLower(f.Name), best); n <= best && (at == "" || n < best) {
			best, at = n, f.Name
		}
	}
	if at != "" {
		return fmt.Sprintf("did you mean %s.%s?", row, quote(at))
	}
	var some []string
	for _, f := range features[:min(5, len(features))] {
		some = append(some, quote(f.Name))
	}
	s := "the features are " + strings.Join(some, ", ")
	if len(features) > len(some) {
		s += fmt.Sprintf(" and %d more", len(features)-len(some))
	}
	return s
}

// edits is the Levenshtein distance of a and b in bytes, or any number over
// most when it is over most.
func edits(a, b string, most int) int {
	if len(a)-len(b) > most || len(b)-len(a) > most {
		return most + 1
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
