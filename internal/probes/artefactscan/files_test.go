package artefactscan_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/measure/measuretest"
	"github.com/assize/assize/internal/probes/artefactscan"
)

// written makes artefacts of contents by name.
func written(t *testing.T, contents map[string]string) []measure.File {
	t.Helper()
	dir := t.TempDir()
	var files []measure.File
	for _, name := range []string{"table.csv", "weights.bin", "cut.pkl", "names.pkl"} {
		content, ok := contents[name]
		if !ok {
			continue
		}
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		files = append(files, measure.File{Artefact: artefact.Artefact{Name: name, Kind: artefact.Dataset, Path: name, SizeBytes: int64(len(content))}, OpenPath: path, Folder: dir})
	}
	return files
}

// TestFiles counts artefacts by the worst that lies in them; the pickles are written by hand.
func TestFiles(t *testing.T) {
	probe := artefactscan.Probes()[1]
	files := written(t, map[string]string{
		"table.csv":   "a,b\n1,2\n",
		"weights.bin": "cos\nsystem\n(S'true'\ntR.", // a command under an innocent name
		"cut.pkl":     "\x80\x02]q\x00(K\x01K\x02e", // no end
		"names.pkl":   "cmy_module\nhelper\n(tR.",   // code that nobody vetted
	})
	gone := files[0]
	gone.Name, gone.Path, gone.OpenPath = "gone", "gone.csv", gone.OpenPath+".gone"
	r, err := probe.Run(context.Background(), &measure.Case{Files: append(files, gone)})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, name := range []string{"files", "malicious", "dangerous", "harmful", "unknown_code", "incomplete"} {
		got[name] = r.Metrics[name].Value
	}
	want := map[string]float64{"files": 5, "malicious": 1, "dangerous": 0, "harmful": 1, "unknown_code": 1, "incomplete": 2}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("counts (-want +got):\n%s\n%+v", diff, r.Findings)
	}
	if len(r.Findings) < 3 || r.Metrics["unread_bytes"].Value == 0 {
		t.Errorf("findings %+v, unread %v", r.Findings, r.Metrics["unread_bytes"].Value)
	}
	measuretest.Accept(t, probe, measuretest.Target{Files: files})
}

// TestFilesBesideEachOther: weights are what the model beside them says, wherever the files
// lie, in a worker too, which sees no folder.
func TestFilesBesideEachOther(t *testing.T) {
	m := clean()
	m.Graph.Initializers[0] = moved("w.bin")
	files := folder{model: m.Bytes(), data: map[string][]byte{"w.bin": []byte("\x00\x00\x80\x3f\x00\x00\x80\x3f\x00\x00\x80\x3f\x00\x00\x80\x3f")}}.files(t)
	for i := range files { // as a blob store keeps them
		blob := filepath.Join(t.TempDir(), files[i].Digest.Hex())
		if err := os.Rename(files[i].OpenPath, blob); err != nil {
			t.Fatal(err)
		}
		files[i].OpenPath = blob
	}
	p := artefactscan.Probes()[1]
	inside := confined(t, p, files)
	if got := inside.Metrics; got["files"].Value != 2 || got["incomplete"].Value+got["harmful"].Value+got["unknown_code"].Value != 0 || got["unread_bytes"].Value != 0 {
		t.Errorf("metrics %+v, findings %+v, want two clean files", got, inside.Findings)
	}
	without, err := p.Run(context.Background(), &measure.Case{Files: files[1:]})
	if err != nil || without.Metrics["incomplete"].Value != 1 {
		t.Errorf("without the model: %+v, %v, want weights that nobody knows", without, err)
	}
}
