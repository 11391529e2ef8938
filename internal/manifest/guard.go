package manifest

import (
	"bytes"
	"fmt"
	"unicode/utf8"

	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/token"
)

// Bounds on what is read. The YAML parser takes time that grows with the square
// of the depth and of the number of keys, so both are bounded before it runs.
const (
	maxBytes  = 1 << 20
	maxMarks  = 200_000 // bytes that could begin a token
	maxFields = 8_000
	maxDepth  = 32
)

const featuresHint = "keep a long list of features in a CSV file and name it under domain.features"

// guard refuses bytes that are no text, that are too much, or that use parts of
// YAML which a manifest does not need: anchors, aliases, merges, tags,
// directives, keys that are not plain text.
func guard(src []byte) (token.Tokens, *Problem) {
	if p := guardBytes(src); p != nil {
		return nil, p
	}
	tokens := lexer.Tokenize(string(src))
	fields, flow, dashes, line := 0, 0, 0, 0
	began, ended := false, false
	var indents []int
	for _, t := range tokens {
		if t.Type == token.CommentType {
			continue
		}
		if ended || began && t.Type == token.DocumentHeaderType {
			p := secondDocument(t.Position.Line)
			return nil, &p
		}
		began, ended = true, t.Type == token.DocumentEndType
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
		}
		if what, hint := refused(t.Type); what != "" {
			return nil, &Problem{Line: t.Position.Line, Column: t.Position.Column, Text: what + " are not accepted", Hint: hint}
		}
		if len(indents)+flow+dashes > maxDepth {
			return nil, &Problem{Line: t.Position.Line, Text: fmt.Sprintf("nested more than %d levels deep", maxDepth), Hint: "check brackets and indentation"}
		}
		if fields > maxFields {
			return nil, &Problem{Line: t.Position.Line, Text: fmt.Sprintf("more than %d fields", maxFields), Hint: featuresHint}
		}
	}
	return tokens, nil
}

func secondDocument(line int) Problem {
	return Problem{Line: line, Text: "second document", Hint: "a manifest is one document: delete the line --- or ... and what follows it"}
}

func guardBytes(src []byte) *Problem {
	if len(src) > maxBytes {
		return &Problem{Text: "larger than 1 MiB", Hint: featuresHint}
	}
	line, marks := 1, 0
	for rest := src; len(rest) > 0; {
		r, n := utf8.DecodeRune(rest)
		switch {
		case r == utf8.RuneError && n == 1:
			return &Problem{Line: line, Text: "not UTF-8 text", Hint: "save the file as UTF-8"}
		case r == '\n':
			line, marks = line+1, marks+1
		case r < ' ' && r != '\t' && r != '\r', r == 0x7f, r == 0xfeff:
			return &Problem{Line: line, Text: fmt.Sprintf("control character %U", r), Hint: "delete it, and save the file as plain UTF-8 text"}
		case r < utf8.RuneSelf && bytes.IndexByte([]byte("[]{},:-?#&*!%|>\"'"), byte(r)) >= 0:
			marks++
		}
		rest = rest[n:]
	}
	if marks > maxMarks {
		return &Problem{Text: fmt.Sprintf("more than %d values", maxMarks), Hint: featuresHint}
	}
	return nil
}

func refused(t token.Type) (what, hint string) {
	switch t {
	case token.AnchorType, token.AliasType:
		return "anchors (&) and aliases (*)", "write the value out in full; put text that begins with & or * in quotes"
	case token.MergeKeyType:
		return "merge keys (<<)", "write the fields out in full"
	case token.TagType:
		return "tags (!)", "delete the tag; put text that begins with ! in quotes"
	case token.DirectiveType:
		return "directives (%)", "delete the line; put text that begins with % in quotes"
	case token.MappingKeyType:
		return "complex keys (?)", "write field: value; put text that begins with ? in quotes"
	}
	return "", ""
}
