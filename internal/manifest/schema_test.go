package manifest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/domain"
	"github.com/assize/assize/internal/manifest"
)

// schemaDoc is the published schema as plain JSON values.
func schemaDoc(t *testing.T) map[string]any {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(manifest.Schema()))
	if err != nil {
		t.Fatal(err)
	}
	return doc.(map[string]any)
}

func TestSchemaIsDraft2020(t *testing.T) {
	doc := schemaDoc(t)
	const draft = "https://json-schema.org/draft/2020-12/schema"
	if got := doc["$schema"]; got != draft {
		t.Errorf("$schema %v, want %v", got, draft)
	}
	meta, err := jsonschema.NewCompiler().Compile(draft)
	if err != nil {
		t.Fatal(err)
	}
	if err := meta.Validate(doc); err != nil {
		t.Error(err)
	}
}

// TestSchemaDescribesEveryField walks the schema: each field, entry of a list
// and definition has a title and a description, and no group of fields takes
// what it does not name.
func TestSchemaDescribesEveryField(t *testing.T) {
	fields := 0
	var walk func(path string, v any, field bool)
	walk = func(path string, v any, field bool) {
		s, ok := v.(map[string]any)
		if !ok {
			return
		}
		if field {
			fields++
			described := s
			if ref, ok := s["$ref"].(string); ok && s["description"] == nil {
				described = schemaDoc(t)["$defs"].(map[string]any)[strings.TrimPrefix(ref, "#/$defs/")].(map[string]any)
			}
			for _, k := range []string{"title", "description"} {
				if text, _ := described[k].(string); text == "" {
					t.Errorf("%s has no %s", path, k)
				}
			}
		}
		if s["type"] == "object" && s["additionalProperties"] == nil {
			t.Errorf("%s takes any field", path)
		}
		for _, group := range []string{"properties", "patternProperties", "$defs"} {
			children, _ := s[group].(map[string]any)
			for name, child := range children {
				walk(path+"/"+name, child, true)
			}
		}
		for _, one := range []string{"items", "additionalProperties"} {
			if child, ok := s[one].(map[string]any); ok {
				walk(path+"/"+one, child, true)
			}
		}
	}
	walk("", schemaDoc(t), true)
	if fields < 100 {
		t.Errorf("walked over %d fields only", fields)
	}
}

// TestSchemaKnowsTheKinds compares the schema's enumerations with the packages
// that own the words.
func TestSchemaKnowsTheKinds(t *testing.T) {
	defs := schemaDoc(t)["$defs"].(map[string]any)
	words := func(def, field string) []string {
		var out []string
		for _, w := range defs[def].(map[string]any)["properties"].(map[string]any)[field].(map[string]any)["enum"].([]any) {
			out = append(out, w.(string))
		}
		return out
	}
	var kinds []string
	for _, k := range artefact.Kinds() {
		kinds = append(kinds, string(k))
	}
	if d := cmp.Diff(kinds, words("artefact", "kind")); d != "" {
		t.Errorf("kinds (-want +got):\n%s", d)
	}
	for _, w := range words("feature", "type") {
		f := domain.Feature{Name: "a", Type: domain.Type(w), Max: 1, Mutable: domain.Yes}
		if _, err := domain.New([]domain.Feature{f}, nil); err != nil {
			t.Errorf("type %s: %v", w, err)
		}
	}
	for _, w := range words("feature", "mutable") {
		f := domain.Feature{Name: "a", Type: domain.Real, Max: 1, Mutable: domain.Mutability(w)}
		if _, err := domain.New([]domain.Feature{f}, nil); err != nil {
			t.Errorf("mutable %s: %v", w, err)
		}
	}
}

// TestEveryFieldDecodes writes every field of the schema into a manifest and
// finds it again after Parse and encoding/json, so that schema and types agree.
func TestEveryFieldDecodes(t *testing.T) {
	const src = `{"assize":1,
"target":{"name":"a","version":"1","provider":"p","intended_purpose":"i","classification":{"annex_i":"r","third_party":true},
 "environment":{"hardware":"h","infrastructure":"f","third_party":["x"]},
 "life_cycle":{"learning":"continuous","retraining":"7d","predetermined_changes":["c"]},"roles":{"model_owner":"o"}},
"artefacts":[{"name":"m","kind":"model","path":"m","digest":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","from":["d"]},
 {"name":"w","kind":"model","path":"m"},{"name":"d","kind":"dataset","path":"d","input":"x","label":"y"},{"name":"s","kind":"recorded-outputs","path":"s","of":"m","on":"d"},
 {"name":"l","kind":"endpoint","of":"m","endpoint":{"url":"https://h:1/x","protocol":"oip-rest","model":"m","version":"2","input":"i","output":"o","datatype":"FP64",
  "batch":8,"requests_per_second":2.5,"max_rows":1000,"max_requests":200,"rows_per_second":100,"timeout":"5s","retries":0,"backoff":"2s","headers":{"X-Key":"env:KEY"},"ca":"ca.pem","price_per_1000":0.5,"currency":"EUR","queries_per_user":100}}],
"interface":{"input":{"tensor":"in","layout":"columns","scaling":{"mean":[0.5],"std":[2]}},"output":{"tensor":"out","kind":"probabilities","classes":["n","y"]}},
"decision":{"rule":"cutoff","positive":"y","cutoff":0.5,"refer_band":[0.4,0.6],"outcomes":{"below":"b","band":"m","above":"t"},"favourable":["b"],"refer_is_gain":true},
"domain":{"confirmed_by":{"name":"n","date":"2026-01-31"},"features":[{"name":"f","type":"binary","min":0,"max":1,"unit":"EUR","group":"h","mutable":"up","cost":2,"count":3}],"relations":["x.f <= 1"]},
"solutions":[{"name":"r","type":"output-rounding","function":"control","goals":["g"],"switchable":true,"digits":0},
 {"name":"t","type":"adversarial-training","function":"prevent","goals":["g"],"baseline":"w"},
 {"name":"h","type":"hysteresis","function":"prevent","goals":["g"],"margin":0.5},
 {"name":"n","type":"query-limit","function":"prevent","goals":["g"],"queries":100},{"name":"b","type":"reject-band","function":"prevent","goals":["g"],"margin":0.1},
 {"name":"g","type":"input-noise","function":"prevent","goals":["g"],"sigma":0.1,"draws":10},
 {"name":"q","type":"record","function":"respond","goals":["g"],"record":"r.pdf","owner":"o","date":"2026-01-01","valid_until":"2027-01-01"}],
"threat_model":{"evasion":{"norm":"l2","epsilon":0.1,"unit":"raw","access":"white-box","queries_per_row":5},"extraction":{"queries":7}},
"declared":{"accuracy":{"at_least":0.5,"at_most":0.9}},"claims":["g"],"depth":"quick",
"records":[{"name":"z","path":"z.pdf","owner":"o","role":"r","date":"2026-01-01","valid_until":"2027-01-01","goals":["g"],
 "digest":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
 "log":{"format":"jsonl","time":"t","event":"e","id":"i","subject":"s","required_events":["a"],"mandatory_checks":[{"before":"a","check":"b","within":"7d"}],
  "escalations":[{"when":"a","then":"c","within":"4h"}],"max_gap":"90m","retention":"184d","since":"2026-01-01","integrity":{"previous":"p","hash":"h"},"allowed_personal":["q"]}}],"catalogue":"own"}`
	m, err := manifest.Parse([]byte(src), "assize.json")
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	var got, want any
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(src), &want); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("fields (-want +got):\n%s", d)
	}

	// The manifest above leaves out only fields that exclude others of it.
	written := map[string]bool{}
	collect(written, "", want)
	for _, path := range slices.Sorted(maps.Keys(declared(t))) {
		if !written[path] && !slices.Contains([]string{".target.classification.annex_iii", ".target.classification.none", ".decision.cutoffs", ".artefacts.endpoint.request", ".artefacts.endpoint.response"}, path) {
			t.Errorf("the test writes no %s", path)
		}
	}
}

// collect notes the path of every field of v, without indices.
func collect(into map[string]bool, path string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for k, child := range v {
			into[path+"."+k] = true
			collect(into, path+"."+k, child)
		}
	case []any:
		for _, child := range v {
			collect(into, path, child)
		}
	}
}

// declared lists the path of every field that the schema names.
func declared(t *testing.T) map[string]bool {
	doc := schemaDoc(t)
	out := map[string]bool{}
	var walk func(path string, s map[string]any)
	walk = func(path string, s map[string]any) {
		if ref, ok := s["$ref"].(string); ok {
			walk(path, doc["$defs"].(map[string]any)[strings.TrimPrefix(ref, "#/$defs/")].(map[string]any))
		}
		if items, ok := s["items"].(map[string]any); ok {
			walk(path, items)
		}
		fields, _ := s["properties"].(map[string]any)
		for name, child := range fields {
			p := fmt.Sprintf("%s.%s", path, name)
			out[p] = true
			walk(p, child.(map[string]any))
		}
	}
	walk("", doc)
	return out
}
