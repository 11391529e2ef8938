package manifest

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// node is one YAML value with its place in the file.
type node struct {
	line   int
	value  any    // what encoding/json would give; numbers are int64 or float64
	source string // of a number or boolean, as written
	fields map[string]*node
	items  []*node
}

// find goes down path as far as it exists.
func (n *node) find(path ...string) *node {
	for _, step := range path {
		next := n.fields[step]
		if i, err := strconv.Atoi(step); next == nil && err == nil && i >= 0 && i < len(n.items) {
			next = n.items[i]
		}
		if next == nil {
			return n
		}
		n = next
	}
	return n
}

// plainNumber is a number as JSON writes it, apart from a leading plus or zero.
var plainNumber = regexp.MustCompile(`^[-+]?[0-9]+(\.[0-9]*)?([eE][-+]?[0-9]+)?$|^[-+]?\.[0-9]+([eE][-+]?[0-9]+)?$`)

// octalLike is a number that YAML 1.1 would have read as octal.
var octalLike = regexp.MustCompile(`^[-+]?0[0-9]`)

// grow parses YAML into a tree of nodes.
func grow(src []byte) (root *node, problems []Problem) {
	tokens, problem := guard(src)
	if problem != nil {
		return nil, []Problem{*problem}
	}
	file, problem := parseTokens(tokens)
	if problem != nil {
		return nil, []Problem{*problem}
	}
	if len(file.Docs) == 0 || file.Docs[0].Body == nil || file.Docs[0].Body.Type() == ast.CommentType {
		return nil, []Problem{{Text: "empty", Hint: `"assize manifest schema" describes what belongs here`}}
	}
	for _, doc := range file.Docs[1:] {
		if doc.Body != nil {
			return nil, []Problem{secondDocument(lineOf(doc.Body))}
		}
	}
	body := file.Docs[0].Body
	g := &grower{}
	root = g.node(body, lineOf(body))
	if _, ok := root.value.(map[string]any); !ok && len(g.problems) == 0 {
		g.problem(root.line, "no manifest: it must be fields, as in \"assize: 1\"", `"assize manifest schema" describes what belongs here`)
	}
	return root, g.problems
}

// parseTokens turns the parser's errors, and its panics on input it does not
// foresee, into problems.
func parseTokens(tokens token.Tokens) (file *ast.File, problem *Problem) {
	const hint = "check quotes, brackets and indentation (spaces, no tabs) here and on the lines above"
	defer func() {
		if recover() != nil {
			file, problem = nil, &Problem{Text: "not YAML", Hint: "check quotes, brackets and indentation (spaces, no tabs)"}
		}
	}()
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err == nil {
		return file, nil
	}
	problem = &Problem{Text: "not YAML: " + firstLine(err.Error()), Hint: hint}
	var at yaml.Error
	if errors.As(err, &at) {
		problem.Text = "not YAML: " + firstLine(at.GetMessage())
		if t := at.GetToken(); t != nil && t.Position != nil {
			problem.Line, problem.Column = t.Position.Line, t.Position.Column
		}
	}
	return nil, problem
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return strings.ReplaceAll(s, "\t", `\t`)
}

func lineOf(n ast.Node) int {
	if m, ok := n.(*ast.MappingNode); ok && len(m.Values) > 0 {
		return lineOf(m.Values[0].Key)
	}
	if v, ok := n.(*ast.MappingValueNode); ok {
		return lineOf(v.Key)
	}
	if t := n.GetToken(); t != nil && t.Position != nil {
		return t.Position.Line
	}
	return 0
}

// grower collects the problems that it meets on the way down.
type grower struct{ problems []Problem }

func (g *grower) problem(line int, text, hint string) {
	g.problems = append(g.problems, Problem{Line: line, Text: text, Hint: hint})
}

// node converts n, which errors place at line.
func (g *grower) node(n ast.Node, line int) *node {
	out := &node{line: line}
	switch n := n.(type) {
	case nil, *ast.NullNode:
	case *ast.MappingNode:
		g.mapping(out, n.Values)
	case *ast.MappingValueNode:
		g.mapping(out, []*ast.MappingValueNode{n})
	case *ast.SequenceNode:
		list := make([]any, 0, len(n.Values))
		for _, v := range n.Values {
			at := line
			if v != nil && lineOf(v) > 0 {
				at = lineOf(v)
			}
			item := g.node(v, at)
			out.items = append(out.items, item)
			list = append(list, item.value)
		}
		out.value = list
	case *ast.StringNode:
		out.value = n.Value
	case *ast.LiteralNode:
		out.value = n.Value.Value
	case *ast.BoolNode:
		out.value, out.source = n.Value, n.Token.Value
	case *ast.IntegerNode:
		g.number(out, n.Token.Value)
	case *ast.FloatNode:
		g.number(out, n.Token.Value)
	case *ast.InfinityNode, *ast.NanNode:
		g.problem(line, fmt.Sprintf("%s is no finite number", clip(n.GetToken().Value)), "write a number, or leave the field out")
	default:
		g.problem(line, fmt.Sprintf("%s is not accepted here", strings.ToLower(n.Type().String())), "write plain fields, lists and values")
	}
	return out
}

func (g *grower) mapping(out *node, values []*ast.MappingValueNode) {
	fields := make(map[string]any, len(values))
	out.fields = make(map[string]*node, len(values))
	for _, v := range values {
		line, key := lineOf(v.Key), v.Key.GetToken().Value
		if first, twice := out.fields[key]; twice {
			g.problem(line, fmt.Sprintf("field %s is here twice, first on line %d", clip(key), first.line), "delete one of the two")
			continue
		}
		child := g.node(v.Value, line)
		out.fields[key] = child
		fields[key] = child.value
	}
	out.value = fields
}

func (g *grower) number(out *node, source string) {
	out.source = source
	if !plainNumber.MatchString(source) || octalLike.MatchString(source) {
		g.problem(out.line, fmt.Sprintf("%s is no plain decimal number", clip(source)), "write it with digits and a point, or in quotes where it is text")
		return
	}
	if i, err := strconv.ParseInt(source, 10, 64); err == nil {
		out.value = i
		return
	}
	f, err := strconv.ParseFloat(source, 64)
	if err != nil || math.IsInf(f, 0) {
		g.problem(out.line, fmt.Sprintf("%s is too large a number", clip(source)), "write a smaller number, or put it in quotes where it is text")
		return
	}
	out.value = f
}
