package draft

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/assize/assize/internal/domain"
	"github.com/assize/assize/internal/manifest"
)

// Draft is a first manifest.
type Draft struct {
	Manifest []byte
	Features []byte // features.csv; empty where the domain stands in the manifest
	Guessed  []string
	// Kind is what the output was taken for, More what it may be instead.
	Kind manifest.OutputKind
	More []manifest.OutputKind
}

// Write makes a manifest of what was found and answered, with the output taken
// for the kind at that place of the model's Kinds.
func (f *Found) Write(ctx context.Context, a Answers, kind int) (*Draft, error) {
	m := f.best(a.Model)
	switch {
	case m == nil && len(f.Models) > 0:
		return nil, fmt.Errorf("draft manifest: %s: %s", f.Models[0].Path, f.Models[0].Problem)
	case m == nil && len(f.Closed) > 0:
		return nil, fmt.Errorf("draft manifest: no model here can be opened; %s is a %s\nhint: %s", f.Closed[0].Path, f.Closed[0].Format, f.Closed[0].Recipe)
	case m == nil:
		return nil, errors.New("draft manifest: there is no model here\nhint: put the model (ONNX, XGBoost, LightGBM, CatBoost JSON) and a CSV, NPY or NPZ file of test rows into the folder")
	case m.Problem != "":
		return nil, fmt.Errorf("draft manifest: %s: %s", m.Path, m.Problem)
	}
	d := &Draft{Kind: m.Kinds[kind], More: m.Kinds[kind+1:]}
	r := f.assign(m)
	if r.test == nil {
		return nil, f.noData(m)
	}
	if n := len(r.test.Info.Labels); m.Columns > 0 && n > max(2, m.Columns) {
		return nil, fmt.Errorf("draft manifest: %s holds %d different labels in column %q, %s tells %d classes apart\nhint: give the labels that the model was trained to tell, or name the label column", r.test.Path, n, r.test.Label, m.Path, max(2, m.Columns))
	}
	w := &writer{d: d, m: m, r: r, a: a, classes: classes(m, r.test)}
	features, err := f.features(ctx, m, r.test, r.train)
	if err != nil {
		return nil, err
	}
	w.target(filepath.Base(absolute(f.Dir)))
	w.artefacts()
	w.use()
	if err := w.domain(features); err != nil {
		return nil, err
	}
	w.rest()
	d.Manifest = []byte(w.b.String())
	return d, nil
}

func absolute(dir string) string {
	if full, err := filepath.Abs(dir); err == nil {
		return full
	}
	return dir
}

// noData says why none of the tables is the model's.
func (f *Found) noData(m *Model) error {
	why := "there is no CSV, NPY or NPZ file"
	for _, t := range f.Tables {
		if t.Problem != "" {
			why = t.Path + ": " + t.Problem
		} else if t.Info != nil && t.Info.Width > 0 {
			why = fmt.Sprintf("%s has %d inputs a row, the model takes %d", t.Path, t.Info.Width, m.Width)
		}
	}
	return fmt.Errorf("draft manifest: no data for %s: %s\nhint: put a file of test rows beside it, one column for each input and one for the label", m.Path, why)
}

// writer puts a manifest together, section by section.
type writer struct {
	b       strings.Builder
	d       *Draft
	m       *Model
	r       roles
	a       Answers
	classes []string
}

func (w *writer) line(format string, args ...any) { fmt.Fprintf(&w.b, format+"\n", args...) }

// guess remembers what a person must look at; it returns the remark for the line.
func (w *writer) guess(what string) string {
	w.d.Guessed = append(w.d.Guessed, what)
	return "  # guessed"
}

// quote writes a text as YAML, of which JSON's strings are a part.
func quote(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		return `""`
	}
	return string(b)
}

func list(names []string) string {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = quote(n)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

func (w *writer) target(name string) {
	w.line("# A first manifest, drafted by assize init. Look at every line that says guessed; README.md and the examples explain the fields.")
	w.line("assize: 1\n\ntarget:")
	w.line("  name: %s%s", quote(name), w.guess("target.name: the folder's name"))
	w.line("  version: \"0\"%s", w.guess("target.version"))
	if w.a.Purpose != "" {
		w.line("  intended_purpose: %s", quote(w.a.Purpose))
	} else {
		w.line("  # intended_purpose: what the system is for, on whom (AI Act Art. 3(12))")
	}
	w.line("  # provider: who puts it on the market")
	w.line("  # classification: {annex_iii: \"5(b)\"}     # or {annex_i: ...}, or {none: why it is not high-risk}")
}

func (w *writer) artefacts() {
	w.line("\nartefacts:                       # a digest pins a file; assess records the digests anyway")
	data := func(name string, t *Table) {
		w.line("  - name: %s\n    kind: dataset\n    path: %s", name, quote(t.Path))
		if t.Input != "" {
			w.line("    input: %s", quote(t.Input))
		}
		if t.Label != "" && t.LabelSure {
			w.line("    label: %s", quote(t.Label))
		} else if t.Label != "" {
			w.line("    label: %s%s", quote(t.Label), w.guess("the label of "+t.Path+" is "+t.Label))
		}
	}
	from := ""
	if w.r.train != nil {
		data("train", w.r.train)
		from = "\n    from: [train]" + w.guess("that the model was made from "+w.r.train.Path)
	}
	data("test", w.r.test)
	if w.r.train == nil {
		w.d.Guessed = append(w.d.Guessed, w.r.test.Path+" is held-out data: figures on data that was trained on flatter the model")
	}
	w.line("  - name: model\n    kind: model\n    path: %s%s", quote(w.m.Path), from)
	if w.r.recorded != nil {
		w.line("  - name: served\n    kind: recorded-outputs\n    path: %s\n    of: model\n    on: test%s", quote(w.r.recorded.Path), w.guess(w.r.recorded.Path+" was recorded from the deployed system, row by row"))
	} else {
		w.line("  # - {name: served, kind: recorded-outputs, path: served.csv, of: model, on: test}   # what the deployed system answered: shows that this model is the one that runs")
	}
}

// use writes interface and decision.
func (w *writer) use() {
	tensor := func(name string) string {
		if name == "" {
			return ""
		}
		return "tensor: " + quote(name) + ", "
	}
	remark := ""
	if len(w.m.Kinds) > 1 {
		remark = w.guess(fmt.Sprintf("interface.output.kind: %s (or %s)", w.d.Kind, joined(slices.DeleteFunc(slices.Clone(w.m.Kinds), func(k manifest.OutputKind) bool { return k == w.d.Kind }))))
	}
	w.line("\ninterface:\n  input: {%slayout: %s}         # scaling outside the model, if any: scaling: {mean: [...], std: [...]}", tensor(w.m.Input), w.m.Layout)
	names := ""
	if len(w.classes) > 0 {
		names = ", classes: " + list(w.classes)
		w.d.Guessed = append(w.d.Guessed, "the classes "+strings.Join(w.classes[:min(5, len(w.classes))], ", ")+" stand in the order of the model's outputs")
	}
	w.line("  output: {%skind: %s%s}%s", tensor(w.m.Output), w.d.Kind, names, remark)
	w.line("")
	if len(w.classes) == 2 && w.d.Kind != manifest.Label || w.d.Kind == manifest.Score {
		w.cutoff()
		return
	}
	w.line("decision: {rule: argmax}%s", w.guess("decision: the class with the largest output"))
	w.favourable("")
}

// cutoff writes the rule of two classes or a score.
func (w *writer) cutoff() {
	value, remark := w.a.Cutoff, ""
	if value == "" {
		value, remark = "0.5", w.guess("decision.cutoff: 0.5; put the value that the system really uses")
	}
	below, above := "below", "above"
	w.line("decision:\n  rule: cutoff")
	if len(w.classes) == 2 {
		below, above = w.classes[0], w.classes[1]
		w.line("  positive: %s", quote(above))
	}
	w.line("  cutoff: %s%s\n  outcomes: {below: %s, above: %s}     # what the system then does, as accept and refuse", value, remark, quote(below), quote(above))
	w.favourable("  ")
}

func (w *writer) favourable(indent string) {
	if w.a.Favourable != "" && indent != "" {
		w.line("%sfavourable: [%s]", indent, quote(w.a.Favourable))
	}
}

func (w *writer) domain(features []domain.Feature) error {
	w.line("\ndomain:                          # which inputs can occur, and what one person can change")
	w.line("  # confirmed_by: {name: who answers for it, date: 2026-01-31}   # until then decisions that rest on it stay inconclusive")
	w.d.Guessed = append(w.d.Guessed, "domain: types and ranges as the data show them, everything free to change; nobody has confirmed it")
	if inline(w.r.test, features) {
		low, high, kind := features[0].Min, features[0].Max, features[0].Type
		for _, f := range features {
			low, high = min(low, f.Min), max(high, f.Max)
			if f.Type == domain.Real || kind == domain.Binary {
				kind = f.Type
			}
		}
		w.line("  features:\n    - {name: value, count: %d, type: %s, min: %s, max: %s}", len(features), kind, number(low), number(high))
		return nil
	}
	var err error
	w.line("  features: features.csv")
	w.d.Features, err = featuresCSV(features)
	return err
}

// rest writes threats, declared levels and claims.
func (w *writer) rest() {
	w.line("\nthreat_model:\n  # What an attacker may change, and how often one may ask.")
	w.line("  evasion: {norm: linf, epsilon: 0.05, unit: range, access: black-box, queries_per_row: 1000}%s", w.guess("threat_model.evasion: changes of a twentieth of each range"))
	w.line("\n# declared:                      # the levels that the instructions for use state, Art. 15(3)\n#   balanced_accuracy: {at_least: 0.8}\n#   robust_accuracy: {at_least: 0.7}")
	claims := []string{"evasion", "malformed-input", "artefact-safety"}
	if w.r.recorded != nil {
		claims = append([]string{"parity"}, claims...)
	}
	if w.r.train != nil {
		claims = append(claims, "data-separation")
	}
	w.line("\nclaims: [%s]   # add accuracy once a level is declared", strings.Join(claims, ", "))
	w.line("depth: standard")
}

func joined(kinds []manifest.OutputKind) string {
	var names []string
	for _, k := range kinds {
		names = append(names, string(k))
	}
	return strings.Join(names, " or ")
}
