package manifest

import (
	_ "embed" // for the schema
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

//go:embed assize.schema.json
var schemaText string

// Schema is the published JSON Schema of assize.yaml (draft 2020-12), the same
// that Parse validates with.
func Schema() []byte { return []byte(schemaText) }

// compiled is the embedded schema, compiled once.
var compiled = sync.OnceValues(func() (*jsonschema.Schema, error) {
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(schemaText))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	const id = "urn:assize:manifest:1"
	if err := c.AddResource(id, doc); err != nil {
		return nil, err
	}
	return c.Compile(id)
})

// at is the schema of the field at path, nil if there is none. It stops at a
// reference that says more than what it refers to.
func at(s *jsonschema.Schema, path []string) *jsonschema.Schema {
	for _, step := range path {
		s = target(s)
		next, ok := s.Properties[step]
		if !ok {
			next = s.Items2020
		}
		for pattern, p := range s.PatternProperties {
			if next == nil && pattern.MatchString(step) {
				next = p
			}
		}
		if next == nil {
			next, _ = s.AdditionalProperties.(*jsonschema.Schema)
		}
		if next == nil {
			return nil
		}
		s = next
	}
	return s
}

// target follows references.
func target(s *jsonschema.Schema) *jsonschema.Schema {
	for s.Ref != nil {
		s = s.Ref
	}
	return s
}

// describe is the schema's own description of the field at path, "" if it has none.
func describe(s *jsonschema.Schema, path ...string) string {
	s = at(s, path)
	switch {
	case s == nil:
		return ""
	case s.Description != "":
		return s.Description
	}
	return target(s).Description
}

// fieldsOf lists the fields that the object at path can have, sorted.
func fieldsOf(s *jsonschema.Schema, path []string) []string {
	if s = at(s, path); s == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(target(s).Properties))
}
