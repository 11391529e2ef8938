package onnxfile_test

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/assize/assize/internal/onnx"
	"github.com/assize/assize/internal/scan"
	"github.com/assize/assize/internal/scan/onnxfile"
	"github.com/assize/assize/internal/scan/scantest"
)

func scanner() *scan.Scanner { return &scan.Scanner{Formats: []scan.Format{onnxfile.Format{}}} }

// model is a small one that computes y = x·w.
func model() *onnx.Model {
	return &onnx.Model{
		IRVersion: 10, Producer: "test", Opsets: []onnx.Opset{{Version: 20}},
		Graph: &onnx.Graph{
			Name: "g", Nodes: []*onnx.Node{{OpType: "MatMul", Inputs: []string{"x", "w"}, Outputs: []string{"y"}}},
			Inputs: []*onnx.ValueInfo{{Name: "x"}}, Outputs: []*onnx.ValueInfo{{Name: "y"}},
			Initializers: []*onnx.Tensor{onnx.NewFloats("w", []int64{2, 2}, []float32{1, 2, 3, 4})},
		},
	}
}

// external moves a tensor's data to another file.
func external(t *onnx.Tensor, location string) {
	t.Raw, t.Data, t.HasRaw, t.DataIn, t.Location = nil, nil, false, 0, 1
	t.External = []onnx.Entry{{Key: "location", Value: location}}
}

func nest(g *onnx.Graph, depth int) *onnx.Graph {
	for range depth {
		g = &onnx.Graph{Name: "g", Nodes: []*onnx.Node{{OpType: "If", Inputs: []string{"c"}, Outputs: []string{"y"}, Attributes: []*onnx.Attribute{{Name: "then_branch", Type: onnx.AttrGraph, Graph: g}}}}}
	}
	return g
}

func TestScan(t *testing.T) {
	tests := []struct {
		name    string
		change  func(*onnx.Model)
		outcome scan.Outcome
		rule    string
	}{
		{"plain", func(*onnx.Model) {}, scan.Clean, ""},
		{"frightening names", func(m *onnx.Model) { m.Doc, m.Graph.Nodes[0].Name = "os.system eval exec", "__import__" }, scan.Clean, ""},
		{"operator of one runtime", func(m *onnx.Model) { m.Graph.Nodes[0].Domain = "com.microsoft" }, scan.Clean, ""},
		{"data beside the model", func(m *onnx.Model) { external(m.Graph.Initializers[0], "w.bin") }, scan.Clean, ""},
		{"data outside", func(m *onnx.Model) { external(m.Graph.Initializers[0], "a/../../etc/passwd") }, scan.Dangerous, "onnx/external-data-escapes"},
		{"data outside, backslashes", func(m *onnx.Model) { external(m.Graph.Initializers[0], `..\..\w`) }, scan.Dangerous, "onnx/external-data-escapes"},
		{"absolute", func(m *onnx.Model) { external(m.Graph.Initializers[0], "/etc/passwd") }, scan.Dangerous, "onnx/external-data-absolute"},
		{"address in memory", func(m *onnx.Model) { external(m.Graph.Initializers[0], "*/_ORT_MEM_ADDR_/*") }, scan.Dangerous, "onnx/external-data-memory"},
		{"data outside in an attribute", func(m *onnx.Model) {
			x := onnx.NewFloats("a", []int64{1}, []float32{1})
			external(x, "../x")
			m.Graph.Nodes[0].Attributes = []*onnx.Attribute{{Name: "value", Type: onnx.AttrTensor, Tensor: x}}
		}, scan.Dangerous, "onnx/external-data-escapes"},
		{"data outside in a function", func(m *onnx.Model) {
			x := onnx.NewFloats("a", []int64{1}, []float32{1})
			external(x, "../x")
			m.Functions = []*onnx.Function{{Domain: "mine", Name: "F", Nodes: []*onnx.Node{{OpType: "Constant", Attributes: []*onnx.Attribute{{Name: "value", Type: onnx.AttrTensor, Tensor: x}}}}}}
		}, scan.Dangerous, "onnx/external-data-escapes"},
		{"data outside, five graphs deep", func(m *onnx.Model) {
			external(m.Graph.Initializers[0], "../x")
			m.Graph = nest(m.Graph, 5)
		}, scan.Dangerous, "onnx/external-data-escapes"},
		{"a thousand graphs deep", func(m *onnx.Model) { m.Graph = nest(m.Graph, 1000) }, scan.Dangerous, "onnx/structure"},
		{"Python", func(m *onnx.Model) { m.Graph.Nodes[0].Domain, m.Graph.Nodes[0].OpType = "ai.onnx.contrib", "PyOp" }, scan.Malicious, "onnx/python-operator"},
		{"compiled", func(m *onnx.Model) { m.Graph.Nodes[0].Domain, m.Graph.Nodes[0].OpType = "com.microsoft", "EPContext" }, scan.Malicious, "onnx/compiled-context"},
		{"own domain", func(m *onnx.Model) { m.Graph.Nodes[0].Domain = "mine" }, scan.UnknownCode, "onnx/custom-operator"},
		{"shadow", func(m *onnx.Model) { m.Functions = []*onnx.Function{{Name: "MatMul"}} }, scan.Dangerous, "onnx/function-shadows-operator"},
		{"pickle in a text", func(m *onnx.Model) { m.Metadata = []onnx.Entry{{Key: "a", Value: "\x80\x04K\x01."}} }, scan.Dangerous, ""},
		{"overflow", func(m *onnx.Model) { m.Graph.Initializers[0].Dims = []int64{1 << 40, 1 << 40} }, scan.Dangerous, "onnx/tensor-dimensions"},
		{"unknown field", func(m *onnx.Model) {
			m.Graph.Unknown = protowire.AppendBytes(protowire.AppendTag(nil, 900, protowire.BytesType), []byte("hidden"))
		}, scan.Incomplete, "onnx/unread-bytes"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m := model()
			test.change(m)
			all := scantest.Scan(t, scanner(), m.Bytes())
			if got := scantest.File(all); got.Outcome != test.outcome || test.rule != "" && !slices.Contains(scantest.Rules(all), test.rule) {
				t.Errorf("%s with %+v, want %s by %q", got.Outcome, got, test.outcome, test.rule)
			}
		})
	}
	for second, found := range map[int64]bool{20: false, 19: true} {
		m := model()
		m.Opsets = append(m.Opsets, onnx.Opset{Domain: "ai.onnx", Version: second})
		if got := slices.Contains(scantest.Rules(scantest.Scan(t, scanner(), m.Bytes())), "onnx/duplicate-name"); got != found {
			t.Errorf("operator set imported as 20 and as %d: found %v, want %v", second, got, found)
		}
	}
	whole := model().Bytes()
	for name, b := range map[string][]byte{
		"trailing":          append(bytes.Clone(whole), "PK\x03\x04 hidden"...),
		"cut":               whole[:len(whole)-20],
		"claims 2^62":       append(bytes.Clone(whole), "\x3a\xff\xff\xff\xff\xff\xff\xff\xff\x3f"...),
		"graph twice":       append(bytes.Clone(whole), whole...),
		"an endless number": append(bytes.Clone(whole), bytes.Repeat([]byte{0xff}, 1000)...),
	} {
		if got := scantest.File(scantest.Scan(t, scanner(), b)); got.Outcome == scan.Clean {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// TestData: weights beside a model are known by what the model refers to, and nothing else is.
func TestData(t *testing.T) {
	m := model()
	external(m.Graph.Initializers[0], "w.bin")
	dir := t.TempDir()
	for _, test := range []struct {
		data    string
		outcome scan.Outcome
		unread  int64
	}{{"0123456789abcdef", scan.Clean, 0}, {"0123456789abcdef\x00\x00", scan.Clean, 0}, {"0123456789abcdef\x01\x00", scan.Incomplete, 2}} {
		for name, b := range map[string][]byte{"m.onnx": m.Bytes(), "w.bin": []byte(test.data)} {
			if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		s := &scan.Scanner{Formats: []scan.Format{onnxfile.Format{}, onnxfile.Data{}}, Budget: scan.DefaultBudget(), Now: time.Now}
		err := s.Path(t.Context(), filepath.Join(dir, "w.bin"), func(r scan.FileReport) error {
			if r.Outcome != test.outcome || r.Coverage.Unread != test.unread || r.Format != "onnx-data" {
				t.Errorf("%q: %+v", test.data, r)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestShared finds every model of the conformance tests clean.
func TestShared(t *testing.T) {
	list, err := filepath.Glob("../../../../shared/data/*/*.onnx")
	if err != nil || len(list) == 0 {
		t.Skip("needs the shared data beside the repository")
	}
	s := scanner()
	s.Budget, s.Now = scan.DefaultBudget(), time.Now
	n := 0
	for _, path := range list {
		if info, err := os.Stat(path); err != nil || info.Size() > 32<<20 {
			continue
		}
		n++
		err := s.Path(context.Background(), path, func(r scan.FileReport) error {
			if r.Outcome != scan.Clean && !strings.Contains(path, "hostile") {
				t.Errorf("%s: %s with %+v", filepath.Base(path), r.Outcome, r.Findings)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if n < 5 {
		t.Errorf("only %d models", n)
	}
}

// FuzzScan: whatever the bytes, the scan ends and its report holds together.
func FuzzScan(f *testing.F) {
	m := model()
	f.Add(m.Bytes())
	external(m.Graph.Initializers[0], "../x")
	m.Graph = nest(m.Graph, 3)
	f.Add(m.Bytes())
	f.Fuzz(func(t *testing.T, b []byte) { scantest.Scan(t, scanner(), b) })
}

// long is a file with zeros behind its first bytes.
type long struct {
	head []byte
	size int64
}

func (l long) ReadAt(p []byte, off int64) (int, error) {
	n := int(min(int64(len(p)), max(0, l.size-off)))
	clear(p[:n])
	if off < int64(len(l.head)) {
		copy(p[:n], l.head[off:])
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// TestGigabytes: a model of 1.9 GB in one file is clean and takes no more memory than a small one;
// one whose structure is as long is incomplete in bounded memory.
func TestGigabytes(t *testing.T) {
	const data = 1_900_000_000
	tensor := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), data/4)
	tensor = append(protowire.AppendVarint(protowire.AppendTag(tensor, 2, protowire.VarintType), 1), "\x42\x01w"...)
	tensor = protowire.AppendVarint(protowire.AppendTag(tensor, 9, protowire.BytesType), data)
	size := func(b []byte, field protowire.Number, n int) []byte {
		return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.BytesType), uint64(n))
	}
	graph := append(protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), []byte("\x0a\x01w\x12\x01y\x22\x04Relu")), size(nil, 5, len(tensor)+data)...)
	plain := append(append(size([]byte("\x08\x0a\x42\x02\x10\x14"), 7, len(graph)+len(tensor)+data), graph...), tensor...)
	text := size([]byte("\x08\x0a\x42\x02\x10\x14"), 7, 6+data) // of its name
	text = size(text, 2, data)
	for _, test := range []struct {
		name string
		head []byte
		size int64
		want scan.Outcome
	}{
		{"data", plain, int64(len(plain)) + data, scan.Clean},
		{"a name", text, int64(len(text)) + data, scan.Incomplete},
	} {
		s := &scan.Scanner{Formats: []scan.Format{onnxfile.Format{}}, Budget: scan.DefaultBudget(), Now: time.Now, NoDigest: true}
		var got scan.FileReport
		scantest.Bounded(t, func() {
			err := s.Reader(t.Context(), "f", long{test.head, test.size}, test.size, func(r scan.FileReport) error {
				got = r
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		})
		if got.Outcome != test.want {
			t.Errorf("%s: %+v, want %s", test.name, got, test.want)
		}
	}
}
