package onnx_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/assize/assize/internal/onnx"
)

// tag encodes a length-delimited field.
func tag(num protowire.Number, b []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(nil, num, protowire.BytesType), b)
}

// nested wraps an empty graph in n levels of node, attribute and graph.
func nested(n int) []byte {
	g := []byte{}
	for range n {
		g = tag(1, tag(5, tag(6, g)))
	}
	return tag(7, g)
}

func TestHostile(t *testing.T) {
	small := tag(7, tag(2, []byte("g")))
	claim := func(field []byte, size uint64) []byte { return protowire.AppendVarint(field, size) }
	lim := onnx.DefaultLimits()
	for _, test := range []struct {
		name string
		in   []byte
		lim  onnx.Limits
		want string // of the error's first line; empty: read
	}{
		{"smallest", small, lim, ""},
		{"empty", nil, lim, "empty"},
		{"graph claims 4 GB", claim([]byte{0x3a}, 1<<32), lim, "field 7 claims 4294967296 bytes, 0 are left"},
		{"graph claims 2^63", claim([]byte{0x3a}, 1<<63), lim, "field 7 claims 9223372036854775808 bytes, 0 are left"},
		{"raw data claim 4 GB", tag(7, tag(5, claim([]byte{0x4a}, 1<<32))), lim, "initializer 0: field 9 claims 4294967296 bytes"},
		{"truncated", small[:len(small)-1], lim, "claims"},
		{"no graph", []byte{0x08, 0x08}, lim, "no graph"},
		{"two graphs", append(small, small...), lim, "graph occurs twice"},
		{"zeros", make([]byte, 64), lim, "not an ONNX model"},
		{"endless varint", bytes.Repeat([]byte{0xff}, 32), lim, "not an ONNX model"},
		{"deep graphs", nested(32), lim, ""},
		{"deeper graphs", nested(40), lim, "nest deeper than 100"},
		{"ten thousand graphs", nested(10_000), lim, "nest deeper than 100"},
		{"many nodes", tag(7, bytes.Repeat(tag(1, nil), 1000)), onnx.Limits{MaxBytes: 1 << 20, MaxDepth: 10, MaxMessages: 900}, "more than 900 messages"},
		{"over the size", small, onnx.Limits{MaxBytes: 3, MaxDepth: 10, MaxMessages: 10}, "over the limit of 3"},
		{"packed floats of odd size", tag(7, tag(5, tag(4, []byte{1, 2, 3}))), lim, "field 4 ends inside a number"},
		{"packed integers cut short", tag(7, tag(5, tag(7, []byte{0x80}))), lim, "field 7 ends inside a number"},
		{"dimensions cut short", tag(7, tag(5, tag(1, []byte{0x80}))), lim, "field 1"},
		{"a group inside a group inside …", bytes.Repeat([]byte{0x7b}, 1<<16), lim, "field 15: "},
		{"two kinds of data", tag(7, tag(5, append(tag(4, make([]byte, 4)), tag(5, []byte{1})...))), lim, "data in both field 4 and field 5"},
		{"graph of the wrong wire type", append([]byte{0x38, 1}, small...), lim, ""},
	} {
		m, err := onnx.Read(test.in, test.lim)
		switch {
		case test.want == "" && err != nil:
			t.Errorf("%s: %v", test.name, err)
		case test.want == "" && m.Graph == nil:
			t.Errorf("%s: got no graph", test.name)
		case test.want == "":
		case err == nil:
			t.Errorf("%s: read, want an error with %q", test.name, test.want)
		default:
			first, hint, _ := strings.Cut(err.Error(), "\n")
			if !strings.Contains(first, test.want) || !strings.HasPrefix(hint, "hint: ") || strings.Contains(hint, "\n") {
				t.Errorf("%s: got %q, want a line with %q and a hint", test.name, err, test.want)
			}
		}
	}
}

// TestClaimsCostNothing reads a small file that claims much.
func TestClaimsCostNothing(t *testing.T) {
	in := tag(7, tag(5, append(tag(1, protowire.AppendVarint(nil, 1<<40)), tag(9, []byte{1, 2, 3, 4})...)))
	m, err := onnx.Read(in, onnx.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	tensor := m.Graph.Initializers[0]
	tensor.Type = onnx.Float
	if _, err := tensor.Float32s(); err == nil || !strings.Contains(err.Error(), "the file 4 bytes") {
		t.Errorf("got %v, want an error that compares shape and bytes", err)
	}
	allocated := testing.AllocsPerRun(10, func() { _, _ = tensor.Float32s() })
	if allocated > 50 {
		t.Errorf("got %v allocations", allocated)
	}
}

func TestSniff(t *testing.T) {
	for _, test := range []struct {
		head string
		want onnx.Format
	}{
		{"\x80\x04\x95\x00\x00", onnx.Pickle},
		{"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.", onnx.Pickle},
		{"ccopy_reg\n_reconstructor\np0\n", onnx.Pickle},
		{"(dp0\nS'a'\n", onnx.Pickle},
		{"PK\x03\x04\x00\x00........................model/data.pkl", onnx.Torch},
		{"PK\x03\x04\x00\x00........................metadata.json", onnx.Keras},
		{"PK\x03\x04\x00\x00........................x.npy", onnx.NumPy},
		{"PK\x03\x04\x00\x00........................readme.txt", onnx.Zip},
		{"\x1f\x8b\x08", onnx.Gzip},
		{"BZh91AY", onnx.Compressed},
		{"\x78\x9c\x01", onnx.Compressed},
		{"\x89HDF\r\n\x1a\n", onnx.HDF5},
		{"{L\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00learner", onnx.XGBoost},
		{"binf\x00\x00", onnx.XGBoost},
		{`{"learner":{"attributes":{}}}`, onnx.XGBoost},
		{"tree\nversion=v4\n", onnx.LightGBM},
		{"CBM1....", onnx.CatBoost},
		{"\x1c\x00\x00\x00TFL3", onnx.TFLite},
		{"\x93NUMPY\x01\x00", onnx.NumPy},
		{"GGUF\x03", onnx.GGUF},
		{"\x40\x00\x00\x00\x00\x00\x00\x00{\"w\":", onnx.Safetensors},
		{`{"nodes": []}`, onnx.JSON},
		{"<?xml version=\"1.0\"?>", onnx.XML},
		{"", onnx.Unrecognised},
		{"\x08\x07\x12\x07pytorch", onnx.Unrecognised},
	} {
		got := onnx.Sniff([]byte(test.head))
		if got != test.want {
			t.Errorf("%q: got %q, want %q", test.head, got, test.want)
		}
		if (got.ExportHint() == "") != (got == onnx.Unrecognised) {
			t.Errorf("%q: hint %q", got, got.ExportHint())
		}
	}
	for name, b := range corpus(t) {
		if f := onnx.Sniff(b[:min(len(b), onnx.SniffBytes)]); f != onnx.Unrecognised {
			t.Errorf("%s: an ONNX model is taken for a %s", name, f)
		}
	}
}

func TestReadFileErrors(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	sparse := write("sparse.onnx", "\x08\x07")
	if err := os.Truncate(sparse, 1<<33); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ path, want string }{
		{filepath.Join(dir, "absent.onnx"), `read "absent.onnx": no such file or directory`},
		{dir, "not a regular file"},
		{write("model.pkl", "\x80\x04\x95"), `read "model.pkl": it is a Python pickle; Assize never unpickles` +
			"\nhint: export the pipeline with skl2onnx.to_onnx(model, X[:1]), or a PyTorch module with torch.onnx.export"},
		{write("model.json", `{"learner": {}}`), "XGBoost model, not ONNX\nhint: export the model with onnxmltools.convert_xgboost"},
		{write("empty.onnx", ""), "the file is empty"},
		{sparse, "over the limit"},
	} {
		if _, err := onnx.ReadFile(context.Background(), test.path, onnx.DefaultLimits()); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q", filepath.Base(test.path), err, test.want)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	long := write("long.onnx", string(tag(7, tag(2, make([]byte, 2*onnx.SniffBytes)))))
	if _, err := onnx.ReadFile(ctx, long, onnx.DefaultLimits()); err == nil || !strings.Contains(err.Error(), "canceled") {
		t.Errorf("got %v, want a cancelled read", err)
	}
}
