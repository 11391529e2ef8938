package manifest_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/domain"
	"github.com/assize/assize/internal/manifest"
)

// withCSV is base with its features in a file.
var withCSV = strings.Replace(base, `features:
    - {name: age, type: integer, min: 18, max: 99, mutable: no}
    - {name: pixel, count: 2, type: real, min: 0, max: 1}
`, "features: features.csv\n", 1)

const features = "name,type,min,max,unit,mutable,group,cost\nage,integer,18,99,years,no,,\nred,binary,,,,yes,colour,\nblue,binary,,,,yes,colour,2.5\n"

// folder makes a target's folder; files of "" are left out.
func folder(t *testing.T, src string, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	all := map[string]string{"assize.yaml": src, "model.onnx": "model", "train.csv": "train", "served.csv": "served", "review.pdf": "review", "features.csv": features}
	for name, text := range files {
		all[name] = text
	}
	for name, text := range all {
		if text == "" {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestLoadAndResolve(t *testing.T) {
	dir := folder(t, withCSV, nil)
	m, err := manifest.Load(context.Background(), filepath.Join(dir, "assize.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if m.Dir != dir || m.Digest != artefact.DigestBytes([]byte(withCSV)) {
		t.Errorf("folder %q and digest %s, want %q and the file's", m.Dir, m.Digest, dir)
	}
	got, err := m.Resolve(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	digest := func(s string) artefact.Digest { return artefact.DigestBytes([]byte(s)) }
	want := []artefact.Artefact{
		{Name: "model", Kind: artefact.Model, Path: "model.onnx", Digest: digest("model"), SizeBytes: 5, From: []string{"train"}},
		{Name: "train", Kind: artefact.Dataset, Path: "train.csv", Digest: digest("train"), SizeBytes: 5},
		{Name: "served", Kind: artefact.RecordedOutputs, Path: "served.csv", Digest: digest("served"), SizeBytes: 6, Of: "model", On: "train"},
		{Name: "domain/features", Kind: artefact.Code, Path: "features.csv", Digest: digest(features), SizeBytes: int64(len(features))},
		{Name: "review", Kind: artefact.Record, Path: "review.pdf", Digest: digest("review"), SizeBytes: 6},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("Resolve (-want +got):\n%s", d)
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := m.Resolve(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("Resolve after cancellation: %v, want context.Canceled", err)
	}
}

func TestBuildDomain(t *testing.T) {
	for _, c := range []struct {
		name, src string
		want      []domain.Feature
	}{
		{"list", base, []domain.Feature{
			{Name: "age", Type: domain.Integer, Min: 18, Max: 99, Mutable: domain.No},
			{Name: "pixel[0]", Type: domain.Real, Max: 1, Mutable: domain.Yes},
			{Name: "pixel[1]", Type: domain.Real, Max: 1, Mutable: domain.Yes},
		}},
		{"CSV", withCSV, []domain.Feature{
			{Name: "age", Type: domain.Integer, Min: 18, Max: 99, Unit: "years", Mutable: domain.No},
			{Name: "red", Type: domain.Binary, Max: 1, Mutable: domain.Yes, Group: "colour"},
			{Name: "blue", Type: domain.Binary, Max: 1, Mutable: domain.Yes, Group: "colour", Cost: 2.5},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, err := manifest.Load(context.Background(), folder(t, c.src, nil))
			if err != nil {
				t.Fatal(err)
			}
			d, err := m.BuildDomain()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, d.Features()); diff != "" {
				t.Errorf("features (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]string{"x.age >= orig.age"}, d.Relations()); diff != "" {
				t.Errorf("relations (-want +got):\n%s", diff)
			}
		})
	}
	m, err := manifest.Parse([]byte(base[:strings.Index(base, "domain:")]), "assize.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if d, err := m.BuildDomain(); d != nil || err != nil {
		t.Errorf("domain %v and error %v of a manifest without one, want neither", d, err)
	}
}

// TestBadFiles are the errors of Load and Resolve, without the folder's path.
func TestBadFiles(t *testing.T) {
	csv := func(text string) map[string]string { return map[string]string{"features.csv": text} }
	pinned := strings.Replace(base, "path: model.onnx,", "path: model.onnx,\n    digest: \"sha256:"+strings.Repeat("0", 64)+"\",", 1)
	for _, c := range []struct {
		name, src string
		files     map[string]string
		want      string
	}{
		{"no manifest", "", nil, `no such file
hint: name a folder that holds an assize.yaml; "assize manifest schema" describes it`},
		{"other ending", "", map[string]string{"assize.yml": base}, `no such file
hint: rename "DIR/assize.yml" to assize.yaml`},
		{"too large", base + strings.Repeat("# 345678\n", 120_000), nil, `larger than 1 MiB
hint: keep a long list of features in a CSV file and name it under domain.features`},
		{"artefact missing", base, map[string]string{"model.onnx": ""}, `line 7: artefacts[0].path: model "model": "model.onnx" does not exist
hint: paths start at the manifest's folder`},
		{"artefact misspelt", strings.Replace(base, "train.csv", "trian.csv", 1), nil, `line 8: artefacts[1].path: dataset "train": "trian.csv" does not exist
hint: paths start at the manifest's folder; did you mean "train.csv"?`},
		{"record missing", base, map[string]string{"review.pdf": ""}, `line 31: solutions[1].record: record "review": "review.pdf" does not exist
hint: paths start at the manifest's folder`},
		{"catalogue is a file", base + "catalogue: train.csv\n", nil, `line 37: catalogue: "train.csv" is no folder
hint: name a folder`},
		{"digest differs", pinned, nil, `line 8: artefacts[0].digest: model "model" has the digest 9372c470eead…, and 000000000000… is pinned
hint: put the right model back or, if the change is meant, set digest: "sha256:9372c470eeadd5ecd9c3c74c2b3cb633f8e2f2fad799250a0f70d652b6b825e4" ("sha256sum model.onnx" shows it)`},
		{"relation", strings.Replace(base, `["x.age >= orig.age"]`, `["x.age >= orig.age", "x.agee >= 1"]`, 1), nil, `line 28: domain.relations[1]: parse relation 2 "x.agee >= 1": column 1: …`},
		{"feature reversed", strings.Replace(base, "min: 18, max: 99", "min: 99, max: 18", 1), nil, `line 26: domain.features[0]: …`},
		{"feature twice", strings.Replace(base, "name: pixel, count: 2", "name: age", 1), nil, `line 27: domain.features[1]: …`},
		{"features missing", withCSV, csv(""), `line 25: domain.features: "features.csv" does not exist
hint: paths start at the manifest's folder`},
		{"CSV with semicolons", withCSV, csv("name;type;min;max\n"), `line 25: domain.features: "features.csv" line 1: unknown column "name;type;min;max"
hint: the columns, set apart by commas, are name,type,min,max,unit,mutable,group,cost`},
		{"CSV without a column", withCSV, csv("name,type,min\n"), `line 25: domain.features: "features.csv" line 1: missing column "max"
hint: the columns are name,type,min,max,unit,mutable,group,cost, of which the first four are needed`},
		{"CSV column twice", withCSV, csv("name,type,min,max,max\n"), `line 25: domain.features: "features.csv" line 1: column "max" is here twice
hint: delete one of the two`},
		{"CSV column misspelt", withCSV, csv("name,type,min,max,mutabel\n"), `line 25: domain.features: "features.csv" line 1: unknown column "mutabel"
hint: did you mean "mutable"?`},
		{"CSV with text in a number", withCSV, csv("name,type,min,max\nage,integer,18,old\n"), `line 25: domain.features: "features.csv" line 2: max of "age": "old" is no number
hint: write a number with a point and without a unit`},
		{"CSV with infinity", withCSV, csv("name,type,min,max\nage,integer,18,inf\n"), `line 25: domain.features: "features.csv" line 2: max of "age": "inf" is no number
hint: write a number with a point and without a unit`},
		{"CSV with a short line", withCSV, csv("name,type,min,max\n\nage,integer,18\n"), `line 25: domain.features: "features.csv" line 3: wrong number of fields
hint: write one feature a line, as many cells as the first line has, and text with a comma or a quote in double quotes`},
		{"CSV with a bad type", withCSV, csv("name,type,min,max\nage,int,18,99\n"), `line 25: domain.features: "features.csv" line 2: …`},
		{"CSV with a group of one", withCSV, csv("name,type,min,max,group\nage,integer,18,99,\nred,binary,,,colour\n"), `line 25: domain.features: …`},
		{"CSV empty", withCSV, csv("\n"), `line 25: domain.features: "features.csv" is empty
hint: its first line is name,type,min,max,unit,mutable,group,cost`},
		{"CSV with a header only", withCSV, csv("name,type,min,max\n"), `line 25: domain.features: …`},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := folder(t, c.src, c.files)
			m, err := manifest.Load(context.Background(), dir)
			if err == nil {
				_, err = m.Resolve(context.Background())
			}
			wantError(t, dir, err, c.want)
		})
	}
}

// wantError compares an error with want; after a "…" at its end come the words
// of another package.
func wantError(t *testing.T, dir string, err error, want string) {
	t.Helper()
	var e *manifest.Error
	if !errors.As(err, &e) {
		t.Fatalf("error %v, want *manifest.Error", err)
	}
	got := strings.ReplaceAll(err.Error(), dir, "DIR")
	if ours, cut := strings.CutSuffix(want, "…"); cut {
		want = ours + strings.TrimPrefix(got, `read manifest "DIR/assize.yaml": `+ours)
		if strings.Count(got, "\nhint: ") != 1 {
			t.Errorf("no hint, or several: %s", got)
		}
	}
	if d := cmp.Diff(`read manifest "DIR/assize.yaml": `+want, got); d != "" {
		t.Errorf("error (-want +got):\n%s", d)
	}
}

func TestLinksStayInTheFolder(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(outside, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	dir := folder(t, base, map[string]string{"model.onnx": "", "weights.onnx": "model"})
	link := filepath.Join(dir, "model.onnx")
	if err := os.Symlink(outside, link); err != nil {
		t.Skip("no symbolic links here:", err)
	}
	_, err := manifest.Load(context.Background(), dir)
	wantError(t, dir, err, `line 7: artefacts[0].path: model "model": path "model.onnx" leaves the manifest's folder through a link
hint: put a copy of the file into the folder`)

	if err := os.Remove(link); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("weights.onnx", link); err != nil {
		t.Fatal(err)
	}
	m, err := manifest.Load(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	got, err := m.Locate("model.onnx")
	if want := filepath.Join(dir, "weights.onnx"); err != nil || got != want {
		t.Errorf("Locate %q, %v; want %q", got, err, want)
	}
	for _, rel := range []string{"..", "../x", "/etc/passwd", "", "a/../..", "nowhere"} {
		if got, err := m.Locate(rel); err == nil {
			t.Errorf("Locate(%q) = %q, want an error", rel, got)
		}
	}
}

func TestDuration(t *testing.T) {
	for d, want := range map[manifest.Duration]time.Duration{
		"": 0, "90s": 90 * time.Second, "15m": 15 * time.Minute, "48h": 48 * time.Hour, "184d": 184 * 24 * time.Hour, "99999d": 99999 * 24 * time.Hour,
	} {
		if got := d.Value(); got != want || got < 0 {
			t.Errorf("%q: got %v, want %v", d, got, want)
		}
	}
}

func TestRecordIsPinned(t *testing.T) {
	record := "records:\n  - {name: minutes, path: minutes.md, owner: me, role: secretary, date: 2026-01-01, digest: \"sha256:%s\"}\ndeclared:"
	for digest, wrong := range map[string]bool{artefact.DigestBytes([]byte("said")).Hex(): false, strings.Repeat("0", 64): true} {
		src := strings.Replace(base, "declared:", fmt.Sprintf(record, digest), 1)
		m, err := manifest.Load(context.Background(), folder(t, src, map[string]string{"minutes.md": "said"}))
		if err != nil {
			t.Fatal(err)
		}
		_, err = m.Resolve(context.Background())
		if got := err != nil && strings.Contains(err.Error(), `records[0].digest: record "minutes" has the digest`); got != wrong {
			t.Errorf("pinned to %s: got error %v", digest[:6], err)
		}
	}
}
