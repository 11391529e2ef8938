package engine_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/catalogue"
	"github.com/assize/assize/internal/dossier"
	"github.com/assize/assize/internal/engine"
	"github.com/assize/assize/internal/evidence"
	"github.com/assize/assize/internal/manifest"
	"github.com/assize/assize/internal/plan"
	"github.com/assize/assize/internal/result"
)

// schema compiles the published schema of dossier.json.
func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	b, err := engine.DossierSchema()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("urn:dossier", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("urn:dossier")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// full is a dossier with every part filled.
func full() *dossier.Dossier {
	level, k, digits := 0.6, 61, 2
	m := result.Metric{Value: 0.61, Lower: 0.57, Upper: 0.65, N: 600, Unit: "share", Method: "clopper-pearson", Confidence: 0.95, K: &k}
	at := time.Date(2026, 11, 3, 10, 0, 0, 0, time.UTC)
	d := artefact.DigestBytes(nil)
	return &dossier.Dossier{
		Format: dossier.Format, Tool: "assize", Run: "r", Started: at, Ended: at, Interrupted: true, Manifest: d,
		Target: manifest.Target{
			Name: "credit", Version: "1", Provider: "p", IntendedPurpose: "i", Classification: &manifest.Classification{AnnexIII: "5(b)"},
			Environment: &manifest.Environment{Hardware: "h", ThirdParty: []string{"x"}}, LifeCycle: &manifest.LifeCycle{Learning: "static"}, Roles: map[string]string{"a": "b"},
		},
		Artefacts: []artefact.Artefact{{Name: "model", Kind: artefact.Model, Path: "m", Digest: d, SizeBytes: 1, From: []string{"train"}}},
		Solutions: []manifest.Solution{{Name: "s", Type: "output-rounding", Function: "prevent", Goals: []string{"evasion"}, Switchable: true, Digits: &digits}},
		Plan: dossier.Plan{Digest: d, SeedNonce: "00", Plan: plan.Plan{
			Format: 1, Tool: "assize", Claims: []string{"evasion"}, Goals: []plan.Goal{{ID: "evasion"}}, TestRows: 5, ModelError: "e",
			Artefacts: []artefact.Artefact{{Name: "l", Kind: artefact.Endpoint, Path: "http://h", Digest: d, SizeBytes: 1, Endpoint: &artefact.EndpointInfo{
				URL: "http://h", Protocol: "oip-rest", Model: "m", Version: "1", Server: "s", Platform: "p", Versions: []string{"1"},
				Inputs: []artefact.Tensor{{Name: "i", Datatype: "FP32", Shape: []int64{-1, 2}}}, Outputs: []artefact.Tensor{{Name: "o", Datatype: "FP32", Shape: []int64{-1, 2}}},
			}}},
			Criteria: []catalogue.Criterion{{ID: "c", Version: 1, Threshold: &level, Confidence: 0.99, Applies: "true", NotApplicable: "n", Added: true, Source: "s", Cites: []string{"x"}}},
			Items:    []plan.Item{{ID: "i-1", Goals: []string{"evasion"}, Parameters: map[string]any{"epsilon": 0.05, "norm": "linf"}, Solutions: []string{}, After: []string{"i-0"}, Inputs: []string{"model"}, Paired: "stands"}},
			LeftOut:  []plan.LeftOut{{Goal: "g", State: "not-available", Reason: "r"}},
		}},
		Environments: []evidence.Environment{{ID: "e-1", Features: []string{"avx2"}, Sandbox: map[string]string{"seccomp": "on"}, Missing: []string{"x"}}},
		Observations: []evidence.Observation{{
			ID: "o-1", Inputs: []artefact.Digest{d}, Parameters: map[string]any{"epsilon": 0.05}, SolutionsOn: []string{}, RowsFile: "salted:00", RowsCount: 1, Traffic: &evidence.Traffic{Calls: 1, Retries: 2, Seconds: 0.5}, Ended: at, Digest: d,
			Result: result.Result{
				State: result.Measured, Metrics: map[string]result.Metric{"x": m}, Validity: []result.Validity{{Check: "c", OK: true, Note: "n"}},
				Findings: []result.Finding{{Rule: "r", Severity: result.High, Where: "w", What: "w", Fix: "f", Evidence: "e", Cites: []string{"c"}}},
				Pictures: []result.Picture{{Series: []result.Series{{Name: "s", X: []float64{1}, Y: []float64{2}, Lower: []float64{1}, Upper: []float64{3}}}, Labels: []string{"l"}, Cells: [][]float64{{1}}}},
				Tables:   []result.Table{{ID: "i", Title: "t", Head: []string{"h"}, Rows: [][]string{{"c"}}, Data: true, More: 1}},
				Notes:    []string{"n"},
			},
		}},
		Decisions: []dossier.Decision{{Goal: "evasion", Criterion: "c", SetBy: "provider", Decision: dossier.Inconclusive, Because: "b", Missing: "m", Metric: "x", Compare: "at_least", Level: &level, Measured: &m, From: []string{"o-1"}, Cites: []string{"x"}, Caveats: []string{"c"}}},
		Effects:   []dossier.Effect{{Probe: "p", Goals: []string{"g"}, Solutions: []string{"s"}, From: []string{"o-1", "o-2"}, Note: "n"}},
		Goals:     []dossier.Goal{{ID: "evasion", SetBy: "provider"}},
		Attacks: []dossier.AttackClass{{Class: "c", Functions: []dossier.Measures{
			{Function: "detect", Solutions: []string{"s"}, Known: []string{"k"}, Decision: dossier.Fail, Because: "b"},
		}}},
		Requirements: []dossier.Requirement{{ID: "r", Framework: "ai-act", Reference: "Art. 1", Text: "t", State: "decided", Verdict: dossier.Pass, ByDefault: true, By: "b"}},
		Foreign: []dossier.Foreign{{Record: "r", File: "f", Digest: d, Format: "SARIF 2.1.0", Tool: "t", Made: "m", Open: 1, Dropped: 1,
			Findings: []dossier.ForeignFinding{{Rule: "r", Severity: result.High, Stated: "s", State: "open", Why: "w", Where: "w", What: "w"}}}},
		Counts:  []dossier.RequirementCount{{Framework: "ai-act", Of: 1, Decided: 1, Passed: 1, ByDefault: 1, Testable: 1}},
		Summary: dossier.Summary{Counts: map[string]map[dossier.Verdict]int{"provider": {dossier.Inconclusive: 1}}, Caveats: []string{"c"}, Exit: 3},
		Log:     dossier.Log{Origin: "o", Key: "k", Size: 6, EarlierRuns: 1},
	}
}

func validate(t *testing.T, s *jsonschema.Schema, b []byte) error {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return s.Validate(v)
}

func TestDossierSchemaFitsADossier(t *testing.T) {
	b, err := full().Encode()
	if err != nil {
		t.Fatal(err)
	}
	if err := validate(t, schema(t), b); err != nil {
		t.Error(err)
	}
}

// TestDossierSchemaIsStrict changes a dossier at every depth and wants the
// schema to refuse what the reader refuses.
func TestDossierSchemaIsStrict(t *testing.T) {
	s := schema(t)
	good, err := full().Encode()
	if err != nil {
		t.Fatal(err)
	}
	var plain any
	if err := json.Unmarshal(good, &plain); err != nil {
		t.Fatal(err)
	}
	// Free maps are by name; everything else is an object with fixed fields.
	free := map[string]bool{"counts": true, "provider": true, "metrics": true, "parameters": true, "sandbox": true, "roles": true, "level": true}
	objects := 0
	var visit func(path string, v any)
	visit = func(path string, v any) {
		switch v := v.(type) {
		case map[string]any:
			if last := path[strings.LastIndex(path, "/")+1:]; !free[last] {
				objects++
				v["unknown"] = 1
				b, err := json.Marshal(plain)
				if err != nil {
					t.Fatal(err)
				}
				var invalid *jsonschema.ValidationError
				if err := validate(t, s, b); !errors.As(err, &invalid) {
					t.Errorf("%s: an unknown field is let through: %v", path, err)
				}
				delete(v, "unknown")
			}
			for k, inner := range v {
				visit(path+"/"+k, inner)
			}
		case []any:
			for _, inner := range v {
				visit(path, inner)
			}
		}
	}
	visit("", plain)
	if objects < 20 {
		t.Errorf("only %d objects were visited", objects)
	}
	for _, name := range []string{"format", "run", "plan", "observations", "decisions", "summary", "log"} {
		short := map[string]any{}
		for k, v := range plain.(map[string]any) {
			if k != name {
				short[k] = v
			}
		}
		b, err := json.Marshal(short)
		if err != nil {
			t.Fatal(err)
		}
		if validate(t, s, b) == nil {
			t.Errorf("a dossier without %s is let through", name)
		}
	}
}
