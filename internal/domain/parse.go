package domain

import (
	"fmt"
	"slices"
	"strings"
)

const (
	maxRelationBytes = 4096
	maxDepth         = 64
)

// op is an operation of a relation: arithmetic first, then truth.
type op uint8

const (
	opNumber op = iota
	opX
	opOrig
	opNeg
	opAbs
	opAdd
	opSub
	opMul
	opDiv
	opMin
	opMax
	opLE // from here on true or false
	opGE
	opLT
	opGT
	opEQ
	opNE
	opNot
	opAnd
	opOr
	opImplies
)

// expr is a node of a parsed relation.
type expr struct {
	op      op
	num     float64
	feature int32
	kids    []*expr
	pos     int
}

// String is how a relation writes the operation.
func (o op) String() string {
	return [...]string{
		"number", "x", "orig", "-", "abs", "+", "-", "*", "/", "min", "max",
		"<=", ">=", "<", ">", "==", "!=", "not", "and", "or", "implies",
	}[o]
}

func (e *expr) truth() bool { return e.op >= opLE }

type parser struct {
	text     string
	features []Feature
	names    map[string]int32
	tok      token
	next     int
	depth    int
	named    bool // a feature was named
}

// parse reads one relation. The grammar, loosest first: implies (to the
// right), or, and, not, one comparison, sums, products, unary minus.
func parse(text string, features []Feature, names map[string]int32) (*expr, error) {
	if len(text) > maxRelationBytes {
		return nil, fmt.Errorf("it has %d bytes, more than %d\nhint: split it at its top-level \"and\" into several relations", len(text), maxRelationBytes)
	}
	p := &parser{text: text, features: features, names: names}
	if err := p.advance(); err != nil {
		return nil, err
	}
	if p.tok.kind == tokenEnd {
		return nil, p.fail(0, "it is empty", "write a comparison, for example x.amount <= 1000")
	}
	e, err := p.implies()
	if err != nil {
		return nil, err
	}
	switch {
	case p.tok.kind != tokenEnd:
		return nil, p.unexpected("an operator or the end")
	case !e.truth():
		return nil, p.fail(e.pos, "it is a number, not a statement", "compare it, for example with <= 0")
	case !p.named:
		return nil, p.fail(0, "it names no feature", "write x.NAME or orig.NAME")
	}
	return e, nil
}

func (p *parser) fail(pos int, problem, hint string) error {
	return &syntaxError{p.text, problem, hint, pos}
}

func (p *parser) advance() (err error) {
	p.tok, p.next, err = scan(p.text, p.next)
	return err
}

// is says whether the current token is the symbol or keyword s.
func (p *parser) is(s string) bool {
	return (p.tok.kind == tokenSymbol || p.tok.kind == tokenWord) && p.tok.text == s
}

func (p *parser) enter(pos int) error {
	if p.depth++; p.depth > maxDepth {
		return p.fail(pos, fmt.Sprintf("it is nested more than %d deep", maxDepth), "split it into several relations")
	}
	return nil
}

func (p *parser) implies() (*expr, error) {
	if err := p.enter(p.tok.pos); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	left, err := p.or()
	if err != nil || !p.is("implies") {
		return left, err
	}
	pos := p.tok.pos
	if err := p.advance(); err != nil {
		return nil, err
	}
	right, err := p.implies()
	if err != nil {
		return nil, err
	}
	return p.join(opImplies, pos, left, right)
}

func (p *parser) or() (*expr, error)  { return p.chain(p.and, opOr) }
func (p *parser) and() (*expr, error) { return p.chain(p.not, opAnd) }

func (p *parser) sum() (*expr, error)     { return p.chain(p.product, opAdd, opSub) }
func (p *parser) product() (*expr, error) { return p.chain(p.unary, opMul, opDiv) }

// chain reads operands joined to the left by any of the given operations.
func (p *parser) chain(operand func() (*expr, error), ops ...op) (*expr, error) {
	left, err := operand()
	for err == nil {
		o, ok := p.operation(ops...)
		if !ok {
			return left, nil
		}
		pos := p.tok.pos
		if err = p.advance(); err != nil {
			break
		}
		var right *expr
		if right, err = operand(); err != nil {
			break
		}
		left, err = p.join(o, pos, left, right)
	}
	return nil, err
}

// operation says which of ops the current token stands for, if any.
func (p *parser) operation(ops ...op) (op, bool) {
	for _, o := range ops {
		if p.is(o.String()) {
			return o, true
		}
	}
	return 0, false
}

func (p *parser) compares() (op, bool) {
	return p.operation(opLE, opGE, opLT, opGT, opEQ, opNE)
}

func (p *parser) not() (*expr, error) {
	if !p.is("not") {
		return p.comparison()
	}
	pos := p.tok.pos
	if err := p.enter(pos); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	if err := p.advance(); err != nil {
		return nil, err
	}
	e, err := p.not()
	if err != nil {
		return nil, err
	}
	return p.join(opNot, pos, e)
}

func (p *parser) comparison() (*expr, error) {
	left, err := p.sum()
	if err != nil {
		return nil, err
	}
	o, ok := p.compares()
	if !ok {
		return left, nil
	}
	pos := p.tok.pos
	if err := p.advance(); err != nil {
		return nil, err
	}
	right, err := p.sum()
	if err != nil {
		return nil, err
	}
	e, err := p.join(o, pos, left, right)
	if err != nil {
		return nil, err
	}
	if _, again := p.compares(); again {
		middle := p.write(right, 0)
		return nil, p.fail(p.tok.pos, "comparisons cannot be chained",
			fmt.Sprintf("write %s and %s %s …", clip(p.write(e, 0)), clip(middle), p.tok.text))
	}
	return e, nil
}

func (p *parser) unary() (*expr, error) {
	if !p.is("-") {
		return p.primary()
	}
	pos := p.tok.pos
	if err := p.enter(pos); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	if err := p.advance(); err != nil {
		return nil, err
	}
	e, err := p.unary()
	if err != nil {
		return nil, err
	}
	return p.join(opNeg, pos, e)
}

func (p *parser) primary() (*expr, error) {
	t := p.tok
	switch {
	case t.kind == tokenNumber:
		return &expr{op: opNumber, num: t.num, pos: t.pos}, p.advance()
	case t.kind == tokenX || t.kind == tokenOrig:
		i, ok := p.names[t.text]
		if !ok {
			return nil, p.unknown(t)
		}
		p.named = true
		e := &expr{op: opX, feature: i, pos: t.pos}
		if t.kind == tokenOrig {
			e.op = opOrig
		}
		return e, p.advance()
	case p.is("("):
		if err := p.advance(); err != nil {
			return nil, err
		}
		e, err := p.implies()
		if err != nil {
			return nil, err
		}
		return e, p.expect(")")
	case t.kind == tokenWord:
		return p.call()
	}
	return nil, p.unexpected("a number, a feature or (")
}

// call reads abs, min or max with its arguments.
func (p *parser) call() (*expr, error) {
	t := p.tok
	o, ok := p.operation(opAbs, opMin, opMax)
	if !ok {
		return nil, p.unknownWord(t)
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	if err := p.expect("("); err != nil {
		return nil, err
	}
	var kids []*expr
	for {
		e, err := p.implies()
		if err != nil {
			return nil, err
		}
		kids = append(kids, e)
		if !p.is(",") {
			break
		}
		if err := p.advance(); err != nil {
			return nil, err
		}
	}
	switch {
	case o == opAbs && len(kids) != 1:
		return nil, p.fail(t.pos, fmt.Sprintf("abs takes one value, not %d", len(kids)), "")
	case o != opAbs && len(kids) < 2:
		return nil, p.fail(t.pos, t.text+" takes two or more values, not 1", "")
	}
	if err := p.expect(")"); err != nil {
		return nil, err
	}
	return p.join(o, t.pos, kids...)
}

// join makes a node after checking that its operands are of the kind it takes.
func (p *parser) join(o op, pos int, kids ...*expr) (*expr, error) {
	for _, k := range kids {
		switch {
		case o < opNot && k.truth():
			return nil, p.fail(k.pos, "a statement stands where a number must", "compare numbers; join statements with and, or, implies")
		case o >= opNot && !k.truth():
			return nil, p.fail(k.pos, "a number stands where a statement must", "compare it, for example == 1")
		}
	}
	return &expr{op: o, kids: kids, pos: pos}, nil
}

func (p *parser) expect(symbol string) error {
	if !p.is(symbol) {
		return p.unexpected(fmt.Sprintf("%q", symbol))
	}
	return p.advance()
}

func (p *parser) unexpected(want string) error {
	problem := "the relation ends too early"
	switch p.tok.kind {
	case tokenNumber:
		problem = fmt.Sprintf("unexpected number %v", p.tok.num)
	case tokenX, tokenOrig:
		problem = fmt.Sprintf("unexpected feature %q", clip(p.tok.text))
	case tokenSymbol, tokenWord:
		problem = fmt.Sprintf("unexpected %q", clip(p.tok.text))
	}
	return p.fail(p.tok.pos, problem, "here comes "+want)
}

func (p *parser) unknownWord(t token) error {
	lower := strings.ToLower(t.text)
	hint := "the functions are abs, min and max; features are written x.NAME or orig.NAME"
	if _, ok := p.names[t.text]; ok {
		hint = fmt.Sprintf("write x.%s or orig.%s", t.text, t.text)
	} else if lower != t.text && slices.Contains([]string{"and", "or", "not", "implies", "abs", "min", "max"}, lower) {
		hint = "write " + lower
	}
	return p.fail(t.pos, fmt.Sprintf("unexpected %q", clip(t.text)), hint)
}

func (p *parser) unknown(t token) error {
	row := "x"
	if t.kind == tokenOrig {
		row = "orig"
	}
	rest := p.text[t.pos+len(row)+1:]
	hint := ""
	for _, f := range p.features {
		if len(f.Name) > len(t.text) && strings.HasPrefix(rest, f.Name) {
			hint = fmt.Sprintf("did you mean %s.%s?", row, quote(f.Name))
		}
	}
	if hint == "" {
		hint = nearest(t.text, p.features, row)
	}
	return p.fail(t.pos, fmt.Sprintf("unknown feature %q", clip(t.text)), hint)
}
