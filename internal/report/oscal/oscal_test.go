package oscal_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/assize/assize/internal/catalogue"
	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/manifest"
	"github.com/assize/assize/internal/report/oscal"
)

// schema compiles a published OSCAL schema with formats asserted.
func schema(t *testing.T, name string) *jsonschema.Schema {
	t.Helper()
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(root, "go.mod")); err == nil {
			break
		}
		if root == filepath.Dir(root) {
			t.Fatal("found no go.mod above the package")
		}
		root = filepath.Dir(root)
	}
	b, err := os.ReadFile(filepath.Join(root, "../shared/data/standards/oscal", name))
	if err != nil {
		t.Skipf("the schema is not here: %v", err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	anchor(doc)
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("oscal.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("oscal.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// anchor moves a $ref beside an $id into allOf: the published schemas use such an $id
// as an anchor, and draft 7 ignores what stands beside a $ref.
func anchor(v any) {
	switch v := v.(type) {
	case map[string]any:
		if ref, ok := v["$ref"]; ok && v["$id"] != nil {
			delete(v, "$ref")
			v["allOf"] = []any{map[string]any{"$ref": ref}}
		}
		for _, in := range v {
			anchor(in)
		}
	case []any:
		for _, in := range v {
			anchor(in)
		}
	}
}

func validate(t *testing.T, s *jsonschema.Schema, b []byte) {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Validate(doc); err != nil {
		t.Errorf("the document does not validate: %v", err)
	}
}

// example is the dossier that all reports are tested on, with hostile text in it.
func example(t *testing.T) *dossier.Dossier {
	t.Helper()
	b, err := os.ReadFile("../html/testdata/dossier.json")
	if err != nil {
		t.Fatal(err)
	}
	d, err := dossier.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func results(t *testing.T, d *dossier.Dossier) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := oscal.WriteResults(&b, d); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func catalog(t *testing.T) []byte {
	t.Helper()
	tables, err := catalogue.Open(catalogue.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := oscal.WriteCatalog(&b, tables); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestResultsValidate(t *testing.T) {
	s := schema(t, "oscal_assessment-results_schema-1.0.6.json")
	d := example(t)
	validate(t, s, results(t, d))
	empty := &dossier.Dossier{}
	validate(t, s, results(t, empty))
	// A schema that took anything would show nothing: a bad UUID must be refused.
	var doc any
	if err := json.Unmarshal(bytes.Replace(results(t, d), []byte(`"uuid": "`), []byte(`"uuid": "x`), 1), &doc); err != nil {
		t.Fatal(err)
	}
	if s.Validate(doc) == nil {
		t.Error("the schema takes a bad UUID")
	}
}

func TestCatalogValidates(t *testing.T) {
	validate(t, schema(t, "oscal_catalog_schema-1.0.6.json"), catalog(t))
}

var uuidForm = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

// gather lists what a document defines and what it refers to.
func gather(t *testing.T, b []byte) (defined map[string]int, referred []string) {
	t.Helper()
	var doc any
	if err := json.Unmarshal(b, &doc); err != nil {
		t.Fatal(err)
	}
	defined = map[string]int{}
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for k, in := range v {
				s, _ := in.(string)
				switch {
				case k == "uuid" || k == "id":
					defined[s]++
					if k == "uuid" && !uuidForm.MatchString(s) {
						t.Errorf("%q is no UUID of version 5", s)
					}
				case strings.HasSuffix(k, "-uuid") || k == "target-id" || k == "objective-id":
					referred = append(referred, s)
				case k == "href" && strings.HasPrefix(s, "#"):
					referred = append(referred, s[1:])
				}
				walk(in)
			}
		case []any:
			for _, in := range v {
				walk(in)
			}
		}
	}
	walk(doc)
	return defined, referred
}

// What a document refers to must be in it, once, and nothing may have the id of another.
func TestReferences(t *testing.T) {
	for name, b := range map[string][]byte{"results": results(t, example(t)), "catalog": catalog(t)} {
		defined, referred := gather(t, b)
		for id, n := range defined {
			if n != 1 {
				t.Errorf("%s: %q is defined %d times", name, id, n)
			}
		}
		if len(referred) < 20 {
			t.Errorf("%s: got %d references, want at least 20", name, len(referred))
		}
		for _, id := range referred {
			if defined[id] == 0 {
				t.Errorf("%s: nothing is %q", name, id)
			}
		}
	}
}

// The goals and criteria that a dossier of this build names are in the catalog under the same ids.
func TestResultsFitCatalog(t *testing.T) {
	defined, _ := gather(t, catalog(t))
	for _, id := range []string{"goal-evasion", "goal-evasion_obj", "criterion-declared-robust-accuracy", "AIA-15.1", "EN304223-5.1.1-1", "CRA-I.1", "T3-01"} {
		if defined[id] != 1 {
			t.Errorf("the catalog defines %q %d times, want once", id, defined[id])
		}
	}
}

type report struct {
	Results struct {
		UUID    string
		Results []struct {
			Observations []struct {
				Title string
				Props []struct{ Name, Value, Class string }
			}
			Risks    []struct{ Title string }
			Findings []struct {
				Title  string
				Target struct {
					Status struct{ State, Reason string }
				}
			}
		}
	} `json:"assessment-results"`
}

// Nothing but a pass is satisfied, every decision and goal is a finding, and only what fails is a risk.
func TestVerdicts(t *testing.T) {
	d := example(t)
	var r report
	if err := json.Unmarshal(results(t, d), &r); err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	for _, f := range r.Results.Results[0].Findings {
		got[f.Target.Status.State+" "+f.Target.Status.Reason]++
	}
	want := map[string]int{}
	count := func(v dossier.Verdict) {
		switch v {
		case dossier.Pass:
			want["satisfied pass"]++
		case dossier.Fail:
			want["not-satisfied fail"]++
		default:
			want["not-satisfied other"]++
		}
	}
	failed := 0
	for _, k := range d.Decisions {
		count(k.Decision)
		if k.Decision == dossier.Fail {
			failed++
		}
	}
	for _, g := range d.Goals {
		count(g.Decision)
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("states differ, got -, want +:\n%s", diff)
	}
	serious := 0
	for _, o := range d.Observations {
		for _, f := range o.Findings {
			if f.Severity == "high" || f.Severity == "medium" {
				serious++
			}
		}
	}
	if got, want := len(r.Results.Results[0].Risks), failed+serious; got != want || serious == 0 {
		t.Errorf("got %d risks, want %d", got, want)
	}
}

// A metric keeps value, interval and n, in full.
func TestMetrics(t *testing.T) {
	d := example(t)
	var r report
	if err := json.Unmarshal(results(t, d), &r); err != nil {
		t.Fatal(err)
	}
	m := d.Observations[2].Metrics["robust_accuracy"]
	got := map[string]string{}
	for _, p := range r.Results.Results[0].Observations[2].Props {
		if p.Name == "robust_accuracy" {
			got[p.Class] = p.Value
		}
	}
	want := map[string]string{"value": fmt.Sprint(m.Value), "lower": fmt.Sprint(m.Lower), "upper": fmt.Sprint(m.Upper), "n": fmt.Sprint(m.N), "unit": m.Unit, "method": m.Method, "confidence": "0.95"}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("the metric differs, got -, want +:\n%s", diff)
	}
}

// The same dossier gives the same bytes, another run other UUIDs, and no text hides.
func TestStableAndVisible(t *testing.T) {
	d := example(t)
	once := results(t, d)
	if !bytes.Equal(once, results(t, d)) {
		t.Error("two writings differ")
	}
	if !bytes.Equal(catalog(t), catalog(t)) {
		t.Error("two writings of the catalog differ")
	}
	d.Run = "another"
	a, _ := gather(t, once)
	b, _ := gather(t, results(t, d))
	for id := range a {
		if uuidForm.MatchString(id) && b[id] > 0 {
			t.Errorf("two runs share the UUID %s", id)
		}
	}
	if bytes.ContainsAny(once, "\u202e\u2066\x1b") {
		t.Error("the document holds characters that hide or turn text")
	}
}

// An organisational record is examined, not tested, and says when it ends.
func TestRecord(t *testing.T) {
	d := example(t)
	d.Solutions = append(d.Solutions[:0:0], manifest.Solution{Name: "review", Type: manifest.RecordOnly, Record: "r.pdf", Owner: "Data Office", Date: "2026-10-12", ValidUntil: "2027-10-12"})
	got := string(results(t, d))
	for _, want := range []string{`"EXAMINE"`, `"expires": "2027-10-13T00:00:00Z"`, `"Data Office"`} {
		if !strings.Contains(got, want) {
			t.Errorf("the document lacks %s", want)
		}
	}
}
