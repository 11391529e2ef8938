package domain

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

type tokenKind uint8

const (
	tokenEnd tokenKind = iota
	tokenNumber
	tokenWord   // a keyword or function; text
	tokenX      // x.NAME; text is the name
	tokenOrig   // orig.NAME
	tokenSymbol // text
)

type token struct {
	kind tokenKind
	text string
	num  float64
	pos  int // byte offset of its first character
}

// syntaxError is what is wrong in a relation, where, and the remedy.
type syntaxError struct {
	text, problem, hint string
	pos                 int
}

func (e *syntaxError) Error() string {
	column := 1 + utf8.RuneCountInString(e.text[:min(e.pos, len(e.text))])
	s := fmt.Sprintf("column %d: %s", column, e.problem)
	if e.hint != "" {
		s += "\nhint: " + e.hint
	}
	return s
}

// scan reads the token that starts at or after offset and the offset after it.
func scan(text string, offset int) (token, int, error) {
	for offset < len(text) && strings.IndexByte(" \t\r\n", text[offset]) >= 0 {
		offset++
	}
	if offset == len(text) {
		return token{pos: offset}, offset, nil
	}
	r, _ := utf8.DecodeRuneInString(text[offset:])
	switch {
	case r >= '0' && r <= '9':
		return scanNumber(text, offset)
	case isWord(r):
		return scanWord(text, offset)
	}
	for _, symbol := range []string{"<=", ">=", "==", "!=", "<", ">", "+", "-", "*", "/", "(", ")", ","} {
		if strings.HasPrefix(text[offset:], symbol) && !strings.HasPrefix(text[offset:], "**") {
			return token{kind: tokenSymbol, text: symbol, pos: offset}, offset + len(symbol), nil
		}
	}
	hint := ""
	switch r {
	case '=':
		hint = `write == for "equal"`
	case '&', '|', '!':
		hint = "write and, or, not"
	case '%':
		hint = "write a share as a number, for example 0.15"
	case '^', '*':
		hint = "write a power as a product"
	case '.':
		hint = "write a digit before the point, for example 0.5"
	case '"', '\'':
		hint = `a quoted name follows its row: x."Loan amount"`
	}
	return token{}, 0, &syntaxError{text, fmt.Sprintf("unexpected %q", r), hint, offset}
}

func scanNumber(text string, start int) (token, int, error) {
	end := start
	digits := func() {
		for end < len(text) && text[end] >= '0' && text[end] <= '9' {
			end++
		}
	}
	digits()
	if end < len(text) && text[end] == '.' {
		end++
		digits()
	}
	if end < len(text) && (text[end] == 'e' || text[end] == 'E') {
		end++
		if end < len(text) && (text[end] == '+' || text[end] == '-') {
			end++
		}
		digits()
	}
	if r, size := utf8.DecodeRuneInString(text[end:]); size > 0 && (isWord(r) || r == '.') {
		return token{}, 0, &syntaxError{text, fmt.Sprintf("unexpected %q in a number", r), "write numbers as 1000, 0.15 or 1e6", end}
	}
	v, err := strconv.ParseFloat(text[start:end], 64)
	if err != nil || math.IsInf(v, 0) {
		return token{}, 0, &syntaxError{text, fmt.Sprintf("%q is not a finite number", clip(text[start:end])), "write numbers as 1000, 0.15 or 1e6", start}
	}
	return token{kind: tokenNumber, num: v, pos: start}, end, nil
}

func scanWord(text string, start int) (token, int, error) {
	end := start + wordLen(text[start:])
	t := token{kind: tokenWord, text: text[start:end], pos: start}
	if end == len(text) || text[end] != '.' {
		return t, end, nil
	}
	switch t.text {
	case "x":
		t.kind = tokenX
	case "orig":
		t.kind = tokenOrig
	default:
		return token{}, 0, &syntaxError{text, fmt.Sprintf("unknown row %q", clip(t.text)), "write x.NAME for the row as changed or orig.NAME for the row as it was", start}
	}
	end++
	if end < len(text) && text[end] == '"' {
		name, size := unquote(text[end:])
		if size == 0 {
			return token{}, 0, &syntaxError{text, "the quoted name does not end", `close it with "; inside, write \" and \\`, end}
		}
		t.text = name
		return t, end + size, nil
	}
	size := bareLen(text[end:])
	if size == 0 {
		return token{}, 0, &syntaxError{text, "a feature name must follow the point", `write x.amount, x.pixel[3] or x."Loan amount"`, end}
	}
	t.text = text[end : end+size]
	return t, end + size, nil
}

func isWord(r rune) bool {
	return r == '_' || r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r))
}

func wordLen(s string) int {
	for i, r := range s {
		if !isWord(r) {
			return i
		}
	}
	return len(s)
}

// bareLen is the length of the name at the start of s that needs no quotes:
// words joined by points, each with whole-number indices in brackets.
func bareLen(s string) int {
	end := 0
	for {
		n := wordLen(s[end:])
		if n == 0 {
			return max(0, end-1) // without the point before it
		}
		end += n
		for end < len(s) && s[end] == '[' {
			digits := end + 1
			for digits < len(s) && s[digits] >= '0' && s[digits] <= '9' {
				digits++
			}
			if digits == end+1 || digits == len(s) || s[digits] != ']' {
				return end
			}
			end = digits + 1
		}
		if end == len(s) || s[end] != '.' {
			return end
		}
		end++
	}
}

// unquote reads a name in double quotes; size 0 means that it does not end.
func unquote(s string) (name string, size int) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '"':
			return b.String(), i + 1
		case s[i] == '\\' && i+1 < len(s) && (s[i+1] == '"' || s[i+1] == '\\'):
			i++
		}
		b.WriteByte(s[i])
	}
	return "", 0
}

// quote writes a name as a relation must name it.
func quote(name string) string {
	if name != "" && bareLen(name) == len(name) {
		return name
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(name) + `"`
}
