package manifest

import (
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// validate holds the tree against the schema and puts what it finds into plain
// words with lines.
func validate(root *node) ([]Problem, error) {
	schema, err := compiled()
	if err != nil {
		return nil, fmt.Errorf("compile manifest schema: %w", err)
	}
	err = schema.Validate(root.value)
	var invalid *jsonschema.ValidationError
	if err == nil || !errors.As(err, &invalid) {
		return nil, err
	}
	x := &explainer{schema: schema, root: root}
	x.descend(invalid)
	return x.problems, nil
}

type explainer struct {
	schema   *jsonschema.Schema
	root     *node
	problems []Problem
}

// descend goes to the innermost causes, where the plain facts are.
func (x *explainer) descend(e *jsonschema.ValidationError) {
	if _, whole := e.ErrorKind.(*kind.OneOf); whole || len(e.Causes) == 0 {
		x.explain(e)
		return
	}
	for _, cause := range e.Causes {
		x.descend(cause)
	}
}

func (x *explainer) explain(e *jsonschema.ValidationError) {
	path := e.InstanceLocation
	n := x.root.find(path...)
	what, hint := x.name(path), describe(x.schema, path...)
	add := func(text, hint string) {
		x.problems = append(x.problems, Problem{Line: n.line, Text: text, Hint: hint})
	}
	if len(path) > 4 && path[2] == "endpoint" && path[3] == "headers" {
		add(what+": is not env: and the name of an environment variable", "write env:NAME; the credential itself must not stand in the manifest, and is not shown here")
		return
	}
	switch k := e.ErrorKind.(type) {
	case *kind.FalseSchema:
		add(what+": does not belong to this kind of artefact", "delete it, or set another kind; a served model has endpoint, everything else has path")
	case *kind.AdditionalProperties:
		x.unknown(n, path, k.Properties)
	case *kind.Required:
		x.missing(n, path, k.Missing, "")
	case *kind.DependentRequired:
		x.missing(n, path, k.Missing, k.Prop)
	case *kind.Type:
		x.wrongType(n, path, k)
	case *kind.Enum:
		words := texts(k.Want)
		if s, ok := n.value.(string); ok {
			add(fmt.Sprintf("%s: %s is not one of %s", what, clip(s), strings.Join(words, ", ")), didYouMean(s, words, hint))
			return
		}
		add(fmt.Sprintf("%s: %s is not one of %s", what, kindOf(n), strings.Join(words, ", ")), hint)
	case *kind.Const:
		add(fmt.Sprintf("%s: %s is not %v", what, kindOf(n), k.Want), hint)
	case *kind.Minimum:
		add(fmt.Sprintf("%s: %s is less than %s", what, n.source, plain(k.Want)), hint)
	case *kind.Maximum:
		add(fmt.Sprintf("%s: %s is more than %s", what, n.source, plain(k.Want)), hint)
	case *kind.ExclusiveMinimum:
		add(fmt.Sprintf("%s: %s is not greater than %s", what, n.source, plain(k.Want)), hint)
	case *kind.MinLength:
		add(what+": empty text", hint)
	case *kind.MaxLength:
		add(fmt.Sprintf("%s: %d characters, more than %d", what, k.Got, k.Want), hint)
	case *kind.Pattern:
		add(fmt.Sprintf("%s: %s has the wrong form", what, clip(k.Got)), hint)
	case *kind.Format:
		add(fmt.Sprintf("%s: %s is not a %s", what, clip(fmt.Sprint(k.Got)), k.Want), hint)
	case *kind.MinItems:
		if k.Got == 0 {
			add(what+": empty list", hint)
			return
		}
		add(fmt.Sprintf("%s: %s where %d or more belong", what, counted(k.Got, "entry", "entries"), k.Want), hint)
	case *kind.MaxItems:
		add(fmt.Sprintf("%s: %s where at most %d belong", what, counted(k.Got, "entry", "entries"), k.Want), hint)
	case *kind.MinProperties:
		add(what+": no fields", hint)
	case *kind.MaxProperties:
		add(fmt.Sprintf("%s: %s where at most %d belong", what, counted(k.Got, "field", "fields"), k.Want), hint)
	case *kind.UniqueItems:
		twin := n.items[k.Duplicates[1]]
		x.problems = append(x.problems, Problem{Line: twin.line, Text: fmt.Sprintf("%s: %s is here twice", what, kindOf(twin)), Hint: "delete one of the two"})
	case *kind.OneOf:
		how := "none"
		if len(k.Subschemas) > 0 {
			how = "more than one"
		}
		add(fmt.Sprintf("%s: fits %s of its forms", what, how), hint)
	default:
		add(fmt.Sprintf("%s: breaks the rule %q of the schema", what, strings.Join(e.ErrorKind.KeywordPath(), "/")), hint)
	}
}

func (x *explainer) unknown(n *node, path, names []string) {
	fields := fieldsOf(x.schema, path)
	slices.Sort(names)
	for _, name := range names {
		if len(fields) == 0 {
			x.problems = append(x.problems, Problem{Line: n.fields[name].line, Text: fmt.Sprintf("%s: the name %s has the wrong form", x.name(path), clip(name)), Hint: describe(x.schema, path...)})
			continue
		}
		other := "the fields here are " + strings.Join(fields, ", ")
		x.problems = append(x.problems, Problem{Line: n.fields[name].line, Text: fmt.Sprintf("unknown field %s", clip(name)) + x.within(path), Hint: didYouMean(name, fields, other)})
	}
}

// missing reports fields that lack, apart from those that stand there under a
// name so near that it was reported already.
func (x *explainer) missing(n *node, path, names []string, because string) {
	fields := fieldsOf(x.schema, path)
	for _, name := range names {
		misspelt := false
		for written := range n.fields {
			misspelt = misspelt || !slices.Contains(fields, written) && nearest(written, fields) == name
		}
		if misspelt {
			continue
		}
		text := fmt.Sprintf("missing field %q", name) + x.within(path)
		if because != "" {
			text += fmt.Sprintf(", which %q needs", because)
		}
		hint := describe(x.schema, append(slices.Clone(path), name)...)
		x.problems = append(x.problems, Problem{Line: n.line, Text: text, Hint: fmt.Sprintf("add %q: %s", name, hint)})
	}
}

func (x *explainer) wrongType(n *node, path []string, k *kind.Type) {
	var want []string
	for _, t := range k.Want {
		want = append(want, typeName(t))
	}
	p := Problem{Line: n.line, Text: fmt.Sprintf("%s: %s where %s belongs", x.name(path), kindOf(n), strings.Join(want, " or "))}
	_, isText := n.value.(string)
	switch {
	case n.source != "" && slices.Contains(k.Want, "string"):
		p.Hint = fmt.Sprintf("put it in quotes: \"%s\"", n.source)
	case n.value == nil:
		p.Hint = "write the value, or delete the line"
	case isText && len(k.Want) == 1 && (k.Want[0] == "number" || k.Want[0] == "integer" || k.Want[0] == "boolean"):
		p.Hint = "write a plain number, without quotes and unit"
		if k.Want[0] == "boolean" {
			p.Hint = "write true or false, without quotes"
		}
	default:
		p.Hint = describe(x.schema, path...)
	}
	x.problems = append(x.problems, p)
}

// typeName puts a type of JSON Schema into plain words.
func typeName(t string) string {
	switch t {
	case "string":
		return "text"
	case "number":
		return "a number"
	case "integer":
		return "a whole number"
	case "boolean":
		return "true or false"
	case "array":
		return "a list"
	}
	return "a group of fields"
}

// name writes path as people do: artefacts[0].kind.
func (x *explainer) name(path []string) string { return nameOf(x.root, path...) }

func nameOf(root *node, path ...string) string {
	var b strings.Builder
	for i, step := range path {
		switch parent := root.find(path[:i]...); {
		case parent.items != nil:
			b.WriteString("[" + step + "]")
		case i > 0:
			b.WriteString("." + step)
		default:
			b.WriteString(step)
		}
	}
	if b.Len() == 0 {
		return "the manifest"
	}
	return b.String()
}

func (x *explainer) within(path []string) string {
	if len(path) == 0 {
		return ""
	}
	return " in " + x.name(path)
}

// kindOf says what a value is, for a message.
func kindOf(n *node) string {
	switch v := n.value.(type) {
	case nil:
		return "nothing"
	case string:
		return clip(v)
	case bool:
		return n.source
	case map[string]any:
		return "a group of fields"
	case []any:
		return "a list"
	}
	return "the number " + n.source
}

func texts(values []any) []string {
	var out []string
	for _, v := range values {
		out = append(out, fmt.Sprint(v))
	}
	return out
}

func plain(r *big.Rat) string {
	return strings.TrimSuffix(strings.TrimRight(r.FloatString(6), "0"), ".")
}

func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
