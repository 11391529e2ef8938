package gguf

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// kind is what a word of a template is.
type kind uint8

const (
	name kind = iota
	text
	number
	sign      // an operator or bracket
	statement // the first name of {% %}
	boundary  // between two expressions
)

// word is one of a template's expressions or statements.
type word struct {
	kind kind
	s    string // of a text: what it stands for, escapes resolved
	at   int
}

// lex splits a Jinja template into the words of its expressions and statements
// (Jinja 3.1, "Template Designer Documentation"). Text between them is left out.
func lex(t string) ([]word, error) {
	var out []word
	for at := 0; ; {
		open := strings.IndexByte(t[at:], '{')
		if open < 0 {
			return out, nil
		}
		at += open
		switch {
		case strings.HasPrefix(t[at:], "{#"):
			end := strings.Index(t[at:], "#}")
			if end < 0 {
				return out, fmt.Errorf("a comment that does not end")
			}
			at += end + 2
		case strings.HasPrefix(t[at:], "{{"), strings.HasPrefix(t[at:], "{%"):
			closing := "}}"
			if t[at+1] == '%' {
				closing = "%}"
			}
			before := len(out)
			end, err := words(t, at+2, closing, &out)
			if err != nil {
				return out, err
			}
			at = end
			out = append(out, word{kind: boundary, at: at})
			if closing == "%}" && len(out) > before+1 && out[before].kind == name {
				out[before].kind = statement
				if out[before].s == "raw" {
					stop := strings.Index(t[at:], "endraw")
					if stop < 0 {
						return out, fmt.Errorf("a raw part that does not end")
					}
					at += stop
				}
			}
		default:
			at++
		}
	}
}

// words reads up to the closing mark and returns where it ends.
func words(t string, at int, closing string, out *[]word) (int, error) {
	depth := 0
	for at < len(t) {
		c := t[at]
		switch {
		case depth == 0 && strings.HasPrefix(t[at:], closing):
			return at + 2, nil
		case depth == 0 && (c == '-' || c == '+') && strings.HasPrefix(t[at+1:], closing):
			return at + 3, nil
		case c == ' ' || c == '\n' || c == '\t' || c == '\r':
			at++
		case c == '\'' || c == '"':
			s, end, err := quoted(t, at)
			if err != nil {
				return 0, err
			}
			*out = append(*out, word{text, s, at})
			at = end
		case letter(c):
			end := at
			for end < len(t) && (letter(t[end]) || t[end] >= '0' && t[end] <= '9') {
				end++
			}
			*out = append(*out, word{name, t[at:end], at})
			at = end
		case c >= '0' && c <= '9':
			end := at
			for end < len(t) && (t[end] >= '0' && t[end] <= '9' || t[end] == '_' || t[end] == '.' && end+1 < len(t) && t[end+1] >= '0' && t[end+1] <= '9') {
				end++
			}
			*out = append(*out, word{number, t[at:end], at})
			at = end
		default:
			switch c {
			case '(', '[', '{':
				depth++
			case ')', ']', '}':
				depth = max(depth-1, 0)
			}
			*out = append(*out, word{sign, string(c), at})
			at++
		}
	}
	return 0, fmt.Errorf("an expression that does not end")
}

func letter(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= utf8.RuneSelf
}

// quoted reads a string with its escapes, which are Python's.
func quoted(t string, at int) (string, int, error) {
	quote := t[at]
	var b strings.Builder
	for i := at + 1; i < len(t); i++ {
		switch {
		case t[i] == quote:
			return b.String(), i + 1, nil
		case t[i] != '\\':
			b.WriteByte(t[i])
			continue
		}
		if i++; i == len(t) {
			break
		}
		digits, base := 0, 16
		switch c := t[i]; c {
		case 'x':
			digits = 2
		case 'u':
			digits = 4
		case 'U':
			digits = 8
		case 'n':
			b.WriteByte('\n')
		case 't':
			b.WriteByte('\t')
		case 'N': // a name of Unicode, among them LOW LINE
			b.WriteString("__")
		default:
			if c < '0' || c > '7' {
				b.WriteByte(c)
				continue
			}
			base, digits = 8, 1
			for digits < 3 && i+digits < len(t) && t[i+digits] >= '0' && t[i+digits] <= '7' {
				digits++
			}
			i--
		}
		if digits > 0 && i+digits < len(t) {
			if v, err := strconv.ParseUint(t[i+1:i+1+digits], base, 32); err == nil {
				b.WriteRune(rune(v))
				i += digits
			}
		}
	}
	return "", 0, fmt.Errorf("a string that does not end")
}
