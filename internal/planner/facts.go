package planner

import (
	"fmt"
	"maps"
	"slices"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/assize/assize/internal/manifest"
)

// root is the type whose fields are the variables of a condition.
const root = "assize.Root"

// schema is what a condition can read: the fields of each type.
func schema() map[string]map[string]*cel.Type {
	text, whole, yes := cel.StringType, cel.IntType, cel.BoolType
	texts := cel.ListType(text)
	return map[string]map[string]*cel.Type{
		root: {
			"depth": text, "target": cel.ObjectType("assize.Target"), "artefacts": cel.ListType(cel.ObjectType("assize.Artefact")),
			"model": cel.ObjectType("assize.Model"), "data": cel.ObjectType("assize.Data"),
		},
		"assize.Target": {
			"name": text, "version": text, "provider": text, "intended_purpose": text, "roles": cel.MapType(text, text),
			"classification": cel.ObjectType("assize.Classification"), "environment": cel.ObjectType("assize.Environment"), "life_cycle": cel.ObjectType("assize.LifeCycle"),
		},
		"assize.Classification": {"annex_iii": text, "annex_i": text, "third_party": yes, "none": text},
		"assize.Environment":    {"hardware": text, "infrastructure": text, "third_party": texts},
		"assize.LifeCycle":      {"learning": text, "retraining": text, "predetermined_changes": texts},
		"assize.Artefact":       {"name": text, "kind": text, "size_bytes": whole},
		"assize.Model":          {"layout": text, "output_kind": text, "rule": text, "classes": whole, "width": whole},
		"assize.Data":           {"test_rows": whole, "labelled": yes, "recorded": yes},
	}
}

// paths lists what a condition can read as it is written, in order.
func paths() []string {
	types := schema()
	var out []string
	var walk func(prefix, name string)
	walk = func(prefix, name string) {
		for _, field := range slices.Sorted(maps.Keys(types[name])) {
			t := types[name][field]
			if _, group := types[t.TypeName()]; group {
				walk(prefix+field+".", t.TypeName())
				continue
			}
			out = append(out, prefix+field)
		}
	}
	walk("", root)
	return out
}

// facts are the values that conditions read.
type facts struct {
	values  map[string]any
	unknown []string // fields of model
}

// factsOf gathers what is known of a target. What a manifest leaves out is
// empty, 0 or false; what nobody could find out of the model is unknown.
func factsOf(t Target) facts {
	m := t.Manifest.Target
	class, place, life := m.Classification, m.Environment, m.LifeCycle
	if class == nil {
		class = &manifest.Classification{}
	}
	if place == nil {
		place = &manifest.Environment{}
	}
	if life == nil {
		life = &manifest.LifeCycle{}
	}
	artefacts := []any{}
	for _, a := range t.Artefacts {
		artefacts = append(artefacts, map[string]any{"name": a.Name, "kind": string(a.Kind), "size_bytes": a.SizeBytes})
	}
	roles := m.Roles
	if roles == nil {
		roles = map[string]string{}
	}
	f := facts{values: map[string]any{
		"depth": t.Depth,
		"target": map[string]any{
			"name": m.Name, "version": m.Version, "provider": m.Provider, "intended_purpose": m.IntendedPurpose, "roles": roles,
			"classification": map[string]any{"annex_iii": class.AnnexIII, "annex_i": class.AnnexI, "third_party": class.ThirdParty, "none": class.None},
			"environment":    map[string]any{"hardware": place.Hardware, "infrastructure": place.Infrastructure, "third_party": place.ThirdParty},
			"life_cycle":     map[string]any{"learning": life.Learning, "retraining": life.Retraining, "predetermined_changes": life.PredeterminedChanges},
		},
		"artefacts": artefacts,
		"model": map[string]any{
			"layout": t.Facts.Layout, "output_kind": t.Facts.OutputKind, "rule": t.Facts.Rule, "classes": int64(t.Facts.Classes), "width": int64(t.Facts.Width),
		},
		"data": map[string]any{"test_rows": int64(t.Facts.TestRows), "labelled": t.Labelled, "recorded": t.RecordedName != ""},
	}}
	for field, known := range map[string]bool{
		"layout": t.Facts.Layout != "", "output_kind": t.Facts.OutputKind != "", "rule": t.Facts.Rule != "",
		"classes": t.ModelError == "" && t.Facts.Classes > 0, "width": t.Facts.Width > 0,
	} {
		if t.ModelName == "" || !known {
			f.unknown = append(f.unknown, field)
		}
	}
	return f
}

// provider tells CEL the fields of our types, so that a name that does not
// exist is found when a condition is compiled.
type provider struct {
	types.Provider
	fields map[string]map[string]*cel.Type
}

func newProvider() (*provider, error) {
	r, err := types.NewRegistry()
	if err != nil {
		return nil, err
	}
	return &provider{r, schema()}, nil
}

// FindStructType knows our types by name.
func (p *provider) FindStructType(name string) (*types.Type, bool) {
	if _, ok := p.fields[name]; ok && name != root {
		return types.NewTypeTypeWithParam(types.NewObjectType(name)), true
	}
	return p.Provider.FindStructType(name)
}

// FindStructFieldNames lists the fields of one of our types.
func (p *provider) FindStructFieldNames(name string) ([]string, bool) {
	if fields, ok := p.fields[name]; ok {
		return slices.Sorted(maps.Keys(fields)), true
	}
	return p.Provider.FindStructFieldNames(name)
}

// FindStructFieldType finds a field of one of our types, whose values are maps.
// A field is set when it is not empty.
func (p *provider) FindStructFieldType(name, field string) (*types.FieldType, bool) {
	fields, ok := p.fields[name]
	if !ok {
		return p.Provider.FindStructFieldType(name, field)
	}
	t, ok := fields[field]
	if !ok {
		return nil, false
	}
	get := func(object any) (any, error) {
		if group, ok := object.(map[string]any); ok {
			return group[field], nil
		}
		return nil, fmt.Errorf("%s has no %s", name, field)
	}
	return &types.FieldType{Type: t, GetFrom: ref.FieldGetter(get), IsSet: func(object any) bool {
		v, err := get(object)
		return err == nil && !empty(v)
	}}, true
}

func empty(v any) bool {
	switch v := v.(type) {
	case string:
		return v == ""
	case bool:
		return !v
	case int64:
		return v == 0
	case []string:
		return len(v) == 0
	case map[string]string:
		return len(v) == 0
	case map[string]any: // a group is there when one of its fields is
		return !slices.ContainsFunc(slices.Collect(maps.Values(v)), func(v any) bool { return !empty(v) })
	}
	return false
}
