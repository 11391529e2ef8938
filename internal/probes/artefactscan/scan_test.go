package artefactscan_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/assize/assize/internal/artefact"
	"github.com/assize/assize/internal/measure"
	"github.com/assize/assize/internal/measure/measuretest"
	"github.com/assize/assize/internal/onnx"
	"github.com/assize/assize/internal/probes/artefactscan"
	"github.com/assize/assize/internal/result"
)

// clean is a model with nothing to find: y = x·w.
func clean() *onnx.Model {
	return &onnx.Model{
		IRVersion: 8, Producer: "test", Opsets: []onnx.Opset{{Version: 17}},
		Graph: &onnx.Graph{
			Name: "main", Doc: "A product.",
			Nodes:        []*onnx.Node{{OpType: "MatMul", Name: "product", Inputs: []string{"x", "w"}, Outputs: []string{"y"}}},
			Initializers: []*onnx.Tensor{onnx.NewFloats("w", []int64{2, 2}, []float32{1, 2, 3, 4})},
			Inputs:       []*onnx.ValueInfo{{Name: "x", Type: floats()}},
			Outputs:      []*onnx.ValueInfo{{Name: "y", Type: floats()}},
		},
	}
}

func floats() *onnx.Type {
	return &onnx.Type{Kind: onnx.KindTensor, ElemType: onnx.Float, HasShape: true, Shape: []onnx.Dim{{Param: "n"}, {Fixed: true, Value: 2}}}
}

// folder is files of a target on disk; scanned runs the probe on them.
type folder struct {
	model    []byte
	data     map[string][]byte // by location, with an artefact each
	siblings []string
}

func (f folder) files(t *testing.T) []measure.File {
	t.Helper()
	dir := t.TempDir()
	add := func(name, file string, b []byte, from ...string) measure.File {
		path := filepath.Join(dir, file)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		siblings := append([]string{"model.onnx"}, f.siblings...)
		for location := range f.data {
			siblings = append(siblings, strings.SplitN(location, "/", 2)[0])
		}
		return measure.File{
			Artefact: artefact.Artefact{Name: name, Kind: artefact.Model, Path: file, Digest: artefact.DigestBytes(b), SizeBytes: int64(len(b)), From: from},
			OpenPath: path, Folder: dir, Siblings: siblings,
		}
	}
	files := []measure.File{add("model", "model.onnx", f.model)}
	for location, b := range f.data {
		files = append(files, add("model#"+location, location, b, "model"))
	}
	return files
}

func scan(t *testing.T, files []measure.File) *result.Result {
	t.Helper()
	res, err := artefactscan.Probes()[0].Run(context.Background(), &measure.Case{Files: files})
	if err != nil {
		t.Fatal(err)
	}
	if res.State == result.Measured {
		sum, all := 0.0, 0
		for _, name := range []string{"structured_bytes", "opaque_bytes", "unread_bytes"} {
			sum += res.Metrics[name].Value
			all = res.Metrics[name].N
		}
		if sum != float64(all) {
			t.Errorf("%v bytes are accounted for, the files have %d", sum, all)
		}
	}
	return res
}

func rules(res *result.Result) []string {
	var out []string
	for _, f := range res.Findings {
		out = append(out, string(f.Severity)+" "+f.Rule)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// external moves the clean model's weights to another file.
func external(location string, entries ...string) func(*onnx.Model) {
	return func(m *onnx.Model) { m.Graph.Initializers[0] = moved(location, entries...) }
}

func moved(location string, entries ...string) *onnx.Tensor {
	w := &onnx.Tensor{Name: "w", Type: onnx.Float, Dims: []int64{2, 2}, Location: 1, External: []onnx.Entry{{Key: "location", Value: location}}}
	for i := 0; i+1 < len(entries); i += 2 {
		w.External = append(w.External, onnx.Entry{Key: entries[i], Value: entries[i+1]})
	}
	return w
}

func node(domain, op string) func(*onnx.Model) {
	return func(m *onnx.Model) { m.Graph.Nodes[0].Domain, m.Graph.Nodes[0].OpType = domain, op }
}

// elf and the rest are harmless beginnings of what could be harmful.
const (
	elf    = "\x7fELF\x02\x01\x01 not really"
	pickle = "\x80\x04\x95\x03\x00\x00\x00\x00\x00\x00\x00K\x01." // the number 1
	zip    = "PK\x03\x04 and a name that is long enough to look right"
)

// TestRules has a file for every rule, hostile or odd in one way only.
func TestRules(t *testing.T) {
	inSubgraph := func(m *onnx.Model, n *onnx.Node, tensors ...*onnx.Tensor) {
		m.Graph.Nodes = append(m.Graph.Nodes, &onnx.Node{OpType: "If", Inputs: []string{"y"}, Outputs: []string{"z"}, Attributes: []*onnx.Attribute{
			{Name: "then_branch", Type: onnx.AttrGraph, Graph: &onnx.Graph{Name: "then", Nodes: []*onnx.Node{n}, Initializers: tensors}},
		}})
	}
	function := func(domain, name string, calls ...string) *onnx.Function {
		f := &onnx.Function{Domain: domain, Name: name, Inputs: []string{"a"}, Outputs: []string{"b"}, Opsets: []onnx.Opset{{Version: 17}}}
		for _, c := range calls {
			f.Nodes = append(f.Nodes, &onnx.Node{OpType: c, Domain: domain, Inputs: []string{"a"}, Outputs: []string{"b"}})
		}
		return f
	}
	weights := make([]byte, 16)
	copy(weights, "0123456789abcdef")
	tests := []struct {
		name   string
		change func(*onnx.Model)
		folder folder
		want   []string
	}{
		{name: "clean"},
		{name: "absolute", change: external("/etc/passwd"), want: []string{"high onnx/external-data-absolute"}},
		{name: "drive", change: external(`C:\secret`), want: []string{"high onnx/external-data-absolute"}},
		{name: "address", change: external("http://example.org/w"), want: []string{"high onnx/external-data-absolute"}},
		{name: "up", change: external("a/../../secret"), want: []string{"high onnx/external-data-escapes"}},
		{name: "up with backslashes", change: external(`a\..\..\secret`), want: []string{"high onnx/external-data-escapes"}},
		{name: "memory", change: external("*/_ORT_MEM_ADDR_/*", "offset", "4096", "length", "16"), want: []string{"high onnx/external-data-memory"}},
		{name: "line break", change: external("w\n.bin"), want: []string{"high onnx/external-data-name"}},
		{name: "link", change: external("w.bin"), folder: folder{siblings: []string{"w.bin -> /etc/passwd"}}, want: []string{"high onnx/external-data-link"}},
		{name: "linked parent", change: external("d/w.bin"), folder: folder{siblings: []string{"d -> .."}}, want: []string{"high onnx/external-data-link"}},
		{name: "missing", change: external("w.bin"), want: []string{"medium onnx/external-data-missing"}},
		{name: "not digested", change: external("w.bin"), folder: folder{siblings: []string{"w.bin"}}, want: []string{"medium onnx/external-data-unaccounted"}},
		{name: "itself", change: external("model.onnx"), want: []string{"medium onnx/external-data-self", "medium onnx/external-data-unaccounted"}},
		{name: "no file", change: external("./."), want: []string{"medium onnx/external-data-malformed"}},
		{name: "offset of text", change: external("w.bin", "offset", "-1"), folder: folder{data: map[string][]byte{"w.bin": weights}}, want: []string{"medium onnx/external-data-malformed"}},
		{name: "beyond the file", change: external("w.bin", "offset", "8"), folder: folder{data: map[string][]byte{"w.bin": weights}}, want: []string{"medium onnx/external-data-range", "medium onnx/external-data-unreferenced"}},
		{name: "offset that overflows", change: external("w.bin", "offset", "9223372036854775807"), folder: folder{data: map[string][]byte{"w.bin": weights}}, want: []string{"medium onnx/external-data-range", "medium onnx/external-data-unreferenced"}},
		{name: "another length", change: external("w.bin", "length", "12"), folder: folder{data: map[string][]byte{"w.bin": weights[:12]}}, want: []string{"medium onnx/external-data-length"}},
		{name: "data file", change: external("w.bin"), folder: folder{data: map[string][]byte{"w.bin": weights}}},
		{name: "data file in a folder", change: external("d/w.bin", "offset", "0", "length", "16"), folder: folder{data: map[string][]byte{"d/w.bin": weights}}},
		{name: "padding", change: external("w.bin", "offset", "4096"), folder: folder{data: map[string][]byte{"w.bin": append(make([]byte, 4096), weights...)}}},
		{name: "bytes that nobody refers to", change: external("w.bin"), folder: folder{data: map[string][]byte{"w.bin": append(slices.Clone(weights), "hidden"...)}}, want: []string{"medium onnx/external-data-unreferenced"}},
		{name: "program that nobody refers to", change: external("w.bin"), folder: folder{data: map[string][]byte{"w.bin": append(slices.Clone(weights), elf...)}}, want: []string{"high onnx/external-data-unreferenced"}},
		{name: "program in a data file", change: external("w.bin"), folder: folder{data: map[string][]byte{"w.bin": []byte(elf[:16])}}, want: []string{"high onnx/payload-in-tensor"}},
		{name: "external data in an attribute of a subgraph", change: func(m *onnx.Model) {
			inSubgraph(m, &onnx.Node{OpType: "Constant", Outputs: []string{"z"}, Attributes: []*onnx.Attribute{{Name: "value", Type: onnx.AttrTensor, Tensor: moved("../w")}}})
		}, want: []string{"high onnx/external-data-escapes"}},
		{name: "external data in a function", change: func(m *onnx.Model) {
			f := function("local", "f")
			f.Nodes = []*onnx.Node{{OpType: "Constant", Outputs: []string{"b"}, Attributes: []*onnx.Attribute{{Name: "value", Type: onnx.AttrTensor, Tensor: moved("/w")}}}}
			m.Functions = []*onnx.Function{f}
		}, want: []string{"high onnx/external-data-absolute"}},
		{name: "custom operator", change: node("com.example", "Run"), want: []string{"high onnx/custom-operator"}},
		{name: "custom operator in a subgraph", change: func(m *onnx.Model) {
			inSubgraph(m, &onnx.Node{OpType: "Run", Domain: "com.example", Inputs: []string{"x"}, Outputs: []string{"z"}})
		}, want: []string{"high onnx/custom-operator"}},
		{name: "Python", change: node("ai.onnx.contrib", "PyOp"), want: []string{"high onnx/python-operator"}},
		{name: "Python in training", change: node("com.microsoft", "PythonOp"), want: []string{"high onnx/python-operator"}},
		{name: "compiled", change: node("com.microsoft", "EPContext"), want: []string{"high onnx/compiled-context"}},
		{name: "one runtime's", change: node("com.microsoft", "FusedMatMul"), want: []string{"low onnx/runtime-operator"}},
		{name: "training operator", change: node("ai.onnx.preview.training", "Adam"), want: []string{"low onnx/training-operator"}},
		{name: "standard domain by its long name", change: node("ai.onnx", "MatMul")},
		{name: "own function", change: func(m *onnx.Model) { node("local", "f")(m); m.Functions = []*onnx.Function{function("local", "f")} }},
		{name: "shadowing function", change: func(m *onnx.Model) { m.Functions = []*onnx.Function{function("", "MatMul")} }, want: []string{"high onnx/function-shadows-operator"}},
		{name: "shadowing function by the long name", change: func(m *onnx.Model) { m.Functions = []*onnx.Function{function("ai.onnx", "MatMul")} }, want: []string{"high onnx/function-shadows-operator"}},
		{name: "recursion", change: func(m *onnx.Model) {
			m.Functions = []*onnx.Function{function("local", "f", "g"), function("local", "g", "f")}
		}, want: []string{"high onnx/function-recursion"}},
		{name: "calls without recursion", change: func(m *onnx.Model) {
			m.Functions = []*onnx.Function{function("local", "f", "g", "h"), function("local", "g", "h"), function("local", "h")}
		}},
		{name: "function twice", change: func(m *onnx.Model) {
			m.Functions = []*onnx.Function{function("local", "f"), function("local", "f")}
		}, want: []string{"medium onnx/duplicate-name"}},
		{name: "training", change: func(m *onnx.Model) { m.Training = []*onnx.Training{{Algorithm: &onnx.Graph{Name: "t"}}} }, want: []string{"low onnx/training-info"}},
		{name: "operator in training", change: func(m *onnx.Model) {
			m.Training = []*onnx.Training{{Algorithm: &onnx.Graph{Name: "t", Nodes: []*onnx.Node{{OpType: "Run", Domain: "com.example"}}}}}
		}, want: []string{"high onnx/custom-operator", "low onnx/training-info"}},
		{name: "operator set of the future", change: func(m *onnx.Model) { m.Opsets[0].Version = 99 }, want: []string{"low onnx/unknown-version"}},
		{name: "format of the future", change: func(m *onnx.Model) { m.IRVersion = 99 }, want: []string{"low onnx/unknown-version"}},
		{name: "operator set twice", change: func(m *onnx.Model) { m.Opsets = append(m.Opsets, onnx.Opset{Domain: "ai.onnx", Version: 9}) }, want: []string{"medium onnx/duplicate-name"}},
		{name: "initialiser twice", change: func(m *onnx.Model) { m.Graph.Initializers = append(m.Graph.Initializers, m.Graph.Initializers[0]) }, want: []string{"medium onnx/duplicate-name"}},
		{name: "initialiser as an input's default", change: func(m *onnx.Model) {
			m.Graph.Inputs = append(m.Graph.Inputs, &onnx.ValueInfo{Name: "w", Type: floats()})
		}},
		{name: "output twice", change: func(m *onnx.Model) { m.Graph.Nodes = append(m.Graph.Nodes, m.Graph.Nodes[0]) }, want: []string{"medium onnx/duplicate-name"}},
		{name: "metadata twice", change: func(m *onnx.Model) { m.Metadata = []onnx.Entry{{Key: "a", Value: "1"}, {Key: "a", Value: "2"}} }, want: []string{"medium onnx/duplicate-name"}},
		{name: "unused tensor", change: func(m *onnx.Model) {
			m.Graph.Initializers = append(m.Graph.Initializers, onnx.NewFloats("idle", []int64{1}, []float32{1}))
		}, want: []string{"info onnx/unused-initialiser"}},
		{name: "tensor used in a subgraph alone", change: func(m *onnx.Model) {
			m.Graph.Initializers = append(m.Graph.Initializers, onnx.NewFloats("deep", []int64{1}, []float32{1}))
			inSubgraph(m, &onnx.Node{OpType: "Neg", Inputs: []string{"deep"}, Outputs: []string{"z"}})
		}},
		{name: "unbounded loop", change: func(m *onnx.Model) {
			m.Graph.Nodes = append(m.Graph.Nodes, &onnx.Node{OpType: "Loop", Inputs: []string{"", "y"}, Outputs: []string{"z"}})
		}, want: []string{"info onnx/unbounded-loop"}},
		{name: "bounded loop", change: func(m *onnx.Model) {
			m.Graph.Initializers = append(m.Graph.Initializers, onnx.NewInts("turns", nil, []int64{3}))
			m.Graph.Nodes = append(m.Graph.Nodes, &onnx.Node{OpType: "Loop", Inputs: []string{"turns", "y"}, Outputs: []string{"z"}})
		}},
		{name: "pickle in metadata", change: func(m *onnx.Model) { m.Metadata = []onnx.Entry{{Key: "hook", Value: pickle}} }, want: []string{"high onnx/payload-in-text"}},
		{name: "pickle in base64", change: func(m *onnx.Model) {
			m.Metadata = []onnx.Entry{{Key: "hook", Value: base64.StdEncoding.EncodeToString([]byte(pickle + strings.Repeat(" ", 40)))}}
		}, want: []string{"high onnx/payload-in-text"}},
		{name: "zip in documentation", change: func(m *onnx.Model) { m.Graph.Doc = zip }, want: []string{"high onnx/payload-in-text"}},
		{name: "program in an attribute", change: func(m *onnx.Model) {
			m.Graph.Nodes[0].Attributes = []*onnx.Attribute{{Name: "code", Type: onnx.AttrString, String: []byte(elf)}}
		}, want: []string{"high onnx/payload-in-text"}},
		{name: "script of a page", change: func(m *onnx.Model) { m.Doc = "<script>1+1</script>" }, want: []string{"medium onnx/script-in-text"}},
		{name: "oversize", change: func(m *onnx.Model) { m.Doc = strings.Repeat("a ", 40_000) }, want: []string{"medium onnx/oversize-text"}},
		{name: "link in text", change: func(m *onnx.Model) { m.Doc = "see https://example.org/model" }, want: []string{"info onnx/link-in-text"}},
		{name: "innocent words", change: func(m *onnx.Model) {
			m.Doc = "os.system, eval and pickle are words; PK and MZ too."
			m.Graph.Nodes[0].Name = "eval"
		}},
		{name: "program in a tensor", change: func(m *onnx.Model) { m.Graph.Initializers[0].Raw = []byte(elf)[:16] }, want: []string{"high onnx/payload-in-tensor"}},
		{name: "data beyond the shape", change: func(m *onnx.Model) {
			m.Graph.Initializers[0].Raw = append(m.Graph.Initializers[0].Raw, "hidden"...)
		}, want: []string{"medium onnx/unread-bytes"}},
		{name: "pickle beyond the shape", change: func(m *onnx.Model) {
			m.Graph.Initializers[0].Raw = append(m.Graph.Initializers[0].Raw, pickle...)
		}, want: []string{"high onnx/unread-bytes"}},
		{name: "data beside external data", change: func(m *onnx.Model) {
			external("w.bin")(m)
			m.Graph.Initializers[0].HasRaw, m.Graph.Initializers[0].Raw = true, []byte("hidden")
		}, folder: folder{data: map[string][]byte{"w.bin": weights}}, want: []string{"medium onnx/unread-bytes"}},
		{name: "too little data", change: func(m *onnx.Model) { m.Graph.Initializers[0].Raw = m.Graph.Initializers[0].Raw[:8] }, want: []string{"low onnx/tensor-size"}},
		{name: "dimensions that overflow", change: func(m *onnx.Model) { m.Graph.Initializers[0].Dims = []int64{1 << 40, 1 << 40} }, want: []string{"medium onnx/tensor-dimensions"}},
		{name: "unknown field", change: func(m *onnx.Model) {
			m.Unknown = protowire.AppendBytes(protowire.AppendTag(nil, 900, protowire.BytesType), []byte("hidden"))
		}, want: []string{"medium onnx/unread-bytes"}},
		{name: "program in an unknown field", change: func(m *onnx.Model) {
			m.Graph.Nodes[0].Unknown = protowire.AppendBytes(protowire.AppendTag(nil, 900, protowire.BytesType), []byte(elf))
		}, want: []string{"high onnx/unread-bytes"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m := clean()
			if test.change != nil {
				test.change(m)
			}
			test.folder.model = m.Bytes()
			res := scan(t, test.folder.files(t))
			if diff := cmp.Diff(rules(res), test.want); diff != "" {
				t.Errorf("findings (-got +want):\n%s\n%+v", diff, res.Findings)
			}
			serious := 0
			for _, f := range res.Findings {
				if f.Severity == result.High || f.Severity == result.Medium {
					serious++
				}
				if f.Where == "" || f.What == "" || f.Fix == "" && f.Severity != result.Info {
					t.Errorf("incomplete finding: %+v", f)
				}
			}
			if got := res.Metrics["serious_findings"]; got.Value != float64(serious) || got.Method != result.Exhaustive {
				t.Errorf("serious findings = %+v, want %d, exhaustive", got, serious)
			}
			unread := slices.ContainsFunc(test.want, func(s string) bool { return strings.Contains(s, "unread-bytes") || strings.Contains(s, "unreferenced") })
			if got := res.Metrics["unread_bytes"].Value; (got > 0) != unread {
				t.Errorf("unread bytes = %v, want some: %v", got, unread)
			}
		})
	}
}

// TestForeignFiles: what is no ONNX is never called clean, and wholly unread.
func TestForeignFiles(t *testing.T) {
	whole := clean().Bytes()
	for name, test := range map[string]struct {
		b    []byte
		rule string
		hint string
	}{
		"pickle":       {[]byte(pickle), "artefact/unsupported-format", "Export the pipeline with skl2onnx"},
		"PyTorch":      {[]byte("PK\x03\x04" + strings.Repeat(" ", 26) + "archive/data.pkl"), "artefact/unsupported-format", "torch.onnx.export"},
		"Keras":        {[]byte("\x89HDF\r\n\x1a\n"), "artefact/unsupported-format", "model.export"},
		"empty":        {nil, "onnx/unreadable", ""},
		"text":         {[]byte("hello, world"), "onnx/unreadable", ""},
		"truncated":    {whole[:len(whole)/2], "onnx/unreadable", ""},
		"claims 4 GB":  {append([]byte{0x3a}, protowire.AppendVarint(nil, 4<<30)...), "onnx/unreadable", ""},
		"graph inside": {bytes.Repeat([]byte{0x3a, 0x7f}, 200), "onnx/unreadable", ""},
	} {
		t.Run(name, func(t *testing.T) {
			res := scan(t, folder{model: test.b}.files(t))
			if res.State != result.Measured || len(res.Findings) != 1 || res.Findings[0].Rule != test.rule || res.Findings[0].Severity != result.High || !strings.Contains(res.Findings[0].Fix, test.hint) {
				t.Fatalf("state %s, findings %+v, want one of %s with %q", res.State, res.Findings, test.rule, test.hint)
			}
			if got := res.Metrics["unread_bytes"].Value; got != float64(len(test.b)) {
				t.Errorf("unread bytes = %v, want all %d", got, len(test.b))
			}
		})
	}
}

// TestTrailing: something behind the model is found although no reader of ONNX sees it.
func TestTrailing(t *testing.T) {
	model := clean().Bytes()
	res := scan(t, folder{model: append(slices.Clone(model), "\x7fELF\x02 appended, then more"...)}.files(t))
	if diff := cmp.Diff(rules(res), []string{"high onnx/trailing-bytes"}); diff != "" {
		t.Errorf("findings (-got +want):\n%s", diff)
	}
	if !strings.Contains(res.Findings[0].What, "ELF") {
		t.Errorf("finding %+v, want one that names the program", res.Findings[0])
	}
}

// TestTooLarge: a file that is too large is said to be unread, at once. The one here is a hole.
func TestTooLarge(t *testing.T) {
	files := folder{model: clean().Bytes()}.files(t)
	const size = 1 << 40
	if err := os.Truncate(files[0].OpenPath, size); err != nil {
		t.Skip("needs a file system with sparse files: ", err)
	}
	res := scan(t, files)
	if diff := cmp.Diff(rules(res), []string{"medium artefact/too-large"}); diff != "" || res.Metrics["unread_bytes"].Value != size {
		t.Errorf("unread %v, findings (-got +want):\n%s", res.Metrics["unread_bytes"].Value, diff)
	}
}

func TestUnreadableAndChanged(t *testing.T) {
	files := folder{model: clean().Bytes()}.files(t)
	files[0].Digest = artefact.DigestBytes([]byte("another"))
	if res := scan(t, files); res.Valid() {
		t.Errorf("a file that changed since it was digested: validity %+v, want a failed check", res.Validity)
	}
	missing := files[0]
	missing.OpenPath += ".gone"
	if res := scan(t, []measure.File{missing}); rules(res)[0] != "high artefact/unreadable" || res.Metrics["unread_bytes"].Value != float64(missing.SizeBytes) {
		t.Errorf("a file that is gone: %+v", res)
	}
	dir := files[0]
	dir.OpenPath = dir.Folder
	if res := scan(t, []measure.File{dir}); rules(res)[0] != "high artefact/unreadable" {
		t.Errorf("a folder: %+v", res.Findings)
	}
	files[0].Kind = artefact.Dataset
	if res := scan(t, files); res.State != result.NotAvailable || res.Reason == "" {
		t.Errorf("without a model: state %s, reason %q", res.State, res.Reason)
	}
}

// TestManyFindings: all are counted, some are kept, and text of the file's is escaped.
func TestManyFindings(t *testing.T) {
	m := clean()
	for range 50 {
		m.Graph.Nodes = append(m.Graph.Nodes, &onnx.Node{OpType: "Run\n\x1b[31m\u202e", Domain: "com.example"})
	}
	res := scan(t, folder{model: m.Bytes()}.files(t))
	if len(res.Findings) != 20 || res.Metrics["serious_findings"].Value != 50 || len(res.Notes) != 1 {
		t.Errorf("%d findings kept of %v, notes %q; want 20 of 50 and a note", len(res.Findings), res.Metrics["serious_findings"].Value, res.Notes)
	}
	for _, f := range res.Findings {
		if strings.ContainsAny(f.Where+f.Evidence, "\n\x1b\u202e") {
			t.Fatalf("text of the file's comes through: %q, %q", f.Where, f.Evidence)
		}
	}
}

func TestAccept(t *testing.T) {
	m := clean()
	external("../w")(m)
	measuretest.Accept(t, artefactscan.Probes()[0], measuretest.Target{Files: folder{model: m.Bytes()}.files(t)})
	measuretest.Accept(t, artefactscan.Probes()[0], measuretest.Target{Files: folder{model: clean().Bytes()}.files(t)})
}
