package manifest_test

import (
	"context"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/domain"
	"github.com/assize/assize/internal/manifest"
)

// base is a whole manifest, line by line; tests replace parts of it.
const base = `assize: 1
target:
  name: credit-scoring
  version: 1.4.0
  classification: {annex_iii: "5(b)"}
artefacts:
  - {name: model, kind: model, path: model.onnx, from: [train]}
  - {name: train, kind: dataset, path: train.csv, label: default}
  - name: served
    kind: recorded-outputs
    path: served.csv
    of: model
    on: train
interface:
  input: {tensor: input, layout: columns}
  output: {tensor: probabilities, kind: probabilities, classes: [paid, default]}
decision:
  rule: cutoff
  positive: default
  cutoff: 0.22
  refer_band: [0.18, 0.22]
  favourable: [accept]
domain:
  confirmed_by: {name: Product owner, date: 2026-11-03}
  features:
    - {name: age, type: integer, min: 18, max: 99, mutable: no}
    - {name: pixel, count: 2, type: real, min: 0, max: 1}
  relations: ["x.age >= orig.age"]
solutions:
  - {name: two-digits, type: output-rounding, digits: 2, function: prevent, goals: [extraction], switchable: true}
  - {name: review, type: record, function: detect, goals: [poisoning], record: review.pdf, owner: Data Office, date: 2026-10-12}
threat_model:
  evasion: {norm: linf, epsilon: 0.05}
declared:
  accuracy: {at_least: 0.68}
claims: [parity, malformed-input]
`

// edit applies pairs of old and new to base; each old must be there.
func edit(t *testing.T, pairs ...string) []byte {
	t.Helper()
	s := base
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(s, pairs[i]) {
			t.Fatalf("base does not hold %q", pairs[i])
		}
		s = strings.Replace(s, pairs[i], pairs[i+1], 1)
	}
	return []byte(s)
}

func ptr[T any](v T) *T { return &v }

func TestParse(t *testing.T) {
	got, err := manifest.Parse([]byte(base), "assize.yaml")
	if err != nil {
		t.Fatal(err)
	}
	want := &manifest.Manifest{
		Assize: 1,
		Target: manifest.Target{Name: "credit-scoring", Version: "1.4.0", Classification: &manifest.Classification{AnnexIII: "5(b)"}},
		Artefacts: []manifest.Artefact{
			{Name: "model", Kind: artefact.Model, Path: "model.onnx", From: []string{"train"}},
			{Name: "train", Kind: artefact.Dataset, Path: "train.csv", Label: "default"},
			{Name: "served", Kind: artefact.RecordedOutputs, Path: "served.csv", Of: "model", On: "train"},
		},
		Interface: manifest.Interface{
			Input:  manifest.Input{Tensor: "input", Layout: manifest.Columns},
			Output: manifest.Output{Tensor: "probabilities", Kind: manifest.Probabilities, Classes: []string{"paid", "default"}},
		},
		Decision: manifest.Decision{
			Rule: manifest.Cutoff, Positive: "default", Cutoff: ptr(0.22), ReferBand: []float64{0.18, 0.22},
			Outcomes: &manifest.Outcomes{Below: "accept", Band: "refer", Above: "refuse"}, Favourable: []string{"accept"},
		},
		Domain: &manifest.Domain{
			ConfirmedBy: &manifest.Confirmation{Name: "Product owner", Date: "2026-11-03"},
			Features: manifest.Features{List: []manifest.Feature{
				{Feature: domain.Feature{Name: "age", Type: domain.Integer, Min: 18, Max: 99, Mutable: domain.No}},
				{Feature: domain.Feature{Name: "pixel", Type: domain.Real, Max: 1, Mutable: domain.Yes}, Count: 2},
			}},
			Relations: []string{"x.age >= orig.age"},
		},
		Solutions: []manifest.Solution{
			{Name: "two-digits", Type: "output-rounding", Function: "prevent", Goals: []string{"extraction"}, Switchable: true, Digits: ptr(2)},
			{Name: "review", Type: "record", Function: "detect", Goals: []string{"poisoning"}, Record: "review.pdf", Owner: "Data Office", Date: "2026-10-12"},
		},
		ThreatModel: manifest.ThreatModel{Evasion: &manifest.Evasion{Norm: manifest.Linf, Epsilon: 0.05, Unit: manifest.Range, Access: manifest.BlackBox}},
		Declared:    map[string]manifest.Level{"accuracy": {AtLeast: ptr(0.68)}},
		Claims:      []string{"parity", "malformed-input"},
		Depth:       "standard",
		Digest:      artefact.DigestBytes([]byte(base)),
	}
	if d := cmp.Diff(want, got, cmpopts.IgnoreUnexported(manifest.Manifest{})); d != "" {
		t.Errorf("Parse (-want +got):\n%s", d)
	}
}

func TestParseAcceptsWhatEditorsWrite(t *testing.T) {
	for name, src := range map[string]string{
		"byte order mark":     "\ufeff" + base,
		"carriage returns":    strings.ReplaceAll(base, "\n", "\r\n"),
		"document markers":    "---\n" + base + "...\n",
		"comments":            "# first\n" + strings.ReplaceAll(base, "\n", " # note\n"),
		"quoted keys":         strings.Replace(base, "assize: 1", `"assize": 1`, 1),
		"no newline at end":   strings.TrimSuffix(base, "\n"),
		"folded text":         strings.Replace(base, "version: 1.4.0", "version: >-\n    1.4.0", 1),
		"links by name, flow": strings.Replace(base, "from: [train]", "from: [ 'train', ]", 1),
	} {
		t.Run(name, func(t *testing.T) {
			m, err := manifest.Parse([]byte(src), "assize.yaml")
			if err != nil {
				t.Fatal(err)
			}
			if got, want := m.Target.Version, "1.4.0"; got != want {
				t.Errorf("version %q, want %q", got, want)
			}
		})
	}
}

func TestManifestAsJSONIsAManifest(t *testing.T) {
	m, err := manifest.Parse([]byte(base), "assize.yaml")
	if err != nil {
		t.Fatal(err)
	}
	again := roundTrip(t, m)
	if d := cmp.Diff(m, again, cmpopts.IgnoreUnexported(manifest.Manifest{}), cmpopts.IgnoreFields(manifest.Manifest{}, "Digest")); d != "" {
		t.Errorf("Parse of JSON (-want +got):\n%s", d)
	}
}

func roundTrip(t *testing.T, m *manifest.Manifest) *manifest.Manifest {
	t.Helper()
	b, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	again, err := manifest.Parse(b, "assize.json")
	if err != nil {
		t.Fatalf("%v\nin %s", err, b)
	}
	return again
}

func TestExamplesLoad(t *testing.T) {
	for _, name := range []string{"credit", "digits"} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join("..", "..", "examples", name)
			m, err := manifest.Load(context.Background(), dir)
			if err != nil {
				t.Fatal(err)
			}
			all, err := m.Resolve(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			d, err := m.BuildDomain()
			if err != nil {
				t.Fatal(err)
			}
			if d.Len() == 0 || len(all) < len(m.Artefacts) {
				t.Errorf("%d features, %d of %d artefacts", d.Len(), len(all), len(m.Artefacts))
			}
			if _, err := artefact.Trace(all); err != nil {
				t.Error(err)
			}
		})
	}
}
