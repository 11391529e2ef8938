// Package jsondoc reads JSON that may be hostile: token by token in bounded
// memory, or as a tree of bounded size. It notes what parsers treat
// differently, such as a key that stands twice in an object.
package jsondoc

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// Kind is what a token is.
type Kind uint8

// The kinds of token.
const (
	Null Kind = iota
	Bool
	Number
	String
	Key
	Object
	ObjectEnd
	Array
	ArrayEnd
)

// Token is one token. Text is the decoded string or key, or the literal of
// another value, valid until the next one; Cut says that only the first
// Limits.Keep bytes of it were kept.
type Token struct {
	Kind   Kind
	Text   []byte
	Cut    bool
	Offset int64 // of its first byte, counted from the Scanner's start
}

// Limits bound what a Scanner accepts.
type Limits struct {
	Depth int                      // arrays and objects in each other
	Keep  int                      // bytes that are kept of one string
	Spend func(bytes int64) error  // called for every 64 KiB; nil: not
	Hold  func(change int64) error // called for memory of keys; nil: not
}

// Duplicate is a key that an object has twice.
type Duplicate struct {
	Key    string
	Offset int64
}

// maxDuplicates is how many repeated keys are remembered.
const maxDuplicates = 16

// Scanner splits JSON into tokens. NaN and Infinity are numbers, as they are
// to Python's reader.
type Scanner struct {
	in         io.Reader
	lim        Limits
	buf        []byte
	at, n      int
	base       int64 // of buf[0]
	err        error
	text       []byte
	stack      []level
	started    bool
	done       bool
	Duplicates []Duplicate // keys that stand twice, the first of them
}

// level is an open array or object.
type level struct {
	object bool
	keys   map[string]struct{}
	held   int64
	count  int
	value  bool // a key was read and its value was not
}

// NewScanner returns a Scanner that reads one value and what follows it.
func NewScanner(in io.Reader, lim Limits) *Scanner {
	return &Scanner{in: in, lim: lim, buf: make([]byte, 64<<10)}
}

// Offset is where the next byte stands.
func (s *Scanner) Offset() int64 { return s.base + int64(s.at) }

// Depth is how many arrays and objects are open.
func (s *Scanner) Depth() int { return len(s.stack) }

// peek returns the next byte; false at the end or after an error.
func (s *Scanner) peek() (byte, bool) {
	if s.at < s.n {
		return s.buf[s.at], true
	}
	for s.err == nil {
		s.base, s.at = s.base+int64(s.n), 0
		s.n, s.err = s.in.Read(s.buf)
		if s.n > 0 {
			if s.lim.Spend != nil {
				if err := s.lim.Spend(int64(s.n)); err != nil {
					s.err, s.n = err, 0
					return 0, false
				}
			}
			return s.buf[0], true
		}
	}
	return 0, false
}

func (s *Scanner) space() (byte, bool) {
	for {
		c, ok := s.peek()
		if !ok || c != ' ' && c != '\n' && c != '\t' && c != '\r' {
			return c, ok
		}
		s.at++
	}
}

func (s *Scanner) problem(format string, args ...any) error {
	if s.err != nil && s.err != io.EOF && s.at >= s.n {
		return s.err
	}
	return fmt.Errorf("byte %d: %s", s.Offset(), fmt.Sprintf(format, args...))
}

// Next returns the next token. After the value's last one it returns io.EOF;
// what follows the value is not read.
func (s *Scanner) Next() (Token, error) {
	if s.done {
		return Token{}, io.EOF
	}
	c, ok := s.space()
	if !ok {
		return Token{}, s.problem("the text ends in the middle")
	}
	if len(s.stack) == 0 {
		if s.started {
			s.done = true
			return Token{}, io.EOF
		}
		s.started = true
		return s.value(c)
	}
	top := &s.stack[len(s.stack)-1]
	end := byte(']')
	if top.object {
		end = '}'
	}
	if c == end && !top.value {
		s.at++
		return s.pop(top)
	}
	if top.value {
		top.value = false
		return s.value(c)
	}
	if top.count > 0 {
		if c != ',' {
			return Token{}, s.problem("%q where a comma or an end belongs", c)
		}
		s.at++
		if c, ok = s.space(); !ok {
			return Token{}, s.problem("the text ends in the middle")
		}
	}
	top.count++
	if !top.object {
		return s.value(c)
	}
	return s.key(c, top)
}

func (s *Scanner) pop(top *level) (Token, error) {
	t := Token{Kind: ArrayEnd, Offset: s.Offset() - 1}
	if top.object {
		t.Kind = ObjectEnd
	}
	if top.held > 0 && s.lim.Hold != nil {
		if err := s.lim.Hold(-top.held); err != nil {
			return t, err
		}
	}
	s.stack = s.stack[:len(s.stack)-1]
	if len(s.stack) == 0 {
		s.done = true
	}
	return t, nil
}

func (s *Scanner) key(c byte, top *level) (Token, error) {
	if c != '"' {
		return Token{}, s.problem("%q where a key belongs", c)
	}
	t, err := s.quoted()
	if err != nil {
		return t, err
	}
	t.Kind = Key
	if top.keys == nil {
		top.keys = map[string]struct{}{}
	}
	if _, twice := top.keys[string(t.Text)]; twice {
		if len(s.Duplicates) < maxDuplicates {
			s.Duplicates = append(s.Duplicates, Duplicate{string(t.Text[:min(len(t.Text), 200)]), t.Offset})
		}
	} else {
		if s.lim.Hold != nil {
			cost := int64(len(t.Text)) + 48
			if err := s.lim.Hold(cost); err != nil {
				return t, err
			}
			top.held += cost
		}
		top.keys[string(t.Text)] = struct{}{}
	}
	if c, ok := s.space(); !ok || c != ':' {
		return t, s.problem("no colon behind the key")
	}
	s.at++
	top.value = true
	return t, nil
}

func (s *Scanner) value(c byte) (Token, error) {
	t := Token{Offset: s.Offset()}
	switch c {
	case '{', '[':
		if len(s.stack) >= s.lim.Depth {
			return t, s.problem("arrays and objects nest deeper than %d", s.lim.Depth)
		}
		s.at++
		s.stack = append(s.stack, level{object: c == '{'})
		if t.Kind = Array; c == '{' {
			t.Kind = Object
		}
		return t, nil
	case '"':
		return s.quoted()
	}
	s.text = s.text[:0]
	for {
		c, ok := s.peek()
		if !ok || !(c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '-' || c == '+' || c == '.') {
			break
		}
		if len(s.text) > 4096 {
			return t, s.problem("a number of more than 4096 digits")
		}
		s.text = append(s.text, c)
		s.at++
	}
	t.Text = s.text
	switch word := string(s.text); {
	case word == "true", word == "false":
		t.Kind = Bool
	case word == "null":
		t.Kind = Null
	case word == "NaN", word == "Infinity", word == "-Infinity", number(s.text):
		t.Kind = Number
	default:
		return t, fmt.Errorf("byte %d: %.40q is no value", t.Offset, word)
	}
	if len(s.stack) == 0 {
		s.done = true
	}
	return t, nil
}

// number says whether b is a number by the grammar of RFC 8259, section 6.
func number(b []byte) bool {
	digits := func() bool {
		n := 0
		for n < len(b) && b[n] >= '0' && b[n] <= '9' {
			n++
		}
		b = b[n:]
		return n > 0
	}
	b = bytes.TrimPrefix(b, []byte("-"))
	if len(b) > 1 && b[0] == '0' && b[1] >= '0' && b[1] <= '9' || !digits() {
		return false
	}
	if len(b) > 0 && b[0] == '.' {
		if b = b[1:]; !digits() {
			return false
		}
	}
	if len(b) > 0 && (b[0] == 'e' || b[0] == 'E') {
		if b = b[1:]; len(b) > 0 && (b[0] == '+' || b[0] == '-') {
			b = b[1:]
		}
		return digits() && len(b) == 0
	}
	return len(b) == 0
}

// quoted reads a string.
func (s *Scanner) quoted() (Token, error) {
	t := Token{Kind: String, Offset: s.Offset()}
	s.at++
	s.text = s.text[:0]
	for {
		if _, ok := s.peek(); !ok {
			return t, s.problem("a string that does not end")
		}
		run := s.buf[s.at:s.n]
		k := 0
		for k < len(run) && run[k] != '"' && run[k] != '\\' && run[k] >= ' ' {
			k++
		}
		s.keep(&t, run[:k])
		s.at += k
		if k == len(run) {
			continue
		}
		switch c := run[k]; {
		case c == '"':
			s.at++
			if len(s.stack) == 0 {
				s.done = true
			}
			if !t.Cut && !utf8.Valid(s.text) {
				return t, s.problem("a string that is not UTF-8")
			}
			t.Text = s.text
			return t, nil
		case c == '\\':
			s.at++
			if err := s.escape(&t); err != nil {
				return t, err
			}
		default:
			return t, s.problem("a control character in a string")
		}
	}
}

func (s *Scanner) keep(t *Token, b []byte) {
	if room := s.lim.Keep - len(s.text); len(b) > room {
		b, t.Cut = b[:max(room, 0)], true
	}
	s.text = append(s.text, b...)
}

func (s *Scanner) escape(t *Token) error {
	c, ok := s.peek()
	if !ok {
		return s.problem("a string that does not end")
	}
	s.at++
	switch c {
	case '"', '\\', '/':
	case 'b':
		c = '\b'
	case 'f':
		c = '\f'
	case 'n':
		c = '\n'
	case 'r':
		c = '\r'
	case 't':
		c = '\t'
	case 'u':
		return s.unicode(t)
	default:
		return s.problem("unknown escape \\%c", c)
	}
	s.keep(t, []byte{c})
	return nil
}

// unicode reads the rest of \uXXXX, and a second one where it is half of a pair.
func (s *Scanner) unicode(t *Token) error {
	r, err := s.hex()
	if err != nil {
		return err
	}
	for utf16.IsSurrogate(r) {
		second := rune(0)
		if c, ok := s.peek(); !ok || c != '\\' {
			break
		}
		s.at++
		if c, ok := s.peek(); !ok || c != 'u' {
			s.keep(t, []byte("\ufffd"))
			return s.escape(t)
		}
		s.at++
		if second, err = s.hex(); err != nil {
			return err
		}
		if pair := utf16.DecodeRune(r, second); pair != utf8.RuneError {
			r = pair
			break
		}
		s.keep(t, []byte("\ufffd"))
		r = second
	}
	s.keep(t, utf8.AppendRune(nil, r)) // half of a pair becomes U+FFFD
	return nil
}

func (s *Scanner) hex() (rune, error) {
	var digits [4]byte
	for i := range digits {
		c, ok := s.peek()
		if !ok {
			return 0, s.problem("a string that does not end")
		}
		digits[i] = c
		s.at++
	}
	v, err := strconv.ParseUint(string(digits[:]), 16, 16)
	if err != nil {
		return 0, s.problem("%q is no code point", digits)
	}
	return rune(v), nil
}
