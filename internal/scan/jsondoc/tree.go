package jsondoc

import (
	"errors"
	"fmt"
	"io"
)

// Node is a value with all that is in it. Text is the string, or the literal
// of a number, boolean or null. Keys are those of an object's Items, in their
// order and as often as they stand there.
type Node struct {
	Kind   Kind
	Text   string
	Cut    bool // only the first Limits.Keep bytes of the string were kept
	Offset int64
	Keys   []string
	Items  []*Node
}

// Get returns the last item of that key, as most readers take it, or nil.
func (n *Node) Get(key string) *Node {
	if n == nil || n.Kind != Object {
		return nil
	}
	for i := len(n.Keys) - 1; i >= 0; i-- {
		if n.Keys[i] == key {
			return n.Items[i]
		}
	}
	return nil
}

// String returns the text of a string; empty for anything else, nil included.
func (n *Node) String() string {
	if n == nil || n.Kind != String {
		return ""
	}
	return n.Text
}

// Parse reads one value as a tree of at most that many nodes, with keys that
// stand twice. What follows the value, white space apart, is an error.
func Parse(in io.Reader, lim Limits, maxNodes int) (*Node, []Duplicate, error) {
	s := NewScanner(in, lim)
	var root *Node
	var open []*Node
	nodes := 0
	for {
		t, err := s.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, s.Duplicates, err
		}
		switch t.Kind {
		case ObjectEnd, ArrayEnd:
			open = open[:len(open)-1]
			continue
		case Key:
			top := open[len(open)-1]
			top.Keys = append(top.Keys, string(t.Text))
			continue
		}
		if nodes++; nodes > maxNodes {
			return nil, s.Duplicates, fmt.Errorf("byte %d: more than %d values", t.Offset, maxNodes)
		}
		n := &Node{Kind: t.Kind, Text: string(t.Text), Cut: t.Cut, Offset: t.Offset}
		if len(open) > 0 {
			top := open[len(open)-1]
			top.Items = append(top.Items, n)
		} else {
			root = n
		}
		if t.Kind == Object || t.Kind == Array {
			open = append(open, n)
		}
	}
	if c, ok := s.space(); ok {
		return root, s.Duplicates, s.problem("%q behind the value", c)
	}
	if s.err != nil && !errors.Is(s.err, io.EOF) {
		return root, s.Duplicates, s.err
	}
	return root, s.Duplicates, nil
}

// Rest reads what follows the value and returns the offset of the first byte
// that is no white space; it is -1 where there is none.
func (s *Scanner) Rest() (int64, error) {
	if _, ok := s.space(); ok {
		return s.Offset(), nil
	}
	if s.err != nil && !errors.Is(s.err, io.EOF) {
		return -1, s.err
	}
	return -1, nil
}
