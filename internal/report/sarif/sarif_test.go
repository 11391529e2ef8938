package sarif_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/evidence"
	"github.com/assize/assize/internal/report/sarif"
	"github.com/assize/assize/internal/result"
)

// schema compiles the published schema with formats asserted.
func schema(t *testing.T) *jsonschema.Schema {
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
	b, err := os.ReadFile(filepath.Join(root, "../shared/data/standards/sarif/sarif-schema-2.1.0.json"))
	if err != nil {
		t.Skipf("the schema is not here: %v", err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("sarif.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("sarif.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

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

func write(t *testing.T, d *dossier.Dossier) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := sarif.Write(&b, d); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// found is a result as a reader sees it.
type found struct {
	RuleID    string
	RuleIndex int
	Kind      string
	Level     string
	Message   struct{ Text string }
	Locations []struct {
		PhysicalLocation struct {
			ArtifactLocation struct {
				URI   string
				Index int
			}
		}
		LogicalLocations []struct{ FullyQualifiedName string }
	}
	PartialFingerprints map[string]string
}

type read struct {
	Runs []struct {
		Tool struct {
			Driver struct {
				Name  string
				Rules []struct{ ID string }
			}
		}
		Artifacts []struct {
			Location struct{ URI string }
			Hashes   map[string]string
		}
		Results []found
	}
}

func parse(t *testing.T, b []byte) read {
	t.Helper()
	var r read
	if err := json.Unmarshal(b, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestValidates(t *testing.T) {
	s := schema(t)
	for name, d := range map[string]*dossier.Dossier{"example": example(t), "empty": {}} {
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(write(t, d)))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(doc); err != nil {
			t.Errorf("%s does not validate: %v", name, err)
		}
		// A schema that took anything would show nothing.
		doc.(map[string]any)["runs"].([]any)[0].(map[string]any)["artifacts"] = []any{map[string]any{"location": map[string]any{"uri": "%zz"}}}
		if s.Validate(doc) == nil {
			t.Error("the schema takes an address with a bad escape")
		}
	}
}

// The results of the example are those that fail or are open, with the level that SARIF allows.
func TestResults(t *testing.T) {
	r := parse(t, write(t, example(t))).Runs[0]
	var got []string
	for _, f := range r.Results {
		got = append(got, f.RuleID+" "+f.Kind+" "+f.Level)
		if r.Tool.Driver.Rules[f.RuleIndex].ID != f.RuleID {
			t.Errorf("%s points to the rule %s", f.RuleID, r.Tool.Driver.Rules[f.RuleIndex].ID)
		}
		if f.Kind != "fail" && f.Level != "none" {
			t.Errorf("%s of kind %s has the level %s", f.RuleID, f.Kind, f.Level)
		}
		at := f.Locations[0].PhysicalLocation.ArtifactLocation
		if at.URI != "model.onnx" || r.Artifacts[at.Index].Location.URI != at.URI {
			t.Errorf("%s is placed in %q, want model.onnx", f.RuleID, at.URI)
		}
	}
	want := []string{
		"malformed/huge-batch fail error", "malformed/denormal informational none",
		"default/agreement fail error", "declared/balanced-accuracy open none", "declared/robust-accuracy fail error", "budget/evasion-success fail error", "absolute/artefacts open none",
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("results differ, got -, want +:\n%s", diff)
	}
}

// What a scan finds in a file is placed in that file, and what fails on a goal that nobody claims is a warning.
func TestPlaces(t *testing.T) {
	d := &dossier.Dossier{
		Artefacts: []artefact.Artefact{{Name: "model", Kind: artefact.Model, Path: "m.onnx", Digest: "sha256:1"}, {Name: "other", Kind: artefact.Model, Path: "sub/two models.onnx", Digest: "sha256:2"}},
		Observations: []evidence.Observation{{ID: "o-1", Inputs: []artefact.Digest{"sha256:1", "sha256:2"}, Result: result.Result{Findings: []result.Finding{
			{Rule: "onnx/a", Severity: result.Medium, Where: "sub/two models.onnx: node 3", What: "W."},
			{Rule: "onnx/a", Severity: result.Low, Where: "m.onnx2", What: "W."},
		}}}},
		Decisions: []dossier.Decision{{Goal: "g", Criterion: "k", Decision: dossier.Fail, Because: "bad"}},
		Goals:     []dossier.Goal{{ID: "g", Title: "G"}},
	}
	var got []string
	var prints []string
	for _, f := range parse(t, write(t, d)).Runs[0].Results {
		l := f.Locations[0]
		logical := ""
		if len(l.LogicalLocations) > 0 {
			logical = l.LogicalLocations[0].FullyQualifiedName
		}
		got = append(got, f.Level+" "+l.PhysicalLocation.ArtifactLocation.URI+" "+logical)
		prints = append(prints, f.PartialFingerprints["assize/v1"])
	}
	if diff := cmp.Diff(got, []string{"warning sub/two%20models.onnx sub/two models.onnx: node 3", "note m.onnx m.onnx2", "warning m.onnx "}); diff != "" {
		t.Errorf("places differ, got -, want +:\n%s", diff)
	}
	if slices.Sort(prints); len(slices.Compact(prints)) != 3 {
		t.Errorf("fingerprints are not all different: %q", prints)
	}
}

// A fingerprint follows the finding from run to run, and the same dossier gives the same bytes.
func TestStable(t *testing.T) {
	d := example(t)
	first := write(t, d)
	if !bytes.Equal(first, write(t, d)) {
		t.Error("two writings differ")
	}
	d.Run, d.Target.Version = "another", "2.0.0"
	a, b := parse(t, first).Runs[0].Results, parse(t, write(t, d)).Runs[0].Results
	for i := range a {
		if diff := cmp.Diff(a[i].PartialFingerprints, b[i].PartialFingerprints); diff != "" {
			t.Errorf("%s has another fingerprint in another run:\n%s", a[i].RuleID, diff)
		}
	}
	if strings.ContainsAny(string(first), "\u202e\u2066\x1b") {
		t.Error("the document holds characters that hide or turn text")
	}
}
