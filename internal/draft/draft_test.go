package draft_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assize/assize/internal/domain"
	"github.com/assize/assize/internal/draft"
	"github.com/assize/assize/internal/manifest"
)

// folder copies files of the examples, "credit/model.onnx" as model.onnx.
func folder(t *testing.T, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, f := range files {
		b, err := os.ReadFile(filepath.Join("..", "..", "examples", filepath.FromSlash(f)))
		if err != nil {
			t.Fatal(err)
		}
		put(t, dir, filepath.Base(f), string(b))
	}
	return dir
}

func put(t *testing.T, dir, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// drafted writes the draft into its folder and reads it back as a manifest.
func drafted(t *testing.T, dir string, a draft.Answers) (*manifest.Manifest, *draft.Draft) {
	t.Helper()
	found, err := draft.Look(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	found.Settle(context.Background(), &a)
	d, err := found.Write(context.Background(), a, 0)
	if err != nil {
		t.Fatal(err)
	}
	put(t, dir, "assize.yaml", string(d.Manifest))
	if len(d.Features) > 0 {
		put(t, dir, "features.csv", string(d.Features))
	}
	m, err := manifest.Load(context.Background(), dir)
	if err != nil {
		t.Fatalf("the draft is no manifest: %v\n%s", err, d.Manifest)
	}
	return m, d
}

func TestTheExamples(t *testing.T) {
	credit := []string{"credit/model.onnx", "credit/train.csv", "credit/test.csv", "credit/served.csv"}
	m, d := drafted(t, folder(t, credit...), draft.Answers{Purpose: "Score \"loans\": #1", Cutoff: "0.25", Favourable: "0"})
	var names []string
	for _, a := range m.Artefacts {
		names = append(names, a.Name+" "+a.Path+" "+a.Label)
	}
	if diff := cmp.Diff([]string{"train train.csv default", "test test.csv default", "model model.onnx ", "served served.csv "}, names); diff != "" {
		t.Errorf("artefacts (-want +got):\n%s", diff)
	}
	if m.Target.IntendedPurpose != "Score \"loans\": #1" || *m.Decision.Cutoff != 0.25 || m.Decision.Positive != "1" || !slices.Equal(m.Decision.Favourable, []string{"0"}) {
		t.Errorf("the answers are not in the manifest: %+v, %+v", m.Target, m.Decision)
	}
	if d.Kind != manifest.Probabilities || m.Interface.Output.Tensor != "probabilities" {
		t.Errorf("output %+v", m.Interface.Output)
	}
	dom, err := m.BuildDomain()
	if err != nil {
		t.Fatal(err)
	}
	groups := map[string]int{}
	for _, f := range dom.Features() {
		groups[f.Group]++
		if f.Name == "amount" && (f.Type != domain.Integer || f.Min != 250 || f.Max != 18424) {
			t.Errorf("amount: %+v", f)
		}
	}
	if diff := cmp.Diff(map[string]int{"": 8, "purpose": 6, "security": 3, "plans": 3}, groups); diff != "" {
		t.Errorf("groups (-want +got):\n%s", diff)
	}
	if m.Domain.ConfirmedBy != nil || !slices.ContainsFunc(d.Guessed, func(g string) bool { return strings.HasPrefix(g, "domain:") }) {
		t.Error("the domain is not said to be a guess")
	}

	m, _ = drafted(t, folder(t, "digits/model.onnx", "digits/train.npz", "digits/test.npz", "digits/served.npz"), draft.Answers{})
	if m.Interface.Input.Layout != manifest.NCHW || m.Interface.Output.Kind != manifest.Logits || m.Decision.Rule != manifest.Argmax {
		t.Errorf("digits: %+v, %+v", m.Interface, m.Decision)
	}
	if !slices.Contains(m.Claims, "parity") || !slices.Contains(m.Claims, "data-separation") {
		t.Errorf("digits claims %q", m.Claims)
	}
	if dom, err := m.BuildDomain(); err != nil || dom.Len() != 64 {
		t.Errorf("digits domain: %v", err)
	}

	m, d = drafted(t, folder(t, "diagnosis/model.onnx", "diagnosis/test.csv"), draft.Answers{})
	if diff := cmp.Diff([]string{"benign", "malignant"}, m.Interface.Output.Classes); diff != "" {
		t.Errorf("classes (-want +got):\n%s", diff)
	}
	if !slices.ContainsFunc(d.Guessed, func(g string) bool { return strings.Contains(g, "held-out") }) {
		t.Error("one data set alone is taken for held-out data without a word")
	}
}

// TestQuestions: at most a handful, and an answer that is no choice is asked again.
func TestQuestions(t *testing.T) {
	dir := folder(t, "credit/model.onnx", "credit/test.csv")
	second, err := os.ReadFile(filepath.Join(dir, "model.onnx"))
	if err != nil {
		t.Fatal(err)
	}
	put(t, dir, "other.onnx", string(second))
	found, err := draft.Look(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	questions := found.Questions()
	if len(questions) < 3 || len(questions) > 5 {
		t.Fatalf("%d questions", len(questions))
	}
	var a draft.Answers
	if err := questions[0].Answer(&a, "third.onnx\n"); err == nil {
		t.Error("a model that is not there was taken")
	}
	if err := questions[0].Answer(&a, "other.onnx\n"); err != nil || a.Model != "other.onnx" {
		t.Errorf("%v, %+v", err, a)
	}
	if err := questions[1].Answer(&a, "\n"); err != nil || a.Purpose != "" {
		t.Errorf("%v, %+v", err, a)
	}
}

// TestAnotherLabel: the table is read again where somebody names another column.
func TestAnotherLabel(t *testing.T) {
	dir := folder(t, "credit/model.onnx")
	b, err := os.ReadFile(filepath.Join("..", "..", "examples", "credit", "test.csv"))
	if err != nil {
		t.Fatal(err)
	}
	put(t, dir, "test.csv", strings.Replace(string(b), "default", "paid_back", 1))
	m, _ := drafted(t, dir, draft.Answers{Label: "plans_bank"})
	test, _ := m.Artefact("test")
	if test.Label != "plans_bank" {
		t.Errorf("label %q", test.Label)
	}
}

func TestWhyNot(t *testing.T) {
	for _, tt := range []struct {
		name  string
		files map[string]string
		copy  []string
		want  string
	}{
		{"empty", nil, nil, "there is no model here"},
		{"pickle", map[string]string{"model.pkl": "\x80\x04\x95\x00"}, nil, "skl2onnx"},
		{"Keras", map[string]string{"model.h5": "\x89HDF\r\n\x1a\n"}, nil, "Keras 3"},
		{"no data", nil, []string{"credit/model.onnx"}, "there is no CSV"},
		{"other data", map[string]string{"test.csv": "a,b,label\n1,2,0\n3,4,1\n"}, []string{"credit/model.onnx"}, "test.csv has 2 inputs a row, the model takes 20"},
		{"damaged data", map[string]string{"test.csv": "a,b,label\n1,2,0\n3,,1\n"}, []string{"credit/model.onnx"}, "test.csv: read data"},
		{"too many labels", nil, []string{"credit/model.onnx"}, "2 classes apart"},
	} {
		dir := folder(t, tt.copy...)
		for name, content := range tt.files {
			put(t, dir, name, content)
		}
		if tt.name == "too many labels" {
			b, err := os.ReadFile(filepath.Join("..", "..", "examples", "credit", "test.csv"))
			if err != nil {
				t.Fatal(err)
			}
			lines := strings.Split(strings.TrimSpace(string(b)), "\n")
			lines[1] = lines[1][:len(lines[1])-1] + "7"
			put(t, dir, "test.csv", strings.Join(lines, "\n")+"\n")
		}
		found, err := draft.Look(context.Background(), dir)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := found.Write(context.Background(), draft.Answers{}, 0); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
		}
	}
	if _, err := draft.Look(context.Background(), filepath.Join(t.TempDir(), "none")); err == nil || !strings.Contains(err.Error(), "hint:") {
		t.Errorf("no folder: %v", err)
	}
}
