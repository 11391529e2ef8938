package artefactscan_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/onnx"
	"github.com/assize/assize/internal/probes/artefactscan"
	"github.com/assize/assize/internal/result"
	"github.com/assize/assize/internal/worker"
)

// TestMain turns the test's own binary into a worker when it is called as one.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == worker.Argument {
		os.Exit(worker.Main(artefactscan.Probes()))
	}
	os.Exit(m.Run())
}

// TestConfined checks that the scan says the same from inside the sandbox, which shows it nothing but the files.
func TestConfined(t *testing.T) {
	m := clean()
	m.Graph.Initializers[0] = moved("w.bin", "offset", "64")
	m.Doc = "<script>"
	files := folder{model: m.Bytes(), data: map[string][]byte{"w.bin": append(make([]byte, 64), "0123456789abcdef and more"...)}}.files(t)
	want := scan(t, files)
	got := confined(t, artefactscan.Probes()[0], files)
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("scan in a worker (-got +want):\n%s", diff)
	}
	if got := rules(want); len(got) != 2 {
		t.Errorf("findings %v, want the script and the bytes that nobody refers to", got)
	}
}

// confined is what a probe says from inside the sandbox.
func confined(t *testing.T, p measure.Probe, files []measure.File) *result.Result {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	w, err := worker.Start(ctx, worker.Command{Path: self, Args: []string{worker.Argument}}, worker.Setup{Files: files, MemoryBytes: 1 << 30, CPUSeconds: 60})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	done, err := w.Run(ctx, &p, &worker.Job{Probe: p.ID, Seed: make([]byte, 32)}, nil)
	if err != nil || done.Error != "" {
		t.Fatalf("run in a worker: %v, %+v", err, done)
	}
	return done.Result
}

// FuzzScan: whatever the file, the scan ends, accounts for every byte, and says something of what it could not read.
func FuzzScan(f *testing.F) {
	f.Add(clean().Bytes())
	m := clean()
	m.Graph.Initializers[0] = moved("a/../../w", "offset", "7", "length", "18446744073709551615")
	m.Graph.Nodes[0].Domain, m.Graph.Nodes[0].OpType = "com.example", "Run"
	m.Functions = []*onnx.Function{{Domain: "", Name: "MatMul", Nodes: []*onnx.Node{{OpType: "MatMul"}}}}
	m.Metadata = []onnx.Entry{{Key: "k", Value: pickle}, {Key: "k", Value: elf}}
	m.Training = []*onnx.Training{{Algorithm: m.Graph}}
	f.Add(m.Bytes())
	f.Add(append(clean().Bytes(), zip...))
	f.Add([]byte(pickle))
	path := filepath.Join(f.TempDir(), "model.onnx")
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		a := artefact.Artefact{Name: "model", Kind: artefact.Model, Path: "model.onnx", SizeBytes: int64(len(b))}
		res := scan(t, []measure.File{{Artefact: a, OpenPath: path}})
		if res.Metrics["unread_bytes"].Value > 0 && res.Metrics["serious_findings"].Value == 0 {
			t.Errorf("%v bytes are unread and nothing is said of them: %+v", res.Metrics["unread_bytes"].Value, res.Findings)
		}
		if _, err := onnx.Read(b, onnx.DefaultLimits()); err != nil && res.Metrics["serious_findings"].Value == 0 {
			t.Errorf("the file cannot be read (%v) and the scan finds nothing", err)
		}
	})
}
