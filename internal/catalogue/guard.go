package catalogue

import (
	"bytes"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/token"
)

// Bounds on a table in YAML. The parser takes time that grows with the square
// of depth and of fields, so both are bounded before it runs; long tables are CSV.
const (
	maxYAMLBytes  = 256 << 10
	maxYAMLMarks  = 50_000 // bytes that could begin a token
	maxYAMLFields = 5_000
	maxYAMLDepth  = 8
)

// guard cuts a table in YAML into tokens and refuses what no table needs:
// depth, anchors, aliases, merges, tags, directives, complex keys.
func guard(b []byte) (token.Tokens, error) {
	marks := 0
	for _, c := range b {
		if bytes.IndexByte([]byte("[]{},:-?#&*!%|>\"'\n"), c) >= 0 {
			marks++
		}
	}
	if len(b) > maxYAMLBytes || marks > maxYAMLMarks {
		return nil, fmt.Errorf("more than %d bytes or %d values\nhint: part it, or keep long tables in CSV", maxYAMLBytes, maxYAMLMarks)
	}
	if !utf8.Valid(b) {
		return nil, errors.New("not UTF-8 text")
	}
	tokens := lexer.Tokenize(string(b))
	fields, flow, dashes, line := 0, 0, 0, 0
	var indents []int
	for _, t := range tokens {
		if t.Position.Line != line {
			line, dashes = t.Position.Line, 0
			for len(indents) > 0 && indents[len(indents)-1] >= t.Position.Column {
				indents = indents[:len(indents)-1]
			}
			indents = append(indents, t.Position.Column)
		}
		switch t.Type {
		case token.MappingStartType, token.SequenceStartType:
			flow++
		case token.MappingEndType, token.SequenceEndType:
			flow--
		case token.SequenceEntryType:
			dashes++
		case token.MappingValueType:
			fields++
		case token.AnchorType, token.AliasType, token.MergeKeyType, token.TagType, token.DirectiveType, token.MappingKeyType:
			return nil, fmt.Errorf("line %d: anchors, aliases, merges, tags, directives and complex keys are not accepted\nhint: write the value out in full, or put text in quotes", line)
		}
		if len(indents)+flow+dashes > maxYAMLDepth || fields > maxYAMLFields {
			return nil, fmt.Errorf("line %d: nested more than %d levels deep, or more than %d fields", line, maxYAMLDepth, maxYAMLFields)
		}
	}
	return tokens, nil
}
